#!/usr/bin/env bash
# Measures everything that docs/performance.md tells, peers beside it in the same run. Captures are made once in .build.
set -euo pipefail
cd "$(dirname "$0")/../.."
data=${MLIDS_TEST_DATA:-../shared/data}
python=.build/peers/bin/python
mkdir -p .build/bench
CGO_ENABLED=0 go build -trimpath -o .build/bin/mlids ./cmd/mlids # as it is released

# Other flow meters, taken out of their packages without being installed: a package would start a service.
if command -v apt-get >/dev/null && [[ ! -d .build/bench/deb ]]; then
  mkdir -p .build/bench/deb
  (cd .build/bench/deb && apt-get download -qq softflowd argus-server libndpi-bin libndpi4.2 libwrap0 2>/dev/null \
    && for package in *.deb; do dpkg -x "$package" .; done) || echo "other flow meters cannot be had here"
fi
export PATH=$PWD/.build/bench/deb/usr/bin:$PWD/.build/bench/deb/usr/sbin:$PATH
export LD_LIBRARY_PATH=$(find .build/bench/deb -name '*.so.*' -exec dirname {} + 2>/dev/null | sort -u | sed "s|^|$PWD/|" | paste -sd:)

generator=${MLIDS_TRAFFICGEN:-../shared/tools/trafficgen}
if [[ -d $generator ]]; then
  (cd "$generator" && go build -o "$OLDPWD/.build/bench/trafficgen" .)
  [[ -f .build/bench/mix.pcap ]] || .build/bench/trafficgen -profile mix -flows 60000 -dur 600 -o .build/bench/mix.pcap
  [[ -f .build/bench/scan.pcap ]] || .build/bench/trafficgen -profile scan -flows 600000 -dur 300 -seed 2 -o .build/bench/scan.pcap
  echo "## flows from packets"
  "$python" lab/bench/flows.py .build/bin/mlids .build/bench/mix.pcap .build/bench/scan.pcap
fi
echo "## training" && "$python" lab/bench/learn_peers.py "$data/kdd99/kddcup.data_10_percent.gz"
echo "## inference" && "$python" lab/bench/infer_peers.py
echo "## the API" && go test ./api -run '^$' -bench 'Predictions|Bare' -benchtime 3s -cpu 1
echo "## the outbox" && go test ./cmd/mlids -run '^$' -bench Outbox -benchtime 2s
echo "## tables" && go test ./dataset -run '^$' -bench 'Open|Merge|Split' -benchtime 2s
echo "## InfluxDB" && go test ./dataset/influx -run '^$' -bench 'Load|Read|Decode|Lines' -benchtime 1x -timeout 20m
echo "## the OpenFlow controller" && go test ./mitigate/openflow -run '^$' -bench 'PacketIns|FirstPacket|FlowMods' -benchtime 2s
echo "## live capture" && go test ./capture -run '^$' -bench 'Live|Tcpdump' -benchtime 3x
