#!/usr/bin/env bash
# Trains on SageMaker, or hosts a model there; the page sagemaker.md goes with it.
set -euo pipefail
usage="usage: sagemaker.sh train --name JOB --image IMAGE --role ARN --data s3://… --out s3://… [--validation s3://…] [NAME=VALUE …]
       sagemaker.sh host --name ENDPOINT --image IMAGE --role ARN --model s3://…/model.tar.gz [--instance ml.c6i.large]"
verb=${1:?$usage}; shift
name='' image='' role='' data='' validation='' out='' model='' instance='' parameters=''
while (($#)); do
  case $1 in
    --name) name=${2:?$usage}; shift 2 ;;
    --image) image=${2:?$usage}; shift 2 ;;
    --role) role=${2:?$usage}; shift 2 ;;
    --data) data=${2:?$usage}; shift 2 ;;
    --validation) validation=${2:?$usage}; shift 2 ;;
    --out) out=${2:?$usage}; shift 2 ;;
    --model) model=${2:?$usage}; shift 2 ;;
    --instance) instance=${2:?$usage}; shift 2 ;;
    *=*) parameters+=${parameters:+,}$1; shift ;;
    *) echo "$usage" >&2; exit 2 ;;
  esac
done
[[ -n $name && -n $image && -n $role ]] || { echo "$usage" >&2; exit 2; }

channel() { # NAME S3URI
  printf '{"ChannelName":"%s","ContentType":"text/csv","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"%s"}}}' "$1" "$2"
}

case $verb in
  train)
    [[ -n $data && -n $out ]] || { echo "$usage" >&2; exit 2; }
    channels=$(channel train "$data")
    [[ -z $validation ]] || channels+=,$(channel validation "$validation")
    aws sagemaker create-training-job --training-job-name "$name" --role-arn "$role" \
      --algorithm-specification "TrainingImage=$image,TrainingInputMode=File,MetricDefinitions=[{Name=validation:recall,Regex='validation:recall=([0-9.]+)'},{Name=validation:fpr,Regex='validation:fpr=([0-9.]+)'}]" \
      --input-data-config "[$channels]" --output-data-config "S3OutputPath=$out" \
      --resource-config "InstanceType=${instance:-ml.c6i.xlarge},InstanceCount=1,VolumeSizeInGB=30" \
      --stopping-condition MaxRuntimeInSeconds=3600 ${parameters:+--hyper-parameters "$parameters"}
    aws sagemaker wait training-job-completed-or-stopped --training-job-name "$name"
    aws sagemaker describe-training-job --training-job-name "$name" \
      --query '{status:TrainingJobStatus,model:ModelArtifacts.S3ModelArtifacts,failure:FailureReason}' ;;
  host)
    [[ -n $model ]] || { echo "$usage" >&2; exit 2; }
    aws sagemaker create-model --model-name "$name" --execution-role-arn "$role" \
      --primary-container "Image=$image,ModelDataUrl=$model,Environment={MLIDS_SAGEMAKER_CONTAINER=true}"
    aws sagemaker create-endpoint-config --endpoint-config-name "$name" \
      --production-variants "VariantName=AllTraffic,ModelName=$name,InitialInstanceCount=1,InstanceType=${instance:-ml.c6i.large}"
    aws sagemaker create-endpoint --endpoint-name "$name" --endpoint-config-name "$name"
    aws sagemaker wait endpoint-in-service --endpoint-name "$name" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
