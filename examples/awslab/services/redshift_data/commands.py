"""Which words a statement may begin with, and what runs it."""

from collections.abc import Callable

from awslab.services.redshift_data import system_views
from awslab.services.redshift_data.alterations import alter
from awslab.services.redshift_data.data_changes import analyze, change, vacuum
from awslab.services.redshift_data.definitions import create, drop, refresh
from awslab.services.redshift_data.loading import copy
from awslab.services.redshift_data.queries import explain, query
from awslab.services.redshift_data.session import Outcome, Session, text_column
from awslab.services.redshift_data.unloading import unload
from awslab.services.redshift_data.warehouse import PUBLIC
from awslab.sql import Running, SqlError, literal
from awslab.sql_words import Words, statements

Handler = Callable[[Session, Words], Outcome]
LONGEST = 100 * 1024  # bytes of a statement (ExecuteStatement, Sql)


def run(session: Session, sql: str, running: Running) -> Outcome:
    """Run one statement.

    Raises:
        SqlError: Redshift's word on it.
    """
    parts = statements(sql)
    if not parts:
        raise SqlError("ERROR: syntax error at end of input")
    if len(parts) > 1:
        raise SqlError("ERROR: Multiple sql statements are not allowed")
    words = Words(sql[parts[0][0].start : parts[0][-1].end])
    session.set_clock()
    with running.using(session.connection):
        try:
            return dispatch(session, words, running)
        except SqlError:
            running.check()  # it failed because it was stopped
            raise


def dispatch(session: Session, words: Words, running: Running) -> Outcome:
    if words.peek() == "COPY":
        return session.changed(copy(session, words, running))
    if words.peek() == "UNLOAD":
        return unload(session, words, running)
    handler = HANDLERS.get(words.peek())
    if handler is None:
        raise words.unexpected()
    return handler(session, words)


def transaction(session: Session, words: Words) -> Outcome:
    first = words.peek()
    if first in ("BEGIN", "START"):
        if not session.in_transaction:
            session.execute("BEGIN")
        session.in_transaction = True
    elif session.in_transaction:
        session.execute("COMMIT" if first in ("COMMIT", "END") else "ROLLBACK")
        session.in_transaction = False
        session.warehouse.version += 1
    return Outcome("UTILITY")


def setting(session: Session, words: Words) -> Outcome:
    """SET search_path has an effect; all else is taken and forgotten."""
    words.skip()
    words.accept("SESSION") or words.accept("LOCAL")
    if words.peek() != "SEARCH_PATH" or words.sql.strip().upper().startswith("RESET"):
        return Outcome("UTILITY")
    words.skip()
    if not (words.accept("TO") or words.accept("=")):
        raise words.unexpected()
    found = [
        item.text() if item.kind() == "STRING" else item.words[-1].text.lower()
        for item in words.items()
        if item.words
    ]
    known = {
        row[0]
        for row in session.execute(
            "SELECT schema_name FROM duckdb_schemas() "
            f"WHERE database_name = {literal(session.database)}"
        )
    }
    session.schemas = [name for name in found if name in known] or [PUBLIC]
    path = ",".join(f"{session.database}.{schema}" for schema in session.schemas)
    session.execute(f"SET search_path = {literal(path)}")
    return Outcome("UTILITY")


def show(session: Session, words: Words) -> Outcome:
    words.expect("SHOW")
    columns, rows = system_views.shown(session, words)
    return Outcome("SHOW", [text_column(name) for name in columns], rows, len(rows))


def accepted(session: Session, words: Words) -> Outcome:
    """What has no effect in the lab: privileges, comments, locks."""
    return Outcome("UTILITY")


def not_here(session: Session, words: Words) -> Outcome:
    raise SqlError(f"ERROR: the lab does not run {words.peek()} statements")


HANDLERS: dict[str, Handler] = {
    "SELECT": query,
    "WITH": query,
    "VALUES": query,
    "(": query,
    "INSERT": change,
    "UPDATE": change,
    "DELETE": change,
    "MERGE": change,
    "TRUNCATE": change,
    "CREATE": create,
    "DROP": drop,
    "ALTER": alter,
    "REFRESH": refresh,
    "VACUUM": vacuum,
    "ANALYZE": analyze,
    "ANALYSE": analyze,
    "EXPLAIN": explain,
    "BEGIN": transaction,
    "START": transaction,
    "COMMIT": transaction,
    "END": transaction,
    "ROLLBACK": transaction,
    "ABORT": transaction,
    "SET": setting,
    "RESET": setting,
    "SHOW": show,
    "GRANT": accepted,
    "REVOKE": accepted,
    "COMMENT": accepted,
    "LOCK": accepted,
    "CALL": not_here,
    "PREPARE": not_here,
    "EXECUTE": not_here,
    "DEALLOCATE": not_here,
    "DECLARE": not_here,
    "FETCH": not_here,
    "CLOSE": not_here,
    "CANCEL": not_here,
    "USE": not_here,
}
