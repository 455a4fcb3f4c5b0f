"""The Redshift Data API of the lab: SQL that really runs, read back with a plain client."""

import gzip
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from unittest.mock import patch

import boto3
import pyarrow
import pytest
from awslab.clock import CLOCK
from awslab.embedded import environment, shared_loader
from awslab.work import own_folder
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pyarrow import parquet

ROLE = "arn:aws:iam::111122223333:role/loader"
BUCKET = "amzn-s3-demo-bucket"
HERE = {"LocationConstraint": "ap-northeast-1"}
PLACE = {"ClusterIdentifier": "analytics", "Database": "dev", "DbUser": "awsuser"}


@pytest.fixture
def redshift(lab: None) -> BaseClient:
    """A client, and one available cluster of two nodes."""
    client = boto3.client("redshift")
    make_cluster(client)
    return client


def make_cluster(client: BaseClient, **more: Any) -> None:
    given = {
        "ClusterIdentifier": "analytics",
        "ClusterType": "multi-node",
        "NodeType": "ra3.xlplus",
        "NumberOfNodes": 2,
        "MasterUsername": "awsuser",
        "ManageMasterPassword": True,
        "IamRoles": [ROLE],
    } | more
    client.create_cluster(**given)
    client.get_waiter("cluster_available").wait(ClusterIdentifier=given["ClusterIdentifier"])


@pytest.fixture
def data(redshift: BaseClient) -> BaseClient:
    return boto3.client("redshift-data")


@pytest.fixture
def s3(lab: None) -> BaseClient:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=HERE)
    return client


@pytest.fixture
def frozen() -> Iterator[None]:
    CLOCK.run(0)
    yield
    CLOCK.run(None)


def submit(data: BaseClient, sql: str, **more: Any) -> str:
    made = data.execute_statement(Sql=sql, **PLACE | {"WaitTimeSeconds": 30} | more)
    return str(made["Id"])


def run(data: BaseClient, sql: str, **more: Any) -> dict[str, Any]:
    """Run a statement and describe it."""
    return dict(data.describe_statement(Id=submit(data, sql, **more)))


def done(data: BaseClient, *sqls: str, **more: Any) -> None:
    for sql in sqls:
        described = run(data, sql, **more)
        assert described["Status"] == "FINISHED", described.get("Error")


def rows(data: BaseClient, sql: str, **more: Any) -> list[list[Any]]:
    """The values of a result; None for NULL."""
    name = submit(data, sql, **more)
    described = data.describe_statement(Id=name)
    assert described["Status"] == "FINISHED", described.get("Error")
    return [
        [None if "isNull" in cell else next(iter(cell.values())) for cell in record]
        for record in data.get_statement_result(Id=name)["Records"]
    ]


def error(data: BaseClient, sql: str, **more: Any) -> str:
    described = run(data, sql, **more)
    assert described["Status"] == "FAILED"
    return str(described["Error"])


def refusal(call: Callable[..., Any], **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**given)
    said = refused.value.response["Error"]
    return said["Code"], said["Message"]


SALES = (
    "CREATE TABLE sales (sale_id INT IDENTITY(1,1), customer_id INT DISTKEY, region VARCHAR(8), "
    "amount DECIMAL(10,2), sold_at TIMESTAMP SORTKEY)"
)
ROWS = (
    "INSERT INTO sales (customer_id, region, amount, sold_at) VALUES "
    "(1, 'tokyo', 10.5, '2026-01-01'), (2, 'osaka', 3, '2026-01-02 10:00:00'), "
    "(1, 'tokyo', 4, '2026-02-01')"
)


# --- what a statement answers --------------------------------------------------------------------


def test_each_look_meets_the_next_state(data: BaseClient) -> None:
    name = data.execute_statement(Sql="SELECT 1", **PLACE)["Id"]
    met = [data.describe_statement(Id=name)["Status"] for _ in range(5)]
    assert met == ["SUBMITTED", "PICKED", "STARTED", "FINISHED", "FINISHED"]


def test_a_running_statement_knows_no_result(data: BaseClient) -> None:
    name = data.execute_statement(Sql="SELECT 1", **PLACE)["Id"]
    described = data.describe_statement(Id=name)
    unknown = ("Duration", "ResultRows", "ResultSize", "RedshiftQueryId", "HasResultSet")
    assert [described[key] for key in unknown] == [-1, -1, -1, 0, False]
    assert refusal(data.get_statement_result, Id=name) == (
        "ResourceNotFoundException",
        "Query does not have result. Please check query status with DescribeStatement.",
    )


def test_a_finished_query_describes_its_result(data: BaseClient) -> None:
    described = run(data, "SELECT 'abc' AS text, 1 AS number", StatementName="first")
    assert described["Status"] == "FINISHED" and described["HasResultSet"] is True
    assert (described["ResultRows"], described["ResultSize"]) == (1, 4)
    assert described["RedshiftQueryId"] > 0 and described["Duration"] > 0
    assert described["QueryString"] == "SELECT 'abc' AS text, 1 AS number"
    assert (described["DbUser"], described["Database"]) == ("awsuser", "dev")
    assert described["ClusterIdentifier"] == "analytics"
    assert described["ResultFormat"] == "JSON"
    assert "SubStatements" not in described


def test_a_failed_statement_says_why(data: BaseClient) -> None:
    described = run(data, "SELECT * FROM users")
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'ERROR: relation "users" does not exist'
    numbers = ("Duration", "RedshiftQueryId", "ResultRows", "ResultSize")
    assert [described[key] for key in numbers] == [-1, 0, -1, -1]


def test_a_change_answers_how_many_rows_it_affects(data: BaseClient) -> None:
    done(data, SALES)
    described = run(data, ROWS)
    assert (described["ResultRows"], described["HasResultSet"]) == (3, False)
    assert run(data, "DELETE FROM sales WHERE region = 'tokyo'")["ResultRows"] == 2


def test_a_response_waits_for_the_end_if_it_is_told_to(data: BaseClient) -> None:
    made = data.execute_statement(Sql="SELECT 1", WaitTimeSeconds=10, **PLACE)
    assert (made["Status"], made["HasResultSet"]) == ("FINISHED", True)
    assert made["RedshiftPid"] == data.describe_statement(Id=made["Id"])["RedshiftPid"]


def test_without_a_user_the_caller_is_one(data: BaseClient) -> None:
    made = data.execute_statement(
        ClusterIdentifier="analytics", Database="dev", Sql="SELECT current_user", WaitTimeSeconds=5
    )
    assert made["DbUser"] == "IAM:lab"
    record = data.get_statement_result(Id=made["Id"])["Records"][0]
    assert record == [{"stringValue": "IAM:lab"}]


def test_a_secret_names_the_user(redshift: BaseClient) -> None:
    (cluster,) = redshift.describe_clusters()["Clusters"]
    arn = cluster["MasterPasswordSecretArn"]
    made = boto3.client("redshift-data").execute_statement(
        ClusterIdentifier="analytics", Database="dev", SecretArn=arn, Sql="SELECT 1"
    )
    assert (made["DbUser"], made["SecretArn"]) == ("awsuser", arn)


# --- fields and types ----------------------------------------------------------------------------


def test_every_type_has_its_field(data: BaseClient) -> None:
    sql = (
        "SELECT 1::smallint AS a, 2 AS b, 3::bigint AS c, 1.5::decimal(10,2) AS d, 1.5::float AS e,"
        " 2.5::real AS f, true AS g, 'x'::varchar(3) AS h, '2026-01-02'::date AS i, "
        "'2026-01-02 03:04:05.678'::timestamp AS j, '2026-01-02 03:04:05+09'::timestamptz AS k, "
        "NULL AS l, JSON_PARSE('{\"a\": [1, 2]}') AS m, '03:04:05'::time AS n"
    )
    answer = data.get_statement_result(Id=submit(data, sql))
    assert answer["Records"][0] == [
        {"longValue": 1},
        {"longValue": 2},
        {"longValue": 3},
        {"stringValue": "1.50"},
        {"doubleValue": 1.5},
        {"doubleValue": 2.5},
        {"booleanValue": True},
        {"stringValue": "x"},
        {"stringValue": "2026-01-02"},
        {"stringValue": "2026-01-02 03:04:05.678"},
        {"stringValue": "2026-01-01 18:04:05+00"},
        {"isNull": True},
        {"stringValue": '{"a":[1,2]}'},
        {"stringValue": "03:04:05"},
    ]
    types = [column["typeName"] for column in answer["ColumnMetadata"]]
    expected = "int2 int4 int8 numeric float8 float4 bool varchar date timestamp timestamptz"
    assert types == [*expected.split(), "varchar", "super", "time"]
    numeric = answer["ColumnMetadata"][3]
    assert (numeric["precision"], numeric["scale"], numeric["isSigned"]) == (10, 2, True)
    assert answer["TotalNumRows"] == 1


def test_a_blob_is_bytes(data: BaseClient) -> None:
    done(data, "CREATE TABLE b (v VARBYTE(10))", "INSERT INTO b VALUES ('ab'::varbyte)")
    answer = data.get_statement_result(Id=submit(data, "SELECT v FROM b"))
    assert answer["Records"] == [[{"blobValue": b"ab"}]]
    assert answer["ColumnMetadata"][0]["typeName"] == "varbyte"


def test_sums_and_averages_have_the_types_of_redshift(data: BaseClient) -> None:
    done(data, SALES, ROWS, "CREATE TABLE big (n BIGINT)", "INSERT INTO big VALUES (3), (4)")
    sql = "SELECT SUM(customer_id), AVG(customer_id), SUM(amount), AVG(amount), COUNT(*) FROM sales"
    answer = data.get_statement_result(Id=submit(data, sql))
    assert [c["name"] for c in answer["ColumnMetadata"]] == ["sum", "avg", "sum", "avg", "count"]
    types = [c["typeName"] for c in answer["ColumnMetadata"]]
    assert types == ["int8", "int8", "numeric", "numeric", "int8"]
    assert answer["Records"][0] == [
        {"longValue": 4},
        {"longValue": 1},
        {"stringValue": "17.50"},
        {"stringValue": "5.83"},
        {"longValue": 3},
    ]
    assert rows(data, "SELECT SUM(n), AVG(n) FROM big") == [["7", 3]]


