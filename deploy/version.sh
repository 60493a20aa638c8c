#!/usr/bin/env bash
# Prints the version of this checkout: the tag with what came after it, else the commit's time and name.
set -euo pipefail
cd "$(dirname "$0")/.."
git describe --tags --match 'v[0-9]*' --dirty=+dirty 2>/dev/null && exit
dirty=$(git status --porcelain | head -n 1)
TZ=UTC git log -1 --abbrev=12 --date=format-local:%Y%m%d%H%M%S --format="v0.0.0-%cd-%h${dirty:++dirty}"
