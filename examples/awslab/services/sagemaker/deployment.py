"""UpdateEndpoint: how an endpoint comes from one fleet to another, and back again.

A deployment is a course of stages on the lab's clock. Blue/green launches the whole new fleet,
shifts traffic in one or more steps with a bake after each, and ends the old fleet. Rolling replaces
batch after batch. At every stage, every look and every tick the alarms are asked; one in ALARM, a
model that does not load, or too long a time leads back to the old fleet.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import CLOCK, Stage, now
from awslab.extension import Function, adds, changes
from awslab.services import cloudwatch
from awslab.services.sagemaker.endpoint_configs import (
    EndpointConfig,
    Request,
    find_config,
    from_template,
    on_inf1,
    refuse,
)
from awslab.services.sagemaker.endpoints import (
    PROVISIONING,
    TERMINATING,
    Endpoint,
    Fleet,
    get_endpoint,
    new_fleet,
    require,
)

WHOLE = {"Type": "CAPACITY_PERCENT", "Value": 100}
ACTIVATING = 60.0  # seconds of the lab's clock until a shift of traffic has taken effect

Act = Callable[[], None]
Steps = list[list[int]]  # after each step: how many instances of each variant get traffic


def portion(size: Request, total: int) -> int:
    """A capacity size in whole instances: a percentage is rounded down, but to at least one."""
    if size["Type"] == "INSTANCE_COUNT":
        return min(int(size["Value"]), total)
    return min(max(1, total * size["Value"] // 100), total)


def traffic_steps(routing: Request, totals: list[int]) -> Steps:
    """How a blue/green policy turns on the instances of the new fleet."""
    if routing["Type"] == "CANARY":
        return [[portion(routing["CanarySize"], total) for total in totals], totals]
    if routing["Type"] == "LINEAR":
        return batches(routing["LinearStepSize"], totals)
    return [totals]


def batches(size: Request, totals: list[int]) -> Steps:
    """Equal steps up to the total; the last one is what is left."""
    steps, on = [], [0] * len(totals)
    while on != totals:
        on = [min(t, n + portion(size, t)) for n, t in zip(on, totals, strict=True)]
        steps.append(on)
    return steps or [totals]


def part(counts: list[int], totals: list[int]) -> float:
    return sum(counts) / sum(totals) if any(totals) else 1.0


def total_wait(policy: Request, totals: list[int]) -> int:
    """Seconds that a blue/green policy bakes."""
    routing = policy["TrafficRoutingConfiguration"]
    shifts = len(traffic_steps(routing, totals)) - 1
    return int(
        shifts * routing["WaitIntervalInSeconds"] + policy.get("TerminationWaitInSeconds", 0)
    )


class Deployment:
    """One update of an endpoint, until it is in service again.

    phase: what happens, as VariantStatus names it. decided: nothing can lead back any more, or it
    is on the way back already.
    """

    def __init__(self, endpoint: Endpoint, new: Fleet, config: Request) -> None:
        self.endpoint, self.old, self.new = endpoint, endpoint.fleets[0], new
        self.rollback = config.get("AutoRollbackConfiguration") or {}
        self.rolling: Request | None = config.get("RollingUpdatePolicy")
        self.policy: Request = self.rolling or config.get("BlueGreenUpdatePolicy") or {}
        self.started = now()
        self.phase = ""
        self.decided = False

    def begin(self) -> None:
        endpoint = self.endpoint
        endpoint.deployment, endpoint.coming = self, self.new
        endpoint.coming_since = self.started.replace(tzinfo=None)
        endpoint.fleets = [self.old, self.new]
        endpoint.failure_reason = None
        stages = self.by_batches(self.rolling) if self.rolling else self.blue_green()
        endpoint.course.divert([*stages, Stage("InService", begin=self.finish)])

    @property
    def totals(self) -> list[int]:
        return [variant.capacity for variant in self.new.variants]

    def stage(self, phase: str, seconds: float, act: Act, work: Any = None) -> Stage:
        return Stage("Updating", seconds, work, partial(self.enter, phase, act))

    def enter(self, phase: str, act: Act) -> None:
        """Begin a stage, unless something speaks against it."""
        if self.watch(self.endpoint.course.entered):
            return
        self.phase = phase
        act()
        self.endpoint.announce()

    def launched(self, patience: float) -> bool:
        """The work of `Creating`: the new models load."""
        if not self.new.ready(patience):
            return False
        if self.new.failure:
            self.roll_back(self.new.failure)
        return True

    # Blue/green

    def blue_green(self) -> list[Stage]:
        routing = self.policy.get("TrafficRoutingConfiguration") or {"Type": "ALL_AT_ONCE"}
        totals = self.totals
        steps = traffic_steps(routing, totals)
        kinds = {"CANARY": "canary capacity", "LINEAR": "linear step capacity"}
        stages = [self.stage("Creating", PROVISIONING, self.launch_all, self.launched)]
        for step in steps:
            last = step is steps[-1]
            capacity = "full capacity" if step == totals else kinds[routing["Type"]]
            stages += self.shift(step, capacity)
            member = "TerminationWaitInSeconds" if last else "WaitIntervalInSeconds"
            wait = (self.policy if last else routing).get(member, 0)
            stages += self.bake(wait, member, step, capacity)
        return [*stages, self.stage("Deleting", TERMINATING, self.end_old)]

    def launch_all(self) -> None:
        for variant in self.new.all:
            variant.show("Creating", f"Launching {variant.capacity} instance(s).")

    def shift(self, step: list[int], capacity: str) -> list[Stage]:
        act = partial(self.activate, step, capacity)
        return [self.stage("ActivatingTraffic", ACTIVATING, act)]

    def activate(self, step: list[int], capacity: str) -> None:
        """Turn on traffic on so many new instances; rolling has launched no more than these."""
        for shadow in self.new.shadows:
            shadow.instances = shadow.capacity
        for variant, count in zip(self.new.variants, step, strict=True):
            variant.desired_instances = variant.capacity
            variant.instances = count if self.rolling else variant.capacity
        self.share(part(step, self.totals))
        self.say("ActivatingTraffic", "Activating traffic on", capacity, step)

    def bake(self, seconds: int, member: str, step: list[int], capacity: str) -> list[Stage]:
        text = f"Baking for {seconds} seconds ({member}) with traffic enabled on"
        act = partial(self.say, "Baking", text, capacity, step)
        return [self.stage("Baking", seconds, act)] if seconds else []

    def say(self, status: str, text: str, capacity: str, counts: list[int]) -> None:
        for variant, count in zip(self.new.variants, counts, strict=True):
            variant.show(status, f"{text} {capacity} of {count} instance(s).")
        for shadow in self.new.shadows:
            shadow.show(None)

    def share(self, of_new: float) -> None:
        self.new.share, self.old.share = of_new, 1.0 - of_new

    def end_old(self) -> None:
        """The point of no return: the new fleet has passed its last bake."""
        self.decided = True
        for variant in self.new.all:
            variant.show(None)
        for variant in self.old.all:
            variant.show("Deleting", f"Terminating {variant.instances} instance(s).")

    def finish(self) -> None:
        self.endpoint.serve()
        self.old.end()

    # Rolling

    def by_batches(self, policy: Request) -> list[Stage]:
        had, totals = self.old.variants[0].instances, self.totals
        wait, before = policy["WaitIntervalInSeconds"], 0
        stages = []
        for step in batches(policy["MaximumBatchSize"], totals):
            launch = partial(self.launch_batch, step[0] - before)
            left = had - had * step[0] // (totals[0] or 1)
            before = step[0]
            stages += [
                self.stage("Creating", PROVISIONING, launch, self.launched),
                *self.shift(step, "capacity"),
                *self.bake(wait, "WaitIntervalInSeconds", step, "capacity"),
                self.stage("Deleting", TERMINATING, partial(self.end_batch, left, step == totals)),
            ]
        return stages

    def launch_batch(self, size: int) -> None:
        self.old.variants[0].show(None)
        self.new.variants[0].show("Creating", f"Launching {size} instance(s).")

    def end_batch(self, left: int, last: bool) -> None:
        self.decided = last
        [old] = self.old.variants
        self.new.variants[0].show(None)
        old.show("Deleting", f"Terminating {old.instances - left} instance(s).")
        old.desired_instances, old.instances = old.capacity, left

    # The way back

    def watch(self, at: datetime | None = None) -> bool:
        """Roll back if something speaks against going on; true if so.

        at: the moment that counts for the time limit; now unless it is given.
        """
        reason = None if self.decided else self.trouble(at or now())
        if reason:
            self.roll_back(reason)
        return bool(reason)

    def trouble(self, at: datetime) -> str | None:
        limit = self.policy.get("MaximumExecutionTimeoutInSeconds")
        late = not CLOCK.instant and limit and at > self.started + timedelta(seconds=limit)
        if late:
            return (
                f"The deployment took longer than its MaximumExecutionTimeoutInSeconds ({limit}) "
                "and was rolled back."
            )
        tripped = [name for name in self.alarms() if self.alarm_state(name) == "ALARM"]
        if tripped:
            return f"An alarm in ALARM state rolled the deployment back: {', '.join(tripped)}."
        return None

    def alarms(self) -> list[str]:
        return [alarm["AlarmName"] for alarm in self.rollback.get("Alarms") or []]

    def alarm_state(self, name: str) -> str | None:
        return cloudwatch.alarm_state(self.endpoint.account_id, self.endpoint.region_name, name)

    def roll_back(self, reason: str) -> None:
        self.decided, self.phase = True, "RollingBack"
        self.endpoint.failure_reason = reason
        stages = self.back_by_batches() if self.rolling else [self.back(TERMINATING, self.all_back)]
        last = Stage("InService", begin=self.finish_back)
        self.endpoint.course.divert([*stages, last])

    def back(self, seconds: float, act: Act) -> Stage:
        def begin() -> None:
            act()
            self.endpoint.announce()

        return Stage("RollingBack", seconds, begin=begin)

    def all_back(self) -> None:
        self.share(0.0)
        for variant in self.old.all:
            variant.settle()
        for variant in self.new.all:
            count = variant.instances or variant.capacity  # none runs while they are launched
            variant.show("Deleting", f"Terminating {count} instance(s).")

    def back_by_batches(self) -> list[Stage]:
        """Launch what the old fleet has lost and end as much of the new one, batch by batch."""
        [old], [new] = self.old.variants, self.new.variants
        total, lost, running = old.capacity, old.capacity - old.instances, new.instances
        policy = self.rolling or {}
        size = portion(policy.get("RollbackMaximumBatchSize") or WHOLE, total) or 1
        stages = []
        for grown in [*range(total - lost + size, total, size), *([total] if lost else [])]:
            rest = running * (total - grown) // (lost or 1)
            stages.append(self.back(PROVISIONING, partial(self.relaunch, grown)))
            if grown < total:
                stages.append(self.back(TERMINATING, partial(self.swap_back, grown, rest)))
        return [*stages, self.back(TERMINATING, self.all_back)]

    def relaunch(self, grown: int) -> None:
        """Launch instances of the old fleet; those that it still has take what they can."""
        [old], [new] = self.old.variants, self.new.variants
        self.share(1.0 - part([old.instances], [old.capacity]))
        new.show(None)
        old.show("Creating", f"Launching {grown - old.instances} instance(s).")

    def swap_back(self, grown: int, rest: int) -> None:
        [old], [new] = self.old.variants, self.new.variants
        old.desired_instances, old.instances = old.capacity, grown
        self.share(1.0 - part([grown], [old.capacity]))
        old.show(None)
        new.show("Deleting", f"Terminating {new.instances - rest} instance(s).")
        new.instances = rest

    def finish_back(self) -> None:
        endpoint = self.endpoint
        endpoint.fleets, endpoint.coming, endpoint.deployment = [self.old], None, None
        endpoint.announce()
        self.new.end()


# --- rules ---------------------------------------------------------------------------------------


def check_policy(
    endpoint: Endpoint, config: EndpointConfig, given: Request, totals: list[int]
) -> None:
    """Hold a DeploymentConfig against the endpoint and its new configuration.

    Raises:
        AWSValidationException: SageMaker does not deploy like this.
    """
    blue_green, rolling = given.get("BlueGreenUpdatePolicy"), given.get("RollingUpdatePolicy")
    if blue_green and rolling:
        refuse("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
    if config.serverless or endpoint.config.serverless:
        refuse("DeploymentConfig is not supported for serverless endpoint.")
    if names(config) != names(endpoint.config):
        refuse(
            "The variant names of the new endpoint configuration must be the same as those of "
            f'the old one for a deployment with DeploymentConfig: "{config.name}" and '
            f'"{endpoint.config.name}" differ.'
        )
    if blue_green:
        check_blue_green(blue_green, totals)
    if rolling:
        check_rolling(rolling, totals)
    check_alarms(endpoint, given.get("AutoRollbackConfiguration") or {})


def names(config: EndpointConfig) -> set[str]:
    return {variant["VariantName"] for variant in config.variants}


def check_blue_green(policy: Request, totals: list[int]) -> None:
    routing = policy["TrafficRoutingConfiguration"]
    for kind, member, least in (("CANARY", "CanarySize", 0), ("LINEAR", "LinearStepSize", 10)):
        if routing["Type"] == kind:
            if not routing.get(member):
                refuse(f"{member} must be specified for traffic routing of type {kind}.")
            check_size(member, routing[member], totals, least, 50)
    wait, limit = total_wait(policy, totals), policy.get("MaximumExecutionTimeoutInSeconds")
    if limit and limit <= wait:
        refuse(
            f"MaximumExecutionTimeoutInSeconds ({limit}) must be larger than the total waiting "
            f"time of WaitIntervalInSeconds and TerminationWaitInSeconds ({wait})."
        )


def check_rolling(policy: Request, totals: list[int]) -> None:
    if len(totals) > 1:
        refuse("RollingUpdatePolicy is not supported for multi-variant endpoints.")
    check_size("MaximumBatchSize", policy["MaximumBatchSize"], totals, 5, 50)
    check_size("RollbackMaximumBatchSize", policy.get("RollbackMaximumBatchSize"), totals, 0, 100)


def check_size(member: str, size: Request | None, totals: list[int], least: int, most: int) -> None:
    """least, most: percent of the instances of each variant."""
    for total in totals:
        if size is None:
            return
        whole = 100 if size["Type"] == "CAPACITY_PERCENT" else total
        if not whole * least <= size["Value"] * 100 <= whole * most:
            bounds = f"between {least}% and {most}%" if least else f"at most {most}%"
            refuse(f"{member} must be {bounds} of the variant's total instance count ({total}).")


def check_alarms(endpoint: Endpoint, rollback: Request) -> None:
    for alarm in rollback.get("Alarms") or []:
        name = alarm.get("AlarmName")
        if name is None:
            refuse("AutoRollbackConfiguration must specify the AlarmName of every alarm.")
        if cloudwatch.alarm_state(endpoint.account_id, endpoint.region_name, name) is None:
            refuse(f"Could not find CloudWatch alarm {name} of AutoRollbackConfiguration.")


# --- UpdateEndpoint ------------------------------------------------------------------------------


def update(backend: SageMakerModelBackend, request: Request) -> Endpoint:
    """Begin a deployment; its servers load from now on.

    Raises:
        AWSValidationException: something is missing, the endpoint is not in service, or the
            deployment breaks a rule.
    """
    endpoint = get_endpoint(backend, request["EndpointName"])
    with endpoint.lock:
        require(endpoint, "InService")
        config = find_config(backend, request["EndpointConfigName"])
        find_config(backend, endpoint.config.name)  # SageMaker misses a deleted one only here
        if config.serverless and not endpoint.config.serverless:
            refuse("An endpoint on instances cannot be updated to a serverless variant.")
        kept = retained(endpoint, request)
        given = request.get("DeploymentConfig")
        if given is None and request.get("RetainDeploymentConfig"):
            given = endpoint.last_deployment_config
        if given:
            initial = [each | kept.get(each["VariantName"], {}) for each in config.variants]
            totals = [each.get("InitialInstanceCount") or 0 for each in initial]
            check_policy(endpoint, config, given, totals)
        new = new_fleet(backend, config, kept)
        endpoint.last_deployment_config = given or endpoint.last_deployment_config
        excluded = any(on_inf1(each) for each in config.variants + endpoint.config.variants)
        Deployment(endpoint, new, {} if excluded else given or {}).begin()
    return endpoint


def retained(endpoint: Endpoint, request: Request) -> dict[str, Request]:
    """What variants keep with RetainAllVariantProperties, as members of their configuration."""
    if not request.get("RetainAllVariantProperties"):
        return {}
    reset = {
        e["VariantPropertyType"] for e in request.get("ExcludeRetainedVariantProperties") or []
    }
    kept: dict[str, Request] = {}
    for variant in endpoint.variants():
        properties = {
            "DesiredInstanceCount": ("InitialInstanceCount", variant.capacity),
            "DesiredWeight": ("InitialVariantWeight", variant.weight),
        }
        if variant.serverless:
            del properties["DesiredInstanceCount"]
        kept[variant.name] = dict(v for name, v in properties.items() if name not in reset)
    return kept


def progress(endpoint: Endpoint) -> dict[str, Any]:
    """Where an endpoint stands on its way.

    stage: of the deployment, as VariantStatus names it, or `RollingBack`; without a deployment
        the endpoint's status. old, new: configurations; new is None without a deployment.
    share_of_new: of the traffic, 0 to 1. seconds_left: on the lab's clock, if nothing goes wrong.
    """
    deployment, course = endpoint.deployment, endpoint.course
    planned = [stage.seconds for stage in course.stages[course.position :]]
    passed = 0.0 if CLOCK.instant else (now() - course.entered).total_seconds()
    return {
        "stage": deployment.phase if deployment else endpoint.status,
        "old": endpoint.config.name,
        "new": deployment.new.config.name if deployment else None,
        "share_of_new": deployment.new.share if deployment else 0.0,
        "seconds_left": max(0.0, planned[0] - passed) + sum(planned[1:]),
    }


@adds(
    SageMakerResponse,
    "sagemaker",
    "UpdateEndpoint",
    differs=(
        "launching takes 3 minutes of the lab's clock, a shift of traffic 1, ending a fleet 1; "
        "a percentage of instances is rounded down, but to at least one, so a canary on one "
        "instance takes all traffic; the last baking period lasts `TerminationWaitInSeconds`, each "
        "one before it `WaitIntervalInSeconds`; shows `RollingBack` on the way back, which AWS's "
        "text keeps for weights and capacities; refusals of a policy and the `FailureReason` of a "
        "rollback are the lab's own words; never shows `UpdateRollbackFailed`; the role's "
        "permission for `cloudwatch:DescribeAlarms` is not checked"
    ),
)
def update_endpoint(self: Any) -> Any:
    endpoint = update(self.sagemaker_backend, dict(self.params))
    return ActionResult({"EndpointArn": endpoint.arn})


@changes(
    FakeEndpoint,
    "cloudformation",
    "AWS::SageMaker::Endpoint",
    reason="replaces the endpoint at an update",
    differs="a stack that changes only the endpoint configuration leaves the endpoint as it is",
)
def update_from_cloudformation_json(
    original: Function,
    original_resource: Endpoint,
    new_resource_name: str,
    cloudformation_json: Request,
    account_id: str,
    region_name: str,
) -> Endpoint:
    endpoint, properties = original_resource, cloudformation_json["Properties"]
    request = from_template("UpdateEndpoint", properties | {"EndpointName": endpoint.name})
    if request["EndpointConfigName"] != endpoint.config.name:
        for _ in endpoint.course.stages:  # a stack has waited until its endpoint was in service
            endpoint.look()
        update(sagemaker_backends[account_id][region_name], request)
    return endpoint
