"""Keep each user on one variant: the caller chooses it by a hash of the user's ID."""

import argparse
import hashlib
import sys
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def read_weights(sagemaker: BaseClient, endpoint: str) -> dict[str, float]:
    """The present weight of each variant (`sagemaker:DescribeEndpoint`)."""
    variants = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return dict(sorted((v["VariantName"], v["CurrentWeight"]) for v in variants))


# [start: assign]
def assign(user: str, test: str, weights: dict[str, float]) -> str:
    """The variant of a user: always the same in one test, and another draw in the next test.

    A greater weight of the last variant moves users to it, and nobody away from it.
    """
    digest = hashlib.sha256(f"{test}:{user}".encode()).digest()
    point = int.from_bytes(digest[:8]) / 2**64 * sum(weights.values())
    for variant, weight in weights.items():
        if point < weight:
            return variant
        point -= weight
    return next(reversed(weights))  # only if rounding went beyond the last


# [end: assign]


def invoke(runtime: BaseClient, endpoint: str, body: str, **target: str) -> str:
    """The variant that answered (`sagemaker:InvokeEndpoint`); TargetVariant overrides weights."""
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=body, **target
    )
    return answer["InvokedProductionVariant"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--test", required=True, help="its name: a part of what is hashed")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--requests", type=int, default=3, help="of each user")
    arguments = parser.parse_args()
    endpoint, count = arguments.endpoint, arguments.users
    if min(count, arguments.requests) < 1:
        parser.error("--users and --requests: 1 or more")
    try:
        lines = arguments.file.read_text(encoding="utf-8").split()
        bodies = [line.partition(",")[2] for line in lines[: arguments.requests]]
        if len(bodies) < arguments.requests:
            sys.exit(f"{arguments.file} has {len(bodies)} rows: give a longer file.")
        sagemaker, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
        weights = read_weights(sagemaker, endpoint)
        users = {f"user-{number}": set[str]() for number in range(count)}
        drawn = {user: {invoke(runtime, endpoint, body) for body in bodies} for user in users}
        for user, met in users.items():
            variant = assign(user, arguments.test, weights)
            met |= {invoke(runtime, endpoint, body, TargetVariant=variant) for body in bodies}
    except (OSError, UnicodeDecodeError, BotoCoreError, ClientError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. Nothing was changed. Check the file, the "
            f"endpoint {endpoint}, AWS_DEFAULT_REGION and credentials."
        )
    for how, sets in (("weights", drawn), ("hash", users)):
        both = sum(len(met) > 1 for met in sets.values())
        print(f"variant by {how}: {both} of {count} users met more than one variant")
    for variant in weights:
        print(f"{variant}  {sum(met == {variant} for met in users.values())} users by hash")


if __name__ == "__main__":
    main()
