#!/usr/bin/env bash
# large_body_test.sh BUILD_DIR: a large file is sent and opened in bounded memory, the broker's too. 64 MiB; with
# VALIJA_LONG=1 4 GiB (which takes that much disk three times).
set -euo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-large.XXXXXX")
trap 'world_end; rm -rf "$scratch"' EXIT
wrong() { printf 'WRONG: %s\n' "$*" >&2; exit 1; }

mib=64
[ -z "${VALIJA_LONG:-}" ] || mib=4096
need=$((mib * 4))
free=$(df -Pm "$scratch" | awk 'NR == 2 { print $4 }')
if [ "$free" -lt "$need" ]; then echo "skipped: $need MiB of disk are needed, $free are free"; exit 77; fi

peak() { awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$1/status" 2>/dev/null || true; }
# measured NAME words..: runs the words as a child, $high is its peak in MiB
measured() {
  local pid now
  high=0
  "$@" &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    now=$(peak $pid)
    [ -z "$now" ] || [ "$now" -le "$high" ] || high=$now
    sleep 0.05
  done
  wait $pid
}
client() { # MEMBER words..: measured
  local member=$1
  shift
  measured "$BUILD/client/valija" --profile "$W/profiles/$member" --passphrase-file "$W/passphrase" "$@"
}

world_make "$scratch/world" "$BUILD"
cd "$source_dir/docs/examples"
# Sparse, with something in the beginning, in the middle and at the end.
truncate -s "${mib}M" "$scratch/large"
for at in 0 $((mib / 2)) $((mib - 1)); do
  head -c 100000 /dev/urandom | dd of="$scratch/large" bs=1M seek="$at" conv=notrunc status=none
done

client mx.fgr/omar --json send "$scratch/large" --policy partners.policy >"$scratch/sent" 2>"$scratch/said" || wrong "send: $(cat "$scratch/said")"
sent=$high
record=$(sed 's/.*"record":"\([0-9a-f]*\)".*/\1/' "$scratch/sent")
client us.dea/jrivera open "$record" --purpose analysis -o "$scratch/opened" 2>"$scratch/said" || wrong "open: $(cat "$scratch/said")"
opened=$high
cmp "$scratch/large" "$scratch/opened" || wrong "what was opened is not what was sent"
carried=$(peak "$BROKER_PID")
echo "$mib MiB; at most $sent MiB of memory to send, $opened to open, $carried in the broker"
[ "$sent" -gt 0 ] && [ "$opened" -gt 0 ] || wrong "nothing was measured"
if grep -qaE '__(a|t)san_init' "$BUILD/client/valija"; then
  echo "built with a sanitizer, whose own memory is in these figures: the bounds are not judged"
  exit 0
fi
[ "$sent" -lt 128 ] && [ "$opened" -lt 128 ] || wrong "a client took more than 128 MiB"
[ "$carried" -lt 256 ] || wrong "the broker took more than 256 MiB"
