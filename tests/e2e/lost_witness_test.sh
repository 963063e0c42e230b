#!/usr/bin/env bash
# lost_witness_test.sh BUILD_DIR: a broker whose charter's quorum needs a witness that does not come: it does not start by
# itself, a start that waits can be ended, a person lets it start without, and then nothing is released until it is there.
set -euo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-lost.XXXXXX")
trap 'world_end; rm -rf "$scratch"' EXIT
wrong() { printf 'lost_witness: %s\n' "$*" >&2; exit 1; }
# refused CODE STATUS words..
refused() {
  local code=$1 status=$2 out got=0
  shift 2
  out=$("$@" 2>&1 </dev/null) || got=$?
  [ $got = "$status" ] && [[ $out == *"[$code]"* ]] || wrong "expected [$code], exit $status; got exit $got: $out"
}
v_omar() { v mx.fgr/omar "$@"; }
broker_program="$BUILD/broker/valija-broker"

WORLD_WITNESSES=1 world_make "$scratch/world" "$BUILD"
cd "$source_dir/docs/examples"
send() { v "$1" --json send "${@:2}" 2>/dev/null </dev/null | sed 's/.*"record":"\([0-9a-f]*\)".*/\1/'; }
record=$(send us.dea/jrivera trace-request.txt --policy to-mexico.policy)
broker_stop
witness_stop mx.fgr

refused no-quorum 4 timeout 120 "$broker_program" --config "$W/broker/broker.conf" --witness-wait-seconds 2 serve
refused bad-configuration 2 timeout 120 "$broker_program" --config "$W/broker/broker.conf" serve --start-without-witness mx.nobody
cp "$W/broker/broker.conf" "$scratch/with-it.conf"
echo 'start-without-witness=["mx.fgr"]' >>"$scratch/with-it.conf"
got=0
timeout 120 "$broker_program" --config "$scratch/with-it.conf" --check-config >/dev/null 2>&1 || got=$?
[ $got = 2 ] || wrong "the configuration file is no place for it (exit $got)"

# A start that waits for an hour is ended by whoever asks.
"$broker_program" --config "$W/broker/broker.conf" --witness-wait-seconds 3600 serve >/dev/null 2>&1 &
waiting=$!
sleep 2
kill -TERM "$waiting"
got=0
wait "$waiting" || got=$?
[ $got = 143 ] || wrong "a start that was asked to stop ended with $got"

: >"$W/broker/out"
"$broker_program" --config "$W/broker/broker.conf" serve --start-without-witness mx.fgr >"$W/broker/out" 2>>"$W/broker/err" &
BROKER_PID=$!
for _ in $(seq 1 1200); do
  grep -q 'serving on port' "$W/broker/out" && break
  kill -0 "$BROKER_PID" 2>/dev/null || wrong "it does not start without: $(tail -n 3 "$W/broker/err")"
  sleep 0.05
done
grep -q '"started-without-witness"' "$W/broker/operations.log" || wrong "no alarm of it"
refused no-quorum 4 v_omar open "$record" --purpose investigation --wait 1
witness_start mx.fgr
for _ in $(seq 1 100); do
  [ -s "$scratch/opened" ] && break
  v_omar open "$record" --purpose investigation -o "$scratch/opened" >"$scratch/said" 2>&1 || sleep 0.3
done
[ -s "$scratch/opened" ] || wrong "it is there again, and nothing opens: $(cat "$scratch/said")"
cmp trace-request.txt "$scratch/opened" || wrong "what was opened is not what was sent"
echo "lost_witness: all of it holds"
