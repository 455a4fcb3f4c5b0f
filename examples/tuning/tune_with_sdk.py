"""Start a tuning job of the built-in XGBoost algorithm by the SageMaker Python SDK v3."""

import argparse
import logging
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, StoppingCondition
from sagemaker.train.tuner import HyperparameterTuner

STATIC = {"objective": "binary:logistic", "eval_metric": "logloss", "num_round": 30, "seed": 0}


# [start: tuner]
def make_tuner(session: Session, bucket: str, role: str, jobs: int) -> HyperparameterTuner:
    """The same search as that of create_tuning_job.py; numbers need not be strings."""
    trainer = ModelTrainer(
        training_image=image_uris.retrieve("xgboost", session.boto_region_name, version="3.2-0"),
        hyperparameters=STATIC,
        role=role,
        compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/tuning"),
        sagemaker_session=session,
    )
    return HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="validation:logloss",
        objective_type="Minimize",
        hyperparameter_ranges={
            "max_depth": IntegerParameter(2, 8, scaling_type="Linear"),
            "eta": ContinuousParameter(0.01, 0.5, scaling_type="Logarithmic"),
            "min_child_weight": ContinuousParameter(1, 30, scaling_type="Logarithmic"),
            "subsample": ContinuousParameter(0.5, 1, scaling_type="Linear"),
        },
        strategy="Bayesian",
        max_jobs=jobs,
        max_parallel_jobs=1,
        random_seed=1,
    )


# [end: tuner]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the tuning job: 32 characters at most")
    parser.add_argument("--bucket", required=True, help="with train/ and validation/")
    parser.add_argument("--role-arn", required=True)
    parser.add_argument("--jobs", type=int, default=4)
    given = parser.parse_args()
    logging.getLogger("sagemaker").setLevel(logging.ERROR)
    # The SDK's own check refuses a role that may not attach to a VPC, which no job here needs.
    os.environ.setdefault("SAGEMAKER_VALIDATE_ROLE", "false")
    channels = [
        InputData(
            channel_name=name, data_source=f"s3://{given.bucket}/{name}/", content_type="text/csv"
        )
        for name in ("train", "validation")
    ]
    try:
        session = Session(default_bucket=given.bucket)
        tuner = make_tuner(session, given.bucket, given.role_arn, given.jobs)
        tuner.tune(inputs=channels, job_name=given.name, wait=False)
    except (BotoCoreError, ClientError, ValueError) as error:
        sys.exit(
            f"{' '.join(str(error).split()).rstrip('.')}. "
            f"No tuning job was confirmed. If {given.name} exists, it is billed while it runs: "
            "stop_tuning_job.py stops it. "
            "Check the options, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{given.name}  {tuner.strategy}, {given.jobs} training jobs, one after the other")


if __name__ == "__main__":
    main()
