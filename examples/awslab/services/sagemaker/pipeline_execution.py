"""Executions of pipelines: a thread runs the steps in the order of their dependencies."""

import json
import re
import threading
import time
import weakref
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, ClassVar

from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends

from awslab.clock import CLOCK, Course, Stage, naive_now
from awslab.extension import on_reset
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.pipeline_definition import (
    Definition,
    Scope,
    Step,
    Unresolved,
    resolve,
)
from awslab.services.sagemaker.pipeline_steps import (
    POLL,
    Callback,
    Run,
    StepFailed,
    StepStopped,
    perform,
    stop,
)
from awslab.services.sagemaker.resource import Resource, kept

FAILED = "Step failure: One or multiple steps failed."
# Real seconds that a look waits for the steps when the lab's clock is not instant.
GLANCE = 1.0
CACHED = {"Training", "Processing", "Transform", "Tuning", "EndpointConfig", "Endpoint"}
DURATION = re.compile(r"p?(?:(\d+)y)?(?:(\d+)m)?(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?")

Request = Mapping[str, Any]


class Execution(Resource):
    """One run of a pipeline.

    request: the members of StartPipelineExecution.
    text, definition: what it runs, whatever becomes of the pipeline.
    parameters: by name, with their defaults.
    chosen: the steps of a selective execution; None: all.
    """

    alive: ClassVar["weakref.WeakSet[Execution]"] = weakref.WeakSet()

    def __init__(
        self,
        backend: SageMakerModelBackend,
        identifier: str,
        request: Request,
        text: str,
        definition: Definition,
        parameters: Request,
    ) -> None:
        self.pipeline_name = str(request["PipelineName"])
        super().__init__(
            backend, "pipeline", f"{self.pipeline_name}/execution/{identifier}", request
        )
        self.id = identifier
        self.text, self.definition, self.parameters = text, definition, dict(parameters)
        self.callbacks: dict[str, Callback] = kept(backend, "pipeline_callbacks")
        self.runs: dict[str, Run] = {}
        self.chosen: set[str] | None = None
        self.aborted = threading.Event()  # the lab itself ends
        self.lock = threading.RLock()

    @property
    def pipeline_arn(self) -> str:
        return self.arn.partition("/execution/")[0]

    # --- the way of an execution ------------------------------------------------------------------

    def start(self) -> None:
        """Run all steps that have not succeeded yet, in a thread of their own."""
        self.stopping, self.ended = threading.Event(), threading.Event()
        self.outcome = "Executing"
        self.failure_reason: str | None = None
        self.course = Course([Stage("Executing", work=self.ends_within), Stage("Ended")])
        self.thread = threading.Thread(target=self.run, name=self.id, daemon=True)
        Execution.alive.add(self)
        self.thread.start()

    def ends_within(self, patience: float) -> bool:
        """Wait so many real seconds, but not for what only somebody outside can end."""
        until = time.monotonic() + (patience if CLOCK.instant else min(patience, GLANCE))
        while not self.ended.wait(POLL):
            running = [run for run in list(self.runs.values()) if run.end is None]
            idle = bool(running) and all(run.waits_for_somebody for run in running)
            if idle or time.monotonic() >= until:
                return self.ended.is_set()
        return True

    def look(self) -> str:
        status = self.course.look()
        return self.outcome if status == "Ended" else status

    def stop(self) -> None:
        """Let no step begin any more, and stop those that run."""
        with self.lock:
            self.stopping.set()
            self.course.divert([Stage("Stopping", work=self.ends_within), Stage("Ended")])
        for run in list(self.runs.values()):
            if run.job and run.end is None:
                stop(self, *run.job)

    def abort(self) -> None:
        self.aborted.set()
        self.stopping.set()
        self.thread.join(10)

    # --- the steps --------------------------------------------------------------------------------

    def run(self) -> None:
        parallel = (self.request.get("ParallelismConfiguration") or {}).get(
            "MaxParallelExecutionSteps"
        )
        most = min(parallel or len(self.definition.steps), len(self.definition.steps))
        try:
            with ThreadPoolExecutor(most, thread_name_prefix=self.id) as pool:
                self.run_in(pool)
        finally:
            self.outcome, self.failure_reason = self.judge()
            self.last_modified_time = naive_now()
            self.ended.set()

    def run_in(self, pool: ThreadPoolExecutor) -> None:
        running: set[Future[None]] = set()
        while True:
            for step in self.ready():
                run = self.runs[step.name] = Run(step, naive_now())
                running.add(pool.submit(self.run_step, run))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                each.result()

    def ready(self) -> list[Step]:
        """The steps that may begin now."""
        if self.stopping.is_set():
            return []
        halted = any(
            run.status == "Failed" and not self.definition.handles_failure_of(name)
            for name, run in self.runs.items()
        )
        steps = [] if halted else list(self.definition.steps.values())
        return [step for step in steps if step.name not in self.runs and self.may_begin(step)]

    def may_begin(self, step: Step) -> bool:
        if self.chosen is not None and step.name not in self.chosen:
            return False
        for needed, states in step.needs:
            run = self.runs.get(needed)
            if run is None or run.status not in states:
                return False
        if step.gate is None:
            return True
        condition, outcome = step.gate
        run = self.runs.get(condition)
        return run is not None and run.outputs.get("Outcome") is outcome

    def run_step(self, run: Run) -> None:
        status = "Failed"
        try:
            if not self.taken_from_cache(run):
                perform(self, run)
            status = "Succeeded"
        except StepFailed as error:
            run.failure_reason = str(error)[:1024]
        except StepStopped:
            status = "Stopped"
        finally:
            run.end = naive_now()
            run.status = status

    def judge(self) -> tuple[str, str | None]:
        """How the execution has ended, and why."""
        failed = [name for name, run in self.runs.items() if run.status == "Failed"]
        if any(not self.definition.handles_failure_of(name) for name in failed):
            return "Failed", FAILED
        if self.stopping.is_set():
            return "Stopped", None
        return ("CompletedWithFailures", FAILED) if failed else ("Succeeded", None)

    def scope(self, variables: Request) -> Scope:
        """What a step's references may name; `variables` are the step's own."""
        own = {
            "PipelineName": self.pipeline_name,
            "PipelineArn": self.pipeline_arn,
            "PipelineExecutionId": self.id,
            "PipelineExecutionArn": self.arn,
            "StartDateTime": iso(self.creation_time),
            "CurrentDateTime": iso(naive_now()),
        }
        outputs = {
            name: run.outputs for name, run in list(self.runs.items()) if run.status == "Succeeded"
        }
        return Scope(self.definition, self.parameters, own | dict(variables), outputs)

    # --- the cache --------------------------------------------------------------------------------

    def taken_from_cache(self, run: Run) -> bool:
        """Take over what the same step with the same arguments has answered before."""
        if run.step.kind not in CACHED:
            return False
        try:
            run.key = json.dumps(resolve(run.step.arguments, self.scope({})), sort_keys=True)
        except Unresolved:
            return False
        wanted = run.step.text.get("CacheConfig") or {}
        if not isinstance(wanted, dict) or not wanted.get("Enabled"):
            return False
        since = naive_now() - duration(str(wanted.get("ExpireAfter") or "p1y"))
        for execution in self.others():
            before = execution.runs.get(run.step.name)
            if before and before.key == run.key and before.succeeded_since(since):
                run.outputs, run.metadata = before.outputs, before.metadata
                run.reused = before.reused or execution.arn
                return True
        return False

    def others(self) -> "list[Execution]":
        """Other executions of the same pipeline, the newest first."""
        held = sagemaker_backends[self.account_id][self.region_name].pipeline_executions.values()
        return [
            each
            for each in reversed(list(held))
            if each is not self and each.pipeline_name == self.pipeline_name
        ]

    # --- answers ----------------------------------------------------------------------------------

    def described(self) -> dict[str, Any]:
        """The members of DescribePipelineExecution; this is a look at it."""
        status = self.look()
        return told(
            "DescribePipelineExecution",
            self.request,
            PipelineArn=self.pipeline_arn,
            PipelineExecutionArn=self.arn,
            PipelineExecutionStatus=status,
            PipelineExperimentConfig=self.experiment(),
            FailureReason=self.failure_reason
            if status in ("Failed", "CompletedWithFailures")
            else None,
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
        )

    gen_response_object = described  # what moto's Search answers

    def experiment(self) -> dict[str, Any] | None:
        config = self.definition.text.get("PipelineExperimentConfig")
        try:
            resolved = resolve(config, self.scope({}))
        except Unresolved:
            return None
        return resolved if isinstance(resolved, dict) else None


def iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def duration(text: str) -> timedelta:
    """`P30D`, `PT12H`, also without the P, as the SDK allows; what is none lasts no time."""
    found = DURATION.fullmatch(text.lower())
    parts = [min(int(part or 0), 10_000) for part in found.groups()] if found else [0] * 6
    years, months, days, hours, minutes, seconds = parts
    return timedelta(
        days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds
    )


@on_reset
def end_all() -> None:
    """Stop the threads of all executions: what they would do belongs to a lab that is gone."""
    for execution in list(Execution.alive):
        execution.abort()
    Execution.alive.clear()
