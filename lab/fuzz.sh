#!/usr/bin/env bash
# Runs every fuzzer of the module for the time given, as many at once as there are cores, each with one worker. What a fuzzer
# finds is kept in its package's testdata/fuzz.
#   lab/fuzz.sh DURATION [NAME]    only the fuzzers whose names match the regular expression NAME
set -euo pipefail
cd "$(dirname "$0")/.."
export TIME=${1:?usage: fuzz.sh DURATION [NAME]} BUILD CORPUS
BUILD=$(mktemp -d)
CORPUS=$(go env GOCACHE)/fuzz/$(go list -m)
trap 'rm -rf "$BUILD"' EXIT

# found tells a failure from the fuzzing engine's own: on a busy machine it may miss its deadline, without an input to show.
found() { ! grep -q 'context deadline exceeded' "$1" || grep -q 'Failing input written' "$1"; }

# fuzz runs one fuzzer of the test binary that was built for its folder.
fuzz() {
  local dir=$1 name=$2 log=$BUILD/$2.${1//\//_}.log
  if ! (cd "$dir" && "$BUILD/${dir//\//_}.test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzztime "$TIME" -test.parallel 1 \
    -test.fuzzminimizetime 100x -test.fuzzcachedir "$CORPUS/$dir" >"$log" 2>&1 </dev/null) && found "$log"; then
    cat "$log"
    echo "fuzz $dir $name: failed"
    return 255 # stops xargs
  fi
  echo "fuzz $dir $name: $(grep -E '^fuzz: elapsed' "$log" | tail -n 1 | sed 's/^fuzz: //')"
}
export -f fuzz found

git ls-files '*_test.go' | xargs grep -lE '^func Fuzz' | xargs -n1 dirname | sort -u | while read -r dir; do
  names=$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/func //' | sort -u | grep -E "${2:-.}") || continue
  go test -c -fuzz=. -o "$BUILD/${dir//\//_}.test" "./$dir" >&2 # one binary a folder: linking takes as long as a short run
  sed "s|^|$dir |" <<<"$names"
done >"$BUILD/list"
xargs -a "$BUILD/list" -P "$(nproc)" -L 1 bash -c 'fuzz "$@"' fuzz
