#!/usr/bin/env bash
# Builds the image with a program made outside and copied in: build.sh NAME [ARCH…]
# With one ARCH (default: this machine's) NAME is an image, with several it is a list of images. The same commit gives the same
# bytes. Set CA_CERTIFICATES to take other roots of trust than this machine's.
set -euo pipefail
name=${1:?usage: build.sh NAME [ARCH…]}
shift
cd "$(dirname "$0")/../.."
archs=("${@:-$(go env GOHOSTARCH)}")
VERSION=${VERSION:-$(deploy/version.sh)}
export VERSION

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir "$context/state"
install -m 644 "${CA_CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt}" "$context/ca-certificates.crt"
for arch in "${archs[@]}"; do
  deploy/build.sh "$arch" "$context/$arch/mlids"
done
chmod -R u=rwX,go=rX "$context" # whatever this shell's umask is

target=(--tag "$name")
((${#archs[@]} == 1)) || target=(--manifest "$name")
buildah build --isolation chroot --format docker --no-cache --quiet \
  --timestamp "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" \
  --platform "$(printf 'linux/%s,' "${archs[@]}" | sed 's/,$//')" \
  --build-arg "VERSION=$VERSION" --build-arg "REVISION=$(git rev-parse HEAD)" \
  --file deploy/container/Dockerfile --target copied "${target[@]}" "$context"
