"""Endpoints: states, what Describe and List show, weights and capacities, the end of them."""

import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from awslab.clock import CLOCK
from awslab.services.sagemaker import endpoints, hosting
from awslab.services.sagemaker.endpoints import Endpoint, find_endpoint
from botocore.client import BaseClient
from botocore.exceptions import ClientError, WaiterError
from moto.sagemaker.models import sagemaker_backends

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
REGISTRY = f"354813040037.dkr.ecr.{REGION}.amazonaws.com"
IMAGE = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
BUCKET = "amzn-s3-demo-bucket"
SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5, "ProvisionedConcurrency": 2}

Request = dict[str, Any]


class Server:
    """Instead of a real model server: it needs no time, and fails if the model's name says so."""

    running: ClassVar[list["Server"]] = []
    ready_now: ClassVar[bool] = True

    def __init__(self, backend: Any, model_name: str) -> None:
        self.failure = f"The model {model_name} is broken." if "broken" in model_name else None
        Server.running.append(self)

    def ready(self, seconds: float) -> bool:
        return Server.ready_now

    def end(self) -> None:
        if self in Server.running:
            Server.running.remove(self)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Model servers that are no processes."""
    monkeypatch.setattr(hosting, "ModelServer", Server)
    monkeypatch.setattr(Server, "running", [])
    monkeypatch.setattr(Server, "ready_now", True)
    yield
    CLOCK.run(None)


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient], quick: None) -> BaseClient:
    """A client, models v1, v2 and broken, and for each a configuration of its name."""
    made = client("sagemaker")
    prepare(made)
    return made


@pytest.fixture
def frozen(sagemaker: BaseClient) -> BaseClient:
    """The same; time moves by CLOCK.advance only."""
    CLOCK.run(0)
    return sagemaker


def prepare(sagemaker: BaseClient) -> None:
    for name in ("v1", "v2", "broken"):
        container = {"Image": IMAGE}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        configure(sagemaker, name, variant(model=name))


def variant(name: str = "AllTraffic", model: str = "v1", count: int = 2, **more: Any) -> Request:
    hosted = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count}
    return {"VariantName": name, "ModelName": model} | hosted | more


def configure(sagemaker: BaseClient, name: str, *variants: Request, **more: Any) -> None:
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=list(variants), **more
    )


def create(sagemaker: BaseClient, name: str = "shop", config: str = "v1", **more: Any) -> str:
    made = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
    return str(made["EndpointArn"])


def serving(sagemaker: BaseClient, name: str = "shop", config: str = "v1", **more: Any) -> None:
    """Create an endpoint and wait until it is in service."""
    create(sagemaker, name, config, **more)
    if not CLOCK.instant:
        CLOCK.advance(endpoints.PROVISIONING)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)


def described(sagemaker: BaseClient, name: str = "shop") -> Request:
    answer: Request = sagemaker.describe_endpoint(EndpointName=name)
    return answer


def status(sagemaker: BaseClient, name: str = "shop") -> str:
    return str(described(sagemaker, name)["EndpointStatus"])


def found(name: str = "shop", region: str = REGION) -> Endpoint:
    endpoint = find_endpoint(sagemaker_backends[ACCOUNT][region], name)
    assert endpoint
    return endpoint


def refusal(call: Callable[[], Any]) -> str:
    """The message of a ValidationException."""
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(refused.value.response["Error"]["Message"])


IN_PROGRESS = f'Cannot update in-progress endpoint "{PREFIX}:endpoint/shop".'
MISSING = f'Could not find endpoint "{PREFIX}:endpoint/shop".'


# --- creating -------------------------------------------------------------------------------------


def test_each_look_meets_the_next_state(sagemaker: BaseClient) -> None:
    assert create(sagemaker) == f"{PREFIX}:endpoint/shop"
    assert [status(sagemaker) for _ in range(3)] == ["Creating", "InService", "InService"]


def test_the_waiter_sees_it_in_service(sagemaker: BaseClient) -> None:
    create(sagemaker)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    assert status(sagemaker) == "InService"


def test_creating_lasts_three_minutes_of_the_clock(frozen: BaseClient) -> None:
    create(frozen)
    CLOCK.advance(179)
    assert status(frozen) == "Creating"
    CLOCK.advance(1)
    assert found().status == "InService"  # by the tick, without a look
    answer = described(frozen)
    assert answer["LastModifiedTime"] - answer["CreationTime"] == timedelta(seconds=180)


def test_it_is_not_in_service_before_its_models_are_loaded(frozen: BaseClient) -> None:
    Server.ready_now = False
    create(frozen)
    CLOCK.advance(3600)
    assert status(frozen) == "Creating"
    Server.ready_now = True
    assert status(frozen) == "InService"


def test_a_model_that_does_not_load_fails_it(sagemaker: BaseClient) -> None:
    create(sagemaker, config="broken")
    with pytest.raises(WaiterError) as failed:
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    answer = failed.value.last_response
    assert answer["EndpointStatus"] == "Failed"
    assert answer["FailureReason"] == "The model broken is broken."
    assert "PendingDeploymentSummary" not in answer and "ProductionVariants" not in answer
    assert found().take_traffic() == [] and Server.running == []


def test_a_failed_endpoint_can_only_be_deleted(sagemaker: BaseClient) -> None:
    create(sagemaker, config="broken")
    assert [status(sagemaker) for _ in range(2)] == ["Creating", "Failed"]
    update = sagemaker.update_endpoint
    assert refusal(lambda: update(EndpointName="shop", EndpointConfigName="v1")) == (
        f'Cannot update endpoint "{PREFIX}:endpoint/shop" with status Failed; delete it.'
    )
    assert refusal(lambda: create(sagemaker)) == (
        f'Cannot create already existing endpoint "{PREFIX}:endpoint/shop".'
    )
    sagemaker.delete_endpoint(EndpointName="shop")
    assert status(sagemaker) == "Deleting"
    assert refusal(lambda: described(sagemaker)) == MISSING


def test_a_name_is_taken_once(sagemaker: BaseClient) -> None:
    create(sagemaker)
    assert refusal(lambda: create(sagemaker, config="v2")) == (
        f'Cannot create already existing endpoint "{PREFIX}:endpoint/shop".'
    )
    assert described(sagemaker)["EndpointConfigName"] == "v1"


def test_parallel_calls_make_one(sagemaker: BaseClient) -> None:
    made: list[str] = []

    def attempt() -> None:
        try:
            made.append(create(sagemaker))
        except ClientError as refused:
            made.append(refused.response["Error"]["Code"])

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == ["ValidationException"] * 7 + [f"{PREFIX}:endpoint/shop"]
    assert len(Server.running) == 1


def test_what_it_needs_must_exist(sagemaker: BaseClient) -> None:
    assert refusal(lambda: create(sagemaker, config="nope")) == (
        f'Could not find endpoint configuration "{PREFIX}:endpoint-config/nope".'
    )
    sagemaker.delete_model(ModelName="v1")
    assert refusal(lambda: create(sagemaker)) == f'Could not find model "{PREFIX}:model/v1".'
    assert sagemaker.list_endpoints()["Endpoints"] == [] and Server.running == []


def test_another_region_and_account_have_their_own(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    create(sagemaker)
    elsewhere = client("sagemaker", "us-east-1")
    assert refusal(lambda: described(elsewhere)) == (
        f'Could not find endpoint "arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/shop".'
    )
    role = "arn:aws:iam::444455556666:role/Other"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="other")["Credentials"]
    other = boto3.client(
        "sagemaker",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert other.list_endpoints()["Endpoints"] == []
    assert refusal(lambda: create(other)) == (
        "Could not find endpoint configuration "
        f'"arn:aws:sagemaker:{REGION}:444455556666:endpoint-config/v1".'
    )


# --- what Describe shows --------------------------------------------------------------------------


def test_while_it_is_created_the_variants_are_pending(sagemaker: BaseClient) -> None:
    create(sagemaker)
    answer = described(sagemaker)
    assert "ProductionVariants" not in answer
    pending = answer["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == answer["EndpointConfigName"] == "v1"
    assert pending["StartTime"] == answer["CreationTime"]
    [shown] = pending["ProductionVariants"]
    [happens] = shown["VariantStatus"]
    assert (happens["Status"], happens["StatusMessage"]) == ("Creating", "Launching 2 instance(s).")
    assert (shown["CurrentInstanceCount"], shown["DesiredInstanceCount"]) == (0, 2)
    assert shown["InstanceType"] == "ml.m5.large"


def test_in_service_it_shows_everything(sagemaker: BaseClient) -> None:
    capture = {
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": f"s3://{BUCKET}/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    routing = {"RoutingStrategy": "RANDOM"}
    policy = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "any"}]}}
    configure(
        sagemaker,
        "full",
        variant(RoutingConfig=routing),
        ShadowProductionVariants=[variant("Shadow", "v2", count=1, InitialVariantWeight=0.5)],
        DataCaptureConfig=capture,
        MetricsConfig={"EnableEnhancedMetrics": True},
    )
    serving(sagemaker, config="full", DeploymentConfig=policy)
    answer = described(sagemaker)
    [shown], [shadow] = answer.pop("ProductionVariants"), answer.pop("ShadowProductionVariants")
    [image] = shown["DeployedImages"]
    digest = image.pop("ResolvedImage").removeprefix(f"{REGISTRY}/sagemaker-xgboost@sha256:")
    assert len(digest) == 64 and int(digest, 16)
    assert image["SpecifiedImage"] == IMAGE
    assert image["ResolutionTime"] >= answer["CreationTime"]
    assert shown == {
        "VariantName": "AllTraffic",
        "DeployedImages": [image],
        "CurrentWeight": 1.0,
        "DesiredWeight": 1.0,
        "CurrentInstanceCount": 2,
        "DesiredInstanceCount": 2,
        "RoutingConfig": routing,
    }
    assert shadow["VariantName"] == "Shadow"
    assert (shadow["CurrentWeight"], shadow["CurrentInstanceCount"]) == (0.5, 1)
    del answer["ResponseMetadata"], answer["CreationTime"], answer["LastModifiedTime"]
    assert answer == {
        "EndpointName": "shop",
        "EndpointArn": f"{PREFIX}:endpoint/shop",
        "EndpointConfigName": "full",
        "EndpointStatus": "InService",
        "LastDeploymentConfig": policy,
        "MetricsConfig": {"EnableEnhancedMetrics": True},
        "DataCaptureConfig": {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": 20,
            "DestinationS3Uri": f"s3://{BUCKET}/capture",
            "KmsKeyId": "",
        },
    }


def test_serverless_asynchronous_pools_and_stopped_capture(sagemaker: BaseClient) -> None:
    serverless = {"VariantName": "V", "ModelName": "v1", "ServerlessConfig": SERVERLESS}
    configure(sagemaker, "serverless", serverless)
    asynchronous = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/async"}}
    pools = [
        {"InstanceType": "ml.g6.xlarge", "Priority": 2},
        {"InstanceType": "ml.g5.xlarge", "Priority": 1},
    ]
    pooled = {k: v for k, v in variant(InstancePools=pools).items() if k != "InstanceType"}
    capture = {
        "EnableCapture": False,
        "InitialSamplingPercentage": 0,
        "DestinationS3Uri": f"s3://{BUCKET}/capture",
        "CaptureOptions": [{"CaptureMode": "Output"}],
        "KmsKeyId": "alias/shop",
    }
    configure(
        sagemaker, "queue", pooled, AsyncInferenceConfig=asynchronous, DataCaptureConfig=capture
    )
    serving(sagemaker, "one", "serverless")
    serving(sagemaker, "two", "queue")
    [shown] = described(sagemaker, "one")["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == SERVERLESS
    assert shown["CurrentInstanceCount"] == 0
    assert not {"DesiredInstanceCount", "DesiredServerlessConfig"} & set(shown)
    answer = described(sagemaker, "two")
    assert answer["AsyncInferenceConfig"] == asynchronous
    assert answer["DataCaptureConfig"]["CaptureStatus"] == "Stopped"
    assert answer["DataCaptureConfig"]["KmsKeyId"] == "alias/shop"
    assert answer["ProductionVariants"][0]["InstancePools"] == [
        {"InstanceType": "ml.g5.xlarge", "CurrentInstanceCount": 2},
        {"InstanceType": "ml.g6.xlarge", "CurrentInstanceCount": 0},
    ]


def test_models_and_configuration_of_a_live_endpoint_can_be_deleted(sagemaker: BaseClient) -> None:
    serving(sagemaker)
    before = described(sagemaker)
    sagemaker.delete_model(ModelName="v1")
    sagemaker.delete_endpoint_config(EndpointConfigName="v1")
    after = described(sagemaker)
    assert after["ProductionVariants"] == before["ProductionVariants"]
    assert (after["EndpointConfigName"], after["EndpointStatus"]) == ("v1", "InService")
    assert len(found().take_traffic()) == 1


def test_an_image_that_is_given_by_digest_stays(sagemaker: BaseClient) -> None:
    image = f"{REGISTRY}/sagemaker-xgboost@sha256:{'0' * 64}"
    sagemaker.create_model(
        ModelName="pinned", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image}
    )
    configure(sagemaker, "pinned", variant(model="pinned"))
    serving(sagemaker, config="pinned")
    [deployed] = described(sagemaker)["ProductionVariants"][0]["DeployedImages"]
    assert deployed["ResolvedImage"] == deployed["SpecifiedImage"] == image


def test_a_missing_one_can_be_neither_described_changed_nor_deleted(sagemaker: BaseClient) -> None:
    change = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    reweigh = sagemaker.update_endpoint_weights_and_capacities
    for call in (
        lambda: described(sagemaker),
        lambda: sagemaker.delete_endpoint(EndpointName="shop"),
        lambda: sagemaker.update_endpoint(EndpointName="shop", EndpointConfigName="v1"),
        lambda: reweigh(EndpointName="shop", DesiredWeightsAndCapacities=change),
    ):
        assert refusal(call) == MISSING


# --- traffic --------------------------------------------------------------------------------------


def test_traffic_is_taken_in_service_only(frozen: BaseClient) -> None:
    create(frozen)
    assert found().take_traffic() == []
    CLOCK.advance(180)
    [fleet] = found().take_traffic()
    assert (fleet.share, fleet.config.name, [v.name for v in fleet.variants]) == (
        1.0,
        "v1",
        ["AllTraffic"],
    )
    frozen.delete_endpoint(EndpointName="shop")
    assert found().take_traffic() == []


def test_an_unknown_name_is_not_found(lab: None) -> None:
    assert find_endpoint(sagemaker_backends[ACCOUNT][REGION], "nope") is None


# --- lists ----------------------------------------------------------------------------------------


def listed(sagemaker: BaseClient, **filters: Any) -> list[str]:
    return [e["EndpointName"] for e in sagemaker.list_endpoints(**filters)["Endpoints"]]


@pytest.fixture
def three(frozen: BaseClient) -> BaseClient:
    """Endpoints b, c (failed), a, made ten minutes apart; a is still being created."""
    for name, config in (("b", "v1"), ("c", "broken"), ("a", "v1")):
        CLOCK.advance(600)
        create(frozen, name, config)
    return frozen


def test_a_list_is_sorted(three: BaseClient) -> None:
    assert listed(three) == ["a", "c", "b"]
    assert listed(three, SortOrder="Ascending") == ["b", "c", "a"]
    assert listed(three, SortBy="Name") == ["c", "b", "a"]
    assert listed(three, SortBy="Status", SortOrder="Ascending") == ["a", "c", "b"]
    [first, *_] = three.list_endpoints()["Endpoints"]
    assert first["EndpointStatus"] == "Creating"
    assert first["EndpointArn"] == f"{PREFIX}:endpoint/a"


def test_a_list_is_filtered_before_it_is_cut(three: BaseClient) -> None:
    made, changed = (described(three, "c")[k] for k in ("CreationTime", "LastModifiedTime"))
    assert listed(three, StatusEquals="InService", MaxResults=1) == ["b"]
    assert "NextToken" not in three.list_endpoints(StatusEquals="InService", MaxResults=1)
    assert listed(three, StatusEquals="Failed", NameContains="c") == ["c"]
    assert listed(three, NameContains="x") == []
    assert listed(three, CreationTimeBefore=made) == ["b"]
    assert listed(three, CreationTimeAfter=made) == ["a", "c"]
    assert listed(three, LastModifiedTimeBefore=changed) == ["b"]
    assert listed(three, LastModifiedTimeAfter=changed) == ["a", "c"]


def test_the_pages_of_a_list(three: BaseClient) -> None:
    pages = three.get_paginator("list_endpoints").paginate(PaginationConfig={"PageSize": 2})
    found = [[e["EndpointName"] for e in page["Endpoints"]] for page in pages]
    assert found == [["a", "c"], ["b"]]
    assert refusal(lambda: three.list_endpoints(NextToken="x")) == "Invalid NextToken."


def test_a_list_is_a_look(sagemaker: BaseClient) -> None:
    create(sagemaker)
    met = [sagemaker.list_endpoints()["Endpoints"][0]["EndpointStatus"] for _ in range(2)]
    assert met == ["Creating", "InService"]
    sagemaker.delete_endpoint(EndpointName="shop")
    assert [listed(sagemaker) for _ in range(2)] == [["shop"], []]


# --- weights and capacities -----------------------------------------------------------------------


def change(sagemaker: BaseClient, *changes: Request) -> None:
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=list(changes)
    )


@pytest.fixture
def two(frozen: BaseClient) -> BaseClient:
    """The endpoint shop with the variants A and B."""
    configure(frozen, "ab", variant("A"), variant("B", "v2", InitialVariantWeight=3))
    serving(frozen, config="ab")
    return frozen


def test_weights_change_in_a_minute(two: BaseClient) -> None:
    change(two, {"VariantName": "A", "DesiredWeight": 0.5})
    answer = described(two)
    assert answer["EndpointStatus"] == "Updating"
    [shown, other] = answer["ProductionVariants"]
    assert (shown["CurrentWeight"], shown["DesiredWeight"]) == (1.0, 0.5)
    assert shown["VariantStatus"][0]["Status"] == "Updating"
    assert "VariantStatus" not in other
    assert len(found().take_traffic()) == 1  # it goes on serving
    CLOCK.advance(60)
    answer = described(two)
    assert answer["EndpointStatus"] == "InService"
    [shown, other] = answer["ProductionVariants"]
    assert (shown["CurrentWeight"], shown["CurrentInstanceCount"]) == (0.5, 2)
    assert (other["CurrentWeight"], other["CurrentInstanceCount"]) == (3.0, 2)
    assert "VariantStatus" not in shown


def test_more_instances_take_three_minutes(two: BaseClient) -> None:
    change(
        two,
        {"VariantName": "A", "DesiredInstanceCount": 6},
        {"VariantName": "B", "DesiredInstanceCount": 1},
    )
    shown = described(two)["ProductionVariants"]
    assert [v["VariantStatus"][0]["StatusMessage"] for v in shown] == [
        "Scaling out desired instance count to 6.",
        "Scaling in desired instance count to 1.",
    ]
    assert [(v["CurrentInstanceCount"], v["DesiredInstanceCount"]) for v in shown] == [
        (2, 6),
        (2, 1),
    ]
    CLOCK.advance(179)
    assert status(two) == "Updating"
    CLOCK.advance(1)
    shown = described(two)["ProductionVariants"]
    assert [v["CurrentInstanceCount"] for v in shown] == [6, 1]
    assert [v["CurrentWeight"] for v in shown] == [1.0, 3.0]


def test_shadow_variants_are_changed_too(frozen: BaseClient) -> None:
    shadows = [variant("Shadow", "v2")]
    configure(frozen, "shadowed", variant(), ShadowProductionVariants=shadows)
    serving(frozen, config="shadowed")
    change(frozen, {"VariantName": "Shadow", "DesiredWeight": 0.25})
    CLOCK.advance(60)
    [shadow] = described(frozen)["ShadowProductionVariants"]
    assert shadow["CurrentWeight"] == 0.25


def test_serverless_concurrency_is_changed(frozen: BaseClient) -> None:
    serverless = {"VariantName": "V", "ModelName": "v1", "ServerlessConfig": SERVERLESS}
    configure(frozen, "serverless", serverless)
    serving(frozen, config="serverless")
    update = {"ProvisionedConcurrency": 4}
    change(frozen, {"VariantName": "V", "ServerlessUpdateConfig": update})
    [shown] = described(frozen)["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == SERVERLESS
    assert shown["DesiredServerlessConfig"] == SERVERLESS | update
    CLOCK.advance(60)
    [shown] = described(frozen)["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == SERVERLESS | update
    for wrong, message in (
        (
            {"ServerlessUpdateConfig": {"ProvisionedConcurrency": 6}},
            'The ProvisionedConcurrency of variant "V" must be less than or equal to its '
            "MaxConcurrency.",
        ),
        ({"DesiredInstanceCount": 1}, 'Variant "V" is serverless and has no DesiredInstanceCount.'),
    ):
        request = {"VariantName": "V"} | wrong
        assert refusal(partial(change, frozen, request)) == message


def test_only_an_asynchronous_variant_can_come_to_nothing(frozen: BaseClient) -> None:
    asynchronous = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/async"}}
    configure(frozen, "queue", variant(), AsyncInferenceConfig=asynchronous)
    serving(frozen, config="queue")
    change(frozen, {"VariantName": "AllTraffic", "DesiredInstanceCount": 0})
    CLOCK.advance(60)
    assert described(frozen)["ProductionVariants"][0]["CurrentInstanceCount"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [{"VariantName": "C", "DesiredWeight": 1.0}],
            'The variant name(s) "C" is/are not present within endpoint configuration "ab".',
        ),
        (
            [{"VariantName": "A", "DesiredWeight": 1.0}] * 2,
            'The variant name "A" was non-unique within the request.',
        ),
        (
            [{"VariantName": "A", "DesiredInstanceCount": 0}],
            'Variant "A" must have a DesiredInstanceCount of at least 1.',
        ),
        (
            [{"VariantName": "A", "ServerlessUpdateConfig": {"MaxConcurrency": 1}}],
            'Variant "A" is not serverless.',
        ),
    ],
)
def test_wrong_changes_change_nothing(
    two: BaseClient, changes: list[Request], message: str
) -> None:
    before = described(two)["ProductionVariants"]
    good = {"VariantName": "B", "DesiredWeight": 9.0}
    assert refusal(lambda: change(two, good, *changes)) == message
    answer = described(two)
    assert (answer["EndpointStatus"], answer["ProductionVariants"]) == ("InService", before)


def test_nothing_else_is_done_meanwhile(two: BaseClient) -> None:
    again = {"VariantName": "A", "DesiredWeight": 1.0}
    change(two, again)
    assert refusal(lambda: change(two, again)) == IN_PROGRESS
    assert refusal(lambda: two.delete_endpoint(EndpointName="shop")) == IN_PROGRESS
    update = two.update_endpoint
    assert refusal(lambda: update(EndpointName="shop", EndpointConfigName="v1")) == IN_PROGRESS


# --- deleting -------------------------------------------------------------------------------------


def test_an_endpoint_in_creation_is_not_deleted(sagemaker: BaseClient) -> None:
    create(sagemaker)
    delete = sagemaker.delete_endpoint
    assert refusal(lambda: delete(EndpointName="shop")) == IN_PROGRESS
    assert refusal(lambda: delete(EndpointName="shop")) == IN_PROGRESS  # an attempt is a look
    delete(EndpointName="shop")


def test_deleting_ends_the_servers_and_frees_the_name(sagemaker: BaseClient) -> None:
    serving(sagemaker)
    assert len(Server.running) == 1
    sagemaker.delete_endpoint(EndpointName="shop")
    assert Server.running == []
    answer = described(sagemaker)
    assert answer["EndpointStatus"] == "Deleting"
    [happens] = answer["ProductionVariants"][0]["VariantStatus"]
    assert (happens["Status"], happens["StatusMessage"]) == (
        "Deleting",
        "Terminating 2 instance(s).",
    )
    taken = f'Cannot create already existing endpoint "{PREFIX}:endpoint/shop".'
    assert refusal(lambda: create(sagemaker)) == taken
    assert refusal(lambda: described(sagemaker)) == MISSING
    create(sagemaker)
    assert [status(sagemaker) for _ in range(2)] == ["Creating", "InService"]


def test_deleting_lasts_a_minute_of_the_clock(frozen: BaseClient) -> None:
    serving(frozen)
    frozen.delete_endpoint(EndpointName="shop")
    CLOCK.advance(59)
    assert status(frozen) == "Deleting"
    assert refusal(lambda: frozen.delete_endpoint(EndpointName="shop")) == IN_PROGRESS
    CLOCK.advance(1)
    assert listed(frozen) == []
    create(frozen)


def test_the_waiter_sees_it_gone(sagemaker: BaseClient) -> None:
    serving(sagemaker)
    sagemaker.delete_endpoint(EndpointName="shop")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="shop")
    assert listed(sagemaker) == []


def test_repeated_attempts_at_a_name_get_it(sagemaker: BaseClient) -> None:
    serving(sagemaker)
    sagemaker.delete_endpoint(EndpointName="shop")
    for _ in range(2):
        with pytest.raises(ClientError):
            create(sagemaker)
    create(sagemaker)


# --- those who use moto's resources ---------------------------------------------------------------


def test_tags_and_search(sagemaker: BaseClient, client: Callable[..., BaseClient]) -> None:
    tags = [{"Key": "team", "Value": "shop"}]
    arn = create(sagemaker, Tags=tags)
    serving(sagemaker, "other")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    mapping = client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    assert {"ResourceARN": arn, "Tags": [{"Key": "stage", "Value": "test"}]} in mapping

    def search(name: str, value: str) -> list[Request]:
        filters = [{"Name": name, "Operator": "Equals", "Value": value}]
        answer = sagemaker.search(Resource="Endpoint", SearchExpression={"Filters": filters})
        return [result["Endpoint"] for result in answer["Results"]]

    [tagged] = search("Tags.stage", "test")
    assert tagged["EndpointName"] == "shop"
    assert tagged["Tags"] == [{"Key": "stage", "Value": "test"}]
    assert [e["EndpointName"] for e in search("EndpointStatus", "InService")] == ["other"]
    assert len(search("EndpointConfigName", "v1")) == 2


def stack(config: str, **properties: Any) -> str:
    shop = {"EndpointConfigName": config, "EndpointName": "shop"} | properties
    resource = {"Type": "AWS::SageMaker::Endpoint", "Properties": shop}
    outputs = {"Name": {"Value": {"Fn::GetAtt": ["Shop", "EndpointName"]}}}
    return json.dumps({"Resources": {"Shop": resource}, "Outputs": outputs})


def test_a_stack_makes_updates_and_deletes_one(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    stacks = client("cloudformation")
    tags = [{"Key": "team", "Value": "shop"}]
    stacks.create_stack(StackName="shop", TemplateBody=stack("v1", Tags=tags))
    [made] = stacks.describe_stacks(StackName="shop")["Stacks"]
    assert made["Outputs"] == [{"OutputKey": "Name", "OutputValue": "shop"}]
    assert sagemaker.list_tags(ResourceArn=f"{PREFIX}:endpoint/shop")["Tags"] == tags
    wait = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": "0"}}
    policy = {"BlueGreenUpdatePolicy": wait | {"TerminationWaitInSeconds": "300"}}
    stacks.update_stack(StackName="shop", TemplateBody=stack("v2", DeploymentConfig=policy))
    assert described(sagemaker)["PendingDeploymentSummary"]["EndpointConfigName"] == "v2"
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="shop")
    answer = described(sagemaker)
    assert answer["EndpointConfigName"] == "v2"
    given = answer["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert given["TerminationWaitInSeconds"] == 300
    stacks.delete_stack(StackName="shop")
    assert listed(sagemaker) == [] and Server.running == []


def test_a_stack_that_changes_only_tags_starts_no_deployment(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    stacks = client("cloudformation")
    stacks.create_stack(StackName="shop", TemplateBody=stack("v1"))
    serving_already = sagemaker.get_waiter("endpoint_in_service")
    serving_already.wait(EndpointName="shop")
    tags = [{"Key": "team", "Value": "shop"}]
    stacks.update_stack(StackName="shop", TemplateBody=stack("v1", Tags=tags))
    assert status(sagemaker) == "InService"


def test_rules_of_eventbridge_see_every_status(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    queues, events = client("sqs"), client("events")
    url = queues.create_queue(QueueName="seen")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:seen"
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"]}
    events.put_rule(Name="shop", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="shop", Targets=[{"Id": "1", "Arn": arn}])
    serving(sagemaker, Tags=[{"Key": "team", "Value": "shop"}])
    sagemaker.delete_endpoint(EndpointName="shop")
    seen = []
    for _ in range(5):
        for message in queues.receive_message(QueueUrl=url).get("Messages", []):
            seen.append(json.loads(message["Body"]))
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert [event["detail"]["EndpointStatus"] for event in seen] == [
        "CREATING",
        "IN_SERVICE",
        "DELETING",
    ]
    assert seen[1]["resources"] == [f"{PREFIX}:endpoint/shop"]
    assert seen[1]["detail"]["EndpointConfigName"] == "v1"
    assert seen[1]["detail"]["Tags"] == {"team": "shop"}
    assert seen[1]["detail"]["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert isinstance(seen[1]["detail"]["CreationTime"], int)


def test_a_target_that_takes_nothing_disturbs_nobody(
    sagemaker: BaseClient, client: Callable[..., BaseClient]
) -> None:
    events = client("events")
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    gone = f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"
    events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": gone}])
    serving(sagemaker)
    assert status(sagemaker) == "InService"


# --- with real model servers ----------------------------------------------------------------------


def put_model(bucket: BaseClient, key: str, content: bytes) -> str:
    """Store model.tar.gz with the one file `xgboost-model`; returns its URI."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        about = tarfile.TarInfo("xgboost-model")
        about.size = len(content)
        archive.addfile(about, io.BytesIO(content))
    bucket.put_object(Bucket=BUCKET, Key=key, Body=packed.getvalue())
    return f"s3://{BUCKET}/{key}"


