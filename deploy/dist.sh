#!/usr/bin/env bash
# Makes what is released into a folder: archives, packages, the list of parts, checksums: dist.sh FOLDER [ARCH…]
# The same commit gives the same bytes. Needs nfpm and cyclonedx-gomod (make dist installs them into .build/bin).
set -euo pipefail
out=$(realpath -m "${1:?usage: dist.sh FOLDER [ARCH…]}")
shift
cd "$(dirname "$0")/.."
PATH=$PWD/.build/bin:$PATH
archs=("${@:-amd64}")
VERSION=${VERSION:-$(deploy/version.sh)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
release=${VERSION#v}
MAINTAINER=${MAINTAINER:-mlids <maintainer@mlids.invalid>}
export VERSION SOURCE_DATE_EPOCH MAINTAINER LC_ALL=C TZ=UTC
umask 022
rm -rf "$out" && mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is the same for every machine: pages, completions, licences.
host=$(go env GOHOSTARCH) native=$work/native
deploy/build.sh "$host" "$native"
mkdir -p "$work/common/man" "$work/common/completions"
"$native" man "$work/common/man"
"$native" completion bash >"$work/common/completions/mlids.bash"
"$native" completion zsh >"$work/common/completions/_mlids"
"$native" completion fish >"$work/common/completions/mlids.fish"
go run ./deploy/deps -notices "$work/common/LICENSES.txt"
cp README.md deploy/package/mlids.yaml "$work/common/"
cp -r deploy/package "$work/package"

for arch in "${archs[@]}"; do
  name=mlids_${VERSION#v}_linux_$arch
  tree=$work/$name
  mkdir -p "$tree/bin"
  cp -r "$work/common/." "$tree"
  if [[ $arch == "$host" ]]; then cp "$native" "$tree/bin/mlids"; else deploy/build.sh "$arch" "$tree/bin/mlids"; fi
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=ustar -C "$work" -c "$name" |
    gzip -n -9 >"$out/$name.tar.gz"

  mv "$tree/LICENSES.txt" "$tree/copyright"
  printf 'mlids (%s) unstable; urgency=medium\n\n  * The history of the source says what changed.\n\n -- %s  %s\n' \
    "${release/-/\~}" "$MAINTAINER" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -n -9 >"$tree/changelog.gz"
  gzip -n -9 "$tree"/man/*
  find "$tree" "$work/package" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  mv "$tree" "$work/tree"
  for packager in deb rpm; do
    (cd "$work" && ARCH=$arch nfpm package --config package/nfpm.yaml --packager "$packager" --target "$out")
  done
  deploy/sbom.sh "$work/tree/bin/mlids" "$out/$name.cdx.json"
  rm -r "$work/tree"
done
(cd "$out" && sha256sum -- * >SHA256SUMS)
ls -l "$out"
