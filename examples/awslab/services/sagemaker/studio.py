"""Studio: domains and user profiles. Nothing runs behind them, and their addresses lead nowhere."""

import threading
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random
from moto.sagemaker.exceptions import ResourceInUseException, ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import Course, Stage, naive_now
from awslab.extension import Function, adds, changes
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page, refuse
from awslab.services.sagemaker.lifecycle_configs import by_change
from awslab.services.sagemaker.resource import Resource, kept

# Seconds that each change of state lasts, about as on AWS.
STARTING, UPDATING, DELETING = 300, 60, 120
LOCK = threading.RLock()  # held while something is looked up and then changed

Request = Mapping[str, Any]


class Studio(Resource):
    """What domains and user profiles have in common."""

    describe = ""

    def __init__(
        self, backend: SageMakerModelBackend, kind: str, identifier: str, request: Request
    ) -> None:
        super().__init__(backend, kind, identifier, request)
        self.course = Course([Stage("Pending", STARTING), Stage("InService")])

    def described(self, **members: Any) -> dict[str, Any]:
        """The members of the Describe call; this is a look."""
        return told(
            self.describe,
            self.request,
            Status=self.course.look(),
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time,
            **members,
        )

    def update(self, params: Request) -> None:
        if self.course.stage != "InService":
            refuse(f"{self.arn} cannot be updated while its status is {self.course.stage}.")
        self.request |= params
        self.last_modified_time = naive_now()
        self.course.divert([Stage("Updating", UPDATING), Stage("InService")])

    def delete(self) -> None:
        self.course.divert([Stage("Deleting", DELETING), Stage("Gone")])

    @property
    def is_gone(self) -> bool:
        self.course.keep_up()
        return self.course.stage == "Gone"


class Domain(Studio):
    describe = "DescribeDomain"

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        self.id = f"d-{mock_random.get_random_hex(12)}"
        defaults = {"AppNetworkAccessType": "PublicInternetOnly"}
        super().__init__(backend, "domain", self.id, defaults | dict(request))
        self.url = f"https://{self.id}.studio.{self.region_name}.sagemaker.aws"

    def described(self, **members: Any) -> dict[str, Any]:
        return super().described(DomainArn=self.arn, DomainId=self.id, Url=self.url)


class Profile(Studio):
    describe = "DescribeUserProfile"

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        self.domain_id, self.profile_name = request["DomainId"], request["UserProfileName"]
        super().__init__(backend, "user-profile", f"{self.domain_id}/{self.profile_name}", request)

    def described(self, **members: Any) -> dict[str, Any]:
        return super().described(UserProfileArn=self.arn)


def profiles(backend: SageMakerModelBackend, domain_id: str | None) -> list[Profile]:
    """The user profiles of a domain, or of all."""
    held = kept(backend, "user_profiles")
    for name, profile in list(held.items()):
        if profile.is_gone:
            held.pop(name, None)
    return [each for each in list(held.values()) if domain_id in (None, each.domain_id)]


def domains(backend: SageMakerModelBackend) -> list[Domain]:
    for identifier, domain in list(backend.domains.items()):
        if domain.is_gone:
            backend.domains.pop(identifier, None)
    return list(backend.domains.values())


def find_domain(self: Any) -> Domain:
    """The domain that a request names.

    Raises:
        ResourceNotFound: there is none.
    """
    wanted = self.params["DomainId"]
    for domain in domains(self.sagemaker_backend):
        if domain.id == wanted:
            return domain
    raise ResourceNotFound(f"Domain [{wanted}] does not exist.")


def find_profile(self: Any) -> Profile:
    """The user profile that a request names.

    Raises:
        ResourceNotFound: there is none, or no such domain.
    """
    domain, wanted = find_domain(self), self.params["UserProfileName"]
    for profile in profiles(self.sagemaker_backend, domain.id):
        if profile.profile_name == wanted:
            return profile
    raise ResourceNotFound(f"UserProfile [{wanted}] does not exist in Domain [{domain.id}].")


def described_until_gone(found: Studio, held: dict[str, Any]) -> ActionResult:
    described = found.described()
    if found.is_gone:
        held.pop(found.name, None)
        raise ResourceNotFound(f"{found.arn} does not exist.")
    return ActionResult(described)


