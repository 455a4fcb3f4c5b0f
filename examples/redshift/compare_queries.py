"""Measure in Amazon Redshift what a sort key and a materialized view save."""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

LONGEST = 600  # seconds that one statement may take
# Neither a cached result nor a materialized view may answer in the place of a table.
SETTINGS = (
    "SET enable_result_cache_for_session TO off",
    "SET mv_enable_aqmv_for_session TO FALSE",
)
QUERIES = {
    ("one day", "with sort key"): "SELECT SUM(amount) FROM sales WHERE sold_on = '2025-07-01'",
    ("one day", "without"): "SELECT SUM(amount) FROM sales_unsorted WHERE sold_on = '2025-07-01'",
    ("by quarter", "base query"): "SELECT * FROM revenue_now",
    ("by quarter", "materialized view"): "SELECT * FROM revenue_by_quarter",
}


def run_statement(data: BaseClient, target: dict[str, Any], sql: str) -> dict[str, Any]:
    """Run one statement to its end (`redshift-data:ExecuteStatement`, `DescribeStatement`).

    Raises RuntimeError with Redshift's message; TimeoutError if it has not ended in time.
    """
    statement = data.execute_statement(Sql=sql, **target)
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        state = data.describe_statement(Id=statement["Id"], WaitTimeSeconds=10)
        if state["Status"] == "FINISHED":
            return {**state, "SessionId": statement["SessionId"]}
        if state["Status"] in ("FAILED", "ABORTED"):
            raise RuntimeError(state.get("Error", "The statement was canceled."))
    raise TimeoutError(f"No end after {LONGEST} seconds.")


# [start: measure]
def measure(data: BaseClient, target: dict[str, Any], repeat: int) -> list[list[Any]]:
    """The median execution time of each query, in milliseconds, from SYS_QUERY_HISTORY.

    The queries take turns, so that a busy moment meets all of them. Raises as run_statement.
    """
    for setting in SETTINGS:
        target = {"SessionId": run_statement(data, target, setting)["SessionId"]}
    ids: dict[tuple[str, str], list[int]] = {name: [] for name in QUERIES}
    for _ in range(repeat):
        for name, sql in QUERIES.items():
            ids[name].append(run_statement(data, target, sql)["RedshiftQueryId"])
    numbers = ", ".join(str(number) for found in ids.values() for number in found)
    history = "SELECT query_id, execution_time FROM sys_query_history WHERE query_id IN"
    state = run_statement(data, target, f"{history} ({numbers})")
    pages = data.get_paginator("get_statement_result").paginate(Id=state["Id"])
    records = [record for page in pages for record in page["Records"]]
    took = {query["longValue"]: time["longValue"] / 1000 for query, time in records}
    return [[*name, statistics.median(map(took.get, found))] for name, found in ids.items()]


# [end: measure]


def writable_file(name: str) -> Path:
    """The path of a file that can be written: argparse tells why not, before anything runs."""
    path = Path(name)
    try:
        is_new = not path.exists()
        path.open("a").close()
        if is_new:
            path.unlink()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {name}: {error.strerror}") from error
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    parser.add_argument("--db-user", required=True)
    parser.add_argument("--database", default="dev")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=writable_file, required=True, help="file for the times")
    arguments = parser.parse_args()
    cluster, repeat = arguments.cluster_id, arguments.repeat
    if repeat < 1:
        parser.error("--repeat: 1 or more")
    target = {
        "ClusterIdentifier": cluster,
        "DbUser": arguments.db_user,
        "Database": arguments.database,
        "SessionKeepAliveSeconds": 60,
    }
    try:
        rows = measure(boto3.client("redshift-data"), target, repeat)
        times = {"repeat": repeat, "columns": ["query", "design", "median_ms"], "rows": rows}
        arguments.json.write_text(json.dumps(times) + "\n", encoding="utf-8")
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. A query on {cluster} may still run; it changes nothing.")
    except (RuntimeError, OSError, BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The queries on {cluster} change nothing: run "
            "star_schema.sql, sort_key.sql and materialized_view.sql first, as the same user, and "
            "check the options, AWS_DEFAULT_REGION, credentials and network."
        )
    for query, design, _ in rows:
        print(f"{query:10}  {design:17}  median of {repeat} runs in {arguments.json}")


if __name__ == "__main__":
    main()
