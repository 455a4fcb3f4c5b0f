"""What really happens to a training job: data in, the program, its logs and metrics, artifacts out.

All of it happens in a thread of its own as soon as a processor is free. It leaves a list of the
states that the job has been through; how they are shown is the matter of `training.py`.
"""

import contextlib
import json
import logging
import math
import re
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import awslab
from awslab import objects, work
from awslab.clock import naive_now
from awslab.services.sagemaker import toolkit, xgboost_rules
from awslab.services.sagemaker.container import (
    NOT_DOWNLOADED,
    OPT_ML,
    QUEUE,
    Container,
    Failure,
    Item,
    Mirror,
    archive,
    credentials,
    listed,
    printable,
    upload,
)
from awslab.services.sagemaker.images import kind_of
from awslab.telemetry import EPOCH, put_log_lines, put_metric

LOG_GROUP = NAMESPACE = "/aws/sagemaker/TrainingJobs"
TRAIN_XGBOOST = Path(awslab.__file__).with_name("containers") / "train_xgboost.py"
SDK_CHANNEL = "sm_drivers"  # in which the Python SDK sends its own scripts along
MOST_HOSTS = 4  # processes that the lab runs for one job
BEAT = 0.25  # real seconds between two looks at a running program
START = 5.0  # real seconds that a stop or an interruption waits for the program to begin
GRACE = work.GRACE  # real seconds between SIGTERM and SIGKILL
TAIL = 50  # last lines of the output, in which the error of a script is looked for
LONGEST_REASON = 1024

FINAL = ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded")
MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading the training image",
    "Training": "Training image download completed. Training in progress.",
    "Interrupted": "Training job interrupted",
    "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}
NO_PROGRAM = (
    "ClientError: The lab has nothing that behaves like the image {}. Give ContainerEntrypoint, "
    "or the hyperparameters sagemaker_program and sagemaker_submit_directory."
)

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Happening:
    """A secondary status, and when the job came to it (UTC, without zone: as all times here)."""

    status: str
    at: datetime


@dataclass(frozen=True)
class Metric:
    """A value that a metric definition has found in a line of output."""

    name: str
    value: float
    at: datetime


@dataclass
class Host:
    """One instance of the job: its container, and what it has said but nobody has stored."""

    name: str
    container: Container
    stream: str
    lines: deque[str] = field(default_factory=deque)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))

    def say(self, line: str) -> None:
        """Take a line of output; called from the thread that reads the program."""
        self.tail.append(line)
        self.lines.append(printable(line))


class LabOver(Exception):
    """The lab has been emptied while the job ran: nothing of it may be written any more."""


