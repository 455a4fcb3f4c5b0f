"""Statements and sessions: submitted, described, canceled, listed."""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.redshiftdata.models import RedshiftDataAPIServiceBackend, redshiftdata_backends
from moto.redshiftdata.responses import RedshiftDataAPIServiceResponse

from awslab.clock import CLOCK
from awslab.extension import Function, adds, changes
from awslab.services.redshift_data.addressing import (
    LOCK,
    NotFound,
    Refusal,
    database_of,
    endpoint_of,
    kept,
    page,
    refuse,
    user_of,
)
from awslab.services.redshift_data.commands import LONGEST
from awslab.services.redshift_data.endpoint import Endpoint
from awslab.services.redshift_data.statements import (
    MissingParameters,
    OpenSession,
    Part,
    Statement,
    with_parameters,
)
from awslab.sql import SqlError
from awslab.sql_words import statements

MOST_ACTIVE = 500  # statements
MOST_SESSIONS = 500


def texts_of(sqls: Sequence[str], params: Mapping[str, Any]) -> list[Part]:
    """The texts of a request with the values of its parameters.

    Raises:
        ServiceException: too long, more than one statement in a text, or unfit parameters.
    """
    given = params.get("Parameters") or []
    values = {item["name"]: item["value"] for item in given}
    if len(values) < len(given):
        refuse("Parameters list contains duplicate parameters.")
    used: set[str] = set()
    parts = []
    for sql in sqls:
        if len(sql.encode()) > LONGEST:
            refuse(f"The SQL statement is longer than {LONGEST // 1024} KB.")
        if not sql.strip():
            refuse("The SQL statement must not be empty.")
        text = sql
        try:
            if len(statements(sql)) > 1:
                refuse("Multiple sql statements are not allowed")
            if values:
                text, names = with_parameters(sql, values)
                used |= names
        except MissingParameters as missing:
            refuse(f"Parameters list does not contain values of: [{missing}]")
        except SqlError:
            pass  # the statement fails when it runs
        parts.append(Part(sql, text))
    unused = [name for name in values if name not in used]
    if unused:
        refuse(
            f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]"
        )
    return parts


def submit(self: Any, sqls: Sequence[str]) -> Statement:
    """Take the statement of a request; the same one again for the same ClientToken."""
    params, backend = dict(self.params), self.redshiftdata_backend
    with LOCK:
        forget_old(backend)
        token = params.get("ClientToken")
        known: Statement | None = kept(backend, "tokens").get(token or "")
        if known is not None:
            if known.request != params:
                refuse("The ClientToken was used for another request.")
            return known
        opened = session_of(self, params)
        if opened is None:
            endpoint = endpoint_of(backend, params)
            database, user = database_of(params), user_of(self, params, endpoint)
            if params.get("SessionKeepAliveSeconds"):
                opened = open_session(backend, endpoint, database, user, params)
        else:
            endpoint, database, user = opened.endpoint, opened.database, opened.user
        parts = texts_of(sqls, params)
        active = [s for s in kept(backend, "statements").values() if not s.ended]
        if len(active) >= MOST_ACTIVE:
            raise Refusal(
                "ActiveStatementsExceededException",
                f"The number of active statements exceeds the limit of {MOST_ACTIVE}.",
            )
        statement = Statement(endpoint, database, user, params, parts, opened)
        if opened is not None:
            opened.statement = statement
        kept(backend, "statements")[statement.id] = statement
        if token:
            kept(backend, "tokens")[token] = statement
    if params.get("WaitTimeSeconds"):
        statement.finish(params["WaitTimeSeconds"])
    elif params.get("WithEvent") and CLOCK.instant:
        statement.start()  # its event is awaited, and nobody may ever look at it
    return statement


def session_of(self: Any, params: Mapping[str, Any]) -> OpenSession | None:
    """The session that a request goes on with.

    Raises:
        ServiceException: there is none, it is busy, or the request says where it leads.
    """
    name = params.get("SessionId")
    if name is None:
        return None
    for other in ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn"):
        if params.get(other):
            refuse(f"SessionId and {other} cannot be provided together.")
    opened: OpenSession | None = kept(self.redshiftdata_backend, "sessions").get(name)
    if opened is not None:
        opened.expire()
    if opened is None or opened.closed:
        raise NotFound("Session is not available.", name)
    if opened.busy:
        refuse("Session is busy with another statement.")
    if params.get("SessionKeepAliveSeconds") is not None:
        opened.alive = params["SessionKeepAliveSeconds"]
    return opened


