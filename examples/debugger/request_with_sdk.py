"""Request Debugger by the SageMaker Python SDK v3, whose ModelTrainer has no field for it."""

import argparse
import logging
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from sagemaker.core.resources import TrainingJob
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    CollectionConfiguration,
    DataSource,
    DebugHookConfig,
    DebugRuleConfiguration,
    OutputDataConfig,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
)
from sagemaker.train import ModelTrainer

logging.getLogger("sagemaker").setLevel(logging.ERROR)  # as it is, it reports each of its steps


# [start: create]
def create_job(name: str, bucket: str, role_arn: str, image: str, rule_image: str) -> TrainingJob:
    """Start training under Debugger (`sagemaker:CreateTrainingJob`, `DescribeTrainingJob`).

    Raises ClientError, or ValueError with what is wrong with an argument.
    """
    return TrainingJob.create(
        session=boto3.Session(),
        training_job_name=name,
        role_arn=role_arn,
        algorithm_specification=AlgorithmSpecification(
            training_image=image, training_input_mode="File"
        ),
        hyper_parameters={"objective": "binary:logistic", "num_round": "50"},
        input_data_config=[
            Channel(
                channel_name="train",
                content_type="text/csv",
                data_source=DataSource(
                    s3_data_source=S3DataSource(
                        s3_data_type="S3Prefix", s3_uri=f"s3://{bucket}/train/"
                    )
                ),
            )
        ],
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/output"),
        resource_config=ResourceConfig(
            instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=10
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=1800),
        debug_hook_config=DebugHookConfig(
            s3_output_path=f"s3://{bucket}/debug",
            collection_configurations=[
                CollectionConfiguration(
                    collection_name=collection, collection_parameters={"save_interval": "5"}
                )
                for collection in ("metrics", "feature_importance")
            ],
        ),
        debug_rule_configurations=[
            DebugRuleConfiguration(
                rule_configuration_name=rule,
                rule_evaluator_image=rule_image,
                rule_parameters={"rule_to_invoke": rule, **parameters},
            )
            for rule, parameters in (
                ("LossNotDecreasing", {"collection_names": "metrics", "num_steps": "10"}),
                ("FeatureImportanceOverweight", {"threshold": "0.8", "nfeatures": "3"}),
            )
        ],
    )


# [end: create]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("job-name", "bucket", "role-arn", "image", "rule-image"):
        parser.add_argument(f"--{option}", required=True)
    asked = vars(parser.parse_args())
    name = asked.pop("job_name")
    region = boto3.Session().region_name
    for image in (asked["image"], asked["rule_image"]):
        if region and ".ecr." in image and f".ecr.{region}." not in image:
            parser.error(f"{image} is not in {region}; name the image of your Region")
    fields = ModelTrainer.model_fields
    print(f"ModelTrainer: {len(fields)} fields, of Debugger", [f for f in fields if "debug" in f])
    try:
        job = create_job(name, **asked)
    except (BotoCoreError, ClientError, ValueError) as error:
        sys.exit(
            f"{' '.join(str(error).split()).rstrip('.')}. "
            f"No training job was confirmed. If {name} exists, it is billed until it ends; "
            "stop-training-job ends it, delete_job.py deletes it. "
            "Check the options, AWS_DEFAULT_REGION, credentials and network."
        )
    hook = job.debug_hook_config
    print(f"{job.training_job_name}: tensors below {hook.s3_output_path}")
    for collection in hook.collection_configurations:
        print(f"  {collection.collection_name}  {collection.collection_parameters}")
    for rule in job.debug_rule_configurations:
        print(f"  {rule.rule_configuration_name}  {rule.rule_parameters}")


if __name__ == "__main__":
    main()
