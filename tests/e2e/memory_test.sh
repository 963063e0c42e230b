#!/usr/bin/env bash
# memory_test.sh BUILD_DIR: what a running process has in its memory. Neither broker nor client keeps the passphrase that it
# was given; the broker has nothing of what it carries; what may be swapped has no private key. Looked at as root sees it: nobody else
# may look at all.
set -euo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/e2e/world.sh
source "$here/world.sh"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-memory.XXXXXX")
follower=
trap '[ -z "$follower" ] || kill "$follower" 2>/dev/null || true; world_end; rm -rf "$scratch"' EXIT
wrong() { printf 'WRONG: %s\n' "$*" >&2; exit 1; }

# looked PID WORD: how often the word stands in the memory of this process.
looked() {
  python3 - "$1" "$2" <<'PYTHON'
import re, sys
word, count = sys.argv[2].encode(), 0
with open(f"/proc/{sys.argv[1]}/maps") as maps, open(f"/proc/{sys.argv[1]}/mem", "rb", 0) as memory:
    for line in maps:
        begin, end, mode = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....)", line).groups()
        if not mode.startswith("rw") or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
            continue
        try:
            memory.seek(int(begin, 16))
            count += memory.read(int(end, 16) - int(begin, 16)).count(word)
        except OSError:
            continue
print(count)
PYTHON
}
none() { # WHAT PID WORD
  local found
  found=$(looked "$2" "$3")
  [ "$found" = 0 ] || wrong "$1 is $found times in memory"
}

world_make "$scratch/world" "$BUILD"
if [ "$(id -u)" != 0 ]; then
  ! head -c 1 "/proc/$BROKER_PID/mem" 2>/dev/null || wrong "somebody else may look at the broker's memory"
  echo "not root: that nobody else may look was seen, and no more"
  exit 0
fi
passphrase=$(head -n 1 "$W/passphrase")
canary=CANARY-$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf 'the content is %s\n' "$canary" >"$scratch/canary.txt"
cd "$source_dir/docs/examples"
record=$(v mx.fgr/omar --json send "$scratch/canary.txt" --policy partners.policy 2>/dev/null </dev/null | sed 's/.*"record":"\([0-9a-f]*\)".*/\1/')
v us.dea/jrivera open "$record" --purpose analysis -o "$scratch/opened" 2>/dev/null </dev/null
cmp -s "$scratch/canary.txt" "$scratch/opened" || wrong "what was opened is not what was sent"

# The look finds what is there: the record's purpose, which the broker may see, and its own origin.
[ "$(looked "$BROKER_PID" pouch.example)" -gt 0 ] || wrong "the look does not see the broker's memory"
none "the keys' passphrase" "$BROKER_PID" "$passphrase"
none "what is carried" "$BROKER_PID" "$canary"
locked=$(awk '/^VmLck:/ { print $2 }' "/proc/$BROKER_PID/status")
[ "$locked" -ge 2048 ] || wrong "the broker has locked $locked KiB, not the 2 MiB that its keys lie in"

# A client that stays: it follows, and has unlocked its keys.
v us.dea/jrivera inbox --follow >"$scratch/followed" 2>&1 </dev/null &
follower=$!
for _ in $(seq 1 300); do grep -q . "$scratch/followed" && break; sleep 0.1; done
pid=$(pgrep -P "$follower" -f client/valija || echo "$follower")
[ "$(looked "$pid" us.dea)" -gt 0 ] || wrong "the look does not see the client's memory"
none "the profile's passphrase" "$pid" "$passphrase"
locked=$(awk '/^VmLck:/ { print $2 }' "/proc/$pid/status")
[ "$locked" -ge 2048 ] || wrong "the client has locked $locked KiB"
echo "neither passphrase nor content is in memory, and keys are where nothing is swapped"