def test_integers_are_divided_as_integers(data: BaseClient) -> None:
    assert rows(data, "SELECT 5 / 2, -5 / 2, 5 / 2.0, 7 % 4") == [[2, -2, 2.5, 3]]


def test_columns_are_named_as_redshift_names_them(data: BaseClient) -> None:
    sql = "SELECT count(*), max(1), 1 + 1, nvl(1, 2), 'x'::varchar, CASE WHEN true THEN 1 END, A.b "
    answer = data.get_statement_result(Id=submit(data, sql + "FROM (SELECT 1 AS B) A GROUP BY 7"))
    names = [column["name"] for column in answer["ColumnMetadata"]]
    assert names == ["count", "max", "?column?", "coalesce", "varchar", "case", "b"]


def test_a_long_result_comes_in_pages(data: BaseClient) -> None:
    done(data, "CREATE TABLE digits (d INT)", "INSERT INTO digits VALUES (0),(1),(2),(3),(4)")
    sql = "SELECT a.d FROM digits a, digits b, digits c, digits d, digits e"
    name = submit(data, sql)
    pages = list(data.get_paginator("get_statement_result").paginate(Id=name))
    assert [len(page["Records"]) for page in pages] == [1000, 1000, 1000, 125]
    assert {page["TotalNumRows"] for page in pages} == {3125}
    code, _ = refusal(data.get_statement_result, Id=name, NextToken="-1")
    assert code == "ValidationException"


def test_a_result_as_csv(data: BaseClient) -> None:
    sql = "SELECT 'a,b' AS x, NULL AS y, 1 AS z"
    name = submit(data, sql, ResultFormat="CSV")
    answer = data.get_statement_result_v2(Id=name)
    assert answer["Records"] == [{"CSVRecords": 'x,y,z\r\n"a,b",,1\r\n'}]
    assert (answer["ResultFormat"], answer["TotalNumRows"]) == ("CSV", 1)
    assert refusal(data.get_statement_result, Id=name)[0] == "ValidationException"


# --- parameters ----------------------------------------------------------------------------------


def test_parameters_take_the_type_of_their_place(data: BaseClient) -> None:
    done(data, SALES, ROWS)
    given = [
        {"name": "id", "value": "1"},
        {"name": "since", "value": "2026-01-15"},
        {"name": "name", "value": "o'clock :id"},
        {"name": "more", "value": "1"},
        {"name": "most", "value": "5"},
    ]
    sql = (
        "SELECT region, amount::int + :more, ':id', :name FROM sales "
        "WHERE customer_id = :id AND sold_at > :since::date LIMIT :most -- :nothing"
    )
    assert rows(data, sql, Parameters=given) == [["tokyo", 5, ":id", "o'clock :id"]]
    described = run(data, "SELECT :a", Parameters=[{"name": "a", "value": "x"}])
    assert described["QueryParameters"] == [{"name": "a", "value": "x"}]
    assert described["QueryString"] == "SELECT :a"


def test_a_parameter_cannot_become_sql(data: BaseClient) -> None:
    given = [{"name": "a", "value": "x'; DROP TABLE sales; --"}]
    assert rows(data, "SELECT :a", Parameters=given) == [["x'; DROP TABLE sales; --"]]


@pytest.mark.parametrize(
    ("sql", "given", "said"),
    [
        ("SELECT 1", ["a"], "Parameters list contains unused parameters. Unused parameters: [a]"),
        ("SELECT :a, :b", ["a"], "Parameters list does not contain values of: [b]"),
        ("SELECT :a", ["a", "a"], "Parameters list contains duplicate parameters."),
    ],
)
def test_parameters_that_do_not_fit(
    data: BaseClient, sql: str, given: list[str], said: str
) -> None:
    parameters = [{"name": name, "value": "1"} for name in given]
    found = refusal(data.execute_statement, Sql=sql, Parameters=parameters, **PLACE)
    assert found == ("ValidationException", said)


def test_a_name_without_value_is_a_syntax_error(data: BaseClient) -> None:
    said = error(data, "SELECT * FROM pg_table_def WHERE tablename = :name")
    assert said == 'ERROR: syntax error at or near ":"'


# --- where to ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"ClusterIdentifier": "nope"}, "Redshift endpoint doesn't exist in this region."),
        ({"ClusterIdentifier": None}, "Either ClusterIdentifier, WorkgroupName or SessionId must"),
        ({"WorkgroupName": "both"}, "Only one of ClusterIdentifier and WorkgroupName can be"),
        ({"Database": None}, "Database must be provided."),
        ({"SecretArn": "arn:aws:secretsmanager:x"}, "Only one of SecretArn and DbUser can be"),
        ({"DbUser": None, "SecretArn": "nope"}, "Secret nope cannot be found."),
    ],
)
def test_a_statement_must_name_one_place_and_one_user(
    data: BaseClient, place: dict[str, Any], said: str
) -> None:
    given = {key: value for key, value in (PLACE | place).items() if value is not None}
    code, message = refusal(data.execute_statement, Sql="SELECT 1", **given)
    assert code == "ValidationException" and message.startswith(said)


def test_the_cluster_must_be_available(redshift: BaseClient, data: BaseClient) -> None:
    redshift.pause_cluster(ClusterIdentifier="analytics")
    _, message = refusal(data.execute_statement, Sql="SELECT 1", **PLACE)
    assert message == "Redshift endpoint is not available: the cluster is pausing."
    assert refusal(data.list_schemas, **PLACE)[0] == "ValidationException"


def test_the_database_must_exist(data: BaseClient) -> None:
    described = run(data, "SELECT 1", Database="nope")
    assert (described["Status"], described["Error"]) == (
        "FAILED",
        'FATAL: database "nope" does not exist',
    )
    assert refusal(data.list_tables, **PLACE | {"Database": "nope"}) == (
        "ValidationException",
        'FATAL: database "nope" does not exist',
    )


def test_databases_are_apart_and_can_be_read_across(data: BaseClient) -> None:
    done(data, "CREATE DATABASE other", "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (7)")
    assert error(data, "SELECT * FROM t", Database="other") == 'ERROR: relation "t" does not exist'
    assert rows(data, "SELECT a FROM dev.public.t", Database="other") == [[7]]
    assert data.list_databases(**PLACE)["Databases"] == ["dev", "other"]
    assert error(data, "CREATE DATABASE other") == 'ERROR: database "other" already exists'
    assert error(data, "DROP DATABASE dev") == ("ERROR: cannot drop the currently open database")
    done(data, "DROP DATABASE other")
    assert data.list_databases(**PLACE)["Databases"] == ["dev"]


def test_clusters_accounts_and_regions_are_apart(redshift: BaseClient, data: BaseClient) -> None:
    make_cluster(redshift, ClusterIdentifier="second")
    name = submit(data, "CREATE TABLE only_here (a INT)")
    other = PLACE | {"ClusterIdentifier": "second"}
    assert data.list_tables(**other)["Tables"] == []
    elsewhere = boto3.client("redshift-data", region_name="us-east-1")
    assert refusal(elsewhere.describe_statement, Id=name) == (
        "ResourceNotFoundException",
        "Query does not exist.",
    )
    assert refusal(elsewhere.list_tables, **PLACE)[1].startswith("Redshift endpoint doesn't exist")


def test_a_statement_is_one_and_not_too_long(data: BaseClient) -> None:
    found = refusal(data.execute_statement, Sql="SELECT 1; SELECT 2", **PLACE)
    assert found == ("ValidationException", "Multiple sql statements are not allowed")
    done(data, "SELECT ';';  -- one; only")
    long = f"SELECT '{100 * 1024 * 'x'}'"
    found = refusal(data.execute_statement, Sql=long, **PLACE)
    assert found == ("ValidationException", "The SQL statement is longer than 100 KB.")
    assert refusal(data.execute_statement, Sql="  ", **PLACE)[0] == "ValidationException"


def test_the_same_token_is_the_same_statement(data: BaseClient) -> None:
    done(data, "CREATE TABLE t (a INT)")
    first, second = (
        data.execute_statement(Sql="INSERT INTO t VALUES (1)", ClientToken="once", **PLACE)["Id"]
        for _ in range(2)
    )
    assert first == second
    assert rows(data, "SELECT count(*) FROM t") == [[1]]
    found = refusal(data.execute_statement, Sql="SELECT 1", ClientToken="once", **PLACE)
    assert found[0] == "ValidationException"


# --- batches and sessions ------------------------------------------------------------------------


def batch(data: BaseClient, *sqls: str, **more: Any) -> dict[str, Any]:
    made = data.batch_execute_statement(Sqls=list(sqls), WaitTimeSeconds=30, **PLACE | more)
    return dict(data.describe_statement(Id=made["Id"]))


def test_a_batch_is_one_transaction(data: BaseClient) -> None:
    done(data, "CREATE TABLE t (a INT)")
    described = batch(data, "INSERT INTO t VALUES (1)", "SELECT nope FROM t", "SELECT 1")
    assert described["Status"] == "FAILED"
    assert described["Error"] == 'ERROR: column "nope" does not exist in t'
    parts = described["SubStatements"]
    assert [part["Status"] for part in parts] == ["FINISHED", "FAILED", "ABORTED"]
    assert [part["Id"] for part in parts] == [f"{described['Id']}:{n}" for n in (1, 2, 3)]
    assert rows(data, "SELECT count(*) FROM t") == [[0]]
    assert (described["ResultRows"], described["RedshiftQueryId"]) == (-1, 0)
    assert described["ExecutionMode"] == "TRANSACTION"


