#!/usr/bin/env bash
# cli_test.sh BUILD_DIR: the programs as people and scripts meet them, in one world: exit statuses, reason codes, JSON,
# following, configuration, a lost or rolled-back store, what the operations log says. Every check is tried; the last line
# says how many failed.
set -uo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-cli.XXXXXX")
FOLLOWER=
trap '[ -z "$FOLLOWER" ] || kill "$FOLLOWER" 2>/dev/null; world_end; rm -rf "$scratch"' EXIT

checks=0 faults=0
wrong() { faults=$((faults + 1)); printf 'WRONG: %s\n' "$*"; }
# ends STATUS words..: the command ends so; what it said is in $out.
ends() {
  local want=$1 got=0
  shift
  checks=$((checks + 1))
  out=$("$@" 2>&1 </dev/null) || got=$?
  [ $got = "$want" ] || wrong "exit status $got instead of $want: $* -> $out"
}
# refused CODE STATUS words..
refused() {
  local code=$1
  ends "${@:2}"
  [[ $out == *"[$code]"* ]] || wrong "no [$code] in: $out"
}
says() { # TEXT: $out has it
  checks=$((checks + 1))
  [[ $out == *"$1"* ]] || wrong "'$1' is not in: $out"
}
# json words..: standard output is one JSON text, or one a line
json() {
  checks=$((checks + 1))
  "$@" 2>/dev/null </dev/null | python3 -c 'import json,sys
text = sys.stdin.read()
assert text.strip()
try: json.loads(text)
except ValueError: [json.loads(line) for line in text.splitlines()]' || wrong "no JSON: $*"
}
have_python() { command -v python3 >/dev/null; }

set -e
world_make "$scratch/world" "$BUILD"
set +e
cd "$source_dir/docs/examples"
send() { v "$1" --json send "${@:2}" 2>/dev/null </dev/null | sed 's/.*"record":"\([0-9a-f]*\)".*/\1/'; }
canary=CANARY-$RANDOM$RANDOM-content
printf 'secret %s\n' "$canary" >"$scratch/canary.txt"

# ---- exit statuses and reason codes ----
record=$(send mx.fgr/omar "$scratch/canary.txt" --policy partners.policy)
ends 2 v us.dea/jrivera open
ends 2 v us.dea/jrivera no-such-command
refused wrong-purpose 3 v us.dea/jrivera open "$record" --purpose prosecution
refused not-found 3 v us.dea/jrivera open 0000000000000000 --purpose analysis
refused not-authorised 3 v us.dea/jrivera export "$scratch/not-mine" --why audit
ends 0 v us.dea/jrivera open "$record" --purpose analysis
says "$canary"
ends 0 v us.dea/jrivera open "${record:0:12}" --purpose analysis -o "$scratch/opened"
cmp -s "$scratch/canary.txt" "$scratch/opened" || wrong "what was opened is not what was sent"
refused exists 4 v us.dea/jrivera open "$record" --purpose analysis -o "$scratch/opened"
ends 2 v us.dea/jrivera ack "$record" splendid

for few in "${record:0:3} --portion 0" "${record:0:3}" "${record:0:1}"; do
  # shellcheck disable=SC2086
  refused usage 2 v us.dea/jrivera open $few --purpose analysis
  says "at least 4 of its 64 hex digits"
done
both=$(send mx.fgr/omar report-summary.txt report-source.txt --policy partners.policy)
refused usage 2 v us.dea/jrivera open "${both:0:12}" --purpose analysis
says "say which with --portion"
ends 0 v us.dea/jrivera open "${both:0:12}" --portion 1 --purpose analysis

# ---- JSON ----
if have_python; then
  for words in whoami directory inbox "custody $record" "policy check partners.policy" \
    "send trace-request.txt --policy partners.policy --preview"; do
    # shellcheck disable=SC2086
    json v mx.fgr/omar --json $words
  done
fi
refused_json=$(v us.dea/jrivera --json open 0000000000000000 --purpose analysis 2>&1)
[[ $refused_json == *'"code":"not-found"'* || $refused_json == *'"code": "not-found"'* ]] || wrong "a refusal in JSON: $refused_json"

# ---- two languages for people, one for programs ----
ends 0 v us.dea/jrivera --lang es open --help
for words in "Uso:" "Finalidad de uso" "Ejemplos:" "--emergency"; do says "$words"; done
ends 0 v us.dea/jrivera --lang es --help
says "Código de salida: 0 hecho"
for words in "receipt save" "charter witness-policy" "charter checkpoint" custody send sent inbox open ack revoke pending approve reject withdraw review request answer grant amend recall purge order \
  "order give" policy "policy explain" enrol suspend resume remove renew epoch charter "charter sign" "charter amend"; do
  # shellcheck disable=SC2086
  ends 0 v us.dea/jrivera $words --help
  says "Examples:"
done
ends 0 v us.dea/jrivera --lang es order follow --help
for words in UINT INT: "INT "; do
  [[ $out != *"$words"* ]] || wrong "a type's name in English: $out"
