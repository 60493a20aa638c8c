#!/usr/bin/env bash
# Writes cmd/mlids/default.pgo, by which go build knows what to optimize: where flows and detect spend their time on the
# captures that lab/bench/run.sh makes. Worth doing again after large changes to capture, flow or feature; not otherwise, as
# each run differs a little.
set -euo pipefail
cd "$(dirname "$0")/../.."
mix=.build/bench/mix.pcap scan=.build/bench/scan.pcap
[[ -f $mix && -f $scan ]] || { echo "lab/bench/run.sh makes the captures first" >&2; exit 1; }
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
go build -trimpath -o "$work/mlids" ./cmd/mlids
n=0
profile() { "$work/mlids" "$@" --cpu-profile "$work/$((++n)).pprof" >"$work/out" 2>"$work/log" || [[ $? == 3 ]] || { cat "$work/log" >&2; exit 1; }; }
for cores in 1 2; do
  export GOMAXPROCS=$cores
  for _ in 1 2 3 4; do profile flows "$mix"; done
  profile flows "$mix" --schema cicflow/2018
  profile flows "$mix" --schema kdd99
  profile flows "$scan"
  profile detect "$mix"
done
go tool pprof -proto "$work"/*.pprof >cmd/mlids/default.pgo
