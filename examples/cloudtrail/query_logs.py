"""Run the SQL files on a folder of CloudTrail log files, on this machine and without AWS.

DuckDB runs the SQL, which sqlglot translates from Athena's dialect.
"""

import argparse
import gzip
import json
import os
import re
import stat
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

HERE = Path(__file__).parent
PLACE = re.compile(r".*/CloudTrail/([^/]+)/(\d{4}/\d\d/\d\d)/[^/]+")
TABLE_FILES = ("create_table.sql", "drop_table.sql")  # for Athena only
FOLDERS = {"CloudTrail-Digest", "CloudTrail-Insight"}  # beside the logs of every trail
DIGESTS, OTHERS = "digest or Insights files", "other files"
CONFIG = ("configurationItems", "configSnapshotId")
BATCH = 2_000  # records that go into the database at once
STRUCT, ARRAY, MAP = exp.DataType.Type.STRUCT, exp.DataType.Type.ARRAY, exp.DataType.Type.MAP


def read_records(path: Path) -> list[dict[str, Any]] | None:
    """The records of a log file, None of a digest file. Raises ValueError: it is none, or cut."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("is no regular file")
        content = path.read_bytes()
        text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except OSError as error:  # BadGzipFile is one too
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error):
        raise ValueError("is cut off or damaged") from None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("holds no JSON, or is no gzip file") from None
    names = document if isinstance(document, dict) else {}
    records = names.get("Records")
    if records is None and "digestS3Object" in names:
        return None
    if not isinstance(records, list):
        kind = "Config" if names.keys() & set(CONFIG) else "JSON"
        raise ValueError(f"is a {kind} file without Records")
    if not all(isinstance(record, dict) for record in records):
        raise ValueError("has a record that is no JSON object")
    if any(record.get("eventCategory") == "Insight" for record in records):
        raise ValueError("holds Insights events")
    return records


def shape_of(kind: exp.DataType) -> Any:
    """A type of Athena as a dict (STRUCT), a list of one (ARRAY), MAP, or None for text."""
    if kind.this == STRUCT:
        return {part.name: shape_of(part.args["kind"]) for part in kind.expressions}
    if kind.this == ARRAY:
        return [shape_of(kind.expressions[0])]
    return MAP if kind.this == MAP else None


def fit(value: Any, shape: Any) -> Any:
    """A value as a column of this shape holds it, other JSON as text; what does not fit is null."""
    if isinstance(shape, dict) and isinstance(value, dict):
        given = {name.lower(): part for name, part in value.items()}
        return {name: fit(given.get(name), inner) for name, inner in shape.items()}
    if isinstance(shape, list) and isinstance(value, list):
        return [fit(part, shape[0]) for part in value]
    if shape == MAP and isinstance(value, dict):
        return {clean(name): fit(part, None) for name, part in value.items()}
    if value is None or shape is not None:
        return None
    return clean(value if isinstance(value, str) else json.dumps(value))


def clean(text: str) -> str:
    """Without what no database takes: halves of characters, and NUL."""
    return text.encode(errors="replace").decode().replace("\0", "")


def read_rows(folder: Path, shape: Any, count: Counter[str]) -> Iterator[dict[str, Any]]:
    """The rows of all log files below a folder; what is skipped is told on stderr."""

    def skip(path: Any, why: Any) -> None:
        count["skipped"] += 1
        print(f"skipped: {path} {why}", file=sys.stderr)

    def skip_folder(error: OSError) -> None:
        skip(error.filename, f"cannot be read: {error.strerror}")

    for where, folders, names in os.walk(folder, onerror=skip_folder):
        folders.sort()
        for path in (Path(where, name) for name in folders):
            if path.is_symlink():
                skip(path, "is a link to a folder")
        for path in (Path(where, name) for name in sorted(names)):
            if FOLDERS & set(path.parts):
                count[DIGESTS] += 1
                continue
            if path.suffix.lower() not in (".json", ".gz"):
                count[OTHERS] += 1
                if count[OTHERS] == 1:
                    print(f"left out: {path} and all that is not .json or .gz", file=sys.stderr)
                continue
            try:
                records, place = read_records(path), PLACE.fullmatch(path.as_posix())
                rows = [fit(record, shape) for record in records or []]
            except (ValueError, RecursionError) as error:
                skip(path, error)
                continue
            if records is None:
                count[DIGESTS] += 1
                continue
            count["read"] += 1
            for fitted in rows:
                day = (fitted["eventtime"] or "")[:10].replace("-", "/")
                region, day = place.groups() if place else (fitted["awsregion"], day)
                yield fitted | {"region": region, "timestamp": day}


def load(database: duckdb.DuckDBPyConnection, folder: Path) -> Counter[str]:
    """Fill the table that create_table.sql describes; how many files were read, skipped, …"""
    table = sqlglot.parse_one((HERE / "create_table.sql").read_text(encoding="utf-8"), "athena")
    columns = [*table.this.expressions, *table.find(exp.PartitionedByProperty).this.expressions]
    types = ", ".join(f'"{c.name}" {c.args["kind"].sql("duckdb")}' for c in columns)
    database.execute(f"CREATE TABLE cloudtrail_logs ({types})")
    given = f"CAST(? AS JSON)::STRUCT({types})[]"
    insert = f"INSERT INTO cloudtrail_logs SELECT unnest({given}, max_depth := 2)"
    count = Counter(read=0, skipped=0)
    rows = read_rows(folder, {c.name: shape_of(c.args["kind"]) for c in columns}, count)
    while batch := list(islice(rows, BATCH)):
        database.execute(insert, [json.dumps(batch)])
    return count


def translate(sql: str) -> str:
    """Athena's SQL as DuckDB's. Raises ValueError: it is not one query, or has a placeholder."""
    statements = [s for s in sqlglot.parse(sql, "athena") if s and not isinstance(s, exp.Semicolon)]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ValueError("write one SELECT per file, and nothing else")
    if left := re.search(r"\$\{\w+\}", sql):
        raise ValueError(f"{left[0]} is not known here: only ${{first_day}} and ${{last_day}} are")
    query = statements[0]
    for found in query.find_all(exp.JSONExtractScalar):  # Athena: null if it is no JSON
        text = found.this.sql("duckdb")
        found.set("this", sqlglot.parse_one(f"CASE WHEN json_valid({text}) THEN {text} END"))
    return query.sql("duckdb")


def run_query(database: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[list[str]]]:
    """Names of the columns, and rows, as text."""
    result = database.execute(sql)
    rows = [["" if value is None else str(value) for value in row] for row in result.fetchall()]
    return [name for name, *_ in result.description], rows


def print_table(rows: list[list[str]]) -> None:
    """Print columns of equal width; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def day(text: str) -> str:
    """A day as the folders of log files are named."""
    try:
        return datetime.strptime(text, "%Y/%m/%d").date().isoformat().replace("-", "/")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day: write YYYY/MM/DD") from None


