#!/usr/bin/env bash
# go_test.sh BUILD_DIR: Go's own log library (Debian's golang-golang-x-mod-dev) verifies what we export: trees of many sizes, and the
# log of a real broker with two witnesses. And it finds what is wrong with one. Exit status 77 where there is no Go.
set -euo pipefail
BUILD=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ] || {
  echo "skipped: packages golang-go and golang-golang-x-mod-dev are not there"
  exit 77
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/valija-foreign.XXXXXX")
trap 'world_end; rm -rf "$scratch"' EXIT
world_end() { :; }
wrong() { printf 'go_test: %s\n' "$*" >&2; exit 1; }

export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$scratch/cache GOFLAGS=
go build -o "$scratch/verify_tree" "$here/verify_tree.go"
verify() { "$scratch/verify_tree" "$@"; }
refused() { # WHAT words..: the verification must fail
  local what=$1
  shift
  ! verify "$@" >"$scratch/out" 2>&1 || wrong "$what was not found: $(cat "$scratch/out")"
  printf 'found: %s\n' "$(cat "$scratch/out")"
}

for size in 1 2 255 256 257 600 65536 70000; do
  vkey=$("$BUILD/tests/foreign/foreign_tree" "$scratch/tree-$size" "$size")
  verify "$scratch/tree-$size" "$vkey"
done
verify "$scratch/tree-600" "$vkey" "$scratch/tree-257/checkpoint"
"$BUILD/tests/foreign/foreign_tree" "$scratch/fork" 257 other >/dev/null
refused "a fork" "$scratch/tree-600" "$vkey" "$scratch/fork/checkpoint"
flip() { printf "\\x$(printf %x $((0x$(od -An -tx1 -j"$2" -N1 "$1" | tr -d ' ') ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
for file in tile/0/001 tile/1/000.p/2 tile/0/002.p/88 tile/entries/000 tile/entries/002.p/88 checkpoint; do
  flip "$scratch/tree-600/$file" 30
  refused "a changed byte of $file" "$scratch/tree-600" "$vkey"
  flip "$scratch/tree-600/$file" 30
done
verify "$scratch/tree-600" "$vkey" >/dev/null

# A real broker's, exported twice; its witnesses' lines are of keys that this program does not know.
# shellcheck source=tests/e2e/world.sh
source "$here/../e2e/world.sh"
WORLD_WITNESSES=1 world_make "$scratch/world" "$BUILD"
vkey=$(sed -n 's/.*"log-key": "\(.*\)",/\1/p' "$W/broker/keys/broker.card")
cd "$here/../../docs/examples"
send() { v mx.fgr/omar send trace-request.txt --policy partners.policy >/dev/null; }
send
broker_stop
broker export --public "$scratch/public" >/dev/null
cp "$scratch/public/checkpoint" "$scratch/before"
verify "$scratch/public" "$vkey"
[ "$(grep -c '^— ' "$scratch/public/checkpoint")" = 3 ] || wrong "not cosigned by both: $(cat "$scratch/public/checkpoint")"
broker_start
for i in 1 2 3; do send; done
broker_stop
broker export --public "$scratch/public" >/dev/null
verify "$scratch/public" "$vkey" "$scratch/before"
