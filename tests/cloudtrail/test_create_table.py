"""The table: what it finds, and what it does not find and why."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from cloudtrail.sample_records import BUCKET, FOLDER

RECORD = {"eventName": "ListUsers", "eventTime": "2026-10-01T00:00:00Z"}


@pytest.fixture
def ask(run: Callable[..., Any], client: Callable[..., Any]) -> Callable[[str], list[str]]:
    """`ask("SELECT …")`: the values of one column."""
    athena = client("athena")

    def start(sql: str) -> list[str]:
        output = {"OutputLocation": f"s3://{BUCKET}/athena-results/"}
        query = athena.start_query_execution(QueryString=sql, ResultConfiguration=output)
        name = query["QueryExecutionId"]
        state = ""
        while state not in ("SUCCEEDED", "FAILED"):
            found = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
            state = found["Status"]["State"]
        assert state == "SUCCEEDED", found["Status"]
        rows = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
        return [row["Data"][0].get("VarCharValue", "") for row in rows[1:]]

    return start


@pytest.fixture
def put(s3: Any, make_bucket: Callable[[str], str]) -> Callable[..., None]:
    """`put("ap-northeast-1", "2026/10/01", {…})`: a log file of one record."""
    make_bucket(BUCKET)

    def store(region: str, day: str, record: dict[str, Any], folder: str = "CloudTrail") -> None:
        name = f"111122223333_{folder}_{region}_x.json.gz"
        key = f"AWSLogs/111122223333/{folder}/{region}/{day}/{name}"
        body = gzip.compress(json.dumps({"Records": [record]}).encode())
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    return store


@pytest.fixture
def create(run: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: run("run_queries", "--bucket", BUCKET, str(FOLDER / "create_table.sql"))


def test_the_table_is_partitioned_by_region_and_day(
    put: Any, create: Callable[[], Any], client: Callable[..., Any]
) -> None:
    result = create()
    assert (result.status, result.output) == (0, "create_table.sql: done\n")
    table = client("athena").get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="default", TableName="cloudtrail_logs"
    )["TableMetadata"]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["region", "timestamp"]
    place = f"s3://{BUCKET}/AWSLogs/111122223333/CloudTrail/"
    assert table["Parameters"]["location"] == place
    template = table["Parameters"]["storage.location.template"]
    assert template == place + "${region}/${timestamp}"


def test_a_table_of_that_name_is_not_taken_for_this_one(
    put: Any, create: Callable[[], Any], run: Callable[..., Any], client: Callable[..., Any]
) -> None:
    other = "amzn-s3-demo-logs-111122223333"
    client("s3").create_bucket(
        Bucket=other, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    create()
    result = run("run_queries", "--bucket", other, str(FOLDER / "create_table.sql"))
    assert (result.status, result.output) == (1, "")
    assert "AlreadyExistsException(message:Table cloudtrail_logs already exist)" in result.errors
    assert "create_table.sql failed. drop_table.sql removes that table" in result.errors
    drop = run("run_queries", "--bucket", other, str(FOLDER / "drop_table.sql"))
    assert drop.output == "drop_table.sql: done\n"
    assert run("run_queries", "--bucket", other, str(FOLDER / "create_table.sql")).status == 0


def test_fields_of_every_kind(
    put: Any, create: Callable[[], Any], ask: Callable[[str], list[str]]
) -> None:
    context = {
        "sessionIssuer": {"userName": "Admin"},
        "webIdFederationData": {"attributes": {"aud": "x"}},
    }
    record = RECORD | {
        "userIdentity": {"sessionContext": context},
        "resources": [{"ARN": "arn:aws:s3:::b"}],
        "readOnly": True,
        "tlsDetails": {"tlsVersion": "TLSv1.3"},
        "requestParameters": {"bucketName": "b"},
    }
    put("ap-northeast-1", "2026/10/01", record)
    create()
    for column, value in {
        "eventname": "ListUsers",
        "useridentity.sessioncontext.sessionissuer.username": "Admin",
        "element_at(useridentity.sessioncontext.webidfederationdata.attributes, 'aud')": "x",
        "element_at(resources, 1).arn": "arn:aws:s3:::b",
        "readonly": "true",
        "tlsdetails.tlsversion": "TLSv1.3",
        "json_extract_scalar(requestparameters, '$.bucketName')": "b",
        "errorcode": "",
        "region": "ap-northeast-1",
        '"timestamp"': "2026/10/01",
    }.items():
        assert ask(f"SELECT {column} AS found FROM cloudtrail_logs") == [value], column


def test_other_regions_earlier_days_and_digests_are_not_found(
    put: Any, create: Callable[[], Any], ask: Callable[[str], list[str]]
) -> None:
    put("us-east-1", "2026/10/01", RECORD | {"eventID": "found"})
    put("us-west-2", "2026/10/01", RECORD | {"eventID": "a Region that is not named"})
    put("us-east-1", "2025/12/31", RECORD | {"eventID": "before the first day"})
    put("us-east-1", "2026/10/01", RECORD | {"eventID": "a digest"}, "CloudTrail-Digest")
    create()
    assert ask("SELECT eventid FROM cloudtrail_logs") == ["found"]
