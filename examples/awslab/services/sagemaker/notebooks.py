"""Notebook instances.

No notebook runs: an instance goes through its states on the lab's clock, and its address leads
nowhere.
"""

import threading
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random
from moto.sagemaker.models import (
    FakeSagemakerNotebookInstance,
    SageMakerModelBackend,
    sagemaker_backends,
)
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import Course, Stage, naive_now
from awslab.extension import Function, adds, changes
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.code_repositories import find_repository
from awslab.services.sagemaker.endpoint_configs import from_template, physical_name, refuse
from awslab.services.sagemaker.lifecycle_configs import find_scripts, page_by_name
from awslab.services.sagemaker.resource import Resource, arn_of

# Seconds that each change of state lasts, about as on AWS.
STARTING, STOPPING, UPDATING, DELETING = 180, 60, 60, 30
LOCK = threading.RLock()  # held while something is looked up and then changed

DEFAULTS = {
    "DirectInternetAccess": "Enabled",
    "IpAddressType": "ipv4",
    "PlatformIdentifier": "notebook-al2023-v1",
    "RootAccess": "Enabled",
    "VolumeSizeInGB": 5,
}
# Members that a request names in another way than an answer.
RENAMED = {
    "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
    "SecurityGroupIds": "SecurityGroups",
}
REPOSITORIES = ("DefaultCodeRepository", "AdditionalCodeRepositories")
DISASSOCIATED = {
    "DisassociateLifecycleConfig": "LifecycleConfigName",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
    "DisassociateAcceleratorTypes": "AcceleratorTypes",
}

Request = Mapping[str, Any]


class Notebook(Resource):
    """A notebook instance. Its volume outlives each stop."""

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        name = request["NotebookInstanceName"]
        super().__init__(backend, "notebook-instance", name, DEFAULTS | dict(request))
        self.course = Course([Stage("Pending", STARTING), Stage("InService")])

    @property
    def url(self) -> str:
        return f"{self.name}.notebook.{self.region_name}.sagemaker.aws"

    def described(self) -> dict[str, Any]:
        """The members of DescribeNotebookInstance; this is a look at the instance."""
        status = self.course.look()
        return told(
            "DescribeNotebookInstance",
            {RENAMED.get(name, name): value for name, value in self.request.items()},
            NotebookInstanceArn=self.arn,
            NotebookInstanceStatus=status,
            Url=self.url,
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
        )

    def go(self, way: str, seconds: float, end: str) -> None:
        self.course.divert([Stage(way, seconds), Stage(end)])
        self.last_modified_time = naive_now()


def find_notebook(backend: SageMakerModelBackend, name: str) -> Notebook:
    """An instance by its name, unless it has been deleted meanwhile.

    Raises:
        AWSValidationException: there is none.
    """
    notebook: Notebook | None = backend.notebook_instances.get(name)
    if notebook is None or is_gone(backend, notebook):
        refuse("RecordNotFound")
    return notebook


def is_gone(backend: SageMakerModelBackend, notebook: Notebook) -> bool:
    notebook.course.keep_up()
    gone = notebook.course.stage == "Gone"
    if gone:
        backend.notebook_instances.pop(notebook.name, None)
    return gone


def found_in(self: Any, allowed: list[str], to: str) -> Notebook:
    """The instance that a request is about, in one of the states that allow the request.

    to: what the request wants, in AWS's words.
    """
    notebook = find_notebook(self.sagemaker_backend, self.params["NotebookInstanceName"])
    status = notebook.course.stage
    if status not in allowed:
        refuse(
            f"Status ({status}) not in ([{', '.join(allowed)}]). Unable to {to} for "
            f"Notebook Instance ({notebook.arn})."
        )
    return notebook


def add_notebook(backend: SageMakerModelBackend, request: Request) -> Notebook:
    """Keep a new instance, which then starts.

    Raises:
        AWSValidationException: the name is taken, or the request contradicts itself.
    """
    with LOCK:
        name = request["NotebookInstanceName"]
        existing = backend.notebook_instances.get(name)
        if existing and not is_gone(backend, existing):
            arn = arn_of(backend, "notebook-instance", name)
            refuse(f"Cannot create a duplicate Notebook Instance ({arn})")
        if request.get("DirectInternetAccess") == "Disabled" and not request.get("SubnetId"):
            refuse("A SubnetId must be specified when DirectInternetAccess is Disabled.")
        if request.get("SecurityGroupIds") and not request.get("SubnetId"):
            refuse("A SubnetId must be specified with SecurityGroupIds.")
        check_named(backend, request)
        notebook = Notebook(backend, request)
        backend.notebook_instances[name] = notebook
        return notebook


