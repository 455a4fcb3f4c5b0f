"""A Lambda function that holds a small model itself: a logistic regression in a setting."""

import argparse
import json
import math
import os
import sys
from typing import Any


# [start: handler]
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The score of `event["row"]`, by the coefficients in the setting WEIGHTS.

    Raises ValueError if the row has more or fewer numbers than the model: Lambda counts it in the
    metric Errors of the version that answered.
    """
    weights = [float(weight) for weight in os.environ["WEIGHTS"].split(",")]
    row = event["row"]
    if len(row) != len(weights):
        raise ValueError(f"the model takes {len(weights)} numbers, the row has {len(row)}")
    # The logistic function 1 / (1 + exp(-total)), in a form that never overflows.
    total = sum(weight * value for weight, value in zip(weights, row, strict=True))
    version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "local")
    return {"version": version, "score": round((1 + math.tanh(total / 2)) / 2, 3)}


# [end: handler]


def main() -> None:
    parser = argparse.ArgumentParser(description="Try the handler without Lambda.")
    parser.add_argument("--event", required=True, help='JSON, such as {"row": [1, 2]}')
    arguments = parser.parse_args()
    try:
        answer = handler(json.loads(arguments.event), None)
    except (KeyError, TypeError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}. Check the setting WEIGHTS and the event.")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
