#!/usr/bin/env bash
# The same walk as by_boto3.py, by the AWS CLI: bash by_cli.sh FOLDER, with AWS_ENDPOINT_URL set.
# AWS names the program; version 1 and 2 run the same lines.
set -euo pipefail
aws=${AWS:-aws}
folder=$1
bucket=amzn-s3-demo-bucket-walk
role=arn:aws:iam::111122223333:role/SageMakerExecutionRole
image=354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

train() {
    $aws sagemaker create-training-job --training-job-name "walk-$1" --role-arn $role \
        --algorithm-specification TrainingImage=$image,TrainingInputMode=File \
        --hyper-parameters objective=binary:logistic,num_round=5,max_depth=3 \
        --input-data-config "ChannelName=train,ContentType=text/csv,DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://$bucket/data/$1.csv,S3DataDistributionType=FullyReplicated}}" \
        --output-data-config S3OutputPath=s3://$bucket/output \
        --resource-config InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=5 \
        --stopping-condition MaxRuntimeInSeconds=600 >/dev/null
    $aws sagemaker wait training-job-completed-or-stopped --training-job-name "walk-$1"
    echo "training $1: $($aws sagemaker describe-training-job --training-job-name "walk-$1" \
        --query TrainingJobStatus --output text)"
}

configure() {
    artifact=$($aws sagemaker describe-training-job --training-job-name "walk-$1" \
        --query ModelArtifacts.S3ModelArtifacts --output text)
    $aws sagemaker create-model --model-name "walk-$1" --execution-role-arn $role \
        --primary-container "Image=$image,ModelDataUrl=$artifact" >/dev/null
    $aws sagemaker create-endpoint-config --endpoint-config-name "walk-$1" \
        --production-variants "VariantName=AllTraffic,ModelName=walk-$1,InstanceType=ml.m5.large,InitialInstanceCount=2" \
        --data-capture-config "EnableCapture=true,InitialSamplingPercentage=100,DestinationS3Uri=s3://$bucket/capture,CaptureOptions=[{CaptureMode=Input},{CaptureMode=Output}],CaptureContentTypeHeader={CsvContentTypes=[text/csv]}" >/dev/null
}

invoke() { # NUMBER; prints how many were answered and how many failed in the model
    answered=0 failed=0
    for number in $(seq "$1"); do
        if said=$($aws sagemaker-runtime invoke-endpoint --endpoint-name walk --content-type text/csv \
            --inference-id "request-$number" --body "fileb://$folder/request.csv" "$output" 2>&1); then
            answered=$((answered + 1))
        elif [[ $said == *"(ModelError)"* ]]; then
            failed=$((failed + 1))
        else
            echo "$said" >&2
            exit 1
        fi
    done
}

describe() { # QUERY
    $aws sagemaker describe-endpoint --endpoint-name walk --query "$1" --output text
}

$aws s3api create-bucket --bucket $bucket \
    --create-bucket-configuration "LocationConstraint=$AWS_DEFAULT_REGION" >/dev/null
for name in good bad; do
    $aws s3 cp --quiet "$folder/$name.csv" "s3://$bucket/data/$name.csv"
    train $name
    configure $name
done
$aws sagemaker create-endpoint --endpoint-name walk --endpoint-config-name walk-good >/dev/null
$aws sagemaker wait endpoint-in-service --endpoint-name walk
invoke 3
echo "before the update: $answered $failed"
$aws cloudwatch put-metric-alarm --alarm-name walk-errors --namespace AWS/SageMaker \
    --metric-name Invocation4XXErrors --statistic Sum --period 60 --evaluation-periods 1 \
    --dimensions Name=EndpointName,Value=walk Name=VariantName,Value=AllTraffic \
    --threshold 0 --comparison-operator GreaterThanThreshold --treat-missing-data notBreaching
$aws sagemaker update-endpoint --endpoint-name walk --endpoint-config-name walk-bad \
    --deployment-config '{
      "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
          "Type": "CANARY",
          "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
          "WaitIntervalInSeconds": 300
        },
        "MaximumExecutionTimeoutInSeconds": 1800
      },
      "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "walk-errors"}]}
    }' >/dev/null
seen=Updating
until [[ $seen == *Baking* ]]; do # one look at a time: each meets the next state
    [[ $seen == *Updating* ]] || { echo "the canary never took traffic" >&2; exit 1; }
    seen=$(describe '[EndpointStatus, PendingDeploymentSummary.ProductionVariants[].VariantStatus[].Status[]]')
done
invoke 8
during=$answered
echo "during the canary: failures $([ "$failed" -gt 0 ] && echo yes || echo no)"
$aws sagemaker wait endpoint-in-service --endpoint-name walk
echo "configuration: $(describe EndpointConfigName)"
echo "alarm: $($aws cloudwatch describe-alarms --alarm-names walk-errors \
    --query 'MetricAlarms[0].StateValue' --output text)"
invoke 3
echo "after the rollback: $answered $failed"
captures=$(mktemp -d)
$aws s3 cp --quiet --recursive "s3://$bucket/capture" "$captures"
records=$(find "$captures" -name '*.jsonl' -exec cat {} + | wc -l)
rm -r "$captures"
echo "captured all answers: $([ "$records" -ge $((6 + during)) ] && echo True || echo False)"

$aws sagemaker delete-endpoint --endpoint-name walk
$aws sagemaker wait endpoint-deleted --endpoint-name walk
for name in good bad; do
    $aws sagemaker delete-endpoint-config --endpoint-config-name walk-$name
    $aws sagemaker delete-model --model-name walk-$name
    $aws sagemaker delete-training-job --training-job-name walk-$name
done
$aws cloudwatch delete-alarms --alarm-names walk-errors
for group in $($aws logs describe-log-groups --log-group-name-prefix /aws/sagemaker/ \
    --query 'logGroups[].logGroupName' --output text); do
    $aws logs delete-log-group --log-group-name "$group"
done
$aws s3 rb --force "s3://$bucket" >/dev/null
