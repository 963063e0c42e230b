# Completion for valija in bash: source it, or install it as share/bash-completion/completions/valija.
_valija() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local commands="init join whoami directory send inbox open ack revoke custody policy enrol remove epoch export charter"
  local common="--profile --passphrase-file --lang --json --yes --timeout --help"
  local command="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " $commands " in *" $word "*) command=$word; break ;; esac
  done
  case $previous in
    --profile) COMPREPLY=($(compgen -d -- "$current")); return ;;
    --lang) COMPREPLY=($(compgen -W "en es" -- "$current")); return ;;
    --passphrase-file|--policy|-p|--charter|--certificate|-o|--output) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  local words=""
  case $command in
    "") words="$commands $common --version" ;;
    init) words="--member $common" ;;
    join) words="--charter --digest --broker --certificate $common" ;;
    send) words="--policy --type --reply-to --preview $common" ;;
    inbox) words="--follow $common" ;;
    open) words="--portion --purpose --case --output $common" ;;
    ack) words="received useful acted-on not-useful $common" ;;
    revoke) words="--why $common" ;;
    policy) words="check $common" ;;
    enrol) words="--clearance --role --programme --administrator --auditor $common" ;;
    epoch) words="rotate $common" ;;
    charter) words="draft sign show --output $common" ;;
    *) words="$common" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case $command in send|policy|enrol|charter|export) [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- "$current")) ;; esac
}
complete -F _valija valija
