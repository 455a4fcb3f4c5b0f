"""Training jobs: what makes a model of data."""

import json
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from smcli.calls import AWS
from smcli.command import argument, command, dry_run_option, option
from smcli.jobs import (
    NamedUri,
    Request,
    below,
    find_data,
    is_framework,
    is_xgboost,
    list_jobs,
    machine_options,
    name_argument,
    network_options,
    program_options,
    repository,
    status_option,
    stored,
    vpc_config,
    wait_for_job,
)
from smcli.language import N_, _
from smcli.logs import log_options, show_log
from smcli.output import say, show_done, show_made, show_one
from smcli.parameters import KeyValue, S3Uri
from smcli.roles import role_option, with_role
from smcli.source import pack, script_of
from smcli.waiting import waiting_options

SCRIPT = ("sagemaker_program", "sagemaker_submit_directory")
CODE = "code"  # the channel by which a script comes into a container without network


@command(
    "training-create",
    calls=[
        "iam:GetRole",
        "s3:ListObjectsV2",
        "s3:PutObject",
        "s3:DeleteObject",
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
    ],
    help=N_("Start a training job."),
)
@name_argument()
@argument("image", help=N_("Training image; smcli images lists those of AWS."))
@argument("s3_input", type=S3Uri(), help=N_("Prefix of the data in S3."))
@argument(
    "s3_output", type=S3Uri(), help=N_("Where the model is saved in S3, under the name of the job.")
)
@option(
    "--source-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help=N_("Folder with the script and what it imports; uploaded without hidden files."),
)
@option(
    "--entry-point",
    metavar="FILE",
    help=N_("Training script, in the folder of --source-dir or a file on its own."),
)
@option(
    "--hyperparameter",
    "hyperparameters",
    type=KeyValue(),
    multiple=True,
    metavar="KEY=VALUE",
    help=N_("Hyperparameter; may be repeated."),
)
@option(
    "--channel-name",
    metavar="NAME",
    help=N_("Channel for S3_INPUT; default: train for the XGBoost algorithm, otherwise training."),
)
@option(
    "--channel",
    "channels",
    type=NamedUri(),
    multiple=True,
    metavar="NAME=S3URI",
    help=N_("Another channel, such as validation=s3://bucket/prefix/; may be repeated."),
)
@option(
    "--content-type",
    metavar="TYPE",
    help=N_("Format of the data, such as text/csv; without it, XGBoost reads libsvm."),
)
@option(
    "--input-mode",
    type=click.Choice(["File", "FastFile", "Pipe"], case_sensitive=False),
    metavar="[File|FastFile|Pipe]",
    default="File",
    show_default=True,
    help=N_("Copy the data first (File), or stream it."),
)
@option(
    "--metric",
    "metrics",
    type=KeyValue(),
    multiple=True,
    metavar="NAME=REGEX",
    help=N_("Metric to take from the logs, by the first group of the regex; may be repeated."),
)
@option("--spot", is_flag=True, help=N_("Train on spare capacity, which may be interrupted."))
@option(
    "--max-wait",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help=N_("With --spot, the longest time including all waiting; default: twice --max-runtime."),
)
@option(
    "--checkpoint-s3",
    type=S3Uri(),
    metavar="S3URI",
    help=N_("Save /opt/ml/checkpoints here, to resume after an interruption."),
)
@program_options()
@machine_options()
@network_options()
@role_option()
@waiting_options(poll=30)
@dry_run_option()
def create(
    aws: AWS,
    name: str,
    image: str,
    s3_input: str,
    s3_output: str,
    role: str | None,
    source_dir: Path | None,
    entry_point: str | None,
    **options: Any,
) -> None:
    script = script_of(source_dir, entry_point)
    hyperparameters = dict(options["hyperparameters"])
    own = bool(script) or "sagemaker_program" in hyperparameters or bool(options["entrypoint"])
    check_program(image, bool(script), own, options)
    archive = below(s3_output, name, "source", "sourcedir.tar.gz")
    channels = channels_of(s3_input, image, own, options)
    data = [channel["DataSource"]["S3DataSource"]["S3Uri"] for channel in channels]
    if script:
        place = archive
        if options["isolated"]:
            place = f"/opt/ml/input/data/{CODE}/sourcedir.tar.gz"
            channels.append(channel_of(CODE, below(s3_output, name, "source") + "/"))
        hyperparameters |= script_parameters(script[1], place, aws.region_name)
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": options["input_mode"],
            "ContainerEntrypoint": options["entrypoint"],
            "ContainerArguments": options["arguments"],
            "MetricDefinitions": [{"Name": key, "Regex": r} for key, r in options["metrics"]],
        },
        "HyperParameters": hyperparameters,
        "Environment": dict(options["environment"]),
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": s3_output},
        "ResourceConfig": {
            "InstanceType": options["instance_type"],
            "InstanceCount": options["instance_count"],
            "VolumeSizeInGB": options["volume_size"],
        },
        "StoppingCondition": limits(options["spot"], options["max_runtime"], options["max_wait"]),
        "EnableManagedSpotTraining": options["spot"] or None,
        "CheckpointConfig": {"S3Uri": options["checkpoint_s3"]},
        "VpcConfig": vpc_config(options["subnets"], options["groups"]),
        "EnableNetworkIsolation": options["isolated"] or None,
    }
    content = pack(script[0]) if script else None
    request = with_role(aws, role, "CreateTrainingJob", "RoleArn", request)
    keys = [key for uri in data for key in find_data(aws, uri)]
    if is_xgboost(image) and not own and not options["content_type"]:
        check_format(keys)
    if options["spot"] and not options["checkpoint_s3"]:
        say(_("Without --checkpoint-s3, an interrupted job starts over."))
    with stored(aws, archive, content) if content else nullcontext():
        answer = aws.change("sagemaker", "CreateTrainingJob", **request)
    steps = [] if aws.wait else [f"smcli training-logs {name} --follow"]
    show_made(aws, answer, "TrainingJobArn", *steps)
    if aws.dry_run:
        return
    say(_("console: {address}").format(address=console(aws, name)))
    if aws.wait:
        wait_for_job(aws, "training", name, look, ("Completed",), ("Failed", "Stopped"))
        say(_("next: {command}").format(command=f"smcli training-describe {name}"))


