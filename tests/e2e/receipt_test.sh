#!/usr/bin/env bash
# receipt_test.sh BUILD_DIR: receipts and evidence bundles in a world whose charter has a witness in each country: who is missing,
# what holds without broker and profile, and that it still holds after the log's key and a witness's were changed.
set -uo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-receipt.XXXXXX")
trap 'world_end; rm -rf "$scratch"' EXIT

checks=0 faults=0
wrong() { faults=$((faults + 1)); printf 'WRONG: %s\n' "$*"; }
ends() { # STATUS words..: what it said is in $out
  local want=$1 got=0
  shift
  checks=$((checks + 1))
  out=$("$@" 2>&1 </dev/null) || got=$?
  [ $got = "$want" ] || wrong "exit status $got instead of $want: $* -> $out"
}
says() { checks=$((checks + 1)); [[ $out == *"$1"* ]] || wrong "'$1' is not in: $out"; }
holds() { ends 0 audit "$@"; }
fails() { ends 1 audit "${@:2}"; says "[$1]"; }

set -e
WORLD_WITNESSES=1 WORLD_SIGNATURES=1 world_make "$scratch/world" "$BUILD"
set +e
cd "$source_dir/docs/examples"
send() { v "$1" --json send "${@:2}" 2>/dev/null </dev/null | sed 's/.*"record":"\([0-9a-f]*\)".*/\1/'; }

# ---- under both witnesses ----
record=$(send mx.fgr/omar money-flow.json --policy partners.policy)
ends 0 v us.dea/jrivera open "$record" --purpose analysis --case DEA-31 -o "$scratch/opened"
ends 0 v us.dea/jrivera ack "$record" useful
ends 0 v mx.fgr/omar receipt save "$record" -o "$scratch/record.tlog-proof"
for words in "cosigned    mx.fgr" "cosigned    us.dea"; do says "$words"; done
ends 0 v us.cbp/tom charter witness-policy -o "$scratch/old.policy"
opening=$(v mx.fgr/omar --json custody "$record" | grep -o '"kind":"open".*' | grep -o '"id":"[0-9a-f]*"' | head -n 1 | cut -d '"' -f 4)
ends 0 v mx.fgr/omar receipt save "$opening" -o "$scratch/opening.tlog-proof" # what another agency did
ends 0 v mx.fgr/omar custody "$record" --bundle "$scratch/record.bundle"
ends 0 v mx.fgr/omar --lang es custody "$record" --bundle "$scratch/part.bundle" --withhold case,policies,recipients
says "reservado"

# ---- one country's witness is away ----
witness_stop mx.fgr
alone=$(send mx.fgr/omar trace-request.txt --policy partners.policy)
ends 4 v mx.fgr/omar receipt save "$alone" -o "$scratch/alone.tlog-proof" --wait 1
for words in "[no-quorum]" "mx.fgr"; do says "$words"; done
[ ! -e "$scratch/alone.tlog-proof" ] || wrong "a receipt without the quorum was written"
ends 4 v mx.fgr/omar custody "$alone" --bundle "$scratch/alone.bundle" --wait 1
says "[no-quorum]"
[ ! -e "$scratch/alone.bundle" ] || wrong "a bundle without the quorum was written"
witness_start mx.fgr
ends 0 v mx.fgr/omar receipt save "$alone" -o "$scratch/alone.tlog-proof" --wait 120

