"""Check a trail's files against its signed digests, and name the log files that no digest lists.

`aws cloudtrail validate-logs` finds what was modified or deleted, but looks for nothing inserted.
A second trail in the same bucket needs a prefix of its own.
"""

import argparse
import json
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

Finding = tuple[str, str, str]  # "digest", "log" or "Region", what is to be said of it, key
Period = tuple[datetime, datetime]
DAY = r"\d{4}/\d\d/\d\d"
DIGEST = rf"(.*/)CloudTrail-Digest/([^/]+)/{DAY}/\d+_CloudTrail-Digest_\2_TRAIL_[^_]+_\w+\.json\.gz"
LOG = re.compile(rf"(.*/)CloudTrail/([^/]+)/{DAY}/.+")
NAMED = re.compile(r"_(\d{8}T\d{4})(\d\d)?Z(_\w{16}|_backfill)?\.json\.gz$")
EARLIEST = datetime(2013, 11, 1, tzinfo=UTC)  # CloudTrail is not older
DELAY = timedelta(minutes=10)  # between the time in a file's name and its delivery
LATE = timedelta(hours=2)  # by then the digest of a log file has come


def unpack(body: bytes) -> bytes:
    """The content of one gzip stream. Raises zlib.error, ValueError: something follows it."""
    stream = zlib.decompressobj(31)
    content = stream.decompress(body)
    if stream.unused_data:
        raise ValueError("data after the end of the compressed stream")
    return content


def open_digest(
    s3: BaseClient, bucket: str, key: str, trusted: dict[str, bytes], wanted: str | None
) -> dict[str, Any]:
    """A digest whose place, hash and signature are right (`s3:GetObject`).

    trusted: public keys by fingerprint. wanted: the hash that the next digest says it has.
    Raises InvalidSignature, KeyError, ValueError, TypeError, zlib.error: they are not.
    """
    stored = s3.get_object(Bucket=bucket, Key=key)
    content = unpack(stored["Body"].read())
    digest, own = json.loads(content), sha256(content).hexdigest()
    if (digest["digestS3Bucket"], digest["digestS3Object"]) != (bucket, key):
        raise ValueError("it was moved")
    if wanted not in (None, own):
        raise ValueError("the next digest knows another hash")
    # [start: signature]
    previous = digest["previousDigestSignature"] or "null"
    signed = "\n".join([digest["digestEndTime"], f"{bucket}/{key}", own, previous])
    public_key = load_der_public_key(trusted[digest["digestPublicKeyFingerprint"]])
    signature = bytes.fromhex(stored["Metadata"]["signature"])
    public_key.verify(signature, signed.encode(), PKCS1v15(), SHA256())
    # [end: signature]
    return digest


def check_log(s3: BaseClient, log: dict[str, str]) -> str:
    """Compare the hash of a log file's content with its digest's (`s3:GetObject`)."""
    try:
        body = s3.get_object(Bucket=log["s3Bucket"], Key=log["s3Object"])["Body"].read()
        return "valid" if sha256(unpack(body)).hexdigest() == log["hashValue"] else "modified"
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return "deleted"
    except (ValueError, zlib.error):
        return "modified"


def public_keys(region: str, first: datetime, last: datetime) -> dict[str, bytes]:
    """The Region's keys of a time, by fingerprint (`cloudtrail:ListPublicKeys`)."""
    cloudtrail = boto3.client("cloudtrail", region_name=region)  # each Region has its own keys
    until = max(last, datetime.now(UTC)) + timedelta(hours=1)
    found = cloudtrail.list_public_keys(StartTime=first, EndTime=until)
    return {key["Fingerprint"]: key["Value"] for key in found["PublicKeyList"]}


def check_chain(
    s3: BaseClient, bucket: str, region: str, keys: dict[str, datetime], periods: list[Period]
) -> Iterator[Finding]:
    """Follow the digests of one Region, the newest first, and check what each lists.

    keys: of digests, each with the time in its name. periods: gets start and end of each valid one.
    """
    trusted = public_keys(region, min(keys.values()), max(keys.values()))
    hashes: dict[str, str] = {}
    for key in sorted(keys, key=keys.__getitem__, reverse=True):
        try:
            digest = open_digest(s3, bucket, key, trusted, hashes.get(key))
        except (InvalidSignature, KeyError, TypeError, ValueError, RecursionError, zlib.error):
            yield "digest", "modified", key
            continue
        yield "digest", "valid", key
        start, end = digest["digestStartTime"], digest["digestEndTime"]
        periods.append((datetime.fromisoformat(start), datetime.fromisoformat(end)))
        previous = digest["previousDigestS3Object"]
        if previous and digest["previousDigestS3Bucket"] == bucket:
            hashes[previous] = digest["previousDigestHashValue"]
            if previous not in keys:
                yield "digest", "deleted", previous
        for log in digest["logFiles"]:
            yield "log", check_log(s3, log), log["s3Object"]


