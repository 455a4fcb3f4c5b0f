"""Which operations of AWS the lab answers, counted in the code: moto's and its own.

S3 is not counted: its methods do not bear the names of the operations.
"""

import importlib
import inspect
import json

import boto3
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores

from awslab.extension import PATCHES, applied

# Service as boto3 knows it, and the module of moto that serves it.
SERVICES = {
    "sagemaker": "sagemaker",
    "sagemaker-runtime": "sagemakerruntime",
    "redshift": "redshift",
    "redshift-data": "redshiftdata",
    "athena": "athena",
    "cloudtrail": "cloudtrail",
    "cloudwatch": "cloudwatch",
    "logs": "logs",
    "application-autoscaling": "applicationautoscaling",
    "firehose": "firehose",
    "iam": "iam",
}


def answered(service: str, module: str) -> tuple[list[str], list[str]]:
    """The operations of a service that the lab answers, and those that it does not."""
    responses = importlib.import_module(f"moto.{module}.responses")
    classes = [
        value
        for value in vars(responses).values()
        if inspect.isclass(value)
        and issubclass(value, BaseResponse)
        and value.__module__ == responses.__name__
    ]
    here: list[str] = []
    missing: list[str] = []
    for operation in boto3.client(
        service, region_name="us-east-1"
    ).meta.service_model.operation_names:
        method = camelcase_to_underscores(operation)
        found = any(hasattr(owner, method) for owner in classes)
        (here if found else missing).append(operation)
    return here, missing


def counted() -> dict[str, dict[str, object]]:
    """Per service: all operations, answered ones, those the lab brings or changes, missing ones."""
    found: dict[str, dict[str, object]] = {}
    with applied():
        for service, module in SERVICES.items():
            here, missing = answered(service, module)
            patches = [patch for patch in PATCHES if patch.service == service]
            found[service] = {
                "all": len(here) + len(missing),
                "answered": len(here),
                "brought": len({p.operation for p in patches if p.adds}),
                "changed": len({p.operation for p in patches if not p.adds}),
                "missing": sorted(missing),
            }
    return found


def as_text() -> str:
    return json.dumps(counted(), indent=1) + "\n"
