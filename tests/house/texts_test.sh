#!/usr/bin/env bash
# texts_test.sh SOURCE_DIR: what people read comes from the catalogue (core/text): no such text is written in the commands
# themselves, and no text of the catalogue is left over. As the arrows, the rules are first shown to fail on small trees.
set -euo pipefail
export LC_ALL=C

# The sources that speak to people.
speaking='^(client/(commands[a-z_]*|print[a-z_]*|([a-z]+_)?main)\.cc|(audit|broker)/([a-z]+_)?main\.cc)$'

# texts ROOT: prints what breaks a rule, a line each.
texts() {
  local root=$1
  (cd "$root" && find client audit broker evidence -name '*.cc' 2>/dev/null | grep -E "$speaking" | sort | xargs -r awk '
  function wrong(sentence) { print FILENAME ":" FNR ": " sentence }
  # Not words: the programs'\'' own names before what they say.
  function allowed(literal) { return literal ~ /^(valija|valija-audit|valija-broker):? ?$/ || literal ~ /^valija-broker: (serving|public log|metrics) on port $/ }
  /^[ \t]*#/ { next }
  /R"[a-zA-Z]*\(/ { wrong("a raw string: texts are in the catalogue"); next }
  {
    rest = $0
    before = ""
    while (match(rest, /"([^"\\]|\\.)*"|\/\/.*/)) {
      literal = substr(rest, RSTART, RLENGTH)
      ahead = before substr(rest, 1, RSTART - 1)
      rest = substr(rest, RSTART + RLENGTH)
      if (substr(literal, 1, 2) == "//") break
      words = substr(literal, 2, length(literal) - 2)
      gsub(/\\./, "", words)
      before = "x"
      if (allowed(words)) continue
      if (words ~ /[A-Za-z\200-\377][,.:;]? [A-Za-z(\200-\377]/) wrong("words for people: \"" words "\"")
      else if (words ~ /[A-Za-z\200-\377][A-Za-z\200-\377]/ && (ahead ~ /(<<|[^+]\+=?) *$/ || rest ~ /^ *(<<|\+)/))
        wrong("a word for people: \"" words "\"")
    }
  }')
  (cd "$root" && ids=$(sed -nE 's/^VALIJA_(TEXT|COUNTED)\((k[A-Za-z0-9]+),.*/\2/p' core/text/*.inc 2>/dev/null | sort) || true
    used=$(grep -rhoE --include='*.cc' --include='*.h' '\bId::k[A-Za-z0-9]+' client audit broker evidence core/text 2>/dev/null | sed 's/^Id:://' | sort -u)
    comm -23 <(printf '%s\n' "$ids") <(printf '%s\n' "$used") | sed -n 's/^k.*/core\/text: & is used nowhere/p')
}

# ---- the rules can fail ----

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
put() { mkdir -p "$tree/$(dirname "$1")"; printf '%s\n' "${@:2}" >"$tree/$1"; }
shown=0
catches() { # FILE TEXT
  rm -rf "$tree"; put "$1" '#pragma once' "$2"
  local found; found=$(texts "$tree")
  [ "$(grep -c "^$1:2: " <<<"$found")" = 1 ] || { echo "texts: did not catch '$2' in $1; found: $found"; exit 1; }
  shown=$((shown + 1))
}
passes() {
  rm -rf "$tree"; put "$1" "$2"
  local found; found=$(texts "$tree")
  [ -z "$found" ] || { echo "texts: should let '$2' pass in $1: $found"; exit 1; }
  shown=$((shown + 1))
}
catches client/commands.cc '  std::cout << "nothing was sent to you yet\n";'
catches client/commands.cc '  std::cerr << "sent " << id;'
catches client/commands_life.cc '  return Fail(common, ToFailure(Refuse(Reason::kUsage, "give one --policy")));'
catches client/commands.cc '  if (!Confirmed(common, "send it?")) return 1;'
catches client/print.cc '  line += "revoked" + why;'
catches client/print.cc '  return line + " portion ";'
catches client/print.cc '  return "\xc3\xa9poca nueva" + line;'
catches client/main.cc '  app.add_subcommand("inbox", "What was sent to me");'
catches client/main.cc 'constexpr const char* kFooter = R"('
catches audit/main.cc '  std::cout << "FINDING    ";'
catches broker/main.cc '  std::cout << "the store was written anew";'
passes broker/main.cc '  std::cout << "valija-broker: serving on port " << port << std::endl;'
passes client/commands.cc '  std::cout << Text(Id::kNotDone) << "\n";  // "not done", for people'
passes client/commands.cc '  out["in_reply_to"] = item.in_reply_to; type = "application/json";'
passes client/commands.cc '  std::cerr << "valija: " << " [" << code << "]\n";'
passes client/print.cc '  std::snprintf(out, sizeof out, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);'
passes client/main.cc '  app.add_option("--profile", common.profile, Text(Id::kHelpProfile));'
passes client/session.cc '  return Refuse(Reason::kNotFound, "a detail: core/text/details*.inc has its Spanish");'
rm -rf "$tree"
put core/text/said.inc 'VALIJA_TEXT(kUsed, "a", "b")' 'VALIJA_COUNTED(kLeft, "a", "b", "c", "d")' 'VALIJA_TEXT(kUse, "a", "b")'
put client/commands.cc '  Text(Id::kUsed);'
[ "$(texts "$tree")" = "$(printf 'core/text: kLeft is used nowhere\ncore/text: kUse is used nowhere')" ] ||
  { echo "texts: did not find what is used nowhere: $(texts "$tree")"; exit 1; }
shown=$((shown + 1))
echo "texts: the rules catch what they should ($shown small trees)"

# ---- and the sources keep them ----

root=${1:?usage: texts_test.sh SOURCE_DIR}
rows=$(grep -cE '^VALIJA_(TEXT|COUNTED)\(' "$root"/core/text/*.inc | awk -F: '{n += $2} END {print n}')
[ "$rows" -gt 150 ] || { echo "texts: only $rows texts in $root: nothing to judge"; exit 1; }
found=$(texts "$root")
[ -z "$found" ] || { echo "$found"; exit 1; }
echo "texts: $rows, each used, and none written elsewhere"
