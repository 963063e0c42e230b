#!/usr/bin/env bash
# demo.sh BUILD_DIR: the story that `./do demo` tells, with the real programs on real records. Exit status 0 only if every
# step went as it says.
set -euo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-demo.XXXXXX")
trap 'world_end; [ -n "${KEEP:-}" ] || rm -rf "$scratch"' EXIT
began=$SECONDS

chapter() { printf '\n\033[1m%s\033[0m\n' "$*"; }
say() { printf '  %s\n' "$*"; }
wrong() { printf 'demo: %s\n' "$*" >&2; exit 1; }
short() { printf '%.12s' "$1"; }

# refused CODE STATUS words..: the command must be refused for this reason, with this exit status.
refused() {
  local code=$1 status=$2 out got=0
  shift 2
  out=$("$@" 2>&1) || got=$?
  [ $got = "$status" ] && [[ $out == *"[$code]"* ]] || wrong "expected a refusal [$code], exit $status; got exit $got: $out"
  say "refused: ${out#valija: }"
}

send() { # MEMBER words..: prints the record's id
  local member=$1
  shift
  v "$member" --json send "$@" | sed 's/.*"record":"\([0-9a-f]*\)".*/\1/'
}

chapter "Two countries, four agencies, one carrier that none of them has to trust"
WORLD_WITNESSES=1 world_make "$scratch/world" "$BUILD"
say "each agency has its own CA; four administrators signed the charter $(short "$CHARTER_DIGEST")"
say "each country runs a witness; nothing is released before both have cosigned that it is in the log"
say "the broker listens on 127.0.0.1:$PORT, TLS 1.3 only, certificates on both sides"
v us.dea/jrivera directory | sed 's/^/  | /'

