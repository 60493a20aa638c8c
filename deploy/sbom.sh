#!/usr/bin/env bash
# Writes the parts of a built program as CycloneDX JSON, with its own time in place of now: sbom.sh PROGRAM FILE
set -euo pipefail
program=$(realpath "${1:?usage: sbom.sh PROGRAM FILE}") out=$(realpath -m "${2:?usage: sbom.sh PROGRAM FILE}")
cd "$(dirname "$0")/.."
PATH=$PWD/.build/bin:$PATH
mkdir -p "$(dirname "$out")"
raw=$(mktemp)
trap 'rm -f "$raw"' EXIT
cyclonedx-gomod bin -json -licenses -std -noserial -version "${VERSION:-$(deploy/version.sh)}" -output "$raw" "$program" 2>/dev/null
jq --sort-keys --arg time "$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" +%Y-%m-%dT%H:%M:%SZ)" \
  '.metadata.timestamp = $time | del(.metadata.component.hashes)' "$raw" >"$out"
