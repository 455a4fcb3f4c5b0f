"""Change how two variants share the traffic, without another endpoint configuration."""

import argparse
import sys

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def parse_weight(text: str) -> tuple[str, float]:
    """`v2=0.5`. Raises ValueError: it is something else, or the weight is below 0."""
    name, _, weight = text.partition("=")
    if not name or not float(weight) >= 0:
        raise ValueError(text)
    return name, float(weight)


# [start: change]
def change_weights(sagemaker: BaseClient, endpoint: str, weights: dict[str, float]) -> dict:
    """Set the weights, wait until the endpoint is in service again, and return what it is then.

    Stands on `sagemaker:UpdateEndpointWeightsAndCapacities` and, to wait, `DescribeEndpoint`.
    Raises ClientError: no such endpoint or variant, or it is being changed.
    """
    changes = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=changes
    )
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    return sagemaker.describe_endpoint(EndpointName=endpoint)


# [end: change]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument(
        "--weights", nargs="+", type=parse_weight, required=True, metavar="VARIANT=WEIGHT"
    )
    arguments = parser.parse_args()
    endpoint, weights = arguments.endpoint, dict(arguments.weights)
    try:
        after = change_weights(boto3.client("sagemaker"), endpoint, weights)
    except (BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. {endpoint} may have its old weights or "
            "the new ones: see CurrentWeight in `aws sagemaker describe-endpoint`, run this again."
        )
    current = {v["VariantName"]: v["CurrentWeight"] for v in after["ProductionVariants"]}
    total = sum(current.values())
    for name, weight in current.items():
        share = weight / total if total else 1 / len(current)
        print(f"{name}  weight {weight:g}  {share:.0%} of the requests")
    print(f"{endpoint}  still with the configuration {after['EndpointConfigName']}")
    if wrong := [name for name, weight in weights.items() if current.get(name) != weight]:
        sys.exit(f"{', '.join(wrong)} did not take the new weight: see the events of {endpoint}.")


if __name__ == "__main__":
    main()
