"""Athena: real SQL over objects in the lab's S3."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

BUCKET = "amzn-s3-demo-bucket"
LOGS = f"s3://{BUCKET}/AWSLogs/111122223333/CloudTrail/ap-northeast-1"
CLOUDTRAIL = f"""
CREATE EXTERNAL TABLE cloudtrail (
    eventtime STRING,
    eventname STRING,
    useridentity STRUCT<type: STRING, username: STRING,
        sessioncontext: STRUCT<sessionissuer: STRUCT<username: STRING>>>,
    requestparameters STRING,
    resources ARRAY<STRUCT<arn: STRING>>
)
PARTITIONED BY (`timestamp` STRING)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION '{LOGS}'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.timestamp.type' = 'date',
    'projection.timestamp.format' = 'yyyy/MM/dd',
    'storage.location.template' = '{LOGS}/${{timestamp}}'
)
"""
CSV = f"""
CREATE EXTERNAL TABLE people (id INT, name STRING, born DATE)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
LOCATION 's3://{BUCKET}/people/'
TBLPROPERTIES ('skip.header.line.count' = '1')
"""


class Athena:
    """A client, and what every test does with it."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def start(self, sql: str, **more: Any) -> str:
        output = {"OutputLocation": f"s3://{BUCKET}/results/"}
        request = {"QueryString": sql, "ResultConfiguration": output}
        return str(self.client.start_query_execution(**request | more)["QueryExecutionId"])

    def ended(self, name: str) -> dict[str, Any]:
        for _ in range(20):
            query = self.client.get_query_execution(QueryExecutionId=name)["QueryExecution"]
            if query["Status"]["State"] not in ("QUEUED", "RUNNING"):
                break
        assert isinstance(query, dict)
        return query

    def run(self, sql: str, **more: Any) -> list[list[str | None]]:
        """The rows of a query that succeeds, its header first."""
        query = self.ended(self.start(sql, **more))
        assert query["Status"]["State"] == "SUCCEEDED", query["Status"]
        results = self.client.get_query_results(QueryExecutionId=query["QueryExecutionId"])
        return [
            [value.get("VarCharValue") for value in row["Data"]]
            for row in results["ResultSet"]["Rows"]
        ]

    def reason(self, sql: str, **more: Any) -> str:
        status = self.ended(self.start(sql, **more))["Status"]
        assert status["State"] == "FAILED"
        return str(status["StateChangeReason"])


def fill(s3: Any) -> None:
    where = {"LocationConstraint": "ap-northeast-1"}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    issuer = {"sessionIssuer": {"userName": "Admin"}}
    days: dict[str, list[dict[str, Any]]] = {
        "2026/11/20": [{"eventName": "RunInstances", "userIdentity": {"userName": "ann"}}],
        "2026/11/21": [
            {"eventName": "CreateBucket", "userIdentity": {"userName": "bob"}},
            {
                "eventName": "DeleteBucket",
                "userIdentity": {"type": "AssumedRole", "sessionContext": issuer},
                "requestParameters": {"bucketName": "old"},
                "resources": [{"ARN": "arn:aws:s3:::old"}],
            },
        ],
    }
    for day, records in days.items():
        for hour, record in enumerate(records):
            record["eventTime"] = f"{day.replace('/', '-')}T0{hour}:00:00Z"
        key = f"{LOGS.removeprefix(f's3://{BUCKET}/')}/{day}/log.json.gz"
        body = gzip.compress(json.dumps({"Records": records}).encode())
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    rows = b'id,name,born\n1,"Ann, A.",2001-02-03\n2,Bob,\n'
    s3.put_object(Bucket=BUCKET, Key="people/a.csv", Body=rows)


@pytest.fixture
def athena(client: Callable[..., Any]) -> Athena:
    fill(client("s3"))
    return Athena(client("athena"))


@pytest.fixture
def logs(athena: Athena) -> Athena:
    athena.run(CLOUDTRAIL)
    return athena


def test_nested_fields_of_cloudtrail_logs(logs: Athena) -> None:
    sql = "SELECT eventname, useridentity.username FROM cloudtrail ORDER BY eventtime"
    assert logs.run(sql) == [
        ["eventname", "username"],
        ["RunInstances", "ann"],
        ["CreateBucket", "bob"],
        ["DeleteBucket", None],
    ]