done
ends 0 v us.dea/jrivera --lang es inbox
for words in REGISTRO ENVIADO PORCIÓN "-$(date -u +%Y) " abierto; do says "$words"; done
refused not-found 3 v us.dea/jrivera --lang=es open 0000000000000000 --purpose analysis
says "valija: No existe, o no es para quien llama."
ends 2 v us.dea/jrivera --lang es open
says "falta record"
in_locale() { (unset LC_ALL LC_MESSAGES; export LANG=$1; shift; "$@"); }
ends 0 in_locale es_MX.UTF-8 v us.dea/jrivera inbox
says REGISTRO
ends 0 in_locale es_MX.UTF-8 v us.dea/jrivera --lang en inbox
says RECORD
ends 0 in_locale et_EE.UTF-8 v us.dea/jrivera inbox
says RECORD
ends 2 v us.dea/jrivera --lang fr inbox
says --lang
if command -v script >/dev/null; then
  asked=$(send mx.fgr/omar trace-request.txt --policy partners.policy)
  for answer in no sí; do
    printf '%s\n' "$answer" | script -qec "'$BUILD/client/valija' --lang es --profile '$W/profiles/mx.fgr/omar' \
      --passphrase-file '$W/passphrase' revoke $asked --why prueba" /dev/null >"$scratch/asked" 2>&1
    checks=$((checks + 1))
    grep -q "¿revocar $asked?.*\[sí/no\]" "$scratch/asked" || wrong "the question in Spanish: $(cat "$scratch/asked")"
    grep -q "$([ $answer = no ] && echo 'no se hizo' || echo 'revocado (asiento')" "$scratch/asked" ||
      wrong "the answer '$answer' in Spanish: $(cat "$scratch/asked")"
  done
fi
ends 0 v mx.fgr/contralora export "$scratch/copy" --why audit
verify() { audit verify "$scratch/copy" --charter-digest "$CHARTER_DIGEST" "$@"; }
ends 0 verify --lang es
says "todo probado"
ends 0 audit --lang es log "$scratch/copy" --result refused
says FINALIDAD
# same words..: a program reads the same bytes in both languages.
same() {
  checks=$((checks + 1))
  [ "$("$@" --lang en 2>/dev/null </dev/null; echo $?)" = "$("$@" --lang es 2>/dev/null </dev/null; echo $?)" ] ||
    wrong "not the same in both languages: $*"
}
for words in whoami directory inbox "custody $record" "policy check partners.policy $scratch/nothing" "charter show $W/charter" \
  "send trace-request.txt --policy partners.policy --preview" open "open 000 --purpose analysis" "revoke 0000000000 --why x --yes" \
  "send a b --policy p --policy q --policy r" "join --charter c --digest 12 --broker b --certificate c" "init --member x"; do
  # shellcheck disable=SC2086
  same v mx.fgr/omar --json $words
done
same verify --json
same audit verify "$scratch/copy" --charter-digest 12 --json
for format in json csv; do same audit log "$scratch/copy" --format $format; done

# spanish words..: refused, and in what was said stands no English word; identifiers, paths and codes aside.
spanish() {
  local said
  ends "$@"
  said=$(sed -E 's/[a-z]+(-[a-z]+)+//g; s#[^ ]*/[^ ]*##g' <<<"$out")
  checks=$((checks + 1))
  ! grep -qwiE 'the|is|not|of|an|no such|and|to|has|have|was|were|its|your|for|at|which|that|with|by|more|there' <<<"$said" ||
    wrong "English in: $out"
}
es() { v "$1" --lang es "${@:2}"; }
spanish 3 es us.dea/jrivera open "00000000" --purpose analysis
says "(un registro con estos dígitos no está en su buzón: 00000000)"
spanish 2 es us.dea/jrivera open 000 --purpose analysis
says "(un registro se designa con al menos 4 de sus 64 dígitos hexadecimales)"
spanish 3 es us.dea/jrivera revoke "$record" --why x --yes
spanish 2 es us.dea/jrivera ack "$record" splendid
says "(un resultado es uno de: received, useful, acted-on, not-useful, erased)"
spanish 3 es us.dea/karen suspend us.dea/nobody --yes
says "(ningún integrante de su agencia es us.dea/nobody)"
spanish 4 es us.dea/karen resume us.dea/jrivera
says "(us.dea/jrivera está activo; no hay nada que reanudar)"
spanish 4 es us.dea/jrivera open "$record" --purpose analysis -o "$scratch/opened"
spanish 4 es us.dea/jrivera send "$scratch/nothing-there" --policy partners.policy
says "no se puede leer"
spanish 4 es us.dea/jrivera policy check "$scratch/nothing-there"
says "no existe el archivo o la carpeta"
printf 'marking TLP:RED\nreleasable-to country us\npurpose analysis\nexpires 2036-01-01\nclearance Top Secret\n' >"$scratch/two.policy"
spanish 2 es mx.fgr/omar send trace-request.txt --policy "$scratch/two.policy"
says "línea 5: "
printf '{"origin": "o"}' >"$scratch/draft.json"
spanish 2 es mx.fgr/omar charter draft "$scratch/draft.json" -o "$scratch/drafted"
says "(borrador del convenio: el borrador requiere \"title\", un texto)"
spanish 2 es mx.fgr/omar amend "$record" --portion 99 --policy partners.policy
says "--portion: 99 no está entre 0 y 63"
spanish 2 es mx.fgr/omar --timeout soon inbox
spanish 2 es mx.fgr/omar --lang fr inbox
spanish 1 audit --lang es verify "$scratch/copy" --charter-digest "$(printf '%064d' 0)"
says "(el convenio de la bitácora es "
spanish 2 audit --lang es custody "$scratch/copy" ffffffffff
says "(ningún registro de esta exportación comienza con \"ffffffffff\")"
spanish 2 broker --lang es --check-config --data "" --high-water "" --listen nonsense --log-format loud --batch-limit 0
spanish 2 broker --lang es --check-config --workers 999
says "(workers es a lo sumo 256)"
ends 0 broker --lang es --help
says "Código de salida: 0 hecho"
for words in "open 00000000 --purpose analysis" "open 000 --purpose analysis" "ack $record splendid" "policy check $scratch/two.policy" \
  "charter draft $scratch/draft.json -o $scratch/drafted" "send $scratch/nothing-there --policy partners.policy"; do
  # shellcheck disable=SC2086
  same v us.dea/jrivera --json $words