@pytest.fixture(scope="module")
def booster(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A tiny model, as XGBoost saves it."""
    numpy, xgboost = pytest.importorskip("numpy"), pytest.importorskip("xgboost")
    rows = numpy.array([[0.0], [1.0]])
    data = xgboost.DMatrix(rows, label=numpy.array([0.0, 1.0]))
    trained = xgboost.train({"max_depth": 1, "nthread": 1}, data, num_boost_round=2)
    path: Path = tmp_path_factory.mktemp("model") / "xgboost-model.ubj"
    trained.save_model(path)
    return path.read_bytes()


def connect(service: str, address: str) -> BaseClient:
    return boto3.client(
        service,
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def test_over_http_real_servers_load_and_fail(lab_server: str, booster: bytes) -> None:
    bucket, sagemaker = connect("s3", lab_server), connect("sagemaker", lab_server)
    where = {"LocationConstraint": REGION}
    bucket.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    for name, content in (("good", booster), ("bad", b"no model")):
        container = {"Image": IMAGE, "ModelDataUrl": put_model(bucket, f"{name}.tar.gz", content)}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        configure(sagemaker, name, variant(model=name))
        create(sagemaker, name, name)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="good")
    assert status(sagemaker, "good") == "InService"
    with pytest.raises(WaiterError) as failed:
        waiter.wait(EndpointName="bad")
    assert failed.value.last_response["FailureReason"] == (
        "The primary container for production variant AllTraffic did not pass the ping health "
        "check. Please check CloudWatch logs for this endpoint."
    )
    for name in ("good", "bad"):
        sagemaker.delete_endpoint(EndpointName=name)
        sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name)
    assert sagemaker.list_endpoints()["Endpoints"] == []
