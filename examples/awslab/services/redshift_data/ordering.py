"""The order of rows: their table's sort key decides it when they come into an empty table, and at
a VACUUM."""

import contextlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from awslab.services.redshift_data import dialect
from awslab.services.redshift_data.session import Session
from awslab.services.redshift_data.warehouse import Table
from awslab.sql import SqlError, quoted

if TYPE_CHECKING:
    from sqlglot import exp

SPARE = '"temp"."main"."rows in order"'


def by_key(table: Table, columns: Collection[str]) -> str:
    """DuckDB's text of the clause that puts rows in the order of a table's sort key, as far as
    these columns have it: all rows are alike in the others."""
    keys = [
        f"CAST({quoted(column.name)} AS {column.engine_type})"
        for key in table.sort_keys
        for column in table.columns
        if column.name == key and key in columns
    ]
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def in_order(query: str, columns: Sequence[str], table: Table) -> str:
    """The query of rows for a table, in the order of its sort key.

    columns: the table's columns that the query fills.
    """
    if not table.sort_keys:
        return query
    names = dialect.column_list(columns)
    return f"SELECT * FROM ({query}) AS made({names}){by_key(table, columns)}"


def sort_insert(
    session: Session, tree: "exp.Expression", table: Table, original: "exp.Expression"
) -> bool:
    """Let the query of a translated INSERT give its rows in the order of the sort key; false if it
    has none that could.

    original: the statement before its translation, for the message of a failure.
    """
    import sqlglot
    from sqlglot import exp

    query = tree.expression
    if not isinstance(query, exp.Query) or isinstance(query, exp.Values):
        return False
    if isinstance(tree.this, exp.Schema):
        columns = [name.name for name in tree.this.expressions]
    else:
        columns = [column.name for column in table.columns]
    if len(session.execute(f"DESCRIBE {dialect.rendered(query)}", original)) == len(columns):
        ordered = sqlglot.parse_one(in_order("SELECT 1", columns, table), read="duckdb")
        inner = ordered.find(exp.Subquery)
        assert inner
        inner.set("this", query.unnest())
        tree.set("expression", ordered)
    return True  # if the numbers differ, DuckDB says so


def sort_rows(session: Session, table: Table) -> None:
    """Put the rows of a table in the order of its sort key."""
    where = session.where(table)
    with session.as_a_whole():
        order = by_key(table, table.sort_keys)
        session.execute(f"CREATE TEMP TABLE {SPARE} AS SELECT * FROM {where}{order}")
        session.execute(f"TRUNCATE {where}")
        session.execute(f"INSERT INTO {where} SELECT * FROM {SPARE}")
        session.execute(f"DROP TABLE {SPARE}")
    reclaim(session)


def reclaim(session: Session) -> None:
    """Give up the room of deleted rows, unless a transaction may still see them."""
    if not session.in_transaction:
        with contextlib.suppress(SqlError):
            session.execute(f"CHECKPOINT {quoted(session.database)}")
