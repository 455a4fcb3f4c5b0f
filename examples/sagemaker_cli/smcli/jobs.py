"""What training and processing jobs have in common: options, images, and what they find in S3."""

import io
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from smcli.calls import AWS
from smcli.command import argument, option, with_options
from smcli.ending import Failed
from smcli.language import N_, _
from smcli.output import say, show_list
from smcli.parameters import KeyValue, Name, S3Uri
from smcli.waiting import wait_for

# Images of AWS that run nothing unless they are given a program, by the name of the repository.
FRAMEWORK = re.compile(
    r"((huggingface-)?(pytorch|tensorflow|mxnet)|autogluon)"
    r"-(training|inference)(-(neuronx?|arm64|eia))?"
    r"|sagemaker-(scikit-learn|pytorch|tensorflow(-scriptmode)?|mxnet|chainer)"
)
XGBOOST = re.compile(r"(sagemaker-)?xgboost")
FEW = 10  # keys that are enough to see what lies below a prefix

Request = dict[str, Any]


def repository(image: str) -> str:
    """`sagemaker-xgboost` of `<registry>/sagemaker-xgboost:3.2-0`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def is_framework(image: str) -> bool:
    return bool(FRAMEWORK.fullmatch(repository(image)))


def is_xgboost(image: str) -> bool:
    return bool(XGBOOST.fullmatch(repository(image)))


# --- options and arguments ------------------------------------------------------------------------


class Words(click.ParamType):
    """A command line as a shell splits it."""

    name = "command"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        if isinstance(value, list):
            return value
        try:
            words = shlex.split(value)
        except ValueError as error:
            self.fail(_("{value!r}: {error}").format(value=value, error=error), param, ctx)
        if not words:
            self.fail(_("there is no command in {value!r}").format(value=value), param, ctx)
        return words


class Ids(click.ParamType):
    """`subnet-1,subnet-2`, as a list."""

    name = "ids"

    def convert(self, value: Any, param: Any, ctx: Any) -> list[str]:
        if isinstance(value, list):
            return value
        return [each for each in value.split(",") if each]


class NamedUri(KeyValue):
    """`name=s3://bucket/prefix`, as a pair."""

    name = "name=s3-uri"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        name, uri = super().convert(value, param, ctx)
        return name, S3Uri().convert(uri, param, ctx)


def name_argument() -> Callable[[Any], Any]:
    return argument("name", type=Name(), help=N_("Name of the job."))


def machine_options() -> Callable[[Any], Any]:
    return with_options(
        option(
            "--instance-type",
            default="ml.m5.large",
            show_default=True,
            metavar="TYPE",
            help=N_("Instance type."),
        ),
        option(
            "--instance-count",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            metavar="NUMBER",
            help=N_("Number of instances."),
        ),
        option(
            "--volume-size",
            type=click.IntRange(min=1),
            default=30,
            show_default=True,
            metavar="GB",
            help=N_("Storage of each instance."),
        ),
        option(
            "--max-runtime",
            type=click.IntRange(min=1),
            default=3600,
            show_default=True,
            metavar="SECONDS",
            help=N_("The job is stopped after this many seconds."),
        ),
    )


def program_options() -> Callable[[Any], Any]:
    return with_options(
        option(
            "--entrypoint",
            type=Words(),
            metavar="COMMAND",
            help=N_("Command that the container runs instead of its own program."),
        ),
        option(
            "--argument",
            "arguments",
            multiple=True,
            metavar="WORD",
            help=N_("Argument for the program in the container; may be repeated."),
        ),
        environment_option(),
    )


def environment_option() -> Callable[[Any], Any]:
    return option(
        "--env",
        "environment",
        type=KeyValue(),
        multiple=True,
        metavar="KEY=VALUE",
        help=N_("Environment variable for the container; may be repeated."),
    )


def vpc_options(subnets: str) -> Callable[[Any], Any]:
    """subnets: the help of --vpc-subnets."""
    return with_options(
        option(
            "--vpc-subnets",
            "subnets",
            type=Ids(),
            multiple=True,
            metavar="IDS",
            help=subnets,
        ),
        option(
            "--security-groups",
            "groups",
            type=Ids(),
            multiple=True,
            metavar="IDS",
            help=N_("Security groups in that VPC, separated by commas."),
        ),
    )


def network_options() -> Callable[[Any], Any]:
    return with_options(
        vpc_options(N_("Run in these subnets of your VPC, separated by commas.")),
        option(
            "--network-isolation",
            "isolated",
            is_flag=True,
            help=N_("No network in the container; SageMaker still copies the data."),
        ),
    )


def vpc_config(subnets: Sequence[list[str]], groups: Sequence[list[str]]) -> Request:
    """Raises click.UsageError: one is given without the other."""
    config = {
        "Subnets": [each for part in subnets for each in part],
        "SecurityGroupIds": [each for part in groups for each in part],
    }
    if bool(config["Subnets"]) != bool(config["SecurityGroupIds"]):
        raise click.UsageError(_("--vpc-subnets and --security-groups must be given together."))
    return config


def status_option(*statuses: str) -> Callable[[Any], Any]:
    return option(
        "--status",
        type=click.Choice(statuses, case_sensitive=False),
        metavar="[" + "|".join(statuses) + "]",
        help=N_("Only jobs with this status."),
    )


# --- listing and waiting --------------------------------------------------------------------------


def list_jobs(aws: AWS, kind: str, status: str | None) -> None:
    """kind: `Training` or `Processing`."""
    answer = aws.read_all(
        "sagemaker",
        f"List{kind}Jobs",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=100,  # else a page has ten
        **({"StatusEquals": status} if status else {}),
    )
    columns = {
        N_("Name"): f"{kind}JobName",
        N_("Status"): f"{kind}JobStatus",
        N_("Created"): "CreationTime",
    }
    show_list(aws, answer, f"{kind}JobSummaries", columns)


def wait_for_job(
    aws: AWS,
    kind: str,
    name: str,
    look: Callable[[AWS, str], Request],
    good: Sequence[str],
    bad: Sequence[str],
) -> None:
    """Wait for a job, and show whoever meets a failure where the logs are.

    kind: `training` or `processing`, as in the names of the commands.

    Raises:
        Failed, TimedOut, Interrupted: as `wait_for` does.
    """
    status, again = f"{kind.capitalize()}JobStatus", f"smcli {kind}-describe {name}"
    try:
        wait_for(aws, name, lambda: look(aws, name), status, good, bad, again)
    except Failed as error:
        logs = f"smcli {kind}-logs {name} --tail 20"
        error.add_note(_("next: {command}").format(command=logs))
        raise


# --- what lies in S3 ------------------------------------------------------------------------------


class Content(io.BytesIO):
    """Bytes that a dry run shows by a sentence."""

    def __init__(self, data: bytes, told: str) -> None:
        super().__init__(data)
        self.told = told

    def __str__(self) -> str:
        return self.told


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _slash, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def below(prefix: str, *parts: str) -> str:
    return "/".join([prefix.rstrip("/"), *parts])


def find_data(aws: AWS, uri: str, upload: str = "") -> list[str]:
    """Some keys below a prefix of S3, so that no job is begun that finds no data.

    upload: the command that brings what is missing, unless that is a folder of data.

    None in a dry run, which asks nothing, and if the caller may not look although the role may.

    Raises:
        Failed: there is nothing.
    """
    if aws.dry_run:
        return []
    from botocore.exceptions import ClientError

    bucket, prefix = split(uri)
    try:
        answer = aws.read("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, MaxKeys=FEW)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "AccessDenied":
            say(
                _("Whether {uri} holds data is unknown: you are not allowed to look.").format(
                    uri=uri
                )
            )
            return []
        if code != "NoSuchBucket":
            raise
        raise Failed(
            _("The bucket {bucket} of {uri} does not exist.").format(bucket=bucket, uri=uri)
        ) from None
    keys = [each["Key"] for each in answer.get("Contents", []) if not each["Key"].endswith("/")]
    if not keys and not answer.get("IsTruncated"):
        raise Failed(
            _("There is nothing in {uri}. Upload data first: {command}").format(
                uri=uri, command=upload or f"aws s3 sync data {below(uri)}/"
            )
        )
    return keys


@contextmanager
def stored(aws: AWS, uri: str, content: Content) -> Iterator[None]:
    """Store what a job is to read while it is created; if AWS refuses the job, it is deleted again.

    What another job has stored there is never replaced.

    Raises:
        Failed: there is something.
    """
    from botocore.exceptions import ClientError

    bucket, key = split(uri)
    place = {"Bucket": bucket, "Key": key}
    try:
        aws.change("s3", "PutObject", **place, Body=content, IfNoneMatch="*")
    except ClientError as error:
        if error.response["Error"]["Code"] == "PreconditionFailed":
            raise Failed(
                _(
                    "{uri} already exists, from another job of this name. Choose another name."
                ).format(uri=uri)
            ) from None
        if error.response["Error"]["Code"] == "NoSuchBucket":
            raise Failed(
                _("The bucket {bucket} of {uri} does not exist.").format(bucket=bucket, uri=uri)
            ) from None
        raise
    remains = _("{uri} is left over. If there is no job, remove it with: {command}").format(
        uri=uri, command=f"aws s3 rm {uri}"
    )
    try:
        yield
    except ClientError as refused:
        try:
            aws.change("s3", "DeleteObject", **place)
            say(_("Deleted the uploaded {uri}.").format(uri=uri))
        except Exception as error:
            say(f"{error}")
            refused.add_note(remains)
        raise
    except BaseException as error:  # whether the job was created is not known
        error.add_note(remains)
        raise
