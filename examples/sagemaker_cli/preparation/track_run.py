"""Write a run into trials of SageMaker Experiments, as a trial component with its parameter."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def track(sagemaker: BaseClient, component: str, trials: list[str], rate: float) -> None:
    sagemaker.create_trial_component(
        TrialComponentName=component, Parameters={"eta": {"NumberValue": rate}}
    )
    for trial in trials:
        sagemaker.associate_trial_component(TrialName=trial, TrialComponentName=component)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--component", required=True, help="its name, which must be new")
    parser.add_argument("--trials", nargs="+", required=True)
    parser.add_argument("--eta", type=float, default=0.3, help="the learning rate of the run")
    arguments = parser.parse_args()
    try:
        track(boto3.client("sagemaker"), arguments.component, arguments.trials, arguments.eta)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{error} See what is there: aws sagemaker list-trial-components")
    print(f"tracked {arguments.component} in {', '.join(arguments.trials)}")


if __name__ == "__main__":
    main()
