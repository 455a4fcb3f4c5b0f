"""Queries: what a statement does, in which state it is, and what it found."""

import logging
import re
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from moto.athena.models import AthenaBackend
from moto.core.common_models import BaseModel

from awslab import objects
from awslab.clock import Course, Stage, now
from awslab.services.athena.reading import Unreadable, read
from awslab.services.athena.tables import Table, catalog_of, hive_parts, places, table_of
from awslab.sql import Running, SqlError, find_name, literal, place_of, quoted, sealed_engine

Rows = list[list[Any]]

TYPES = {
    "VARCHAR": "varchar",
    "BIGINT": "bigint",
    "HUGEINT": "bigint",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "TINYINT": "tinyint",
    "DOUBLE": "double",
    "FLOAT": "float",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
UTILITY = re.compile(r"\s*(SHOW|DESCRIBE|DESC|EXPLAIN)\b", re.IGNORECASE)
DDL = re.compile(r"\s*(CREATE|DROP|ALTER|MSCK)\b", re.IGNORECASE)


logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of statements it cannot split


class Failure(Exception):
    """What a query fails with; the message is its StateChangeReason."""


class Query(BaseModel):
    """One execution of one statement."""

    def __init__(
        self,
        backend: AthenaBackend,
        sql: str,
        database: str,
        output: str,
        request: Mapping[str, Any],
        most_bytes: int | None,
    ) -> None:
        self.id = str(uuid.uuid4())
        self.backend, self.sql, self.database = backend, sql, database
        self.request, self.most_bytes = request, most_bytes
        self.output = f"{output.rstrip('/')}/{self.id}{'.txt' if kind_of(sql) != 'DML' else '.csv'}"
        self.submitted = now()
        self.completed: datetime | None = None
        self.reason: str | None = None
        self.scanned = 0
        self.columns: list[tuple[str, str]] = []
        self.rows: Rows = []
        self.course = Course(
            [Stage("QUEUED"), Stage("RUNNING", work=self._done), Stage("SUCCEEDED")]
        )
        self._running = Running(self._run)

    @property
    def state(self) -> str:
        return self.course.stage

    @property
    def ended(self) -> bool:
        return self.state in ("SUCCEEDED", "FAILED", "CANCELLED")

    def stop(self) -> None:
        if not self._running.wait(0) and not self.ended:
            self._running.stop()
            self._end("CANCELLED", "Query cancelled")

    def _done(self, patience: float) -> bool:
        return self._running.wait(patience)

    def _end(self, state: str, reason: str) -> None:
        self.reason, self.completed = reason, now()
        self.course.stages = [*self.course.stages[:-1], Stage(state)]

    def _run(self, running: Running) -> None:
        try:
            self._execute(running)
            objects.write(self.output, as_csv(self.columns, self.rows))
            self.completed = now()
        except objects.NotFound as error:
            self._end("FAILED", f"Unable to verify/create output bucket: {error}")
        except Failure as failure:
            state = "CANCELLED" if "Bytes scanned limit" in str(failure) else "FAILED"
            self._end(state, str(failure))
        except (SqlError, Unreadable) as error:
            if self.state != "CANCELLED" and self.reason is None:
                self._end("FAILED", str(error))
        except Exception:
            logging.getLogger(__name__).exception("The lab failed in query %s", self.id)
            self._end("FAILED", "GENERIC_INTERNAL_ERROR: The lab failed in this statement.")

    def _execute(self, running: Running) -> None:
        import duckdb
        import sqlglot
        from sqlglot import exp

        try:
            parsed = sqlglot.parse_one(self.sql.strip().rstrip(";"), read="athena")
        except sqlglot.errors.SqlglotError as error:
            raise Failure(syntax_error(error)) from None
        if kind_of(self.sql) != "DML":
            self._define(parsed)
            return
        if not isinstance(parsed, exp.Query):
            raise Failure("NOT_SUPPORTED: The lab runs SELECT and table definitions only.")
        name_columns(parsed)
        forgive_json(parsed)
        engine = sealed_engine()
        try:
            with running.using(engine):
                self._load(engine, parsed)
                result = engine.execute(parsed.sql(dialect="duckdb"))
                self.columns = [
                    (name, athena_type(str(kind))) for name, kind, *_ in result.description or []
                ]
                self.rows = [list(row) for row in result.fetchall()]
        except duckdb.Error as error:
            raise Failure(self._told(str(error))) from None
        finally:
            engine.close()

    # --- reading ----------------------------------------------------------------------------------

    def _load(self, engine: Any, parsed: Any) -> None:
        """Bring every table that the query names into the engine.

        Raises:
            Failure: a table does not exist, or more is read than the workgroup allows.
        """
        from sqlglot import exp

        own = {cte.alias_or_name.lower() for cte in parsed.find_all(exp.CTE)}
        seen: set[tuple[str, str]] = set()
        for named in list(parsed.find_all(exp.Table)):
            if not named.name or (named.name.lower() in own and not named.db):
                continue
            database = (named.db or self.database).lower()
            table = self._find(database, named.name, named)
            named.set("catalog", None)
            named.set("db", exp.to_identifier(database, quoted=True))
            named.set("this", exp.to_identifier(table.name, quoted=True))
            if (database, table.name) in seen:
                continue
            seen.add((database, table.name))
            engine.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(database)}")
            target = f"{quoted(database)}.{quoted(table.name)}"
            if table.view:
                self._load_view(engine, target, table.view)
            else:
                self._load_table(engine, target, table, parsed)

    def _load_view(self, engine: Any, target: str, view: str) -> None:
        import sqlglot

        inner = sqlglot.parse_one(view, read="athena")
        forgive_json(inner)
        self._load(engine, inner)
        engine.execute(f"CREATE VIEW {target} AS {inner.sql(dialect='duckdb')}")

    def _find(self, database: str, name: str, node: Any) -> Table:
        tables = catalog_of(self.backend).get(database)
        table = (tables or {}).get(name.lower())
        if table is None:
            where = self._where(name)
            if tables is None:
                raise Failure(f"SCHEMA_NOT_FOUND: {where}: Schema '{database}' does not exist")
            full = f"awsdatacatalog.{database}.{name.lower()}"
            raise Failure(f"TABLE_NOT_FOUND: {where}: Table '{full}' does not exist")
        return table

    def _load_table(self, engine: Any, target: str, table: Table, parsed: Any) -> None:
        import pyarrow

        parts = self._wanted(engine, table, places(table, keys_of(table)), parsed)
        names = list(table.partitions)
        pieces = []
        for key, values in parts.items():
            rows, size = read(table, key)
            self.scanned += size
            if self.most_bytes is not None and self.scanned > self.most_bytes:
                raise Failure("Query cancelled! : Bytes scanned limit was exceeded")
            for name, value in zip(names, values, strict=True):
                texts = pyarrow.array([value] * rows.num_rows, pyarrow.string())
                rows = rows.append_column(name, texts)
            pieces.append(rows)
        if pieces:
            engine.register("lab_rows", pyarrow.concat_tables(pieces))
            kinds = table.columns | table.partitions
            shown = ", ".join(column_sql(name, kind) for name, kind in kinds.items())
            engine.execute(f"CREATE TABLE {target} AS SELECT {shown} FROM lab_rows")
            engine.unregister("lab_rows")
        else:
            kinds = table.columns | table.partitions
            columns = ", ".join(f"{quoted(n)} {k.sql(dialect='duckdb')}" for n, k in kinds.items())
            engine.execute(f"CREATE TABLE {target} ({columns})")

    def _wanted(
        self, engine: Any, table: Table, parts: dict[str, tuple[str, ...]], parsed: Any
    ) -> dict[str, tuple[str, ...]]:
        """The objects of the partitions that the WHERE clause of a simple query leaves."""
        from sqlglot import exp

        where = parsed.args.get("where")
        if not table.partitions or where is None or len(list(parsed.find_all(exp.Table))) != 1:
            return parts
        joined = isinstance(where.this, exp.And)
        conditions = list(where.this.flatten()) if joined else [where.this]
        names = set(table.partitions)
        pruning = [
            condition
            for condition in conditions
            if {c.name.lower() for c in condition.find_all(exp.Column)} <= names
        ]
        if not pruning or not parts:
            return parts
        columns = ", ".join(
            f"CAST(column{n} AS {kind.sql(dialect='duckdb')}) AS {quoted(name)}"
            for n, (name, kind) in enumerate(table.partitions.items())
        )
        distinct = sorted(set(parts.values()))
        rows = ", ".join(
            f"({', '.join(map(literal, values))}, {place})" for place, values in enumerate(distinct)
        )
        number = f"column{len(names)}"
        test = " AND ".join(f"({condition.sql(dialect='duckdb')})" for condition in pruning)
        alias = next(parsed.find_all(exp.Table)).alias_or_name
        left = engine.execute(
            f"SELECT place FROM (SELECT {columns}, {number} AS place FROM (VALUES {rows})"
            f" AS v({', '.join(f'column{n}' for n in range(len(names) + 1))})) AS {quoted(alias)}"
            f" WHERE {test}"
        ).fetchall()
        kept = {distinct[place] for (place,) in left}
        return {key: values for key, values in parts.items() if values in kept}

    def _where(self, name: str) -> str:
        line, column = place_of(self.sql, find_name(self.sql, name) or 0)
        return f"line {line}:{column}"

    def _told(self, said: str) -> str:
        """What the engine says, in Athena's words where they are known."""
        column = re.search(r'Referenced column "(\w+)" not found', said)
        if column:
            name = column[1]
            return (
                f"COLUMN_NOT_FOUND: {self._where(name)}: Column '{name}' cannot be resolved or "
                "requester is not authorized to access requested resources"
            )
        function = re.search(r"(?:Scalar|Aggregate|Table) Function with name (\w+) does not", said)
        if function:
            where = self._where(function[1])
            return f"FUNCTION_NOT_FOUND: {where}: Function '{function[1]}' not registered"
        return f"GENERIC_USER_ERROR: {said.splitlines()[0]}"

    # --- definitions ------------------------------------------------------------------------------

    def _define(self, parsed: Any) -> None:
        """Run a statement about databases, tables and partitions.

        Raises:
            Failure: what it names does not exist, or exists already.
        """
        from sqlglot import exp

        catalog = catalog_of(self.backend)
        words = self.sql.split()
        kind = str(parsed.args.get("kind") or "").upper()
        if isinstance(parsed, exp.Create) and kind in ("DATABASE", "SCHEMA"):
            node = parsed.find(exp.Table)
            name = (node.db or node.name).lower()
            if name in catalog and not parsed.args.get("exists"):
                raise Failure(f"FAILED: Execution Error. Database {name} already exists")
            catalog.setdefault(name, {})
        elif isinstance(parsed, exp.Create) and kind == "TABLE":
            self._create_table(parsed)
        elif isinstance(parsed, exp.Create) and kind == "VIEW":
            name = parsed.this.name.lower()
            self._tables(parsed.this)[name] = Table(name, view=parsed.expression.sql("athena"))
        elif isinstance(parsed, exp.Drop):
            self._drop(parsed, kind)
        elif words[0].upper() == "MSCK":
            table = self._named(words[-1].strip(";`"))
            table.parts |= hive_parts(table, keys_of(table))
        elif words[0].upper() == "ALTER":
            self._add_partitions()
        else:
            self._show(words)

    def _create_table(self, parsed: Any) -> None:
        table = table_of(parsed)
        tables = self._tables(parsed.this.this)
        if table.name in tables and not parsed.args.get("exists"):
            raise Failure(
                "FAILED: Execution Error, return code 1 from "
                "org.apache.hadoop.hive.ql.exec.DDLTask. AlreadyExistsException(message:Table "
                f"{table.name} already exist)"
            )
        if not table.location.startswith("s3://"):
            raise Failure("NOT_SUPPORTED: The lab needs a LOCATION that begins with s3://.")
        tables.setdefault(table.name, table)

    def _drop(self, parsed: Any, kind: str) -> None:
        from sqlglot import exp

        catalog = catalog_of(self.backend)
        node = parsed.find(exp.Table)
        if node is None:
            raise Failure("NOT_SUPPORTED: The lab drops one database, table or view at a time.")
        if kind in ("DATABASE", "SCHEMA"):
            name = (node.db or node.name).lower()
            if name not in catalog and not parsed.args.get("exists"):
                raise Failure(
                    f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}"
                )
            if catalog.get(name) and not parsed.args.get("cascade"):
                raise Failure(f"FAILED: InvalidOperationException Database {name} is not empty.")
            catalog.pop(name, None)
            return
        tables = self._tables(node)
        if node.name.lower() not in tables and not parsed.args.get("exists"):
            raise Failure(
                f"FAILED: SemanticException [Error 10001]: Table not found {node.name.lower()}"
            )
        tables.pop(node.name.lower(), None)

    def _tables(self, node: Any) -> dict[str, Table]:
        database = (node.db or self.database).lower()
        if database not in catalog_of(self.backend):
            raise Failure(
                f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}"
            )
        return catalog_of(self.backend)[database]

    def _named(self, name: str) -> Table:
        database, _, table = name.lower().rpartition(".")
        found = catalog_of(self.backend).get(database or self.database, {}).get(table)
        if found is None:
            raise Failure(f"FAILED: SemanticException [Error 10001]: Table not found {table}")
        return found

    def _add_partitions(self) -> None:
        added = re.match(
            r"\s*ALTER\s+TABLE\s+([\w.`]+)\s+ADD\s+(?:IF\s+NOT\s+EXISTS\s+)?(.*)",
            self.sql,
            re.IGNORECASE | re.DOTALL,
        )
        if added is None:
            raise Failure("NOT_SUPPORTED: The lab knows ALTER TABLE … ADD PARTITION only.")
        table = self._named(added[1].strip("`"))
        pattern = r"PARTITION\s*\(([^)]*)\)\s*(?:LOCATION\s*'([^']*)')?"
        for values, location in re.findall(pattern, added[2], re.IGNORECASE):
            pairs = [part.partition("=") for part in values.split(",")]
            given = {name.strip(" `").lower(): value.strip(" '\"") for name, _, value in pairs}
            if set(given) != set(table.partitions):
                raise Failure(f"FAILED: SemanticException partition spec {given} is incomplete")
            key = tuple(given[name] for name in table.partitions)
            folder = "/".join(f"{name}={value}" for name, value in given.items())
            table.parts[key] = location or f"{table.location.rstrip('/')}/{folder}"

    def _show(self, words: list[str]) -> None:
        catalog, what = catalog_of(self.backend), " ".join(words[:2]).upper().strip(";")
        if what in ("SHOW DATABASES", "SHOW SCHEMAS"):
            self.columns, self.rows = [("database_name", "string")], [[n] for n in sorted(catalog)]
        elif what == "SHOW TABLES":
            tables = catalog.get(words[3].strip(";`").lower() if len(words) > 3 else self.database)
            self.columns, self.rows = [("tab_name", "string")], [[n] for n in sorted(tables or {})]
        elif what == "SHOW PARTITIONS":
            table = self._named(words[2].strip(";`"))
            self.columns = [("partition", "string")]
            self.rows = [
                ["/".join(f"{n}={v}" for n, v in zip(table.partitions, values, strict=True))]
                for values in sorted(table.parts)
            ]
        elif words[0].upper() in ("DESCRIBE", "DESC"):
            table = self._named(words[-1].strip(";`"))
            self.columns = [("col_name", "string"), ("data_type", "string"), ("comment", "string")]
            kinds = table.columns | table.partitions
            self.rows = [[n, k.sql("hive").lower(), ""] for n, k in kinds.items()]
        else:
            raise Failure(f"NOT_SUPPORTED: The lab does not know {what}.")


