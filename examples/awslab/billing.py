"""What AWS would bill for the resources of the lab, in words and amounts, never in money.

Each function reads one resource as moto or the lab keeps it. Sources: the pricing pages of the
services. Left out: requests and data transfer, which nothing in a list of resources can show, and
free tiers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from awslab.services.sagemaker.training_run import instance_type_of, instances_of

# The units of time and amount. What is billed per use costs nothing while nobody uses it.
HOUR, MONTH, GB_MONTH, USE = "hour", "month", "GB-month", "use"


@dataclass(frozen=True)
class Charge:
    """One thing that is billed.

    per: the unit. what: the key of a text in console/texts.*.json. values: what the text names.
    """

    per: str
    what: str
    values: dict[str, Any]


Charges = Iterator[Charge]


def charge(per: str, what: str, **values: Any) -> Charge:
    return Charge(per, what, values)


def size_in_words(number: float) -> str:
    """`12.3 KB`, by the powers of 1,024 that AWS bills."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TB"


def stored(number: int) -> Charges:
    if number:
        yield charge(GB_MONTH, "stored", size=size_in_words(number))


def instances(what: str, found: Iterable[tuple[str, int]]) -> Charges:
    """Instances by the hour; found: types and counts, which are added up."""
    counts: Counter[str] = Counter()
    for instance_type, count in found:
        counts[instance_type] += count
    for instance_type, count in counts.items():
        if count:
            yield charge(HOUR, what, count=count, type=instance_type)


def free(thing: Any) -> Charges:
    return iter(())


def by_use(what: str) -> Any:
    """For what is billed only while it is used."""
    return lambda thing: iter((charge(USE, what),))


# --- storage -------------------------------------------------------------------------------------


def bucket_size(bucket: Any) -> tuple[int, int]:
    """Objects and bytes; all versions of an object are stored, and billed."""
    versions = [v for key in list(bucket.keys) for v in list(bucket.keys.getlist(key))]
    sizes = [version.size for version in versions if hasattr(version, "size")]
    return len(sizes), sum(sizes)


def bucket(thing: Any) -> Charges:
    return stored(bucket_size(thing)[1])


def log_size(group: Any) -> int:
    return sum(stream.stored_bytes for stream in list(group.streams.values()))


def log_group(thing: Any) -> Charges:
    return stored(log_size(thing))


def table(thing: Any) -> Charges:
    if thing.billing_mode == "PAY_PER_REQUEST":
        yield charge(USE, "table-requests")
    else:
        capacity = thing.throughput
        reads, writes = capacity["ReadCapacityUnits"], capacity["WriteCapacityUnits"]
        yield charge(HOUR, "table-capacity", reads=reads, writes=writes)


# --- SageMaker -----------------------------------------------------------------------------------

SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")


def endpoint(thing: Any) -> Charges:
    """During a deployment, the instances of both fleets."""
    if thing.status not in SERVING:
        return
    variants = [variant for fleet in list(thing.fleets) for variant in fleet.all]
    yield from instances("endpoint-instances", (pair for v in variants for pair in machines(v)))
    for variant in variants:
        if variant.serverless is not None:
            yield from serverless(variant.serverless)


def machines(variant: Any) -> Iterator[tuple[str, int]]:
    """Types and counts of the instances of a variant."""
    if variant.serverless is None:
        for pool in variant.pools() or []:
            yield pool["InstanceType"], pool["CurrentInstanceCount"]
        if variant.request.get("InstanceType"):
            yield variant.request["InstanceType"], variant.instances


def serverless(config: dict[str, Any]) -> Charges:
    memory = config["MemorySizeInMB"]
    if config.get("ProvisionedConcurrency"):
        count = config["ProvisionedConcurrency"]
        yield charge(HOUR, "provisioned-concurrency", count=count, memory=memory)
    yield charge(USE, "serverless-inference", memory=memory)


def training_job(thing: Any) -> Charges:
    """Its instances, also while a warm pool keeps them after the job."""
    found = [(instance_type_of(thing.request), instances_of(thing.request))]
    if not thing.ended:
        yield from instances("job-instances", found)
    elif (thing.warm_pool_status() or {}).get("Status") == "Available":
        yield from instances("warm-pool-instances", found)


