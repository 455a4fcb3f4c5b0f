"""Query Amazon Redshift without a connection: parameters, waiting, pages and typed values."""

import argparse
import sys
import time
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

LONGEST = 300  # seconds that the query may take
SQL = """
SELECT sale_id, sold_on, quantity, amount, coupon
FROM sales
WHERE channel = :channel AND sold_on = CAST(:day AS DATE)
ORDER BY sale_id
"""


# [start: submit]
def submit_query(data: BaseClient, target: dict[str, str], **values: str) -> str:
    """The id of the query, which now runs by itself (`redshift-data:ExecuteStatement`).

    Each value takes the place of `:name`. Values are always strings: the SQL casts them. They are
    never part of the SQL's text, so that nobody can inject any.
    """
    parameters = [{"name": name, "value": value} for name, value in values.items()]
    return data.execute_statement(Sql=SQL, Parameters=parameters, **target)["Id"]


# [end: submit]


# [start: wait]
def wait_for_result(data: BaseClient, statement_id: str) -> None:
    """Wait until the query has finished (`redshift-data:DescribeStatement`).

    Raises RuntimeError with Redshift's message; TimeoutError once it was canceled as too long.
    """
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        state = data.describe_statement(Id=statement_id, WaitTimeSeconds=10)
        if state["Status"] == "FINISHED":
            return
        if state["Status"] in ("FAILED", "ABORTED"):  # ABORTED: somebody has canceled it
            raise RuntimeError(f"{state['Status']}: {state.get('Error', 'canceled')}")
    data.cancel_statement(Id=statement_id)
    raise TimeoutError(f"ABORTED: canceled after {LONGEST} seconds")


# [end: wait]


# [start: fetch]
def fetch_rows(data: BaseClient, statement_id: str) -> tuple[list[dict[str, Any]], int]:
    """All rows, and the number of pages (`redshift-data:GetStatementResult`)."""
    rows, pages = [], 0
    for page in data.get_paginator("get_statement_result").paginate(Id=statement_id):
        columns = [(column["name"], column["typeName"]) for column in page["ColumnMetadata"]]
        for record in page["Records"]:
            cells = zip(columns, record, strict=True)
            rows.append({name: value_of(field, kind) for (name, kind), field in cells})
        pages += 1
    return rows, pages


def value_of(field: dict[str, Any], kind: str) -> Any:
    """A field has one key: isNull, booleanValue, longValue, doubleValue, stringValue, blobValue."""
    if field.get("isNull"):
        return None
    (value,) = field.values()
    convert = {"numeric": Decimal, "date": date.fromisoformat}.get(kind)
    return convert(value) if convert else value


# [end: fetch]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster-id", required=True)
    parser.add_argument("--db-user", required=True)
    parser.add_argument("--database", default="dev")
    parser.add_argument("--channel", default="web")
    parser.add_argument("--day", type=date.fromisoformat, default=date(2025, 7, 1))
    arguments = parser.parse_args()
    cluster, channel, day = arguments.cluster_id, arguments.channel, str(arguments.day)
    target = {
        "ClusterIdentifier": cluster,
        "DbUser": arguments.db_user,
        "Database": arguments.database,
    }
    try:
        data = boto3.client("redshift-data")
        statement_id = submit_query(data, target, channel=channel, day=day)
        wait_for_result(data, statement_id)
        rows, pages = fetch_rows(data, statement_id)
    except KeyboardInterrupt:
        sys.exit(f"Interrupted. The query on {cluster} may still run; it changes nothing.")
    except (RuntimeError, TimeoutError, BotoCoreError, ClientError) as error:
        sys.exit(
            f"{str(error).rstrip('.')}. The query on {cluster} changes nothing: run "
            "star_schema.sql with run_sql.py first, as the same user, and check the options, "
            "AWS_DEFAULT_REGION, credentials and network."
        )
    print(f"{channel}, {day}: {len(rows)} rows, pages: {pages}")
    for name, value in (rows[0] if rows else {}).items():
        print(f"  {name:8}  {type(value).__name__:8}  {value}")


if __name__ == "__main__":
    main()