def test_functions_of_athena(logs: Athena) -> None:
    sql = """
        SELECT useridentity.sessioncontext.sessionissuer.username AS issuer,
               json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
               from_iso8601_timestamp(eventtime) AS at,
               resources[1].arn AS arn
        FROM cloudtrail WHERE eventname LIKE 'Delete%'
    """
    assert logs.run(sql)[1] == ["Admin", "old", "2026-11-21 01:00:00.000 UTC", "arn:aws:s3:::old"]


def test_a_partition_that_is_filtered_out_is_not_read(logs: Athena) -> None:
    every = logs.ended(logs.start("SELECT * FROM cloudtrail"))["Statistics"]
    one = logs.start("SELECT * FROM cloudtrail WHERE \"timestamp\" >= '2026/11/21' AND 1 = 1")
    assert 0 < logs.ended(one)["Statistics"]["DataScannedInBytes"] < every["DataScannedInBytes"]
    rows = logs.client.get_query_results(QueryExecutionId=one)["ResultSet"]["Rows"]
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("2026/11/20,2026/11/21", 3),
        ("2026/11/21 , NOW", 2),
        ("2026/11/01,2026/11/20", 1),
        ("2026/11/20,NOW-100YEARS", 0),
        ("NOW-100 YEARS,NOW+1MONTH", 3),
        ("NOW - 60000 DAYS,NOW+2HOUR", 3),
        ("NOW-1APPLE,NOW", 0),
        ("nonsense,NOW", 0),
    ],
)
def test_a_day_outside_of_the_projection_is_not_found(
    athena: Athena, days: str, found: int
) -> None:
    athena.run(
        CLOUDTRAIL.replace(
            "'projection.timestamp.type'",
            f"'projection.timestamp.range' = '{days}', 'projection.timestamp.type'",
        )
    )
    assert athena.run("SELECT count(*) AS n FROM cloudtrail")[1] == [str(found)]


@pytest.mark.parametrize(("regions", "found"), [("ap-northeast-1,us-east-1", 3), ("us-east-1", 0)])
def test_a_value_that_the_enum_lacks_is_not_found(athena: Athena, regions: str, found: int) -> None:
    athena.run(
        CLOUDTRAIL.replace("/ap-northeast-1/", "/${region}/")
        .replace("(`timestamp` STRING)", "(region STRING, `timestamp` STRING)")
        .replace(
            "'projection.timestamp.type'",
            f"'projection.region.type' = 'enum', 'projection.region.values' = '{regions}', "
            "'projection.timestamp.type'",
        )
    )
    assert athena.run("SELECT count(*) AS n FROM cloudtrail")[1] == [str(found)]


def test_what_is_no_json_has_nothing_to_extract(athena: Athena) -> None:
    sql = "SELECT json_extract_scalar(t, '$.a') AS a FROM (VALUES 'no', '{\"a\": 1}', '') AS v (t)"
    assert athena.run(sql) == [["a"], [None], ["1"], [None]]
    athena.run(f"CREATE VIEW extracted AS {sql}")
    assert len(athena.run("SELECT a FROM extracted")) == 4


def test_columns_without_a_name(logs: Athena) -> None:
    assert logs.run("SELECT count(*), max(eventname) AS last FROM cloudtrail") == [
        ["_col0", "last"],
        ["3", "RunInstances"],
    ]


def test_csv_with_header_types_and_nulls(athena: Athena) -> None:
    athena.run(CSV)
    assert athena.run("SELECT id + 1 AS next, name, year(born) AS y FROM people ORDER BY id") == [
        ["next", "name", "y"],
        ["2", "Ann, A.", "2001"],
        ["3", "Bob", None],
    ]


def test_parquet(athena: Athena, client: Callable[..., Any]) -> None:
    import io

    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2], "score": [0.5, None]}), out)
    client("s3").put_object(Bucket=BUCKET, Key="scores/a.parquet", Body=out.getvalue())
    athena.run(
        f"CREATE EXTERNAL TABLE scores (id BIGINT, score DOUBLE) STORED AS PARQUET "
        f"LOCATION 's3://{BUCKET}/scores/'"
    )
    assert athena.run("SELECT sum(id) AS ids, avg(score) AS mean FROM scores")[1] == ["3", "0.5"]


