#!/usr/bin/env bash
# Runs every fuzzer of the module for the time given, one after the other. What a fuzzer finds is kept in testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh DURATION}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# found tells a failure from the fuzzing engine's own: on a busy machine it may miss its deadline, without an input to show.
found() { ! grep -q 'context deadline exceeded' "$log" || grep -q 'Failing input written' "$log"; }

git ls-files '*_test.go' | xargs grep -lE '^func Fuzz' | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/func //' | sort -u | while read -r name; do
    if ! go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 100x "./$dir" >"$log" 2>&1 </dev/null && found; then
      cat "$log"
      exit 1
    fi
    echo "fuzz $dir $name: $(grep -E '^fuzz: elapsed' "$log" | tail -n 1 | sed 's/^fuzz: //')"
  done
done