# ---- with nothing but a policy file ----
broker_stop
for one in record opening alone; do holds receipt "$scratch/$one.tlog-proof" --policy "$scratch/old.policy"; done
says "enough witnesses vouch for the log"
holds bundle "$scratch/record.bundle" --policy "$scratch/old.policy"
for words in us.dea/jrivera DEA-31 granted "signatures hold"; do says "$words"; done
holds bundle "$scratch/record.bundle" --policy "$scratch/old.policy" --charter-digest "$CHARTER_DIGEST"
holds bundle "$scratch/part.bundle" --policy "$scratch/old.policy" --page "$scratch/again.html"
says "not shown"
[[ $out != *DEA-31* ]] || wrong "a case that is withheld is told: $out"
checks=$((checks + 1))
! grep -qa DEA-31 "$scratch/part.bundle" "$scratch/part.bundle.html" "$scratch/again.html" || wrong "a case that is withheld is there"
grep -q '<html lang="es">' "$scratch/part.bundle.html" || wrong "the page is not in Spanish"
! grep -qiE '<script|src=|href=' "$scratch"/*.html || wrong "a page is not self-contained"
ends 2 audit bundle "$scratch/record.bundle" --charter-digest "$CHARTER_DIGEST" # a policy is always needed
says "--policy"
for line in witness.mx.fgr witness.us.dea pouch.example; do
  grep -v "^— $line" "$scratch/record.tlog-proof" >"$scratch/without-$line"
done
fails bad-proof receipt "$scratch/without-witness.mx.fgr" --policy "$scratch/old.policy"
fails bad-proof receipt "$scratch/without-witness.us.dea" --policy "$scratch/old.policy"
fails bad-checkpoint receipt "$scratch/without-pouch.example" --policy "$scratch/old.policy"
printf 'x' >>"$scratch/part.bundle"
fails malformed bundle "$scratch/part.bundle" --policy "$scratch/old.policy"

# ---- another key of the log, and another witness in Mexico, which takes over from the one there is ----
broker rotate-log-key >/dev/null || wrong "no new log key"
printf '\nvkey %s\n' "$(sed -n 's/.*"log-key": "\(.*\)",/\1/p' "$W/broker/keys/broker.card")" >>"$W/witness/logs"
mkdir "$W/witness/next"
vkey=$("$BUILD/audit/witness/valija-witness" init --name witness.mx.fgr.example/2 --state "$W/witness/next/state" \
  --high-water "$W/witness/next/marks" --key "$W/witness/next/key.pem" --passphrase-file "$W/passphrase" | tail -n 1)
for one in mx.fgr us.dea; do witness_stop $one; done # they read the log's further key at their start
for one in next mx.fgr us.dea; do witness_start $one || wrong "a witness did not start"; done
sed -i "s|^witness mx.fgr .*|witness mx.fgr/next $vkey|; s|^group .*|group both all mx.fgr/next us.dea|" "$W/witnesses.policy"
sed -i "s|^witness=\[|&\"mx.fgr/next=http://127.0.0.1:$(cat "$W/witness/next/port")\",|" "$W/broker/broker.conf"
sed "0,/^{/s/^{/{ \"amends\": \"$CHARTER_DIGEST\",/" "$W/charter.json" >"$W/amended.json"
broker_start
ends 0 v us.dea/karen charter draft "$W/amended.json" -o "$W/amendment"
for member in mx.fgr/alicia us.dea/karen; do ends 0 v "$member" --yes charter sign "$W/amendment"; done
ends 0 v us.dea/karen --yes charter amend "$W/amendment"
witness_stop mx.fgr
after=$(send mx.fgr/omar money-flow.json --policy partners.policy)
ends 0 v mx.fgr/omar receipt save "$after" -o "$scratch/after.tlog-proof" --wait 120
ends 0 v mx.fgr/omar custody "$record" --bundle "$scratch/later.bundle" --wait 120
ends 0 v us.cbp/tom charter witness-policy -o "$scratch/new.policy"
broker_stop
for one in record opening alone after; do holds receipt "$scratch/$one.tlog-proof" --policy "$scratch/new.policy"; done
for one in record later; do holds bundle "$scratch/$one.bundle" --policy "$scratch/new.policy"; done
holds receipt "$scratch/record.tlog-proof" --policy "$scratch/old.policy"
fails bad-proof receipt "$scratch/after.tlog-proof" --policy "$scratch/old.policy" # the former log key signs still, the former witness does not
grep -v '^#:' "$scratch/new.policy" >"$scratch/now.policy" # what another program reads of it
fails bad-checkpoint receipt "$scratch/record.tlog-proof" --policy "$scratch/now.policy"
holds receipt "$scratch/after.tlog-proof" --policy "$scratch/now.policy"

printf '%d checks, %d wrong\n' "$checks" "$faults"
[ "$faults" = 0 ]