def processing_job(thing: Any) -> Charges:
    if thing.status in ("InProgress", "Stopping"):
        cluster = thing.request["ProcessingResources"]["ClusterConfig"]
        yield from instances("job-instances", [(cluster["InstanceType"], cluster["InstanceCount"])])


def transform_job(thing: Any) -> Charges:
    if thing.status in ("InProgress", "Stopping"):
        resources = thing.request["TransformResources"]
        found = [(resources["InstanceType"], resources["InstanceCount"])]
        yield from instances("job-instances", found)


def notebook_instance(thing: Any) -> Charges:
    """Its volume is billed while it is stopped, too."""
    if thing.course.stage in ("InService", "Stopping"):
        yield from instances("notebook-instances", [(thing.request["InstanceType"], 1)])
    yield charge(GB_MONTH, "volume", size=f"{thing.request['VolumeSizeInGB']} GB")


# --- data services -------------------------------------------------------------------------------


def redshift_cluster(thing: Any) -> Charges:
    """A paused cluster costs its storage only."""
    if thing.status in ("creating", "deleting"):
        return
    if thing.status != "paused":
        yield from instances("redshift-nodes", [(thing.node_type, thing.nodes)])
    if thing.status == "paused" or thing.node_type.startswith("ra3"):
        yield charge(GB_MONTH, "redshift-storage")


def redshift_snapshot(thing: Any) -> Charges:
    """Automated snapshots of RA3 clusters are free."""
    if thing.snapshot_type == "manual" or not thing.node_type.startswith("ra3"):
        yield charge(GB_MONTH, "snapshot")


def redshift_namespace(thing: Any) -> Charges:
    """Its workgroup costs while it runs queries, its data all the time."""
    yield charge(GB_MONTH, "redshift-storage")


def emr_cluster(thing: Any) -> Charges:
    """What EMR adds to the price of the EC2 instances, which are listed by themselves."""
    if thing.state not in ("TERMINATED", "TERMINATED_WITH_ERRORS"):
        groups = list(thing.instance_groups)
        found = [(group.instance_type, int(group.num_instances)) for group in groups]
        yield from instances("emr-instances", found)


def trail(thing: Any) -> Charges:
    """The first copy of management events is free; data events and Insights are not."""
    if not thing.progress.logging:
        return
    classic = any(selector.get("DataResources") for selector in thing.event_selectors)
    if classic or any(map(records_data, thing.advanced_event_selectors)):
        yield charge(USE, "data-events")
    if thing.insight_selectors:
        yield charge(USE, "insights")


def records_data(selector: dict[str, Any]) -> bool:
    fields = selector.get("FieldSelectors", [])
    return any(f["Field"] == "eventCategory" and f.get("Equals") != ["Management"] for f in fields)


# --- EC2 and the rest ----------------------------------------------------------------------------


def vpc_endpoint(thing: Any) -> Charges:
    """Gateway endpoints are free; the others cost by Availability Zone."""
    if thing.vpc_endpoint_type != "Gateway":
        yield charge(HOUR, "endpoint-zones", count=len(thing.subnet_ids or []) or 1)


def nat_gateway(thing: Any) -> Charges:
    yield charge(HOUR, "nat-gateway")


def public_address(thing: Any) -> Charges:
    """Used or not."""
    yield charge(HOUR, "public-address")


def instance(thing: Any) -> Charges:
    """With the public address that it has while it runs; its volumes are listed by themselves."""
    if thing.state == "running":
        yield from instances("instances", [(thing.instance_type, 1)])
        if thing.public_ip:
            yield charge(HOUR, "public-address")


def volume(thing: Any) -> Charges:
    yield charge(GB_MONTH, "volume", size=f"{thing.size} GB")


def key(thing: Any) -> Charges:
    """Not while it waits for its deletion."""
    if thing.key_state != "PendingDeletion":
        yield charge(MONTH, "key")


def secret(thing: Any) -> Charges:
    if not thing.deleted_date:
        yield charge(MONTH, "secret")


def alarm(thing: Any) -> Charges:
    """By the metrics that it reads; a composite alarm is one thing."""
    if thing.kind == "CompositeAlarm":
        yield charge(MONTH, "composite-alarm")
        return
    metrics = [m for m in thing.request.get("Metrics") or [] if "MetricStat" in m]
    yield charge(MONTH, "alarm-metrics", count=len(metrics) or 1)
