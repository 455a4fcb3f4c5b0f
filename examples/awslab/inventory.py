"""The resources of the lab as a reader wants to see them: what, where, in which state, billed how.

moto keeps them in many ways, so a table says where each kind lies and how to read it. Nothing here
is a look in the sense of the lab's clock: reading a state does not move it on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial, reduce
from typing import Any

from moto.core.base_backend import BackendDict

from awslab import billing
from awslab.billing import Charges

# Attributes, separated by points, or a function.
Way = str | Callable[[Any], Any]

GONE = ("Deleted", "Gone", "deleted", "terminated")  # moto keeps some of them
UNREADABLE = "unreadable"
SERVICES = {
    "athena": "Amazon Athena",
    "cloudtrail": "AWS CloudTrail",
    "cloudwatch": "Amazon CloudWatch",
    "dynamodb": "Amazon DynamoDB",
    "ec2": "Amazon EC2, Amazon VPC",
    "emr": "Amazon EMR",
    "firehose": "Amazon Data Firehose",
    "glue": "AWS Glue",
    "iam": "AWS IAM",
    "kms": "AWS KMS",
    "lambda": "AWS Lambda",
    "logs": "Amazon CloudWatch Logs",
    "redshift": "Amazon Redshift",
    "redshift-serverless": "Amazon Redshift Serverless",
    "s3": "Amazon S3",
    "sagemaker": "Amazon SageMaker AI",
    "secretsmanager": "AWS Secrets Manager",
    "sns": "Amazon SNS",
    "sqs": "Amazon SQS",
}


def read(thing: Any, way: Way) -> Any:
    if callable(way):
        return way(thing)
    return reduce(getattr, way.split("."), thing) if way else None


def own_keys(backend: Any) -> Iterable[Any]:
    """Those that AWS makes for its services cost nothing, and nobody deletes them."""
    return [key for key in list(backend.keys.values()) if key.key_manager == "CUSTOMER"]


def own_roles(backend: Any) -> Iterable[Any]:
    roles = list(backend.roles.values())
    return [role for role in roles if not role.path.startswith("/aws-service-role/")]


def own_work_groups(backend: Any) -> Iterable[Any]:
    """Without the one that every account has."""
    return [group for group in list(backend.work_groups.values()) if group.name != "primary"]


def ec2_instances(backend: Any) -> Iterable[Any]:
    reservations = list(backend.reservations.values())
    return [instance for each in reservations for instance in list(each.instances)]


def lab_keeps(what: str) -> Way:
    """The dictionary that the lab keeps beside moto's own; it comes with the first resource."""
    return lambda backend: getattr(backend, f"lab_{what}", {})


def logging(trail: Any) -> str:
    return "logging" if trail.progress.logging else "not logging"


def bucket_content(bucket: Any) -> dict[str, Any]:
    objects, size = billing.bucket_size(bucket)
    return {"objects": objects, "bytes": size}


def log_content(group: Any) -> dict[str, Any]:
    return {"streams": len(group.streams), "bytes": billing.log_size(group)}


