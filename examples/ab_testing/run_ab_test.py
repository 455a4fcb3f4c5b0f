"""Send labelled rows to an endpoint of several variants, and note who answered, and whether right.

The endpoint draws the variant of each request; the answer names it.
"""

import argparse
import contextlib
import random
import sys
from collections import Counter
from pathlib import Path

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError


def read_rows(path: Path) -> list[tuple[int, str]]:
    """Label (0 or 1) and features of each line. Raises OSError, or ValueError: no such lines."""
    lines = [line.partition(",")[::2] for line in path.read_text(encoding="utf-8").split()]
    if not lines or any(label not in ("0", "1") or not features for label, features in lines):
        raise ValueError(f"{path} is not a CSV file with a label of 0 or 1 in each line")
    return [(int(label), features) for label, features in lines]


# [start: ask]
def ask(runtime: BaseClient, endpoint: str, features: str, target: str | None) -> tuple[str, int]:
    """The variant that answered, and the class it predicts (`sagemaker:InvokeEndpoint`).

    target: the variant that has to answer, whatever the weights; None has the endpoint draw.
    Raises ClientError; if its code is ModelError, it does not say which variant failed.
    """
    chosen = {"TargetVariant": target} if target else {}
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=features, **chosen
    )
    return answer["InvokedProductionVariant"], int(float(answer["Body"].read()) >= 0.5)


# [end: ask]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--file", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--requests", type=int, required=True, help="as many as were planned")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of rows")
    parser.add_argument("--target", help="variant for all requests, to try it: no A/B test")
    parser.add_argument("--log", type=Path, help="file to which `variant,right` is appended")
    arguments = parser.parse_args()
    endpoint, log, dice = arguments.endpoint, arguments.log, random.Random(arguments.seed)
    if arguments.requests < 1:
        parser.error("--requests: 1 or more")
    asked, right = Counter[str](), Counter[str]()
    try:
        rows = read_rows(arguments.file)
        runtime = boto3.client("sagemaker-runtime")
        with contextlib.ExitStack() as stack:
            book = stack.enter_context(log.open("a", encoding="utf-8")) if log else None
            for label, features in dice.choices(rows, k=arguments.requests):
                variant, predicted = ask(runtime, endpoint, features, arguments.target)
                asked[variant] += 1
                right[variant] += predicted == label
                if book:  # at once: a test that is interrupted goes on where it stood
                    print(f"{variant},{int(predicted == label)}", file=book, flush=True)
    except (OSError, ValueError, BotoCoreError, ClientError, KeyboardInterrupt) as error:
        kept = f", and are in {log}" if log else ""
        sys.exit(
            f"{str(error).rstrip('.') or 'Interrupted'}. {asked.total()} requests were answered"
            f"{kept}. Check the file, the endpoint {endpoint}, its variants and its log."
        )
    for variant in sorted(asked):
        share = asked[variant] / asked.total()
        rate = right[variant] / asked[variant]
        print(f"{variant}  {asked[variant]} requests ({share:.2f})  {rate:.3f} right")


if __name__ == "__main__":
    main()