def check_named(backend: SageMakerModelBackend, request: Request) -> None:
    """Lifecycle configurations and repositories that a request names must exist."""
    if request.get("LifecycleConfigName"):
        find_scripts(backend, request["LifecycleConfigName"], "find")
    default, others = (request.get(member) or [] for member in REPOSITORIES)
    for repository in [*([default] if default else []), *others]:
        if not repository.startswith("https://"):
            find_repository(backend, repository)


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateNotebookInstance",
    reason=(
        "starts in no time; drops `PlatformIdentifier`, `IpAddressType` and "
        "`InstanceMetadataServiceConfiguration`; takes lifecycle configurations that do not exist"
    ),
    differs="nothing runs; subnets and keys are not looked up",
)
def create_notebook_instance(original: Function, self: Any) -> Any:
    notebook = add_notebook(self.sagemaker_backend, self.params)
    return ActionResult({"NotebookInstanceArn": notebook.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeNotebookInstance",
    reason="leaves out `PlatformIdentifier` and `InstanceMetadataServiceConfiguration`",
    differs="no `NetworkInterfaceId`",
)
def describe_notebook_instance(original: Function, self: Any) -> Any:
    backend = self.sagemaker_backend
    notebook = find_notebook(backend, self.params["NotebookInstanceName"])
    described = notebook.described()
    if is_gone(backend, notebook):
        refuse("RecordNotFound")
    return ActionResult(described)


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListNotebookInstances",
    reason="ignores filters by time and by what an instance uses",
    differs="",
)
def list_notebook_instances(original: Function, self: Any) -> Any:
    backend, params = self.sagemaker_backend, self.params
    seen = [(each, each.described()) for each in list(backend.notebook_instances.values())]
    found = [
        each
        for each, shown in seen
        if not is_gone(backend, each) and chosen(each.request, shown, params)
    ]
    part, token = page_by_name(found, params)
    described = {each.name: shown for each, shown in seen}
    shown = [described[each.name] for each in part]
    return ActionResult({"NotebookInstances": shown, "NextToken": token})


def chosen(request: Request, described: Request, params: Request) -> bool:
    """Whether an instance passes the filters that only instances have."""
    status, other = params.get("StatusEquals"), params.get("AdditionalCodeRepositoryEquals")
    scripts = params.get("NotebookInstanceLifecycleConfigNameContains") or ""
    default = params.get("DefaultCodeRepositoryContains") or ""
    return (
        status in (None, described["NotebookInstanceStatus"])
        and scripts in (request.get("LifecycleConfigName") or "")
        and default in (request.get("DefaultCodeRepository") or "")
        and (other is None or other in (request.get("AdditionalCodeRepositories") or []))
    )


@changes(
    SageMakerResponse,
    "sagemaker",
    "StartNotebookInstance",
    reason="starts in no time; starts an instance that runs",
    differs="",
)
def start_notebook_instance(original: Function, self: Any) -> Any:
    with LOCK:
        notebook = found_in(self, ["Stopped", "Failed"], "transition to (Pending)")
        notebook.go("Pending", STARTING, "InService")
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "StopNotebookInstance",
    reason="stops in no time; stops an instance that does not run",
    differs="",
)
def stop_notebook_instance(original: Function, self: Any) -> Any:
    with LOCK:
        notebook = found_in(self, ["InService"], "transition to (Stopping)")
        notebook.go("Stopping", STOPPING, "Stopped")
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteNotebookInstance",
    reason="deletes in no time",
    differs="",
)
def delete_notebook_instance(original: Function, self: Any) -> Any:
    with LOCK:
        notebook = found_in(self, ["Stopped", "Failed"], "transition to (Deleting)")
        notebook.go("Deleting", DELETING, "Gone")
    return EmptyResult()


@adds(SageMakerResponse, "sagemaker", "UpdateNotebookInstance", differs="")
def update_notebook_instance(self: Any) -> Any:
    with LOCK:
        notebook = found_in(self, ["Stopped", "Failed"], "transition to (Updating)")
        check_named(self.sagemaker_backend, self.params)
        size = notebook.request["VolumeSizeInGB"]
        if self.params.get("VolumeSizeInGB", size) < size:
            refuse(f"The VolumeSizeInGB cannot be decreased; the volume has {size} GB.")
        for member, value in self.params.items():
            if member in DISASSOCIATED and value:
                notebook.request.pop(DISASSOCIATED[member], None)
            elif member not in DISASSOCIATED:
                notebook.request[member] = value
        notebook.go("Updating", UPDATING, "Stopped")
    return EmptyResult()


@adds(
    SageMakerResponse,
    "sagemaker",
    "CreatePresignedNotebookInstanceUrl",
    differs="the URL has AWS's form and leads nowhere",
)
def create_presigned_notebook_instance_url(self: Any) -> Any:
    notebook = found_in(self, ["InService"], "create a presigned URL")
    token = mock_random.get_random_hex(64)
    return ActionResult({"AuthorizedUrl": f"https://{notebook.url}?authToken={token}"})


@changes(
    FakeSagemakerNotebookInstance,
    "cloudformation",
    "AWS::SageMaker::NotebookInstance",
    reason="ignores `NotebookInstanceName` and `PlatformIdentifier`",
    differs="a stack does not wait for its notebook instances",
)
def create_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
    **more: Any,
) -> Notebook:
    named = {"NotebookInstanceName": physical_name(resource_name)}
    request = from_template("CreateNotebookInstance", named | cloudformation_json["Properties"])
    return add_notebook(sagemaker_backends[account_id][region_name], request)


@changes(
    FakeSagemakerNotebookInstance,
    "cloudformation",
    "AWS::SageMaker::NotebookInstance",
    reason="has no states to leave",
    differs="a stack deletes an instance at once, in whatever state it is",
)
def delete_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
) -> None:
    backend = sagemaker_backends[account_id][region_name]
    backend.notebook_instances.pop(resource_name.rpartition("/")[2], None)
