#!/usr/bin/env bash
# install_test.sh SOURCE_DIR BUILD_DIR CXX [FLAGS]: what is installed can be used: the programs run, and another project
# finds the package, links valija::valija, and does its work in a real world.
set -euo pipefail
source_dir=$1 build_dir=$2 compiler=$3 flags=${4:-}
work=$(mktemp -d)
# shellcheck source=tests/e2e/world.sh
source "$source_dir/tests/e2e/world.sh"
trap 'world_end; rm -rf "$work"' EXIT
stop() { echo "install: $*" >&2; exit 1; }

prefix=$work/prefix
cmake --install "$build_dir" --prefix "$prefix" >"$work/log" 2>&1 || { cat "$work/log"; stop "cmake --install failed"; }

for program in valija valija-broker valija-audit valija-witness; do
  "$prefix/bin/$program" --version >/dev/null || stop "$program does not run from where it is installed"
done
for file in include/valija/valija.h share/bash-completion/completions/valija \
  share/valija/proto/valija/v1/statement.proto share/valija/proto/valija/v1/exchange.proto share/valija/proto/valija/v1/bundle.proto; do
  [ -s "$prefix/$file" ] || stop "$file is not installed"
done
[ "$(ls "$prefix/include")" = valija ] && [ "$(ls "$prefix/include/valija")" = valija.h ] ||
  stop "more headers than the public one are installed"
! grep -rlF -e "$source_dir" -e "$build_dir" "$prefix" --include='*.cmake' || stop "the package names folders of this build"

mkdir "$work/other"
cp "$source_dir/docs/examples/library_example.cc" "$work/other/"
cat >"$work/other/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(other LANGUAGES CXX)
find_package(valija 0.1 REQUIRED)
add_executable(library_example library_example.cc)
target_compile_features(library_example PRIVATE cxx_std_20)
target_link_libraries(library_example PRIVATE valija::valija)
CMAKE
{ cmake -S "$work/other" -B "$work/other/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_CXX_FLAGS="$flags" && cmake --build "$work/other/build"; } >"$work/log" 2>&1 ||
  { cat "$work/log"; stop "another project cannot build with the package"; }

# Without a profile the example says what is wrong with its arguments and ends with status 2.
status=0
"$work/other/build/library_example" >"$work/log" 2>&1 || status=$?
{ [ $status = 2 ] && grep -q '^usage: ' "$work/log"; } || { cat "$work/log"; stop "the example ended with status $status"; }
status=0
"$work/other/build/library_example" "$work/nobody" x x x x x >"$work/log" 2>&1 || status=$?
{ [ $status -gt 0 ] && [ $status -lt 6 ] && grep -q '\[[a-z-]*\]$' "$work/log"; } ||
  { cat "$work/log"; stop "the example, given no profile, ended with status $status"; }

# In a world: jrivera's agency runs it. It sends one file, opens what omar sent for this purpose, and says why not the rest.
world_make "$work/world" "$build_dir"
cd "$source_dir/docs/examples"
sed 's/^purpose .*/purpose investigation/' partners.policy >"$work/other.policy"
id_in() { sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p'; }
for_it=$(v mx.fgr/omar --json send trace-request.txt --policy partners.policy 2>/dev/null </dev/null | id_in)
not_for_it=$(v mx.fgr/omar --json send money-flow.json --policy "$work/other.policy" 2>/dev/null </dev/null | id_in)
"$work/other/build/library_example" "$W/profiles/us.dea/jrivera" "$W/passphrase" partners.policy report-summary.txt \
  analysis CASE-7 >"$work/said" 2>"$work/log" || { cat "$work/said" "$work/log"; stop "the example failed in a world"; }
said() { grep -qE -- "$1" "$work/said" || { cat "$work/said"; stop "the example did not say: $1"; }; }
said '^us\.dea: [1-9][0-9]* members could open it$'
said '^sent [0-9a-f]{64}, entry [0-9]+$'
said "^opened ${for_it:0:12} of mx\\.fgr/omar: $(wc -c <trace-request.txt) bytes\$"
said '^not opened: wrong-purpose$'
sent=$(sed -n 's/^sent \([0-9a-f]*\),.*/\1/p' "$work/said")
v mx.fgr/omar open "$sent" --purpose analysis 2>/dev/null </dev/null | cmp -s - report-summary.txt ||
  stop "what the example sent does not open to what it was"
v mx.fgr/omar custody "$for_it" | grep -q 'us\.dea/jrivera opened .* for analysis, case CASE-7' || stop "the custody does not show the example's opening"
v mx.fgr/omar custody "$not_for_it" | grep -q 'us\.dea/jrivera was refused .*(wrong-purpose)' || stop "... nor its refusal"
echo "install: programs, header, .proto files and package can be used from elsewhere, and the example does its work"
