"""Ask inference components of an endpoint for predictions, and wait for those at zero if wanted."""

import argparse
import sys
import time
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE, LOOKS = 15.0, 120  # seconds between two tries, and how many: half an hour


# [start: invoke]
def invoke(runtime: BaseClient, endpoint: str, component: str, body: str) -> str:
    """The answer of one component (`sagemaker:InvokeEndpoint`).

    Raises ClientError; a ValidationError that speaks of capacity if the component has no copies.
    """
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, InferenceComponentName=component, ContentType="text/csv", Body=body
    )
    return answer["Body"].read().decode().strip()


# [end: invoke]


# [start: wake]
def invoke_awake(
    clients: tuple[BaseClient, BaseClient], endpoint: str, component: str, body: str
) -> str:
    """The same, again and again until there are copies: each try that fails is counted by the
    metric that wakes the component (`sagemaker:DescribeInferenceComponent`)."""
    sagemaker, runtime = clients
    for look in range(LOOKS):
        try:
            return invoke(runtime, endpoint, component, body)
        except ClientError as error:
            if "no capacity" not in error.response["Error"]["Message"] or look == LOOKS - 1:
                raise
        found = sagemaker.describe_inference_component(InferenceComponentName=component)
        if not look:
            copies = found["RuntimeConfig"]["CurrentCopyCount"]
            print(f"{component} has {copies} copies: trying again", flush=True)
        time.sleep(PAUSE)
    return ""


# [end: wake]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--components", nargs="+", required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--wait", action="store_true", help="until the components have copies")
    given = parser.parse_args()
    try:
        row = given.file.read_text(encoding="utf-8").partition("\n")[0].partition(",")[2]
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{error}. Name a CSV file, such as the validation.csv of write_data.py.")
    if not row:
        sys.exit(f"{given.file} has no first row with features: there is nothing to ask.")
    try:
        clients = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
        for name in given.components:
            if given.wait:
                said = invoke_awake(clients, given.endpoint, name, row)
            else:
                said = invoke(clients[1], given.endpoint, name, row)
            print(f"{name}  {float(said):.4f}")
    except (BotoCoreError, ClientError, ValueError, KeyboardInterrupt) as error:
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. Check the names, AWS_DEFAULT_REGION and "
            f"rights. Of {', '.join(given.components)} those without copies may come to have some."
        )


if __name__ == "__main__":
    main()
