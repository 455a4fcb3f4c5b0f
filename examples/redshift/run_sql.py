"""Run the statements of a SQL file one after another with the Amazon Redshift Data API."""

import argparse
import json
import os
import re
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|\$\$.*?\$\$|--[^\n]*|/\*.*?\*/|.", re.DOTALL)
LONGEST = 600  # seconds that one statement may take


def split_statements(sql: str) -> list[str]:
    """The statements of a text without its comments; a semicolon in quotes or `$$` ends none.

    Not understood: a comment within a comment, a backslash before a quote, `$name$`.
    """
    statements = [""]
    for token in TOKEN.findall(sql):
        if token == ";":
            statements.append("")
        elif not token.startswith(("--", "/*")):
            statements[-1] += token
    return [text.strip() for text in statements if text.strip()]


# [start: run]
def wait_for_end(data: BaseClient, statement_id: str) -> dict[str, Any]:
    """The description of the finished statement (`redshift-data:DescribeStatement`).

    Raises RuntimeError with Redshift's message, and TimeoutError once the statement was canceled
    for taking too long.
    """
    deadline = time.monotonic() + LONGEST
    while True:
        state = data.describe_statement(Id=statement_id, WaitTimeSeconds=10)
        if state["Status"] == "FINISHED":
            return state
        if state["Status"] in ("FAILED", "ABORTED"):
            raise RuntimeError(state.get("Error", "The statement was canceled."))
        if time.monotonic() > deadline:
            data.cancel_statement(Id=statement_id)
            raise TimeoutError(f"Canceled after {LONGEST} seconds.")


# [end: run]


def fetch_result(data: BaseClient, statement_id: str) -> dict[str, list[Any]]:
    """Columns and rows, from all pages (`redshift-data:GetStatementResult`)."""
    pages = list(data.get_paginator("get_statement_result").paginate(Id=statement_id))
    columns = pages[0]["ColumnMetadata"]
    kinds = [column["typeName"] for column in columns]
    rows = [list(map(plain, row, kinds)) for page in pages for row in page["Records"]]
    return {"columns": [column["name"] for column in columns], "rows": rows}


def plain(field: dict[str, Any], kind: str) -> Any:
    """A field of a record as a value: it has one key, named for its type."""
    value = None if field.get("isNull") else next(iter(field.values()))
    return Decimal(value) if value and kind == "numeric" else value  # it comes as a string


def print_table(columns: list[str], rows: list[list[Any]]) -> None:
    """Print columns of equal width, numbers and texts to the right."""
    lines = [columns, *(["NULL" if v is None else str(v) for v in row] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        print("   ", *map(str.rjust, line, widths))


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
    warehouse = parser.add_mutually_exclusive_group(required=True)
    warehouse.add_argument("--cluster-id")
    warehouse.add_argument("--workgroup-name")
    parser.add_argument("--db-user", help="of a cluster; default: named after the IAM identity")
    parser.add_argument("--database", default="dev")
    parser.add_argument("--json", type=writable_file, help="file to write the results to")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    try:
        statements = split_statements(arguments.file.read_text("utf-8-sig"))
    except (OSError, UnicodeError) as error:
        parser.error(f"cannot read {arguments.file} as UTF-8: {error}")
    if not statements:
        parser.error(f"{arguments.file} has no statement")
    name = arguments.cluster_id or arguments.workgroup_name
    kind = "ClusterIdentifier" if arguments.cluster_id else "WorkgroupName"
    target = {kind: name, "Database": arguments.database, "SessionKeepAliveSeconds": 60}
    if arguments.db_user:
        target["DbUser"] = arguments.db_user
    done, first, state, results = 0, statements[0].splitlines()[0], "was not sent", []
    try:
        data = boto3.client("redshift-data")
        for done, sql in enumerate(statements):
            first, state = sql.splitlines()[0], "is not known to run"
            sent = data.execute_statement(Sql=sql, **target)
            target = {"SessionId": sent["SessionId"]}  # keeps temporary tables and SET
            state = "may still run"
            found = wait_for_end(data, sent["Id"])
            state = "is done, but its result is lost"
            print(f"{done + 1:2}  {first}")
            if found["HasResultSet"]:
                results.append(fetch_result(data, sent["Id"]))
                print_table(**results[-1])
        if arguments.json:
            text = json.dumps({"statements": results}, default=float)
            arguments.json.write_text(text + "\n", encoding="utf-8")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone, as `head` does
        os._exit(1)
    except (RuntimeError, OSError, KeyboardInterrupt, BotoCoreError, ClientError) as error:
        state = "has failed" if isinstance(error, RuntimeError) else state
        sys.exit(
            f"{(str(error) or 'Interrupted').rstrip('.')}. Statement {done + 1} of "
            f"{arguments.file} ({first}) {state}; statements done before it in {name}: {done}. "
            "Check the SQL, --cluster-id or --workgroup-name, AWS_DEFAULT_REGION, credentials and "
            "network, and run the file again."
        )


if __name__ == "__main__":
    main()
