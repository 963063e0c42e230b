#!/usr/bin/env bash
# readme_test.sh SOURCE_DIR: README.md and README.es.md are one document in two languages: the same headings in the same
# order, tables of the same size, and in the code blocks the same commands (comments are translated).
set -euo pipefail
export LC_ALL=C

# shape FILE: what both have in common, a line each.
shape() {
  awk '
  /^```/ { code = !code; print "code block " (code ? "begins" : "ends"); next }
  code { sub(/ +# .*$/, ""); sub(/^# .*$/, ""); print "code: " $0; next }
  /^#+ / { match($0, /^#+/); print "heading of level " RLENGTH; next }
  /^\|/ { print "a row of " gsub(/\|/, "|") - 1 " cells"; next }
  /^[0-9]+\. / { print "an item " $1; next }
  /^- / { print "an item"; next }' "$1"
}
same() { diff <(shape "$1") <(shape "$2"); }

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
printf '# A\n\ntext\n\n- x\n\n## B\n\n```\nrun  # so\n```\n\n| a | b |\n' >"$tree/a"
printf '# Z\n\ntexto\n\n- y\n\n## W\n\n```\nrun  # no\n```\n\n| c | d |\n' >"$tree/b"
same "$tree/a" "$tree/b" || { echo "readme: a translation is no other document"; exit 1; }
for change in 's/^## W/### W/' 's/^## W//' 's/^run/runs/' 's/^- y//' '/^```$/d' 's/| d |/| d | e |/'; do
  sed "$change" "$tree/b" >"$tree/c"
  ! same "$tree/a" "$tree/c" >/dev/null || { echo "readme: did not catch $change"; exit 1; }
done

root=${1:?usage: readme_test.sh SOURCE_DIR}
[ "$(shape "$root/README.md" | wc -l)" -gt 30 ] || { echo "readme: README.md is nearly empty"; exit 1; }
same "$root/README.md" "$root/README.es.md" ||
  { echo "readme: README.md (<) and README.es.md (>) are not the same document: translate what changed"; exit 1; }
echo "readme: English and Spanish have the same headings, lists, tables and commands"
