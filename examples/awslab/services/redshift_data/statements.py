"""Statements: submitted, run one after the other, and kept for a day."""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.moto_api._internal import mock_random

from awslab.clock import Course, Stage, naive_now, now
from awslab.services.redshift_data.commands import run
from awslab.services.redshift_data.endpoint import Endpoint
from awslab.services.redshift_data.session import Outcome, Session
from awslab.services.redshift_data.values import size
from awslab.services.redshift_data.warehouse import NoSuchDatabase
from awslab.sql import Running, SqlError, TakesTooLong, literal
from awslab.sql_words import scan
from awslab.telemetry import put_event

KEPT = timedelta(hours=24)
FIRST_QUERY = 1_000

# Seconds of the lab's clock.
SUBMITTED, PICKED, STARTED = 0.1, 0.1, 0.3
ENDED = "ENDED"  # of the course; what it is called depends on how it ended
ARITHMETIC = "+-*/%"


class MissingParameters(Exception):
    """A text names parameters that nobody gave; the message lists them."""


def with_parameters(sql: str, values: Mapping[str, str]) -> tuple[str, set[str]]:
    """The text with each `:name` replaced by its value, and the names that were used.

    A value becomes a text in quotes, which takes the type of its surroundings; beside an operator
    of arithmetic a number stays one.

    Raises:
        MissingParameters: some have no value.
        SqlError: the text cannot be read.
    """
    words = scan(sql)
    pieces, used, missing, end = [], set(), [], 0
    for position, word in enumerate(words[:-1]):
        name = words[position + 1]
        together = word.kind == "SIGN" and word.text == ":" and name.start == word.end
        if not together or name.kind not in ("WORD", "NUMBER"):
            continue
        if name.text not in values:
            missing.append(name.text)
            continue
        around = [words[i].text for i in (position - 1, position + 2) if 0 <= i < len(words)]
        value = values[name.text]
        bare = re.fullmatch(r"-?\d+(\.\d+)?", value) and any(w in ARITHMETIC for w in around)
        pieces += [sql[end : word.start], value if bare else literal(value)]
        used.add(name.text)
        end = name.end
    if missing:
        raise MissingParameters(", ".join(dict.fromkeys(missing)))
    return "".join(pieces) + sql[end:], used


@dataclass
class Part:
    """One SQL text of a statement, and what came of it."""

    sql: str
    text: str  # with its parameters
    status: str = "SUBMITTED"
    outcome: Outcome | None = None
    error: str | None = None
    nanoseconds: int = -1
    query_id: int = 0

    @property
    def has_result(self) -> bool:
        return self.outcome is not None and self.outcome.columns is not None

    def described(self) -> dict[str, Any]:
        """Members that a statement and a sub-statement share."""
        finished = self.outcome is not None
        rows = self.outcome.rows if self.outcome else []
        return {
            "Duration": self.nanoseconds,
            "Error": self.error,
            "HasResultSet": self.has_result,
            "ResultRows": self.outcome.affected if self.outcome else -1,
            "ResultSize": sum(size(v) for row in rows for v in row) if finished else -1,
            "RedshiftQueryId": self.query_id if finished else 0,
        }


@dataclass
class OpenSession:
    """A session that outlives its statements: temporary tables, settings, a transaction.

    alive: seconds after its last statement. process: of the server, which handles it all the time.
    """

    id: str
    endpoint: Endpoint
    database: str
    user: str
    alive: int
    process: int
    created: datetime = field(default_factory=naive_now)
    updated: datetime = field(default_factory=naive_now)
    session: Session | None = None
    statement: "Statement | None" = None
    closed: bool = False

    @property
    def busy(self) -> bool:
        return self.statement is not None and not self.statement.ended

    @property
    def ends(self) -> datetime:
        return self.updated + timedelta(seconds=self.alive)

    def expire(self) -> None:
        if not self.closed and not self.busy and naive_now() > self.ends:
            self.close()

    def close(self) -> None:
        self.closed = True
        if self.session is not None:
            self.session.close()
            self.session = None


