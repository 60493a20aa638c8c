#!/usr/bin/env bash
# Prints task-definition.json with account, region and tag filled in.
set -euo pipefail
account=${1:?usage: render.sh ACCOUNT_ID REGION TAG} region=${2:?region} tag=${3:?tag}
sed -e "s/ACCOUNT_ID/$account/g; s/REGION/$region/g; s/:TAG\"/:$tag\"/" "$(dirname "$0")/task-definition.json" \
  | sed -e "s/\"AWS_$region\"/\"AWS_REGION\"/"
