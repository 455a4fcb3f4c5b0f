"""The same walk as by_boto3.py, by the SageMaker Python SDK v3 (S3, CloudWatch and logs by boto3).

Usage: python by_sdk.py FOLDER, with AWS_ENDPOINT_URL and AWS_DEFAULT_REGION set.
"""

import logging
import sys
import warnings
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from walkthrough.by_boto3 import (
    BUCKET,
    ENDPOINT,
    IMAGE,
    ROLE,
    captured,
    put_alarm,
)

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

from sagemaker.core.resources import (  # noqa: E402  (its import warns)
    Endpoint,
    EndpointConfig,
    Model,
    TrainingJob,
)
from sagemaker.core.shapes import (  # noqa: E402
    Alarm,
    AlgorithmSpecification,
    AutoRollbackConfig,
    BlueGreenUpdatePolicy,
    CapacitySize,
    CaptureContentTypeHeader,
    CaptureOption,
    Channel,
    ContainerDefinition,
    DataCaptureConfig,
    DataSource,
    DeploymentConfig,
    OutputDataConfig,
    ProductionVariant,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
    TrafficRoutingConfig,
)


def train(name: str) -> TrainingJob:
    job = TrainingJob.create(
        training_job_name=f"walk-{name}",
        role_arn=ROLE,
        algorithm_specification=AlgorithmSpecification(
            training_image=IMAGE, training_input_mode="File"
        ),
        hyper_parameters={"objective": "binary:logistic", "num_round": "5", "max_depth": "3"},
        input_data_config=[
            Channel(
                channel_name="train",
                content_type="text/csv",
                data_source=DataSource(
                    s3_data_source=S3DataSource(
                        s3_data_type="S3Prefix",
                        s3_uri=f"s3://{BUCKET}/data/{name}.csv",
                        s3_data_distribution_type="FullyReplicated",
                    )
                ),
            )
        ],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/output"),
        resource_config=ResourceConfig(
            instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
    )
    job.wait(poll=1)
    print(f"training {name}:", job.training_job_status)
    return job


def configure(name: str, artifact: str) -> tuple[Model, EndpointConfig]:
    model = Model.create(
        model_name=f"walk-{name}",
        primary_container=ContainerDefinition(image=IMAGE, model_data_url=artifact),
        execution_role_arn=ROLE,
    )
    config = EndpointConfig.create(
        endpoint_config_name=f"walk-{name}",
        production_variants=[
            ProductionVariant(
                variant_name="AllTraffic",
                model_name=f"walk-{name}",
                instance_type="ml.m5.large",
                initial_instance_count=2,
            )
        ],
        data_capture_config=DataCaptureConfig(
            enable_capture=True,
            initial_sampling_percentage=100,
            destination_s3_uri=f"s3://{BUCKET}/capture",
            capture_options=[
                CaptureOption(capture_mode="Input"),
                CaptureOption(capture_mode="Output"),
            ],
            capture_content_type_header=CaptureContentTypeHeader(csv_content_types=["text/csv"]),
        ),
    )
    return model, config


def invoke(endpoint: Endpoint, body: bytes, times: int) -> tuple[int, int]:
    answered = failed = 0
    for number in range(times):
        try:
            endpoint.invoke(body=body, content_type="text/csv", inference_id=f"request-{number}")
            answered += 1
        except ClientError as error:
            if error.response["Error"]["Code"] != "ModelError":
                raise
            failed += 1
    return answered, failed


def update_by_canary(endpoint: Endpoint) -> None:
    endpoint.endpoint_config_name = "walk-bad"
    endpoint.update(
        deployment_config=DeploymentConfig(
            blue_green_update_policy=BlueGreenUpdatePolicy(
                traffic_routing_configuration=TrafficRoutingConfig(
                    type="CANARY",
                    canary_size=CapacitySize(type="INSTANCE_COUNT", value=1),
                    wait_interval_in_seconds=300,
                ),
                maximum_execution_timeout_in_seconds=1800,
            ),
            auto_rollback_configuration=AutoRollbackConfig(
                alarms=[Alarm(alarm_name="walk-errors")]
            ),
        )
    )


def wait_for_the_canary(endpoint: Endpoint) -> None:
    for _ in range(100):
        pending = endpoint.refresh().pending_deployment_summary
        variants = getattr(pending, "production_variants", None) or []
        if any(s.status == "Baking" for v in variants for s in v.variant_status or []):
            return
    raise SystemExit("the canary never took traffic")


def main() -> None:
    folder = Path(sys.argv[1])
    cloudwatch, logs, s3 = boto3.client("cloudwatch"), boto3.client("logs"), boto3.client("s3")
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.create(CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    made: list[TrainingJob | Model | EndpointConfig] = []
    for name in ("good", "bad"):
        bucket.upload_file(str(folder / f"{name}.csv"), f"data/{name}.csv")
        job = train(name)
        made += [job, *configure(name, job.model_artifacts.s3_model_artifacts)]
    endpoint = Endpoint.create(endpoint_name=ENDPOINT, endpoint_config_name="walk-good")
    endpoint.wait_for_status("InService", poll=1)
    body = (folder / "request.csv").read_bytes()
    print("before the update:", *invoke(endpoint, body, 3))
    put_alarm(cloudwatch)
    update_by_canary(endpoint)
    wait_for_the_canary(endpoint)
    answered, failed = invoke(endpoint, body, 8)
    print("during the canary: failures", "yes" if failed else "no")
    endpoint.wait_for_status("InService", poll=1)
    print("configuration:", endpoint.refresh().endpoint_config_name)
    alarm = cloudwatch.describe_alarms(AlarmNames=["walk-errors"])["MetricAlarms"][0]
    print("alarm:", alarm["StateValue"])
    print("after the rollback:", *invoke(endpoint, body, 3))
    print("captured all answers:", len(captured(s3)) >= 6 + answered)
    endpoint.delete()
    boto3.client("sagemaker").get_waiter("endpoint_deleted").wait(EndpointName=ENDPOINT)
    for resource in reversed(made):
        resource.delete()
    cloudwatch.delete_alarms(AlarmNames=["walk-errors"])
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])
    bucket.objects.all().delete()
    bucket.delete()


if __name__ == "__main__":
    main()
