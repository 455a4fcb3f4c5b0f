"""Objects in the bucket of a trail."""

import gzip

from moto.s3.models import get_canned_acl, s3_backends
from moto.utilities.utils import get_partition

from awslab.services.cloudtrail import checks
from awslab.services.cloudtrail.trail import LabTrail
from awslab.services.s3 import find_bucket

DESCRIBED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def put(trail: LabTrail, key: str, content: bytes, metadata: dict[str, str]) -> str:
    """Compress and store an object, as the bucket's policy allows it; the error, or nothing."""
    bucket = find_bucket(trail.bucket_name)
    if bucket is None:
        return "NoSuchBucket"
    if not checks.may_write(trail.bucket_name, key, trail.arn):
        return "AccessDenied"
    backend = s3_backends[bucket.account_id][get_partition(bucket.region_name)]
    stored = backend.put_object(
        trail.bucket_name,
        key,
        gzip.compress(content, mtime=0),
        encryption="aws:kms" if trail.kms_key_id else "AES256",
        kms_key_id=trail.kms_key_id or None,
    )
    stored.set_metadata(DESCRIBED | {f"x-amz-meta-{name}": v for name, v in metadata.items()})
    stored.set_acl(get_canned_acl(checks.OWNER_CONTROLS))
    return ""
