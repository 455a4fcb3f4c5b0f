"""SQL for real: DuckDB sealed off from the machine, and its work in threads of its own.

Redshift and Athena speak other dialects; sqlglot translates them. Both libraries are imported
only when the first statement comes.
"""

import re
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from awslab.extension import on_reset

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONGEST = 60.0  # real seconds that one statement may take

# No file of the machine, no network, no extension, no variable of this process; and none of this
# can be changed by a statement.
SEALED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "1GB",
    "threads": "2",
    "lock_configuration": "true",
}


class SqlError(Exception):
    """A statement that cannot be run; the message is what the service says about it."""


class TakesTooLong(SqlError):
    """A statement that the lab has ended."""


def sealed_engine(**settings: str) -> "DuckDBPyConnection":
    """A new engine in memory that reaches nothing outside."""
    import duckdb

    return duckdb.connect(":memory:", config=SEALED | settings)


def sealed_engine_of(folder: Path, **settings: str) -> "DuckDBPyConnection":
    """A new engine that reaches nothing outside but the databases in one folder; they last no
    longer than the engine. Its connections may measure their queries (`enable_profiling`)."""
    import duckdb

    last = {key: SEALED[key] for key in ("enable_external_access", "lock_configuration")}
    first = {key: value for key, value in SEALED.items() if key not in last}
    engine = duckdb.connect(":memory:", config=first | settings)
    engine.execute(f"SET allowed_directories = [{literal(str(folder))}]")
    engine.execute("SET allowed_configs = ['enable_profiling']")
    engine.execute("SET fsync_mode = 'NONE'")
    for key, value in last.items():
        engine.execute(f"SET {key} = {value}")
    return engine


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def qualified(*names: str) -> str:
    return ".".join(quoted(name) for name in names)


class Running:
    """Work in a thread of its own that can be waited for and stopped.

    work: gets this object, to say which connection it uses.
    """

    alive: ClassVar["weakref.WeakSet[Running]"] = weakref.WeakSet()

    def __init__(self, work: Callable[["Running"], None]) -> None:
        self.stopped = False
        self._late = False
        self._lock = threading.Lock()
        self._connection: Any = None
        self._done = threading.Event()
        self._work = work
        self._timer = threading.Timer(LONGEST, self._end)
        self._timer.daemon = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        Running.alive.add(self)
        self._timer.start()
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work(self)
        finally:
            self._timer.cancel()
            self._done.set()

    @contextmanager
    def using(self, connection: "DuckDBPyConnection") -> Iterator[None]:
        """Let `stop` interrupt what the connection does during the block.

        Raises:
            TakesTooLong: its time is over.
        """
        self.check()
        with self._lock:
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None

    def check(self) -> None:
        """Raises TakesTooLong: the work was stopped, or its time is over."""
        if self.stopped:
            said = f"The lab ends a statement after {LONGEST:.0f} seconds."
            raise TakesTooLong(said if self._late else "The statement was canceled.")

    def wait(self, seconds: float) -> bool:
        """Whether the work is done, within so many real seconds."""
        return self._done.wait(seconds)

    def stop(self) -> None:
        """Interrupt the work, again and again until it has ended: an engine forgets an interrupt
        that comes before its query."""
        self.stopped = True
        for _ in range(50):
            with self._lock:
                if self._connection is not None:
                    self._connection.interrupt()
            if self._done.wait(0.1):
                return

    def _end(self) -> None:
        self._late = True
        self.stop()


@on_reset
def stop_all() -> None:
    for running in list(Running.alive):
        running.stop()
        running.wait(5)
    Running.alive.clear()


def place_of(sql: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both counted from 1."""
    before = sql[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def find_name(sql: str, name: str) -> int | None:
    """Where a name first stands alone in a text, whatever its case."""
    found = re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", sql, re.IGNORECASE)
    return found.start() if found else None