def name_columns(query: Any) -> None:
    """Athena calls a column that has no name `_col0`, `_col1`, …"""
    from sqlglot import exp

    for number, column in enumerate(query.selects):
        if not column.alias and not isinstance(column, exp.Column | exp.Dot | exp.Star):
            column.replace(exp.alias_(column.copy(), f"_col{number}"))


def forgive_json(query: Any) -> None:
    """What is extracted from a text that is no JSON is null, not an error."""
    from sqlglot import exp

    for found in list(query.find_all(exp.JSONExtract, exp.JSONExtractScalar)):
        text = found.this
        valid = exp.func("json_valid", text.copy(), dialect="duckdb")
        found.set("this", exp.case().when(valid, text.copy()))


def keys_of(table: Table) -> list[str]:
    """Every object below the table's location; hidden ones (`_…`, `.…`) are none."""
    base = (table.template or table.location).partition("${")[0]
    bucket, _ = objects.split(base)
    try:
        found = objects.keys(base if base.endswith("/") or table.template else base + "/")
    except objects.NotFound:
        return []
    named = [f"s3://{bucket}/{key}" for key in found]
    return [n for n in named if not n.endswith("/") and n.rpartition("/")[2][0] not in "_."]


def column_sql(name: str, kind: Any) -> str:
    """A column of what was read, as its declared type where Arrow brought a text."""
    declared = kind.sql(dialect="duckdb")
    if declared.split("(")[0] in ("DATE", "TIMESTAMP", "DECIMAL", "INT", "BIGINT"):
        return f"TRY_CAST({quoted(name)} AS {declared}) AS {quoted(name)}"
    return quoted(name)


