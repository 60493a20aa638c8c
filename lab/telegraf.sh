#!/usr/bin/env bash
# Builds Telegraf with what deploy/telegraf needs, from the Go module proxy, as the file named. Its modules stay out of ours.
set -euo pipefail
out=$(realpath -m "${1:?usage: telegraf.sh FILE}")
version=v1.37.2
plugins=custom,inputs.file,inputs.tail,parsers.csv,outputs.influxdb,outputs.file,serializers.influx

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
source=$(GOFLAGS=-mod=mod go mod download -json "github.com/influxdata/telegraf@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cd "$source"
CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off go build -trimpath -ldflags "-s -w -X github.com/influxdata/telegraf/internal.Version=${version#v}" \
  -tags "$plugins" -o "$work/telegraf" ./cmd/telegraf
install -D -m 755 "$work/telegraf" "$out"
