"""The made-up log files with records that are odd but possible, and what both engines say of them.

What a query should find is counted here and in its test, in Python, without SQL.
"""

import gzip
import importlib.util
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import duckdb
from awslab.scenarios import EXAMPLES

FOLDER = EXAMPLES / "cloudtrail"
BUCKET = "amzn-s3-demo-bucket-111122223333"
DAYS = {"first_day": "2026/10/01", "last_day": "2026/10/31"}
ODD_KEY = (
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/10/09/"
    "111122223333_CloudTrail_us-east-1_20261009T1200Z_OddButPossible12.json.gz"
)
Record = dict[str, Any]

SIGN_IN: Record = {"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com"}
SUCCESS: Record = SIGN_IN | {"responseElements": {"ConsoleLogin": "Success"}}
PATH_USER: Record = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/team/ken"}
CENTER_USER: Record = {"type": "IdentityCenterUser", "accountId": "111122223333", "arn": ""}
ODD: list[Record] = [
    {"eventTime": "2026-10-09T12:00:00Z"},
    {
        "eventTime": "2026-10-09T12:00:01Z",
        "eventVersion": "1.99",
        "eventCategory": "Management",
        "readOnly": False,
        "eventName": "NewOperation",
        "eventSource": "new.amazonaws.com",
        "newField": {"deep": [1, None]},
        "userIdentity": {"type": "AWSAccount", "accountId": "444455556666", "newPart": {}},
    },
    {
        "eventTime": "2026-10-09T23:59:59Z",
        "eventCategory": "Data",
        "readOnly": True,
        "eventSource": "lambda.amazonaws.com",
        "eventName": "Invoke",
        "requestParameters": None,
        "resources": [{"ARN": "arn:aws:lambda:us-east-1:111122223333:function:学習"}],
        "userIdentity": PATH_USER,
        "errorCode": 'It\'s "quoted"',
    },
    {
        "eventTime": "2026-10-09T12:00:02Z",
        "eventCategory": "Data",
        "readOnly": False,
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "requestParameters": "no JSON",
        "resources": [],
        "userIdentity": PATH_USER,
    },
    SUCCESS | {"eventTime": "2026-10-09T12:00:03Z", "userIdentity": PATH_USER},
    SUCCESS
    | {
        "eventTime": "2026-10-09T12:00:04Z",
        "userIdentity": {"type": "Root"},
        "additionalEventData": {"MFAUsed": "Yes"},
    },
    SIGN_IN | {"eventTime": "2026-10-09T12:00:05Z", "responseElements": "no JSON"},
    SUCCESS
    | {
        "eventTime": "2026-10-09T12:00:06Z",
        "userIdentity": {"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated/x"},
        "additionalEventData": {"MFAUsed": "No"},
    },
    SUCCESS
    | {
        "eventTime": "2026-10-09T12:00:07Z",
        "userIdentity": CENTER_USER | {"onBehalfOf": {"userId": "center-user-1"}},
    },
    {
        "eventTime": "2026-10-09T12:00:08Z",
        "userIdentity": CENTER_USER | {"onBehalfOf": {"userId": "center-user-2"}},
    },
    {
        "eventTime": "2026-10-09T12:00:09Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "errorCode": "AccessDenied",
        "userIdentity": {
            "type": "AWSAccount",
            "accountId": "444455556666",
            "principalId": "AROAEXAMPLE:nightly",
            "invokedBy": "AWS Internal",
        },
    },
    {
        "eventTime": "zzzz-10-09T12:00:00Z",
        "eventCategory": "Management",
        "readOnly": False,
        "eventName": "NewOperation",
        "eventSource": "new.amazonaws.com",
        "errorCode": "NoDate",
        "userIdentity": PATH_USER,
    },
]


def module(name: str) -> ModuleType:
    """An example as a module; nothing of it runs."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@cache
def log_files() -> dict[str, list[Record]]:
    """Key to records."""
    return {**dict(module("write_sample_logs").log_files(7, 31)), ODD_KEY: ODD}


def records() -> Iterator[Record]:
    for found in log_files().values():
        yield from found


def packed(found: list[Record]) -> bytes:
    return gzip.compress(json.dumps({"Records": found}, ensure_ascii=False).encode(), mtime=0)


def write(folder: Path) -> Path:
    for key, found in log_files().items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packed(found))
    return folder


def on_duckdb(name: str, folder: Path) -> list[list[str]]:
    """The lines that query_logs.py prints of a query, as cells."""
    query_logs = module("query_logs")
    with duckdb.connect() as database:
        assert query_logs.load(database, write(folder)) == {"read": len(log_files()), "skipped": 0}
        sql = (FOLDER / name).read_text(encoding="utf-8")
        for day, value in DAYS.items():
            sql = sql.replace(f"${{{day}}}", value)
        result = database.execute(query_logs.translate(sql))
        return [["" if v is None else str(v) for v in row] for row in result.fetchall()]


def on_athena(name: str) -> list[list[str]]:
    """The rows that the lab's Athena finds, asked by plain calls."""
    s3, athena = boto3.client("s3"), boto3.client("athena")
    s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}
    )
    for key, found in log_files().items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=packed(found))
    for file in ("create_table.sql", name):
        lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
        sql = "\n".join(line for line in lines if not line.startswith("--"))
        for key, value in {"bucket": BUCKET, "account": "111122223333", **DAYS}.items():
            sql = sql.replace(f"${{{key}}}", value)
        output = {"OutputLocation": f"s3://{BUCKET}/results/"}
        started = athena.start_query_execution(QueryString=sql, ResultConfiguration=output)
        query = started["QueryExecutionId"]
        state = "QUEUED"
        while state in ("QUEUED", "RUNNING"):
            found_now = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            state = found_now["Status"]["State"]
        assert state == "SUCCEEDED", found_now["Status"]
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[value.get("VarCharValue", "") for value in row["Data"]] for row in rows[1:]]


def who(record: Record) -> str:
    """The caller, as the queries call it."""
    identity = record.get("userIdentity") or {}
    arn = identity.get("arn", "")
    if arn:
        return "/".join(arn.rpartition(":")[2].split("/")[-2:])
    account, principal = identity.get("accountId"), identity.get("principalId")
    found = [
        identity.get("userName"),
        identity.get("onBehalfOf", {}).get("userId"),
        account and principal and f"{account}/{principal}",
        identity.get("invokedBy"),
        account,
        identity.get("type"),
    ]
    return next((name for name in found if name), "")


def kind(record: Record) -> str:
    return str((record.get("userIdentity") or {}).get("type", ""))


def day(record: Record) -> str:
    """The day of the record; nothing, if its time is none."""
    found = re.match(r"\d{4}-\d\d-\d\d", record["eventTime"])
    return found[0] if found else ""


def error(record: Record) -> str | None:
    return record.get("errorCode") or record.get("errorMessage")


def texts(rows: list[tuple[Any, ...]]) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in rows]
