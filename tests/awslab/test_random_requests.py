"""Random requests, right and wrong, to every operation that the lab brings or changes.

They are drawn from the service's own model: most fit it, some break a constraint, a type, or leave
a required member out; names come from a small pool, so that requests meet what others have made.
Whatever comes, the lab answers as AWS does: a result, or an error with a code and a message, never
a crash. `make random REQUESTS=1000` sends a thousand to each operation; the tests send a few.
"""

import json
import os
import string
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from awslab.embedded import embedded_lab
from awslab.extension import PATCHES
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

REQUESTS = int(os.environ.get("REQUESTS", "15"))
NAMES = ["shop", "shop-v2", "churn", "none", "a" * 63]
KNOWN = {
    "RoleArn": "arn:aws:iam::111122223333:role/SageMakerExecutionRole",
    "ExecutionRoleArn": "arn:aws:iam::111122223333:role/SageMakerExecutionRole",
    "InstanceType": "ml.m5.large",
    "NodeType": "ra3.xlplus",
    "VariantName": "AllTraffic",
    "TrainingImage": "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0",
    "Image": "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com/sagemaker-xgboost:3.2-0",
    "S3Uri": "s3://amzn-s3-demo-bucket/data",
    "Sql": "SELECT 1",
    "QueryString": "SELECT 1",
}
ODD = ["", " ", "あ", "\u0000", "a" * 3000, "'; DROP TABLE x; --", "../../etc", "{}", "null", "-1"]


def extended() -> list[tuple[str, str]]:
    """Service and operation of every patch that stands for one operation of the API."""
    patched: dict[str, set[str]] = defaultdict(set)
    for patch in PATCHES:
        patched[patch.service] |= set(patch.operation.split("`, `"))
    # Given any keys, botocore does not look for some in the network.
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    services = patched.keys() & set(session.get_available_services())
    return sorted(
        (service, operation)
        for service in services
        for operation in session.client(service).meta.service_model.operation_names
        if operation in patched[service]
    )


def values(shape: Shape, name: str = "", depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape; about one in ten breaks a constraint."""
    right = fitting(shape, name, depth)
    return st.one_of(*[right] * 9, breaking(shape))


def fitting(shape: Any, name: str, depth: int) -> st.SearchStrategy[Any]:
    kind, limits = shape.type_name, shape.metadata
    if kind == "structure":
        return structures(shape, depth)
    if kind == "list":
        most = min(int(limits.get("max") or 3), int(limits.get("min") or 0) + 2)
        return st.lists(
            values(shape.member, name, depth + 1),
            min_size=int(limits.get("min") or 0),
            max_size=most,
        )
    if kind == "map":
        return st.dictionaries(
            values(shape.key, "", depth + 1), values(shape.value, "", depth + 1), max_size=2
        )
    if kind == "string":
        return texts(shape, name)
    if kind in ("integer", "long"):
        least = int(float(limits.get("min") or 0))
        return st.integers(least, int(min(float(limits.get("max") or least + 5000), 2**31 - 1)))
    if kind in ("float", "double"):
        return st.sampled_from([0.0, 0.1, 1.0, 50.0])
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return st.just(datetime(2026, 11, 21, tzinfo=UTC))
    return st.binary(max_size=20)


def structures(shape: Any, depth: int) -> st.SearchStrategy[Any]:
    required = {n: values(shape.members[n], n, depth + 1) for n in shape.required_members}
    others = {n: m for n, m in shape.members.items() if n not in required}
    if depth > 4 or not others:
        return st.fixed_dictionaries(required)
    some = st.sets(st.sampled_from(sorted(others)), max_size=3 if depth else 6)
    chosen = some.flatmap(
        lambda names: st.fixed_dictionaries(
            {n: values(others[n], n, depth + 1) for n in sorted(names)}
        )
    )
    return st.tuples(st.fixed_dictionaries(required), chosen).map(lambda both: both[0] | both[1])


def texts(shape: Any, name: str) -> st.SearchStrategy[str]:
    if shape.enum:
        return st.sampled_from(shape.enum)
    if name in KNOWN:
        return st.just(KNOWN[name])
    arn = "arn:aws:sagemaker:ap-northeast-1:111122223333:"
    pool = [*NAMES, *NAMES, *NAMES, "s3://amzn-s3-demo-bucket/key", arn + "endpoint/shop", "1"]
    letters = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=20)
    return st.one_of(st.sampled_from(pool), st.sampled_from(pool), letters)


def breaking(shape: Any) -> st.SearchStrategy[Any]:
    if shape.type_name == "string":
        return st.sampled_from(ODD)
    if shape.type_name in ("integer", "long"):
        return st.sampled_from([-1, 0, 2**31 - 1, -(2**31)])
    if shape.type_name in ("float", "double"):
        return st.sampled_from([-1.0, 1e308])
    if shape.type_name == "list":
        return st.just([])
    if shape.type_name in ("structure", "map"):
        return st.just({})
    return fitting(shape, "", 9)


def wild(request: Any) -> st.SearchStrategy[Any]:
    """The request, or the same with one member of another type."""
    if not isinstance(request, dict) or not request:
        return st.just(request)
    other: st.SearchStrategy[Any] = st.sampled_from(
        [None, True, 5, 1.5, "text", [], {}, [5], {"a": {"b": []}}]
    )
    changed = st.tuples(st.sampled_from(sorted(request)), other).map(
        lambda pair: request | {pair[0]: pair[1]}
    )
    return st.one_of(*[st.just(request)] * 5, changed)


@pytest.fixture(scope="module")
def one_lab() -> Iterator[None]:
    """One lab for all operations: what one makes, the others meet."""
    with embedded_lab():
        s3 = boto3.client("s3")
        where = {"LocationConstraint": "ap-northeast-1"}
        s3.create_bucket(Bucket="amzn-s3-demo-bucket", CreateBucketConfiguration=where)
        s3.put_object(Bucket="amzn-s3-demo-bucket", Key="data/train.csv", Body=b"1,2\n0,1\n")
        yield


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("service", "operation"), extended(), ids=lambda part: part)
def test_any_request_gets_an_answer(one_lab: None, service: str, operation: str) -> None:
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    client = boto3.client(service, config=config)
    model = client.meta.service_model
    shape = model.operation_model(operation).input_shape
    by_json = model.metadata["protocol"] == "json"
    requests = values(shape) if shape else st.just({})
    if by_json:
        requests = requests.flatmap(wild)

    @settings(
        max_examples=REQUESTS,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(requests)
    def send(request: Any) -> None:
        sent = []

        def raw(params: dict[str, Any], **_: Any) -> None:
            if by_json:
                params["body"] = json.dumps(request, default=str).encode()
            sent.append(True)

        client.meta.events.register_last("before-call", raw, unique_id="raw")
        try:
            client._make_api_call(operation, {} if by_json else request)
        except ClientError as error:
            answer = error.response
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            assert 400 <= status < 500, answer
            assert answer["Error"]["Code"] and answer["Error"].get("Message"), answer
        except Exception:
            if sent:  # otherwise botocore could not write it as a request of this protocol
                raise
        finally:
            client.meta.events.unregister("before-call", unique_id="raw")

    send()