def test_partitions_of_folders(athena: Athena, client: Callable[..., Any]) -> None:
    for day in ("1", "2"):
        key = f"days/day={day}/a.csv"
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=f"{day}0\n".encode())
    athena.run(
        f"CREATE EXTERNAL TABLE days (n INT) PARTITIONED BY (day STRING) "
        f"ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://{BUCKET}/days/'"
    )
    assert athena.run("SELECT n FROM days") == [["n"]]
    athena.run("ALTER TABLE days ADD PARTITION (day = '2')")
    assert athena.run("SELECT n, day FROM days")[1:] == [["20", "2"]]
    athena.run("MSCK REPAIR TABLE days")
    assert athena.run("SELECT sum(n) AS n FROM days WHERE day = '1'")[1] == ["10"]
    assert athena.run("SHOW PARTITIONS days") == [["day=1"], ["day=2"]]


def test_parameters_and_prepared_statements(logs: Athena) -> None:
    sql = "SELECT eventname FROM cloudtrail WHERE useridentity.username = ? AND '?' = '?'"
    assert logs.run(sql, ExecutionParameters=["'bob'"])[1:] == [["CreateBucket"]]
    logs.client.create_prepared_statement(
        StatementName="of_user", WorkGroup="primary", QueryStatement=sql
    )
    assert logs.run("EXECUTE of_user USING 'ann'")[1:] == [["RunInstances"]]


def test_views_and_descriptions(logs: Athena) -> None:
    logs.run("CREATE VIEW names AS SELECT eventname FROM cloudtrail")
    assert len(logs.run("SELECT * FROM names")) == 4
    assert logs.run("SHOW TABLES") == [["cloudtrail"], ["names"]]
    assert logs.run("DESCRIBE cloudtrail")[0] == ["eventtime", "string", ""]
    table = logs.client.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="default", TableName="cloudtrail"
    )["TableMetadata"]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["timestamp"]


def test_databases(athena: Athena) -> None:
    athena.run("CREATE DATABASE sales")
    context = {"QueryExecutionContext": {"Database": "sales"}}
    athena.run(CSV, **context)
    assert len(athena.run("SELECT * FROM people", **context)) == 3
    names = athena.client.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert [each["Name"] for each in names] == ["default", "sales"]
    assert "is not empty" in athena.reason("DROP DATABASE sales")
    athena.run("DROP TABLE people", **context)
    athena.run("DROP DATABASE sales")
    assert athena.run("SHOW DATABASES") == [["default"]]


def test_the_result_is_an_object(athena: Athena, client: Callable[..., Any]) -> None:
    athena.run(CSV)
    query = athena.ended(athena.start("SELECT name, born FROM people ORDER BY id"))
    place = query["ResultConfiguration"]["OutputLocation"]
    assert place == f"s3://{BUCKET}/results/{query['QueryExecutionId']}.csv"
    key = place.removeprefix(f"s3://{BUCKET}/")
    content = client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert content == b'"name","born"\n"Ann, A.","2001-02-03"\n"Bob",\n'


def test_each_look_meets_the_next_state(athena: Athena) -> None:
    name = athena.start("SELECT 1 AS one")
    met = []
    for _ in range(3):
        query = athena.client.get_query_execution(QueryExecutionId=name)["QueryExecution"]
        met.append(query["Status"]["State"])
    assert met == ["QUEUED", "RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT eventname,\n  nope FROM cloudtrail",
            "COLUMN_NOT_FOUND: line 2:3: Column 'nope' cannot be resolved or requester is not "
            "authorized to access requested resources",
        ),
        (
            "SELECT 1 FROM absent",
            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.absent' does not exist",
        ),
        (
            "SELECT 1 FROM absent.t",
            "SCHEMA_NOT_FOUND: line 1:22: Schema 'absent' does not exist",
        ),
        ("SELECT no_such(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'no_such' not registered"),
        (
            "INSERT INTO cloudtrail VALUES (1)",
            "NOT_SUPPORTED: The lab runs SELECT and table definitions only.",
        ),
        ("DROP TABLE absent", "FAILED: SemanticException [Error 10001]: Table not found absent"),
        (
            CLOUDTRAIL,
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            "AlreadyExistsException(message:Table cloudtrail already exist)",
        ),
    ],
)
def test_what_fails_says_why(logs: Athena, sql: str, reason: str) -> None:
    assert logs.reason(sql) == reason