class Run:
    """The work of one training job.

    request: of CreateTrainingJob, with the defaults filled in.
    happened: every secondary status so far; grows by the job's own thread, and by `stop` and
        `interrupt`.
    metrics: what the metric definitions have found in the output, in order.
    """

    def __init__(self, account: str, region: str, arn: str, request: Request) -> None:
        self.account, self.region, self.arn, self.request = account, region, arn, request
        self.name: str = request["TrainingJobName"]
        self.happened = [Happening("Starting", naive_now())]
        self.metrics: list[Metric] = []
        self.failure = ""
        self._changed = threading.Condition()
        self._hosts: list[Host] = []
        self._mirrors: list[tuple[Mirror, Path]] = []
        self._runs = False  # the programs have been started, and not all have ended
        self._ending: str | None = None  # how the job is to end, if not by itself
        self._expressions = [
            (definition["Name"], re.compile(definition["Regex"]))
            for definition in specification(request).get("MetricDefinitions") or []
        ]

    def start(self) -> None:
        QUEUE.add(self._go)

    # --- for those who watch ----------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        return self.happened[-1].status in FINAL

    def follow(self, index: int, patience: float) -> bool:
        """Whether the job comes to the state of this number within so many real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.happened) > index, patience)

    def wait(self, seconds: float | None = None) -> bool:
        """Whether the job ends within so many real seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended, seconds)

    def stop(self) -> bool:
        """End the job before its time; false if it has ended already.

        A job whose turn comes now is let begin first, so that the same calls show the same states.
        """
        with self._changed:
            waits = QUEUE.full and self.happened[-1].status == "Starting"
            self._changed.wait_for(lambda: self._runs or self.ended, 0 if waits else START)
            if self.happened[-1].status == "Uploading":
                self._changed.wait_for(lambda: self.ended, START)
            if self.ended:
                return False
            self._end("Stopped", "Stopping")
            if not self._runs and self.happened[-2].status == "Starting":
                self._happen("Stopped")
            return True

    def interrupt(self) -> bool:
        """Take the spot instances away; false if no program runs."""
        with self._changed:
            self._changed.wait_for(lambda: self._runs or self.ended, START)
            if not self._runs or self._ending:
                return False
            self._end("Interrupted", "Interrupted")
            return True

    def _end(self, ending: str, status: str) -> None:
        self._ending = ending
        self._happen(status)
        for host in self._hosts:
            host.container.stop(GRACE)

    def _happen(self, status: str) -> None:
        with self._changed:
            self.happened.append(Happening(status, max(naive_now(), self.happened[-1].at)))
            self._changed.notify_all()

    # --- the thread of the job --------------------------------------------------------------------

    def _go(self, over: threading.Event) -> None:
        try:
            self._train(over)
        except LabOver:
            pass
        except Failure as failure:
            if not over.is_set():
                self._fail(str(failure))
        except Exception:
            if not over.is_set():
                logging.getLogger(__name__).exception("The lab failed in %s", self.arn)
                self._fail(
                    "InternalServerError: We encountered an internal error. Please try again."
                )
        finally:
            self._clear()

    def _train(self, over: threading.Event) -> None:
        while self._turn():
            self._prepare()
            self._happen("Training")
            self._run(over)
            if self._ending != "Interrupted":
                break
            with self._changed:
                self._clear()
                self._ending = None
                self._happen("Starting")
        if not self.ended:
            self._happen("Uploading")
            self._upload_model()
            self._upload_output()
            self._happen(self._ending or "Completed")

    def _turn(self) -> bool:
        """Begin to download; false if the job has been stopped while it waited."""
        with self._changed:
            if self._ending:
                return False
            self._happen("Downloading")
            return True

    def _fail(self, reason: str) -> None:
        self.failure = reason[:LONGEST_REASON]
        self._store()
        if any(each.status == "Training" for each in self.happened):
            self._happen("Uploading")
            with contextlib.suppress(Failure):
                self._upload_output()
        self._happen("Failed")

    def _clear(self) -> None:
        """End what still runs, and give the disk back."""
        for host in self._hosts:
            host.container.remove()
        self._hosts, self._mirrors = [], []

    # --- data in ----------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """A container per instance, with everything that the program finds in it.

        Raises:
            Failure: the data are not there, or the lab cannot do what is asked for.
        """
        if self.request.get("ServerlessJobConfig"):
            raise Failure("ClientError: The lab has no serverless training jobs.")
        began = int((naive_now() - EPOCH).total_seconds())
        for name in self._host_names():
            host = Host(name, Container("training"), f"{self.name}/{name}-{began}")
            self._hosts.append(host)
            self._restore_checkpoints(host.container)
            for folder in ("model", "output/data", "input/data", "code"):
                host.container.inside(f"{OPT_ML}/{folder}").mkdir(parents=True, exist_ok=True)
            for file, content in self._configuration(name).items():
                host.container.put(f"{toolkit.CONFIG}/{file}.json", json.dumps(content))
        for channel in self.request.get("InputDataConfig") or []:
            self._download(channel)

    def _host_names(self) -> list[str]:
        """The built-in algorithm trains on the first host alone, with all data."""
        wanted = 1 if self._built_in else min(instances_of(self.request), MOST_HOSTS)
        return [f"algo-{number}" for number in range(1, max(wanted, 1) + 1)]

    def _configuration(self, host: str) -> dict[str, Any]:
        """What lies in /opt/ml/input/config, by the names of the files; all values are texts."""
        names, kind = self._host_names(), instance_type_of(self.request)
        group = "homogeneousCluster"
        files = {
            "hyperparameters": self.request.get("HyperParameters") or {},
            "resourceconfig": {
                "current_host": host,
                "current_instance_type": kind,
                "current_group_name": group,
                "hosts": names,
                "instance_groups": [
                    {"instance_group_name": group, "instance_type": kind, "hosts": names}
                ],
                "network_interface_name": "eth0",
            },
            "inputdataconfig": {
                channel["ChannelName"]: told_of(channel, specification(self.request))
                for channel in self.request.get("InputDataConfig") or []
            },
        }
        if self.request.get("CheckpointConfig"):
            files["checkpointconfig"] = self.request["CheckpointConfig"]
        return files

    def _download(self, channel: Mapping[str, Any]) -> None:
        """Copy the data of a channel to each host, all of them or its share.

        Raises:
            Failure: they are not there, or come in a way that the lab does not have.
        """
        name, source = channel["ChannelName"], channel["DataSource"].get("S3DataSource")
        mode = channel.get("InputMode") or specification(self.request)["TrainingInputMode"]
        if source is None or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            kind = source["S3DataType"] if source else next(iter(channel["DataSource"]), "no data")
            raise Failure(f"ClientError: The lab cannot read {kind} (channel {name}).")
        if mode == "Pipe":
            raise Failure(f"ClientError: The lab has no Pipe mode (channel {name}).")
        try:
            items = listed(source["S3Uri"], source["S3DataType"])
        except objects.NotFound as error:
            raise Failure(f"{NOT_DOWNLOADED}{error}") from None
        folder, count = f"{OPT_ML}/input/data/{name}", len(self._hosts)
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        for number, host in enumerate(self._hosts):
            own: Sequence[Item] = items[number::count] if sharded else items
            host.container.download(own, folder)
            if name == SDK_CHANNEL:
                host.container.put(
                    f"{folder}/scripts/install_requirements.py",
                    f"print({toolkit.NOT_INSTALLED!r})\n",
                )

    def _restore_checkpoints(self, container: Container) -> None:
        """What an earlier run has stored lies in the folder when the program starts."""
        config = self.request.get("CheckpointConfig")
        if config:
            mirror, folder = Mirror(self.region, config["S3Uri"]), config["LocalPath"]
            container.inside(folder).mkdir(parents=True, exist_ok=True)
            mirror.fetch(container, folder)
            self._mirrors.append((mirror, container.inside(folder)))

    # --- the program ------------------------------------------------------------------------------

    def _run(self, over: threading.Event) -> None:
        """Run the program on each host until all have ended.

        Raises:
            Failure: one of them has failed.
            LabOver: the lab has been emptied.
        """
        with self._changed:
            if self._ending:
                return
            for host in self._hosts:
                self._start(host)
            self._runs = True
            self._changed.notify_all()
        failed = None
        while running := [host for host in self._hosts if host.container.wait(0) is None]:
            failed = failed or self._failed()
            if failed:
                for host in running:
                    host.container.kill()
            running[0].container.wait(BEAT)
            self._keep_up(over)
            limit = self._limit()
            with self._changed:
                if limit and not self._ending:
                    self._end(limit, "Stopping")
        with self._changed:
            self._runs = False
        self._keep_up(over)
        failed = failed or self._failed()
        if failed and not self._ending:
            raise Failure(self._reason(*failed))

    def _failed(self) -> tuple[Host, int] | None:
        """The first host whose program has failed, and its exit code."""
        codes = [(host, host.container.wait(0)) for host in self._hosts]
        return next(((host, code) for host, code in codes if code), None)

    def _keep_up(self, over: threading.Event) -> None:
        """Store what has come since the last time.

        Raises:
            LabOver: nothing may be stored any more.
        """
        if over.is_set():
            raise LabOver
        self._store()
        for mirror, folder in self._mirrors:
            mirror.push(folder)

    def _store(self) -> None:
        """Bring the lines of output into the logs, and the metrics in them to CloudWatch."""
        for host in self._hosts:
            lines = [host.lines.popleft() for _ in range(len(host.lines))]
            if lines:
                put_log_lines(self.account, self.region, LOG_GROUP, host.stream, lines)
            for line in lines:
                self._measure(line)

    def _measure(self, line: str) -> None:
        """Find the metrics in a line."""
        for name, expression in self._expressions:
            found = expression.search(line)
            value = number_in(found)
            if value is not None:
                self.metrics.append(Metric(name, value, naive_now()))
                where = {"TrainingJobName": self.name}
                put_metric(self.account, self.region, NAMESPACE, name, value, where)

    def _limit(self) -> str | None:
        """The limit of time that the job has passed, on the lab's clock."""
        condition, now = self.request["StoppingCondition"], naive_now()
        if trained(self.happened, now) > condition["MaxRuntimeInSeconds"]:
            return "MaxRuntimeExceeded"
        most = condition.get("MaxWaitTimeInSeconds", math.inf)
        if (now - self.happened[0].at).total_seconds() > most:
            return "MaxWaitTimeExceeded"
        return None

    @property
    def _program(self) -> str:
        """The user's script, if it is the toolkit that runs it."""
        return toolkit.program_of(
            self.request.get("HyperParameters") or {}, self.request.get("Environment") or {}
        )

    @property
    def _own_command(self) -> list[str]:
        asked = specification(self.request)
        return [*(asked.get("ContainerEntrypoint") or []), *(asked.get("ContainerArguments") or [])]

    @property
    def _built_in(self) -> bool:
        image = specification(self.request).get("TrainingImage", "")
        return kind_of(image) == "xgboost" and not self._own_command and not self._program

    def _start(self, host: Host) -> None:
        """Start what the image would run: the given command, the user's script, or the algorithm.

        Raises:
            Failure: it has nothing to run, or the algorithm refuses its hyperparameters.
        """
        if self._own_command:
            host.container.start(self._own_command, self._variables(), host.say)
        elif self._program:
            self._start_script(host)
        elif self._built_in:
            self._check_algorithm(host)
            variables = self._variables() | self._toolkit_variables(host)
            command = [sys.executable, str(TRAIN_XGBOOST)]
            host.container.start(command, variables, host.say, with_xgboost=True)
        else:
            image = specification(self.request).get("TrainingImage", "")
            if kind_of(image) == "framework":
                raise Failure(framework_error(f"ValueError: {toolkit.NO_ENTRY_POINT}"))
            raise Failure(NO_PROGRAM.format(image))

    def _start_script(self, host: Host) -> None:
        values = toolkit.decoded(self.request.get("HyperParameters") or {})
        source = str(values.get("sagemaker_submit_directory") or "")
        for line in toolkit.fetch_code(host.container, source):
            host.say(line)
        command = toolkit.command_of(self._program, values)
        host.say(toolkit.COMMAND)
        host.say(host.container.told(" ".join(command)))
        variables = self._toolkit_variables(host) | self._variables()
        host.container.start(command, variables, host.say, toolkit.code_folder(source))

    def _check_algorithm(self, host: Host) -> None:
        files = self._configuration(host.name)
        try:
            xgboost_rules.check(files["hyperparameters"], files["inputdataconfig"])
        except xgboost_rules.UserError as error:
            said = f"{xgboost_rules.ERROR_CLASS}: {error}"
            host.say(f"ERROR:sagemaker-containers:Reporting training FAILURE: {said}")
            raise Failure(framework_error(said)) from None

    def _toolkit_variables(self, host: Host) -> dict[str, str]:
        names = [each.name for each in self._hosts]
        return toolkit.variables_of(
            self.request, names, host.name, self._configuration(host.name), self._program
        )

    def _variables(self) -> dict[str, str]:
        """What the service itself gives to every container."""
        isolated = self.request.get("EnableNetworkIsolation")
        role = self.request["RoleArn"]
        return {
            "TRAINING_JOB_NAME": self.name,
            "TRAINING_JOB_ARN": self.arn,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **({} if isolated else credentials(self.account, self.region, role)),
            **(self.request.get("Environment") or {}),
        }

    def _reason(self, host: Host, code: int) -> str:
        """Why the job has failed: what the program has written about it comes first."""
        said = host.container.text_of(f"{OPT_ML}/output/failure").strip()
        if not said and self._program and not self._own_command:
            values = toolkit.decoded(self.request.get("HyperParameters") or {})
            command = host.container.told(" ".join(toolkit.command_of(self._program, values)))
            said = toolkit.script_error(code, list(host.tail), command)
        return f"AlgorithmError: {said}, exit code: {code}"

    # --- data out ---------------------------------------------------------------------------------

    @property
    def _output(self) -> str:
        return f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"

    @property
    def artifact(self) -> str:
        """Where the model is, or would be if the program had left one."""
        compressed = self.request["OutputDataConfig"].get("CompressionType") != "NONE"
        return f"{self._output}/{'model.tar.gz' if compressed else 'model/'}"

    def _upload_model(self) -> None:
        folders = [host.container.inside(f"{OPT_ML}/model") for host in self._hosts]
        if self.artifact.endswith("/"):
            for folder in folders:
                Mirror(self.region, self.artifact).push(folder)
            return
        packed = archive(folders)
        if packed:
            upload(self.region, self.artifact, packed)

    def _upload_output(self) -> None:
        packed = archive(host.container.inside(f"{OPT_ML}/output/data") for host in self._hosts)
        if packed:
            upload(self.region, f"{self._output}/output.tar.gz", packed)


