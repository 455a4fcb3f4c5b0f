"""UpdateEndpoint: shifts of traffic by the clock and by looks, alarms, and the way back."""

import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from awslab.clock import CLOCK, naive_now
from awslab.services import cloudwatch
from awslab.services.sagemaker import hosting
from awslab.services.sagemaker.deployment import batches, portion, progress, traffic_steps
from awslab.services.sagemaker.endpoints import Endpoint, find_endpoint
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SageMakerExecutionRole"
PREFIX = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
IMAGE = f"354813040037.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
BUCKET = "amzn-s3-demo-bucket"
TRIPPED = "An alarm in ALARM state rolled the deployment back: shop-5xx."

Request = dict[str, Any]


class Server:
    """Instead of a real model server: it needs no time, and fails if the model's name says so."""

    running: ClassVar[list["Server"]] = []
    ready_now: ClassVar[bool] = True

    def __init__(self, backend: Any, model_name: str) -> None:
        self.model_name = model_name
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
def alarms(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The states of the alarms that there are, to be set by the test."""
    states = {"shop-5xx": "OK"}

    def state(account: str, region: str, name: str) -> str | None:
        assert (account, region) == (ACCOUNT, REGION)
        return states.get(name)

    monkeypatch.setattr(cloudwatch, "alarm_state", state)
    return states


@pytest.fixture
def sagemaker(client: Callable[..., BaseClient], quick: None, alarms: dict[str, str]) -> BaseClient:
    """The endpoint shop in service, four instances of the configuration v1; v2 is there, too."""
    made = client("sagemaker")
    for name in ("v1", "v2"):
        add(made, name)
    serve(made, "shop", "v1")
    return made


@pytest.fixture
def frozen(sagemaker: BaseClient) -> BaseClient:
    """The same; time moves by CLOCK.advance only."""
    CLOCK.run(0)
    return sagemaker


def variant(name: str = "AllTraffic", model: str = "v1", count: int = 4, **more: Any) -> Request:
    hosted = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count}
    return {"VariantName": name, "ModelName": model} | hosted | more


def add(sagemaker: BaseClient, name: str) -> None:
    """A model, and a configuration of the same name that hosts it."""
    container = {"Image": IMAGE}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
    configure(sagemaker, name, variant(model=name))


def configure(sagemaker: BaseClient, name: str, *variants: Request, **more: Any) -> None:
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=list(variants), **more
    )


def serve(sagemaker: BaseClient, name: str, config: str, **more: Any) -> None:
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
    if not CLOCK.instant:
        CLOCK.advance(180)
    wait(sagemaker, name)


def wait(sagemaker: BaseClient, name: str = "shop") -> None:
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)


def percent(value: int) -> Request:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> Request:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(kind: str, wait: int = 0, size: Request | None = None, **policy: Any) -> Request:
    routing: Request = {"Type": kind, "WaitIntervalInSeconds": wait}
    if size:
        routing[{"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}[kind]] = size
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing} | policy}


def rolling(size: Request, wait: int = 300, **policy: Any) -> Request:
    batch = {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait}
    return {"RollingUpdatePolicy": batch | policy}


def watched(policy: Request, *names: str) -> Request:
    alarms = [{"AlarmName": name} for name in names or ("shop-5xx",)]
    return policy | {"AutoRollbackConfiguration": {"Alarms": alarms}}


CANARY = blue_green("CANARY", 600, percent(30), TerminationWaitInSeconds=300)


def update(
    sagemaker: BaseClient, policy: Request | None = None, config: str = "v2", **more: Any
) -> None:
    given = {"DeploymentConfig": policy} if policy else {}
    answer = sagemaker.update_endpoint(
        EndpointName="shop", EndpointConfigName=config, **given, **more
    )
    assert answer["EndpointArn"] == f"{PREFIX}:endpoint/shop"


def described(sagemaker: BaseClient, name: str = "shop") -> Request:
    answer: Request = sagemaker.describe_endpoint(EndpointName=name)
    return answer


def found(name: str = "shop") -> Endpoint:
    endpoint = find_endpoint(sagemaker_backends[ACCOUNT][REGION], name)
    assert endpoint
    return endpoint


def shares() -> dict[str, float]:
    """The traffic of each configuration."""
    return {fleet.config.name: fleet.share for fleet in found().take_traffic()}


def met(sagemaker: BaseClient) -> tuple[str, str, dict[str, float]]:
    """What one look meets: status, what happens to the variants, and where the traffic goes."""
    answer = described(sagemaker)
    pending = answer.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
    happens = [
        s for v in answer["ProductionVariants"] + pending for s in v.get("VariantStatus", [])
    ]
    return answer["EndpointStatus"], "+".join(s["Status"] for s in happens), shares()


def refusal(call: Callable[[], Any]) -> str:
    """The message of a ValidationException."""
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return str(refused.value.response["Error"]["Message"])


OLD, NEW = {"v1": 1.0}, {"v2": 1.0}
QUARTER = {"v1": 0.75, "v2": 0.25}


# --- blue/green, look by look ---------------------------------------------------------------------


def test_without_a_policy_all_traffic_shifts_at_once(sagemaker: BaseClient) -> None:
    update(sagemaker)
    assert [met(sagemaker) for _ in range(5)] == [
        ("Updating", "Creating", OLD),
        ("Updating", "ActivatingTraffic", NEW),
        ("Updating", "Deleting", NEW),
        ("InService", "", NEW),
        ("InService", "", NEW),
    ]
    answer = described(sagemaker)
    assert answer["EndpointConfigName"] == "v2"
    assert not {"PendingDeploymentSummary", "LastDeploymentConfig", "FailureReason"} & set(answer)
    assert [server.model_name for server in Server.running] == ["v2"]


def test_a_canary_bakes_twice(sagemaker: BaseClient) -> None:
    update(sagemaker, watched(CANARY))
    assert [met(sagemaker) for _ in range(7)] == [
        ("Updating", "Creating", OLD),
        ("Updating", "ActivatingTraffic", QUARTER),
        ("Updating", "Baking", QUARTER),
        ("Updating", "ActivatingTraffic", NEW),
        ("Updating", "Baking", NEW),
        ("Updating", "Deleting", NEW),
        ("InService", "", NEW),
    ]


def test_linear_steps_are_equal(sagemaker: BaseClient) -> None:
    update(sagemaker, blue_green("LINEAR", 300, percent(25), TerminationWaitInSeconds=300))
    looks = [met(sagemaker) for _ in range(11)]
    assert [share.get("v2", 0.0) for _, what, share in looks if what == "Baking"] == [
        0.25,
        0.5,
        0.75,
        1.0,
    ]
    assert looks[-1] == ("InService", "", NEW)


def test_describe_says_what_happens(sagemaker: BaseClient) -> None:
    update(sagemaker, CANARY)
    said = []
    for _ in range(6):
        answer = described(sagemaker)
        assert answer["EndpointConfigName"] == "v1"
        pending = answer["PendingDeploymentSummary"]
        assert pending["EndpointConfigName"] == "v2"
        assert pending["StartTime"] <= answer["LastModifiedTime"]
        [old], [new] = answer["ProductionVariants"], pending["ProductionVariants"]
        [happens] = old.get("VariantStatus") or new["VariantStatus"]
        assert happens["StartTime"] <= answer["LastModifiedTime"]
        counts = (old["CurrentInstanceCount"], new["CurrentInstanceCount"])
        assert (old["DesiredInstanceCount"], new["DesiredInstanceCount"]) == (4, 4)
        said.append((counts, happens["StatusMessage"]))
    enabled = "with traffic enabled on"
    assert said == [
        ((4, 0), "Launching 4 instance(s)."),
        ((4, 4), "Activating traffic on canary capacity of 1 instance(s)."),
        (
            (4, 4),
            f"Baking for 600 seconds (WaitIntervalInSeconds) {enabled} canary capacity of "
            "1 instance(s).",
        ),
        ((4, 4), "Activating traffic on full capacity of 4 instance(s)."),
        (
            (4, 4),
            f"Baking for 300 seconds (TerminationWaitInSeconds) {enabled} full capacity of "
            "4 instance(s).",
        ),
        ((4, 4), "Terminating 4 instance(s)."),
    ]
    assert described(sagemaker)["EndpointConfigName"] == "v2"


def test_the_waiter_goes_to_the_end(sagemaker: BaseClient) -> None:
    update(sagemaker, watched(CANARY))
    wait(sagemaker)
    answer = described(sagemaker)
    assert (answer["EndpointStatus"], answer["EndpointConfigName"]) == ("InService", "v2")
    assert answer["LastDeploymentConfig"] == watched(CANARY)


# --- blue/green, by the clock ---------------------------------------------------------------------


def timeline(sagemaker: BaseClient, until: int, every: int = 30) -> list[tuple[int, str, float]]:
    """When which stage begins, and the share of the new fleet then."""
    seen: list[tuple[int, str, float]] = []
    for at in range(0, until + 1, every):
        stage = progress(found())
        if not seen or seen[-1][1:] != (stage["stage"], stage["share_of_new"]):
            seen.append((at, stage["stage"], stage["share_of_new"]))
        CLOCK.advance(every)
    return seen


def test_without_a_policy_it_takes_five_minutes(frozen: BaseClient) -> None:
    update(frozen)
    assert timeline(frozen, 330) == [
        (0, "Creating", 0.0),
        (180, "ActivatingTraffic", 1.0),
        (240, "Deleting", 1.0),
        (300, "InService", 0.0),
    ]
    assert shares() == NEW


def test_all_at_once_with_a_bake(frozen: BaseClient) -> None:
    update(frozen, blue_green("ALL_AT_ONCE", 0, TerminationWaitInSeconds=600))
    assert timeline(frozen, 930) == [
        (0, "Creating", 0.0),
        (180, "ActivatingTraffic", 1.0),
        (240, "Baking", 1.0),
        (840, "Deleting", 1.0),
        (900, "InService", 0.0),
    ]


def test_a_canary_by_the_clock(frozen: BaseClient) -> None:
    update(frozen, CANARY)
    assert timeline(frozen, 1290) == [
        (0, "Creating", 0.0),
        (180, "ActivatingTraffic", 0.25),
        (240, "Baking", 0.25),
        (840, "ActivatingTraffic", 1.0),
        (900, "Baking", 1.0),
        (1200, "Deleting", 1.0),
        (1260, "InService", 0.0),
    ]


def test_an_uneven_bake_ends_at_its_second(frozen: BaseClient) -> None:
    update(frozen, blue_green("ALL_AT_ONCE", 0, TerminationWaitInSeconds=77))
    CLOCK.advance(180 + 60 + 76)
    assert progress(found())["stage"] == "Baking"
    CLOCK.advance(1)
    assert progress(found())["stage"] == "Deleting"


def test_a_long_step_of_the_clock_passes_everything(frozen: BaseClient) -> None:
    update(frozen, watched(CANARY))
    CLOCK.advance(86_400)
    assert (found().status, found().config.name) == ("InService", "v2")
    answer = described(frozen)
    lasted = answer["LastModifiedTime"] - answer["CreationTime"]
    assert lasted.total_seconds() >= 1260


def test_progress_says_where_it_stands(frozen: BaseClient) -> None:
    resting = {"stage": "InService", "old": "v1", "new": None}
    assert progress(found()) == resting | {"share_of_new": 0.0, "seconds_left": 0.0}
    update(frozen, CANARY)
    CLOCK.advance(300)
    assert progress(found()) == {
        "stage": "Baking",
        "old": "v1",
        "new": "v2",
        "share_of_new": 0.25,
        "seconds_left": 960.0,
    }


def test_progress_of_an_instant_lab_counts_what_is_planned(sagemaker: BaseClient) -> None:
    update(sagemaker, CANARY)
    assert progress(found())["seconds_left"] == 1260.0
    described(sagemaker)
    described(sagemaker)
    assert progress(found())["seconds_left"] == 1080.0


# --- instances and shares -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "total", "whole"),
    [
        (percent(30), 1, 1),
        (percent(30), 2, 1),
        (percent(30), 4, 1),
        (percent(50), 3, 1),
        (percent(25), 10, 2),
        (percent(29), 100, 29),
        (instances(2), 4, 2),
        (instances(3), 2, 2),
        (percent(30), 0, 0),
    ],
)
def test_a_part_is_rounded_down_but_to_one_instance(size: Request, total: int, whole: int) -> None:
    assert portion(size, total) == whole


def test_steps_of_several_variants() -> None:
    canary = {"Type": "CANARY", "CanarySize": percent(50)}
    linear = {"Type": "LINEAR", "LinearStepSize": percent(50)}
    assert traffic_steps(canary, [4, 1]) == [[2, 1], [4, 1]]
    assert traffic_steps(linear, [4, 1]) == [[2, 1], [4, 1]]
    assert traffic_steps({"Type": "ALL_AT_ONCE"}, [4, 1]) == [[4, 1]]
    assert batches(instances(2), [5]) == [[2], [4], [5]]
    assert batches(percent(5), [0]) == [[0]]


def test_a_canary_on_one_instance_takes_all(sagemaker: BaseClient) -> None:
    configure(sagemaker, "one", variant(model="v2", count=1))
    update(sagemaker, CANARY, "one")
    described(sagemaker)
    assert met(sagemaker) == ("Updating", "ActivatingTraffic", {"one": 1.0})


def test_a_canary_of_two_variants(sagemaker: BaseClient) -> None:
    for name in ("v1", "v2"):
        both = [variant("A", name, 3), variant("B", name, 1)]
        configure(sagemaker, f"two-{name}", *both)
    update(sagemaker, config="two-v1")
    wait(sagemaker)
    update(sagemaker, CANARY, "two-v2")
    described(sagemaker)
    assert met(sagemaker) == (
        "Updating",
        "ActivatingTraffic+ActivatingTraffic",
        {"two-v1": 0.5, "two-v2": 0.5},
    )


# --- alarms and the way back ----------------------------------------------------------------------


def rolled_back(sagemaker: BaseClient, reason: str) -> None:
    """The old configuration serves alone and the reason is told."""
    answer = described(sagemaker)
    assert (answer["EndpointStatus"], answer["EndpointConfigName"]) == ("InService", "v1")
    assert answer["FailureReason"] == reason
    assert "PendingDeploymentSummary" not in answer
    assert "VariantStatus" not in answer["ProductionVariants"][0]
    assert answer["ProductionVariants"][0]["CurrentInstanceCount"] == 4
    assert shares() == OLD
    assert [server.model_name for server in Server.running] == ["v1"]


@pytest.mark.parametrize("looks", range(6))
def test_an_alarm_leads_back_from_every_stage(
    sagemaker: BaseClient, alarms: dict[str, str], looks: int
) -> None:
    update(sagemaker, watched(CANARY))
    for _ in range(looks):
        assert described(sagemaker)["EndpointStatus"] == "Updating"
    if looks == 5:
        assert progress(found())["stage"] == "Baking"
    alarms["shop-5xx"] = "ALARM"
    assert met(sagemaker) == ("RollingBack", "Deleting", OLD)
    rolled_back(sagemaker, TRIPPED)


def test_once_the_old_fleet_is_ended_nothing_leads_back(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    update(sagemaker, watched(CANARY))
    for _ in range(6):
        described(sagemaker)
    assert progress(found())["stage"] == "Deleting"
    alarms["shop-5xx"] = "ALARM"
    assert met(sagemaker) == ("InService", "", NEW)


def test_an_alarm_that_is_on_already_stops_the_deployment(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    alarms["shop-5xx"] = "ALARM"
    update(sagemaker, watched(CANARY))
    assert met(sagemaker) == ("RollingBack", "Deleting", OLD)
    rolled_back(sagemaker, TRIPPED)


def test_the_waiter_does_not_notice_a_rollback(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    update(sagemaker, watched(CANARY))
    described(sagemaker)
    alarms["shop-5xx"] = "ALARM"
    wait(sagemaker)
    rolled_back(sagemaker, TRIPPED)


def test_a_tick_notices_an_alarm(frozen: BaseClient, alarms: dict[str, str]) -> None:
    update(frozen, watched(CANARY))
    CLOCK.advance(300)
    alarms["shop-5xx"] = "ALARM"
    assert shares() == OLD  # to ask where the traffic goes is enough
    alarms["shop-5xx"] = "OK"
    CLOCK.advance(59)
    assert found().status == "RollingBack"
    CLOCK.advance(1)
    rolled_back(frozen, TRIPPED)


def test_an_alarm_during_a_long_step_of_the_clock(
    frozen: BaseClient, alarms: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It trips in the eighth minute and recovers in the ninth: the tick between them sees it."""
    begun = naive_now()

    def state(account: str, region: str, name: str) -> str:
        passed = (naive_now() - begun).total_seconds()
        return "ALARM" if 480 <= passed < 540 else "OK"

    monkeypatch.setattr(cloudwatch, "alarm_state", state)
    update(frozen, watched(CANARY))
    CLOCK.advance(3600)
    rolled_back(frozen, TRIPPED)


def test_without_alarms_nothing_leads_back(sagemaker: BaseClient, alarms: dict[str, str]) -> None:
    alarms["shop-5xx"] = "ALARM"
    update(sagemaker, CANARY)
    wait(sagemaker)
    assert shares() == NEW


def test_insufficient_data_is_no_alarm(sagemaker: BaseClient, alarms: dict[str, str]) -> None:
    alarms["shop-5xx"] = "INSUFFICIENT_DATA"
    update(sagemaker, watched(CANARY))
    wait(sagemaker)
    assert shares() == NEW


def test_an_alarm_that_is_deleted_meanwhile_no_longer_counts(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    update(sagemaker, watched(CANARY))
    alarms.clear()
    wait(sagemaker)
    assert shares() == NEW


def test_all_tripped_alarms_are_named(sagemaker: BaseClient, alarms: dict[str, str]) -> None:
    alarms |= {"a": "ALARM", "b": "OK", "c": "ALARM"}
    update(sagemaker, watched(CANARY, "a", "b", "c"))
    wait(sagemaker)
    rolled_back(sagemaker, "An alarm in ALARM state rolled the deployment back: a, c.")


def test_alarms_without_a_policy_watch_the_shift_at_once(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    update(sagemaker, watched({}))
    described(sagemaker)
    assert met(sagemaker) == ("Updating", "ActivatingTraffic", NEW)
    alarms["shop-5xx"] = "ALARM"
    assert met(sagemaker) == ("RollingBack", "Deleting", OLD)


def test_after_a_rollback_the_next_update_succeeds(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    alarms["shop-5xx"] = "ALARM"
    update(sagemaker, watched(CANARY))
    wait(sagemaker)
    alarms["shop-5xx"] = "OK"
    update(sagemaker, watched(CANARY))
    assert "FailureReason" not in described(sagemaker)
    wait(sagemaker)
    assert shares() == NEW
    assert "FailureReason" not in described(sagemaker)


@pytest.mark.parametrize("policy", [None, CANARY, rolling(percent(25))])
def test_a_model_that_does_not_load_leads_back(
    sagemaker: BaseClient, policy: Request | None
) -> None:
    add(sagemaker, "broken")
    update(sagemaker, policy, "broken")
    assert met(sagemaker) == ("Updating", "Creating", OLD)
    assert met(sagemaker) == ("RollingBack", "Deleting", OLD)
    rolled_back(sagemaker, "The model broken is broken.")


LIMIT: Request = {"MaximumExecutionTimeoutInSeconds": 1200}
TOO_LONG = (
    "The deployment took longer than its MaximumExecutionTimeoutInSeconds (1200) and was rolled "
    "back."
)


def test_a_deployment_that_takes_too_long_leads_back(frozen: BaseClient) -> None:
    """180 + 60 + 600 + 60 + 400 seconds of a canary, although the waits alone are allowed."""
    long = {"TerminationWaitInSeconds": 400} | LIMIT
    update(frozen, blue_green("CANARY", 600, percent(25), **long))
    CLOCK.advance(1200)
    assert progress(found())["stage"] == "Baking"
    CLOCK.advance(1)
    assert (found().status, shares()) == ("RollingBack", OLD)
    CLOCK.advance(60)
    rolled_back(frozen, TOO_LONG)


def test_a_limit_that_is_just_met(frozen: BaseClient) -> None:
    just = {"TerminationWaitInSeconds": 300} | LIMIT
    update(frozen, blue_green("CANARY", 600, percent(25), **just))
    CLOCK.advance(86_400)
    assert shares() == NEW


def test_servers_that_never_answer_take_too_long(frozen: BaseClient) -> None:
    Server.ready_now = False
    update(frozen, blue_green("ALL_AT_ONCE", **LIMIT))
    CLOCK.advance(1200)
    assert found().status == "Updating"
    CLOCK.advance(120)
    rolled_back(frozen, TOO_LONG)


# --- rolling --------------------------------------------------------------------------------------


def counts(sagemaker: BaseClient) -> tuple[str, int, int | None, float]:
    """Stage, instances of the old and of the new fleet, share of the new one."""
    answer = described(sagemaker)
    stage = progress(found())
    [old] = answer["ProductionVariants"]
    [new] = answer.get("PendingDeploymentSummary", {}).get("ProductionVariants") or [{}]
    have = old["CurrentInstanceCount"], new.get("CurrentInstanceCount")
    return stage["stage"], *have, stage["share_of_new"]


def test_rolling_replaces_batch_after_batch(sagemaker: BaseClient) -> None:
    update(sagemaker, rolling(percent(50)))
    assert [counts(sagemaker) for _ in range(9)] == [
        ("Creating", 4, 0, 0.0),
        ("ActivatingTraffic", 4, 2, 0.5),
        ("Baking", 4, 2, 0.5),
        ("Deleting", 2, 2, 0.5),
        ("Creating", 2, 2, 0.5),
        ("ActivatingTraffic", 2, 4, 1.0),
        ("Baking", 2, 4, 1.0),
        ("Deleting", 0, 4, 1.0),
        ("InService", 4, None, 0.0),
    ]
    assert shares() == NEW
    assert [server.model_name for server in Server.running] == ["v2"]


def test_rolling_by_the_clock(frozen: BaseClient) -> None:
    update(frozen, rolling(instances(2), wait=120))
    assert timeline(frozen, 870) == [
        (0, "Creating", 0.0),
        (180, "ActivatingTraffic", 0.5),
        (240, "Baking", 0.5),
        (360, "Deleting", 0.5),
        (420, "Creating", 0.5),
        (600, "ActivatingTraffic", 1.0),
        (660, "Baking", 1.0),
        (780, "Deleting", 1.0),
        (840, "InService", 0.0),
    ]


def test_rolling_to_another_number_of_instances(sagemaker: BaseClient) -> None:
    configure(sagemaker, "six", variant(model="v2", count=6))
    update(sagemaker, rolling(percent(34), wait=0), "six")
    looks = [counts(sagemaker) for _ in range(10)]
    assert [look[1:3] for look in looks if look[0] == "Deleting"] == [(3, 2), (2, 4), (0, 6)]
    assert looks[-1] == ("InService", 6, None, 0.0)


def go_to(sagemaker: BaseClient, *wanted: Any) -> None:
    for _ in range(20):
        if counts(sagemaker) == wanted:
            return
    pytest.fail(f"never met {wanted}")


def test_an_alarm_in_the_first_batch_needs_no_new_machines(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    update(sagemaker, watched(rolling(percent(50))))
    go_to(sagemaker, "Baking", 4, 2, 0.5)
    alarms["shop-5xx"] = "ALARM"
    assert counts(sagemaker) == ("RollingBack", 4, 2, 0.0)
    rolled_back(sagemaker, TRIPPED)


def test_rolling_back_brings_up_the_whole_old_fleet(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    update(sagemaker, watched(rolling(percent(25))))
    go_to(sagemaker, "Baking", 2, 3, 0.75)
    alarms["shop-5xx"] = "ALARM"
    assert counts(sagemaker) == ("RollingBack", 2, 3, 0.5)
    assert counts(sagemaker) == ("RollingBack", 4, 3, 0.0)
    rolled_back(sagemaker, TRIPPED)


def test_rolling_back_in_batches(sagemaker: BaseClient, alarms: dict[str, str]) -> None:
    update(sagemaker, watched(rolling(percent(25), RollbackMaximumBatchSize=percent(25))))
    go_to(sagemaker, "Baking", 1, 4, 1.0)
    alarms["shop-5xx"] = "ALARM"
    assert [counts(sagemaker) for _ in range(7)] == [
        ("RollingBack", 1, 4, 0.75),
        ("RollingBack", 2, 2, 0.5),
        ("RollingBack", 2, 2, 0.5),
        ("RollingBack", 3, 1, 0.25),
        ("RollingBack", 3, 1, 0.25),
        ("RollingBack", 4, 1, 0.0),
        ("InService", 4, None, 0.0),
    ]
    rolled_back(sagemaker, TRIPPED)


def test_rolling_back_by_the_clock(frozen: BaseClient, alarms: dict[str, str]) -> None:
    update(frozen, watched(rolling(percent(50))))
    CLOCK.advance(180 + 60 + 300 + 60 + 180 + 60)
    assert counts(frozen) == ("Baking", 2, 4, 1.0)
    alarms["shop-5xx"] = "ALARM"
    assert counts(frozen) == ("RollingBack", 2, 4, 0.5)
    assert progress(found())["seconds_left"] == 240.0
    CLOCK.advance(180)
    assert counts(frozen) == ("RollingBack", 4, 4, 0.0)
    CLOCK.advance(60)
    rolled_back(frozen, TRIPPED)


def test_after_the_last_batch_nothing_leads_back(
    sagemaker: BaseClient, alarms: dict[str, str]
) -> None:
    update(sagemaker, watched(rolling(percent(50))))
    go_to(sagemaker, "Deleting", 0, 4, 1.0)
    alarms["shop-5xx"] = "ALARM"
    assert counts(sagemaker) == ("InService", 4, None, 0.0)


# --- what is kept from the fleet before -----------------------------------------------------------


@pytest.mark.parametrize(
    ("reset", "count", "weight"),
    [
        ([], 7, 0.5),
        (["DesiredInstanceCount"], 4, 0.5),
        (["DesiredWeight"], 7, 1.0),
        (["DesiredWeight", "DesiredInstanceCount", "DataCaptureConfig"], 4, 1.0),
    ],
)
def test_variant_properties_are_retained(
    sagemaker: BaseClient, reset: list[str], count: int, weight: float
) -> None:
    scale(sagemaker, 7, 0.5)
    excluded = [{"VariantPropertyType": each} for each in reset]
    update(sagemaker, RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded)
    [pending] = described(sagemaker)["PendingDeploymentSummary"]["ProductionVariants"]
    assert (pending["DesiredInstanceCount"], pending["DesiredWeight"]) == (count, weight)
    wait(sagemaker)
    [shown] = described(sagemaker)["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["CurrentWeight"]) == (count, weight)


def scale(sagemaker: BaseClient, count: int, weight: float) -> None:
    wanted = {"VariantName": "AllTraffic", "DesiredInstanceCount": count, "DesiredWeight": weight}
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="shop", DesiredWeightsAndCapacities=[wanted]
    )
    wait(sagemaker)


def test_without_it_the_configuration_counts_again(sagemaker: BaseClient) -> None:
    scale(sagemaker, 7, 0.5)
    update(sagemaker)
    wait(sagemaker)
    [shown] = described(sagemaker)["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["CurrentWeight"]) == (4, 1.0)


def test_a_retained_count_decides_about_the_steps(sagemaker: BaseClient) -> None:
    scale(sagemaker, 10, 1.0)
    update(sagemaker, CANARY, RetainAllVariantProperties=True)
    described(sagemaker)
    assert met(sagemaker)[2] == {"v1": 0.7, "v2": 0.3}


def test_a_new_variant_has_nothing_to_retain(sagemaker: BaseClient) -> None:
    configure(sagemaker, "other", variant("Other", count=3))
    update(sagemaker, config="other", RetainAllVariantProperties=True)
    wait(sagemaker)
    assert described(sagemaker)["ProductionVariants"][0]["CurrentInstanceCount"] == 3


def test_the_deployment_config_is_retained(sagemaker: BaseClient) -> None:
    serve(sagemaker, "other", "v1", DeploymentConfig=CANARY)
    assert described(sagemaker, "other")["LastDeploymentConfig"] == CANARY
    call = partial(sagemaker.update_endpoint, EndpointName="other", EndpointConfigName="v2")
    call(RetainDeploymentConfig=True)
    described(sagemaker, "other")
    described(sagemaker, "other")
    assert progress(found("other"))["share_of_new"] == 0.25
    wait(sagemaker, "other")
    call(EndpointConfigName="v1")
    described(sagemaker, "other")
    described(sagemaker, "other")
    assert progress(found("other"))["share_of_new"] == 1.0
    assert described(sagemaker, "other")["LastDeploymentConfig"] == CANARY


def test_without_a_last_one_there_is_nothing_to_retain(sagemaker: BaseClient) -> None:
    update(sagemaker, RetainDeploymentConfig=True)
    described(sagemaker)
    assert met(sagemaker) == ("Updating", "ActivatingTraffic", NEW)


# --- other changes of the fleet -------------------------------------------------------------------


def test_a_shadow_variant_comes_and_goes(sagemaker: BaseClient) -> None:
    shadow = variant("Shadow", "v2", 1)
    configure(sagemaker, "shadowed", variant(), ShadowProductionVariants=[shadow])
    update(sagemaker, CANARY, "shadowed")
    pending = described(sagemaker)["PendingDeploymentSummary"]["ShadowProductionVariants"]
    assert [(v["VariantName"], v["CurrentInstanceCount"]) for v in pending] == [("Shadow", 0)]
    wait(sagemaker)
    [shown] = described(sagemaker)["ShadowProductionVariants"]
    assert (shown["CurrentInstanceCount"], "VariantStatus" in shown) == (1, False)
    assert sorted(server.model_name for server in Server.running) == ["v1", "v2"]
    update(sagemaker, CANARY)
    wait(sagemaker)
    assert "ShadowProductionVariants" not in described(sagemaker)
    assert [server.model_name for server in Server.running] == ["v2"]


def test_without_a_policy_variants_may_have_new_names(sagemaker: BaseClient) -> None:
    configure(sagemaker, "ab", variant("A"), variant("B", "v2"))
    update(sagemaker, config="ab")
    wait(sagemaker)
    shown = described(sagemaker)["ProductionVariants"]
    assert [v["VariantName"] for v in shown] == ["A", "B"]


def test_serverless_is_a_way_out_only(sagemaker: BaseClient) -> None:
    config = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    serverless = {"VariantName": "AllTraffic", "ModelName": "v1", "ServerlessConfig": config}
    configure(sagemaker, "serverless", serverless)
    assert refusal(lambda: update(sagemaker, config="serverless")) == (
        "An endpoint on instances cannot be updated to a serverless variant."
    )
    serve(sagemaker, "other", "serverless")
    call = partial(sagemaker.update_endpoint, EndpointName="other", EndpointConfigName="v2")
    assert refusal(lambda: call(DeploymentConfig=CANARY)) == (
        "DeploymentConfig is not supported for serverless endpoint."
    )
    call(RetainAllVariantProperties=True)
    wait(sagemaker, "other")
    [shown] = described(sagemaker, "other")["ProductionVariants"]
    assert shown["CurrentInstanceCount"] == 4
    assert "CurrentServerlessConfig" not in shown


def test_inf1_falls_back_to_all_at_once_without_a_bake(sagemaker: BaseClient) -> None:
    configure(sagemaker, "inf1", variant(model="v2", InstanceType="ml.inf1.xlarge"))
    update(sagemaker, watched(CANARY), "inf1")
    assert [met(sagemaker)[1] for _ in range(4)] == [
        "Creating",
        "ActivatingTraffic",
        "Deleting",
        "",
    ]


def test_the_same_configuration_again_is_a_deployment(sagemaker: BaseClient) -> None:
    update(sagemaker, config="v1")
    assert [met(sagemaker)[0] for _ in range(4)] == [
        "Updating",
        "Updating",
        "Updating",
        "InService",
    ]
    assert len(Server.running) == 1


# --- what is refused ------------------------------------------------------------------------------


def unchanged(sagemaker: BaseClient) -> None:
    answer = described(sagemaker)
    assert (answer["EndpointStatus"], answer["EndpointConfigName"]) == ("InService", "v1")
    assert not {"LastDeploymentConfig", "PendingDeploymentSummary"} & set(answer)
    assert len(Server.running) == 1


CANARY_SIZE = "CanarySize must be at most 50% of the variant's total instance count (4)."
LINEAR_SIZE = (
    "LinearStepSize must be between 10% and 50% of the variant's total instance count (4)."
)
BATCH = "MaximumBatchSize must be between 5% and 50% of the variant's total instance count (4)."
WAITS = (
    "MaximumExecutionTimeoutInSeconds ({}) must be larger than the total waiting time of "
    "WaitIntervalInSeconds and TerminationWaitInSeconds ({})."
)


def limit(seconds: int, wait: int) -> Request:
    return {"MaximumExecutionTimeoutInSeconds": seconds, "TerminationWaitInSeconds": wait}


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            CANARY | rolling(percent(50)),
            "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.",
        ),
        (
            blue_green("CANARY"),
            "CanarySize must be specified for traffic routing of type CANARY.",
        ),
        (
            blue_green("LINEAR"),
            "LinearStepSize must be specified for traffic routing of type LINEAR.",
        ),
        (blue_green("CANARY", 0, percent(51)), CANARY_SIZE),
        (blue_green("CANARY", 0, instances(3)), CANARY_SIZE),
        (blue_green("LINEAR", 0, percent(9)), LINEAR_SIZE),
        (blue_green("LINEAR", 0, percent(51)), LINEAR_SIZE),
        (blue_green("LINEAR", 0, instances(10**18)), LINEAR_SIZE),
        (rolling(percent(4)), BATCH),
        (rolling(percent(51)), BATCH),
        (rolling(instances(3)), BATCH),
        (
            rolling(percent(50), RollbackMaximumBatchSize=percent(101)),
            "RollbackMaximumBatchSize must be at most 100% of the variant's total instance "
            "count (4).",
        ),
        (blue_green("ALL_AT_ONCE", **limit(600, 600)), WAITS.format(600, 600)),
        (blue_green("CANARY", 600, percent(50), **limit(900, 300)), WAITS.format(900, 900)),
        (blue_green("LINEAR", 600, percent(25), **limit(2100, 300)), WAITS.format(2100, 2100)),
        (
            watched(CANARY, "nope"),
            "Could not find CloudWatch alarm nope of AutoRollbackConfiguration.",
        ),
        (
            CANARY | {"AutoRollbackConfiguration": {"Alarms": [{}]}},
            "AutoRollbackConfiguration must specify the AlarmName of every alarm.",
        ),
    ],
)
def test_the_rules_of_a_policy(sagemaker: BaseClient, policy: Request, message: str) -> None:
    assert refusal(lambda: update(sagemaker, policy)) == message
    unchanged(sagemaker)


@pytest.mark.parametrize(
    "policy",
    [
        blue_green("CANARY", 0, percent(50)),
        blue_green("CANARY", 0, instances(2)),
        blue_green("CANARY", 0, percent(1)),
        blue_green("LINEAR", 0, percent(10)),
        blue_green("LINEAR", 3600, instances(1), **limit(28_800, 3600)),
        blue_green("ALL_AT_ONCE", 3600, **limit(601, 600)),
        rolling(percent(5)),
        rolling(instances(2), RollbackMaximumBatchSize=instances(4)),
        watched({}),
    ],
)
def test_policies_at_the_edge_of_the_rules(sagemaker: BaseClient, policy: Request) -> None:
    update(sagemaker, policy)
    wait(sagemaker)
    assert shares() == NEW
    assert described(sagemaker)["LastDeploymentConfig"] == policy


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        (
            {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE"}}},
            "Value null at 'deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration."
            "waitIntervalInSeconds' failed to satisfy constraint: Member must not be null",
        ),
        (
            blue_green("ALL_AT_ONCE", 3601),
            "waitIntervalInSeconds' failed to satisfy constraint: Member must have value less "
            "than or equal to 3600",
        ),
        (
            watched(CANARY, *[f"alarm-{n}" for n in range(11)]),
            "'deploymentConfig.autoRollbackConfiguration.alarms' failed to satisfy constraint: "
            "Member must have length less than or equal to 10",
        ),
        (
            blue_green("ALL_AT_ONCE", MaximumExecutionTimeoutInSeconds=599),
            "Member must have value greater than or equal to 600",
        ),
    ],
)
def test_the_limits_of_the_model(
    sagemaker: BaseClient, client: Callable[..., BaseClient], policy: Request, where: str
) -> None:
    unchecked = client("sagemaker", parameter_validation=False)
    assert where in refusal(lambda: update(unchecked, policy))
    unchanged(sagemaker)


def test_a_policy_needs_the_same_variant_names(sagemaker: BaseClient) -> None:
    configure(sagemaker, "green", variant("Green", "v2"))
    for policy in (CANARY, rolling(percent(50)), watched({})):
        assert refusal(partial(update, sagemaker, policy, "green")) == (
            "The variant names of the new endpoint configuration must be the same as those of the "
            'old one for a deployment with DeploymentConfig: "green" and "v1" differ.'
        )
    unchanged(sagemaker)


def test_rolling_takes_one_variant_only(sagemaker: BaseClient) -> None:
    configure(sagemaker, "ab", variant("A"), variant("B", "v2"))
    serve(sagemaker, "other", "ab")
    call = partial(sagemaker.update_endpoint, EndpointName="other", EndpointConfigName="ab")
    assert refusal(lambda: call(DeploymentConfig=rolling(percent(50)))) == (
        "RollingUpdatePolicy is not supported for multi-variant endpoints."
    )


def test_what_it_needs_must_exist(sagemaker: BaseClient) -> None:
    assert refusal(lambda: update(sagemaker, config="nope")) == (
        f'Could not find endpoint configuration "{PREFIX}:endpoint-config/nope".'
    )
    call = sagemaker.update_endpoint
    assert refusal(lambda: call(EndpointName="nope", EndpointConfigName="v1")) == (
        f'Could not find endpoint "{PREFIX}:endpoint/nope".'
    )
    sagemaker.delete_model(ModelName="v2")
    assert refusal(lambda: update(sagemaker)) == f'Could not find model "{PREFIX}:model/v2".'
    unchanged(sagemaker)


def test_without_the_configuration_in_use_there_is_no_update(sagemaker: BaseClient) -> None:
    """Who deletes the old configuration after a silent rollback meets this."""
    sagemaker.delete_endpoint_config(EndpointConfigName="v1")
    assert refusal(lambda: update(sagemaker)) == (
        f'Could not find endpoint configuration "{PREFIX}:endpoint-config/v1".'
    )
    unchanged(sagemaker)


def test_an_update_while_one_is_running_is_refused(sagemaker: BaseClient) -> None:
    update(sagemaker, CANARY)
    refused = f'Cannot update in-progress endpoint "{PREFIX}:endpoint/shop".'
    assert refusal(lambda: update(sagemaker, config="v1")) == refused
    delete = sagemaker.delete_endpoint
    assert refusal(lambda: delete(EndpointName="shop")) == refused


def test_of_parallel_updates_one_begins(sagemaker: BaseClient) -> None:
    said: list[str] = []

    def attempt() -> None:
        try:
            update(sagemaker, CANARY)
            said.append("begun")
        except ClientError as refused:
            said.append(refused.response["Error"]["Code"])

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["ValidationException"] * 3 + ["begun"]


# --- with CloudWatch and EventBridge --------------------------------------------------------------


def test_rules_of_eventbridge_see_every_stage(
    sagemaker: BaseClient, client: Callable[..., BaseClient], alarms: dict[str, str]
) -> None:
    queues, events = client("sqs"), client("events")
    url = queues.create_queue(QueueName="seen")["QueueUrl"]
    pattern = {"detail-type": ["SageMaker Endpoint Deployment State Change"]}
    events.put_rule(Name="shop", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:seen"
    events.put_targets(Rule="shop", Targets=[{"Id": "1", "Arn": arn}])
    update(sagemaker, watched(CANARY))
    for _ in range(3):
        described(sagemaker)
    alarms["shop-5xx"] = "ALARM"
    wait(sagemaker)
    stages = []
    for _ in range(8):
        for message in queues.receive_message(QueueUrl=url).get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            [new] = detail["PendingDeploymentSummary"]["ProductionVariants"]
            stages.append((detail["EndpointStatus"], new["VariantStatus"][0]["Status"]))
            assert detail["PendingDeploymentSummary"]["EndpointConfigName"] == "v2"
            assert isinstance(new["VariantStatus"][0]["StartTime"], int)
    assert stages == [
        ("UPDATING", "Creating"),
        ("UPDATING", "ActivatingTraffic"),
        ("UPDATING", "Baking"),
        ("ROLLING_BACK", "Deleting"),
    ]


def test_an_alarm_over_metrics_rolls_back(client: Callable[..., BaseClient], quick: None) -> None:
    """The alarm is CloudWatch's own: two bad minutes of the new fleet trip it."""
    sagemaker, metrics = client("sagemaker"), client("cloudwatch")
    CLOCK.run(0)
    for name in ("v1", "v2"):
        add(sagemaker, name)
    serve(sagemaker, "shop", "v1")
    dimensions = [
        {"Name": "EndpointName", "Value": "shop"},
        {"Name": "VariantName", "Value": "AllTraffic"},
    ]
    metrics.put_metric_alarm(
        AlarmName="shop-5xx",
        Namespace="Shop",
        MetricName="Errors",
        Dimensions=dimensions,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=0.5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    update(sagemaker, watched(CANARY))
    CLOCK.advance(240)
    assert met(sagemaker) == ("Updating", "Baking", QUARTER)
    for _ in range(4):
        error = {"MetricName": "Errors", "Dimensions": dimensions, "Value": 1.0}
        metrics.put_metric_data(Namespace="Shop", MetricData=[error])
        CLOCK.advance(60)
    CLOCK.advance(300)
    rolled_back(sagemaker, TRIPPED)


# --- with real model servers ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """model.tar.gz with a tiny booster."""
    numpy, xgboost = pytest.importorskip("numpy"), pytest.importorskip("xgboost")
    data = xgboost.DMatrix(numpy.array([[0.0], [1.0]]), label=numpy.array([0.0, 1.0]))
    trained = xgboost.train({"max_depth": 1, "nthread": 1}, data, num_boost_round=2)
    path: Path = tmp_path_factory.mktemp("model") / "xgboost-model.ubj"
    trained.save_model(path)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(path, "xgboost-model")
    return packed.getvalue()


def test_over_http_a_canary_of_real_servers(lab_server: str, archive: bytes) -> None:
    settings = {"endpoint_url": lab_server, "region_name": REGION}
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    connect = partial(boto3.client, **settings, **keys)
    bucket, sagemaker, runtime = connect("s3"), connect("sagemaker"), connect("sagemaker-runtime")
    where = {"LocationConstraint": REGION}
    bucket.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    bucket.put_object(Bucket=BUCKET, Key="good.tar.gz", Body=archive)
    bucket.put_object(Bucket=BUCKET, Key="bad.tar.gz", Body=b"no archive")
    for name, key in (("v1", "good"), ("v2", "good"), ("bad", "bad")):
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}.tar.gz"}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        configure(sagemaker, name, variant(model=name))
    serve(sagemaker, "shop", "v1")
    update(sagemaker, CANARY)
    for _ in range(2):
        stage = described(sagemaker)["PendingDeploymentSummary"]["ProductionVariants"][0]
    assert stage["VariantStatus"][0]["Status"] == "ActivatingTraffic"
    ask = partial(runtime.invoke_endpoint, EndpointName="shop", ContentType="text/csv", Body="1")
    assert 0.0 < float(ask()["Body"].read()) < 1.0
    wait(sagemaker)
    assert described(sagemaker)["EndpointConfigName"] == "v2"
    update(sagemaker, CANARY, "bad")
    wait(sagemaker)
    answer = described(sagemaker)
    assert answer["EndpointConfigName"] == "v2"
    assert f"s3://{BUCKET}/bad.tar.gz" in answer["FailureReason"]
    assert 0.0 < float(ask()["Body"].read()) < 1.0
