#!/usr/bin/env bash
# Puts Debian's influxd and influx into the folder named. The packages are unpacked, not installed: no service is started.
set -euo pipefail
out=$(realpath -m "${1:?usage: influxdb.sh FOLDER}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt reads as a user of its own
cd "$work"
apt-get download -qq influxdb influxdb-client 2>/dev/null || { apt-get update -qq && apt-get download -qq influxdb influxdb-client; }
for package in ./*.deb; do dpkg -x "$package" .; done
install -D -m 755 -t "$out" usr/bin/influxd usr/bin/influx
