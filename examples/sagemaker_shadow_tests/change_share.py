"""Change how many of the requests a running shadow test copies to the shadow variant."""

import argparse
import sys
import time

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PAUSE, LOOKS = 20, 90  # seconds between two looks, and how many: half an hour


# [start: change]
def change_share(sagemaker: BaseClient, name: str, share: int) -> int:
    """Set the share in percent and wait until it is read back; returns the one before.

    (`sagemaker:DescribeInferenceExperiment`, `UpdateInferenceExperiment`.) Raises ClientError: the
    experiment is neither Created nor Running; RuntimeError: it ended, or kept another share.
    """
    mode = sagemaker.describe_inference_experiment(Name=name)["ShadowModeConfig"]
    shadow = mode["ShadowModelVariants"][0]
    before = shadow["SamplingPercentage"]
    shadow["SamplingPercentage"] = share
    sagemaker.update_inference_experiment(Name=name, ShadowModeConfig=mode)
    for _ in range(LOOKS):  # the first look may still meet the state before the update
        found = sagemaker.describe_inference_experiment(Name=name)
        status = found["Status"]
        now = found["ShadowModeConfig"]["ShadowModelVariants"][0]["SamplingPercentage"]
        if status in ("Created", "Running") and now == share:
            return before
        if status in ("Stopping", "Completed", "Cancelled"):
            break
        time.sleep(PAUSE)
    raise RuntimeError(f"{name} is {status} with {now} %, not Running with {share} %")


# [end: change]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="of the experiment")
    parser.add_argument("--share", type=int, required=True, help="percent of the requests")
    arguments = parser.parse_args()
    name, share = arguments.name, arguments.share
    if not 0 <= share <= 100:
        parser.error("--share: 0 to 100")
    left = f"{name} may have the old share or the new one. Unless it has ended, it goes on."
    try:
        before = change_share(boto3.client("sagemaker"), name, share)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. {left}")
    except (BotoCoreError, ClientError, RuntimeError) as error:
        sys.exit(f"{str(error).rstrip('.')}. {left} Check the name and AWS_DEFAULT_REGION.")
    print(f"{name}: {before} % -> {share} % of the requests")


if __name__ == "__main__":
    main()
