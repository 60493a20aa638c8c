#!/usr/bin/env bash
# Builds the image with a program made outside and copied in: build.sh NAME [ARCH…]
# With one ARCH (default: this machine's) NAME is an image, with several it is a list of images. The same commit gives the same
# bytes. Needs buildah, skopeo and jq. Set CA_CERTIFICATES to take other roots of trust than this machine's, and PROGRAM to take a
# program that deploy/build.sh has built for the one ARCH.
set -euo pipefail
name=${1:?usage: build.sh NAME [ARCH…]}
shift
PROGRAM=${PROGRAM:+$(realpath "$PROGRAM")}
cd "$(dirname "$0")/../.."
archs=("${@:-$(go env GOHOSTARCH)}")
if [[ -n $PROGRAM ]] && ((${#archs[@]} > 1)); then echo "PROGRAM is for one ARCH" >&2 && exit 2; fi
VERSION=${VERSION:-$(deploy/version.sh)}
export VERSION

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

# build ARCH IMAGE
build() {
  local raw=$context/$1.raw
  mkdir -p "$context/$1/state" "$context/$1/var/lib"
  install -m 644 "${CA_CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt}" "$context/$1/ca-certificates.crt"
  if [[ -n ${PROGRAM:-} ]]; then install -m 755 "$PROGRAM" "$context/$1/mlids"; else deploy/build.sh "$1" "$context/$1/mlids"; fi
  chmod -R u=rwX,go=rX "$context/$1" # whatever this shell's umask is
  buildah build --isolation chroot --format docker --no-cache --squash --identity-label=false --quiet \
    --timestamp "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" --platform "linux/$1" \
    --build-arg BINARY=mlids --build-arg "VERSION=$VERSION" --build-arg "REVISION=$(git rev-parse HEAD)" \
    --file deploy/container/Dockerfile --target copied --tag "localhost/mlids-$$:$1" "$context/$1" >"$context/id"
  skopeo copy --quiet "containers-storage:localhost/mlids-$$:$1" "dir:$raw"
  buildah rmi "localhost/mlids-$$:$1" >/dev/null
  settle "$raw"
  skopeo copy --quiet "dir:$raw" "containers-storage:$2"
}

# settle FOLDER takes out of an image what differs from build to build: names of containers that made it.
settle() {
  local old new
  old=$(jq -r '.config.digest | ltrimstr("sha256:")' "$1/manifest.json")
  jq -cS 'del(.container, .container_config, .parent, .config.Hostname, .config.Image) | .history |= map(del(.comment))' \
    "$1/$old" >"$1/config"
  new=$(sha256sum "$1/config" | cut -d ' ' -f 1)
  rm "$1/$old" && mv "$1/config" "$1/$new"
  jq -cS --arg d "sha256:$new" --argjson s "$(stat -c %s "$1/$new")" '.config.digest = $d | .config.size = $s' \
    "$1/manifest.json" >"$1/settled" && mv "$1/settled" "$1/manifest.json"
}

if ((${#archs[@]} == 1)); then
  build "${archs[0]}" "$name"
else
  buildah manifest create "$name" >/dev/null
  for arch in "${archs[@]}"; do
    build "$arch" "${name%:*}:$arch"
    buildah manifest add "$name" "containers-storage:${name%:*}:$arch" >/dev/null
  done
fi
skopeo inspect --format '{{.Name}} {{.Digest}}' "containers-storage:$name" 2>/dev/null || buildah manifest inspect "$name"
