"""Start a tuning job that knows what an earlier one has found: a warm start."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


# [start: continue]
def continue_tuning_job(sagemaker: BaseClient, parent: str, name: str, jobs: int) -> None:
    """Create a tuning job with the settings of its parent and so many training jobs more.

    Stands on `sagemaker:DescribeHyperParameterTuningJob` and `CreateHyperParameterTuningJob`.
    Raises RuntimeError: the parent has not ended.
    """
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=parent)
    if found["HyperParameterTuningJobStatus"] in ("InProgress", "Stopping"):
        raise RuntimeError(f"{parent} has not ended: wait for it, or stop it")
    config = found["HyperParameterTuningJobConfig"]
    limits = config["ResourceLimits"] | {"MaxNumberOfTrainingJobs": jobs}
    definition = found["TrainingJobDefinition"]
    static = dict(definition.get("StaticHyperParameters", {}))
    static.pop("_tuning_objective_metric", None)  # SageMaker has added it, and will do so again
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig=config | {"ResourceLimits": limits},
        TrainingJobDefinition=definition | {"StaticHyperParameters": static},
        WarmStartConfig={
            "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent}],
            "WarmStartType": "IdenticalDataAndAlgorithm",
        },
    )


# [end: continue]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", required=True, help="a tuning job that has ended")
    parser.add_argument("--name", required=True, help="of the new tuning job")
    parser.add_argument("--jobs", type=int, default=4)
    given = parser.parse_args()
    try:
        continue_tuning_job(boto3.client("sagemaker"), given.parent, given.name, given.jobs)
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. No tuning job was confirmed. If {given.name} exists, it is "
            "billed while it runs: stop_tuning_job.py stops it. "
            "Check the names, AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{given.name}  {given.jobs} training jobs, after those of {given.parent}")


if __name__ == "__main__":
    main()