stix=${VALIJA_STIX:-$source_dir/../shared/data/stix}
cd "$source_dir/docs/examples"
if compgen -G "$stix/*.json" >/dev/null; then
  chapter "mx.fgr sends the STIX bundles of $(basename "$stix") to its partners"
  count=0
  for bundle in "$stix"/*.json; do
    record=$(send mx.fgr/omar "$bundle" --policy partners.policy --type 'application/stix+json;version=2.1')
    count=$((count + 1))
    last=$bundle last_record=$record
  done
  say "$count bundles sent, each sealed, signed, and in the log before its sender heard \"sent\""
else
  chapter "mx.fgr sends the project's own records to its partners (no STIX bundles are laid beside this checkout)"
  for last in trace-request.txt money-flow.json; do last_record=$(send mx.fgr/omar "$last" --policy partners.policy); done
  say "2 records sent"
fi
v us.dea/jrivera open "$last_record" --purpose analysis -o "$scratch/opened" 2>&1 | sed 's/^/  /'
cmp "$last" "$scratch/opened" || wrong "what was opened is not what was sent"
say "us.dea opened $(short "$last_record"); it is byte for byte what was sent"

chapter "A crime-intelligence report with a tearline: the summary to many, the source report to few"
report=$(send mx.fgr/omar report-summary.txt report-source.txt --policy many.policy --policy few.policy)
v mx.fgr/omar send report-summary.txt report-source.txt --policy many.policy --policy few.policy --preview | sed 's/^/  | /'
say "sent $(short "$report")"
v us.cbp/tom open "$report" --portion 0 --purpose interdiction --case CBP-7 2>/dev/null | head -n 1 | sed 's/^/  us.cbp reads the summary: /'
refused not-releasable 3 v us.cbp/tom open "$report" --portion 1 --purpose investigation --case CBP-7
refused clearance 3 v us.dea/newman open "$report" --portion 1 --purpose investigation --case DEA-31
refused wrong-purpose 3 v us.dea/jrivera open "$report" --portion 1 --purpose analysis --case DEA-31
v us.dea/jrivera open "$report" --portion 1 --purpose investigation --case DEA-31 2>/dev/null | head -n 1 | sed 's/^/  us.dea reads the source report: /'
refused limit-reached 3 v us.dea/jrivera open "$report" --portion 1 --purpose investigation --case DEA-31
v us.dea/jrivera ack "$report" acted-on | sed 's/^/  us.dea: /'

chapter "One country's witness is away: what is opened waits, what is sent does not"
waited=$(send us.dea/jrivera trace-request.txt --policy to-mexico.policy)
witness_stop mx.fgr
(v mx.fgr/omar open "$waited" --purpose investigation -o "$scratch/waited" >"$scratch/waited.out" 2>&1) &
opening=$!
later=$(send mx.uif/beatriz money-flow.json --policy partners.policy)
say "mx.uif sends $(short "$later") all the same"
for i in $(seq 1 150); do grep -q 'waiting for the witnesses' "$scratch/waited.out" && break; sleep 0.1; done
grep 'waiting for the witnesses' "$scratch/waited.out" | head -n 1 | sed 's/^/  mx.fgr: /' || wrong "the opening does not wait: $(cat "$scratch/waited.out")"
[ ! -s "$scratch/waited" ] || wrong "it was opened without the witness"
witness_start mx.fgr
wait "$opening" || wrong "the opening did not go on: $(cat "$scratch/waited.out")"
cmp trace-request.txt "$scratch/waited" || wrong "what was opened is not what was sent"
say "the witness is back, and the opening went on by itself"

chapter "Time and second thoughts"
soon=$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)
sed "s/^expires .*/expires $soon/" partners.policy >"$scratch/soon.policy"
brief=$(send mx.uif/beatriz money-flow.json --policy "$scratch/soon.policy")
request=$(send us.cbp/tom trace-request.txt --policy partners.policy)
v us.cbp/tom --yes revoke "$request" --why "sent to the wrong desk" | sed 's/^/  us.cbp: /'
refused revoked 3 v mx.fgr/omar open "$request" --purpose investigation
while [ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \< "$soon" ] || [ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" = "$soon" ]; do sleep 0.2; done
refused expired 3 v us.dea/jrivera open "$brief" --purpose analysis

chapter "Four eyes: a source report that nobody opens alone"
dual=$(send mx.fgr/omar report-source.txt --policy four-eyes.policy)
refused approval-missing 3 v us.dea/jrivera open "$dual" --purpose investigation --case DEA-31
wish=$(v us.dea/karen --json pending | sed 's/.*"kind":"approval","id":"\([0-9a-f]*\)".*/\1/')
v us.dea/karen pending | sed 's/^/  | /'
v us.dea/karen --yes approve "$wish" --why "case officer, cleared" | sed 's/^/  us.dea: /'
refused approval-missing 3 v us.dea/jrivera open "$dual" --purpose investigation --case DEA-31 --approved "$wish"
v mx.fgr/alicia --yes approve "$wish" | sed 's/^/  mx.fgr: /'
v us.dea/jrivera open "$dual" --purpose investigation --case DEA-31 --approved "$wish" 2>/dev/null | head -n 1 | sed 's/^/  us.dea reads, once both sides have approved: /'
refused replayed 4 v us.dea/jrivera open "$dual" --purpose investigation --case DEA-31 --approved "$wish"

chapter "A request for information, its clock, and the answer"
asked=$(send us.dea/jrivera trace-request.txt --policy to-mexico.policy --urgency immediate)
v mx.fgr/omar inbox --due | tail -n 1 | sed 's/^/  | /'
answered=$(send mx.fgr/omar money-flow.json --policy partners.policy --reply-to "$asked")
say "mx.fgr answered $(short "$asked") with $(short "$answered")"
v us.dea/jrivera sent | sed 's/^/  | /'
[ "$(v mx.fgr/omar --json inbox --due)" = "[]" ] || wrong "the request was answered and still waits"
[ "$(v us.dea/jrivera --json sent --due)" = "[]" ] || wrong "the request was answered, and who asked does not see it"

chapter "An emergency: opened now, told at once, reviewed later"
urgent=$(send mx.fgr/omar report-source.txt --policy four-eyes.policy)
v us.dea/jrivera --yes open "$urgent" --purpose investigation --case DEA-31 --emergency "hostage, minutes count" 2>/dev/null | head -n 1 | sed 's/^/  us.dea reads without the approvals: /'
refused emergency-locked 3 v us.dea/jrivera --yes open "$dual" --purpose investigation --case DEA-31 --emergency "once more"
case=$(v mx.fgr/contralora --json pending | sed 's/.*"kind":"review","id":"\([0-9a-f]*\)".*/\1/')
v mx.fgr/contralora --yes review "$case" --justified --why "the line was tapped, the call is on record" | sed 's/^/  the auditor: /'

chapter "Recalled: what was sent to too many is asked back"
v mx.fgr/omar --yes recall "$urgent" --why "the source is at risk" | sed 's/^/  mx.fgr: /'
refused revoked 3 v us.dea/jrivera open "$urgent" --purpose investigation --case DEA-31
v us.dea/jrivera pending | sed 's/^/  | /'
v us.dea/jrivera --yes ack "$urgent" erased | sed 's/^/  us.dea: /'
v mx.fgr/omar custody "$urgent" | sed 's/^/  | /'

chapter "Who did what with the report: the originator asks the log"
v mx.fgr/omar custody "$report" | sed 's/^/  | /'

chapter "For a court: the report's custody in one file, which proves itself to whoever has the log's policy"
v mx.fgr/omar custody "$report" --bundle "$scratch/report.bundle" | sed 's/^/  /'
v us.dea/karen charter witness-policy -o "$scratch/log.policy" | sed 's/^/  us.dea: /'
audit bundle "$scratch/report.bundle" --policy "$scratch/log.policy" | sed -n '1,8s/^/  | /p'

chapter "A member leaves"
v us.dea/karen --yes remove us.dea/newman | sed 's/^/  us.dea: /'
refused not-enrolled 3 v us.dea/newman inbox

chapter "A joint auditor takes a copy and proves it offline, without the broker's program"
v mx.fgr/contralora export "$scratch/copy" --why "the yearly review" | sed 's/^/  /'
audit verify "$scratch/copy" --charter-digest "$CHARTER_DIGEST" --state "$scratch/last-run" | sed 's/^/  | /'
audit log "$scratch/copy" --result refused | sed 's/^/  | /'

chapter "The scorecard: what both capitals can count from the same log, and get the same numbers"
audit report "$scratch/copy" --charter-digest "$CHARTER_DIGEST" --by all | sed -n '1,17s/^/  | /p'

chapter "One byte is changed in a copy of the store"
broker_stop
cp -r "$W/broker/data" "$scratch/store"
files=("$scratch"/store/*.log)
victim=${files[${#files[@]} - 1]}
middle=$(($(stat -c %s "$victim") / 2))
printf "\\x$(printf %x $((0x$(od -An -tx1 -j$middle -N1 "$victim" | tr -d ' ') ^ 1)))" |
  dd of="$victim" bs=1 seek=$middle conv=notrunc status=none
status=0
out=$("$BUILD/broker/valija-broker" --config "$W/broker/broker.conf" --data "$scratch/store" export "$scratch/from-store" 2>&1) || status=$?
[ $status = 5 ] || wrong "the broker should have found the flipped byte; exit $status: $out"
say "found by the broker: ${out#valija-broker: }"

chapter "... and one byte in the auditor's copy, where no database guards it"
victim=$(find "$scratch/copy/entries" -name '*.pb' | head -n 1)
middle=$(($(stat -c %s "$victim") / 2))
printf "\\x$(printf %x $((0x$(od -An -tx1 -j$middle -N1 "$victim" | tr -d ' ') ^ 1)))" |
  dd of="$victim" bs=1 seek=$middle conv=notrunc status=none
status=0
out=$(audit verify "$scratch/copy" --charter-digest "$CHARTER_DIGEST") || status=$?
[ $status = 1 ] || wrong "the auditor should have found the flipped byte; exit $status: $out"
printf '%s\n' "$out" | grep -E 'FINDING|NOT proved' | head -n 2 | sed 's/^/  | /'

chapter "Done in $((SECONDS - began)) seconds: every step went as told"