done

# ---- dual control ----
dual=$(send mx.fgr/omar report-source.txt --policy four-eyes.policy)
open_dual() { v us.dea/jrivera open "$dual" --purpose investigation --case DEA-31 "$@"; }
refused approval-missing 3 open_dual
says "valija pending tells"
wish=$(sed -n 's/.*(request \([0-9a-f]\{64\}\)).*/\1/p' <<<"$out")
ends 0 v us.dea/karen pending
for words in "${wish:0:12}" us.dea/jrivera investigation DEA-31 "TLP:AMBER+STRICT" "valija approve ${wish:0:12}"; do says "$words"; done
ends 1 v us.dea/karen approve "$wish"
for words in "record    ${dual:0:12} of mx.fgr/omar" "text/plain" "TLP:AMBER+STRICT" DEA-31 "approve it?"; do says "$words"; done
out=$(v us.dea/karen --json approve "$wish" 2>/dev/null </dev/null)
says '{"error":{"code":"not-confirmed"'
# What could not be shown is not asked about.
refused not-found 3 v us.cbp/tom approve "$wish"
ends 3 v us.dea/karen --json approve "${wish//[0-9]/a}"
says '"code":"not-found"'
out=$(v us.dea/jrivera --json open "$dual" --purpose investigation --case DEA-33 2>/dev/null </dev/null)
says '"code":"approval-missing"'
[[ $out =~ \"request\":\"[0-9a-f]{64}\" ]] || wrong "the waiting request is no field: $out"
ends 0 v mx.fgr/omar send report-source.txt --policy four-eyes.policy --preview
for words in "only with approvals by 1 of mx.fgr/alicia, mx.fgr/omar; 1 of us.dea/karen" "[approval-missing]: us.dea" "[not-releasable]: " "[clearance, approval-missing]: us.dea/newman"; do says "$words"; done
ends 0 v mx.fgr/omar --json send report-source.txt --policy four-eyes.policy --preview
says '{"member":"us.dea/newman","reasons":["clearance","approval-missing"]}'
refused not-found 3 v us.cbp/tom --yes approve "$wish"
refused not-found 3 v us.dea/jrivera --yes approve "$wish"
ends 1 v us.dea/karen approve "$wish"
says "programs say --yes"
ends 2 v us.dea/karen reject "$wish"
ends 0 v us.dea/karen --yes approve "${wish:0:12}"
refused approval-missing 3 open_dual --approved "$wish"
ends 0 v us.dea/karen withdraw "$wish" --why "a second thought"
ends 0 v mx.fgr/alicia --yes approve "$wish"
refused approval-missing 3 open_dual --approved "$wish"
ends 0 v us.dea/karen --yes approve "$wish" --why "thought over"
ends 0 v us.dea/jrivera pending
says "has its approvals"
refused malformed 2 v us.dea/jrivera open "$dual" --purpose investigation --case DEA-32 --approved "$wish"
ends 0 open_dual --approved "$wish"
refused replayed 4 open_dual --approved "$wish"
refused approval-missing 3 open_dual
other=$(sed -n 's/.*(request \([0-9a-f]\{64\}\)).*/\1/p' <<<"$out")
ends 0 v mx.fgr/alicia --yes reject "$other" --why "ask the desk first"
ends 0 v us.dea/karen --yes approve "$other"
refused rejected 3 open_dual --approved "$other"

# ---- an emergency ----
refused no-emergency 3 v us.dea/jrivera open "$both" --portion 0 --purpose analysis --emergency "now" --yes
ends 1 open_dual --emergency "a life is at stake"
for words in "$dual of mx.fgr/omar" "TLP:AMBER+STRICT" "you can make no other" "programs say --yes"; do says "$words"; done
ends 0 open_dual --yes --emergency "a life is at stake"
refused emergency-locked 3 open_dual --yes --emergency "again"
ends 0 v mx.fgr/contralora pending
says "a life is at stake"
found=$(v mx.fgr/contralora --json pending | sed 's/.*"kind":"review","id":"\([0-9a-f]*\)".*/\1/')
ends 2 v mx.fgr/contralora --yes review "$found" --why "both or none"
ends 1 v mx.fgr/contralora review "$found" --justified --why "not asked"
for words in us.dea/jrivera "TLP:AMBER+STRICT" DEA-31 "close the case as justified?"; do says "$words"; done
ends 0 v mx.fgr/contralora --yes review "$found" --not-justified --why "there was time"
ends 0 v mx.fgr/omar custody "$dual"
says "EMERGENCY: a life is at stake"
says "closed the emergency ${found:0:12} as not justified: there was time"
for words in "us.dea/karen approved the request ${wish:0:12}: thought over" "withdrew what it had said of the request ${wish:0:12}: a second thought" \
  "rejected the request ${other:0:12}: ask the desk first" "on the request ${wish:0:12}" "it is the request ${found:0:12}"; do says "$words"; done
ends 0 v mx.fgr/omar --lang es custody "$dual"
for words in "aprobó la solicitud ${wish:0:12}. Motivo: thought over" "cerró la emergencia ${found:0:12} como no justificada" "EMERGENCIA"; do says "$words"; done
[[ $out != *": reject"* && $out != *": approve"* && $out != *": not-justified"* ]] || wrong "verdicts in English among Spanish: $out"

# ---- a request and its answer ----
ends 2 v us.dea/jrivera send trace-request.txt --policy to-mexico.policy --urgency soon
question=$(send us.dea/jrivera trace-request.txt --policy to-mexico.policy --urgency urgent)
ends 0 v mx.fgr/omar inbox --due
says "${question:0:12}"
ends 0 v us.dea/jrivera sent --due
says "${question:0:12}"
ends 0 v us.dea/jrivera --json sent --due
says '"overdue":false'
ends 0 v us.dea/jrivera inbox --due
says "nothing waits for an answer"
own=$(send mx.fgr/omar trace-request.txt --policy to-mexico.policy --urgency normal)  # its audience has its own agency too
ends 0 v mx.uif/beatriz inbox --due
says "${own:0:12}"
ends 0 v mx.fgr/alicia inbox --due
[[ $out != *"${own:0:12}"* ]] || wrong "a question of the own agency is due: $out"
reply=$(send mx.fgr/omar money-flow.json --policy partners.policy --reply-to "$question")
ends 0 v mx.fgr/omar --json inbox --due
checks=$((checks + 1))
[ "$out" = "[]" ] || wrong "what was answered is still due: $out"
ends 0 v us.dea/jrivera inbox
says "answers ${question:0:12}"
[ -n "$reply" ] || wrong "the reply was not sent"
for list in inbox sent; do  # a thread, whoever looks at it: the question, and beneath it the answer
  ends 0 v us.dea/jrivera $list
  checks=$((checks + 1))
  [[ $(grep -A1 "^${question:0:12}" <<<"$out" | tail -n 1) == "  ${reply:0:12}"* ]] || wrong "no thread in $list: $out"
done
says "1 answer"
ends 0 v us.dea/jrivera sent --due
[[ $out != *"${question:0:12}"* ]] || wrong "what was answered is still awaited: $out"

# ---- amendment, access, grant ----
printf '%s\n' 'marking TLP:GREEN' 'releasable-to agency us.dea' 'purpose analysis' 'case optional' 'expires 2036-01-01' >"$scratch/dea.policy"
sed 's/^purpose .*/purpose investigation/' "$scratch/dea.policy" >"$scratch/amended.policy"
sed 's/agency us.dea/agency us.cbp/' "$scratch/dea.policy" >"$scratch/cbp.policy"
close=$(send mx.fgr/omar money-flow.json --policy "$scratch/dea.policy")
refused not-originator 3 v us.dea/jrivera amend "$close" --policy "$scratch/amended.policy"
ends 0 v mx.fgr/omar amend "$close" --policy "$scratch/amended.policy"
refused wrong-purpose 3 v us.dea/jrivera open "$close" --purpose analysis
ends 0 v us.dea/jrivera open "$close" --purpose investigation
refused bad-policy 2 v mx.fgr/omar amend "$close" --policy "$scratch/cbp.policy"
# Whether there is such a record is not told: the same sentence, the same status.
told() { v us.cbp/tom request "$1" --purpose analysis --why "a lead" 2>&1 | sed 's/entry [0-9]*/entry N/'; }
checks=$((checks + 1))
[ "$(told "$close")" = "$(told "${close//[0-9]/a}")" ] || wrong "a request for access tells whether the record is there"
ends 0 v mx.fgr/omar pending
says "a lead"
wants=$(v mx.fgr/omar --json pending | sed 's/.*"kind":"access","id":"\([0-9a-f]*\)".*/\1/')
ends 2 v mx.fgr/omar answer "$wants" --decline --marking TLP:GREEN
ends 0 v mx.fgr/omar pending
says "valija grant ${close:0:12} --policy FILE --request ${wants:0:12}"
says "wish      to open it"
ends 1 v mx.fgr/omar answer "$wants" --decline
says "a lead"
ends 1 v mx.fgr/omar grant "$close" --policy "$scratch/cbp.policy" --request "$wants"
for words in "$close of mx.fgr/omar" "us.cbp: us.cbp/tom" "[not-releasable]: " "a lead" "grant it so?"; do says "$words"; done
granted=$(v mx.fgr/omar --yes --json grant "$close" --policy "$scratch/cbp.policy" --request "$wants" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
ends 0 v us.cbp/tom open "$granted" --purpose analysis
cmp -s <(v us.cbp/tom open "$granted" --purpose analysis 2>/dev/null) money-flow.json || wrong "a grant gives another content"
ends 0 v mx.fgr/omar custody "$close"
says "as ${granted:0:12}"
says "in answer to the request ${wants:0:12}"
# For a lower marking an answer is wanted, not a grant.
ends 0 v us.dea/jrivera request "$close" --marking TLP:CLEAR --purpose investigation --why "to publish the trend"
ends 0 v mx.fgr/omar pending
wants=$(v mx.fgr/omar --json pending | sed 's/.*"kind":"access","id":"\([0-9a-f]*\)".*/\1/')
says "valija answer ${wants:0:12} --marking TLP:CLEAR"
says "to mark what is derived from it TLP:CLEAR"
ends 0 v mx.fgr/omar --yes answer "$wants" --marking TLP:CLEAR
ends 0 v mx.fgr/omar --lang es custody "$close"
says "consintió, para la solicitud de acceso ${wants:0:12}, la marca TLP:CLEAR"

# ---- standing orders ----
ends 2 v us.dea/jrivera order give --purpose analysis --until sometime
ends 1 v us.dea/jrivera order give --purpose analysis --until 2026-12-31
ends 0 v us.dea/jrivera --yes order give --purpose analysis --until "$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)"
order=$(sed -n 's/.*standing order \([0-9a-f]*\).*/\1/p' <<<"$out")
ordered=$(send mx.fgr/omar money-flow.json --policy "$scratch/dea.policy")
ends 0 v us.dea/jrivera order follow --count 1 -o "$scratch/ordered"
says "${ordered:0:12}"
cmp -s "$scratch/ordered/$ordered-0" money-flow.json || wrong "what came under the order is not what was sent: $(ls "$scratch/ordered" 2>&1)"
ends 0 v us.dea/jrivera order list
says stands
ends 0 v us.dea/jrivera order end "$order"
ends 0 v us.dea/jrivera order list
says ended

# ---- recall, purge ----
ends 1 v mx.fgr/omar recall "${ordered:0:10}" --why "too many know"
for words in "$ordered of mx.fgr/omar" TLP:GREEN "recall $ordered:"; do says "$words"; done
refused not-found 3 v mx.fgr/omar recall 00000000 --why "nothing to show"
ends 0 v mx.fgr/omar --yes recall "$ordered" --why "too many know"
refused revoked 3 v us.dea/jrivera open "$ordered" --purpose analysis
ends 0 v us.dea/jrivera pending
says "valija ack ${ordered:0:12} erased"
ends 0 v us.dea/jrivera inbox
says "recalled: to be erased"
ends 1 v us.dea/jrivera ack "$ordered" erased
ends 0 v us.dea/jrivera --yes ack "$ordered" erased
ends 0 v mx.fgr/omar custody "$ordered"
says "recalled ${ordered:0:12}: too many know"
says ": erased"
says "under the standing order ${order:0:12}"
ends 1 v mx.fgr/omar purge "$ordered" --why "retention"
ends 0 v mx.fgr/omar --yes purge "$ordered" --why "retention"
refused purged 3 v us.dea/jrivera open "$ordered" --purpose analysis

# ---- members ----
ends 1 v us.dea/karen suspend us.dea/newman
ends 0 v us.dea/karen --yes suspend us.dea/newman
ends 0 v us.dea/karen directory
says suspended
ends 0 v us.dea/jrivera whoami
says "person      rivera"
refused not-enrolled 3 v us.dea/newman inbox
ends 0 v us.dea/karen resume us.dea/newman
ends 0 v us.dea/newman inbox
ends 1 v us.dea/karen epoch grant us.dea/newman
refused exists 4 v us.dea/karen --yes epoch grant us.dea/newman
renewed=$(v us.dea/newman --json renew begin | sed 's/.*"folder":"\([^"]*\)".*/\1/')
"$source_dir/certs/sign-csr.sh" "$W/pki/us.dea" us.dea/newman "$renewed/request.csr" "$renewed/issued.pem" >/dev/null
ends 0 v us.dea/karen --yes enrol "$renewed/member.card" --clearance restricted
ends 0 v us.dea/newman renew finish --certificate "$renewed/issued.pem"
ends 0 v us.dea/newman open "$record" --purpose analysis
says "$canary"

# ---- who could open it ----
ends 0 v mx.fgr/omar policy explain four-eyes.policy --purpose investigation --case FGR-1
says "could not: clearance"
for words in pending "order list" "inbox --due" sent "sent --due" "policy explain four-eyes.policy" "custody $dual"; do
  # shellcheck disable=SC2086
  ! have_python || json v mx.fgr/omar --json $words
  # shellcheck disable=SC2086
  same v mx.fgr/omar --json $words
done
ends 0 v mx.fgr/contralora export "$scratch/copy" --why audit
ends 0 verify
ends 0 audit custody "$scratch/copy" "$ordered"
for words in standing-opening "recall: too many know" erased "erased by entry"; do says "$words"; done

# ---- inbox --follow ----
"$BUILD/client/valija" --profile "$W/profiles/us.cbp/tom" --passphrase-file "$W/passphrase" inbox --follow \
  >"$scratch/followed" 2>&1 </dev/null &
FOLLOWER=$!
sleep 1
fresh=$(send mx.fgr/omar money-flow.json --policy partners.policy)
for _ in $(seq 1 200); do grep -q "${fresh:0:8}" "$scratch/followed" && break; sleep 0.1; done
grep -q "${fresh:0:8}" "$scratch/followed" || wrong "inbox --follow did not show the new record"
refused locked 4 v us.cbp/tom whoami
kill "$FOLLOWER"; wait "$FOLLOWER" 2>/dev/null; FOLLOWER=

# ---- policy check ----
printf 'marking TLP:PURPLE\nreleasable-to agency us.dea\npurpose analysis\nexpires 2036-01-01\n' >"$scratch/bad.policy"
ends 2 v mx.fgr/omar policy check "$scratch/bad.policy"
says "bad.policy:1: there is no marking 'TLP:PURPLE'"
ends 2 v mx.fgr/omar --lang es policy check "$scratch/bad.policy"
says "bad.policy:1: no existe la marca 'TLP:PURPLE'"
ends 0 v mx.fgr/omar policy check partners.policy
ends 2 v mx.fgr/omar send trace-request.txt --policy "$scratch/bad.policy"

# ---- nothing that was sent moves a terminal ----
escape=$(printf '\033[31m\007')
printf 'x' >"$scratch/odd${escape}name.txt"
ends 0 v mx.fgr/omar send "$scratch/odd${escape}name.txt" --policy partners.policy
[[ $out != *$'\033[31m'* && $out != *$'\007'* ]] || wrong "an escape sequence of a file name reached the output"
ends 2 v mx.fgr/omar --yes revoke "$record" --why "red ${escape} ink"
[[ $out != *$'\033[31m'* ]] || wrong "an escape sequence reached the output"
printf 'a%sb' "$escape" >"$scratch/escape.txt"
odd=$(send mx.fgr/omar "$scratch/escape.txt" --policy partners.policy)
if command -v script >/dev/null; then
  script -qec "'$BUILD/client/valija' --profile '$W/profiles/us.dea/jrivera' --passphrase-file '$W/passphrase' open $odd --purpose analysis" \
    /dev/null >"$scratch/terminal" 2>&1 </dev/null
  ! grep -q $'\033\[31m' "$scratch/terminal" || wrong "an escape sequence of the content reached a terminal"
fi
ends 0 v us.dea/jrivera open "$odd" --purpose analysis
checks=$((checks + 1))
[[ $out == *"a${escape}b"* ]] || wrong "a pipe gets the content as it is"

# ---- keys and passphrases ----
echo not-the-passphrase >"$scratch/other" && chmod 600 "$scratch/other"
refused bad-passphrase 3 "$BUILD/client/valija" --profile "$W/profiles/us.dea/newman" --passphrase-file "$scratch/other" inbox
chmod 644 "$scratch/other"
refused unsafe-file 4 "$BUILD/client/valija" --profile "$W/profiles/us.dea/newman" --passphrase-file "$scratch/other" inbox
chmod 644 "$W/profiles/us.cbp/tom/keys/signature.pem"
refused unsafe-file 4 v us.cbp/tom inbox
chmod 600 "$W/profiles/us.cbp/tom/keys/signature.pem"

# ---- completion ----
# shellcheck source=client/completion.bash
ends 0 bash -c "source '$source_dir/client/completion.bash' && complete -p valija"
says valija

# ---- receipts and evidence: verified with a policy file, without profile and broker ----
receipt() { audit receipt "$scratch/$1.tlog-proof" --policy "$scratch/log.policy" "${@:2}"; }
ends 0 v mx.fgr/omar receipt save "${close:0:12}" -o "$scratch/close.tlog-proof"
for words in "$close" "signed by the log alone"; do says "$words"; done
refused exists 4 v mx.fgr/omar receipt save "$close" -o "$scratch/close.tlog-proof"
refused not-found 3 v mx.fgr/omar receipt save "${close//[0-9]/a}" -o "$scratch/none.tlog-proof"
spanish 3 es mx.fgr/omar receipt save "${close//[0-9]/a}" -o "$scratch/none.tlog-proof"
ends 0 v us.cbp/tom charter witness-policy -o "$scratch/log.policy"
refused exists 4 v us.cbp/tom charter witness-policy -o "$scratch/log.policy"
ends 0 receipt close
for words in "$close" "its policy asks no witnesses" "a refused opening is an entry too"; do says "$words"; done
ends 0 receipt close --lang es
says "su política no exige testigos"
ends 0 v us.cbp/tom receipt save "$CHARTER_DIGEST" -o "$scratch/charter.tlog-proof"
ends 0 receipt charter --statement "$W/charter"
ends 1 receipt close --statement "$W/charter"
says "[bad-proof]"
ends 2 audit receipt "$scratch/close.tlog-proof"
ends 2 receipt nothing-there
sed 's/^index .*/index 3/' "$scratch/close.tlog-proof" >"$scratch/moved.tlog-proof"
ends 1 receipt moved
says "NOT proved"
spanish 1 audit --lang es receipt "$scratch/moved.tlog-proof" --policy "$scratch/log.policy"
same receipt close --json
same receipt moved --json
if have_python; then json v mx.fgr/omar --json receipt save "$record" -o "$scratch/record.tlog-proof"; json receipt close --json; fi

ends 0 v mx.fgr/omar custody "$close" --bundle "$scratch/close.bundle"
for words in "$scratch/close.bundle.html" "valija-audit bundle"; do says "$words"; done
refused exists 4 v mx.fgr/omar custody "$close" --bundle "$scratch/close.bundle"
ends 0 audit bundle "$scratch/close.bundle" --policy "$scratch/log.policy"
for words in us.dea/jrivera "request to open" "amendment of the policy" "signatures hold" "that nothing else happened to the record"; do says "$words"; done
ends 0 audit bundle "$scratch/close.bundle" --policy "$scratch/log.policy" --charter-digest "$CHARTER_DIGEST" --lang es
says "se sostienen"
ends 2 audit bundle "$scratch/close.bundle" --charter-digest "$CHARTER_DIGEST" # a policy is always needed
says "--policy"
ends 1 audit bundle "$scratch/close.bundle" --policy "$scratch/log.policy" --charter-digest "$(printf '%064d' 0)"
says "[fork]"
if have_python; then
  checks=$((checks + 1))
  audit bundle "$scratch/close.bundle" --policy "$scratch/log.policy" --json | python3 -c 'import json, sys
entries = json.load(sys.stdin)["entries"]
of = lambda kind: [one for one in entries if one.get("kind") == kind]
record, amendment = of("record")[0], of("amendment")[0]
assert record["policies"] and record["recipients"][0]["all"] and record["recipients"][0]["agencies"], record
assert amendment["policies"] and amendment["record"] == record["statement"], amendment
for one in of("open"):
    assert one["agency"] and one["expires"] and one["unwitnessed"] is False and "by_log_alone" not in one, one
assert of("enrolment")[0]["member"], entries' || wrong "--json of a bundle lacks something"
fi
same audit bundle "$scratch/close.bundle" --policy "$scratch/log.policy" --json
ends 0 v mx.fgr/omar custody "$close" --bundle "$scratch/part.bundle" --withhold open --withhold decisions,policies
says "not shown"
ends 0 audit bundle "$scratch/part.bundle" --policy "$scratch/log.policy" --page "$scratch/page.html"
[[ $out != *"request to open"* ]] || wrong "what is withheld is told: $out"
checks=$((checks + 1))
! grep -qa -e vnd.valija.open.v1 -e "request to open" "$scratch/part.bundle" "$scratch/part.bundle.html" || wrong "what is withheld is in the bundle"
cmp -s "$scratch/page.html" "$scratch/part.bundle.html" || wrong "the page that is made anew is another one"
refused usage 2 v mx.fgr/omar custody "$close" --bundle "$scratch/x.bundle" --withhold everything
spanish 2 es mx.fgr/omar custody "$close" --bundle "$scratch/x.bundle" --withhold everything
ends 2 v mx.fgr/omar custody "$close" --withhold open
if have_python; then json v mx.fgr/omar --json custody "$close" --bundle "$scratch/json.bundle"; fi

# ---- the broker's keys, and the charter, are changed ----
old_key=$(sed -n 's/.*"log-key": *"\([^"]*\)".*/\1/p' "$W/broker/keys/broker.card")
ends 0 broker rotate-release-key
ends 0 broker rotate-log-key
checks=$((checks + 1))
[ -s "$W/broker/keys/release-key-2.pem" ] && [ -s "$W/broker/keys/log-key-2.pem" ] || wrong "no further keys: $(ls "$W/broker/keys")"
sed "0,/^{/s/^{/{ \"amends\": \"$CHARTER_DIGEST\",/" "$W/charter.json" >"$W/amended.json"
ends 0 v mx.fgr/alicia charter draft "$W/amended.json" -o "$W/amendment"
ends 1 v us.dea/karen charter sign "$W/amendment"
for words in "it changes these terms" "- log key" "+ log key" "sign this for your agency?"; do says "$words"; done
for member in mx.fgr/alicia mx.uif/beatriz us.cbp/tom; do ends 0 v "$member" --yes charter sign "$W/amendment"; done
cp "$W/amendment" "$scratch/three-signed"
ends 0 v us.dea/karen --yes charter sign "$W/amendment"
ends 1 v us.dea/karen charter amend "$W/amendment"
refused not-ready 4 v us.dea/karen --yes charter amend "$W/amendment"  # the broker has not read its new keys yet
broker_stop
spanish 4 es mx.fgr/omar --timeout 5 inbox
broker_start
before=$(send mx.fgr/omar trace-request.txt --policy partners.policy)
refused not-authorised 3 v us.dea/karen --yes charter amend "$scratch/three-signed"
ends 0 v us.dea/karen --yes charter amend "$W/amendment"
ends 0 v us.cbp/tom whoami
says "in force    $(v us.dea/karen --json charter show "$W/amendment" | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/')"
for one in "$record" "$before"; do ends 0 v us.dea/jrivera open "$one" --purpose analysis; done
new=$(send mx.fgr/omar money-flow.json --policy partners.policy)
ends 0 v us.dea/jrivera open "$new" --purpose analysis
ends 0 v us.cbp/tom inbox
says "${new:0:12}"
ends 0 v mx.fgr/omar receipt save "$new" -o "$scratch/new.tlog-proof"
ends 0 receipt new  # the former key signs too, for a while
mv "$scratch/log.policy" "$scratch/former.policy"
ends 0 v us.cbp/tom charter witness-policy -o "$scratch/log.policy"
for one in close new; do ends 0 receipt $one; done
ends 0 audit bundle "$scratch/close.bundle" --policy "$scratch/log.policy"
ends 0 v mx.fgr/omar custody "$close" --bundle "$scratch/later.bundle"
ends 0 audit bundle "$scratch/later.bundle" --policy "$scratch/log.policy"
world_enrol us.cbp/tom us.cbp/late --clearance restricted  # knows the first charter alone
ends 0 v us.cbp/late open "$new" --purpose analysis
ends 0 v mx.fgr/contralora export "$scratch/copy" --why audit
ends 0 verify
checks=$((checks + 1))
! grep -q "$old_key" <(sed -n 's/.*"log-key": *"\([^"]*\)".*/\1/p' "$W/broker/keys/broker.card") || wrong "the card has the old log key"

# ---- nothing that was purged is left in the store ----
refused locked 4 broker scrub
refused locked 4 broker check
broker_stop
ends 0 broker scrub
# ---- the whole log, and the state that the broker keeps, against one another ----
ends 0 broker check
says "the state that is kept is what they make"
checks=$((checks + 1))
[ ! -e "$W/broker/data.check" ] || wrong "the check left its own store behind"
# ---- the public side as static files: incremental, without events, and not into a folder that has them ----
ends 0 broker export --public "$scratch/public"
ends 0 broker export --public "$scratch/public"
ends 2 broker export --public "$scratch/copy"
says "[usage]"
checks=$((checks + 1))
[ -s "$scratch/public/checkpoint" ] && [ ! -e "$scratch/public/entries" ] || wrong "the public export is not what it should be"
! grep -rqE 'us\.dea|mx\.fgr|analysis' "$scratch/public" || wrong "there are events in the public export"
broker_start
ends 0 v us.dea/jrivera open "$record" --purpose analysis
refused purged 3 v us.dea/jrivera open "$ordered" --purpose analysis

# ---- the broker's configuration ----
ends 0 broker --check-config
for command in "serve" "init-keys --authority a --origin b" "init --charter $W/charter" "export $scratch/unasked"; do
  # shellcheck disable=SC2086 # several words
  ends 2 broker --check-config $command
  says check-config
done
[ ! -e "$scratch/unasked" ] || wrong "--check-config beside a subcommand did what that does"
echo not-the-passphrase >"$scratch/broker-passphrase" && chmod 600 "$scratch/broker-passphrase"
refused bad-passphrase 3 broker --check-config --passphrase-file "$scratch/broker-passphrase"
refused bad-configuration 2 broker --check-config --tls-certificate "$W/pki/carrier/ca.pem"
says "another key than tls-key.pem"
ends 2 broker --check-config --data "" --high-water "" --listen nonsense --log-format loud --batch-limit 0
for fault in data high-water listen log-format batch-limit; do says "$fault"; done
ends 2 broker --check-config --high-water "$W/broker/data/mark"
says "high-water must not lie in the data folder"
printf 'no-such-setting=1\n' | cat "$W/broker/broker.conf" - >"$scratch/extra.conf"
ends 2 "$BUILD/broker/valija-broker" --config "$scratch/extra.conf" --check-config
chmod 644 "$W/broker/keys/log-key.pem"
ends 2 broker --check-config
says log-key.pem
chmod 600 "$W/broker/keys/log-key.pem"

# ---- the store ----
refused locked 4 broker --listen 127.0.0.1:0 --log-file "" serve
broker_stop
cp -r "$W/broker/data" "$scratch/old-data"
broker_start
after=$(send mx.fgr/omar trace-request.txt --policy partners.policy)
broker_stop

mv "$W/broker/data" "$scratch/data"
ends 5 broker serve
[ ! -e "$W/broker/data" ] || wrong "a lost store was made anew"
cp -r "$scratch/old-data" "$W/broker/data"
refused rolled-back 5 broker serve
rm -rf "$W/broker/data"
mv "$scratch/data" "$W/broker/data"
mv "$W/broker/high-water" "$scratch/high-water"
ends 5 broker serve
mv "$scratch/high-water" "$W/broker/high-water"
refused exists 4 broker init --charter "$W/charter"

# ---- little room: below the floor no bodies and no statements are taken, and reading goes on ----
cp "$W/broker/broker.conf" "$scratch/broker.conf"
echo 'min-free-mib=4000000000' >>"$W/broker/broker.conf"
broker_start || wrong "the broker does not start where there is little room"
refused storage 4 v mx.fgr/omar send trace-request.txt --policy partners.policy
ends 0 v us.dea/jrivera inbox
cp "$scratch/broker.conf" "$W/broker/broker.conf"
broker_stop
checks=$((checks + 1))
grep -q free-space "$W/broker/operations.log" || wrong "the operations log does not say that there is little room"

# ---- a full disk: no file may grow beyond 8 MiB, and none beyond what is there ----
broker_limited() { (ulimit -f 8192; trap '' XFSZ; broker_start && echo "$BROKER_PID $PORT" >"$scratch/limited"); }
broker_limited
checks=$((checks + 1))
if [ -s "$scratch/limited" ]; then
  read -r BROKER_PID PORT <"$scratch/limited"
  head -c 20000000 /dev/urandom >"$scratch/large"
  # Until the store has met its limit: a slow machine may first be out of time.
  for _ in 1 2 3 4 5 6; do
    full=0
    out=$(v mx.fgr/omar --timeout 60 send "$scratch/large" --policy partners.policy 2>&1 </dev/null) || full=$?
    [ $full = 0 ] || ! grep -q store-write-failed "$W/broker/operations.log" || break
  done
  [ $full = 4 ] || wrong "a full disk: exit status $full, not 4: $out"
  grep -q store-write-failed "$W/broker/operations.log" || wrong "the limit on the store's files was never reached"
  kill -TERM "$BROKER_PID"
  for _ in $(seq 1 300); do kill -0 "$BROKER_PID" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$BROKER_PID" 2>/dev/null
  BROKER_PID=
else
  wrong "the broker with a limit on its files did not start"
fi
broker_start || wrong "the broker does not start after the disk was full"
ends 0 v us.dea/jrivera open "$after" --purpose analysis

# ---- the operations log ----
broker_stop
checks=$((checks + 1))
[ -s "$W/broker/operations.log" ] || wrong "there is no operations log"
if have_python; then
  python3 -c 'import json,sys
for line in open(sys.argv[1]): assert {"time", "level", "event"} <= json.loads(line).keys(), line' "$W/broker/operations.log" ||
    wrong "the operations log is not JSON lines"
fi
for secret in "$canary" "$(head -n 1 "$W/passphrase")" "PRIVATE KEY"; do
  ! grep -rqF -- "$secret" "$W/broker/operations.log" "$W/broker/err" "$W/broker/out" || wrong "the log holds a secret"
done
! grep -rqF -- "$canary" "$W/broker/data" || wrong "the store holds the content"

printf '%d checks, %d wrong\n' "$checks" "$faults"
[ "$faults" = 0 ]
