"""INSERT, UPDATE, DELETE, MERGE and TRUNCATE; VACUUM and ANALYZE."""

import re
from typing import TYPE_CHECKING, Any

from awslab.services.redshift_data import dialect
from awslab.services.redshift_data.ordering import reclaim, sort_insert, sort_rows
from awslab.services.redshift_data.session import Outcome, Session, text_column
from awslab.services.redshift_data.warehouse import Table
from awslab.sql import SqlError
from awslab.sql_words import Words

if TYPE_CHECKING:
    from sqlglot import exp


def change(session: Session, words: Words) -> Outcome:
    """INSERT, UPDATE, DELETE, MERGE, TRUNCATE."""
    from sqlglot import exp

    kind = words.peek()
    text = words.sql
    if kind == "TRUNCATE":
        words.expect("TRUNCATE")
        words.accept("TABLE")
        table = session.find_table(words.names())
        words.end()
        session.execute(f"TRUNCATE {session.where(table)}")
        session.settle_rows(table, 0)
        reclaim(session)
        return session.changed(Outcome("DDL"))
    remove = kind == "MERGE" and re.search(r"\bREMOVE\s+DUPLICATES\s*$", text, re.IGNORECASE)
    if remove:
        return session.changed(remove_duplicates(session, text[: remove.start()]))
    tree = dialect.parse(text)
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(target, exp.Table):
        raise SqlError(f'ERROR: syntax error at or near "{words.words[0].text}"')
    table = session.find_table([part.name.lower() for part in target.parts])
    if isinstance(tree, exp.Insert):
        check_insert(session, tree, table)
    before = session.count(table)
    original = tree.copy()
    names = [column.name for column in table.columns]
    tree = session.translated(tree, names)
    first = isinstance(tree, exp.Insert) and not before and bool(table.sort_keys)
    comes_sorted = first and sort_insert(session, tree, table, original)
    rows = session.execute(dialect.rendered(tree), original)
    affected = int(rows[0][0]) if rows and isinstance(rows[0][0], int) else 0
    if first and not comes_sorted and affected > 1:
        sort_rows(session, table)
    session.settle_rows(table, before)
    return session.changed(Outcome(kind, affected=affected))


def check_insert(session: Session, tree: "exp.Expression", table: Table) -> None:
    """Fewer values than columns fill the first ones; identity columns fill themselves."""
    from sqlglot import exp

    values = tree.expression
    named = isinstance(tree.this, exp.Schema)
    if named:
        given = [name.name.lower() for name in tree.this.expressions]
    else:
        count = value_count(values)
        free = [c.name for c in table.columns if "identity" not in c.said]
        names = [c.name for c in table.columns]
        given = free if count == len(free) else names[: count or len(names)]
        if count and count <= len(names) and given != names:
            columns = [exp.to_identifier(name) for name in given]
            tree.set("this", exp.Schema(this=tree.this, expressions=columns))
    for column in table.columns:
        fixed = "identity" in column.said and not column.said.get("identity_by_default")
        if fixed and column.name in given and values is not None:
            raise SqlError("ERROR: cannot set an identity column to a value")


def remove_duplicates(session: Session, text: str) -> Outcome:
    """MERGE … REMOVE DUPLICATES: rows of the source replace their like in the target."""
    tree = dialect.parse(text + " WHEN MATCHED THEN DELETE")
    table = session.find_table([part.name.lower() for part in tree.this.parts])
    source, on = tree.args["using"], tree.args["on"]
    inner = source.copy()
    delete = f"DELETE FROM {tree.this.sql('redshift')} USING {source.sql('redshift')} WHERE "
    before = session.count(table)
    deleted = dialect.parse(delete + on.sql("redshift"))
    session.execute(dialect.rendered(session.translated(deleted)))
    insert = f"INSERT INTO {tree.this.sql('redshift')} SELECT DISTINCT * FROM "
    inserted = dialect.parse(insert + inner.sql("redshift"))
    rows = session.execute(dialect.rendered(session.translated(inserted)))
    session.settle_rows(table, before)
    return Outcome("MERGE", affected=int(rows[0][0]))


def vacuum(session: Session, words: Words) -> Outcome:
    words.expect("VACUUM")
    sorts = not words.accept("DELETE", "ONLY")
    reclaims = not (sorts and words.accept("SORT", "ONLY"))
    for mode in ("FULL", "REINDEX", "RECLUSTER"):
        if sorts and reclaims and words.accept(mode):
            break
    if session.in_transaction:
        raise SqlError("ERROR: VACUUM cannot run inside a transaction block")
    tables = session.tables()
    if not words.ended and words.peek() not in ("TO", "BOOST"):
        tables = [session.find_table(words.names(), tables)]
    if words.accept("TO"):
        words.number()
        words.expect("PERCENT")
    words.accept("BOOST")
    words.end()
    for table in tables if sorts else []:
        if table.sort_keys:
            sort_rows(session, table)
            session.say(table, sorted=session.count(table))
    if reclaims:
        reclaim(session)
    return Outcome("UTILITY")


def analyze(session: Session, words: Words) -> Outcome:
    words.expect("ANALYZE")
    if words.accept("COMPRESSION"):
        return analyze_compression(session, words)
    words.accept("VERBOSE")
    if not words.ended and words.peek() not in ("PREDICATE", "ALL"):
        session.find_table(words.names())
    return Outcome("UTILITY")


def analyze_compression(session: Session, words: Words) -> Outcome:
    tables = session.tables()
    found = [t for t in tables if t.kind == "TABLE" and not t.temporary]
    if not words.ended:
        found = [session.find_table(words.names(), tables)]
    rows = [
        (table.name, column.name, column.said.get("encode", "none"), None)
        for table in found
        for column in table.columns
    ]
    columns = [text_column(n) for n in ("table", "column", "encoding", "est_reduction_pct")]
    return Outcome("UTILITY", columns, rows, len(rows))


def value_count(values: Any) -> int | None:
    """How many values a row of an INSERT has; None if nobody can say."""
    from sqlglot import exp

    if isinstance(values, exp.Values):
        first = values.expressions[0]
        return len(first.expressions) if isinstance(first, exp.Tuple) else 1
    if isinstance(values, exp.Select) and not values.is_star:
        return len(values.expressions)
    return None
