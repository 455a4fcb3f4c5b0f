"""Objects in the lab's S3, as the services inside of AWS read and write them."""

from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from awslab.services.s3 import announce_reading, find_bucket


class NotFound(Exception):
    """No such bucket or no such object; the message says which."""


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def read(uri: str) -> bytes:
    """The content of an object.

    Raises:
        NotFound: the bucket or the object does not exist.
    """
    name, key = split(uri)
    bucket = find_bucket(name)
    if bucket is None:
        raise NotFound(f"The bucket {name} does not exist")
    announce_reading(name)
    backend = s3_backends[bucket.account_id][get_partition(bucket.region_name)]
    found = backend.get_object(name, key)
    if found is None:
        raise NotFound(f"No object {key} in the bucket {name}")
    return bytes(found.value)


def keys(uri: str) -> list[str]:
    """The keys of a bucket that begin with the prefix of the URI, in order.

    Raises:
        NotFound: the bucket does not exist.
    """
    name, prefix = split(uri)
    bucket = find_bucket(name)
    if bucket is None:
        raise NotFound(f"The bucket {name} does not exist")
    announce_reading(name)
    return sorted(key for key in list(bucket.keys) if key.startswith(prefix))


def write(uri: str, content: bytes) -> None:
    """Store an object.

    Raises:
        NotFound: the bucket does not exist.
    """
    name, key = split(uri)
    bucket = find_bucket(name)
    if bucket is None:
        raise NotFound(f"The bucket {name} does not exist")
    s3_backends[bucket.account_id][get_partition(bucket.region_name)].put_object(name, key, content)
