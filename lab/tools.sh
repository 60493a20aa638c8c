#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: Debian packages when run as root, Python packages into the virtual
# environment named by the first argument. What cannot be installed is said; the tests that need it then skip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:?usage: tools.sh VENV}

# command → the Debian package that has it
declare -A packages=(
  [hping3]=hping3 [iperf3]=iperf3 [ping]=iputils-ping [nft]=nftables [ovs-vswitchd]=openvswitch-switch [ovs-ofctl]=openvswitch-common [mn]=mininet
  [gcc]=gcc [ip]=iproute2 [tcpdump]=tcpdump [ethtool]=ethtool [zstd]=zstd [python3]=python3
  [buildah]=buildah [podman]=podman [runc]=runc [skopeo]=skopeo [jq]=jq [rpm]=rpm [mandoc]=mandoc [lintian]=lintian [shellcheck]=shellcheck
)
missing=()
for command in "${!packages[@]}"; do
  command -v "$command" >/dev/null || missing+=("${packages[$command]}")
done
/usr/bin/python3 -c 'import os_ken' 2>/dev/null || missing+=(python3-os-ken)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if ((${#missing[@]})); then
  if ((EUID == 0)) && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "missing, and not root to install: ${missing[*]}"
  fi
fi

stamp=$venv/.installed
if ! cat "$here"/peers.{txt,lock} | cmp -s - "$stamp"; then
  echo "installing the Python peers into $venv"
  python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/peers.txt" -c "$here/peers.lock" \
    && cat "$here"/peers.{txt,lock} >"$stamp" || echo "the Python peers could not be installed: tests that compare with them skip"
fi

# InfluxDB and Telegraf, beside our own binary.
bin=$(dirname "$venv")/bin
if ! command -v influxd >/dev/null && [[ ! -x $bin/influxd ]]; then
  echo "unpacking InfluxDB into $bin"
  { command -v apt-get >/dev/null && "$here/influxdb.sh" "$bin"; } || echo "InfluxDB could not be fetched: tests against it skip"
fi
if ! command -v promtool >/dev/null && [[ ! -x $bin/promtool ]]; then
  { command -v apt-get >/dev/null && "$here/promtool.sh" "$bin"; } || echo "promtool could not be fetched: tests of alert rules skip"
fi
if ! command -v telegraf >/dev/null && [[ ! -x $bin/telegraf ]]; then
  echo "building Telegraf into $bin (a few minutes, once)"
  "$here/telegraf.sh" "$bin/telegraf" || echo "Telegraf could not be built: tests with it skip"
fi

# An emulator of Amazon SNS and SQS, when there is node to run it.
fauxqs=1.9.2
dir=$(dirname "$venv")/fauxqs
if command -v npm >/dev/null && ! grep -qs "\"version\": \"$fauxqs\"" "$dir/node_modules/fauxqs/package.json"; then
  echo "installing fauxqs into $dir"
  npm install --prefix "$dir" --no-fund --no-audit --loglevel=error "fauxqs@$fauxqs" >/dev/null || echo "fauxqs could not be installed: tests against it skip"
fi
