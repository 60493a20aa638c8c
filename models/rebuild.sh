#!/usr/bin/env bash
# Trains the built-in models from the data sets, bit for bit as they are here.
#   models/rebuild.sh           writes them in place
#   models/rebuild.sh --check   fails when a model differs from the one it would write
set -euo pipefail
cd "$(dirname "$0")/.."
data=${MLIDS_TEST_DATA:-../shared/data}
if [[ ! -d $data ]]; then
  echo "models/rebuild.sh needs the data sets: set MLIDS_TEST_DATA or place them in ../shared/data"
  exit 0
fi
out=models
[[ ${1:-} == --check ]] && out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT
bin=$(mktemp -d)/mlids
go build -o "$bin" ./cmd/mlids

"$bin" train --out "$out/kdd99.onnx" --schema kdd99 --cost kdd99 --hold-out-type each \
  --data "$data/kdd99/kddcup.data_10_percent.gz" >"$out/figures" 2>"$out/log" || { cat "$out/log"; exit 1; }
"$bin" train --out "$out/cicflow.onnx" --schema cicflow/common --hold-out-type each \
  --data "$data/cicids/CICIDS2017_improved_union.csv.gz" --data "$data/cicids/2018-02-14_excerpt_5594rows.csv.gz" \
  --data "$data/cicids/cstub_dataset_1000rows.csv.gz" --data "$data/cicids/cstub_validation_180rows.csv" \
  >"$out/figures" 2>"$out/log" || { cat "$out/log"; exit 1; }
rm -f "$out/log" "$out/figures" "$bin"
if [[ $out != models ]]; then
  for m in kdd99 cicflow; do cmp "$out/$m.onnx" "models/$m.onnx" && echo "models/$m.onnx is what rebuild.sh makes"; done
fi
