"""IAM: the policies that AWS manages, and the simulation of policies.

The lab enforces no identity policy: whoever calls may do everything, but for what buckets and
model package groups say of others. The simulation tells what AWS would enforce.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import NoSuchEntity
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.responses import IamResponse

from awslab.extension import Function, adds, changes
from awslab.policy import Malformed, Policy, Unsupported, as_list, names, parsed, verdict
from awslab.validation import validates

validates("iam", "ValidationError")

ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
PAGE = 100  # results, if the call does not say


class InvalidInput(ServiceException):
    """What a request asks for makes no sense."""

    code = "InvalidInput"


def refuse(message: str) -> NoReturn:
    raise InvalidInput(message)


# --- the policies that AWS manages ----------------------------------------------------------------


@cache
def managed_by_aws() -> dict[str, Any]:
    """moto's copy of the policies that AWS manages, by path and name: parsed when first needed."""
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return {
        f"{data['Path']}{name}": {"name": name, "data": data} for name, data in policies.items()
    }


def bring(backend: IAMBackend, path: str) -> None:
    """Let an account see one policy of AWS's, if there is one of this path and name."""
    found = managed_by_aws().get(path)
    if found:
        policy = AWSManagedPolicy.from_data(
            found["name"], backend.account_id, backend.region_name, found["data"]
        )
        backend.managed_policies.setdefault(policy.arn, policy)


KNOWING = "AttachGroupPolicy`, `AttachRolePolicy`, `AttachUserPolicy`, `GetPolicy`, `ListPolicies"


def knows_aws_policies(method: str) -> None:
    """Make a method of moto, whose first parameter is the ARN of a policy, find AWS's own."""

    def with_aws_policies(original: Function, self: Any, policy_arn: str, *rest: Any) -> Any:
        owner, _, path = policy_arn.partition(":policy")
        if owner.endswith("::aws"):
            bring(self, path)
        return original(self, policy_arn, *rest)

    with_aws_policies.__name__ = method
    changes(
        IAMBackend,
        "iam",
        KNOWING,
        reason="knows no policy that AWS manages",
        differs="the policies are as old as moto",
    )(with_aws_policies)


for method in ("attach_role_policy", "attach_user_policy", "attach_group_policy", "get_policy"):
    knows_aws_policies(method)


@changes(IAMBackend, "iam", KNOWING, reason="knows no policy that AWS manages", differs="")
def list_policies(original: Function, self: Any, *args: Any, **kwargs: Any) -> Any:
    marker, _, only_attached, _, scope = args
    if marker is not None and not marker.isdecimal():
        refuse(f"Invalid marker: {marker}")
    if scope != "Local" and not only_attached:
        for path in managed_by_aws():
            bring(self, path)
    return original(self, *args, **kwargs)


# --- simulation -----------------------------------------------------------------------------------


@dataclass
class Source:
    """A policy, and how the answer names it.

    kind: `user`, `group`, `role`, `aws-managed`, `user-managed`, `resource` or `none`.
    """

    identifier: str
    kind: str
    policy: Policy


@dataclass
class Question:
    """What all simulated requests of one call have in common.

    boundary: the policies that limit what the identity may be allowed; none: no limit.
    """

    identity: list[Source]
    boundary: list[Source]
    resource_policy: list[Source]
    principals: list[str]
    context: dict[str, str]


def document(text: str, name: str, *, names_principals: bool = False) -> Policy:
    try:
        return parsed(text, names_principals=names_principals)
    except Malformed as error:
        refuse(f"{name}: {error}")


def sources_of(backend: IAMBackend, arn: str) -> tuple[list[Source], list[Source]]:
    """The policies of a role, of a group, or of a user and its groups, and the boundary.

    Raises:
        NoSuchEntity: there is no such identity in this account.
    """
    identities = [*backend.roles.values(), *backend.users.values(), *backend.groups.values()]
    identity = next((each for each in identities if each.arn == arn), None)
    if identity is None:
        raise NoSuchEntity(f"The entity {arn} cannot be found.")
    groups = [group for group in backend.groups.values() if identity in group.users]
    found = [source for each in (identity, *groups) for source in attached_to(each)]
    limit = getattr(identity, "permissions_boundary_arn", None)
    if not limit:
        return found, []
    policy = backend.get_policy(limit)
    return found, [Source(policy.name, kind_of(policy), document(text_of(policy), policy.name))]


def attached_to(identity: Any) -> Iterable[Source]:
    kind = type(identity).__name__.lower()
    for name, text in identity.policies.items():
        yield Source(name, kind, document(text, name))
    for policy in identity.managed_policies.values():
        yield Source(policy.name, kind_of(policy), document(text_of(policy), policy.name))


def kind_of(policy: Any) -> str:
    return "aws-managed" if isinstance(policy, AWSManagedPolicy) else "user-managed"


def text_of(policy: Any) -> str:
    """The document of the version that is in force."""
    return next(
        str(version.document)
        for version in policy.versions
        if version.version_id == policy.default_version_id
    )


def given(params: Mapping[str, Any], member: str, kind: str = "none") -> list[Source]:
    """The policies that a request brings along."""
    texts = params.get(member) or []
    return [
        Source(f"{member}.{position}", kind, document(text, f"{member}.{position}"))
        for position, text in enumerate(texts, 1)
    ]


