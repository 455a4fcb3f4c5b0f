"""Usage limits: how much of a charged feature a cluster may use."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random
from moto.redshift.models import RedshiftBackend
from moto.redshift.responses import RedshiftResponse

from awslab.extension import adds
from awslab.services.redshift.cluster import LOCK, Request, find_cluster, kept
from awslab.services.redshift.paging import page, refuse, tagged

LIMIT_TYPES = {
    "spectrum": "data-scanned",
    "concurrency-scaling": "time",
    "cross-region-datasharing": "data-scanned",
    "extra-compute-for-automatic-optimization": "time",
}
MOST = 4  # limits of one feature of one cluster


def check_amount(amount: int) -> None:
    if not 0 < amount < 2**63:
        refuse("InvalidUsageLimit", "The usage limit amount must be a positive number.")


def find_limit(backend: RedshiftBackend, name: str) -> Request:
    """Raises ServiceException: `UsageLimitNotFound`."""
    limit: Request | None = kept(backend, "usage_limits").get(name)
    if limit is None:
        refuse("UsageLimitNotFound", f"Usage limit {name} not found.")
    return limit


@adds(
    RedshiftResponse,
    "redshift",
    "CreateUsageLimit",
    differs="kept, but nothing uses any of the features, so that no limit is ever reached",
)
def create_usage_limit(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    feature, kind = params["FeatureType"], params["LimitType"]
    if LIMIT_TYPES[feature] != kind:
        refuse(
            "InvalidUsageLimit",
            f"If FeatureType is {feature}, then LimitType must be {LIMIT_TYPES[feature]}.",
        )
    check_amount(params["Amount"])
    limit = {
        "UsageLimitId": str(mock_random.uuid4()),
        "ClusterIdentifier": params["ClusterIdentifier"],
        "FeatureType": feature,
        "LimitType": kind,
        "Amount": params["Amount"],
        "Period": params.get("Period") or "monthly",
        "BreachAction": params.get("BreachAction") or "log",
        "Tags": params.get("Tags") or [],
    }
    with LOCK:
        find_cluster(backend, params["ClusterIdentifier"])
        limits = kept(backend, "usage_limits")
        keys = ("ClusterIdentifier", "FeatureType", "Period", "BreachAction")
        others = [o for o in limits.values() if all(o[key] == limit[key] for key in keys[:2])]
        if any(all(other[key] == limit[key] for key in keys) for other in others):
            refuse(
                "UsageLimitAlreadyExists",
                f"A usage limit of {feature} with the same period and action already exists.",
            )
        if len(others) >= MOST:
            refuse("LimitExceededFault", f"A feature can have at most {MOST} usage limits.")
        limits[limit["UsageLimitId"]] = limit
    return ActionResult(limit)


@adds(RedshiftResponse, "redshift", "DescribeUsageLimits", differs="")
def describe_usage_limits(self: Any) -> ActionResult:
    params, backend = self.params, self.redshift_backend
    if params.get("ClusterIdentifier"):
        find_cluster(backend, params["ClusterIdentifier"])
    found = [
        limit
        for limit in list(kept(backend, "usage_limits").values())
        if all(
            params.get(name) in (None, limit[name])
            for name in ("UsageLimitId", "ClusterIdentifier", "FeatureType")
        )
        and tagged(limit["Tags"], params)
    ]
    shown, marker = page(found, params)
    return ActionResult({"UsageLimits": shown, "Marker": marker})


@adds(RedshiftResponse, "redshift", "ModifyUsageLimit", differs="")
def modify_usage_limit(self: Any) -> ActionResult:
    params = self.params
    with LOCK:
        limit = find_limit(self.redshift_backend, params["UsageLimitId"])
        if params.get("Amount") is not None:
            check_amount(params["Amount"])
        limit |= {
            name: params[name]
            for name in ("Amount", "BreachAction")
            if params.get(name) is not None
        }
    return ActionResult(limit)


@adds(RedshiftResponse, "redshift", "DeleteUsageLimit", differs="")
def delete_usage_limit(self: Any) -> ActionResult:
    with LOCK:
        find_limit(self.redshift_backend, self.params["UsageLimitId"])
        kept(self.redshift_backend, "usage_limits").pop(self.params["UsageLimitId"])
    return EmptyResult()
