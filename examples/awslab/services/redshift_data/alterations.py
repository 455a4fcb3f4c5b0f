"""ALTER TABLE and its like."""

import json
from collections.abc import Mapping

from awslab.services.redshift_data import dialect
from awslab.services.redshift_data.definitions import unsupported
from awslab.services.redshift_data.ordering import in_order, reclaim, sort_rows
from awslab.services.redshift_data.session import Outcome, Session
from awslab.services.redshift_data.tables import (
    NewColumn,
    NewTable,
    check_keys,
    creation,
    read_column,
    remark,
    remarks,
)
from awslab.services.redshift_data.types import UnknownType, declared, parse_type
from awslab.services.redshift_data.warehouse import Table
from awslab.sql import SqlError, literal, quoted
from awslab.sql_words import Words


def alter(session: Session, words: Words) -> Outcome:
    what = words.peek(1)
    if what in ("USER", "GROUP", "ROLE", "DEFAULT", "DATABASE", "SCHEMA"):
        return alter_other(session, words, what)
    if what == "MATERIALIZED":
        words.expect("ALTER", "MATERIALIZED", "VIEW")
        table = session.find_table(words.names())
        words.expect("AUTO", "REFRESH")
        session.say(table, auto_refresh=words.peek() == "YES")
        return Outcome("DDL")
    if what != "TABLE":
        raise unsupported(what, words)
    words.expect("ALTER", "TABLE")
    table = session.find_table(words.names())
    if table.kind == "VIEW" and words.peek() != "RENAME":
        raise SqlError(f'ERROR: "{table.name}" is not a table')
    alter_table(session, table, words)
    return session.changed(Outcome("DDL"))


def alter_other(session: Session, words: Words, what: str) -> Outcome:
    if what == "SCHEMA" and words.peek(3) == "RENAME":
        raise SqlError("ERROR: the lab cannot rename a schema")
    return Outcome("DDL")


def alter_table(session: Session, table: Table, words: Words) -> None:
    if words.accept("ADD"):
        if words.peek() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN"):
            return
        words.accept("COLUMN")
        add_column(session, table, words)
    elif words.accept("DROP"):
        if words.accept("CONSTRAINT"):
            return
        words.accept("COLUMN")
        drop_column(session, table, words.name())
    elif words.accept("RENAME", "TO"):
        kind = "VIEW" if table.kind == "VIEW" else "TABLE"
        session.execute(f"ALTER {kind} {session.where(table)} RENAME TO {quoted(words.name())}")
    elif words.accept("RENAME"):
        words.accept("COLUMN")
        old = words.name()
        words.expect("TO")
        new = quoted(words.name())
        where = session.where(table)
        session.execute(f"ALTER TABLE {where} RENAME COLUMN {quoted(old)} TO {new}")
    elif words.accept("APPEND", "FROM"):
        append(session, table, session.find_table(words.names()))
    elif words.accept("OWNER", "TO") or words.accept("ROW", "LEVEL", "SECURITY"):
        pass
    elif words.accept("ALTER"):
        redesign(session, table, words)
    else:
        raise words.unexpected()


def add_column(session: Session, table: Table, words: Words) -> None:
    made = NewTable([table.name])
    item = Words(words.sql, words.words[words.position :])
    column = read_column(item, made, session.expression)
    if any(other.name == column.name for other in table.columns):
        raise SqlError(f'ERROR: column "{column.name}" of relation "{table.name}" already exists')
    if column.not_null and column.default is None:
        raise SqlError("ERROR: ALTER TABLE ADD COLUMN defined as NOT NULL must have a default")
    columns = [*as_new(session, table), column]
    rebuild(session, table, columns, filled={column.name: column.default or "NULL"})


def drop_column(session: Session, table: Table, name: str) -> None:
    column = next((c for c in table.columns if c.name == name), None)
    if column is None:
        raise SqlError(f'ERROR: column "{name}" of relation "{table.name}" does not exist')
    if column.said.get("distkey") or column.said.get("sortkey"):
        raise SqlError(f"ERROR: cannot drop a column that is a distribution or sort key: {name}")
    rebuild(session, table, [c for c in as_new(session, table) if c.name != name])


def as_new(session: Session, table: Table) -> list[NewColumn]:
    """The columns of a table, as if it were to be made again."""
    return [
        NewColumn(
            c.name,
            declared(c),
            not_null=not c.nullable,
            default=c.default,
            said={k: v for k, v in c.said.items() if k not in ("type", "distkey", "sortkey")},
        )
        for c in table.columns
    ]


