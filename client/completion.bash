# Completion for valija in bash: source it, or install it as share/bash-completion/completions/valija.
_valija() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local commands="init join whoami directory send inbox sent open ack revoke custody receipt pending approve reject withdraw review request answer grant amend recall purge order policy enrol remove suspend resume renew epoch export charter"
  local common="--profile --passphrase-file --lang --json --yes --timeout --help"
  local command="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " $commands " in *" $word "*) command=$word; break ;; esac
  done
  case $previous in
    --profile) COMPREPLY=($(compgen -d -- "$current")); return ;;
    --lang) COMPREPLY=($(compgen -W "en es" -- "$current")); return ;;
    --passphrase-file|--policy|-p|--charter|--certificate|--bundle|-o|--output) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  local words=""
  case $command in
    "") words="$commands $common --version" ;;
    init) words="--member $common" ;;
    join) words="--charter --digest --broker --certificate $common" ;;
    send) words="--policy --type --reply-to --urgency --source --preview $common" ;;
    inbox) words="--follow --due $common" ;;
    sent) words="--due $common" ;;
    open) words="--portion --purpose --case --approved --emergency --output $common" ;;
    ack) words="received useful acted-on not-useful erased $common" ;;
    revoke|recall|purge|approve|reject|withdraw) words="--why $common" ;;
    review) words="--justified --not-justified --why $common" ;;
    request) words="--portion --for --marking --purpose --case --why $common" ;;
    answer) words="--decline --marking --why $common" ;;
    grant) words="--policy --portion --request --purpose --case $common" ;;
    amend) words="--policy --portion $common" ;;
    order) words="give end list follow --purpose --case --until --from --count --output $common" ;;
    policy) words="check explain --purpose --case $common" ;;
    enrol) words="--clearance --role --programme --person --administrator --auditor $common" ;;
    renew) words="begin finish --certificate $common" ;;
    epoch) words="rotate grant $common" ;;
    custody) words="--bundle --withhold --show-erased --wait $common" ;;
    receipt) words="save --output --wait $common" ;;
    charter) words="draft sign show amend witness-policy checkpoint --output $common" ;;
    *) words="$common" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case $command in send|policy|enrol|charter|export) [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- "$current")) ;; esac
}
complete -F _valija valija
