#!/usr/bin/env bash
# Everything one does with this tree. `./do` explains itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The same names on Debian 12, Debian 13 and Ubuntu 24.04.
packages=(g++ cmake ninja-build ccache pkgconf openssl libssl-dev zlib1g-dev
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc librocksdb-dev
  libspdlog-dev libcli11-dev nlohmann-json3-dev libcpp-httplib-dev libgtest-dev libgmock-dev tzdata python3)

usage() {
  cat <<'TEXT'
./do setup    install the Debian packages that are missing (root or sudo; nothing else is touched)
./do build    setup, and build into build/release, on all cores
./do demo     setup, build, and the story: agencies of two countries exchange records, the log is verified
./do test     setup, build, and every test
./do check    before a change is handed in: format, warnings as errors, the long tests, strangers' tools, fuzzing, the package twice,
              asan+ubsan, tsan
./do fuzz     setup, clang, and libFuzzer over the parsers of foreign bytes: ./do fuzz [SECONDS [TARGET..]], 20 each
./do bench    setup, build and run the benchmark (arguments go to it; --help tells)
./do package  a Debian package of the programs with units, manual pages and an SBOM, in build/package; --twice builds
              it in two places and compares the bytes
./do fmt      clang-format the sources in place
./do clean    remove what was built
TEXT
}

say() { printf '== %s\n' "$*"; }
stop() { printf 'do: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else stop "installing packages takes root; run as root or install sudo. Missing: ${missing[*]}"
  fi
}

# need PACKAGE..: installs those that are missing.
need() {
  command -v dpkg-query >/dev/null || stop "no dpkg here: install by hand what these Debian packages hold: $*"
  missing=()
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

setup() { need "${packages[@]}"; }

# build_preset PRESET: configures and builds build/PRESET.
build_preset() {
  say "building build/$1"
  mkdir -p build
  cmake --preset "$1" >"build/$1.log" 2>&1 || { cat "build/$1.log" >&2; stop "cmake failed"; }
  cmake --build --preset "$1" --parallel "$(nproc)"
}

say_vectors() {
  local vectors=${VALIJA_VECTORS:-../shared/vectors}
  if [ -d "$vectors" ]; then say "vectors: the worked examples, and the full official sets in $vectors"
  else say "vectors: the worked examples, and compact tables of the official sets (no full sets in $vectors)"
  fi
}

run_tests() { ctest --preset "$1" --parallel "$(nproc)"; }

# What is found stays in build/fuzz/found; what made the parsers go new ways is added to build/fuzz/corpus.
fuzz() {
  local seconds=${1:-20} fuzzer=build/fuzz/tests/fuzz/fuzzer target work
  [ $# = 0 ] || shift
  need clang libclang-rt-dev
  build_preset fuzz
  mkdir -p build/fuzz/found
  [ $# != 0 ] || set -- $("$fuzzer" --targets)
  for target in "$@"; do
    say "fuzz: $target"
    work=build/fuzz/corpus/$target
    mkdir -p "$work"
    VALIJA_FUZZ=$target "$fuzzer" --seeds "$work"
    VALIJA_FUZZ=$target "$fuzzer" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 -verbosity=0 \
      -print_final_stats=1 -artifact_prefix="build/fuzz/found/$target-" "$work" \
      $([ -d "tests/fuzz/corpus/$target" ] && echo "tests/fuzz/corpus/$target") 2>"build/fuzz/$target.log" ||
      { tail -n 40 "build/fuzz/$target.log" >&2; stop "$target: the bytes are in build/fuzz/found"; }
    grep -E 'number_of_executed_units|new_units_added' "build/fuzz/$target.log" | sed 's/^stat::/   /'
  done
}

sources() { git ls-files '*.cc' '*.h'; }

check_format() {
  need clang-format
  say "format ($(clang-format --version | head -n 1))"
  sources | xargs clang-format --dry-run --Werror || stop "the format is off; ./do fmt mends it"
}

# Go's own log library reads what we export. (No witness of somebody else's is in Debian: docs/witness.md.)
check_strangers() {
  need golang-go golang-golang-x-mod-dev
  say "strangers' tools"
  tests/foreign/go_test.sh build/release
}

# make_package FOLDER: the package, in FOLDER, from the sources as they are here.
make_package() {
  rm -rf "$1"
  mkdir -p "$1/valija"
  git ls-files -z | xargs -0 cp --parents -t "$1/valija"
  mv "$1/valija/cmake/debian" "$1/valija/debian"
  (cd "$1/valija" && dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo) >"$1/log" 2>&1 ||
    { tail -n 40 "$1/log" >&2; stop "the package was not built: $1/log"; }
}

package() {
  need dpkg-dev debhelper help2man lintian systemd
  say "package"
  make_package build/package
  local unit
  lintian --fail-on error,warning build/package/*.changes || stop "lintian has something to say"
  for unit in broker witness; do
    # The scale goes from 0, shut, to 100, open.
    systemd-analyze security --offline=true --threshold=20 --no-pager "$PWD/build/package/valija/debian/valija/lib/systemd/system/valija-$unit.service" \
      >"build/package/$unit.security" || { cat "build/package/$unit.security" >&2; stop "valija-$unit.service is not shut enough"; }
    tail -n 1 "build/package/$unit.security"
  done
  if [ "${1:-}" = --twice ]; then
    say "package, in another place"
    make_package build/package-again/elsewhere
    local first second
    for first in build/package/*.deb; do
      second=build/package-again/elsewhere/$(basename "$first")
      cmp "$first" "$second" || stop "two builds of the same sources differ"
      say "the same bytes twice: $(sha256sum "$first" | cut -c 1-64) $(basename "$first")"
    done
  fi
  ls build/package/*.deb
}

check() {
  setup
  check_format
  say_vectors
  build_preset dev
  build_preset release
  say "every test, the long ones too"
  VALIJA_LONG=1 run_tests release
  check_strangers
  fuzz
  package --twice
  local preset
  for preset in asan tsan; do
    build_preset "$preset"
    run_tests "$preset"
  done
  say "check passed: format, warnings, long tests, strangers' tools, fuzzing, package, asan+ubsan, tsan"
}

command=${1:-help}
[ $# = 0 ] || shift
case "$command" in
  setup) setup ;;
  build) setup; build_preset release ;;
  demo) setup; build_preset release; exec tests/e2e/demo.sh build/release "$@" ;;
  test) setup; build_preset release; say_vectors; run_tests release ;;
  check) check ;;
  fuzz) setup; fuzz "$@" ;;
  bench) setup; build_preset release; exec build/release/tests/bench/valija-bench "$@" ;;
  package) setup; package "$@" ;;
  fmt) need clang-format; sources | xargs clang-format -i ;;
  clean) rm -rf build certs/out ;;
  help | -h | --help) usage ;;
  *) usage >&2; stop "no such command: $command" ;;
esac