def kind_of(sql: str) -> str:
    """Athena's StatementType."""
    if UTILITY.match(sql):
        return "UTILITY"
    return "DDL" if DDL.match(sql) else "DML"


def athena_type(duckdb_type: str) -> str:
    if duckdb_type.startswith("DECIMAL"):
        return "decimal"
    if duckdb_type.endswith("[]"):
        return "array"
    if duckdb_type.startswith(("STRUCT", "MAP")):
        return "row" if duckdb_type.startswith("STRUCT") else "map"
    return TYPES.get(duckdb_type, "varchar")


def text_of(value: Any) -> str | None:
    """A value as Athena writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
        return f"{text} UTC" if value.tzinfo else text
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(str(text_of(each)) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={text_of(v)}" for k, v in value.items()) + "}"
    return str(value)


def as_csv(columns: list[tuple[str, str]], rows: Rows) -> bytes:
    """The result object: every value in quotes, null as nothing."""
    lines: list[list[str | None]] = [[name for name, _ in columns]] if columns else []
    lines += [[text_of(value) for value in row] for row in rows]
    return "".join(",".join(map(cell, line)) + "\n" for line in lines).encode()


def cell(text: str | None) -> str:
    return "" if text is None else '"' + text.replace('"', '""') + '"'


def syntax_error(error: Any) -> str:
    found = error.errors[0] if getattr(error, "errors", None) else {}
    where = f"line {found.get('line', 1)}:{found.get('col', 1)}"
    return f"SYNTAX_ERROR: {where}: mismatched input '{found.get('highlight', '')}'"
