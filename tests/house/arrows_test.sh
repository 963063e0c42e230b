#!/usr/bin/env bash
# arrows_test.sh SOURCE_DIR: who may include whom (docs/design.md). Only bash, find, grep and awk, so that it runs anywhere.
# Before it judges SOURCE_DIR it shows on a small tree made for the purpose that each rule can fail.
set -euo pipefail
export LC_ALL=C

# arrows ROOT: prints what breaks a rule in the sources below ROOT, a line each: file:line: what is wrong.
arrows() {
  (cd "$1" && find . -path ./build -prune -o \( -name '*.cc' -o -name '*.h' \) -print | sed 's|^\./||' |
    grep -E '^(core|proto|broker|client|audit|docs/examples)/' | sort | xargs -r awk '
  function wrong(sentence) { print FILENAME ":" FNR ": " sentence }
  function under(folder) { return index(FILENAME, folder) == 1 }

  # Arrows between folders. The parts of core are named one by one; a folder always reaches itself.
  BEGIN {
    reach["core/base"] = ""
    reach["core/text"] = "core/base"
    reach["core/crypto"] = "core/base"
    reach["core/io"] = "core/base core/crypto core/log"
    reach["core/log"] = "core/base core/crypto"
    reach["core/record"] = "core/base core/crypto core/log"
    reach["core/policy"] = "core/base"
    reach["core/ledger"] = "core/base core/crypto core/log core/record core/policy"
    pure = "core/base core/text core/crypto core/log core/record core/policy core/ledger"
    reach["proto"] = pure
    reach["audit/evidence"] = pure " proto"
    reach["broker"] = pure " core/io proto"
    reach["client"] = reach["audit"] = pure " core/io proto audit/evidence"
    reach["docs"] = ""

    # Where protobuf messages are at hand: their conversion, and the two ends of the wire.
    messages = "^(proto/.*|broker/service[a-z_]*\\.(cc|h)|broker/calls\\.cc|client/transport[a-z_]*\\.(cc|h))$"
    # Headers of proto/ that show messages; the others show core types alone.
    showing = "^(.*\\.pb\\.h|google/protobuf/.*|proto/(wire|codec|fields|messages)\\.h)$"
    grpc = "^(broker/.*|client/transport[a-z_]*\\.(cc|h))$"
    tls = "^(core/crypto/.*|broker/tls\\.cc|broker/guard/(connection|self_test)\\.cc)$"
    storage = "^(broker/storage/|audit/scratch_rows\\.cc$)"
    http = "^(broker/public_port\\.cc|audit/witness/main\\.cc)$"
    command_line = "^(.*/)?([a-z_]+_)?main\\.cc$"
  }

  function part(path) { return match(path, /^(core\/[a-z]+|audit\/evidence)\//) ? substr(path, 1, RLENGTH - 1) : substr(path, 1, index(path, "/") - 1) }

  /^[ \t]*#[ \t]*include/ {
    if (!match($0, /["<][^">]*[">]/)) { wrong("an include that cannot be read"); next }
    path = substr($0, RSTART + 1, RLENGTH - 2)
    quoted = substr($0, RSTART, 1) == "\""
    mine = part(FILENAME)
    if (path ~ showing) { if (FILENAME !~ messages) wrong("protobuf messages are for proto/ and the ends of the wire: " path) }
    else if (quoted) {
      theirs = part(path)
      if (!(theirs in reach)) wrong("an include of ours is named from the top folder: " path)
      else if (theirs != mine && index(" " reach[mine] " ", " " theirs " ") == 0) wrong(mine " must not include " path)
      if (path ~ /_internal\.h$/ && theirs != mine) wrong("internal to " theirs ": " path)
    }
    if (path ~ /^grpc/ && FILENAME !~ grpc) wrong("gRPC is for the broker and the client transport: " path)
    if (path ~ /^openssl\// && FILENAME !~ tls) wrong("OpenSSL is for core/crypto and where TLS is set up: " path)
    if (path ~ /^rocksdb\// && FILENAME !~ storage) wrong("RocksDB is for its adapter: " path)
    if (path ~ /httplib/ && FILENAME !~ http) wrong("cpp-httplib is for the few files that serve HTTP: " path)
    if (path ~ /^CLI\// && FILENAME !~ command_line) wrong("the command line is for the mains: " path)
    if (FILENAME == "client/valija.h" && (quoted || path ~ /[\/.]/)) wrong("the public header stands on the standard library alone: " path)
    if (under("core/") && !under("core/io/") && path ~ /^(fstream|iostream|thread|future|condition_variable|filesystem|random|spdlog\/.*|sys\/socket\.h)$/)
      wrong("core is pure, without files, threads or a source of chance: " path)
    next
  }

  # Core is given the time and the randomness.
  under("core/") {
    text = $0
    sub(/\/\/.*/, "", text)
    gsub(/"[^"]*"/, "", text)
    if (text ~ /random_device|mt19937|[^a-z_]s?rand\(/) wrong("core is given its randomness")
    if (text ~ /_clock::now|clock_gettime|gettimeofday|(^|[^A-Za-z0-9_.>])time\( *(NULL|nullptr|0|&)/ || text ~ /std::time\(/)
      wrong("core is given the time")
  }')
}

# ---- the rules can fail ----

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
put() { mkdir -p "$tree/$(dirname "$1")"; printf '%s\n' "${@:2}" >"$tree/$1"; }  # put FILE LINE..
shown=0
# catches FILE TEXT: a tree that holds only this file breaks exactly one rule.
catches() {
  rm -rf "$tree"; put "$1" '#pragma once' "$2"
  local found; found=$(arrows "$tree")
  [ "$(grep -c "^$1:2: " <<<"$found")" = 1 ] || { echo "arrows: did not catch '$2' in $1; found: $found"; exit 1; }
  shown=$((shown + 1))
}
# passes FILE TEXT: this one breaks none.
passes() {
  rm -rf "$tree"; put "$1" "$2"
  local found; found=$(arrows "$tree")
  [ -z "$found" ] || { echo "arrows: should let '$2' pass in $1: $found"; exit 1; }
  shown=$((shown + 1))
}

catches core/ledger/a.cc '#include "proto/convert.h"'
catches core/base/a.h '#include "core/crypto/hash.h"'
catches core/policy/a.cc '#include "core/crypto/hash.h"'
catches core/policy/a.cc '#include "core/text/catalogue.h"'
catches core/text/a.cc '#include "core/crypto/hash.h"'
catches core/log/a.cc '#include "core/record/share.h"'
catches core/ledger/a.cc '#include "core/io/file.h"'
catches core/log/a.cc '#include "broker/sequencer.h"'
catches proto/a.cc '#include "core/io/file.h"'
catches proto/a.cc '#include "client/session.h"'
catches audit/evidence/a.cc '#include "core/io/file.h"'
catches audit/evidence/a.cc '#include "client/session.h"'
catches broker/a.cc '#include "audit/evidence/receipt.h"'
catches broker/a.cc '#include "client/session.h"'
catches client/a.cc '#include "audit/replay.h"'
catches audit/a.cc '#include "broker/sequencer.h"'
catches audit/a.cc '  #  include "client/session.h"  // spaced out'
catches broker/a.cc '#include "tests/support/vectors.h"'
catches broker/a.cc '#include "sequencer.h"'
catches docs/examples/a.cc '#include "core/base/bytes.h"'
catches audit/a.cc '#include "valija/v1/statement.pb.h"'
catches broker/sequencer.cc '#include "valija/v1/exchange.grpc.pb.h"'
catches client/session.cc '#include "proto/wire.h"'
catches core/ledger/a.cc '#include <google/protobuf/message.h>'
catches proto/a.cc '#include <grpcpp/grpcpp.h>'
catches client/session.cc '#include <grpcpp/channel.h>'
catches broker/server.cc '#include <openssl/ssl.h>'
catches core/log/a.cc '#include <openssl/sha.h>'
catches client/a.cc '#include "core/crypto/openssl_internal.h"'
catches broker/sequencer.cc '#include <rocksdb/db.h>'
catches audit/verify.cc '#include <rocksdb/db.h>'
catches broker/server.cc '#include <httplib.h>'
catches broker/public_port.h '#include <httplib.h>'
catches core/log/a.cc '#include <httplib.h>'
catches client/transport.cc '#include <httplib.h>'
catches audit/mirror.cc '#include <httplib.h>'
catches broker/witness_client.cc '#include <httplib.h>'
catches core/log/a.cc '#include "core/io/file.h"'
catches broker/config.cc '#include <CLI/CLI.hpp>'
catches client/valija.h '#include "core/base/bytes.h"'
catches core/record/a.cc '#include <fstream>'
catches core/ledger/a.cc '#include <thread>'
catches core/record/a.cc '  std::random_device device;'
catches core/ledger/a.cc '  auto now = std::chrono::system_clock::now();'
catches core/io/a.cc '  auto now = std::chrono::steady_clock::now();'
catches core/ledger/a.cc '  auto now = std::time(nullptr);'
catches core/ledger/a.cc '  auto now = time(nullptr);'

passes core/ledger/a.cc '#include "core/record/share.h"'
passes core/ledger/a.cc '  Time time() const;  // the author'\''s, not system_clock::now'
passes core/crypto/a.cc '#include <openssl/evp.h>'
passes proto/a.cc '#include "valija/v1/statement.pb.h"'
passes broker/service.cc '#include "valija/v1/exchange.grpc.pb.h"'
passes broker/storage/a.cc '#include <rocksdb/db.h>'
passes broker/public_port.cc '#include <httplib.h>'
passes audit/mirror.cc '#include "core/io/http_client.h"'
passes core/io/a.cc '#include "core/log/mirror.h"'
passes broker/main.cc '#include <CLI/CLI.hpp>'
passes client/transport.cc '#include "proto/wire.h"'
passes client/a.cc '#include "core/io/file.h"'
passes client/a.cc '#include "audit/evidence/receipt.h"'
passes audit/evidence/a.cc '#include "proto/convert.h"'
passes client/valija.h '#include <vector>'
passes docs/examples/a.cc '#include <valija/valija.h>'
echo "arrows: the rules catch what they should ($shown small trees)"

# ---- and the sources keep them ----

root=${1:?usage: arrows_test.sh SOURCE_DIR}
files=$(cd "$root" && find core proto broker client audit \( -name '*.cc' -o -name '*.h' \) | wc -l)
[ "$files" -gt 50 ] || { echo "arrows: only $files sources in $root: nothing to judge"; exit 1; }
found=$(arrows "$root")
[ -z "$found" ] || { echo "$found"; exit 1; }
echo "arrows: $files sources keep to them"
