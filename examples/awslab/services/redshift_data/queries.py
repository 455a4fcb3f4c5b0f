"""SELECT and EXPLAIN."""

import time
from typing import TYPE_CHECKING

from awslab.services.redshift_data import dialect
from awslab.services.redshift_data.definitions import create_as
from awslab.services.redshift_data.scans import keep_scans
from awslab.services.redshift_data.session import Outcome, Session, text_column
from awslab.services.redshift_data.tables import NewTable
from awslab.services.redshift_data.types import column_metadata, of_result
from awslab.sql import SqlError
from awslab.sql_words import Words

if TYPE_CHECKING:
    from sqlglot import exp

MOST_ROWS = 500_000  # of one result


def query(session: Session, words: Words) -> Outcome:
    from sqlglot import exp

    tree = dialect.parse(words.sql)
    if not isinstance(tree, exp.Query | exp.Table | exp.Subquery | exp.Values):
        raise SqlError(f'ERROR: syntax error at or near "{words.words[0].text}"')
    if isinstance(tree, exp.Select) and tree.args.get("into"):
        return select_into(session, tree)
    original = tree.copy()
    text = dialect.rendered(session.translated(tree))
    begun = time.perf_counter_ns()
    found, rows = session.select(text, original, MOST_ROWS)
    spent = time.perf_counter_ns() - begun
    keep_scans(session)
    columns = [column_metadata(name, of_result(kind)) for name, kind in found]
    return Outcome("SELECT", columns, rows, len(rows), spent)


def select_into(session: Session, tree: "exp.Expression") -> Outcome:
    into = tree.args["into"]
    tree.set("into", None)
    name = into.this
    names = [part.name.lower() for part in name.parts]
    temporary = bool(into.args.get("temporary")) or names[-1].startswith("#")
    made = NewTable(names, temporary=temporary, said={"diststyle": "AUTO"})
    made.query = tree.sql("redshift")
    return session.changed(create_as(session, made))


def explain(session: Session, words: Words) -> Outcome:
    words.expect("EXPLAIN")
    words.accept("VERBOSE")
    tree = dialect.parse(words.rest())
    text = session.execute(f"EXPLAIN {dialect.rendered(session.translated(tree))}")[0][1]
    lines = [(line,) for line in text.splitlines()]
    return Outcome("EXPLAIN", [text_column("QUERY PLAN")], lines, len(lines))
