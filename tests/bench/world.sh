#!/usr/bin/env bash
# world.sh FOLDER BUILD COPIES: a world for the benchmark, its broker left running, and COPIES copies of the sender's and
# the opener's profile (one member may not share a profile between processes). Prints "PID PORT CHARTER_DIGEST", and with
# WORLD_WITNESSES=1 of each of the two witnesses "PID PORT" after it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/world.sh"
world_make "$1" "$2"
# All senders are one member and all openers are another: together they need more than one member may have.
broker_stop
printf 'streams-per-member=1024\nin-flight-per-member=1024\n' >>"$W/broker/broker.conf"
broker_start
for ((i = 0; i < $3; i++)); do
  cp -r "$W/profiles/mx.fgr/omar" "$W/profiles/sender-$i"
  cp -r "$W/profiles/us.dea/jrivera" "$W/profiles/opener-$i"
done
echo "$BROKER_PID $PORT $CHARTER_DIGEST"
disown "$BROKER_PID"
for folder in "$W"/witness/*/; do
  [ -f "$folder/pid" ] || continue
  echo "$(cat "$folder/pid") $(cat "$folder/port")"
  disown "$(cat "$folder/pid")"
done