def answer(arguments: argparse.Namespace) -> int:
    """Read the folder, run the files of SQL, return the exit status."""
    with tempfile.TemporaryDirectory() as place, duckdb.connect(f"{place}/logs") as database:
        database.execute("SET memory_limit = '1GB'")  # the rest stays on the disk
        try:
            count = load(database, arguments.folder)
        except (OSError, ValueError, sqlglot.errors.SqlglotError, duckdb.Error) as error:
            print(f"Nothing was queried: {error}", file=sys.stderr)
            return 2  # no create_table.sql, or the disk is full
        kinds = [kind for kind in (DIGESTS, OTHERS) if count[kind]]
        left_out = "".join(f", {count[kind]} {kind} left out" for kind in kinds)
        print(f"{count['read']} log files read, {count['skipped']} skipped{left_out}")
        if not count["read"]:
            found = "No log file could be read" if count["skipped"] else "There is no log file"
            print(f"{found} below {arguments.folder}.", file=sys.stderr)
            return 2
        failed = False
        queries = [file for file in sorted(HERE.glob("*.sql")) if file.name not in TABLE_FILES]
        for file in arguments.files or queries:
            try:
                text = file.read_text(encoding="utf-8-sig")
                sql = translate(Template(text).safe_substitute(vars(arguments)))
                head, rows = run_query(database, sql)
            except (OSError, ValueError, sqlglot.errors.SqlglotError, duckdb.Error) as error:
                failed = True
                print(f"{file}: {str(error).splitlines()[0]}", file=sys.stderr)
                continue
            print(f"\n{file.name}: {len(rows)} rows")
            print_table([head, *rows])
    return 2 if failed else int(count["skipped"] > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.sql", help="default: all")
    parser.add_argument("--first-day", type=day, default="0001/01/01", metavar="YYYY/MM/DD")
    parser.add_argument("--last-day", type=day, default="9999/12/31", metavar="YYYY/MM/DD")
    arguments = parser.parse_args()
    if arguments.first_day > arguments.last_day:
        parser.error(f"first day {arguments.first_day} is after last day {arguments.last_day}")
    try:
        next(arguments.folder.iterdir(), None)
    except OSError as error:
        parser.error(f"{arguments.folder} cannot be read as a folder: {error.strerror}")
    try:
        status = answer(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, head for example, wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # as a shell calls it
    sys.exit(status)


if __name__ == "__main__":
    main()
