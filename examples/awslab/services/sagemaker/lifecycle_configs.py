"""Lifecycle configurations of notebook instances: what an instance runs when it is made and at
each start. The lab keeps the scripts and runs none."""

import threading
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.models import (
    FakeSageMakerNotebookInstanceLifecycleConfig,
    SageMakerModelBackend,
    sagemaker_backends,
)
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import naive_now
from awslab.extension import Function, adds, changes
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import (
    by_creation_time,
    by_name,
    from_template,
    page,
    physical_name,
    refuse,
)
from awslab.services.sagemaker.resource import Resource, arn_of

LOCK = threading.RLock()  # held while something is looked up and then changed

Request = Mapping[str, Any]


def page_by_name(found: list[Any], params: Request) -> tuple[list[Any], str | None]:
    """These lists are sorted by name unless the call says otherwise."""
    keys = {"Name": by_name, "CreationTime": by_creation_time, "LastModifiedTime": by_change}
    order = {"SortOrder": "Ascending" if params.get("SortBy", "Name") == "Name" else "Descending"}
    return page(found, order | dict(params), keys | {"Status": by_status}, 10)


def by_change(resource: Resource) -> str:
    return str(resource.last_modified_time.isoformat())


def by_status(resource: Any) -> str:
    return str(resource.course.stage)


class Scripts(Resource):
    """A lifecycle configuration: what an instance runs when it is made and at each start."""

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        name = request["NotebookInstanceLifecycleConfigName"]
        super().__init__(backend, "notebook-instance-lifecycle-config", name, request)

    def described(self) -> dict[str, Any]:
        """The members of DescribeNotebookInstanceLifecycleConfig."""
        return told(
            "DescribeNotebookInstanceLifecycleConfig",
            self.request,
            NotebookInstanceLifecycleConfigArn=self.arn,
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
        )


def find_scripts(backend: SageMakerModelBackend, name: str, to: str) -> Scripts:
    """A lifecycle configuration by its name.

    to: what it is wanted for, in AWS's words.

    Raises:
        AWSValidationException: there is none.
    """
    scripts: Scripts | None = backend.notebook_instance_lifecycle_configurations.get(name)
    if scripts is None:
        arn = arn_of(backend, "notebook-instance-lifecycle-config", name)
        refuse(
            f"Unable to {to} Notebook Instance Lifecycle Config '{arn}'. (Details: Notebook "
            "Instance Lifecycle Config does not exist.)"
        )
    return scripts


def add_scripts(backend: SageMakerModelBackend, request: Request) -> Scripts:
    with LOCK:
        name = request["NotebookInstanceLifecycleConfigName"]
        if name in backend.notebook_instance_lifecycle_configurations:
            arn = arn_of(backend, "notebook-instance-lifecycle-config", name)
            refuse(
                f"Unable to create Notebook Instance Lifecycle Config {arn}. (Details: Notebook "
                "Instance Lifecycle Config already exists.)"
            )
        scripts = Scripts(backend, request)
        backend.notebook_instance_lifecycle_configurations[name] = scripts
        return scripts


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateNotebookInstanceLifecycleConfig",
    reason="drops `Tags`",
    differs="",
)
def create_notebook_instance_lifecycle_config(original: Function, self: Any) -> Any:
    scripts = add_scripts(self.sagemaker_backend, self.params)
    return ActionResult({"NotebookInstanceLifecycleConfigArn": scripts.arn})


def found_scripts(self: Any, to: str) -> Scripts:
    name = self.params["NotebookInstanceLifecycleConfigName"]
    return find_scripts(self.sagemaker_backend, name, to)


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeNotebookInstanceLifecycleConfig",
    reason="gives a time that is not the lab's",
    differs="",
)
def describe_notebook_instance_lifecycle_config(original: Function, self: Any) -> Any:
    return ActionResult(found_scripts(self, "describe").described())


@adds(SageMakerResponse, "sagemaker", "UpdateNotebookInstanceLifecycleConfig", differs="")
def update_notebook_instance_lifecycle_config(self: Any) -> Any:
    scripts = found_scripts(self, "update")
    scripts.request |= self.params
    scripts.last_modified_time = naive_now()
    return EmptyResult()


@adds(SageMakerResponse, "sagemaker", "ListNotebookInstanceLifecycleConfigs", differs="")
def list_notebook_instance_lifecycle_configs(self: Any) -> Any:
    found = list(self.sagemaker_backend.notebook_instance_lifecycle_configurations.values())
    shown, token = page_by_name(found, self.params)
    described = [each.described() for each in shown]
    return ActionResult({"NotebookInstanceLifecycleConfigs": described, "NextToken": token})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteNotebookInstanceLifecycleConfig",
    reason="deletes a configuration that an instance uses",
    differs="",
)
def delete_notebook_instance_lifecycle_config(original: Function, self: Any) -> Any:
    with LOCK:
        scripts, backend = found_scripts(self, "delete"), self.sagemaker_backend
        for notebook in list(backend.notebook_instances.values()):
            if notebook.request.get("LifecycleConfigName") == scripts.name:
                refuse(
                    f"Unable to delete Notebook Instance Lifecycle Config '{scripts.arn}'. "
                    f"(Details: Notebook Instance {notebook.arn} still uses it.)"
                )
        backend.notebook_instance_lifecycle_configurations.pop(scripts.name, None)
    return EmptyResult()


@changes(
    FakeSageMakerNotebookInstanceLifecycleConfig,
    "cloudformation",
    "AWS::SageMaker::NotebookInstanceLifecycleConfig",
    reason="ignores its name",
    differs="",
)
def create_from_cloudformation_json(
    original: Function,
    resource_name: str,
    cloudformation_json: Mapping[str, Any],
    account_id: str,
    region_name: str,
    **more: Any,
) -> Scripts:
    named = {"NotebookInstanceLifecycleConfigName": physical_name(resource_name)}
    request = from_template(
        "CreateNotebookInstanceLifecycleConfig", named | cloudformation_json["Properties"]
    )
    return add_scripts(sagemaker_backends[account_id][region_name], request)
