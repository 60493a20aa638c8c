#!/usr/bin/env bash
# Runs every fuzzer of the module for the time given, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh DURATION}
grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/func //' | sort -u | while read -r name; do
    echo "fuzz $dir $name $time"
    go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$dir" </dev/null | tail -n 1
  done
done