def test_a_batch_may_commit_each_statement(data: BaseClient) -> None:
    done(data, "CREATE TABLE t (a INT)")
    sqls = ["INSERT INTO t VALUES (1)", "SELECT nope FROM t", "INSERT INTO t VALUES (2)"]
    described = batch(data, *sqls, ExecutionMode="AUTO_COMMIT")
    statuses = [part["Status"] for part in described["SubStatements"]]
    assert statuses == ["FINISHED", "FAILED", "FINISHED"]
    assert rows(data, "SELECT a FROM t ORDER BY 1") == [[1], [2]]


def test_results_of_a_batch_are_those_of_its_parts(data: BaseClient) -> None:
    described = batch(data, "CREATE TEMP TABLE t AS SELECT 7 AS a", "SELECT a FROM t", "SELECT 8")
    assert described["HasResultSet"] is True and "QueryString" not in described
    name = described["Id"]
    values = [data.get_statement_result(Id=f"{name}:{n}")["Records"] for n in (2, 3)]
    assert values == [[[{"longValue": 7}]], [[{"longValue": 8}]]]
    assert data.describe_statement(Id=f"{name}:2")["QueryString"] == "SELECT a FROM t"
    assert refusal(data.get_statement_result, Id=name)[0] == "ResourceNotFoundException"
    assert refusal(data.describe_statement, Id=f"{name}:4")[0] == "ResourceNotFoundException"


def test_parameters_of_a_batch_are_shared(data: BaseClient) -> None:
    given = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    described = batch(data, "SELECT :a", "SELECT :a, :b", Parameters=given)
    assert described["Status"] == "FINISHED"
    call = data.batch_execute_statement
    assert refusal(call, Sqls=["SELECT :a"], Parameters=given, **PLACE)[1].endswith("[b]")


def test_a_temporary_table_ends_with_its_statement(data: BaseClient) -> None:
    done(data, "CREATE TEMP TABLE t (a INT)", "CREATE TABLE #u (a INT)")
    assert error(data, "SELECT * FROM t") == 'ERROR: relation "t" does not exist'


def test_a_session_keeps_what_its_statements_leave(data: BaseClient) -> None:
    made = data.execute_statement(
        Sql="CREATE TABLE #t AS SELECT 7 AS a",
        SessionKeepAliveSeconds=60,
        WaitTimeSeconds=30,
        **PLACE,
    )
    name = made["SessionId"]
    again = data.execute_statement(Sql="SELECT a FROM #t", SessionId=name, WaitTimeSeconds=30)
    assert again["SessionId"] == name and again["Database"] == "dev"
    records = data.get_statement_result(Id=again["Id"])["Records"]
    assert records == [[{"longValue": 7}]]
    (session,) = data.list_sessions()["Sessions"]
    assert (session["SessionId"], session["Status"]) == (name, "AVAILABLE")
    assert session["ClusterIdentifier"] == "analytics" and session["SessionAliveSeconds"] == 60
    found = refusal(data.execute_statement, Sql="SELECT 1", SessionId=name, Database="dev")
    assert found == (
        "ValidationException",
        "SessionId and Database cannot be provided together.",
    )


def test_a_transaction_of_a_session_lasts_until_it_ends(data: BaseClient) -> None:
    done(data, "CREATE TABLE t (a INT)")
    made = data.execute_statement(
        Sql="BEGIN", SessionKeepAliveSeconds=60, WaitTimeSeconds=30, **PLACE
    )
    inside = {"SessionId": made["SessionId"], "WaitTimeSeconds": 30}
    data.execute_statement(Sql="INSERT INTO t VALUES (1)", **inside)
    assert rows(data, "SELECT count(*) FROM t") == [[0]]
    data.execute_statement(Sql="COMMIT", **inside)
    assert rows(data, "SELECT count(*) FROM t") == [[1]]


def test_a_session_ends_with_its_time(data: BaseClient, frozen: None) -> None:
    made = data.execute_statement(
        Sql="SELECT 1", SessionKeepAliveSeconds=60, WaitTimeSeconds=30, **PLACE
    )
    CLOCK.advance(61)
    found = refusal(data.execute_statement, Sql="SELECT 1", SessionId=made["SessionId"])
    assert found == ("ResourceNotFoundException", "Session is not available.")
    assert data.list_sessions()["Sessions"][0]["Status"] == "CLOSED"


# --- cancel, order, time -------------------------------------------------------------------------

LONG = "SELECT count(*) FROM digits a, digits b, digits c, digits d, digits e, digits f, digits g"


@pytest.fixture
def digits(data: BaseClient) -> None:
    """A table whose sevenfold product nobody counts in a minute."""
    done(data, "CREATE TABLE digits (d INT)")
    done(data, "INSERT INTO digits SELECT row_number() OVER () FROM generate_series(1, 1000)")


def test_a_statement_that_has_not_begun_is_never_run(data: BaseClient) -> None:
    name = data.execute_statement(Sql="CREATE TABLE t (a INT)", **PLACE)["Id"]
    assert data.describe_statement(Id=name)["Status"] == "SUBMITTED"
    assert data.cancel_statement(Id=name)["Status"] is True
    assert data.describe_statement(Id=name)["Status"] == "ABORTED"
    assert data.list_tables(**PLACE)["Tables"] == []
    assert refusal(data.cancel_statement, Id=name) == (
        "ValidationException",
        f"Could not cancel a query that is already in ABORTED state with ID: {name}",
    )


def test_a_statement_that_runs_is_stopped(data: BaseClient, digits: None) -> None:
    name = data.execute_statement(Sql=LONG, **PLACE)["Id"]
    for _ in range(3):
        assert data.describe_statement(Id=name)["Status"] in ("SUBMITTED", "PICKED", "STARTED")
    started = time.monotonic()
    assert data.cancel_statement(Id=name)["Status"] is True
    assert time.monotonic() - started < 5
    described = data.describe_statement(Id=name)
    assert (described["Status"], described["HasResultSet"]) == ("ABORTED", False)
    assert rows(data, "SELECT count(*) FROM digits") == [[1000]]


def test_a_finished_statement_cannot_be_canceled(data: BaseClient) -> None:
    name = submit(data, "SELECT 1")
    found = refusal(data.cancel_statement, Id=name)
    assert found[1] == f"Could not cancel a query that is already in FINISHED state with ID: {name}"


def test_the_lab_ends_what_takes_too_long(
    data: BaseClient, digits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("awslab.sql.LONGEST", 0.3)
    assert error(data, LONG) == "ERROR: The lab ends a statement after 0 seconds."


def test_statements_run_in_the_order_of_their_submission(data: BaseClient) -> None:
    data.execute_statement(Sql="CREATE TABLE t (a INT)", **PLACE)
    data.execute_statement(Sql="INSERT INTO t VALUES (1)", **PLACE)
    assert rows(data, "SELECT count(*) FROM t") == [[1]]


def test_parallel_statements_lose_nothing(data: BaseClient) -> None:
    done(data, "CREATE TABLE t (a INT)")
    sqls = [f"INSERT INTO t VALUES ({number})" for number in range(20)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda sql: run(data, sql), sqls))
    assert rows(data, "SELECT count(*), sum(a) FROM t") == [[20, 190]]


def test_by_the_clock_a_statement_takes_its_time(data: BaseClient, frozen: None) -> None:
    name = data.execute_statement(Sql="SELECT 1", **PLACE)["Id"]
    met = []
    for _ in range(4):
        met.append(data.describe_statement(Id=name)["Status"])
        CLOCK.advance(0.15)
    assert met == ["SUBMITTED", "PICKED", "STARTED", "STARTED"]
    CLOCK.advance(1)
    assert data.describe_statement(Id=name)["Status"] == "FINISHED"


def test_nobody_needs_to_look_when_the_clock_runs(data: BaseClient, frozen: None) -> None:
    data.execute_statement(Sql="CREATE TABLE t (a INT)", **PLACE)
    CLOCK.advance(60)
    assert [table["name"] for table in data.list_tables(**PLACE)["Tables"]] == ["t"]


def test_a_statement_is_forgotten_after_a_day(data: BaseClient, frozen: None) -> None:
    name = submit(data, "SELECT 1")
    CLOCK.advance(24 * 3600 - 60)
    assert data.get_statement_result(Id=name)["TotalNumRows"] == 1
    CLOCK.advance(120)
    assert refusal(data.get_statement_result, Id=name) == (
        "ResourceNotFoundException",
        "Query does not exist.",
    )
    assert data.list_statements(Status="ALL")["Statements"] == []


def test_time_in_sql_is_the_time_of_the_lab(data: BaseClient, frozen: None) -> None:
    CLOCK.advance(400 * 24 * 3600)
    done(
        data,
        "CREATE TABLE t (a INT, at TIMESTAMP DEFAULT GETDATE())",
        "INSERT INTO t (a) VALUES (1)",
    )
    sql = "SELECT GETDATE(), CURRENT_DATE, at FROM t"
    (found,) = rows(data, sql)
    shown = CLOCK.now().strftime("%Y-%m-%d %H:%M:%S")
    assert found[0] == shown and found[1] == shown[:10] and found[2].startswith(shown)