def rebuild(
    session: Session,
    table: Table,
    columns: list[NewColumn],
    filled: Mapping[str, str] | None = None,
    cast: Mapping[str, str] | None = None,
) -> None:
    """Make a table again with other columns and the same rows."""
    where, spare = session.where(table), quoted(f"{table.name} spare")
    schema, _, _ = where.rpartition(".")
    made = NewTable([table.name], table.temporary, columns=columns, said=dict(table.said))
    made.dist_key, made.sort_key = table.dist_key, table.sort_keys
    values = [
        (filled or {}).get(c.name) or (cast or {}).get(c.name) or quoted(c.name) for c in columns
    ]
    with session.as_a_whole():
        for statement in creation(made, f"{schema}.{spare}", table.schema):
            session.execute(statement)
        session.execute(
            f"INSERT INTO {schema}.{spare} ({dialect.column_list([c.name for c in columns])}) "
            f"SELECT {', '.join(values)} FROM {where}"
        )
        session.execute(f"DROP TABLE {where}")
        session.execute(f"ALTER TABLE {schema}.{spare} RENAME TO {quoted(table.name)}")
        for statement in remarks(made, where):
            session.execute(statement)


def append(session: Session, table: Table, source: Table) -> None:
    """ALTER TABLE … APPEND moves the rows."""
    names = [column.name for column in table.columns]
    if [column.name for column in source.columns] != names:
        raise SqlError("ERROR: Source and target tables must have the same columns")
    before = session.count(table)
    query = f"SELECT * FROM {session.where(source)}"
    query = query if before else in_order(query, names, table)
    session.execute(f"INSERT INTO {session.where(table)} {query}")
    session.execute(f"TRUNCATE {session.where(source)}")
    session.settle_rows(table, before)
    reclaim(session)


def redesign(session: Session, table: Table, words: Words) -> None:
    """ALTER TABLE … ALTER: distribution style, sort key, encoding, or the length of a text."""
    made = NewTable([table.name], said=dict(table.said))
    made.dist_key, made.sort_key = table.dist_key, table.sort_keys
    columns = as_new(session, table)
    if words.accept("DISTSTYLE"):
        made.said["diststyle"], made.dist_key = words.peek(), None
        words.skip()
        if words.accept("DISTKEY"):
            made.dist_key = words.name()
    elif words.accept("DISTKEY"):
        made.said["diststyle"], made.dist_key = "KEY", words.name()
    elif words.accept("SORTKEY", "NONE"):
        made.sort_key = []
    elif words.accept("SORTKEY", "AUTO"):
        made.said["sortstyle"], made.sort_key = "auto", []
    elif words.peek() in ("COMPOUND", "SORTKEY"):
        words.accept("COMPOUND")
        words.expect("SORTKEY")
        made.said["sortstyle"], made.sort_key = "compound", words.column_names()
    elif words.accept("ENCODE", "AUTO"):
        pass
    else:
        words.accept("COLUMN")
        alter_column(session, table, columns, words)
        return
    if made.said.get("diststyle") == "KEY" and not made.dist_key:
        raise SqlError("ERROR: DISTSTYLE KEY requires a DISTKEY column")
    check_keys(made, [column.name for column in columns])
    made.columns = columns
    for column in columns:
        known = literal(json.dumps(remark(column, made)))
        where = f"{session.where(table)}.{quoted(column.name)}"
        session.execute(f"COMMENT ON COLUMN {where} IS {known}")
    session.execute(f"COMMENT ON TABLE {session.where(table)} IS {literal(json.dumps(made.said))}")
    if made.sort_key not in ([], table.sort_keys):
        remade = next(other for other in session.tables() if other.oid == table.oid)
        sort_rows(session, remade)
        session.say(remade, sorted=session.count(remade))


def alter_column(session: Session, table: Table, columns: list[NewColumn], words: Words) -> None:
    name = words.name()
    column = next((c for c in columns if c.name == name), None)
    if column is None:
        raise SqlError(f'ERROR: column "{name}" of relation "{table.name}" does not exist')
    if words.accept("ENCODE"):
        column.said["encode"] = words.name()
        rebuild(session, table, columns)
        return
    words.expect("TYPE")
    try:
        kind = parse_type(words.rest())
    except UnknownType as error:
        raise SqlError(f'ERROR: type "{error}" does not exist') from error
    if kind.name != "varchar" or column.type.name != "varchar":
        raise SqlError(
            f'ERROR: cannot alter type of column "{name}": only VARCHAR columns can be altered'
        )
    column.type = kind
    rebuild(session, table, columns)