def open_session(
    backend: RedshiftDataAPIServiceBackend,
    endpoint: Endpoint,
    database: str,
    user: str,
    params: Mapping[str, Any],
) -> OpenSession:
    sessions = kept(backend, "sessions")
    if len([s for s in sessions.values() if not s.closed]) >= MOST_SESSIONS:
        raise Refusal(
            "ActiveSessionsExceededException",
            f"The number of active sessions exceeds the limit of {MOST_SESSIONS}.",
        )
    opened = OpenSession(
        str(mock_random.uuid4()),
        endpoint,
        database,
        user,
        params["SessionKeepAliveSeconds"],
        endpoint.warehouse.next_process(),
    )
    sessions[opened.id] = opened
    return opened


def forget_old(backend: RedshiftDataAPIServiceBackend) -> None:
    """Statements and results are kept for 24 hours."""
    for name, statement in list(kept(backend, "statements").items()):
        if statement.expired:
            kept(backend, "statements").pop(name, None)
    for token, statement in list(kept(backend, "tokens").items()):
        if statement.expired:
            kept(backend, "tokens").pop(token, None)
    for session in list(kept(backend, "sessions").values()):
        session.expire()


def find_statement(self: Any, name: str) -> tuple[Statement, int | None]:
    """A statement, and the position of a sub-statement if the name has one.

    Raises:
        ServiceException: `ResourceNotFoundException`.
    """
    backend = self.redshiftdata_backend
    with LOCK:
        forget_old(backend)
        whole, colon, number = name.partition(":")
        statement: Statement | None = kept(backend, "statements").get(whole)
    position = int(number) - 1 if number else None
    if statement is None or (colon and not number):
        raise NotFound("Query does not exist.", name)
    if position is not None and not (statement.batch and 0 <= position < len(statement.parts)):
        raise NotFound("Query does not exist.", name)
    return statement, position


@CLOCK.every_tick
def keep_up() -> None:
    for _, regions in list(redshiftdata_backends.items()):
        for backend in list(regions.values()):
            for statement in list(kept(backend, "statements").values()):
                statement.course.keep_up()


def submitted(statement: Statement) -> ActionResult:
    answer = statement.places() | {
        "Id": statement.id,
        "CreatedAt": statement.created,
        "Status": statement.status,
        "RedshiftPid": None,
        "HasResultSet": None,
    }
    if statement.request.get("WaitTimeSeconds"):
        described = statement.described()
        answer |= {name: described[name] for name in ("RedshiftPid", "HasResultSet")}
    return ActionResult(answer)


@changes(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "ExecuteStatement",
    reason=(
        "runs nothing; needs no cluster; takes any text and any parameters; ignores `WithEvent` "
        "and `ClientToken`"
    ),
    differs=(
        "DuckDB runs the SQL, translated by sqlglot, one statement of a cluster after the other; "
        "no user has fewer privileges than another; PRIMARY KEY and UNIQUE are not "
        "recorded; no stored procedures, UDFs, Spectrum, Redshift ML, datashares, "
        "cursors; EXPLAIN shows DuckDB's plan; division of decimals gives a double; "
        "an interleaved sort key sorts as a compound one; ANALYZE changes nothing; AUTO REFRESH "
        "never happens; an untranslated message is DuckDB's; a statement ends after 60 real "
        "seconds; system views: `svv_table_info` (sizes are NULL), `stv_slices`, `stv_tbl_perm`, "
        "`pg_table_def`, "
        "`svv_tables`, `svv_columns`, `svv_mv_info`, `svv_redshift_databases`, "
        "`svv_redshift_schemas`, `sys_query_history`, `sys_query_detail`, `stl_load_errors`, "
        "`sys_load_error_detail`; `sys_query_detail` has only the scans of a SELECT, whose blocks "
        "are DuckDB's row groups of 8,192 rows, and `is_rrscan` says whether any was skipped; "
        "the hash behind DISTKEY is DuckDB's, AUTO keeps a copy on each node up to 100,000 rows, "
        "`skew_rows` is 100 when a slice is empty; COPY of CSV, text, JSON, Parquet, gzip, bzip2 "
        "and UNLOAD of CSV, text, JSON, Parquet check that the role is associated, not what it "
        "allows"
    ),
)
def execute_statement(original: Function, self: Any) -> ActionResult:
    return submitted(submit(self, [self.params["Sql"]]))


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "BatchExecuteStatement",
    differs="as ExecuteStatement",
)
def batch_execute_statement(self: Any) -> ActionResult:
    return submitted(submit(self, self.params["Sqls"]))


