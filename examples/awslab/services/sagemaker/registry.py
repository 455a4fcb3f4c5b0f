"""The model registry: groups of model packages, their versions, and who of other accounts may
use them.

A group may carry a policy. Within its own account the lab asks nobody for permission; a caller of
another account needs a group's policy that allows the action, as on AWS.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ConflictException
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from awslab.clock import naive_now
from awslab.extension import Function, adds, changes
from awslab.policy import Malformed, Unsupported, parsed, verdict
from awslab.services.identity import principals_of
from awslab.services.sagemaker.answers import told
from awslab.services.sagemaker.endpoint_configs import by_creation_time, by_name, page, refuse
from awslab.services.sagemaker.resource import Resource, arn_of
from awslab.telemetry import put_event

LOCK = threading.RLock()  # held while something is looked up and then changed
MOST_PROPERTIES = 50  # CustomerMetadataProperties of one package

Request = Mapping[str, Any]


class AccessDenied(ServiceException):
    """A caller of another account, whom the policy of the group does not let in."""

    code = "AccessDeniedException"


@dataclass(frozen=True)
class Caller:
    """Who asks: the account, and the ARNs by which policies may name the principal."""

    account: str
    principals: list[str]


def caller_of(response: Any) -> Caller:
    account = response.current_account
    principals = principals_of(response.get_access_key())
    if principals[0].split(":")[4] != account:  # credentials that no account knows
        principals = [f"arn:aws:iam::{account}:root"]
    return Caller(account, principals)


# --- the resources --------------------------------------------------------------------------------


class Group(Resource):
    """A model package group; `policy` is the text of its resource policy."""

    def __init__(self, backend: SageMakerModelBackend, request: Request) -> None:
        name = request["ModelPackageGroupName"]
        super().__init__(backend, "model-package-group", name, request)
        self.last_version = 0  # the numbers of deleted versions are not used again
        self.policy: str | None = None

    def described(self) -> dict[str, Any]:
        """The members of DescribeModelPackageGroup."""
        return told(
            "DescribeModelPackageGroup",
            self.request,
            ModelPackageGroupArn=self.arn,
            ModelPackageGroupStatus="Completed",
            CreationTime=self.creation_time,
            CreatedBy={},
        )

    gen_response_object = described  # what moto's Search answers

    @property
    def model_package_group_name(self) -> str:
        return self.name


class Package(Resource):
    """A version of a group, or an unversioned model package.

    request: what CreateModelPackage was called with and UpdateModelPackage has changed.
    """

    def __init__(
        self, backend: SageMakerModelBackend, request: Request, group: Group | None
    ) -> None:
        self.version = group.last_version + 1 if group else None
        name = f"{group.name}/{self.version}" if group else request["ModelPackageName"]
        super().__init__(backend, "model-package", name, request)
        if group:
            group.last_version += 1
            self.request["ModelPackageGroupName"] = group.name
            self.request.setdefault("ModelApprovalStatus", "PendingManualApproval")
        self.modified = False

    def described(self) -> dict[str, Any]:
        """The members of DescribeModelPackage."""
        return told(
            "DescribeModelPackage",
            {"CertifyForMarketplace": False} | self.request,
            ModelPackageArn=self.arn,
            ModelPackageVersion=self.version,
            ModelPackageStatus="Completed",
            ModelPackageStatusDetails={"ValidationStatuses": [], "ImageScanStatuses": []},
            CreationTime=self.creation_time,
            LastModifiedTime=self.last_modified_time if self.modified else None,
        )

    gen_response_object = described  # what moto's Search answers

    # What moto's Search filters by.

    @property
    def model_package_name(self) -> str | None:
        return self.request.get("ModelPackageName")

    @property
    def model_package_group_name(self) -> str | None:
        return self.request.get("ModelPackageGroupName")

    @property
    def model_package_version(self) -> int | None:
        return self.version

    @property
    def model_approval_status(self) -> str | None:
        return self.request.get("ModelApprovalStatus")


# --- finding, also in other accounts --------------------------------------------------------------


def backend_of(arn: str) -> SageMakerModelBackend | None:
    """Where a resource of this ARN would be; None: no such Region."""
    _, _, _, region, account, _ = arn.split(":", 5)
    known = sagemaker_backends[account]
    if region not in known:
        return None
    return known[region]


def find_group(
    backend: SageMakerModelBackend, name: str, caller: Caller | None, action: str
) -> Group:
    """A group by its name or ARN.

    action: what the caller is about to do, asked of the policy when the group is another account's.

    Raises:
        AWSValidationException: there is none.
        AccessDenied: it is another account's, and its policy does not allow the action.
    """
    arn = name if name.startswith("arn:") else arn_of(backend, "model-package-group", name)
    owner = backend_of(arn)
    group: Group | None = owner.model_package_groups.get(arn.rpartition("/")[2]) if owner else None
    ask(group, caller, action, arn)
    if group is None or group.arn != arn:
        refuse(f"ModelPackageGroup {arn} does not exist.")
    return group


def find_package(
    backend: SageMakerModelBackend, name: str, caller: Caller | None, action: str
) -> Package:
    """A package by its name or ARN.

    Raises:
        AWSValidationException: there is none.
        AccessDenied: it is another account's, and the policy of its group does not allow the
            action.
    """
    arn = name if name.startswith("arn:") else arn_of(backend, "model-package", name)
    owner = backend_of(arn)
    of_group = arn.split("/")[1] if arn.count("/") == 2 else None
    ask(owner.model_package_groups.get(of_group) if owner else None, caller, action, arn)
    package: Package | None = owner.model_packages.get(arn) if owner else None
    if package is None:
        refuse(f"ModelPackage {arn} does not exist.")
    return package


def approved_package(backend: SageMakerModelBackend, name: str, caller: Caller | None) -> Package:
    """A package that a model can be made from.

    Raises:
        AWSValidationException: there is none, or it is a version that nobody has approved.
        AccessDenied: it is another account's, which does not allow `sagemaker:CreateModel`.
    """
    package = find_package(backend, name, caller, "CreateModel")
    status = package.request.get("ModelApprovalStatus")
    if package.version is not None and status != "Approved":
        refuse(
            f"Cannot create a model from ModelPackage {package.arn} with ModelApprovalStatus "
            f"{status}. Only an Approved ModelPackage can be deployed."
        )
    return package


def ask(group: Group | None, caller: Caller | None, action: str, arn: str) -> None:
    """Let callers of other accounts pass only if the group's policy allows it."""
    if caller is None or caller.account == arn.split(":")[4]:
        return
    said = "silent"
    if group is not None and group.policy is not None:
        try:
            policy = parsed(group.policy, names_principals=True)
            context = {"aws:PrincipalArn": caller.principals[0]}
            context["aws:PrincipalAccount"] = caller.account
            said = verdict(policy, f"sagemaker:{action}", arn, caller.principals, context)
        except (Unsupported, ValueError) as error:
            refuse(f"The lab cannot judge the policy of {group.arn}: {error}.")
    if said != "allow":
        because = (
            "with an explicit deny in a resource-based policy"
            if said == "deny"
            else f"because no resource-based policy allows the sagemaker:{action} action"
        )
        raise AccessDenied(
            f"User: {caller.principals[-1]} is not authorized to perform: sagemaker:{action} "
            f"on resource: {arn} {because}"
        )


