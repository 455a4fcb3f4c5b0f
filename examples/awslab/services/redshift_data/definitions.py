"""CREATE, DROP and REFRESH."""

import json
import re
from typing import TYPE_CHECKING

from awslab.services.redshift_data import dialect
from awslab.services.redshift_data.ordering import in_order, reclaim
from awslab.services.redshift_data.session import Outcome, Session
from awslab.services.redshift_data.tables import (
    NewColumn,
    NewTable,
    check_keys,
    creation,
    like,
    read_table,
    remarks,
)
from awslab.services.redshift_data.types import RedshiftType, of_result
from awslab.services.redshift_data.warehouse import PUBLIC, RESERVED, Table
from awslab.sql import SqlError, literal, qualified
from awslab.sql_words import Words

if TYPE_CHECKING:
    from sqlglot import exp

# What Redshift can create, and the lab cannot.
UNSUPPORTED = {
    "EXTERNAL": "external schemas and tables (Redshift Spectrum)",
    "PROCEDURE": "stored procedures",
    "FUNCTION": "user-defined functions",
    "LIBRARY": "libraries of user-defined functions",
    "MODEL": "Redshift ML",
    "DATASHARE": "datashares",
    "DATABASE FROM": "datashares and integrations",
    "MASKING": "masking policies",
    "RLS": "row-level security",
    "IDENTITY": "identity providers",
}


def create(session: Session, words: Words) -> Outcome:
    replace = words.peek(1) == "OR" and words.peek(2) == "REPLACE"
    ahead = 3 if replace else 1
    what = words.peek(ahead)
    if what in ("LOCAL", "TEMP", "TEMPORARY", "TABLE"):
        return session.changed(create_table(session, words))
    if what == "VIEW":
        return session.changed(create_view(session, words, replace))
    if what == "MATERIALIZED":
        return session.changed(create_materialized_view(session, words))
    if what == "SCHEMA":
        return session.changed(create_schema(session, words))
    if what == "DATABASE":
        return create_database(session, words)
    if what in ("USER", "GROUP", "ROLE"):
        return Outcome("DDL")
    raise unsupported(what, words)


def create_table(session: Session, words: Words) -> Outcome:
    table = read_table(words, session.expression)
    if table.query is not None:
        return create_as(session, table)
    if table.like:
        parent = session.find_table(table.like)
        table.columns = like(parent)
        table.said = {k: v for k, v in parent.said.items() if k in ("diststyle", "sortstyle")}
        table.dist_key, table.sort_key = parent.dist_key, parent.sort_keys
    if not table.columns:
        raise SqlError("ERROR: a table must have at least one column")
    schema, name = session.new_name(table.names, table.temporary)
    existing = session.look_up(table.names, session.tables())
    if existing is not None and existing.temporary == table.temporary:
        if table.if_not_exists:
            return Outcome("DDL")
        raise SqlError(f'ERROR: Relation "{table.names[-1]}" already exists')
    for statement in [*creation(table, name, schema), *remarks(table, name)]:
        session.execute(statement)
    return Outcome("DDL")


def create_as(session: Session, table: NewTable) -> Outcome:
    """CREATE TABLE … AS SELECT: the columns come from the query."""
    tree = dialect.parse(table.query or "")
    original = tree.copy()
    translated = session.translated(tree)
    _, name = session.new_name(table.names, table.temporary)
    text = dialect.rendered(translated)
    shown = session.execute(f"DESCRIBE {text}", original)
    names = table.column_names or [row[0] for row in shown]
    if len(names) != len(shown):
        raise SqlError("ERROR: CREATE TABLE AS specifies too many column names")
    for column in names:
        if names.count(column) > 1:
            raise SqlError(f'ERROR: column "{column}" specified more than once')
    check_keys(table, names)
    table.columns = [
        NewColumn(column, of_query(row[1])) for column, row in zip(names, shown, strict=True)
    ]
    kind = "TEMP TABLE" if table.temporary else "TABLE"
    listed = dialect.column_list(names)
    order = f" ORDER BY {dialect.column_list(table.sort_key)}" if table.sort_key else ""
    rows = session.execute(
        f"CREATE {kind} {name} AS SELECT * FROM ({text}) AS made({listed}){order}", original
    )
    table.said["sorted"] = int(rows[0][0]) if rows else 0
    for statement in remarks(table, name):
        session.execute(statement)
    return Outcome("CTAS", affected=int(rows[0][0]) if rows else 0)


