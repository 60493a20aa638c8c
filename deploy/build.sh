#!/usr/bin/env bash
# Builds the program that images and packages hold, the same bytes each time: build.sh ARCH FILE
set -euo pipefail
arch=${1:?usage: build.sh ARCH FILE} out=$(realpath -m "${2:?usage: build.sh ARCH FILE}")
cd "$(dirname "$0")/.."
version=${VERSION:-$(deploy/version.sh)}
CGO_ENABLED=0 GOOS=linux GOARCH=$arch \
  ${GO:-go} build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.release=$version" -o "$out" ./cmd/mlids