def found_group(self: Any, action: str) -> Group:
    """The group that a request is about."""
    name = self.params["ModelPackageGroupName"]
    return find_group(self.sagemaker_backend, name, caller_of(self), action)


# --- groups ---------------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateModelPackageGroup",
    reason="replaces a group of the same name",
    differs="",
)
def create_model_package_group(original: Function, self: Any) -> Any:
    backend, name = self.sagemaker_backend, self.params["ModelPackageGroupName"]
    with LOCK:
        if name in backend.model_package_groups:
            arn = arn_of(backend, "model-package-group", name)
            refuse(f"Model Package Group already exists: {arn}")
        backend.model_package_groups[name] = Group(backend, self.params)
    return ActionResult({"ModelPackageGroupArn": backend.model_package_groups[name].arn})


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeModelPackageGroup",
    reason="takes no ARN",
    differs="`CreatedBy` is empty",
)
def describe_model_package_group(original: Function, self: Any) -> Any:
    return ActionResult(found_group(self, "DescribeModelPackageGroup").described())


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListModelPackageGroups",
    reason="ignores `CrossAccountFilterOption`; shows 100 without `MaxResults`",
    differs="no group of another account is listed: the lab has no shares of AWS RAM",
)
def list_model_package_groups(original: Function, self: Any) -> Any:
    shared = self.params.get("CrossAccountFilterOption") == "CrossAccount"
    groups = [] if shared else list(self.sagemaker_backend.model_package_groups.values())
    keys = {"CreationTime": by_creation_time, "Name": by_name}
    shown, token = page(groups, ascending(self.params), keys, 10)
    summaries = [group.described() for group in shown]
    return ActionResult({"ModelPackageGroupSummaryList": summaries, "NextToken": token})


def ascending(params: Request) -> dict[str, Any]:
    """The registry lists the oldest first, unlike the rest of the service."""
    return {"SortOrder": "Ascending"} | dict(params)


