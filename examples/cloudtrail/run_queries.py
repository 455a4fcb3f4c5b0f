"""Run SQL files on Amazon Athena and print what they find."""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

import boto3
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

PATIENCE = 600  # seconds until a query is given up
ADVICE = {  # by what Athena says
    "TABLE_NOT_FOUND": "Run create_table.sql first.",
    "already exist": "drop_table.sql removes that table, which may be of another bucket.",
    r"line \d+:\d+": "Check the SQL and the names.",
    "": "Check the names, the Region and permissions.",
}


def day(text: str) -> str:
    """A day as the folders of log files are named."""
    try:
        return datetime.strptime(text, "%Y/%m/%d").date().isoformat().replace("-", "/")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day: write YYYY/MM/DD") from None


def read_sql(file: Path) -> str:
    """The SQL of a file, without comments. Raises ValueError: it is not UTF-8, or there is none."""
    try:
        text = re.sub(r"(?m)^--.*\n?", "", file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{file.name} is not UTF-8: save it as UTF-8") from None
    if not text.strip():
        raise ValueError(f"{file.name} holds no SQL")
    return text


def start_query(athena: BaseClient, sql: str, database: str, output: str) -> str:
    """Start it and return its id (`athena:StartQueryExecution`). output: an `s3://` address."""
    answer = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": database},
        ResultConfiguration={"OutputLocation": output},
    )
    return answer["QueryExecutionId"]


def wait_for(athena: BaseClient, query_id: str) -> int:
    """Wait for the end, return the bytes that were scanned (`athena:GetQueryExecution`).

    Raises RuntimeError: the query failed or was cancelled. TimeoutError: it has not ended.
    """
    for _ in range(PATIENCE):
        query = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        status = query["Status"]
        if status["State"] == "SUCCEEDED":
            return query["Statistics"].get("DataScannedInBytes", 0)
        if status["State"] in ("FAILED", "CANCELLED"):
            reason = status.get("StateChangeReason", "no reason given")
            raise RuntimeError(f"{status['State']}: {reason}")
        time.sleep(1)
    raise TimeoutError(f"It still runs after {PATIENCE} seconds: stop it in the console")


def fetch_rows(athena: BaseClient, query_id: str) -> Iterator[list[str]]:
    """The lines of the result, the names of the columns first (`athena:GetQueryResults`)."""
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
    for page in pages:
        for row in page["ResultSet"]["Rows"]:
            yield [value.get("VarCharValue", "") for value in row["Data"]]


def print_table(rows: list[list[str]]) -> None:
    """Print columns of equal width; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def main() -> None:
    now = datetime.now(UTC)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.sql")
    parser.add_argument("--bucket", required=True, help="of the log files: ${bucket} in the SQL")
    parser.add_argument("--output", help="where results go; default: athena-results in the bucket")
    parser.add_argument("--database", default="default")
    for name, moment in {"--first-day": now - timedelta(days=30), "--last-day": now}.items():
        parser.add_argument(name, type=day, default=f"{moment:%Y/%m/%d}", metavar="YYYY/MM/DD")
    arguments = parser.parse_args()
    output = arguments.output or f"s3://{arguments.bucket}/athena-results/"
    if not re.fullmatch(r"s3://[^/]+(/.*)?", output):
        parser.error(f"--output {output}: write s3://BUCKET/PREFIX/")
    if arguments.first_day > arguments.last_day:
        parser.error(f"first day {arguments.first_day} is after last day {arguments.last_day}")
    try:
        queries = [(file.name, read_sql(file)) for file in arguments.files]
    except (OSError, ValueError) as error:
        sys.exit(f"{error}. Nothing was run.")
    left, before = "Nothing was run.", ""
    try:
        account = boto3.client("sts").get_caller_identity()["Account"]
        athena = boto3.client("athena")
        for name, text in queries:
            sql = Template(text).safe_substitute(vars(arguments), account=account)
            left = f"{name} may have run, with results in {output}."
            query_id = start_query(athena, sql, arguments.database, output)
            left = f"{name} was started as query {query_id}, with results in {output}."
            scanned = wait_for(athena, query_id)
            rows = list(fetch_rows(athena, query_id))
            found = f"{len(rows) - 1} rows, {-(-scanned // 10**6)} MB scanned" if rows else "done"
            print(f"{name}: {found}")
            print_table(rows)
            before = f" Results of the files before it are in {output}."
    except (BotoCoreError, ClientError, RuntimeError, OSError, KeyboardInterrupt) as error:
        said = str(error).rstrip(".") or "Interrupted"
        if isinstance(error, RuntimeError):
            left = f"{name} failed."
        elif getattr(error, "operation_name", "") == "StartQueryExecution":
            left = f"{name} was not run."
        advice = next(text for part, text in ADVICE.items() if re.search(part, said))
        sys.exit(f"{said}. {left}{before} {advice}")


if __name__ == "__main__":
    main()
