"""What a cluster or a namespace stores: databases of DuckDB, in files that end with the lab.

They are files because DuckDB takes the size of its row groups, the blocks of this warehouse, from
the file. Nothing is ever read from one again, so nothing is made safe in them.

Of each table Redshift's physical design is kept as DuckDB's comments on the table and on its
columns, so that it takes part in transactions, follows renames and ends with the table.
"""

import json
import shutil
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awslab.sql import literal, qualified, quoted, sealed_engine_of
from awslab.work import new_folder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HISTORY = 1_000  # statements that the system views remember
PROCESS = 1_073_815_778  # the number of a server process; those of later sessions follow
BLOCK = 8_192  # rows of a row group; DuckDB keeps the least and greatest values of each
RESERVED = {"memory", "system", "temp", "main"}  # DuckDB's own catalogs and schema
PUBLIC = "public"


@dataclass(frozen=True)
class Stored:
    """One table of an image: how to make it, what is said of it, and its rows."""

    schema: str
    name: str
    create: str
    comment: str | None
    columns: dict[str, str]
    rows: Any


@dataclass(frozen=True)
class Image:
    """Everything that a warehouse stored at one moment, by database."""

    schemas: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, list[Stored]] = field(default_factory=dict)
    views: dict[str, list[tuple[str, str, str, str | None]]] = field(default_factory=dict)


class NoSuchDatabase(Exception):
    """The message is its name."""


class Warehouse:
    """The databases of one cluster or namespace. Nothing is opened before the first statement.

    first: the name of the database that exists from the beginning.
    """

    def __init__(self, first: str) -> None:
        self.first = first
        self.version = 0  # goes up with every change of data
        self.last: Any = None  # the statement that was submitted last
        self.history: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self.load_errors: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self.scans: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self.closed = False
        self._queries = 0
        self._processes = 0
        self._names = [first]
        self._files = 0
        self._folder: Path | None = None
        self._engine: DuckDBPyConnection | None = None
        self._begin: Image | None = None
        self._taken: tuple[int, Image] | None = None
        self._lock = threading.RLock()

    def next_query(self) -> int:
        """A number for a query."""
        with self._lock:
            self._queries += 1
            return self._queries

    def next_process(self) -> int:
        """A number for the server process of a session."""
        with self._lock:
            self._processes += 1
            return PROCESS + self._processes - 1

    # --- databases ---

    def names(self) -> list[str]:
        with self._lock:
            if self._begin is not None:
                return sorted(self._begin.schemas)
            return sorted(self._names)

    def connect(self, database: str) -> "DuckDBPyConnection":
        """A connection of its own to one of the databases.

        Raises:
            NoSuchDatabase: there is none of this name.
        """
        with self._lock:
            engine = self._open()
            if database not in self._names:
                raise NoSuchDatabase(database)
            connection = engine.cursor()
            connection.execute(f"USE {qualified(database, PUBLIC)}")
            return connection

    def _open(self) -> "DuckDBPyConnection":
        if self._engine is None:
            self._folder = new_folder("warehouse").resolve()
            self._engine = sealed_engine_of(self._folder, integer_division="true")
            begin, self._begin = self._begin, None
            if begin is None:
                self.create_database(self.first)
            else:
                self._load(begin)
        return self._engine

    def create_database(self, name: str) -> None:
        with self._lock:
            engine = self._open()
            assert self._folder
            self._files += 1
            file = literal(str(self._folder / f"{self._files}.duckdb"))
            kind = f"ROW_GROUP_SIZE {BLOCK}, RECOVERY_MODE no_wal_writes"
            engine.execute(f"ATTACH {file} AS {quoted(name)} ({kind})")
            engine.execute(f"CREATE SCHEMA {qualified(name, PUBLIC)}")
            self._names = sorted({*self._names, name})
            self.version += 1

    def drop_database(self, name: str) -> None:
        with self._lock:
            self._open().execute(f"DETACH {quoted(name)}")
            self._names.remove(name)
            self.version += 1

    def close(self) -> None:
        with self._lock:
            self.closed = True
            if self._engine is not None:
                self._engine.close()
                self._engine = None
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)

    def table_names(self) -> list[str]:
        """Every table as `database.schema.table`; nothing is opened for it."""
        with self._lock:
            if self._engine is None:
                tables = self._begin.tables if self._begin else {}
                return [f"{db}.{t.schema}.{t.name}" for db, all_ in tables.items() for t in all_]
            found = self._engine.cursor().execute(
                "SELECT database_name, schema_name, table_name FROM duckdb_tables() "
                "WHERE NOT temporary AND NOT internal ORDER BY ALL"
            )
            return [".".join(row) for row in found.fetchall()]

    # --- images ---

    def image(self) -> Image | None:
        """All that is stored now; None as long as nothing was."""
        with self._lock:
            if self._engine is None:
                return self._begin
            if self._taken is None or self._taken[0] != self.version:
                self._taken = (self.version, take_image(self._engine.cursor(), self._names))
            return self._taken[1]

    def restore(self, image: Image | None) -> None:
        """Begin with what an image holds. Only for a warehouse that nobody has used."""
        with self._lock:
            self._begin = image

    def _load(self, image: Image) -> None:
        for database, schemas in image.schemas.items():
            self.create_database(database)
            connection = self.connect(database)
            for schema in schemas:
                if schema != PUBLIC:
                    connection.execute(f"CREATE SCHEMA {quoted(schema)}")
            for create in image.sequences[database]:
                connection.execute(create)
            for table in image.tables[database]:
                load_table(connection, table)
            for schema, name, create, comment in image.views[database]:
                connection.execute(create)
                set_comment(connection, "VIEW", (schema, name), comment)
            connection.close()


