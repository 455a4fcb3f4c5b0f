"""What bare moto does with queries of Athena."""

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from contracts.gaps import gap

DROPPED = (
    "no longer knows a database with tables after `DROP DATABASE`, "
    "which AWS refuses without `CASCADE`"
)
OUTPUT = {"OutputLocation": "s3://amzn-s3-demo-bucket/out/"}


@pytest.fixture
def athena(bare_moto: None) -> BaseClient:
    return boto3.client("athena")


def start(athena: BaseClient, sql: str = "SELECT nothing FROM nowhere") -> str:
    query = athena.start_query_execution(QueryString=sql, ResultConfiguration=OUTPUT)
    return str(query["QueryExecutionId"])


@gap("athena:StartQueryExecution", "runs no query")
@gap("athena:GetQueryExecution", "has scanned no bytes", "knows no query that fails")
@gap("athena:GetQueryResults", "has no rows")
def test_a_query_of_nowhere_succeeds(athena: BaseClient) -> None:
    name = start(athena)
    query = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
    assert query["Status"]["State"] == "SUCCEEDED"
    assert query["Statistics"]["DataScannedInBytes"] == 0
    assert athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"] == []


@gap("athena:StartQueryExecution", "needs no output location")
def test_no_output_location_is_needed(athena: BaseClient) -> None:
    athena.start_query_execution(QueryString="SELECT 1")


@gap("athena:ListQueryExecutions", "lists the oldest first")
def test_the_oldest_comes_first(athena: BaseClient) -> None:
    names = [start(athena), start(athena)]
    assert athena.list_query_executions()["QueryExecutionIds"] == names


@gap("athena:StopQueryExecution", "cancels a query that has succeeded")
def test_a_query_that_has_succeeded_is_cancelled(athena: BaseClient) -> None:
    name = start(athena)
    athena.get_query_execution(QueryExecutionId=name)
    athena.stop_query_execution(QueryExecutionId=name)
    query = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
    assert query["Status"]["State"] == "CANCELLED"


@gap("athena:GetDatabase", DROPPED)
@gap("athena:ListDatabases", DROPPED)
def test_a_database_with_tables_is_dropped(athena: BaseClient) -> None:
    start(athena, "CREATE DATABASE sales")
    start(athena, "CREATE EXTERNAL TABLE sales.t (n INT) LOCATION 's3://amzn-s3-demo-bucket/t/'")
    start(athena, "DROP DATABASE sales")
    names = athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert "sales" not in [each["Name"] for each in names]
    with pytest.raises(ClientError):
        athena.get_database(CatalogName="AwsDataCatalog", DatabaseName="sales")
