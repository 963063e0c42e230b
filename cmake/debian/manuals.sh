#!/bin/sh
# manuals.sh BIN_DIR OUT_DIR: a manual page of each program and of each of its commands, from what they say themselves with
# --help, so that none can be out of date.
set -eu
bin=$1 out=$2
mkdir -p "$out"
export LC_ALL=C.UTF-8

# page WORDS..: the page of this command, named with dashes as `man` finds them.
page() {
  name=$(printf '%s' "$*" | tr ' ' -)
  about=$("$bin/$1" $(printf '%s\n' "$@" | tail -n +2) --help | head -n 1 | sed 's/^valija[a-z-]*: //')
  cat >"$out/wrapper" <<WRAPPER
#!/bin/sh
set -- $* "\$@"
program=\$1
shift
exec "$bin/\$program" "\$@"
WRAPPER
  chmod +x "$out/wrapper"
  help2man --no-info --section 1 --source "valija" --manual "Valija" --version-string "$("$bin/$1" --version)" \
    --name "$about" "$out/wrapper" |
    sed -e "s|$(readlink -f "$bin")/||g; s|$bin/||g" -e "s|^\.TH [^ ]*|.TH $(printf '%s' "$name" | tr a-z A-Z)|" \
        -e "s|^\(wrapper\|\.B wrapper\) .*|$* \\\\- $about|" >"$out/$name.1"
  rm "$out/wrapper"
}

# The commands below WORDS.., from the "Subcommands:" of its help.
commands() { "$bin/$1" $(printf '%s\n' "$@" | tail -n +2) --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\)  .*/\1/p'; }

for program in valija valija-broker valija-audit valija-witness; do
  page "$program"
  for command in $(commands "$program"); do
    page "$program" "$command"
    for below in $(commands "$program" "$command"); do page "$program" "$command" "$below"; done
  done
done