def time_of(key: str, stored: datetime) -> datetime | None:
    """The time in a file's name, or None: CloudTrail has not given it that name.

    stored: when S3 stored the file, which S3 alone says.
    """
    name = NAMED.search(key)
    try:
        text = f"{name[1]}{name[2] or '00'}+0000" if name else ""
        said = datetime.strptime(text, "%Y%m%dT%H%M%S%z")
    except ValueError:
        return None
    return said if EARLIEST <= said <= stored + DELAY else None


def judge(key: str, stored: datetime, periods: list[Period]) -> str:
    """What a log file is that no valid digest lists."""
    said = time_of(key, stored)
    if said is None:
        return "inserted"
    last = max((end for _, end in periods), default=stored)
    if periods and stored >= last:  # then the next digest lists it, unless its name is too old
        return "newer" if said + DELAY >= last else "inserted"
    return "inserted" if any(start <= stored < end for start, end in periods) else "without digest"


def check_trail(s3: BaseClient, bucket: str, trail: str, prefix: str) -> Iterator[Finding]:
    """Everything that is to be said of a trail's files (`s3:ListBucket`, …)."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}AWSLogs/")
    stored = {f["Key"]: f["LastModified"] for page in pages for f in page.get("Contents", [])}
    chains: dict[tuple[str, str, bool], dict[str, datetime]] = defaultdict(dict)
    pattern = re.compile(DIGEST.replace("TRAIL", re.escape(trail)))
    for key, moment in stored.items():
        digest = pattern.fullmatch(key)
        said = time_of(key, moment)
        if digest and said:
            chains[digest[1], digest[2], key.endswith("_backfill.json.gz")][key] = said
        elif digest:
            yield "digest", "inserted", key
    if not chains:
        return  # another trail's files are not to be judged
    periods: dict[tuple[str, str], list[Period]] = defaultdict(list)
    listed = set()
    for (folder, region, _), keys in sorted(chains.items()):
        for finding in check_chain(s3, bucket, region, keys, periods[folder, region]):
            listed.add(finding[2])
            yield finding
    now = max(datetime.now(UTC), *stored.values())  # our own clock may be slow
    known, waiting = set(periods), {}
    for key, moment in stored.items():
        log = LOG.fullmatch(key)
        if log and key not in listed:
            verdict = judge(key, moment, periods[log[1], log[2]])
            yield "log", verdict, key
            if (log[1], log[2]) not in known or (verdict == "newer" and now - moment > LATE):
                waiting[f"{log[1]}CloudTrail/{log[2]}/"] = periods[log[1], log[2]]
    for folder, past in sorted(waiting.items()):
        if past:
            hours = (now - max(end for _, end in past)) // timedelta(hours=1)
            text = f"newest digest of {folder} ends {hours} hours ago: was one deleted?"
        else:
            text = f"no digest of {folder}: were all deleted, or its log files inserted?"
        yield "Region", text, folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--trail-name", required=True)
    parser.add_argument("--prefix", default="", help="the trail's S3KeyPrefix, if it has one")
    arguments = parser.parse_args()
    bucket, prefix = arguments.bucket, arguments.prefix.strip("/")
    count: Counter[tuple[str, str]] = Counter()
    try:
        s3 = boto3.client("s3")
        folder = f"{prefix}/" if prefix else ""
        for kind, verdict, key in check_trail(s3, bucket, arguments.trail_name, folder):
            count[kind, verdict] += 1
            if kind == "Region":
                print(verdict)
            elif verdict not in ("valid", "newer"):
                print(f"{verdict} {kind} file: s3://{bucket}/{key}")
    except (BotoCoreError, ClientError) as error:
        hint = "Check the bucket, AWS_DEFAULT_REGION, credentials and network."
        if "(AccessDenied)" in str(error):
            hint = "Do you need kms:Decrypt for its key?"
        left = f"{bucket} is not checked to the end. {hint}"
        print(f"{str(error).rstrip('.')}. {left}", file=sys.stderr)
        sys.exit(2)
    if not count:
        print(
            f"No digest of the trail {arguments.trail_name} below s3://{bucket}/{folder}AWSLogs/: "
            "nothing to check. Is --trail-name or --prefix wrong? "
            "Digests come once an hour, and the last one when the trail stops.",
            file=sys.stderr,
        )
        sys.exit(2)
    bad = sum(each for (kind, _), each in count.items() if kind == "Region")
    for kind in ("digest", "log"):
        valid, changed = count[kind, "valid"], count[kind, "modified"] + count[kind, "deleted"]
        print(f"{valid}/{valid + changed} {kind} files valid", end=", ")
        bad += changed
    inserted = count["digest", "inserted"] + count["log", "inserted"]
    newer, without = count["log", "newer"], count["log", "without digest"]
    print(f"{inserted} inserted, {newer} newer, {without} without digest")
    sys.exit(int(bad + inserted > 0))


if __name__ == "__main__":
    main()