@changes(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "DescribeStatement",
    reason="the status stays STARTED for ever; `ResultRows` is -1 for ever",
    differs="a statement that nobody looks at is not begun while the lab's clock is instant",
)
def describe_statement(original: Function, self: Any) -> ActionResult:
    statement, position = find_statement(self, self.params["Id"])
    if self.params.get("WaitTimeSeconds"):
        statement.finish(self.params["WaitTimeSeconds"])
    statement.course.look()
    answer = statement.described()
    if position is not None:
        dropped = ("SubStatements", "ExecutionMode")
        answer = {k: v for k, v in answer.items() if k not in dropped}
        answer |= statement.part_described(position)
    return ActionResult(answer)


@changes(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "CancelStatement",
    reason="a canceled statement keeps its rows",
    differs="",
)
def cancel_statement(original: Function, self: Any) -> ActionResult:
    statement, position = find_statement(self, self.params["Id"])
    if position is not None:
        refuse("Could not cancel a sub-statement: cancel the batch statement.")
    statement.course.keep_up()
    if statement.ended or statement.final:
        state = statement.final
        refuse(f"Could not cancel a query that is already in {state} state with ID: {statement.id}")
    statement.cancel()
    return ActionResult({"Status": True})


# --- lists ---------------------------------------------------------------------------------------


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "ListStatements",
    differs="statements of all callers of the account",
)
def list_statements(self: Any) -> ActionResult:
    params, backend = self.params, self.redshiftdata_backend
    if params.get("ClusterIdentifier") and params.get("WorkgroupName"):
        refuse("Only one of ClusterIdentifier and WorkgroupName can be provided.")
    with LOCK:
        forget_old(backend)
        found = list(kept(backend, "statements").values())
    for statement in found:
        statement.course.look()
    wanted = params.get("Status") or "FINISHED"
    listed = [
        statement
        for statement in reversed(found)
        if wanted in ("ALL", statement.status)
        and (statement.request.get("StatementName") or "").startswith(
            params.get("StatementName") or ""
        )
        and params.get("Database") in (None, statement.database)
        and all(
            params.get(name) in (None, statement.request.get(name))
            for name in ("ClusterIdentifier", "WorkgroupName")
        )
    ]
    shown, token = page(listed, params, 100)
    return ActionResult({"Statements": [s.listed() for s in shown], "NextToken": token})


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "ListSessions",
    differs="sessions of all callers of the account",
)
def list_sessions(self: Any) -> ActionResult:
    params = self.params
    with LOCK:
        forget_old(self.redshiftdata_backend)
        found = list(kept(self.redshiftdata_backend, "sessions").values())
    listed = [
        described
        for described in (session_described(session) for session in reversed(found))
        if all(
            params.get(name) in (None, described.get(name))
            for name in ("SessionId", "Database", "ClusterIdentifier", "WorkgroupName", "Status")
        )
    ]
    shown, token = page(listed, params, 100)
    return ActionResult({"Sessions": shown, "NextToken": token})


def session_described(session: OpenSession) -> dict[str, Any]:
    status = "CLOSED" if session.closed else "BUSY" if session.busy else "AVAILABLE"
    where = "ClusterIdentifier" if session.endpoint.kind == "cluster" else "WorkgroupName"
    return {
        "SessionId": session.id,
        "Status": status,
        "CreatedAt": session.created,
        "UpdatedAt": session.updated,
        "Database": session.database,
        "DbUser": session.user,
        where: session.endpoint.name,
        "SessionAliveSeconds": session.alive,
        "SessionTtl": session.ends,
        "CurrentStatementId": session.statement.id if session.busy and session.statement else None,
    }