@adds(SageMakerResponse, "sagemaker", "DeleteModelPackageGroup", differs="")
def delete_model_package_group(self: Any) -> Any:
    with LOCK:
        group = found_group(self, "DeleteModelPackageGroup")
        if versions_of(group):
            raise ConflictException(
                f"Model Package Group {group.arn} cannot be deleted as it still contains Model "
                "Packages."
            )
        sagemaker_backends[group.account_id][group.region_name].model_package_groups.pop(group.name)
    return EmptyResult()


def versions_of(group: Group) -> list[Package]:
    packages = sagemaker_backends[group.account_id][group.region_name].model_packages.values()
    return [each for each in list(packages) if each.model_package_group_name == group.name]


@adds(
    SageMakerResponse,
    "sagemaker",
    "PutModelPackageGroupPolicy",
    differs="the form of the policy is checked, not whether its principals and resources exist",
)
def put_model_package_group_policy(self: Any) -> Any:
    group = own_group(self)
    try:
        parsed(self.params["ResourcePolicy"], names_principals=True)
    except Malformed as error:
        refuse(f"Invalid resource policy: {error}")
    group.policy = self.params["ResourcePolicy"]
    return ActionResult({"ModelPackageGroupArn": group.arn})


@adds(SageMakerResponse, "sagemaker", "GetModelPackageGroupPolicy", differs="")
def get_model_package_group_policy(self: Any) -> Any:
    return ActionResult({"ResourcePolicy": with_policy(self).policy})


@adds(SageMakerResponse, "sagemaker", "DeleteModelPackageGroupPolicy", differs="")
def delete_model_package_group_policy(self: Any) -> Any:
    with_policy(self).policy = None
    return EmptyResult()


def own_group(self: Any) -> Group:
    """A group by its name only: other accounts have no say about policies."""
    backend, name = self.sagemaker_backend, self.params["ModelPackageGroupName"]
    group: Group | None = backend.model_package_groups.get(name)
    if group is None:
        arn = arn_of(backend, "model-package-group", name)
        refuse(f"Cannot find Model Package Group: {arn}")
    return group


def with_policy(self: Any) -> Group:
    group = own_group(self)
    if group.policy is None:
        refuse(f"Cannot find resource policy for: {group.arn}")
    return group


# --- packages -------------------------------------------------------------------------------------


@changes(
    SageMakerResponse,
    "sagemaker",
    "CreateModelPackage",
    reason=(
        "drops `ModelLifeCycle`, `SourceUri`, `SkipModelValidation` and other members; leaves "
        "`ModelApprovalStatus` empty; uses the number of a deleted version again; replaces an "
        "unversioned package of the same name; takes no ARN of a group; writes ARNs in small "
        "letters"
    ),
    differs="no image is scanned and no validation job runs: a package is `Completed` at once",
)
def create_model_package(original: Function, self: Any) -> Any:
    token = self.params.get("ClientToken")
    with LOCK:
        for package in list(self.sagemaker_backend.model_packages.values()):
            if token is not None and package.request.get("ClientToken") == token:
                return ActionResult({"ModelPackageArn": package.arn})
        package = add_package(self.sagemaker_backend, self.params, caller_of(self))
    announce(package)
    return ActionResult({"ModelPackageArn": package.arn})


def add_package(backend: SageMakerModelBackend, request: Request, caller: Caller | None) -> Package:
    """Keep a new package, in its group's account if it has a group.

    Raises:
        AWSValidationException: the request contradicts itself, or names what does not exist.
        AccessDenied: the group is another account's, which does not allow it.
    """
    group_name, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
    if group_name and name:
        refuse(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use."
        )
    if not group_name and not name:
        refuse("Missing ARN.")
    group = None
    if group_name:
        if request.get("Tags"):
            refuse("Tags cannot be specified for a versioned model package; tag its group instead.")
        group = find_group(backend, group_name, caller, "CreateModelPackage")
        backend = sagemaker_backends[group.account_id][group.region_name]
    elif request.get("ModelApprovalStatus"):
        refuse("ModelApprovalStatus does not apply to an unversioned model package.")
    elif arn_of(backend, "model-package", name or "") in backend.model_packages:
        refuse(f"ModelPackage already exists: {arn_of(backend, 'model-package', name or '')}")
    package = Package(backend, request, group)
    backend.model_packages[package.arn] = package
    return package


def announce(package: Package) -> None:
    """Tell EventBridge about a new version or a new state of it."""
    if package.version is None:
        return
    detail = {
        "ModelPackageGroupName": package.model_package_group_name,
        "ModelPackageVersion": package.version,
        "ModelPackageArn": package.arn,
        "CreationTime": package.creation_time,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": package.model_approval_status,
        "InferenceSpecification": package.request.get("InferenceSpecification"),
        "CustomerMetadataProperties": package.request.get("CustomerMetadataProperties"),
    }
    put_event(
        package.account_id,
        package.region_name,
        "aws.sagemaker",
        "SageMaker Model Package State Change",
        package.arn,
        {name: value for name, value in detail.items() if value is not None},
    )