def nothing_else(thing: Any) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    service: as moto names the backend. type: a key of the texts of the page.
    found: the resources of a backend, as a dictionary or a list. name, status, created: of one
        resource. region: where it has another than its backend.
    """

    service: str
    type: str
    found: Way
    name: Way = "name"
    status: Way = ""
    created: Way = ""
    billed: Callable[[Any], Charges] = billing.free
    region: Way = ""
    detail: Callable[[Any], dict[str, Any]] = nothing_else


made = partial(Kind, "sagemaker", created="creation_time")
living = partial(made, status="status")
vpc = partial(Kind, "ec2", name="id", status="state")

KINDS = [
    living("endpoint", "endpoints", billed=billing.endpoint),
    made("endpoint-config", "endpoint_configs"),
    made("model", "_models"),
    made(
        "training-job",
        "training_jobs",
        status="training_job_status",
        billed=billing.training_job,
    ),
    living("processing-job", "processing_jobs", billed=billing.processing_job),
    living("transform-job", "transform_jobs", billed=billing.transform_job),
    living("tuning-job", "hyper_parameter_tuning_jobs"),
    made(
        "notebook-instance",
        "notebook_instances",
        status="course.stage",
        billed=billing.notebook_instance,
    ),
    made("domain", "domains", status="course.stage"),
    made("user-profile", lab_keeps("user_profiles"), status="course.stage"),
    made("model-package-group", "model_package_groups"),
    made("pipeline", "pipelines"),
    living("monitoring-schedule", lab_keeps("monitoring_schedules")),
    living("inference-experiment", lab_keeps("inference_experiments")),
    living("inference-component", lab_keeps("inference_components")),
    Kind(
        "s3",
        "bucket",
        "buckets",
        created="creation_date",
        region="region_name",
        billed=billing.bucket,
        detail=bucket_content,
    ),
    Kind(
        "redshift",
        "redshift-cluster",
        "clusters",
        status="status",
        created="create_time",
        billed=billing.redshift_cluster,
    ),
    Kind(
        "redshift",
        "redshift-snapshot",
        "snapshots",
        status="course.stage",
        created="create_time",
        billed=billing.redshift_snapshot,
    ),
    Kind(
        "redshift-serverless",
        "redshift-namespace",
        "namespaces",
        status="course.stage",
        created="create_time",
        billed=billing.redshift_namespace,
    ),
    Kind(
        "redshift-serverless",
        "redshift-workgroup",
        "workgroups",
        status="course.stage",
        created="create_time",
        billed=billing.by_use("capacity"),
    ),
    Kind("cloudtrail", "trail", "trails", "trail_name", logging, billed=billing.trail),
    vpc(
        "vpc-endpoint",
        "vpc_end_points",
        created="creation_timestamp",
        billed=billing.vpc_endpoint,
    ),
    vpc("nat-gateway", "nat_gateways", created="_created_at", billed=billing.nat_gateway),
    vpc("elastic-ip", "addresses", name="allocation_id", status="", billed=billing.public_address),
    vpc("instance", ec2_instances, created="launch_time", billed=billing.instance),
    vpc("volume", "volumes", status="status", created="create_time", billed=billing.volume),
    Kind("kms", "key", own_keys, "id", "key_state", "creation_date", billing.key),
    Kind(
        "logs",
        "log-group",
        "groups",
        created="creation_time",
        billed=billing.log_group,
        detail=log_content,
    ),
    Kind("cloudwatch", "alarm", "alarms", status="state.value", billed=billing.alarm),
    Kind(
        "firehose",
        "delivery-stream",
        "delivery_streams",
        "delivery_stream_name",
        "delivery_stream_status",
        "create_timestamp",
        billing.by_use("delivered-data"),
    ),
    Kind(
        "athena",
        "work-group",
        own_work_groups,
        status="state",
        billed=billing.by_use("scanned-data"),
    ),
    Kind("glue", "database", "databases", created="created_time"),
    Kind(
        "lambda",
        "function",
        lambda backend: backend.list_functions(),
        "function_name",
        "state",
        "last_modified",
        billing.by_use("requests-and-duration"),
    ),
    Kind(
        "dynamodb",
        "table",
        "tables",
        created="created_at",
        billed=billing.table,
    ),
    Kind("sqs", "queue", "queues", created="created_timestamp", billed=billing.by_use("requests")),
    Kind("sns", "topic", "topics", billed=billing.by_use("requests")),
    Kind("secretsmanager", "secret", "secrets", created="created_date", billed=billing.secret),
    Kind("iam", "role", own_roles, created="create_date"),
    Kind("iam", "user", "users", created="create_date"),
    Kind("emr", "emr-cluster", "clusters", "id", "state", "creation_datetime", billing.emr_cluster),
]


@dataclass(frozen=True)
class Resource:
    """What a reader sees of one resource. created: with its zone, None if nobody knows it."""

    service: str
    type: str
    account: str
    region: str
    name: str
    status: str
    created: datetime | None = None
    billed: list[billing.Charge] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)


def resources() -> Iterator[Resource]:
    """All of them, in the order of the table, then by account, Region and name."""
    used = {
        backends.service_name: backends
        for backends in list(BackendDict._instances)
        # moto calls it "redshift" too; it keeps statements, no resources.
        if backends.backend.__name__ != "RedshiftDataAPIServiceBackend"
    }
    for kind in KINDS:
        for account, regions in sorted(used.get(kind.service, {}).items()):
            for region, backend in sorted(regions.items()):
                place = account, "" if region == "aws" else region
                yield from sorted(of_kind(kind, backend, *place), key=lambda found: found.name)


def of_kind(kind: Kind, backend: Any, account: str, region: str) -> Iterator[Resource]:
    """The resources of one backend; one that cannot be read is shown as such."""

    def shown(name: str, status: str, **more: Any) -> Resource:
        return Resource(kind.service, kind.type, account, name=name, status=status, **more)

    try:
        found = read(backend, kind.found)
        things = list(found.values() if isinstance(found, Mapping) else found)
    except Exception as error:
        yield shown("?", f"{UNREADABLE}: {error!r}", region=region)
        return
    for thing in things:
        try:
            status = str(read(thing, kind.status) or "")
            if status not in GONE:
                yield shown(
                    str(read(thing, kind.name)),
                    status,
                    region=read(thing, kind.region) or region,
                    created=moment(read(thing, kind.created)),
                    billed=list(kind.billed(thing)),
                    detail=kind.detail(thing),
                )
        except Exception as error:
            yield shown("?", f"{UNREADABLE}: {error!r}", region=region)


def moment(value: Any) -> datetime | None:
    """A time with its zone, from each of the forms in which moto keeps times."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return moment(datetime.fromisoformat(value)) if value else None