def test_a_syntax_error(athena: Athena) -> None:
    assert athena.reason("SELEC 1").startswith("SYNTAX_ERROR: line 1:")


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM read_csv('/etc/passwd')", "SELECT getenv('HOME')", "COPY t TO '/tmp/x'"]
)
def test_no_query_reaches_the_machine(athena: Athena, sql: str) -> None:
    assert athena.reason(sql)


def test_bad_data_is_named(athena: Athena, client: Callable[..., Any]) -> None:
    client("s3").put_object(Bucket=BUCKET, Key="bad/a.json", Body=b'{"id": 1}\n{no json}\n')
    athena.run(
        "CREATE EXTERNAL TABLE bad (id INT) ROW FORMAT SERDE "
        f"'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{BUCKET}/bad/'"
    )
    assert athena.reason("SELECT * FROM bad").startswith(
        f"HIVE_BAD_DATA: Error parsing s3://{BUCKET}/bad/a.json: "
    )


def test_a_workgroup_limits_the_bytes(logs: Athena, client: Callable[..., Any]) -> None:
    config = {"BytesScannedCutoffPerQuery": 10_000_000}
    logs.client.create_work_group(Name="small", Configuration=config)
    assert len(logs.run("SELECT * FROM cloudtrail", WorkGroup="small")) == 4
    large = json.dumps({"text": "x" * 10_000_000}).encode()
    client("s3").put_object(Bucket=BUCKET, Key="large/a.json", Body=large)
    logs.run(
        "CREATE EXTERNAL TABLE large (text STRING) ROW FORMAT SERDE "
        f"'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{BUCKET}/large/'"
    )
    status = logs.ended(logs.start("SELECT * FROM large", WorkGroup="small"))["Status"]
    assert (status["State"], status["StateChangeReason"]) == (
        "CANCELLED",
        "Query cancelled! : Bytes scanned limit was exceeded",
    )


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_requests_that_are_refused(athena: Athena) -> None:
    client = athena.client
    assert refusal(client.start_query_execution, QueryString="SELECT 1") == (
        "InvalidRequestException",
        "No output location provided. An output location is required either through the Workgroup "
        "result configuration setting or as an API input.",
    )
    assert refusal(client.get_query_execution, QueryExecutionId="none") == (
        "InvalidRequestException",
        "QueryExecution none was not found",
    )
    name = athena.start("SELECT 1")
    assert refusal(client.get_query_results, QueryExecutionId=name) == (
        "InvalidRequestException",
        "Query has not yet finished. Current state: QUEUED",
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("s3://no-such-bucket/a/", "Unable to verify/create output bucket no-such-bucket"),
        ("s3:///a/", "outputLocation is not a valid S3 path."),
        (f"{BUCKET}/a/", "outputLocation is not a valid S3 path."),
    ],
)
def test_nothing_is_run_without_a_place_for_results(
    athena: Athena, output: str, reason: str
) -> None:
    place = {"OutputLocation": output}
    start = athena.client.start_query_execution
    assert refusal(start, QueryString=CSV, ResultConfiguration=place) == (
        "InvalidRequestException",
        reason,
    )
    assert athena.client.list_query_executions()["QueryExecutionIds"] == []
    listed = athena.client.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="default")
    assert listed["TableMetadataList"] == []


def test_results_come_in_pages(athena: Athena) -> None:
    athena.run(CSV)
    query = athena.ended(athena.start("SELECT id FROM people ORDER BY id"))
    name = query["QueryExecutionId"]
    first = athena.client.get_query_results(QueryExecutionId=name, MaxResults=2)
    second = athena.client.get_query_results(QueryExecutionId=name, NextToken=first["NextToken"])
    rows = first["ResultSet"]["Rows"] + second["ResultSet"]["Rows"]
    assert [row["Data"][0]["VarCharValue"] for row in rows] == ["id", "1", "2"]


def test_a_query_that_has_ended_stays_as_it_is(athena: Athena) -> None:
    name = athena.start("SELECT 1")
    athena.ended(name)
    athena.client.stop_query_execution(QueryExecutionId=name)
    assert athena.ended(name)["Status"]["State"] == "SUCCEEDED"


def test_the_same_over_http(lab_server: str) -> None:
    session = boto3.Session("testing", "testing", region_name="ap-northeast-1")
    fill(session.client("s3", endpoint_url=lab_server))
    athena = Athena(session.client("athena", endpoint_url=lab_server))
    athena.run(CLOUDTRAIL)
    assert athena.run("SELECT count(*) AS n FROM cloudtrail") == [["n"], ["3"]]
