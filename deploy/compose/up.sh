#!/usr/bin/env bash
# Makes the secrets where they are missing and starts everything: up.sh [--secrets-only]
set -euo pipefail
cd "$(dirname "$0")"
umask 022 # services run as users of their own: the folder keeps others out, not the files
mkdir -p secrets data && chmod 700 secrets
secret() { [[ -s secrets/$1 ]] || head -c 24 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_' >"secrets/$1"; }
for name in mlids_key mlids_viewer_key grafana_password influxdb_password; do secret "$name"; done
cat >secrets/mlids.yaml <<END
serve:
  key:
    - analyst=@/run/secrets/mlids_key
    - viewer=@/run/secrets/mlids_viewer_key
  influx-out: influxdb://mlids:$(<secrets/influxdb_password)@influxdb:8086/mlids
END
[[ ${1:-} != --secrets-only ]] || exit 0
docker compose up --detach --build --wait
echo "API http://127.0.0.1:5000 (key: $PWD/secrets/mlids_key), Grafana http://127.0.0.1:3000 (admin, $PWD/secrets/grafana_password)"
