"""Git repositories that notebook instances may clone by their names in SageMaker."""

import threading
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import naive_now
from awslab.extension import adds
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import refuse
from awslab.services.sagemaker.lifecycle_configs import page_by_name
from awslab.services.sagemaker.resource import Resource, arn_of, kept

LOCK = threading.RLock()  # held while a name is looked up and then taken

Request = Mapping[str, Any]


class Repository(Resource):
    """A Git repository that notebook instances may clone by its name here."""

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        super().__init__(backend, "code-repository", request["CodeRepositoryName"], request)

    def described(self) -> dict[str, Any]:
        """The members of DescribeCodeRepository."""
        return told(
            "DescribeCodeRepository",
            self.request,
            CodeRepositoryArn=self.arn,
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
        )


def find_repository(backend: SageMakerModelBackend, name: str) -> Repository:
    """A repository by its name.

    Raises:
        AWSValidationException: there is none.
    """
    repository: Repository | None = kept(backend, "code_repositories").get(name)
    if repository is None:
        refuse(f'Cannot find CodeRepository: "{arn_of(backend, "code-repository", name)}"')
    return repository


def found_repository(self: Any) -> Repository:
    return find_repository(self.sagemaker_backend, self.params["CodeRepositoryName"])


@adds(
    SageMakerResponse, "sagemaker", "CreateCodeRepository", differs="the repository is not cloned"
)
def create_code_repository(self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["CodeRepositoryName"]
    with LOCK:
        repositories = kept(backend, "code_repositories")
        if name in repositories:
            arn = arn_of(backend, "code-repository", name)
            refuse(f'Cannot create a duplicate CodeRepository: "{arn}"')
        repositories[name] = Repository(backend, self.params)
    return ActionResult({"CodeRepositoryArn": repositories[name].arn})


@adds(SageMakerResponse, "sagemaker", "DescribeCodeRepository", differs="")
def describe_code_repository(self: Any) -> Any:
    return ActionResult(found_repository(self).described())


@adds(SageMakerResponse, "sagemaker", "ListCodeRepositories", differs="")
def list_code_repositories(self: Any) -> Any:
    found = list(kept(self.sagemaker_backend, "code_repositories").values())
    shown, token = page_by_name(found, self.params)
    described = [each.described() for each in shown]
    return ActionResult({"CodeRepositorySummaryList": described, "NextToken": token})


@adds(SageMakerResponse, "sagemaker", "UpdateCodeRepository", differs="")
def update_code_repository(self: Any) -> Any:
    repository = found_repository(self)
    repository.request["GitConfig"] |= self.params.get("GitConfig") or {}
    repository.last_modified_time = naive_now()
    return ActionResult({"CodeRepositoryArn": repository.arn})


@adds(SageMakerResponse, "sagemaker", "DeleteCodeRepository", differs="")
def delete_code_repository(self: Any) -> Any:
    kept(self.sagemaker_backend, "code_repositories").pop(found_repository(self).name, None)
    return EmptyResult()
