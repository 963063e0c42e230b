#!/usr/bin/env bash
# publish_kill_test.sh BUILD_DIR: kill -9 of the broker, of each witness and of all three while records are sent and opened, again
# and again, with the real programs; after each the log goes on, and at the end everything is verified: by the auditor's program
# with the charter's quorum, by a mirror with the policy, and by plain Python. Then an old copy of the store is put back.
set -euo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-publish.XXXXXX")
trap 'world_end; rm -rf "$scratch"' EXIT
wrong() { printf 'publish_kill: %s\n' "$*" >&2; exit 1; }

rounds=6
[ -z "${VALIJA_LONG:-}" ] || rounds=24
WORLD_WITNESSES=1 world_make "$scratch/world" "$BUILD"
echo 'public-listen=127.0.0.1:0' >>"$W/broker/broker.conf"
cd "$source_dir/docs/examples"
vkey=$(sed -n 's/.*"log-key": "\(.*\)",/\1/p' "$W/broker/keys/broker.card")
send() { v us.dea/jrivera --json send trace-request.txt --policy to-mexico.policy 2>/dev/null </dev/null | sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p'; }
open() { v mx.fgr/omar open "$1" --purpose investigation --wait 60 -o "$2" >"$2.said" 2>&1 </dev/null; }
killed() { # PID: it is ours, and it is gone
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
public_port() { sed -n 's/.*public log on port //p' "$W/broker/out"; }
mirror() { audit mirror "http://127.0.0.1:$(public_port)" "$scratch/mirror" --vkey "$vkey" --policy "$W/witnesses.policy"; }
# What is shown with a quorum, as a number of entries; waits until there is something.
mirrored() {
  local i
  for i in $(seq 1 300); do
    mirror >"$scratch/mirror.said" 2>&1 && { sed -n 's/^entries *//p' "$scratch/mirror.said"; return 0; }
    [ $? -ne 5 ] || wrong "the mirror's alarm: $(cat "$scratch/mirror.said")"
    sleep 0.1
  done
  wrong "nothing cosigned is shown: $(cat "$scratch/mirror.said")"
}

broker_stop
broker_start
before=$(mirrored)
opened=0
for ((round = 0; round < rounds; round++)); do
  record=$(send) || wrong "round $round: nothing is sent"
  (open "$record" "$scratch/opened-$round") &
  opening=$!
  sleep "0.$((RANDOM % 10))"
  broker_pid=$BROKER_PID
  case $((round % 4)) in
    0) killed "$broker_pid" ;;
    1) killed "$(cat "$W/witness/mx.fgr/pid")" ;;
    2) killed "$(cat "$W/witness/us.dea/pid")" ;;
    3) killed "$broker_pid"; killed "$(cat "$W/witness/mx.fgr/pid")"; killed "$(cat "$W/witness/us.dea/pid")" ;;
  esac
  for agency in mx.fgr us.dea; do
    kill -0 "$(cat "$W/witness/$agency/pid")" 2>/dev/null || witness_start "$agency"
  done
  kill -0 "$BROKER_PID" 2>/dev/null || broker_start
  wait "$opening" || open "$record" "$scratch/opened-$round" || wrong "round $round: $(cat "$scratch/opened-$round.said")"
  cmp -s trace-request.txt "$scratch/opened-$round" || wrong "round $round: what was opened is not what was sent"
  opened=$((opened + 1))
  now=$(mirrored)
  [ "$now" -ge "$before" ] || wrong "round $round: strangers were shown $before entries, and now $now"
  before=$now
done

# Everything, from outside.
v mx.fgr/contralora export "$scratch/copy" --why "after the kills" >/dev/null
audit verify "$scratch/copy" --charter-digest "$CHARTER_DIGEST" >"$scratch/verified" || wrong "$(cat "$scratch/verified")"
grep -q '^witnessed  .*mx.fgr.*us.dea' "$scratch/verified" || wrong "who cosigned is not said: $(cat "$scratch/verified")"
mirrored >/dev/null
python3 "$source_dir/docs/verify_log.py" "http://127.0.0.1:$(public_port)" "$vkey" >"$scratch/python" || wrong "$(cat "$scratch/python")"
broker_stop
broker export "$scratch/whole" >/dev/null
audit verify "$scratch/whole" --charter-digest "$CHARTER_DIGEST" >"$scratch/verified" || wrong "$(cat "$scratch/verified")"
broker export --public "$scratch/public" >/dev/null
[ "$(grep -c '^— ' "$scratch/public/checkpoint")" = 3 ] || wrong "the public export is not cosigned by both"

# A copy of the store and its mark from before; what came since is known to the witnesses.
cp -r "$W/broker/data" "$scratch/old-data"
cp "$W/broker/high-water" "$scratch/old-mark"
broker_start
send >/dev/null
now=$(mirrored)
for ((i = 0; i < 100 && now <= before; i++)); do sleep 0.1; now=$(mirrored); done
[ "$now" -gt "$before" ] || wrong "what was sent last is not cosigned"
broker_stop
mv "$W/broker/data" "$scratch/data"
mv "$W/broker/high-water" "$scratch/mark"
cp -r "$scratch/old-data" "$W/broker/data"
cp "$scratch/old-mark" "$W/broker/high-water"
said=$(grep -hc '^cosigned' "$W"/witness/*/err | paste -sd+)
status=0
timeout 120 "$BUILD/broker/valija-broker" --config "$W/broker/broker.conf" serve >"$scratch/out" 2>&1 || status=$?
[ $status = 5 ] && grep -q '\[rolled-back\]' "$scratch/out" || wrong "an old copy: exit $status: $(cat "$scratch/out")"
cmp -s "$scratch/old-mark" "$W/broker/high-water" || wrong "something was signed over the old copy"
[ "$(grep -hc '^cosigned' "$W"/witness/*/err | paste -sd+)" = "$said" ] || wrong "something was cosigned for the old copy"
rm -rf "$W/broker/data"
mv "$scratch/data" "$W/broker/data"
mv "$scratch/mark" "$W/broker/high-water"
broker_start
[ "$(mirrored)" -ge "$now" ] || wrong "the right store shows less than before"
echo "publish_kill: $rounds kills, $opened openings, all of it holds"