def question_of(
    params: Mapping[str, Any], identity: list[Source], boundary: list[Source], caller: str | None
) -> Question:
    resource_policy = params.get("ResourcePolicy")
    named = "ResourcePolicy"
    return Question(
        identity=identity + given(params, "PolicyInputList"),
        boundary=given(params, "PermissionsBoundaryPolicyInputList") or boundary,
        resource_policy=[
            Source(named, "resource", document(resource_policy, named, names_principals=True))
        ]
        if resource_policy
        else [],
        principals=principals_in(params.get("CallerArn") or caller),
        context=context_in(params.get("ContextEntries") or []),
    )


def principals_in(arn: str | None) -> list[str]:
    if arn is None:
        return []
    if len(arn.split(":")) < 6:
        refuse(f"Invalid Entity Arn: {arn}")
    return [arn]


def context_in(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    context = {}
    for entry in entries:
        values = entry.get("ContextKeyValues") or []
        if len(values) != 1:
            refuse("The lab simulates context keys with one value only.")
        context[entry.get("ContextKeyName") or ""] = values[0]
    return context


def decide(asked: Question, action: str, resource: str) -> dict[str, Any]:
    """One EvaluationResult: a deny anywhere wins; then someone must allow, and the boundary, too.

    Raises:
        InvalidInput: a policy holds what the lab's evaluator does not know.
    """
    said: dict[str, list[Source]] = {"allow": [], "deny": []}
    within = not asked.boundary
    sources = [*asked.identity, *asked.resource_policy, *asked.boundary]
    for source in sources:
        for statement in as_list(source.policy["Statement"]):
            answer = judge(asked, statement, action, resource)
            if answer == "allow" and source in asked.boundary:
                within = True
            elif answer != "silent":
                said[answer].append(source)
    by_resource = any(source.kind == "resource" for source in said["allow"])
    allowed = bool(said["allow"]) and (within or by_resource)
    decision = "explicitDeny" if said["deny"] else "allowed" if allowed else "implicitDeny"
    matched = {"explicitDeny": said["deny"], "allowed": said["allow"]}.get(decision, [])
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision,
        "MatchedStatements": [
            {"SourcePolicyId": source.identifier, "SourcePolicyType": source.kind}
            for source in matched
        ],
        "MissingContextValues": missing_keys(asked, sources, action, resource),
    }
    if asked.boundary:
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within}
    return result


def judge(asked: Question, statement: Policy, action: str, resource: str) -> str:
    try:
        policy = {"Statement": statement}
        return verdict(policy, action, resource, asked.principals, asked.context)
    except (Unsupported, ValueError, IndexError) as error:
        refuse(f"The lab cannot evaluate a statement about {action}: {error}.")


def missing_keys(
    asked: Question, sources: Iterable[Source], action: str, resource: str
) -> list[str]:
    """The condition keys of the statements about this request that the call gives no value for."""
    lowered = {key.lower() for key in asked.context}
    wanted = {
        key
        for source in sources
        for statement in as_list(source.policy["Statement"])
        if about(statement, action, resource)
        for keys in statement.get("Condition", {}).values()
        for key in keys
    }
    return sorted(key for key in wanted if key.lower() not in lowered)


def about(statement: Policy, action: str, resource: str) -> bool:
    try:
        return names(statement, "Action", action.lower(), str.lower) and names(
            statement, "Resource", resource, str
        )
    except Unsupported:
        return False


def answer(params: Mapping[str, Any], asked: Question) -> ActionResult:
    """The results for each action on each resource, a page of them."""
    actions, resources = params["ActionNames"], params.get("ResourceArns") or ["*"]
    for action in actions:
        if not ACTION.fullmatch(action):
            refuse(f"Invalid action name: {action}")
    for resource in resources:
        if resource != "*" and len(resource.split(":")) < 6:
            refuse(f"Invalid Entity Arn: {resource}")
    pairs = [(action, resource) for action in actions for resource in resources]
    marker = params.get("Marker") or "0"
    if not marker.isdecimal():
        refuse(f"Invalid marker: {marker}")
    start, size = int(marker), params.get("MaxItems") or PAGE
    results = [decide(asked, *pair) for pair in pairs[start : start + size]]
    more = start + size < len(pairs)
    return ActionResult(
        {
            "EvaluationResults": results,
            "IsTruncated": more,
            "Marker": str(start + size) if more else None,
        }
    )


SIMULATED = (
    "policies of organizations are not counted; no positions of statements; one result for each "
    "action on each resource; condition keys have one value; policy variables are refused"
)


@adds(IamResponse, "iam", "SimulatePrincipalPolicy", differs=SIMULATED)
def simulate_principal_policy(self: Any) -> Any:
    source = self.params["PolicySourceArn"]
    identity, boundary = sources_of(self.backend, source)
    return answer(self.params, question_of(self.params, identity, boundary, source))


@adds(IamResponse, "iam", "SimulateCustomPolicy", differs=SIMULATED)
def simulate_custom_policy(self: Any) -> Any:
    return answer(self.params, question_of(self.params, [], [], None))
