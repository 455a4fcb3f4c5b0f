"""What bare moto does with requests that no service would take, and with its own record of them."""

import boto3
import moto.core.errors
import pytest
from awslab.calls import CALLS
from botocore.config import Config
from botocore.retries.standard import TransientRetryableChecker
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import create_backend_app

from contracts.gaps import gap

LOOSE = Config(parameter_validation=False, retries={"max_attempts": 1})


@gap("all:*", "checks few of the constraints that a service's model states")
def test_a_name_against_the_pattern_is_taken(bare_moto: None) -> None:
    client = boto3.client("sagemaker", config=LOOSE)
    role = "arn:aws:iam::111122223333:role/any"
    client.create_model(ModelName="no_name!", ExecutionRoleArn=role)


def answer_of_the_server(target: str, body: bytes) -> int:
    application = create_backend_app("sagemaker")
    application.config["PROPAGATE_EXCEPTIONS"] = False  # as werkzeug serves it
    headers = {"X-Amz-Target": f"SageMaker.{target}", "Content-Type": "application/x-amz-json-1.1"}
    return application.test_client().post("/", headers=headers, data=body).status_code


@gap("all:*", "takes a malformed body for an empty one")
def test_a_malformed_body_is_an_empty_one(bare_moto: None) -> None:
    assert answer_of_the_server("ListModels", b"{") == 200


@gap("all:*", "crashes at a body of another shape")
def test_a_body_of_another_shape_is_a_crash(bare_moto: None) -> None:
    assert answer_of_the_server("ListModels", b"[]") == 500


@gap("all:operations that moto lacks", "crashes with `NotImplementedError`")
def test_an_operation_that_moto_lacks_is_a_crash(bare_moto: None) -> None:
    with pytest.raises(NotImplementedError):
        boto3.client("sagemaker").list_hubs()


@gap("all:operations that moto lacks", "its server answers 500", "which every SDK retries")
def test_its_server_answers_500(bare_moto: None) -> None:
    status = answer_of_the_server("ListHubs", b"{}")
    assert status == 500 and status in TransientRetryableChecker()._transient_status_codes


@gap("all:errors", "warns of codes that every service may answer")
def test_a_common_code_is_a_warning() -> None:
    error = type("Odd", (Exception,), {"code": "SerializationException"})()
    with pytest.warns(UserWarning, match="does not match an error shape"):
        moto.core.errors.get_error_model(error, get_service_model("sagemaker"))


@gap("s3:requests for buckets", "tells nobody which call it served")
@gap("s3:requests for objects", "tells nobody which call it served")
def test_a_call_leaves_no_trace(bare_moto: None) -> None:
    CALLS.clear()
    boto3.client("s3").list_buckets()
    assert not CALLS


@gap("moto-api:reset", "forgets its own backends only")
def test_its_reset_knows_nothing_of_the_lab(bare_moto: None) -> None:
    from awslab import extension

    extension.RESETS.append(lambda: pytest.fail("the lab was asked"))
    try:
        from moto.moto_api._internal.models import moto_api_backend

        moto_api_backend.reset()
    finally:
        extension.RESETS.pop()