def check_program(image: str, script: bool, own: bool, options: dict[str, Any]) -> None:
    """Hold the image against what it is to run.

    own: the caller brings a program of some kind.

    Raises:
        click.UsageError: it would run nothing, or not what was asked.
    """
    if not image:  # as of a variable of the shell that is not set
        raise click.UsageError(_("IMAGE is empty."))
    if is_framework(image) and not own:
        raise click.UsageError(
            _(
                "The image {repository} runs a script of yours, and none was given. "
                "Add --entry-point FILE, or --source-dir FOLDER --entry-point FILE."
            ).format(repository=repository(image))
        )
    given = dict(options["hyperparameters"])
    if script and (options["entrypoint"] or any(key in given for key in SCRIPT)):
        raise click.UsageError(
            _(
                "--entry-point cannot be used with --entrypoint or the hyperparameters {names}."
            ).format(names=", ".join(SCRIPT))
        )
    if is_xgboost(image) and not own and options["metrics"]:
        raise click.UsageError(_("--metric: the XGBoost algorithm has its own metrics."))
    for key, expression in options["metrics"]:
        try:
            groups = re.compile(expression).groups
        except re.error as error:
            raise click.UsageError(
                _("--metric {name}: {error}").format(name=key, error=error)
            ) from None
        if not groups:
            raise click.UsageError(
                _("--metric {name}: put parentheses around the number in {expression}").format(
                    name=key, expression=expression
                )
            )


def channels_of(s3_input: str, image: str, own: bool, options: dict[str, Any]) -> list[Request]:
    """Raises click.UsageError: two channels have one name."""
    usual = "train" if is_xgboost(image) and not own else "training"
    pairs = [(options["channel_name"] or usual, s3_input), *options["channels"]]
    names = [name for name, _uri in pairs] + ([CODE] if options["isolated"] else [])
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(_("There are two channels {name}.").format(name=name))
    return [channel_of(name, uri, options["content_type"]) for name, uri in pairs]


def channel_of(name: str, uri: str, content_type: str | None = None) -> Request:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "ContentType": content_type,
        "DataSource": {"S3DataSource": source},
    }


def script_parameters(program: str, place: str, region: str) -> dict[str, str]:
    """The hyperparameters by which the toolkit in the image finds the script."""
    values = {
        "sagemaker_program": program,
        "sagemaker_submit_directory": place,
        "sagemaker_region": region,
        "sagemaker_container_log_level": 20,
    }
    return {name: json.dumps(value) for name, value in values.items()}


def limits(spot: bool, runtime: int, wait: int | None) -> Request:
    """Raises click.UsageError: the job could not wait so long, or could not run so long."""
    if not spot:
        if wait is not None:
            raise click.UsageError(_("--max-wait works only with --spot."))
        return {"MaxRuntimeInSeconds": runtime}
    if wait is not None and wait < runtime:
        raise click.UsageError(
            _("--max-wait {wait} is shorter than --max-runtime {runtime}.").format(
                wait=wait, runtime=runtime
            )
        )
    return {"MaxRuntimeInSeconds": runtime, "MaxWaitTimeInSeconds": wait or 2 * runtime}


