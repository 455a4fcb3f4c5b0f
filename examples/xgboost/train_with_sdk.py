"""Train with SageMaker's built-in XGBoost by ModelTrainer of the SageMaker Python SDK v3."""

import argparse
import logging
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import TrainingJob
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, StoppingCondition

HYPERPARAMETERS = {"objective": "binary:logistic", "num_round": 50, "max_depth": 3, "eta": 0.2}
NO_TELEMETRY = {
    "SchemaVersion": "1.0",
    "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
}


# [start: trainer]
def make_trainer(session: Session, bucket: str, role_arn: str, base_name: str) -> ModelTrainer:
    """The same job as that of train_job.py; the SDK adds the time to its name."""
    return ModelTrainer(
        training_image=image_uris.retrieve("xgboost", session.boto_region_name, version="3.2-0"),
        hyperparameters=HYPERPARAMETERS,
        role=role_arn,
        base_job_name=base_name,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/output"),
        sagemaker_session=session,
    )


def train(trainer: ModelTrainer, bucket: str) -> TrainingJob:
    """The job at its end, failed or not (`sagemaker:CreateTrainingJob`, `DescribeTrainingJob`)."""
    channels = [
        InputData(channel_name=name, data_source=f"s3://{bucket}/{name}/", content_type="text/csv")
        for name in ("train", "validation")
    ]
    trainer.train(input_data_config=channels, wait=False)
    job = trainer._latest_training_job
    waiter = trainer.sagemaker_session.sagemaker_client.get_waiter(
        "training_job_completed_or_stopped"
    )
    try:
        waiter.wait(TrainingJobName=job.training_job_name)
    except WaiterError as error:
        if error.last_response.get("TrainingJobStatus") != "Failed":
            raise
    return job.refresh()


# [end: trainer]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-name", required=True, help="with which the job's name begins")
    parser.add_argument("--bucket", required=True, help="with train/ and validation/")
    parser.add_argument("--role-arn", required=True)
    options = parser.parse_args()
    name, bucket = options.base_name, options.bucket
    logging.getLogger("sagemaker").setLevel(logging.ERROR)
    # The SDK's own check refuses a role that may not attach to a VPC, as this job never does.
    os.environ.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")
    left = "No job was started."
    try:
        session = Session(default_bucket=bucket, sagemaker_config=NO_TELEMETRY)
        trainer = make_trainer(session, bucket, options.role_arn, name)
        left = (
            f"A job {name}-<time> may run, for 10 minutes at most: delete_job.py deletes it and "
            f"its logs in /aws/sagemaker/TrainingJobs, remove_bucket.py {bucket} with its model."
        )
        job = train(trainer, bucket)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: the SDK's own checks
        if getattr(error, "operation_name", "") == "CreateTrainingJob":
            left = "No job was started."
        sys.exit(f"{' '.join(str(error).split()).rstrip('.')}. {left}")
    print(f"{job.training_job_name}  {job.training_job_status}")
    if job.training_job_status == "Failed":
        sys.exit(job.failure_reason)
    for metric in job.final_metric_data_list:
        print(f"  {metric.metric_name:20}  {metric.value:.5f}")
    print(f"  {job.model_artifacts.s3_model_artifacts}")


if __name__ == "__main__":
    main()
