#!/usr/bin/env bash
# Builds the image, pushes it to Artifact Registry and deploys it on Cloud Run. May be run again: what is there stays.
set -euo pipefail
usage="usage: deploy.sh --project PROJECT --region REGION [--tag TAG] [--dry-run]"
project='' region='' tag='' dry=''
while (($#)); do
  case $1 in
    --project) project=${2:?$usage}; shift 2 ;;
    --region) region=${2:?$usage}; shift 2 ;;
    --tag) tag=${2:?$usage}; shift 2 ;;
    --dry-run) dry=yes; shift ;;
    *) echo "$usage" >&2; exit 2 ;;
  esac
done
[[ -n $project && -n $region ]] || { echo "$usage" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
[[ -n $tag ]] || tag=$("$here/../version.sh")
image=$region-docker.pkg.dev/$project/mlids/mlids:$tag
account=mlids@$project.iam.gserviceaccount.com

run() { # prints the command, and runs it but for --dry-run
  echo "+ $*"
  [[ -n $dry ]] || "$@"
}
make() { # makes what DESCRIBE does not find: make DESCRIBE… -- CREATE…
  local describe=()
  while [[ $1 != -- ]]; do describe+=("$1"); shift; done
  shift
  if [[ -n $dry ]] || ! "${describe[@]}" >/dev/null 2>&1; then run "$@"; fi
}

run gcloud services enable run.googleapis.com artifactregistry.googleapis.com secretmanager.googleapis.com pubsub.googleapis.com --project "$project"
make gcloud artifacts repositories describe mlids --location "$region" --project "$project" \
  -- gcloud artifacts repositories create mlids --repository-format docker --location "$region" --project "$project"
make gcloud iam service-accounts describe "$account" --project "$project" \
  -- gcloud iam service-accounts create mlids --project "$project"
if [[ -z $dry ]] && ! gcloud secrets describe mlids-key --project "$project" >/dev/null 2>&1; then
  echo "no secret mlids-key: make one first, as README.md says" >&2
  exit 1
fi
run gcloud secrets add-iam-policy-binding mlids-key --member "serviceAccount:$account" --role roles/secretmanager.secretAccessor --project "$project"
run "$here/../container/build.sh" "$image"
run gcloud auth configure-docker "$region-docker.pkg.dev" --quiet
run docker push "$image"
rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT
sed -e "s/PROJECT/$project/g; s/REGION/$region/g; s/:TAG\$/:$tag/" "$here/service.yaml" >"$rendered"
if [[ -n $dry ]]; then cat "$rendered"; fi
run gcloud run services replace "$rendered" --region "$region" --project "$project"