class Statement:
    """One call of ExecuteStatement or BatchExecuteStatement.

    request: its parameters. parts: one text, or those of the batch.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        database: str,
        user: str,
        request: Mapping[str, Any],
        parts: list[Part],
        opened: OpenSession | None,
    ) -> None:
        self.id = str(mock_random.uuid4())
        self.endpoint = endpoint
        self.database = database
        self.user = user
        self.request = dict(request)
        self.parts = parts
        self.opened = opened
        self.process = opened.process if opened else endpoint.warehouse.next_process()
        self.batch = "Sqls" in request
        self.created = naive_now()
        self.updated = self.created
        self.final = ""
        self._running: Running | None = None
        self._lock = threading.RLock()
        warehouse = endpoint.warehouse
        self._previous: Statement | None = warehouse.last
        warehouse.last = self
        self.course = Course(
            [
                Stage("SUBMITTED", SUBMITTED),
                Stage("PICKED", PICKED),
                Stage("STARTED", STARTED, work=self.wait, begin=self.start),
                Stage(ENDED),
            ]
        )

    # --- states ---

    @property
    def status(self) -> str:
        return self.final if self.course.stage == ENDED else self.course.stage

    @property
    def ended(self) -> bool:
        return self.course.stage == ENDED

    @property
    def expired(self) -> bool:
        return naive_now() - self.created > KEPT

    def start(self) -> None:
        """Begin the work; once."""
        with self._lock:
            if self._running is None and not self.final:
                self._running = Running(self._run)

    def wait(self, seconds: float) -> bool:
        with self._lock:
            running = self._running
        return running is None or running.wait(seconds)

    def finish(self, seconds: float) -> bool:
        """Run to the end, whatever the clock says; false if it takes longer than so many real
        seconds."""
        self.start()
        if not self.wait(seconds):
            return False
        if not self.ended:
            self.course.divert([Stage(ENDED)])
        return True

    def cancel(self) -> None:
        """Stop the work, or never begin it."""
        with self._lock:
            if not self.final:
                self.final = "ABORTED"
            running = self._running
        if running is not None:
            running.stop()
        self.updated = naive_now()
        for part in self.parts:
            if part.outcome is None:
                part.status = "ABORTED"
        self.course.divert([Stage(ENDED)])

    # --- work, in a thread of its own ---

    def _run(self, running: Running) -> None:
        previous, self._previous = self._previous, None
        if previous is not None and not previous.final:  # statements run in their order
            previous.start()
            while not previous.wait(1.0):
                if running.stopped:
                    break
        error = None
        try:
            running.check()
            session = self._open()
        except NoSuchDatabase as missing:
            error = f'FATAL: database "{missing}" does not exist'
        except TakesTooLong as late:
            error = f"ERROR: {late}"
        else:
            try:
                self._run_parts(session, running)
            except Exception as failure:  # whatever it is, the statement must not stay STARTED
                error = f"ERROR: the lab has failed: {failure!r}"
            if self.opened is None:
                session.close()
        self._settle(error)

    def _open(self) -> Session:
        if self.opened is None:
            return Session(self.endpoint, self.database, self.user, self.process)
        if self.opened.session is None:
            self.opened.session = Session(self.endpoint, self.database, self.user, self.process)
        return self.opened.session

    def _run_parts(self, session: Session, running: Running) -> None:
        single = self.batch and self.request.get("ExecutionMode") != "AUTO_COMMIT"
        whole = single and not session.in_transaction
        if whole:
            session.execute("BEGIN")
            session.in_transaction = True
        for part in self.parts:
            run_part(part, session, running, self)
            if part.error and (single or not self.batch):
                break
        failed = any(part.error for part in self.parts)
        if session.in_transaction and (whole or self.opened is None):
            end = "ROLLBACK" if failed or not whole else "COMMIT"
            try:
                session.execute(end)
            except SqlError as error:
                self.parts[-1].error = self.parts[-1].error or str(error)
            session.in_transaction = False
            self.endpoint.warehouse.version += 1

    def _settle(self, error: str | None) -> None:
        """Set how it ended."""
        with self._lock:
            for part in self.parts:
                if error and part is self.parts[0]:
                    part.error = error
                if part.outcome is None:
                    part.status = "FAILED" if part.error else "ABORTED"
            if not self.final:
                failed = any(part.error for part in self.parts)
                self.final = "FAILED" if failed else "FINISHED"
            self.updated = naive_now()
        if self.opened is not None:
            self.opened.updated = self.updated
        if self.request.get("WithEvent"):
            self._tell()

    def _tell(self) -> None:
        endpoint = self.endpoint
        part = self.parts[-1]
        detail = {
            "principal": self.user,
            "statementName": self.request.get("StatementName", ""),
            "statementId": self.id,
            "redshiftQueryId": part.query_id,
            "state": self.final,
            "rows": part.outcome.affected if part.outcome else -1,
            "expireAt": int((now() + KEPT).timestamp()),
        }
        arn = f"arn:aws:redshift:{endpoint.region}:{endpoint.account}:cluster:{endpoint.name}"
        put_event(
            endpoint.account,
            endpoint.region,
            "aws.redshift-data",
            "Redshift Data Statement Status Change",
            arn,
            detail,
        )

    # --- answers ---

    def places(self) -> dict[str, Any]:
        """What it was sent to, in the members of all answers."""
        name = "ClusterIdentifier" if self.endpoint.kind == "cluster" else "WorkgroupName"
        return {
            name: self.request.get(name) or self.endpoint.name,
            "Database": self.database,
            "DbUser": self.user,
            "SecretArn": self.request.get("SecretArn"),
            "SessionId": self.opened.id if self.opened else None,
        }

    def named(self, position: int) -> str:
        return f"{self.id}:{position + 1}"

    def described(self) -> dict[str, Any]:
        """The members of DescribeStatement."""
        answer = self.places() | {
            "Id": self.id,
            "Status": self.status,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated if self.ended else max(self.created, self.entered()),
            "RedshiftPid": self.process,
            "QueryParameters": self.request.get("Parameters"),
            "ResultFormat": str(self.request.get("ResultFormat") or "JSON"),
        }
        if not self.batch:
            part = self.parts[0] if self.ended else Part("", "")
            return answer | {"QueryString": self.parts[0].sql} | part.described()
        return answer | {
            "Duration": sum(max(part.nanoseconds, 0) for part in self.parts) if self.ended else -1,
            "Error": next((part.error for part in self.parts if part.error), None)
            if self.ended
            else None,
            "HasResultSet": self.ended and any(part.has_result for part in self.parts),
            "RedshiftQueryId": 0,
            "ResultRows": -1,
            "ResultSize": -1,
            "ExecutionMode": self.request.get("ExecutionMode") or "TRANSACTION",
            "SubStatements": [self.part_described(n) for n in range(len(self.parts))],
        }

    def entered(self) -> datetime:
        return self.course.entered.replace(tzinfo=None)

    def part_described(self, position: int) -> dict[str, Any]:
        """The members of SubStatementData."""
        part = self.parts[position]
        shown = part if self.ended else Part(part.sql, part.text, status=self.status)
        status = shown.status if self.ended else self.status
        return shown.described() | {
            "Id": self.named(position),
            "Status": status,
            "QueryString": part.sql,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
        }

    def listed(self) -> dict[str, Any]:
        """The members of StatementData."""
        return {
            "Id": self.id,
            "QueryString": None if self.batch else self.parts[0].sql,
            "QueryStrings": [part.sql for part in self.parts] if self.batch else None,
            "SecretArn": self.request.get("SecretArn"),
            "Status": self.status,
            "StatementName": self.request.get("StatementName"),
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "QueryParameters": self.request.get("Parameters"),
            "IsBatchStatement": self.batch,
            "ResultFormat": str(self.request.get("ResultFormat") or "JSON"),
            "SessionId": self.opened.id if self.opened else None,
        }


def run_part(part: Part, session: Session, running: Running, statement: Statement) -> None:
    """Run one text and keep what came of it, in the part and in the system views."""
    warehouse = session.warehouse
    part.status = "STARTED"
    part.query_id = session.query_id = FIRST_QUERY + warehouse.next_query()
    begun, started = naive_now(), time.perf_counter_ns()
    kind = part.text.split(None, 1)[0].upper() if part.text.strip() else ""
    try:
        part.outcome = run(session, part.text, running)
        part.status = "FINISHED"
    except TakesTooLong as error:
        part.error, part.status = f"ERROR: {error}", "ABORTED" if statement.final else "FAILED"
    except SqlError as error:
        part.error, part.status = str(error), "ABORTED" if statement.final else "FAILED"
    spent = time.perf_counter_ns() - started
    if part.outcome is not None:
        part.nanoseconds, kind = spent, part.outcome.kind
    rows: Sequence[Any] = part.outcome.rows if part.outcome else []
    measured = part.outcome.nanoseconds if part.outcome else None
    executed = spent if measured is None else measured
    warehouse.history.append(
        {
            "user_id": 100,
            "query_id": part.query_id,
            "query_label": "default",
            "transaction_id": part.query_id,
            "session_id": session.process,
            "database_name": session.database,
            "query_type": kind,
            "status": {"FINISHED": "success", "ABORTED": "canceled"}.get(part.status, "failed"),
            "result_cache_hit": False,
            "start_time": begun,
            "end_time": naive_now(),
            "elapsed_time": spent // 1000,
            "queue_time": 0,
            "execution_time": executed // 1000,
            "error_message": part.error or "",
            "returned_rows": len(rows) if part.has_result else 0,
            "returned_bytes": sum(size(v) for row in rows for v in row),
            "query_text": part.sql[:4000],
        }
    )