def check_format(keys: list[str]) -> None:
    """Raises click.UsageError: the data are CSV, and XGBoost would read them as libsvm."""
    csv = next((key for key in keys if key.endswith(".csv")), None)
    if csv:
        raise click.UsageError(
            _(
                "{key} seems to be CSV, which XGBoost reads as libsvm unless you add "
                "--content-type text/csv"
            ).format(key=csv)
        )


def console(aws: AWS, name: str) -> str:
    region = aws.region_name
    return f"https://{region}.console.aws.amazon.com/sagemaker/home?region={region}#/jobs/{name}"


def look(aws: AWS, name: str) -> Request:
    """The job; whatever has ended it stands in its FailureReason."""
    answer = aws.read("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
    return {"FailureReason": reason_of(answer)} | answer


def reason_of(job: Request) -> str | None:
    """Why a job has not completed: of one that was stopped, what AWS says of its last state."""
    if job.get("FailureReason") or job["TrainingJobStatus"] != "Stopped":
        return job.get("FailureReason")
    transitions = job.get("SecondaryStatusTransitions") or [{}]
    return transitions[-1].get("StatusMessage")


@command(
    "training-list",
    calls=["sagemaker:ListTrainingJobs"],
    help=N_("List the training jobs, newest first."),
)
@status_option("InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting")
def list_all(aws: AWS, status: str | None) -> None:
    list_jobs(aws, "Training", status)


@command(
    "training-describe",
    calls=["sagemaker:DescribeTrainingJob"],
    help=N_("Show a training job: status, times, billed time, metrics, model."),
)
@name_argument()
def describe(aws: AWS, name: str) -> None:
    show_one(
        aws,
        aws.read("sagemaker", "DescribeTrainingJob", TrainingJobName=name),
        {
            N_("Name"): "TrainingJobName",
            N_("Status"): "TrainingJobStatus",
            N_("Detail"): detail,
            N_("Reason"): reason_of,
            N_("Image"): "AlgorithmSpecification.TrainingImage",
            N_("Instances"): instances,
            N_("Hyperparameters"): "HyperParameters",
            N_("Metrics"): metrics_of,
            N_("Model"): "ModelArtifacts.S3ModelArtifacts",
            N_("Training time"): lambda job: seconds(job.get("TrainingTimeInSeconds")),
            N_("Billed time"): lambda job: seconds(job.get("BillableTimeInSeconds")),
            N_("Spot saving"): saving,
            N_("Created"): "CreationTime",
            N_("Started"): "TrainingStartTime",
            N_("Ended"): "TrainingEndTime",
        },
    )


def detail(job: Request) -> str | None:
    status = job.get("SecondaryStatus")
    return status if status != job["TrainingJobStatus"] else None


def instances(job: Request) -> str:
    resources = job.get("ResourceConfig") or {}
    groups = resources.get("InstanceGroups") or [resources]
    return ", ".join(
        f"{group.get('InstanceCount', 1)} x {group['InstanceType']}"
        for group in groups
        if group.get("InstanceType")
    )


def metrics_of(job: Request) -> str:
    found = job.get("FinalMetricDataList") or []
    return ", ".join(f"{each['MetricName']}={each['Value']:g}" for each in found)


def seconds(number: int | None) -> str | None:
    return None if number is None else _("{number} s").format(number=number)


def saving(job: Request) -> str | None:
    """What a spot job has cost less than one that takes as long."""
    trained, billed = job.get("TrainingTimeInSeconds"), job.get("BillableTimeInSeconds")
    if not (job.get("EnableManagedSpotTraining") and trained and billed is not None):
        return None
    return f"{1 - billed / trained:.0%}"


@command(
    "training-stop",
    calls=["sagemaker:StopTrainingJob", "sagemaker:DescribeTrainingJob"],
    help=N_("Stop a training job; it has 120 seconds to save its model."),
)
@name_argument()
@waiting_options(poll=10)
@dry_run_option()
def stop(aws: AWS, name: str) -> None:
    aws.change("sagemaker", "StopTrainingJob", TrainingJobName=name)
    if aws.wait and not aws.dry_run:
        wait_for_job(aws, "training", name, look, ("Stopped", "Completed"), ("Failed",))
        return
    show_done(aws, _("The training job {name} is being stopped.").format(name=name))
    show_done(aws, _("next: {command}").format(command=f"smcli training-describe {name}"))


@command(
    "training-logs",
    calls=["logs:FilterLogEvents", "sagemaker:DescribeTrainingJob"],
    help=N_("Show the logs of a training job, from all hosts in time order."),
)
@name_argument()
@log_options()
def logs(aws: AWS, name: str, tail: int | None, follows: bool) -> None:
    def status() -> tuple[str, str]:
        job = look(aws, name)
        return job["TrainingJobStatus"], job["FailureReason"] or _("AWS gave no reason")

    show_log(aws, "training", name, status, tail, follows)