def create_view(session: Session, words: Words, replace: bool) -> Outcome:
    words.expect("CREATE")
    words.accept("OR", "REPLACE")
    words.expect("VIEW")
    names = words.names()
    columns = words.column_names() if words.peek() == "(" else []
    words.expect("AS")
    text = words.rest()
    late = re.search(r"\bWITH\s+NO\s+SCHEMA\s+BINDING\s*$", text, re.IGNORECASE)
    text = text[: late.start()] if late else text
    tree = dialect.parse(text)
    _, name = session.new_name(names)
    listed = f" ({dialect.column_list(columns)})" if columns else ""
    start = f"CREATE {'OR REPLACE ' if replace else ''}VIEW {name}"
    if late:
        check_late_binding(session, tree)
        session.execute(f"{start} AS SELECT NULL AS unbound")
        said = literal(json.dumps({"late_binding": text}))
        session.execute(f"COMMENT ON VIEW {name} IS {said}")
    else:
        original = tree.copy()
        session.execute(
            f"{start}{listed} AS {dialect.rendered(session.translated(tree))}", original
        )
    return Outcome("DDL")


def check_late_binding(session: Session, tree: "exp.Expression") -> None:
    from sqlglot import exp

    inner = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not table.db and table.name not in inner:
            raise SqlError(
                "ERROR: All the relation names inside should be qualified when creating VIEW "
                "WITH NO SCHEMA BINDING."
            )


def create_materialized_view(session: Session, words: Words) -> Outcome:
    words.expect("CREATE", "MATERIALIZED", "VIEW")
    table = NewTable(words.names(), said={"diststyle": "EVEN"})
    automatic = False
    while not words.ended and words.peek() != "AS":
        if words.accept("AUTO", "REFRESH"):
            automatic = words.peek() == "YES"
            words.skip()
        elif words.accept("BACKUP"):
            words.skip()
        elif words.accept("DISTSTYLE"):
            table.said["diststyle"] = words.peek()
            words.skip()
        elif words.accept("DISTKEY"):
            table.dist_key = words.column_names()[0]
            table.said["diststyle"] = "KEY"
        elif words.accept("SORTKEY"):
            table.sort_key = words.column_names()
            table.said["sortstyle"] = "compound"
        else:
            raise words.unexpected()
    words.expect("AS")
    table.query = words.rest()
    table.said |= {"materialized": table.query, "auto_refresh": automatic}
    create_as(session, table)
    return Outcome("DDL")


def refresh(session: Session, words: Words) -> Outcome:
    words.expect("REFRESH", "MATERIALIZED", "VIEW")
    names = words.names()
    table = session.look_up(names, session.tables())
    if table is None or "materialized" not in table.said:
        raise SqlError(f'ERROR: materialized view "{".".join(names)}" does not exist')
    query = dialect.rendered(session.translated(dialect.parse(table.said["materialized"])))
    with session.as_a_whole():
        session.execute(f"DELETE FROM {session.where(table)}")
        names = [column.name for column in table.columns]
        query = in_order(query, names, table)
        session.execute(f"INSERT INTO {session.where(table)} {query}")
        session.settle_rows(table, 0)
    reclaim(session)
    return session.changed(Outcome("REFRESH"))


def create_schema(session: Session, words: Words) -> Outcome:
    words.expect("CREATE", "SCHEMA")
    exists = words.accept("IF", "NOT", "EXISTS")
    name = words.name()
    if words.accept("AUTHORIZATION"):
        words.name()
    if words.accept("QUOTA") and not words.accept("UNLIMITED"):
        words.number()
        words.name()
    words.end()
    if name in RESERVED:
        raise SqlError(f'ERROR: the lab cannot have a schema "{name}"')
    clause = "IF NOT EXISTS " if exists else ""
    session.execute(f"CREATE SCHEMA {clause}{qualified(session.database, name)}")
    return Outcome("DDL")


def create_database(session: Session, words: Words) -> Outcome:
    words.expect("CREATE", "DATABASE")
    name = words.name()
    if words.peek() == "FROM":
        raise unsupported("DATABASE FROM", words)
    if session.in_transaction:
        raise SqlError("ERROR: CREATE DATABASE cannot run inside a transaction block")
    if name in session.warehouse.names():
        raise SqlError(f'ERROR: database "{name}" already exists')
    if name in RESERVED:
        raise SqlError(f'ERROR: the lab cannot have a database "{name}"')
    session.warehouse.create_database(name)
    return Outcome("DDL")


