"""One connection to a database of a warehouse: its catalogue, and the translation for DuckDB."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from awslab.clock import naive_now
from awslab.services.redshift_data import dialect, system_views
from awslab.services.redshift_data.endpoint import Endpoint
from awslab.services.redshift_data.messages import of_redshift, with_relations
from awslab.services.redshift_data.types import RedshiftType, column_metadata
from awslab.services.redshift_data.warehouse import PUBLIC, Table, tables_of
from awslab.sql import SqlError, literal, qualified

if TYPE_CHECKING:
    from sqlglot import exp

Row = tuple[Any, ...]
MEASURE = "SET enable_profiling = 'no_output'"  # every query; `scans` reads the figures


@dataclass
class Outcome:
    """What a statement came to.

    kind: as SYS_QUERY_HISTORY names it. columns: ColumnMetadata; None if it has no result set.
    affected: rows. nanoseconds: that DuckDB took, where they were measured apart from the
    translation.
    """

    kind: str
    columns: list[dict[str, Any]] | None = None
    rows: list[Row] = field(default_factory=list)
    affected: int = 0
    nanoseconds: int | None = None


class Session:
    """A connection that knows its user and, within a transaction, what it has begun.

    process: the number of the server process that handles it. Raises NoSuchDatabase when it is
    opened.
    """

    def __init__(self, endpoint: Endpoint, database: str, user: str, process: int) -> None:
        self.endpoint = endpoint
        self.warehouse = endpoint.warehouse
        self.database = database
        self.user = user
        self.process = process
        self.schemas = [PUBLIC]
        self.in_transaction = False
        self.query_id = 0
        self.connection = self.warehouse.connect(database)
        for statement in [MEASURE, *dialect.macro_statements(process)]:
            self.connection.execute(statement)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def as_a_whole(self) -> Iterator[None]:
        """The statements of the block take effect together or not at all."""
        own = not self.in_transaction
        if own:
            self.execute("BEGIN")
        try:
            yield
        except SqlError:
            if own:
                self.execute("ROLLBACK")
            raise
        if own:
            self.execute("COMMIT")

    def set_clock(self) -> None:
        self.connection.execute(f"SET VARIABLE {dialect.NOW} = TIMESTAMP '{naive_now()}'")

    def execute(self, sql: str, tree: "exp.Expression | None" = None) -> list[Row]:
        """Run DuckDB's text; returns its rows.

        Raises:
            SqlError: as `select`.
        """
        return self.select(sql, tree)[1]

    def select(
        self, sql: str, tree: "exp.Expression | None" = None, most: int | None = None
    ) -> tuple[list[tuple[str, str]], list[Row]]:
        """Run DuckDB's text; returns names and types of the columns, and the rows.

        tree: the statement before its translation, for the message of a failure. most: how many
            rows there may be.

        Raises:
            SqlError: DuckDB refuses it, in Redshift's words; or there are more rows.
        """
        import duckdb

        try:
            found = self.connection.execute(sql)
            rows = found.fetchall() if most is None else found.fetchmany(most + 1)
            if most is not None and len(rows) > most:
                self.connection.abort()
                raise SqlError("ERROR: The result is larger than the lab allows.")
            return [(str(name), str(kind)) for name, kind, *_ in found.description or []], rows
        except duckdb.InterruptException as error:
            raise SqlError("ERROR: Query canceled on user's request") from error
        except (duckdb.Error, RuntimeError, OverflowError, ValueError) as error:
            raise SqlError(with_relations(of_redshift(error), tree)) from error

    def changed(self, outcome: Outcome) -> Outcome:
        self.warehouse.version += 1
        return outcome

    def tables(self) -> list[Table]:
        return tables_of(self.connection, self.database)

    def find_table(self, names: Sequence[str], tables: list[Table] | None = None) -> Table:
        """A table by its name, in the schemas of the search path if it names none.

        Raises:
            SqlError: there is none.
        """
        found = self.look_up(names, self.tables() if tables is None else tables)
        if found is None:
            raise SqlError(f'ERROR: relation "{".".join(names)}" does not exist')
        return found

    def look_up(self, names: Sequence[str], tables: list[Table]) -> Table | None:
        name = names[-1]
        schemas = [names[-2]] if len(names) > 1 else self.schemas
        for table in tables:
            if table.temporary and table.name == name and len(names) == 1:
                return table
        for schema in schemas:
            for table in tables:
                if (table.schema, table.name) == (schema, name) and not table.temporary:
                    return table
        return None

    def where(self, table: Table) -> str:
        """The table's name for DuckDB."""
        if table.temporary:
            return qualified("temp", "main", table.name)
        return qualified(self.database, table.schema, table.name)

    def new_name(self, names: Sequence[str], temporary: bool = False) -> tuple[str, str]:
        """Schema and full name of something that is to be made."""
        if temporary:
            return "main", qualified("temp", "main", names[-1])
        schema = names[-2] if len(names) > 1 else self.schemas[0]
        if len(names) > 2 and names[-3] != self.database:
            raise SqlError("ERROR: cross-database reference is not supported")
        return schema, qualified(self.database, schema, names[-1])

    def known_types(self, tables: list[Table]) -> dict[str, dict[str, str]]:
        """Types of columns by `table` and `schema.table`, as the translation wants them."""
        known: dict[str, dict[str, str]] = {}
        for table in tables:
            columns = {column.name: column.engine_type for column in table.columns}
            known[f"{table.schema}.{table.name}"] = columns
            if table.schema in self.schemas or table.temporary:
                known[table.name] = columns
        return known

    def translated(self, tree: "exp.Expression", target: Sequence[str] = ()) -> "exp.Expression":
        tables = self.tables()

        def replace(node: "exp.Table") -> str | None:
            names = [part.name.lower() for part in node.parts]
            view = system_views.find(names)
            if view is not None and self.look_up(names, tables) is None:
                return view(self, tables)
            table = self.look_up(names, tables) if len(names) < 3 else None
            if table is not None and table.said.get("late_binding"):
                inner = dialect.parse(table.said["late_binding"])
                return dialect.rendered(self.translated(inner))
            return None

        return dialect.translate(tree, self.user, self.known_types(tables), replace, target)

    def expression(self, text: str) -> str:
        """DuckDB's text of an expression of a DEFAULT."""
        from sqlglot import exp

        tree = dialect.parse(f"SELECT {text}")
        shown = self.translated(tree).expressions[0]
        return dialect.rendered(shown.this if isinstance(shown, exp.Alias) else shown)

    def count(self, table: Table) -> int:
        if table.kind != "TABLE":
            return 0
        return int(self.execute(f"SELECT count(*) FROM {self.where(table)}")[0][0])

    def settle_rows(self, table: Table, before: int) -> None:
        """Rows that come into an empty table are sorted on the way; later ones are not, until a
        VACUUM."""
        if not table.sort_keys:
            return
        rows = self.count(table)
        was = 0 if before == 0 else min(before, int(table.said.get("sorted", 0)))
        self.say(table, sorted=rows if before == 0 else min(was, rows))

    def say(self, table: Table, **more: Any) -> None:
        said = json.dumps({**table.said, **more})
        kind = "VIEW" if table.kind == "VIEW" else "TABLE"
        self.execute(f"COMMENT ON {kind} {self.where(table)} IS {literal(said)}")


def text_column(name: str) -> dict[str, Any]:
    return column_metadata(name, RedshiftType("VARCHAR", "varchar", 65535))
