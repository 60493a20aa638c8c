#!/usr/bin/env bash
# Puts Debian's promtool into the folder named. The package is unpacked, not installed: no service is started.
set -euo pipefail
out=$(realpath -m "${1:?usage: promtool.sh FOLDER}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt reads as a user of its own
cd "$work"
apt-get download -qq prometheus 2>/dev/null || { apt-get update -qq && apt-get download -qq prometheus; }
for package in ./*.deb; do dpkg -x "$package" .; done
install -D -m 755 -t "$out" usr/bin/promtool