def test_an_event_tells_of_the_end(data: BaseClient) -> None:
    queue = boto3.client("sqs").create_queue(QueueName="ends")["QueueUrl"]
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    events = boto3.client("events")
    pattern = {"source": ["aws.redshift-data"]}
    events.put_rule(Name="ends", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="ends", Targets=[{"Id": "queue", "Arn": arn}])
    name = submit(data, "SELECT 1", WithEvent=True, StatementName="told")
    (message,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    event = json.loads(message["Body"])
    assert event["detail-type"] == "Redshift Data Statement Status Change"
    assert event["detail"]["statementId"] == name and event["detail"]["state"] == "FINISHED"
    assert (event["detail"]["statementName"], event["detail"]["rows"]) == ("told", 1)


# --- lists ---------------------------------------------------------------------------------------


def test_statements_are_listed_newest_first(data: BaseClient) -> None:
    first = submit(data, "SELECT 1", StatementName="day-1")
    second = submit(data, "SELECT 2", StatementName="day-2")
    failed = submit(data, "SELECT nope", StatementName="night")
    waiting = data.execute_statement(Sql="SELECT 3", **PLACE)["Id"]

    def listed(**wanted: Any) -> list[str]:
        return [s["Id"] for s in data.list_statements(**wanted)["Statements"]]

    assert listed() == [second, first]
    assert listed(Status="ALL") == [waiting, failed, second, first]
    data.cancel_statement(Id=waiting)
    assert listed(Status="FAILED") == [failed]
    assert listed(StatementName="day") == [second, first]
    assert listed(StatementName="day-1") == [first]
    assert listed(Database="other") == [] and listed(ClusterIdentifier="analytics")
    answer = data.list_statements(MaxResults=1)
    assert [s["Id"] for s in answer["Statements"]] == [second]
    assert listed(MaxResults=1, NextToken=answer["NextToken"]) == [first]
    (shown,) = data.list_statements(StatementName="day-1")["Statements"]
    assert (shown["QueryString"], shown["IsBatchStatement"]) == ("SELECT 1", False)


def test_a_batch_is_listed_with_its_texts(data: BaseClient) -> None:
    batch(data, "SELECT 1", "SELECT 2")
    (shown,) = data.list_statements()["Statements"]
    assert shown["IsBatchStatement"] is True and "QueryString" not in shown
    assert shown["QueryStrings"] == ["SELECT 1", "SELECT 2"]


def test_the_catalogue_is_described(data: BaseClient) -> None:
    done(
        data,
        "CREATE SCHEMA staging",
        "CREATE TABLE staging.raw (a INT)",
        SALES,
        "CREATE VIEW big AS SELECT * FROM sales WHERE amount > 5",
    )
    schemas = data.list_schemas(**PLACE)["Schemas"]
    assert schemas == ["information_schema", "pg_catalog", "public", "staging"]
    assert data.list_schemas(SchemaPattern="st%", **PLACE)["Schemas"] == ["staging"]
    assert data.list_tables(**PLACE)["Tables"] == [
        {"name": "big", "schema": "public", "type": "VIEW"},
        {"name": "sales", "schema": "public", "type": "TABLE"},
        {"name": "raw", "schema": "staging", "type": "TABLE"},
    ]
    found = data.list_tables(TablePattern="sale_", SchemaPattern="public", **PLACE)["Tables"]
    assert [table["name"] for table in found] == ["sales"]
    columns = data.describe_table(Table="sales", Schema="public", **PLACE)["ColumnList"]
    shown = [(c["name"], c["typeName"], c["length"], c["nullable"]) for c in columns]
    assert shown == [
        ("sale_id", "int4", 0, 0),
        ("customer_id", "int4", 0, 1),
        ("region", "varchar", 8, 1),
        ("amount", "numeric", 0, 1),
        ("sold_at", "timestamp", 0, 1),
    ]
    assert columns[0]["columnDefault"] == '"identity"(1, 1)'
    assert (columns[3]["precision"], columns[3]["scale"]) == (10, 2)


# --- messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nope FROM sales", 'column "nope" does not exist in sales'),
        ("SELECT nope FROM sales s, digits", 'column "nope" does not exist in s, digits'),
        ("SELECT s.nope FROM sales s", "column s.nope does not exist"),
        ("SELECT x.region FROM sales", 'missing FROM-clause entry for table "x"'),
        ("SELECT * FROM nope", 'relation "nope" does not exist'),
        ("SELECT * FROM public.nope", 'relation "public.nope" does not exist'),
        ("SELECT * FROM no.nope", 'schema "no" does not exist'),
        ("INSERT INTO nope VALUES (1)", 'relation "nope" does not exist'),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT * FROM sales WHERE", "syntax error at end of input"),
        ("SELECT 'x", "unterminated quoted string"),
        ("CREATE TABLE sales (a INT)", 'Relation "sales" already exists'),
        ("CREATE TABLE t (a THING)", 'type "thing" does not exist'),
        ("CREATE TABLE t (a INT) DISTKEY(b)", 'column "b" named in key does not exist'),
        ("CREATE TABLE t (a INT, a INT)", 'column "a" specified more than once'),
        ("CREATE TABLE t (a INT) DISTSTYLE KEY", "DISTSTYLE KEY requires a DISTKEY column"),
        ("INSERT INTO sales (region) VALUES ('too long a name')", "value too long for type"),
        ("INSERT INTO sales (region) VALUES (1, 2)", "INSERT has more expressions than target"),
        ("INSERT INTO sales (nope) VALUES (1)", 'column "nope" of relation "sales" does not exist'),
        ("INSERT INTO sales (sale_id) VALUES (1)", "cannot set an identity column to a value"),
        ("INSERT INTO strict VALUES (NULL)", "Cannot insert a NULL value into column a"),
        ("INSERT INTO digits VALUES (3000000000)", "Value out of range for 4 bytes."),
        ("SELECT 'x'::int", 'invalid input syntax for integer: "x"'),
        ("SELECT '2026-13-01'::date", 'date/time field value out of range: "2026-13-01"'),
        ("SELECT 1 / 0", "division by zero"),
        ("SELECT region, count(*) FROM sales", 'column "sales.region" must appear in the GROUP BY'),
        ("SELECT d FROM digits a, digits b", 'column reference "d" is ambiguous'),
        ("SELECT nothing(1)", "function nothing does not exist"),
        ("SELECT (SELECT d FROM digits)", "single-row subquery returns more than one row"),
        ("DROP TABLE nope", 'Table "nope" does not exist'),
        ("DROP TABLE v", 'Table "v" does not exist'),
        ("DROP TABLE sales", "cannot drop table sales because other objects depend on it"),
        ("CREATE PROCEDURE p() AS $$ BEGIN END $$ LANGUAGE plpgsql", "the lab has no stored proc"),
        ("CREATE EXTERNAL SCHEMA s FROM DATA CATALOG", "the lab has no external schemas"),
        ("ALTER TABLE sales DROP COLUMN nope", 'column "nope" of relation "sales" does not exist'),
        ("SHOW nothing", 'unrecognized configuration parameter "nothing"'),
    ],
)
def test_errors_are_told_in_the_words_of_redshift(data: BaseClient, sql: str, said: str) -> None:
    done(
        data,
        SALES,
        "CREATE TABLE digits (d INT)",
        "INSERT INTO digits VALUES (1), (2)",
        "CREATE TABLE strict (a INT NOT NULL)",
        "CREATE VIEW v AS SELECT region FROM sales",
    )
    assert error(data, sql).startswith(f"ERROR: {said}")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "COPY t TO '/tmp/x'",
        "ATTACH '/tmp/x' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SET enable_external_access = true",
        "EXPORT DATABASE '/tmp'",
        "CREATE SECRET s (TYPE s3)",
        "SELECT content FROM read_text('/etc/passwd')",
    ],
)
def test_the_machine_is_out_of_reach(data: BaseClient, sql: str) -> None:
    described = run(data, sql)
    if sql.startswith("SET"):  # taken, and without effect
        described = run(data, "SELECT content FROM read_text('/etc/passwd')")
    assert described["Status"] == "FAILED"
    assert "root" not in described["Error"]


# --- Redshift's SQL ------------------------------------------------------------------------------


def test_the_dialect_is_redshift(data: BaseClient) -> None:
    done(data, SALES, ROWS)

    def one(sql: str) -> list[Any]:
        return rows(data, f"SELECT {sql}")[0]

    assert one(
        "DATEADD(day, 10, '2026-01-01'::date), DATEDIFF(month, '2026-01-01', '2026-03-05')"
    ) == [
        "2026-01-11 00:00:00",
        2,
    ]
    assert one("NVL(NULL, 1), NVL2(1, 2, 3), DECODE(2, 1, 'a', 'b'), ISNULL(NULL, 4)") == [
        1,
        2,
        "b",
        4,
    ]
    assert one(
        "LEN('abc'), CHARINDEX('b', 'abc'), SPLIT_PART('a,b', ',', 2), STRTOL('ff', 16)"
    ) == [
        3,
        2,
        "b",
        255,
    ]
    assert one(
        "TO_CHAR('2026-01-02'::timestamp, 'YYYY/MM'), TRUNC('2026-01-02 10:00:00'::timestamp)"
    ) == [
        "2026/01",
        "2026-01-02",
    ]
    assert one(
        "'abcdef'::varchar(3), 'abc' SIMILAR TO 'a%', 'A' ILIKE 'a', ADD_MONTHS('2026-01-31', 1)"
    ) == [
        "abc",
        True,
        True,
        "2026-02-28 00:00:00",
    ]
    assert rows(data, "SELECT TOP 1 region FROM sales ORDER BY amount DESC") == [["tokyo"]]
    assert rows(
        data,
        "SELECT region, LISTAGG(amount, '; ') WITHIN GROUP (ORDER BY amount) FROM sales "
        "GROUP BY region ORDER BY region",
    ) == [["osaka", "3.00"], ["tokyo", "4.00; 10.50"]]
    assert rows(data, "SELECT LISTAGG(DISTINCT region, '|') FROM sales")[0][0] in (
        "osaka|tokyo",
        "tokyo|osaka",
    )
    assert rows(data, "SELECT APPROXIMATE COUNT(DISTINCT customer_id) FROM sales") == [[2]]
    ratios = "SELECT RATIO_TO_REPORT(amount) OVER (PARTITION BY region) FROM sales ORDER BY 1"
    assert [round(row[0], 4) for row in rows(data, ratios)] == [0.2759, 0.7241, 1.0]
    assert rows(
        data,
        "SELECT region, amount FROM sales QUALIFY ROW_NUMBER() OVER (PARTITION BY region "
        "ORDER BY amount DESC) = 1 ORDER BY region",
    ) == [["osaka", "3.00"], ["tokyo", "10.50"]]
    assert rows(
        data,
        "SELECT * FROM (SELECT region, amount FROM sales) "
        "PIVOT (SUM(amount) FOR region IN ('tokyo', 'osaka'))",
    ) == [["14.50", "3.00"]]
    assert rows(data, "SELECT MEDIAN(amount) FROM sales") == [["4.00"]]


