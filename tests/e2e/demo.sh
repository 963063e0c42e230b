#!/usr/bin/env bash
# demo.sh BUILD_DIR: the story that `./do demo` tells.
echo "demo: the story is not written yet (tests/e2e/demo.sh)" >&2
exit 1
