#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: Debian packages when run as root, Python packages into the virtual
# environment named by the first argument. What cannot be installed is said; the tests that need it then skip. With --debian
# instead of a name it installs the Debian packages alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv=${1:?usage: tools.sh VENV|--debian}

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
[[ $venv != --debian ]] || exit 0

bin=$(dirname "$venv")/bin
emulators=$(dirname "$venv")/fauxqs

# install_peers makes the virtual environment of the Python packages that tests compare with.
install_peers() {
  local stamp=$venv/.installed
  cat "$here"/peers.{txt,lock} | cmp -s - "$stamp" && return
  echo "installing the Python peers into $venv"
  python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/peers.txt" -c "$here/peers.lock" \
    && cat "$here"/peers.{txt,lock} >"$stamp" || echo "the Python peers could not be installed: tests that compare with them skip"
}

# lacks tells whether a program is neither on the path nor beside our own binary.
lacks() { ! command -v "$1" >/dev/null && [[ ! -x $bin/$1 ]]; }

# install_unpacked fetches Debian's InfluxDB and promtool without installing them: a package would start a service.
install_unpacked() {
  command -v apt-get >/dev/null || return 0
  if lacks influxd; then "$here/influxdb.sh" "$bin" || echo "InfluxDB could not be fetched: tests against it skip"; fi
  if lacks promtool; then "$here/promtool.sh" "$bin" || echo "promtool could not be fetched: tests of alert rules skip"; fi
}

install_telegraf() {
  lacks telegraf || return 0
  echo "building Telegraf into $bin (a few minutes, once)"
  "$here/telegraf.sh" "$bin/telegraf" || echo "Telegraf could not be built: tests with it skip"
}

# install_fauxqs gets an emulator of Amazon SNS and SQS, when there is node to run it.
install_fauxqs() {
  local version=1.9.2
  command -v npm >/dev/null || return 0
  grep -qs "\"version\": \"$version\"" "$emulators/node_modules/fauxqs/package.json" && return
  echo "installing fauxqs into $emulators"
  npm install --prefix "$emulators" --no-fund --no-audit --loglevel=error "fauxqs@$version" >/dev/null || echo "fauxqs could not be installed: tests against it skip"
}

for part in peers unpacked telegraf fauxqs; do # at once: one waits for the network while another compiles
  "install_$part" &
done
wait