def test_merge_updates_and_inserts(data: BaseClient) -> None:
    done(
        data,
        "CREATE TABLE t (id INT, name VARCHAR(10))",
        "INSERT INTO t VALUES (1, 'old'), (2, 'kept')",
        "CREATE TABLE s (id INT, name VARCHAR(10))",
        "INSERT INTO s VALUES (1, 'new'), (3, 'added')",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)",
    )
    expected = [[1, "new"], [2, "kept"], [3, "added"]]
    assert rows(data, "SELECT * FROM t ORDER BY id") == expected
    done(
        data, "UPDATE s SET name = 'third'", "MERGE INTO t USING s ON t.id = s.id REMOVE DUPLICATES"
    )
    expected = [[1, "third"], [2, "kept"], [3, "third"]]
    assert rows(data, "SELECT * FROM t ORDER BY id") == expected


def test_super_is_navigated(data: BaseClient) -> None:
    done(
        data,
        "CREATE TABLE t (x SUPER)",
        'INSERT INTO t SELECT JSON_PARSE(\'{"a": [1, {"b": 2}], "c": "text"}\')',
    )
    sql = "SELECT x.a[1].b, x.c, JSON_EXTRACT_PATH_TEXT('{\"k\": {\"l\": 5}}', 'k', 'l') FROM t"
    assert rows(data, sql) == [["2", '"text"', "5"]]


def test_a_materialized_view_is_stale_until_it_is_refreshed(data: BaseClient) -> None:
    done(
        data,
        SALES,
        ROWS,
        "CREATE MATERIALIZED VIEW totals DISTKEY(region) AUTO REFRESH YES AS "
        "SELECT region, SUM(amount) AS total FROM sales GROUP BY region",
    )
    stale = "SELECT is_stale, autorefresh FROM svv_mv_info WHERE name = 'totals'"
    total = "SELECT total FROM totals WHERE region = 'osaka'"
    assert (rows(data, stale), rows(data, total)) == ([["f", "t"]], [["3.00"]])
    done(data, "INSERT INTO sales (region, amount) VALUES ('osaka', 7)")
    assert (rows(data, stale), rows(data, total)) == ([["t", "t"]], [["3.00"]])
    done(data, "REFRESH MATERIALIZED VIEW totals")
    assert (rows(data, stale), rows(data, total)) == ([["f", "t"]], [["10.00"]])
    assert error(data, "DROP TABLE totals").startswith("ERROR: Table")
    done(data, "DROP MATERIALIZED VIEW totals")


def test_a_late_binding_view_binds_late(data: BaseClient) -> None:
    done(
        data,
        "CREATE VIEW late AS SELECT a FROM public.later WITH NO SCHEMA BINDING",
        "CREATE TABLE later (a INT)",
        "INSERT INTO later VALUES (7)",
    )
    assert rows(data, "SELECT a FROM late") == [[7]]
    done(data, "DROP TABLE later")
    assert error(data, "SELECT a FROM late") == 'ERROR: relation "later" does not exist'
    said = error(data, "CREATE VIEW bad AS SELECT a FROM later WITH NO SCHEMA BINDING")
    assert said.startswith("ERROR: All the relation names inside should be qualified")


def test_a_table_can_be_altered(data: BaseClient) -> None:
    done(
        data,
        SALES,
        ROWS,
        "ALTER TABLE sales ADD COLUMN note VARCHAR(4) DEFAULT 'none'",
        "ALTER TABLE sales ALTER COLUMN note TYPE VARCHAR(20)",
        "UPDATE sales SET note = 'a longer one' WHERE sale_id = 1",
        "ALTER TABLE sales RENAME COLUMN note TO remark",
        "ALTER TABLE sales RENAME TO sold",
        "ALTER TABLE sold ALTER SORTKEY (amount, region)",
        "ALTER TABLE sold ALTER DISTSTYLE EVEN",
    )
    sql = "SELECT sale_id, remark FROM sold ORDER BY 1"
    assert rows(data, sql) == [[1, "a longer one"], [2, "none"], [3, "none"]]
    definition = (
        'SELECT "column", type, distkey, sortkey, "notnull" FROM pg_table_def '
        "WHERE tablename = 'sold'"
    )
    assert rows(data, definition) == [
        ["sale_id", "integer", False, 0, True],
        ["customer_id", "integer", False, 0, False],
        ["region", "character varying(8)", False, 2, False],
        ["amount", "numeric(10,2)", False, 1, False],
        ["sold_at", "timestamp without time zone", False, 0, False],
        ["remark", "character varying(20)", False, 0, False],
    ]
    done(data, "INSERT INTO sold (region) VALUES ('kyoto')")
    assert rows(data, "SELECT max(sale_id) FROM sold") == [[4]]
    assert error(data, "ALTER TABLE sold DROP COLUMN amount").startswith(
        "ERROR: cannot drop a column"
    )
    done(data, "ALTER TABLE sold DROP COLUMN remark", "CREATE TABLE copied (LIKE sold)")
    assert rows(data, "SELECT count(*) FROM copied") == [[0]]


def test_fewer_values_than_columns_fill_the_first(data: BaseClient) -> None:
    done(
        data,
        "CREATE TABLE t (a INT, b VARCHAR(5) DEFAULT 'x', c INT)",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t SELECT 2, 'y'",
    )
    assert rows(data, "SELECT * FROM t ORDER BY a") == [[1, "x", None], [2, "y", None]]


def test_what_has_no_effect_is_accepted(data: BaseClient) -> None:
    done(
        data,
        SALES,
        "CREATE USER bob PASSWORD 'Abc12345'",
        "CREATE GROUP readers WITH USER bob",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO GROUP readers",
        "REVOKE ALL ON sales FROM bob",
        "ALTER USER bob SET statement_timeout TO 1000",
        "ANALYZE sales",
        "ANALYZE",
        "VACUUM",
        "VACUUM FULL sales TO 99 PERCENT",
        "VACUUM DELETE ONLY sales",
        "VACUUM REINDEX sales",
        "SET statement_timeout TO 1000",
        "COMMENT ON TABLE sales IS 'all of them'",
        "DROP USER bob",
    )
    shown = run(data, "EXPLAIN SELECT * FROM sales")
    assert shown["HasResultSet"] is True
    assert rows(data, "SELECT count(*) FROM sales") == [[0]]


def test_search_path_finds_tables_of_a_schema(data: BaseClient) -> None:
    described = batch(
        data,
        "CREATE SCHEMA staging",
        "CREATE TABLE staging.t AS SELECT 7 AS a",
        "SET search_path TO staging, public",
        "SELECT a FROM t",
        "SHOW search_path",
    )
    assert described["Status"] == "FINISHED", described
    answers = [data.get_statement_result(Id=f"{described['Id']}:{n}")["Records"][0] for n in (4, 5)]
    assert answers == [[{"longValue": 7}], [{"stringValue": "staging, public"}]]


# --- physical design -----------------------------------------------------------------------------


def test_the_distribution_of_rows_is_computed(data: BaseClient) -> None:
    done(
        data,
        "CREATE TABLE seven (k INT DISTKEY)",
        "CREATE TABLE even (k INT) DISTSTYLE EVEN",
        "CREATE TABLE every (k INT) DISTSTYLE ALL",
        "CREATE TABLE small (k INT)",
    )
    for table in ("seven", "even", "every", "small"):
        done(data, f"INSERT INTO {table} SELECT n % 7 FROM generate_series(1, 1402) AS g(n)")

    def held(table: str) -> list[int]:
        sql = f"SELECT rows FROM stv_tbl_perm WHERE name = '{table}' ORDER BY slice"
        return [row[0] for row in rows(data, sql)]

    assert held("even") == [351, 351, 350, 350]
    assert held("every") == [1402, 0, 1402, 0] == held("small")
    assert sum(held("seven")) == 1402 and len(set(held("seven"))) > 1
    assert rows(data, "SELECT node, slice FROM stv_slices ORDER BY slice") == [
        [0, 0],
        [0, 1],
        [1, 2],
        [1, 3],
    ]
    sql = 'SELECT "table", diststyle, tbl_rows, skew_rows FROM svv_table_info ORDER BY 1'
    most, least = max(held("seven")), min(held("seven"))
    skew = f"{most / least:.2f}" if least else "100.00"
    assert rows(data, sql) == [
        ["even", "EVEN", "1402", "1.00"],
        ["every", "ALL", "1402", None],
        ["seven", "KEY(k)", "1402", skew],
        ["small", "AUTO(ALL)", "1402", None],
    ]


def test_rows_that_come_later_are_unsorted_until_a_vacuum(data: BaseClient) -> None:
    done(data, "CREATE TABLE t (d DATE) COMPOUND SORTKEY(d)")
    sql = "SELECT sortkey1, sortkey_num, unsorted FROM svv_table_info WHERE \"table\" = 't'"
    done(data, "INSERT INTO t VALUES ('2026-01-01'), ('2026-01-02'), ('2026-01-03')")
    assert rows(data, sql) == [["d", 1, "0.00"]]
    done(data, "INSERT INTO t VALUES ('2025-01-01')")
    assert rows(data, sql) == [["d", 1, "25.00"]]
    done(data, "VACUUM DELETE ONLY t")
    assert rows(data, sql) == [["d", 1, "25.00"]]
    done(data, "VACUUM SORT ONLY t")
    assert rows(data, sql) == [["d", 1, "0.00"]]


