"""Processing jobs: a program between two places in S3."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from smcli.calls import AWS
from smcli.command import argument, command, dry_run_option, option
from smcli.ending import Failed, Unreadable
from smcli.jobs import (
    Content,
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
    split,
    status_option,
    stored,
    vpc_config,
    wait_for_job,
)
from smcli.language import N_, _
from smcli.logs import ENDED, log_options, show_log
from smcli.output import say, show_done, show_made, show_one
from smcli.parameters import S3Uri
from smcli.roles import role_option, with_role
from smcli.waiting import waiting_options

INPUT, CODE, OUTPUT = (f"/opt/ml/processing/{end}" for end in ("input", "input/code", "output"))
INTERPRETERS = {".py": ["python3"], ".sh": ["/bin/sh"]}  # by the ending of the code


@command(
    "processing-create",
    calls=[
        "iam:GetRole",
        "s3:ListObjectsV2",
        "s3:PutObject",
        "s3:DeleteObject",
        "sagemaker:CreateProcessingJob",
        "sagemaker:DescribeProcessingJob",
    ],
    help=N_("Start a processing job."),
)
@name_argument()
@argument("image", help=N_("Image to run; smcli images lists those of AWS."))
@argument(
    "s3_input",
    type=S3Uri(),
    help=N_("Prefix of the data in S3; copied to /opt/ml/processing/input."),
)
@argument(
    "s3_output", type=S3Uri(), help=N_("Prefix in S3 where /opt/ml/processing/output is saved.")
)
@option(
    "--code",
    metavar="FILE",
    help=N_("Program to run: a local .py or .sh file (it is uploaded), or one in S3."),
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
    code: str | None,
    role: str | None,
    **options: Any,
) -> None:
    entrypoint = entrypoint_of(image, code, options["entrypoint"])
    if options["arguments"] and (is_framework(image) or is_xgboost(image)) and not entrypoint:
        raise click.UsageError(_("--argument needs --code or --entrypoint with this image."))
    given = code is not None and code.startswith("s3://")
    place, content = code, None
    if code and not given:
        # Not below S3_OUTPUT, whose next reader would take it for data.
        bucket = split(s3_output)[0]
        place = below(f"s3://{bucket}", "processing", name, "source", Path(code).name)
        content = content_of(Path(code))
    inputs = [input_of("data", s3_input, INPUT)] + (
        [input_of("code", place, CODE)] if place else []
    )
    request = {
        "ProcessingJobName": name,
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": entrypoint,
            "ContainerArguments": options["arguments"],
        },
        "Environment": dict(options["environment"]),
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": [output_of(s3_output)]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": options["instance_type"],
                "InstanceCount": options["instance_count"],
                "VolumeSizeInGB": options["volume_size"],
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": options["max_runtime"]},
        "NetworkConfig": {
            "EnableNetworkIsolation": options["isolated"] or None,
            "VpcConfig": vpc_config(options["subnets"], options["groups"]),
        },
    }
    request = with_role(aws, role, "CreateProcessingJob", "RoleArn", request)
    find_data(aws, s3_input)
    if given and place:
        find_data(aws, place, f"aws s3 cp {Path(place).name} {place}")
    with stored(aws, place, content) if place and content else nullcontext():
        answer = aws.change("sagemaker", "CreateProcessingJob", **request)
    steps = [] if aws.wait else [f"smcli processing-logs {name} --follow"]
    show_made(aws, answer, "ProcessingJobArn", *steps)
    if aws.wait and not aws.dry_run:
        wait_for_job(aws, "processing", name, look, ("Completed",), ("Failed", "Stopped"))
        say(_("next: {command}").format(command=f"aws s3 ls {below(s3_output)}/ --recursive"))


def entrypoint_of(image: str, code: str | None, entrypoint: list[str] | None) -> list[str]:
    """What the container runs; nothing if the image has a program of its own.

    Raises:
        click.UsageError: the image has none, or nothing can run the code.
    """
    if code is None:
        if (is_framework(image) or is_xgboost(image)) and not entrypoint:
            raise click.UsageError(
                _(
                    "The image {repository} runs nothing by itself. Add --code FILE or "
                    "--entrypoint COMMAND."
                ).format(repository=repository(image))
            )
        return entrypoint or []
    if code.startswith("s3://"):
        S3Uri().convert(code, None, None)
    file = code.rpartition("/")[2]
    if not file or (code.startswith("s3://") and not split(code)[1]):
        raise click.UsageError(_("--code: {code} does not name a file.").format(code=code))
    program = entrypoint or INTERPRETERS.get(Path(file).suffix)
    if program is None:
        raise click.UsageError(
            _("--code: what runs {file}? Add --entrypoint COMMAND.").format(file=file)
        )
    return [*program, f"{CODE}/{file}"]


def content_of(code: Path) -> Content:
    """Raises Unreadable: the file cannot be read."""
    try:
        return Content(code.read_bytes(), _("the file {path}").format(path=code))
    except OSError as error:
        raise Unreadable(f"--code: {error}") from None


def input_of(name: str, uri: str, folder: str) -> Request:
    source = {"S3Uri": uri, "LocalPath": folder, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def output_of(uri: str) -> Request:
    target = {"S3Uri": uri, "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"}
    return {"OutputName": "output", "S3Output": target}


def look(aws: AWS, name: str) -> Request:
    return aws.read("sagemaker", "DescribeProcessingJob", ProcessingJobName=name)


@command(
    "processing-list",
    calls=["sagemaker:ListProcessingJobs"],
    help=N_("List the processing jobs, newest first."),
)
@status_option("InProgress", "Completed", "Failed", "Stopping", "Stopped")
def list_all(aws: AWS, status: str | None) -> None:
    list_jobs(aws, "Processing", status)


@command(
    "processing-describe",
    calls=["sagemaker:DescribeProcessingJob"],
    help=N_("Show a processing job: status, messages, inputs and outputs."),
)
@name_argument()
def describe(aws: AWS, name: str) -> None:
    show_one(
        aws,
        look(aws, name),
        {
            N_("Name"): "ProcessingJobName",
            N_("Status"): "ProcessingJobStatus",
            N_("Reason"): "FailureReason",
            N_("Message"): "ExitMessage",
            N_("Image"): "AppSpecification.ImageUri",
            N_("Program"): program,
            N_("Instances"): instances,
            N_("Inputs"): inputs_of,
            N_("Outputs"): outputs_of,
            N_("Created"): "CreationTime",
            N_("Started"): "ProcessingStartTime",
            N_("Ended"): "ProcessingEndTime",
        },
    )


def program(job: Request) -> str:
    application = job["AppSpecification"]
    words = [application.get(f"Container{part}") or [] for part in ("Entrypoint", "Arguments")]
    return " ".join([*words[0], *words[1]])


def instances(job: Request) -> str:
    cluster = job["ProcessingResources"].get("ClusterConfig") or {}
    kind, count = cluster.get("InstanceType"), cluster.get("InstanceCount")
    return f"{count} x {kind}" if kind else ""


def inputs_of(job: Request) -> str:
    sources = [each.get("S3Input") or {} for each in job.get("ProcessingInputs") or []]
    return ", ".join(source["S3Uri"] for source in sources if source)


def outputs_of(job: Request) -> str:
    outputs = (job.get("ProcessingOutputConfig") or {}).get("Outputs") or []
    targets = [each.get("S3Output") or {} for each in outputs]
    return ", ".join(target["S3Uri"] for target in targets if target)


@command(
    "processing-stop",
    calls=["sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"],
    help=N_("Stop a processing job."),
)
@name_argument()
@waiting_options(poll=10)
@dry_run_option()
def stop(aws: AWS, name: str) -> None:
    if not aws.dry_run:  # AWS says nothing about a job that has ended
        status = look(aws, name)["ProcessingJobStatus"]
        if status in ENDED:
            raise Failed(
                _("The processing job {name} has already ended: {status}").format(
                    name=name, status=status
                )
            )
    aws.change("sagemaker", "StopProcessingJob", ProcessingJobName=name)
    if aws.wait and not aws.dry_run:
        wait_for_job(aws, "processing", name, look, ("Stopped", "Completed"), ("Failed",))
        return
    show_done(aws, _("The processing job {name} is being stopped.").format(name=name))
    show_done(aws, _("next: {command}").format(command=f"smcli processing-describe {name}"))


@command(
    "processing-logs",
    calls=["logs:FilterLogEvents", "sagemaker:DescribeProcessingJob"],
    help=N_("Show the logs of a processing job, from all hosts in time order."),
)
@name_argument()
@log_options()
def logs(aws: AWS, name: str, tail: int | None, follows: bool) -> None:
    def status() -> tuple[str, str]:
        job = look(aws, name)
        reason = job.get("ExitMessage") or job.get("FailureReason") or _("AWS gave no reason")
        return job["ProcessingJobStatus"], reason

    show_log(aws, "processing", name, status, tail, follows)