def load_table(connection: "DuckDBPyConnection", table: Stored) -> None:
    connection.execute(table.create)
    name = qualified(table.schema, table.name)
    if table.rows.num_rows:
        connection.register("stored rows", table.rows)
        connection.execute(f'INSERT INTO {name} SELECT * FROM "stored rows"')
        connection.unregister("stored rows")
    set_comment(connection, "TABLE", (table.schema, table.name), table.comment)
    for column, comment in table.columns.items():
        set_comment(connection, "COLUMN", (table.schema, table.name, column), comment)


def set_comment(
    connection: "DuckDBPyConnection", kind: str, names: tuple[str, ...], comment: str | None
) -> None:
    if comment is not None:
        connection.execute(f"COMMENT ON {kind} {qualified(*names)} IS {literal(comment)}")


def take_image(connection: "DuckDBPyConnection", names: list[str]) -> Image:
    """Read everything in one transaction."""
    image = Image()
    connection.execute("BEGIN")
    for database in names:
        connection.execute(f"USE {qualified(database, PUBLIC)}")
        where = f"WHERE database_name = {literal(database)} AND NOT internal"

        def rows(query: str, where: str = where) -> list[Any]:
            return connection.execute(f"{query} {where} ORDER BY ALL").fetchall()

        image.schemas[database] = [
            name for (name,) in rows("SELECT schema_name FROM duckdb_schemas()") if name != "main"
        ]
        sequences = connection.execute(
            "SELECT schema_name, sequence_name, coalesce(last_value, start_value - increment_by), "
            f"increment_by FROM duckdb_sequences() WHERE database_name = {literal(database)}"
        ).fetchall()
        image.sequences[database] = [
            f"CREATE SEQUENCE {qualified(schema, name)} START {last + step} INCREMENT {step}"
            for schema, name, last, step in sequences
        ]
        comments: dict[tuple[str, str], dict[str, str]] = {}
        for schema, table, column, comment in rows(
            "SELECT schema_name, table_name, column_name, comment FROM duckdb_columns()"
        ):
            if comment is not None:
                comments.setdefault((schema, table), {})[column] = comment
        image.tables[database] = [
            Stored(
                schema,
                name,
                create,
                comment,
                comments.get((schema, name), {}),
                connection.sql(f"SELECT * FROM {qualified(schema, name)}").to_arrow_table(),
            )
            for schema, name, create, comment in rows(
                "SELECT schema_name, table_name, sql, comment FROM duckdb_tables()"
            )
        ]
        image.views[database] = connection.execute(
            "SELECT schema_name, view_name, sql, comment FROM duckdb_views() "
            f"{where} ORDER BY view_oid"
        ).fetchall()
    connection.execute("COMMIT")
    connection.close()
    return image


# --- what is said of tables and columns ----------------------------------------------------------


@dataclass(frozen=True)
class Column:
    name: str
    engine_type: str
    nullable: bool
    default: str | None
    said: Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table, view or materialized view of one database.

    said: its physical design; see `create_table` for the keys.
    """

    schema: str
    name: str
    kind: str  # TABLE, VIEW
    temporary: bool
    oid: int
    said: Mapping[str, Any]
    columns: list[Column]

    @property
    def dist_key(self) -> str | None:
        return next((c.name for c in self.columns if c.said.get("distkey")), None)

    @property
    def sort_keys(self) -> list[str]:
        keyed = [c for c in self.columns if c.said.get("sortkey")]
        return [c.name for c in sorted(keyed, key=lambda c: c.said["sortkey"])]


def tables_of(connection: "DuckDBPyConnection", database: str) -> list[Table]:
    """All tables and views that a session of this database sees."""
    columns: dict[int, list[Column]] = {}
    for oid, name, kind, nullable, default, comment in connection.execute(
        "SELECT table_oid, column_name, data_type, is_nullable, column_default, comment "
        "FROM duckdb_columns() WHERE database_name IN ($1, 'temp') AND NOT internal "
        "ORDER BY table_oid, column_index",
        [database],
    ).fetchall():
        columns.setdefault(oid, []).append(
            Column(name, kind, nullable, default, json.loads(comment or "{}"))
        )
    found = connection.execute(
        "SELECT schema_name, table_name, 'TABLE', temporary, table_oid, comment "
        "FROM duckdb_tables() WHERE database_name IN ($1, 'temp') AND NOT internal "
        "UNION ALL SELECT schema_name, view_name, 'VIEW', temporary, view_oid, comment "
        "FROM duckdb_views() WHERE database_name IN ($1, 'temp') AND NOT internal ORDER BY 1, 2",
        [database],
    ).fetchall()
    return [
        Table(schema, name, kind, temporary, oid, json.loads(comment or "{}"), columns.get(oid, []))
        for schema, name, kind, temporary, oid, comment in found
    ]