def test_the_history_of_queries(data: BaseClient) -> None:
    done(data, SALES, ROWS)
    error(data, "SELECT nope FROM sales")
    sql = (
        "SELECT query_type, status, trim(query_text), error_message FROM sys_query_history "
        "ORDER BY query_id"
    )
    found = rows(data, sql)
    assert [row[:2] for row in found] == [
        ["DDL", "success"],
        ["INSERT", "success"],
        ["SELECT", "failed"],
    ]
    assert found[1][2] == ROWS
    assert found[2][3] == 'ERROR: column "nope" does not exist in sales'


def test_a_session_has_a_process_of_its_own(data: BaseClient) -> None:
    history = "FROM sys_query_history WHERE session_id = {} ORDER BY query_id"
    sql = f"SELECT pg_backend_pid(), query_id {history}"
    first = data.execute_statement(
        Sql="SELECT 1", SessionKeepAliveSeconds=60, WaitTimeSeconds=30, **PLACE
    )
    alone = run(data, "SELECT 1")
    session = {"SessionId": first["SessionId"]}
    again = data.execute_statement(Sql="SELECT 1", WaitTimeSeconds=30, **session)
    own = data.execute_statement(Sql=sql.format("pg_backend_pid()"), WaitTimeSeconds=30, **session)
    processes = [described["RedshiftPid"] for described in (first, again, own)]
    assert len(set(processes)) == 1
    assert alone["RedshiftPid"] not in processes
    ids = [data.describe_statement(Id=made["Id"])["RedshiftQueryId"] for made in (first, again)]
    records = data.get_statement_result(Id=own["Id"])["Records"]
    assert [[cell["longValue"] for cell in record] for record in records] == [
        [processes[0], number] for number in ids
    ]
    (row,) = rows(data, sql.format(alone["RedshiftPid"]))
    assert row[0] not in [alone["RedshiftPid"], *processes]  # the process of the question itself
    assert row[1] == alone["RedshiftQueryId"]


def test_execution_is_the_part_of_the_time_that_duckdb_takes(ten: BaseClient) -> None:
    done(ten, "SELECT SUM(i) FROM ten")
    sql = (
        "SELECT execution_time, elapsed_time FROM sys_query_history "
        "WHERE query_text = 'SELECT SUM(i) FROM ten'"
    )
    ((execution, elapsed),) = rows(ten, sql)
    assert 0 < execution < elapsed  # the translation counts in the whole


# --- the order of rows, and the blocks that a query reads ----------------------------------------

KEYED = "CREATE TABLE k (id INT, d DATE) SORTKEY(d)"
DATES = "('2026-01-03', 1), ('2026-01-01', 2), ('2026-01-02', 3)"
TENS = "SELECT a.i + 10 * b.i + 100 * c.i + 1000 * e.i FROM ten a, ten b, ten c, ten e"


def ids(data: BaseClient, table: str = "k") -> list[int]:
    """In the order in which the table has them."""
    return [row[0] for row in rows(data, f"SELECT id FROM {table}")]


def make_days(data: BaseClient, table: str, design: str) -> None:
    """100,000 rows, 1,000 of each of 100 days, no day beside its neighbour."""
    done(data, f"CREATE TABLE {table} (id INT, d DATE) {design}")
    number = "(f.i * 10000 + t.n)"
    day = f"DATEADD(day, MOD({number} * 37, 100), '2026-01-01'::DATE)::DATE"
    done(data, f"INSERT INTO {table} SELECT {number}, {day} FROM ten f, ({TENS}) AS t (n)")


@pytest.fixture
def ten(data: BaseClient) -> BaseClient:
    """A client, and a table of the ten digits."""
    digits = ", ".join(f"({digit})" for digit in range(10))
    done(data, "CREATE TABLE ten (i INT)", f"INSERT INTO ten VALUES {digits}")
    return data


def detail(data: BaseClient, sql: str) -> list[list[Any]]:
    """Run a query and look at what it read."""
    number = run(data, sql)["RedshiftQueryId"]
    return rows(
        data,
        "SELECT TRIM(table_name), is_rrscan, input_rows, output_rows, blocks_read "
        f"FROM sys_query_detail WHERE query_id = {number} AND step_name = 'scan' ORDER BY 1",
    )


@pytest.mark.parametrize(
    "load",
    [
        f"INSERT INTO k (d, id) VALUES {DATES}",
        "INSERT INTO k SELECT id, d FROM source",
        "INSERT INTO k (SELECT id, d FROM source ORDER BY id)",
        "INSERT INTO k (d, id) SELECT d, id FROM source",
        "INSERT INTO k SELECT id, d::VARCHAR FROM source UNION ALL SELECT id, d FROM nothing",
        "INSERT INTO k WITH q AS (SELECT * FROM source) SELECT id, d FROM q",
        "ALTER TABLE k APPEND FROM source",
    ],
)
def test_rows_come_into_an_empty_table_in_the_order_of_its_sort_key(
    data: BaseClient, load: str
) -> None:
    done(data, KEYED, *(KEYED.replace(" k ", f" {name} ") for name in ("source", "nothing")))
    done(data, "ALTER TABLE source ALTER SORTKEY NONE")
    done(data, f"INSERT INTO source (d, id) VALUES {DATES}")
    assert ids(data, "source") == [1, 2, 3]
    done(data, load)
    assert ids(data) == [2, 3, 1]


def test_the_order_is_that_of_the_columns_type(data: BaseClient) -> None:
    done(data, "CREATE TABLE k (id INT, n INT) SORTKEY(n, id)")
    done(data, "INSERT INTO k SELECT 1, '10' UNION ALL SELECT 3, '9' UNION ALL SELECT 2, '9'")
    assert ids(data) == [2, 3, 1]


def test_a_key_that_is_not_filled_orders_nothing(data: BaseClient) -> None:
    done(data, KEYED, "INSERT INTO k (id) SELECT 2 UNION ALL SELECT 1")
    assert sorted(ids(data)) == [1, 2]


def test_a_load_that_does_not_fit_is_refused_as_ever(data: BaseClient) -> None:
    done(data, KEYED)
    assert error(data, "INSERT INTO k SELECT nope FROM k") == (
        'ERROR: column "nope" does not exist in k'
    )
    assert error(data, "INSERT INTO k SELECT 1, 'x'") == (
        'ERROR: invalid input syntax for type date: "x"'
    )
    assert error(data, "INSERT INTO k SELECT 1, d, 3 FROM k") == (
        "ERROR: INSERT has more expressions than target columns"
    )


def test_created_tables_are_sorted(data: BaseClient) -> None:
    done(data, "CREATE TABLE s (id INT, d DATE)", f"INSERT INTO s (d, id) VALUES {DATES}")
    done(data, "CREATE TABLE k SORTKEY(d) AS SELECT * FROM s")
    done(data, "CREATE MATERIALIZED VIEW m SORTKEY(d) AS SELECT * FROM s")
    assert ids(data, "k") == ids(data, "m") == [2, 3, 1]
    done(data, "INSERT INTO s VALUES (4, '2025-12-31')", "REFRESH MATERIALIZED VIEW m")
    assert ids(data, "m") == [4, 2, 3, 1]


def test_copy_sorts_the_rows_of_all_files(data: BaseClient, s3: BaseClient) -> None:
    s3.put_object(Bucket=BUCKET, Key="csv/1", Body="1,2026-01-03\n2,2026-01-01\n")
    s3.put_object(Bucket=BUCKET, Key="csv/2", Body="3,2026-01-02\n")
    for number, (name, days) in enumerate({"a": [3, 1], "b": [2]}.items()):
        file = io.BytesIO()
        found = {"x": [10 * number + day for day in days], "y": [f"2026-01-0{d}" for d in days]}
        parquet.write_table(pyarrow.table(found), file)
        s3.put_object(Bucket=BUCKET, Key=f"parquet/{name}", Body=file.getvalue())
    done(data, KEYED)
    copy = f"COPY k FROM 's3://{BUCKET}/%s/' IAM_ROLE '{ROLE}' FORMAT %s"
    done(data, copy % ("csv", "CSV"))
    assert ids(data) == [2, 3, 1]
    done(data, copy % ("csv", "CSV"))
    assert ids(data) == [2, 3, 1, 1, 2, 3]
    done(data, "TRUNCATE k", copy % ("parquet", "PARQUET"))
    assert ids(data) == [1, 12, 3]


def test_a_vacuum_sorts_what_came_later(data: BaseClient) -> None:
    done(data, KEYED, f"INSERT INTO k (d, id) VALUES {DATES}")
    table = rows(data, "SELECT table_id FROM svv_table_info WHERE \"table\" = 'k'")
    done(data, "INSERT INTO k SELECT 4, '2025-12-31'")
    assert ids(data) == [2, 3, 1, 4]
    done(data, "VACUUM DELETE ONLY k")
    assert ids(data) == [2, 3, 1, 4]
    done(data, "VACUUM k")
    assert ids(data) == [4, 2, 3, 1]
    assert rows(data, "SELECT table_id FROM svv_table_info WHERE \"table\" = 'k'") == table


def test_a_new_sort_key_sorts(data: BaseClient) -> None:
    done(data, KEYED, f"INSERT INTO k (d, id) VALUES {DATES}")
    done(data, "ALTER TABLE k ALTER SORTKEY (id)")
    assert ids(data) == [1, 2, 3]
    sql = "SELECT sortkey1, unsorted FROM svv_table_info WHERE \"table\" = 'k'"
    assert rows(data, sql) == [["id", "0.00"]]


def test_rows_are_sorted_in_transactions_and_temporary_tables(data: BaseClient) -> None:
    made = data.batch_execute_statement(
        Sqls=[
            KEYED.replace("TABLE", "TEMP TABLE"),
            f"INSERT INTO k (d, id) VALUES {DATES}",
            "SELECT id FROM k",
        ],
        WaitTimeSeconds=30,
        **PLACE,
    )
    assert data.describe_statement(Id=made["Id"])["Status"] == "FINISHED"
    records = data.get_statement_result(Id=f"{made['Id']}:3")["Records"]
    assert [record[0]["longValue"] for record in records] == [2, 3, 1]


