#!/usr/bin/env bash
# Builds the image and pushes it to Amazon ECR, whose repository it makes when there is none. Prints the image's name.
set -euo pipefail
usage="usage: push.sh --region REGION [--repository mlids] [--tag TAG] [--root-user] [--dry-run]"
region=${AWS_REGION:-} repository=mlids tag='' user='' dry=''
while (($#)); do
  case $1 in
    --region) region=${2:?$usage}; shift 2 ;;
    --repository) repository=${2:?$usage}; shift 2 ;;
    --tag) tag=${2:?$usage}; shift 2 ;;
    --root-user) user=root; shift ;; # SageMaker mounts /opt/ml for root
    --dry-run) dry=yes; shift ;;
    *) echo "$usage" >&2; exit 2 ;;
  esac
done
[[ -n $region ]] || { echo "$usage" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
[[ -n $tag ]] || tag=$("$here/../version.sh")

run() { # prints the command, and runs it but for --dry-run
  echo "+ $*" >&2
  [[ -n $dry ]] || "$@" >&2
}

account=123456789012
[[ -n $dry ]] || account=$(aws sts get-caller-identity --query Account --output text)
registry=$account.dkr.ecr.$region.amazonaws.com
image=$registry/$repository:$tag

if [[ -n $dry ]] || ! aws ecr describe-repositories --region "$region" --repository-names "$repository" >/dev/null 2>&1; then
  run aws ecr create-repository --region "$region" --repository-name "$repository" \
    --image-tag-mutability IMMUTABLE --image-scanning-configuration scanOnPush=true
fi
run "$here/../container/build.sh" "$image"
if [[ -n $user ]]; then
  echo "+ docker build -t $image (the same image, run as root)" >&2
  [[ -n $dry ]] || printf 'FROM %s\nUSER 0:0\n' "$image" | docker build -t "$image" - >&2
fi
echo "+ aws ecr get-login-password | docker login $registry" >&2
[[ -n $dry ]] || aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "$registry" >&2
run docker push "$image"
echo "$image"