def drop(session: Session, words: Words) -> Outcome:
    what = words.peek(1)
    if what in ("USER", "GROUP", "ROLE"):
        return Outcome("DDL")
    if what == "DATABASE":
        return drop_database(session, words)
    words.expect("DROP")
    kind = "MATERIALIZED VIEW" if words.accept("MATERIALIZED", "VIEW") else what
    if kind == what:
        words.skip()
    if kind not in ("TABLE", "VIEW", "SCHEMA", "MATERIALIZED VIEW"):
        raise unsupported(kind, words)
    exists = words.accept("IF", "EXISTS")
    dropped = [words.names()]
    while words.accept(","):
        dropped.append(words.names())
    cascade = words.accept("CASCADE")
    words.accept("RESTRICT")
    words.end()
    for names in dropped:
        if kind == "SCHEMA":
            drop_schema(session, names[-1], exists, cascade)
        else:
            drop_relation(session, kind, names, exists, cascade)
    return session.changed(Outcome("DDL"))


def drop_schema(session: Session, name: str, exists: bool, cascade: bool) -> None:
    clause = "IF EXISTS " if exists else ""
    if not cascade and any(t.schema == name and not t.temporary for t in session.tables()):
        raise SqlError(f"ERROR: cannot drop schema {name} because other objects depend on it")
    end = " CASCADE" if cascade else ""
    session.execute(f"DROP SCHEMA {clause}{qualified(session.database, name)}{end}")


def drop_relation(
    session: Session, kind: str, names: list[str], exists: bool, cascade: bool
) -> None:
    tables = session.tables()
    table = session.look_up(names, tables)
    is_view = table is not None and table.kind == "VIEW"
    is_materialized = table is not None and "materialized" in table.said
    fits = {
        "TABLE": not is_view and not is_materialized,
        "VIEW": is_view,
        "MATERIALIZED VIEW": is_materialized,
    }[kind]
    if table is None or not fits:
        if exists and table is None:
            return
        raise SqlError(f'ERROR: {kind.capitalize()} "{".".join(names)}" does not exist')
    dependent = [] if table.temporary else dependents(session, table, tables)
    if dependent and not cascade:
        raise SqlError(
            f"ERROR: cannot drop {kind.lower()} {names[-1]} because other objects depend on it"
        )
    for view in dependent:
        session.execute(f"DROP VIEW IF EXISTS {session.where(view)}")
    session.execute(f"DROP {'VIEW' if is_view else 'TABLE'} {session.where(table)}")


def dependents(session: Session, table: Table, tables: list[Table]) -> list[Table]:
    """The views that name the table, and those that name them."""
    import sqlglot
    from sqlglot import exp

    texts = session.execute(
        "SELECT schema_name, view_name, sql FROM duckdb_views() "
        f"WHERE database_name = {literal(session.database)} AND NOT internal"
    )
    found: list[Table] = []
    wanted = [table]
    while wanted:
        target = wanted.pop()
        for schema, name, text in texts:
            view = session.look_up([schema, name], tables)
            if view is None or view in found or view.said.get("late_binding"):
                continue
            body = sqlglot.parse_one(text, read="duckdb").expression
            used = {(t.db or PUBLIC, t.name) for t in body.find_all(exp.Table)}
            if (target.schema, target.name) in used:
                found.append(view)
                wanted.append(view)
    return found


def drop_database(session: Session, words: Words) -> Outcome:
    words.expect("DROP", "DATABASE")
    exists = words.accept("IF", "EXISTS")
    name = words.name()
    words.accept("FORCE")
    words.end()
    if name not in session.warehouse.names():
        if exists:
            return Outcome("DDL")
        raise SqlError(f'ERROR: database "{name}" does not exist')
    if name == session.database:
        raise SqlError("ERROR: cannot drop the currently open database")
    if name == session.warehouse.first:
        raise SqlError(f'ERROR: cannot drop database "{name}"')
    session.warehouse.drop_database(name)
    return Outcome("DDL")


def of_query(duckdb: str) -> RedshiftType:
    """The type that a column of CREATE TABLE AS gets."""
    kind = of_result(duckdb)
    if duckdb == '"NULL"':
        return RedshiftType("VARCHAR", "varchar", 1)
    if kind.name == "varchar":
        return RedshiftType("VARCHAR", "varchar", 65535)
    return kind


def unsupported(what: str, words: Words) -> SqlError:
    """Honest about what Redshift has and the lab has not."""
    if what in UNSUPPORTED:
        return SqlError(f"ERROR: the lab has no {UNSUPPORTED[what]}")
    words.position = min(1, len(words.words) - 1)
    return words.unexpected()