def test_a_snapshot_keeps_the_order(ten: BaseClient, redshift: BaseClient) -> None:
    make_days(ten, "k", "SORTKEY(d)")
    redshift.create_cluster_snapshot(SnapshotIdentifier="s", ClusterIdentifier="analytics")
    redshift.get_waiter("snapshot_available").wait(SnapshotIdentifier="s")
    redshift.restore_from_cluster_snapshot(ClusterIdentifier="again", SnapshotIdentifier="s")
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier="again")
    place = {"ClusterIdentifier": "again"}
    sql = "SELECT SUM(id) FROM k WHERE d = '2026-01-01'"
    assert rows(ten, sql, **place) == [[sum(range(0, 100_000, 100))]]
    assert rows(ten, "SELECT blocks_read FROM sys_query_detail", **place) == [[1]]


@pytest.mark.parametrize("days", [1, 7, 30, 100])
def test_a_sort_key_saves_blocks(ten: BaseClient, days: int) -> None:
    make_days(ten, "in_order", "SORTKEY(d)")
    make_days(ten, "in_turn", "")
    where = f"d < DATEADD(day, {days}, '2026-01-01'::DATE)"
    ((name, restricted, came, left, blocks),) = detail(
        ten, f"SELECT SUM(id) FROM in_order WHERE {where}"
    )
    # Of each 8,192 rows the least and the greatest day are known.
    assert (name, left, blocks) == ("in_order", days * 1000, -(-days * 1000 // 8192))
    assert came == min(blocks * 8192, 100_000)
    assert restricted == ("t" if days < 100 else "f")
    assert detail(ten, f"SELECT SUM(id) FROM in_turn WHERE {where}") == [
        ["in_turn", "f", 100_000, days * 1000, 13]
    ]


def test_deleted_rows_take_room_until_a_vacuum(ten: BaseClient) -> None:
    make_days(ten, "k", "SORTKEY(d)")
    read = "SELECT SUM(id) FROM k"
    done(ten, "DELETE FROM k WHERE d >= '2026-01-11'")
    assert detail(ten, read) == [["k", "f", 10_000, 10_000, 13]]
    done(ten, "VACUUM k")
    assert detail(ten, read) == [["k", "f", 10_000, 10_000, 2]]
    done(ten, "TRUNCATE k", "INSERT INTO k VALUES (1, '2026-01-01')")
    assert detail(ten, read) == [["k", "f", 1, 1, 1]]


def test_a_scan_of_each_table_is_kept(ten: BaseClient) -> None:
    done(ten, "CREATE TABLE two (n INT)", "INSERT INTO two VALUES (1), (2)")
    done(ten, "CREATE VIEW pairs AS SELECT a.i, b.n FROM ten a JOIN two b ON a.i = b.n")
    assert [row[0] for row in detail(ten, "SELECT i, n FROM pairs")] == ["ten", "two"]
    assert detail(ten, "SELECT COUNT(*) FROM ten") == []  # known without a look
    assert detail(ten, "SELECT COUNT(*) FROM svv_table_info") == []
    assert detail(ten, "INSERT INTO two SELECT i FROM ten WHERE i > 7") == []


def test_a_failed_query_leaves_no_detail(ten: BaseClient) -> None:
    error(ten, "SELECT 1 / (i - i) FROM ten")
    assert rows(ten, "SELECT COUNT(*) FROM sys_query_detail") == [[0]]


def test_what_the_lab_does_not_know_of_a_step_is_null(ten: BaseClient) -> None:
    done(ten, "SELECT SUM(i) FROM ten")
    table = rows(ten, "SELECT table_id FROM svv_table_info WHERE \"table\" = 'ten'")[0][0]
    sql = (
        "SELECT user_id, child_query_sequence, TRIM(metrics_level), table_id, stream_id, "
        "segment_id, step_id, start_time, end_time, duration, alert, input_bytes, output_bytes, "
        "blocks_write, local_read_io, remote_read_io, data_skewness, time_skewness, "
        "spilled_block_local_disk, spilled_block_remote_disk FROM sys_query_detail"
    )
    assert rows(ten, sql) == [[100, 1, "step", table, *[None] * 16]]


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM read_csv('/etc/passwd')", "SELECT getenv('HOME')", "SELECT * FROM glob('/*')"],
)
def test_sql_reaches_nothing_of_the_machine(data: BaseClient, sql: str) -> None:
    assert run(data, sql)["Status"] == "FAILED"


def test_the_files_of_a_warehouse_end_with_its_cluster(
    data: BaseClient, redshift: BaseClient
) -> None:
    done(data, "CREATE TABLE t (i INT)")
    (folder,) = own_folder().glob("warehouse-*")
    assert [file.name for file in folder.iterdir()] == ["1.duckdb"]
    redshift.delete_cluster(ClusterIdentifier="analytics", SkipFinalClusterSnapshot=True)
    redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier="analytics")
    assert not folder.exists()


# --- COPY and UNLOAD -----------------------------------------------------------------------------

CSV = "1,tokyo,10.5,2026-01-01\n2,osaka,3,2026-01-02\n"
TABLE = "CREATE TABLE t (id INT, region VARCHAR(8), amount DECIMAL(10,2), sold_on DATE)"


def load(data: BaseClient, what: str, options: str = "CSV") -> dict[str, Any]:
    return run(data, f"COPY t FROM 's3://{BUCKET}/{what}' IAM_ROLE '{ROLE}' {options}")


@pytest.mark.parametrize(
    ("key", "body", "options"),
    [
        ("a.csv", CSV, "CSV"),
        ("a.csv", "id,region,amount,sold_on\n" + CSV, "FORMAT AS CSV IGNOREHEADER 1"),
        ("a.txt", CSV.replace(",", "|"), ""),
        ("a.tsv", CSV.replace(",", "\t"), "DELIMITER '\\t'"),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0), "CSV GZIP"),
        (
            "a.csv",
            CSV.replace("2026-01-0", "01/0").replace("/01", "/01/2026").replace("/02", "/02/2026"),
            "CSV DATEFORMAT 'MM/DD/YYYY'",
        ),
        (
            "a.json",
            '{"id": 1, "region": "tokyo", "amount": 10.5, "sold_on": "2026-01-01"}\n'
            '{"id": 2, "sold_on": "2026-01-02", "amount": 3, "region": "osaka", "more": [1]}',
            "FORMAT JSON 'auto'",
        ),
    ],
)
def test_copy_loads_texts(
    data: BaseClient, s3: BaseClient, key: str, body: Any, options: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    done(data, TABLE)
    described = load(data, key, options)
    assert (described["Status"], described["ResultRows"]) == ("FINISHED", 2), described
    assert rows(data, "SELECT * FROM t ORDER BY id") == [
        [1, "tokyo", "10.50", "2026-01-01"],
        [2, "osaka", "3.00", "2026-01-02"],
    ]


def test_copy_loads_parquet_by_position(data: BaseClient, s3: BaseClient) -> None:
    table = pyarrow.table({"x": [1, 2], "y": ["tokyo", None], "z": [1.5, 2.5], "d": [None, None]})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    s3.put_object(Bucket=BUCKET, Key="a.parquet", Body=buffer.getvalue())
    done(data, TABLE)
    assert load(data, "a.parquet", "FORMAT AS PARQUET")["ResultRows"] == 2
    expected = [[1, "tokyo", "1.50", None], [2, None, "2.50", None]]
    assert rows(data, "SELECT * FROM t ORDER BY id") == expected
    done(data, "ALTER TABLE t ADD COLUMN extra INT")
    assert "Unmatched number of columns" in load(data, "a.parquet", "PARQUET")["Error"]


def test_copy_follows_a_manifest(data: BaseClient, s3: BaseClient) -> None:
    s3.put_object(Bucket=BUCKET, Key="in/1.csv", Body="1,tokyo,1,2026-01-01")
    s3.put_object(Bucket=BUCKET, Key="in/2.csv", Body="2,osaka,2,2026-01-01")
    entries = [
        {"url": f"s3://{BUCKET}/in/1.csv", "mandatory": True},
        {"url": f"s3://{BUCKET}/in/nope.csv", "mandatory": False},
    ]
    s3.put_object(Bucket=BUCKET, Key="manifest", Body=json.dumps({"entries": entries}))
    done(data, TABLE)
    assert load(data, "manifest", "CSV MANIFEST")["ResultRows"] == 1
    assert load(data, "in/")["ResultRows"] == 2
    entries[1]["mandatory"] = True
    s3.put_object(Bucket=BUCKET, Key="manifest", Body=json.dumps({"entries": entries}))
    assert "The specified key does not exist" in load(data, "manifest", "CSV MANIFEST")["Error"]


def test_copy_fills_named_columns_and_identities(data: BaseClient, s3: BaseClient) -> None:
    s3.put_object(Bucket=BUCKET, Key="a", Body="tokyo|1\nosaka|\n")
    done(data, "CREATE TABLE t (n INT IDENTITY(10,5), a VARCHAR(9), b INT, c INT DEFAULT 7)")
    done(data, f"COPY t (a, b) FROM 's3://{BUCKET}/a' IAM_ROLE '{ROLE}'")
    assert rows(data, "SELECT * FROM t ORDER BY n") == [[10, "tokyo", 1, 7], [15, "osaka", None, 7]]


def test_refused_lines_bear_the_process_of_their_session(data: BaseClient, s3: BaseClient) -> None:
    s3.put_object(Bucket=BUCKET, Key="bad.csv", Body="x,tokyo,1,2026-01-01\n")
    done(data, TABLE)
    processes = [load(data, "bad.csv")["RedshiftPid"] for _ in range(2)]
    assert processes[0] != processes[1]
    found = rows(data, "SELECT session_id FROM sys_load_error_detail ORDER BY query_id")
    assert found == [[process] for process in processes]


def test_copy_refuses_lines_and_says_which(data: BaseClient, s3: BaseClient) -> None:
    body = "1,tokyo,1,2026-01-01\nx,tokyo,1,2026-01-01\n3,much too long,1,2026-01-01\n4,a,1\n"
    s3.put_object(Bucket=BUCKET, Key="bad.csv", Body=body)
    done(data, TABLE)
    failed = "ERROR: Load into table 't' failed.  Check 'stl_load_errors' system table for details."
    assert load(data, "bad.csv")["Error"] == failed
    assert rows(data, "SELECT count(*) FROM t") == [[0]]
    assert load(data, "bad.csv", "CSV MAXERROR 3")["ResultRows"] == 1
    sql = (
        "SELECT line_number, trim(colname), trim(raw_field_value), err_code, trim(err_reason) "
        "FROM stl_load_errors ORDER BY query DESC, line_number LIMIT 3"
    )
    assert rows(data, sql) == [
        [2, "id", "x", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"],
        [3, "region", "much too long", 1204, "String length exceeds DDL length"],
        [4, "", "", 1214, "Delimiter not found"],
    ]
    assert load(data, "bad.csv", "CSV MAXERROR 2 TRUNCATECOLUMNS")["ResultRows"] == 2


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (f"COPY t FROM 's3://{BUCKET}/a.csv' CSV", "COPY needs an authorization"),
        (
            f"COPY t FROM 's3://{BUCKET}/a.csv' IAM_ROLE '{ROLE}2' CSV",
            f"User arn:aws:redshift:ap-northeast-1:111122223333:dbuser:analytics/awsuser is not "
            f"authorized to assume IAM Role {ROLE}2",
        ),
        (f"COPY t FROM 's3://{BUCKET}/a.csv' IAM_ROLE default CSV", "The cluster or workgroup has"),
        (
            f"COPY t FROM 's3://amzn-s3-demo-nope/a' IAM_ROLE '{ROLE}'",
            "S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket",
        ),
        (
            f"COPY t FROM 's3://{BUCKET}/nope' IAM_ROLE '{ROLE}'",
            "The specified S3 prefix 'nope' doe",
        ),
        (
            f"COPY t FROM 's3://{BUCKET}/a.csv' IAM_ROLE '{ROLE}' GZIP",
            "failed to inflate with gzip",
        ),
        (
            f"COPY nope FROM 's3://{BUCKET}/a.csv' IAM_ROLE '{ROLE}'",
            'relation "nope" does not exist',
        ),
        (f"COPY t FROM '/etc/passwd' IAM_ROLE '{ROLE}'", "the lab reads and writes s3:// only"),
        (
            f"COPY t FROM 's3://{BUCKET}/a.csv' IAM_ROLE '{ROLE}' AVRO 'auto'",
            "the lab does not COPY",
        ),
        (
            f"COPY t FROM 's3://{BUCKET}/a.csv' IAM_ROLE '{ROLE}' NONSENSE",
            'syntax error at or near "N',
        ),
        (
            f"COPY t (x) FROM 's3://{BUCKET}/a.csv' IAM_ROLE '{ROLE}'",
            'column "x" of relation "t" doe',
        ),
    ],
)
def test_copy_says_what_is_wrong(data: BaseClient, s3: BaseClient, sql: str, said: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="a.csv", Body=CSV)
    done(data, TABLE)
    assert error(data, sql).startswith(f"ERROR: {said}")


