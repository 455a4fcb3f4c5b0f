"""Change how many copies an inference component has; without copies it answers nobody."""

import argparse
import sys
import time
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE, LOOKS = 15.0, 240  # seconds between two looks, and how many: an hour


# [start: scale]
def scale(sagemaker: BaseClient, component: str, copies: int) -> dict[str, Any]:
    """The component once it has so many copies, as Describe shows it.

    (`sagemaker:UpdateInferenceComponentRuntimeConfig`, `DescribeInferenceComponent`.) Raises
    ClientError: it is being changed; RuntimeError: the copies do not fit; TimeoutError.
    """
    sagemaker.update_inference_component_runtime_config(
        InferenceComponentName=component, DesiredRuntimeConfig={"CopyCount": copies}
    )
    for _ in range(LOOKS):
        found = sagemaker.describe_inference_component(InferenceComponentName=component)
        if found["InferenceComponentStatus"] != "Updating":
            if "FailureReason" in found:
                raise RuntimeError(found["FailureReason"])
            return found
        time.sleep(PAUSE)
    raise TimeoutError("After an hour it is still being updated")


# [end: scale]


def instances(sagemaker: BaseClient, endpoint: str) -> int:
    """How many instances the endpoint has now (`sagemaker:DescribeEndpoint`)."""
    variant = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
    return variant["CurrentInstanceCount"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--component", required=True)
    parser.add_argument("--copies", type=int, required=True, help="0 or more")
    given = parser.parse_args()
    if given.copies < 0:
        parser.error("--copies: 0 or more")
    try:
        sagemaker = boto3.client("sagemaker")
        found = scale(sagemaker, given.component, given.copies)
        machines = instances(sagemaker, found["EndpointName"])
    except (BotoCoreError, ClientError, RuntimeError, OSError, KeyboardInterrupt) as error:
        sys.exit(
            f"{' '.join(str(error).split()).rstrip('.') or 'Interrupted'}. {given.component} may "
            "have other copies than before, or get them; its endpoint is billed by instances. "
            "Check the name and rights; while it is being updated, run this again in some minutes."
        )
    copies = found["RuntimeConfig"]["CurrentCopyCount"]
    print(f"{given.component}  copies {copies}, instances of {found['EndpointName']} {machines}")


if __name__ == "__main__":
    main()
