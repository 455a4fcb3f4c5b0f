"""Stop an endpoint's variant or an inference component from scaling, and delete its alarm."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

DIMENSIONS = {
    "endpoint": "sagemaker:variant:DesiredInstanceCount",
    "inference-component": "sagemaker:inference-component:DesiredCopyCount",
}


# [start: stop]
def stop_scaling(scaling: BaseClient, cloudwatch: BaseClient, resource: str) -> bool:
    """Deregister it, and with it all policies; False if it was not registered.

    (`application-autoscaling:DeregisterScalableTarget`, `cloudwatch:DeleteAlarms`.) The alarms of
    target tracking go by themselves, the alarm of the step policy does not.
    """
    kind, name = resource.split("/")[:2]
    cloudwatch.delete_alarms(AlarmNames=[f"{name}-wake"])  # no error if there is none
    try:
        scaling.deregister_scalable_target(
            ServiceNamespace="sagemaker", ResourceId=resource, ScalableDimension=DIMENSIONS[kind]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ObjectNotFoundException":
            raise
        return False
    return True


# [end: stop]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--endpoint")
    which.add_argument("--component", help="an inference component")
    parser.add_argument("--variant", default="AllTraffic", help="of the endpoint")
    given = parser.parse_args()
    resource = f"inference-component/{given.component}"
    if given.endpoint:
        resource = f"endpoint/{given.endpoint}/variant/{given.variant}"
    try:
        clients = boto3.client("application-autoscaling"), boto3.client("cloudwatch")
        stopped = stop_scaling(*clients, resource)
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. {resource} may still scale, or its alarm be there: check "
            "AWS_DEFAULT_REGION and rights, and run this again before the endpoint goes."
        )
    print(f"{resource}  " + ("scales no more" if stopped else "was not registered"))


if __name__ == "__main__":
    main()