@changes(
    SageMakerResponse,
    "sagemaker",
    "DescribeModelPackage",
    reason="finds no package of another account",
    differs="`CreatedBy` and `LastModifiedBy` are missing",
)
def describe_model_package(original: Function, self: Any) -> Any:
    package = found_package(self, "DescribeModelPackage")
    return ActionResult(package.described())


def found_package(self: Any, action: str, member: str = "ModelPackageName") -> Package:
    """The package that a request is about."""
    return find_package(self.sagemaker_backend, self.params[member], caller_of(self), action)


@changes(
    SageMakerResponse,
    "sagemaker",
    "UpdateModelPackage",
    reason=(
        "forgets `ApprovalDescription` and `CustomerMetadataProperties` that the request leaves "
        "out; drops `ModelLifeCycle`, `SourceUri` and other members; crashes when properties are "
        "to be removed that were never there"
    ),
    differs="",
)
def update_model_package(original: Function, self: Any) -> Any:
    with LOCK:
        package = found_package(self, "UpdateModelPackage", "ModelPackageArn")
        approval = package.model_approval_status
        package.request |= changed_members(package, self.params)
        package.last_modified_time, package.modified = naive_now(), True
    if package.model_approval_status != approval:
        announce(package)
    return ActionResult({"ModelPackageArn": package.arn})


def changed_members(package: Package, params: Request) -> dict[str, Any]:
    """What UpdateModelPackage makes of the members that it names."""
    if package.version is None and params.get("ModelApprovalStatus"):
        refuse("ModelApprovalStatus does not apply to an unversioned model package.")
    removed = params.get("CustomerMetadataPropertiesToRemove") or []
    before = package.request.get("CustomerMetadataProperties") or {}
    properties = before | (params.get("CustomerMetadataProperties") or {})
    properties = {key: value for key, value in properties.items() if key not in removed}
    if len(properties) > MOST_PROPERTIES:
        refuse(f"CustomerMetadataProperties cannot have more than {MOST_PROPERTIES} entries.")
    specifications = [
        *(package.request.get("AdditionalInferenceSpecifications") or []),
        *(params.get("AdditionalInferenceSpecificationsToAdd") or []),
    ]
    if len(specifications) > 15:
        refuse("A model package cannot have more than 15 additional inference specifications.")
    return {
        **told("DescribeModelPackage", dict(params)),
        "CustomerMetadataProperties": properties or None,
        "AdditionalInferenceSpecifications": specifications or None,
    }


@adds(SageMakerResponse, "sagemaker", "DeleteModelPackage", differs="")
def delete_model_package(self: Any) -> Any:
    with LOCK:
        package = found_package(self, "DeleteModelPackage")
        sagemaker_backends[package.account_id][package.region_name].model_packages.pop(package.arn)
    return EmptyResult()


@changes(
    SageMakerResponse,
    "sagemaker",
    "ListModelPackages",
    reason="answers an empty list for a group that does not exist",
    differs="",
)
def list_model_packages(original: Function, self: Any) -> Any:
    params = self.params
    if params.get("ModelPackageGroupName"):
        packages = versions_of(listed_group(self))
    else:
        wanted = params.get("ModelPackageType", "Unversioned")
        packages = [
            each
            for each in list(self.sagemaker_backend.model_packages.values())
            if wanted in ("Both", "Unversioned" if each.version is None else "Versioned")
        ]
    status = params.get("ModelApprovalStatus")
    packages = [each for each in packages if status in (None, each.model_approval_status)]
    keys = {"CreationTime": by_creation_time, "Name": by_version}
    shown, token = page(packages, ascending(params), keys, 10)
    summaries = [each.described() for each in shown]
    return ActionResult({"ModelPackageSummaryList": summaries, "NextToken": token})


def listed_group(self: Any) -> Group:
    """AWS asks a foreign group's policy about its versions, not about the group itself."""
    name = self.params["ModelPackageGroupName"]
    if name.startswith("arn:"):
        owner = backend_of(name)
        group = owner.model_package_groups.get(name.rpartition("/")[2]) if owner else None
        versions = name.replace(":model-package-group/", ":model-package/") + "/*"
        ask(group, caller_of(self), "ListModelPackages", versions)
    return find_group(self.sagemaker_backend, name, None, "ListModelPackages")


def by_version(package: Package) -> str:
    group, _, version = package.name.partition("/")
    return f"{group}/{int(version or 0):09}"
