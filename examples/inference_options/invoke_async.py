"""Put a request into the queue of an asynchronous endpoint, and wait for the answer in S3."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

INLINE = 128_000  # bytes that a request can carry itself
PAUSE, LOOKS = 10.0, 180  # seconds between two looks, and how many


# [start: invoke]
def invoke(runtime: BaseClient, endpoint: str, request: str, **given: Any) -> dict[str, Any]:
    """Queue a request; the answer says where the result or the failure is going to be.

    (`sagemaker:InvokeEndpointAsync`.) given: InputLocation in S3, or Body of 128,000 bytes at most.
    """
    return runtime.invoke_endpoint_async(
        EndpointName=endpoint, InferenceId=request, ContentType="text/csv", **given
    )


# [end: invoke]


# [start: wait]
def wait_for_result(
    sagemaker: BaseClient, s3: BaseClient, endpoint: str, places: dict[str, Any]
) -> tuple[bool, str]:
    """Whether it is an answer, and what it or the failure says.

    (`s3:ListBucket`, `GetObject`; `sagemaker:DescribeEndpoint`.) Raises TimeoutError.
    """
    for look in range(LOOKS):
        for member in ("OutputLocation", "FailureLocation"):
            bucket, _, key = places[member].removeprefix("s3://").partition("/")
            if s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
                found = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
                return member == "OutputLocation", found.strip()
        variant = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
        if not look and not variant["CurrentInstanceCount"]:
            print(f"{endpoint} has no instance: the request waits in the queue", flush=True)
        time.sleep(PAUSE)
    raise TimeoutError("No answer yet")


# [end: wait]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--id", required=True, help="of the request; a new one for each")
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--bucket", help="for the input; without it, the request carries it")
    parser.add_argument("--keep-label", action="store_true", help="a mistake, to see the failure")
    given = parser.parse_args()
    first, key = int(not given.keep_label), f"async/in/{given.id}.csv"
    try:
        lines = given.file.read_text(encoding="utf-8").splitlines()[: max(given.rows, 0)]
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{error}. Name a CSV file, such as the validation.csv of write_data.py.")
    body = "\n".join(",".join(line.split(",")[first:]) for line in lines).encode()
    if not body or (len(body) > INLINE and not given.bucket):
        sys.exit(f"{len(body)} bytes: a request carries 1 to {INLINE}; more with --bucket.")
    advice = f"Check the names, rights and the log /aws/sagemaker/Endpoints/{given.endpoint}."
    left = f"{key} may be left in {given.bucket}. " * bool(given.bucket)
    try:
        runtime, s3, sagemaker = map(boto3.client, ("sagemaker-runtime", "s3", "sagemaker"))
        source: dict[str, Any] = {"Body": body}
        if given.bucket:
            s3.put_object(Bucket=given.bucket, Key=key, Body=body)
            source = {"InputLocation": f"s3://{given.bucket}/{key}"}
        places = invoke(runtime, given.endpoint, given.id, **source)
        left += f"The result may come to {places['OutputLocation']}. "
        fine, said = wait_for_result(sagemaker, s3, given.endpoint, places)
    except (BotoCoreError, ClientError, OSError, KeyboardInterrupt) as error:
        sys.exit(f"{str(error).rstrip('.') or 'Interrupted'}. {left}{advice}")
    if not fine:
        sys.exit(f"{places['FailureLocation']}: {' '.join(said.split())} {advice}")
    print(f"{places['OutputLocation']}\n{said}")


if __name__ == "__main__":
    main()
