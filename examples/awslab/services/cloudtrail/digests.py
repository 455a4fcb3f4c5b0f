"""Digests: each hour's list of delivered files with their hashes, signed and chained.

An hour of the lab's clock makes the next digest; StopLogging, DeleteTrail and the end of the
validation make the last one at once. Keys are RSA, one pair for each account and Region.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.cloudtrail.models import CloudTrailBackend, cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.responses import ActionResult

from awslab.clock import naive_now, now
from awslab.cloudtrail_events import utc
from awslab.extension import adds
from awslab.services.cloudtrail import bucket
from awslab.services.cloudtrail.errors import refuse
from awslab.services.cloudtrail.trail import Chain, Digest, LabTrail, Place

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
KEY_LIFE = timedelta(days=60)
KEY_BITS = 2048


@dataclass
class SigningKey:
    """A pair of keys, and from when until when it signs."""

    private: Any
    start: datetime
    end: datetime

    @property
    def public(self) -> bytes:
        """PKCS#1 in DER, as ListPublicKeys gives it."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key: bytes = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        return key

    @property
    def fingerprint(self) -> str:
        return hashlib.md5(self.public, usedforsecurity=False).hexdigest()

    def sign(self, text: str) -> str:
        """SHA256withRSA, in hexadecimal digits."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signature: bytes = self.private.sign(text.encode(), PKCS1v15(), SHA256())
        return signature.hex()


class SigningKeys:
    """All pairs of one account and Region, the oldest first; nothing that a state dump enters."""

    def __init__(self) -> None:
        self.all: list[SigningKey] = []

    def current(self) -> SigningKey:
        from cryptography.hazmat.primitives.asymmetric import rsa

        today = now().replace(hour=0, minute=0, second=0, microsecond=0)
        if not self.all or not self.all[-1].start <= now() < self.all[-1].end:
            private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
            self.all.append(SigningKey(private, today - timedelta(days=1), today + KEY_LIFE))
        return self.all[-1]


def signing_keys(account: str, region: str) -> SigningKeys:
    backend: CloudTrailBackend = cloudtrail_backends[account][region]
    found: SigningKeys = vars(backend).setdefault("lab_signing_keys", SigningKeys())
    return found


def begin(trail: LabTrail) -> None:
    """Begin a chain, when the trail logs and validates."""
    progress = trail.progress
    if trail.log_validation and progress.logging:
        start = now().replace(microsecond=0)
        progress.digest_start = max(start, progress.digest_start or start)
        progress.chains = {trail.place: Chain()}


def keep_up(trail: LabTrail) -> None:
    """Write the digests of the hours that have passed."""
    start = trail.progress.digest_start
    while trail.log_validation and start and start + HOUR <= now():
        write_all(trail, start, start + HOUR)
        start = trail.progress.digest_start = start + HOUR


def end(trail: LabTrail) -> None:
    """Write the last digests, of an hour that is not over; the chain ends."""
    start = trail.progress.digest_start
    if start and trail.progress.chains:
        at = max(now().replace(microsecond=0), start) + SECOND  # after all that was delivered
        write_all(trail, start, at)
        trail.progress.digest_start = at  # a later chain starts after it
        trail.progress.chains = {}


def write_all(trail: LabTrail, start: datetime, end: datetime) -> None:
    """One digest for each Region: its home, and where anything was ever delivered for."""
    for place, chain in list(trail.progress.chains.items()):
        error = write(trail, place, chain, start, end)
        trail.progress.digests.note(end, error)


def write(trail: LabTrail, place: Place, chain: Chain, start: datetime, end: datetime) -> str:
    account, region = place
    name = f"{account}_CloudTrail-Digest_{region}_{trail.trail_name}_{trail.region_name}"
    folder = f"{trail.folder('CloudTrail-Digest', place)}/{end:%Y/%m/%d}"
    key = f"{folder}/{name}_{end:%Y%m%dT%H%M%SZ}.json.gz"
    signing_key = signing_keys(account, region).current()
    files, last = list(chain.files), chain.last
    document = {
        "awsAccountId": account,
        "digestStartTime": utc(start),
        "digestEndTime": utc(end),
        "digestS3Bucket": trail.bucket_name,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": signing_key.fingerprint,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": max((file["newestEventTime"] for file in files), default=None),
        "oldestEventTime": min((file["oldestEventTime"] for file in files), default=None),
        "previousDigestS3Bucket": last and last.bucket,
        "previousDigestS3Object": last and last.key,
        "previousDigestHashValue": last and last.hash,
        "previousDigestHashAlgorithm": last and "SHA-256",
        "previousDigestSignature": last and last.signature,
        "logFiles": files,
    }
    content = json.dumps(document, separators=(",", ":")).encode()
    digest = Digest(trail.bucket_name, key, hashlib.sha256(content).hexdigest(), "")
    digest.signature = signing_key.sign(text_to_sign(document, digest.hash))
    metadata = {"signature": digest.signature, "signature-algorithm": "SHA256withRSA"}
    error = bucket.put(trail, key, content, metadata)
    if not error:
        chain.last, chain.files = digest, chain.files[len(files) :]
    return error


def text_to_sign(document: dict[str, Any], own_hash: str) -> str:
    """The four lines that the signature covers; the first digest of a chain says `null`."""
    return "\n".join(
        [
            document["digestEndTime"],
            f"{document['digestS3Bucket']}/{document['digestS3Object']}",
            own_hash,
            document["previousDigestSignature"] or "null",
        ]
    )


@adds(
    CloudTrailResponse,
    "cloudtrail",
    "ListPublicKeys",
    differs="an account has its own keys, made with its first digest in a Region",
)
def list_public_keys(self: Any) -> ActionResult:
    if self.params.get("NextToken"):
        refuse("InvalidTokenException", "The token is not valid.")
    start, end = (self.params.get(name) or naive_now() for name in ("StartTime", "EndTime"))
    if start > end:
        refuse("InvalidTimeRangeException", "The start time must not be later than the end time.")
    keys = signing_keys(self.current_account, self.region).all
    return ActionResult({"PublicKeyList": [shown(k) for k in keys if is_valid(k, start, end)]})


def is_valid(key: SigningKey, start: datetime, end: datetime) -> bool:
    """Whether the key signs at some moment between two, which are UTC without zone."""
    return key.start.replace(tzinfo=None) <= end and start <= key.end.replace(tzinfo=None)


def shown(key: SigningKey) -> dict[str, Any]:
    return {
        "Value": key.public,
        "ValidityStartTime": key.start,
        "ValidityEndTime": key.end,
        "Fingerprint": key.fingerprint,
    }