# --- domains --------------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateDomain",
    reason="makes the identifier from the name; answers no `DomainId`; replaces a domain of the "
    "same name",
    differs="networks and roles are not looked up; no file system is made",
)
def create_domain(original: Function, self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["DomainName"]
    with LOCK:
        if any(domain.request["DomainName"] == name for domain in domains(backend)):
            raise ResourceInUseException(f"Domain with the name [{name}] already exists.")
        domain = Domain(backend, self.params)
        backend.domains[domain.id] = domain
    return ActionResult({"DomainArn": domain.arn, "DomainId": domain.id, "Url": domain.url})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeDomain",
    reason="answers `ValidationException` if there is none",
    differs="",
)
def describe_domain(original: Function, self: Any) -> Any:
    return described_until_gone(find_domain(self), self.sagemaker_backend.domains)


@adds(SageMakerResponse, "sagemaker", "UpdateDomain", differs="")
def update_domain(self: Any) -> Any:
    with LOCK:
        domain = find_domain(self)
        settings = domain.request.get("DomainSettings") or {}
        changed = self.params.get("DomainSettingsForUpdate") or {}
        domain.update(self.params | {"DomainSettings": settings | changed})
    return ActionResult({"DomainArn": domain.arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DeleteDomain",
    reason="deletes in no time",
    differs="",
)
def delete_domain(original: Function, self: Any) -> Any:
    with LOCK:
        domain = find_domain(self)
        if profiles(self.sagemaker_backend, domain.id):
            raise ResourceInUseException(
                f"Unable to delete Domain [{domain.id}]: delete its user profiles first."
            )
        domain.delete()
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListDomains",
    reason="shows 100 without `MaxResults`",
    differs="",
)
def list_domains(original: Function, self: Any) -> Any:
    return paged(self, "Domains", domains(self.sagemaker_backend))


def paged(self: Any, member: str, found: list[Any]) -> ActionResult:
    described = {each.name: each.described() for each in found}
    keys = {
        "CreationTime": by_creation_time,
        "LastModifiedTime": by_change,
        "Name": by_name,
    }
    shown, token = page(found, {"SortOrder": "Ascending"} | dict(self.params), keys, 10)
    return ActionResult({member: [described[each.name] for each in shown], "NextToken": token})


@adds(
    SageMakerResponse,
    "sagemaker",
    "CreatePresignedDomainUrl",
    differs="the URL has AWS's form and leads nowhere",
)
def create_presigned_domain_url(self: Any) -> Any:
    profile, domain = find_profile(self), find_domain(self)
    for each in (domain, profile):
        if each.course.stage != "InService":
            refuse(f"The status of {each.arn} is {each.course.stage}, not InService.")
    token = mock_random.get_random_hex(64)
    return ActionResult({"AuthorizedUrl": f"{domain.url}/auth?token={token}"})


# --- user profiles --------------------------------------------------------------------------------


@adds(SageMakerResponse, "sagemaker", "CreateUserProfile", differs="")
def create_user_profile(self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["UserProfileName"]
    with LOCK:
        domain = find_domain(self)
        if domain.course.stage == "Deleting":
            refuse(f"Domain [{domain.id}] is being deleted.")
        if any(profile.profile_name == name for profile in profiles(backend, domain.id)):
            raise ResourceInUseException(
                f"UserProfile [{name}] already exists in Domain [{domain.id}]."
            )
        profile = Profile(backend, self.params)
        kept(backend, "user_profiles")[profile.name] = profile
    return ActionResult({"UserProfileArn": profile.arn})


@adds(SageMakerResponse, "sagemaker", "DescribeUserProfile", differs="")
def describe_user_profile(self: Any) -> Any:
    profile = find_profile(self)
    return described_until_gone(profile, kept(self.sagemaker_backend, "user_profiles"))


@adds(SageMakerResponse, "sagemaker", "UpdateUserProfile", differs="")
def update_user_profile(self: Any) -> Any:
    with LOCK:
        profile = find_profile(self)
        profile.update(self.params)
    return ActionResult({"UserProfileArn": profile.arn})


@adds(SageMakerResponse, "sagemaker", "DeleteUserProfile", differs="")
def delete_user_profile(self: Any) -> Any:
    with LOCK:
        find_profile(self).delete()
    return EmptyResult()


@adds(SageMakerResponse, "sagemaker", "ListUserProfiles", differs="")
def list_user_profiles(self: Any) -> Any:
    part = self.params.get("UserProfileNameContains") or ""
    found = profiles(self.sagemaker_backend, self.params.get("DomainIdEquals"))
    return paged(self, "UserProfiles", [each for each in found if part in each.profile_name])
