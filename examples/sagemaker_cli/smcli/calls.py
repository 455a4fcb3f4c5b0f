"""Calls to AWS: from the settings of the command line to an answer, or to one clear error."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from smcli.ending import NoSettings
from smcli.language import _


@dataclass
class AWS:
    """The settings that every command takes, and the clients made from them.

    dry_run: requests that change something are printed and not sent.
    wait, timeout, poll: whether a command waits for the work that it begins, and for how many
        seconds at most, and the seconds between two looks.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    output: str = "table"
    query: Any = None
    dry_run: bool = False
    wait: bool = False
    timeout: float | None = None
    poll: float = 30
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The boto3 client of a service. boto3 is imported here: `--help` does without it.

        Raises:
            NoSettings: no Region is set, or no such profile.
        """
        if service not in self.clients:
            import boto3
            from botocore.config import Config

            session = boto3.Session(profile_name=self.profile)
            region = self.region or os.environ.get("AWS_REGION") or session.region_name
            if not region:
                raise NoSettings(_("No Region: give --region, or set AWS_DEFAULT_REGION."))
            # A model has 60 seconds for its answer: who gives up then asks it once more.
            config = Config(user_agent_appid="smcli", retries={"mode": "standard"}, read_timeout=70)
            self.clients[service] = session.client(
                service, region_name=region, endpoint_url=self.endpoint_url, config=config
            )
        return self.clients[service]

    @property
    def region_name(self) -> str:
        return str(self.client("sagemaker").meta.region_name)

    def check(self, service: str, operation: str, request: dict[str, Any]) -> None:
        """Refuse a request that AWS's model forbids.

        Raises:
            click.UsageError: naming everything that is wrong.
        """
        from botocore.exceptions import ParamValidationError
        from botocore.validate import ParamValidator

        from smcli.rules import problems

        shape = self.client(service).meta.service_model.operation_model(operation).input_shape
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        if found := list(problems(request, shape)):
            raise click.UsageError("\n".join(found))

    def read(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """The answer of an operation that changes nothing, without ResponseMetadata."""
        self.check(service, operation, request)
        return self.send(service, operation, request)

    def read_all(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """The answer of a list operation with the items of all pages."""
        from botocore import xform_name

        self.check(service, operation, request)
        pages = self.client(service).get_paginator(xform_name(operation)).paginate(**request)
        answer = dict(pages.build_full_result())
        answer.pop("ResponseMetadata", None)
        return answer

    def change(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """The answer of an operation that changes something; of a dry run, nothing.

        Members that are None or empty are left out. With `--dry-run` the request is checked and
        printed as JSON, one line for each call.
        """
        request = given(request)
        self.check(service, operation, request)
        if self.dry_run:
            call = {"service": service, "operation": operation, "request": request}
            click.echo(json.dumps(call, ensure_ascii=False, default=printable))
            return {}
        return self.send(service, operation, request)

    def send(self, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        from botocore import xform_name

        answer = dict(getattr(self.client(service), xform_name(operation))(**request))
        answer.pop("ResponseMetadata", None)
        return answer


def given(value: Any) -> Any:
    """A request without what is None or empty, in all its depth."""
    if isinstance(value, dict):
        inner = {key: given(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item not in (None, {}, [], ())}
    return [given(item) for item in value] if isinstance(value, list | tuple) else value


def printable(value: Any) -> str:
    """A value that JSON does not know, as the AWS CLI prints it."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@contextmanager
def advising(steps: Mapping[str, str]) -> Iterator[None]:
    """Name the next step after an error of AWS, in place of what `hints` says.

    steps: by words of the code or the message; the first that fits is said.
    """
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        told = "{Code}: {Message}".format(**error.response["Error"])
        for words, step in steps.items():
            if words in told:
                error.add_note(step)
                break
        raise


# What to do about an error code, wherever it comes up.
HINTS = {
    "AccessDenied": "permission",
    "AccessDeniedException": "permission",
    "ExpiredToken": "expired",
    "ExpiredTokenException": "expired",
    "InvalidClientTokenId": "credentials",
    "UnrecognizedClientException": "credentials",
    "ResourceInUse": "taken",
    "ResourceLimitExceeded": "quota",
    "ThrottlingException": "often",
}


# What services say of a name that they do not know.
MISSING = ("Could not find", "not found", "does not exist", "cannot be found", "RecordNotFound")


def hints(code: str, message: str, command: str) -> Iterator[str]:
    """The next step after an error of AWS, if there is one that helps.

    command: the one that met the error, for example `training-stop`.
    """
    kind = HINTS.get(code)
    group = command.rpartition("-")[0]
    if kind == "permission":
        yield _("Next: ask an administrator to allow this action for you (or for the role).")
    elif kind == "expired":
        yield _("Next: sign in again (aws sso login, or new temporary credentials).")
    elif kind == "credentials":
        yield _(
            "Next: check the access key and --profile; aws sts get-caller-identity "
            "shows who you are."
        )
    elif kind == "taken":
        yield _(
            "Next: choose another name, or see what already has this one with {command}."
        ).format(command=f"smcli {group}-describe")
    elif kind == "quota":
        yield _("Next: request a quota increase in Service Quotas, or use another instance type.")
    elif kind == "often":
        yield _("Next: wait a moment and try again.")
    elif "s3://" in message:
        yield _("Next: see what is in S3 with aws s3 ls.")
    elif any(words in message for words in MISSING):
        yield _("Next: see the names with {command}.").format(command=f"smcli {group}-list")
