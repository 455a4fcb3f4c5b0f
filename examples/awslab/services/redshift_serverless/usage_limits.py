"""Usage limits and tags of Redshift Serverless."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from awslab.extension import adds
from awslab.services.redshift_serverless.backend import (
    LOCK,
    NotFound,
    RedshiftServerlessBackend,
    RedshiftServerlessResponse,
    Request,
    conflict,
    new_id,
    page,
    refuse,
)


def check_amount(amount: int) -> None:
    if not 0 < amount < 2**63:
        refuse("The amount of a usage limit must be a positive number.")


def find_limit(backend: RedshiftServerlessBackend, name: str) -> Request:
    """Raises ServiceException: `ResourceNotFoundException`."""
    limit = backend.usage_limits.get(name)
    if limit is None:
        raise NotFound(f"Usage limit {name} is not found.", name)
    return limit


@adds(
    RedshiftServerlessResponse,
    "redshift-serverless",
    "CreateUsageLimit",
    differs="kept, but no usage is counted, so that no limit is ever reached",
)
def create_usage_limit(self: Any) -> ActionResult:
    params, backend = self.params, self.backend
    check_amount(params["amount"])
    arn = params["resourceArn"]
    name = new_id()
    limit = {
        "usageLimitId": name,
        "usageLimitArn": backend.arn("usagelimit", name),
        "resourceArn": arn,
        "usageType": params["usageType"],
        "amount": params["amount"],
        "period": params.get("period") or "monthly",
        "breachAction": params.get("breachAction") or "log",
    }
    with LOCK:
        if arn not in [workgroup.arn for workgroup in backend.workgroups.values()]:
            raise NotFound(f"Resource {arn} is not found.", arn)
        keys = ("resourceArn", "usageType", "period", "breachAction")
        for other in backend.usage_limits.values():
            if all(other[key] == limit[key] for key in keys):
                conflict("A usage limit of this type, period and action already exists.")
        backend.usage_limits[name] = limit
    return ActionResult({"usageLimit": limit})


@adds(RedshiftServerlessResponse, "redshift-serverless", "GetUsageLimit", differs="")
def get_usage_limit(self: Any) -> ActionResult:
    return ActionResult({"usageLimit": find_limit(self.backend, self.params["usageLimitId"])})


@adds(RedshiftServerlessResponse, "redshift-serverless", "ListUsageLimits", differs="")
def list_usage_limits(self: Any) -> ActionResult:
    params = self.params
    found = [
        limit
        for limit in list(self.backend.usage_limits.values())
        if params.get("resourceArn") in (None, limit["resourceArn"])
        and params.get("usageType") in (None, limit["usageType"])
    ]
    shown, token = page(found, params)
    return ActionResult({"usageLimits": shown, "nextToken": token})


@adds(RedshiftServerlessResponse, "redshift-serverless", "UpdateUsageLimit", differs="")
def update_usage_limit(self: Any) -> ActionResult:
    params = self.params
    with LOCK:
        limit = find_limit(self.backend, params["usageLimitId"])
        if params.get("amount") is not None:
            check_amount(params["amount"])
        names = ("amount", "breachAction")
        limit |= {name: params[name] for name in names if params.get(name) is not None}
    return ActionResult({"usageLimit": limit})


@adds(RedshiftServerlessResponse, "redshift-serverless", "DeleteUsageLimit", differs="")
def delete_usage_limit(self: Any) -> ActionResult:
    with LOCK:
        limit = find_limit(self.backend, self.params["usageLimitId"])
        self.backend.usage_limits.pop(limit["usageLimitId"])
    return ActionResult({"usageLimit": limit})


# --- tags ----------------------------------------------------------------------------------------


def tags_of(backend: RedshiftServerlessBackend, arn: str) -> list[dict[str, str]]:
    """The tags of a resource, to be changed in place.

    Raises:
        ServiceException: there is none of this ARN.
    """
    found = backend.tagged().get(arn)
    if found is None:
        raise NotFound(f"Resource {arn} is not found.", arn)
    return found


@adds(RedshiftServerlessResponse, "redshift-serverless", "ListTagsForResource", differs="")
def list_tags_for_resource(self: Any) -> ActionResult:
    return ActionResult({"tags": tags_of(self.backend, self.params["resourceArn"])})


@adds(RedshiftServerlessResponse, "redshift-serverless", "TagResource", differs="")
def tag_resource(self: Any) -> ActionResult:
    with LOCK:
        tags = tags_of(self.backend, self.params["resourceArn"])
        new = {tag["key"]: tag for tag in [*tags, *self.params["tags"]]}
        if len(new) > 200:
            refuse("A resource can have at most 200 tags.")
        tags[:] = new.values()
    return EmptyResult()


@adds(RedshiftServerlessResponse, "redshift-serverless", "UntagResource", differs="")
def untag_resource(self: Any) -> ActionResult:
    with LOCK:
        tags = tags_of(self.backend, self.params["resourceArn"])
        tags[:] = [tag for tag in tags if tag["key"] not in self.params["tagKeys"]]
    return EmptyResult()