def keys(s3: BaseClient, prefix: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [item["Key"] for item in found]


def test_unload_writes_one_object_for_each_slice(data: BaseClient, s3: BaseClient) -> None:
    done(data, SALES, ROWS)
    to = f"TO 's3://{BUCKET}/out/' IAM_ROLE '{ROLE}'"
    described = run(data, f"UNLOAD ('SELECT region, amount FROM sales ORDER BY 2') {to}")
    assert described["ResultRows"] == 3 and described["HasResultSet"] is False
    names = keys(s3, "out/")
    assert names == [f"out/000{n}_part_00" for n in range(3)]
    bodies = [s3.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names]
    assert b"".join(bodies) == b"osaka|3.00\ntokyo|4.00\ntokyo|10.50\n"
    again = error(data, f"UNLOAD ('SELECT 1') {to}")
    assert again.startswith("ERROR: Specified unload destination on S3 is not empty.")
    done(data, f"UNLOAD ('SELECT 1') {to} ALLOWOVERWRITE PARALLEL OFF")
    assert keys(s3, "out/")[0] == "out/000"
    done(data, f"UNLOAD ('SELECT 1') {to} CLEANPATH PARALLEL OFF")
    assert keys(s3, "out/") == ["out/000"]


def test_unload_as_csv_and_parquet(data: BaseClient, s3: BaseClient) -> None:
    done(data, SALES, ROWS)
    query = "SELECT region, amount, NULL AS nothing FROM sales WHERE region = ''osaka''"
    start = f"UNLOAD ('{query}') TO 's3://{BUCKET}"
    done(
        data,
        f"{start}/csv/' IAM_ROLE '{ROLE}' CSV HEADER PARALLEL OFF GZIP",
        f"{start}/parquet/' IAM_ROLE '{ROLE}' FORMAT AS PARQUET PARALLEL OFF",
        f"{start}/by/' IAM_ROLE '{ROLE}' CSV PARTITION BY (region)",
    )
    body = s3.get_object(Bucket=BUCKET, Key="csv/000.gz")["Body"].read()
    assert gzip.decompress(body) == b"region,amount,nothing\nosaka,3.00,\n"
    body = s3.get_object(Bucket=BUCKET, Key="parquet/000.parquet")["Body"].read()
    table = parquet.read_table(io.BytesIO(body))
    assert table.column_names == ["region", "amount", "nothing"] and table.num_rows == 1
    assert keys(s3, "by/") == ["by/region=osaka/0000_part_00"]


# --- data through the life of a cluster ----------------------------------------------------------


def test_data_outlive_pause_resize_and_rename(redshift: BaseClient, data: BaseClient) -> None:
    done(data, SALES, ROWS)
    wait = redshift.get_waiter("cluster_available").wait
    redshift.pause_cluster(ClusterIdentifier="analytics")
    for _ in range(2):
        redshift.describe_clusters()
    redshift.resume_cluster(ClusterIdentifier="analytics")
    wait(ClusterIdentifier="analytics")
    redshift.resize_cluster(ClusterIdentifier="analytics", NumberOfNodes=4)
    wait(ClusterIdentifier="analytics")
    assert len(rows(data, "SELECT * FROM stv_slices")) == 8
    redshift.modify_cluster(ClusterIdentifier="analytics", NewClusterIdentifier="renamed")
    wait(ClusterIdentifier="renamed")
    there = {"ClusterIdentifier": "renamed"}
    assert rows(data, "SELECT count(*) FROM sales", **there) == [[3]]


def test_a_snapshot_is_restored_with_data_and_design(
    redshift: BaseClient, data: BaseClient
) -> None:
    done(
        data,
        SALES,
        ROWS,
        "CREATE DATABASE other",
        "CREATE SCHEMA staging",
        "CREATE TABLE staging.raw AS SELECT JSON_PARSE('[1]') AS j",
        "CREATE VIEW v AS SELECT region FROM sales",
        "CREATE VIEW late AS SELECT * FROM public.sales WITH NO SCHEMA BINDING",
    )
    redshift.create_cluster_snapshot(ClusterIdentifier="analytics", SnapshotIdentifier="kept")
    redshift.get_waiter("snapshot_available").wait(SnapshotIdentifier="kept")
    done(data, "DROP TABLE sales CASCADE")
    redshift.restore_from_cluster_snapshot(ClusterIdentifier="again", SnapshotIdentifier="kept")
    redshift.get_waiter("cluster_restored").wait(ClusterIdentifier="again")
    there = {"ClusterIdentifier": "again"}
    assert rows(data, "SELECT count(*) FROM v", **there) == [[3]]
    assert rows(data, "SELECT count(*) FROM late", **there) == [[3]]
    assert rows(data, "SELECT j[0] FROM staging.raw", **there) == [["1"]]
    assert data.list_databases(**PLACE | there)["Databases"] == ["dev", "other"]
    done(data, "INSERT INTO sales (region) VALUES ('kyoto')", **there)
    assert rows(data, "SELECT max(sale_id) FROM sales", **there) == [[4]]
    sql = "SELECT diststyle, sortkey1 FROM svv_table_info WHERE \"table\" = 'sales'"
    assert rows(data, sql, **there) == [["KEY(customer_id)", "sold_at"]]
    assert error(data, "SELECT * FROM sales") == 'ERROR: relation "sales" does not exist'


def test_a_deleted_cluster_takes_its_data_along(redshift: BaseClient, data: BaseClient) -> None:
    done(data, SALES)
    redshift.delete_cluster(ClusterIdentifier="analytics", SkipFinalClusterSnapshot=True)
    redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier="analytics")
    assert refusal(data.list_tables, **PLACE)[1].startswith("Redshift endpoint doesn't exist")
    make_cluster(redshift)
    assert data.list_tables(**PLACE)["Tables"] == []


# --- over HTTP -----------------------------------------------------------------------------------


def test_the_same_over_http(lab_server: str) -> None:
    with (
        patch.dict(os.environ, environment(AWS_ENDPOINT_URL=lab_server), clear=True),
        patch.object(boto3, "DEFAULT_SESSION", None),
        shared_loader(),
    ):
        redshift, data = boto3.client("redshift"), boto3.client("redshift-data")
        make_cluster(redshift)
        done(data, SALES, ROWS)
        assert rows(data, "SELECT count(*) FROM sales") == [[3]]
        described = run(data, "SELECT nope FROM sales")
        assert described["Error"] == 'ERROR: column "nope" does not exist in sales'
        assert isinstance(described["CreatedAt"], datetime)
        assert refusal(data.describe_statement, Id="0" * 8 + "-0000-0000-0000-" + "0" * 12) == (
            "ResourceNotFoundException",
            "Query does not exist.",
        )