def specification(request: Request) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.get("AlgorithmSpecification") or {}
    return found


def instances_of(request: Request) -> int:
    resources = request.get("ResourceConfig") or {}
    groups = resources.get("InstanceGroups") or [resources]
    return sum(group.get("InstanceCount") or 1 for group in groups)


def instance_type_of(request: Request) -> str:
    """The first type that is named, whichever way the instances are asked for."""
    resources = request.get("ResourceConfig") or {}
    others = [
        *(resources.get("InstanceGroups") or []),
        *(resources.get("InstancePreferences") or []),
    ]
    kinds = [each.get("InstanceType") for each in (resources, *others)]
    return next((str(kind) for kind in kinds if kind), "")


def told_of(channel: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, str]:
    """A channel as inputdataconfig.json describes it."""
    source = channel["DataSource"].get("S3DataSource") or {}
    told = {
        "TrainingInputMode": channel.get("InputMode") or asked["TrainingInputMode"],
        "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
        "RecordWrapperType": channel.get("RecordWrapperType") or "None",
    }
    kind = channel.get("ContentType")
    return {"ContentType": kind} | told if kind else told


def trained(happened: Sequence[Happening], until: datetime | None = None) -> float:
    """Seconds on the instances: from each Downloading to the end or the interruption.

    until: for a job that still runs.
    """
    total, began = 0.0, None
    for each in happened:
        if each.status == "Downloading":
            began = each.at
        elif each.status in (*FINAL, "Interrupted") and began:
            total += (each.at - began).total_seconds()
            began = None
    if began and until:
        total += (until - began).total_seconds()
    return total


def number_in(found: re.Match[str] | None) -> float | None:
    """What the first group of a metric's regex has caught, if it is a finite number."""
    try:
        value = float(found[1]) if found else math.nan
    except (IndexError, TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def framework_error(said: str) -> str:
    """How the containers report what they themselves have raised, without its traceback."""
    return f"AlgorithmError: framework error: \n{said}, exit code: 1"
