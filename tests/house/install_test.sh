#!/usr/bin/env bash
# install_test.sh SOURCE_DIR BUILD_DIR CXX [FLAGS]: what is installed can be used: the programs run, and another project
# finds the package, links valija::valija and runs.
set -euo pipefail
source_dir=$1 build_dir=$2 compiler=$3 flags=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stop() { echo "install: $*" >&2; exit 1; }

prefix=$work/prefix
cmake --install "$build_dir" --prefix "$prefix" >"$work/log" 2>&1 || { cat "$work/log"; stop "cmake --install failed"; }

for program in valija valija-broker valija-audit; do
  "$prefix/bin/$program" --version >/dev/null || stop "$program does not run from where it is installed"
done
for file in include/valija/valija.h share/bash-completion/completions/valija \
  share/valija/proto/valija/v1/statement.proto share/valija/proto/valija/v1/exchange.proto; do
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
echo "install: programs, header, .proto files and package can be used from elsewhere"
