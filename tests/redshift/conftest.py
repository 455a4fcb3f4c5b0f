"""A cluster to work on, made by plain calls, and what its SQL must find."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from awslab.run import Result
from awslab.scenarios import EXAMPLES

FOLDER = EXAMPLES / "redshift"


@pytest.fixture
def redshift(client: Callable[..., Any]) -> Any:
    return client("redshift")


@pytest.fixture
def serverless(client: Callable[..., Any]) -> Any:
    return client("redshift-serverless")


@pytest.fixture
def data(client: Callable[..., Any]) -> Any:
    return client("redshift-data")


@pytest.fixture
def make_cluster(redshift: Any) -> Callable[..., str]:
    """`make_cluster("name", nodes=4, MultiAZ=True)`: the name of an available cluster."""

    def make(name: str, nodes: int = 2, **settings: Any) -> str:
        size = {"ClusterType": "multi-node", "NumberOfNodes": nodes}
        request = {
            "ClusterIdentifier": name,
            "NodeType": "ra3.xlplus",
            "MasterUsername": "awsuser",
            "ManageMasterPassword": True,
            **(size if nodes > 1 else {"ClusterType": "single-node"}),
        }
        redshift.create_cluster(**{**request, **settings})
        redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name)
        return name

    return make


@pytest.fixture
def cluster(make_cluster: Callable[..., str]) -> str:
    """The name of an available cluster of two ra3.xlplus nodes."""
    return make_cluster("warehouse")


# --- SQL -----------------------------------------------------------------------------------------


@pytest.fixture
def run_file(
    run: Callable[..., Result], cluster: str, tmp_path: Path
) -> Callable[[str], list[dict[str, Any]]]:
    """`run_file("star_schema")`: all result tables of the file, run by run_sql.py."""

    def start(name: str) -> list[dict[str, Any]]:
        written = tmp_path / "results.json"
        where = ("--cluster-id", cluster, "--db-user", "awsuser", "--json", str(written))
        result = run("run_sql", *where, str(FOLDER / f"{name}.sql"))
        assert (result.status, result.errors) == (0, "")
        found: list[dict[str, Any]] = json.loads(written.read_text())["statements"]
        return found

    return start


@pytest.fixture
def select(data: Any, cluster: str) -> Callable[[str], list[list[Any]]]:
    """`select("SELECT …")`: the rows as the Data API answers them; None for NULL."""

    def ask(sql: str) -> list[list[Any]]:
        where = {"ClusterIdentifier": cluster, "Database": "dev", "DbUser": "awsuser"}
        made = data.execute_statement(Sql=sql, WaitTimeSeconds=30, **where)
        state = data.describe_statement(Id=made["Id"])
        assert state["Status"] == "FINISHED", state.get("Error")
        if not state["HasResultSet"]:
            return []
        pages = data.get_paginator("get_statement_result").paginate(Id=made["Id"])
        return [
            [None if cell.get("isNull") else next(iter(cell.values())) for cell in record]
            for page in pages
            for record in page["Records"]
        ]

    return ask


@pytest.fixture(scope="session")
def facts() -> duckdb.DuckDBPyConnection:
    """The star schema once more, made by DuckDB alone."""
    made = duckdb.connect()
    made.execute(
        "CREATE TABLE product AS SELECT n AS product_id, ['book', 'food', 'toy', 'wear'][n % 4 + 1]"
        " AS category, (5 + n * 37 % 200)::DECIMAL(8, 2) AS price FROM range(200) AS t (n)"
    )
    made.execute(
        "CREATE TABLE sales AS SELECT n AS sale_id, n * 7919 % 10000 AS customer_id, "
        "(n * 31 + n // 7) % 200 AS product_id, "
        "DATE '2025-01-01' + (n * 97 % 365)::INT AS sold_on, "
        "if(n // 1000 % 10 < 6, 'web', if(n // 1000 % 10 < 9, 'app', 'store')) AS channel, "
        "1 + n % 5 AS quantity, (quantity * (5 + product_id * 37 % 200))"
        "::DECIMAL(10, 2) AS amount, if(n % 7 = 0, 'WELCOME', NULL) AS coupon "
        "FROM range(1000000) AS t (n)"
    )
    return made
