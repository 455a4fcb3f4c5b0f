"""Put a model onto an endpoint as an inference component, and wait until its copies answer."""

import argparse
import sys
import time
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE, LOOKS = 15.0, 240  # seconds between two looks, and how many: an hour


# [start: create]
def create_component(
    sagemaker: BaseClient, endpoint: str, name: str, needs: dict[str, Any], copies: int
) -> None:
    """Copies of the model of the component's name (`sagemaker:CreateInferenceComponent`).

    needs: what each copy takes of an instance. Instances are added if those there are too full.
    """
    sagemaker.create_inference_component(
        InferenceComponentName=name,
        EndpointName=endpoint,
        VariantName="AllTraffic",
        Specification={"ModelName": name, "ComputeResourceRequirements": needs},
        RuntimeConfig={"CopyCount": copies},
    )


# [end: create]


# [start: wait]
def wait_until_settled(sagemaker: BaseClient, name: str) -> dict[str, Any]:
    """The component in service (`sagemaker:DescribeInferenceComponent`): boto3 has no waiter.

    Raises RuntimeError: it has failed, or cannot be given what it asked for; TimeoutError.
    """
    for _ in range(LOOKS):
        found = sagemaker.describe_inference_component(InferenceComponentName=name)
        if found["InferenceComponentStatus"] not in ("Creating", "Updating"):
            if "FailureReason" in found:
                raise RuntimeError(found["FailureReason"])
            return found
        time.sleep(PAUSE)
    raise TimeoutError("After an hour it is not in service")


# [end: wait]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="made by create_component_endpoint.py")
    parser.add_argument("--component", required=True, help="and name of its model, made before")
    parser.add_argument("--cores", type=float, default=0.5, help="of each copy, 0.25 or more")
    parser.add_argument("--memory", type=int, default=1024, help="MB of each copy, 128 or more")
    parser.add_argument("--copies", type=int, default=1)
    given = parser.parse_args()
    name, cores, memory = given.component, given.cores, given.memory
    if cores < 0.25 or memory < 128 or given.copies < 0:
        parser.error("--cores: 0.25 or more; --memory: 128 or more; --copies: 0 or more")
    needs = {"NumberOfCpuCoresRequired": cores, "MinMemoryRequiredInMb": memory}
    try:
        sagemaker = boto3.client("sagemaker")
        create_component(sagemaker, given.endpoint, name, needs, given.copies)
        found = wait_until_settled(sagemaker, name)
    except (BotoCoreError, ClientError, RuntimeError, OSError, KeyboardInterrupt) as error:
        sys.exit(
            f"{' '.join(str(error).split()).rstrip('.') or 'Interrupted'}. The component {name} "
            "may be there, and hold instances that are billed: delete_components.py deletes it. "
            "Check the options, AWS_DEFAULT_REGION and rights."
        )
    count = found["RuntimeConfig"]["CurrentCopyCount"]
    print(f"{name}  {count} x {cores:g} cores and {memory} MB on {given.endpoint}")


if __name__ == "__main__":
    main()
