"""Mirror every request to a shadow with nginx, and keep what both models answered."""

import argparse
import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle, islice, takewhile
from pathlib import Path

# [start: mirror]
CONFIG = """
daemon off; master_process off; pid nginx.pid;
events {{ }}
http {{
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    log_format call "$request_id $upstream_status $upstream_response_time";
    proxy_http_version 1.1; proxy_set_header Connection "";  # what upstreams with keepalive need
    proxy_set_header X-Request-Id $request_id;
    upstream production {{ server 127.0.0.1:{ports[1]}; keepalive 32; }}
    upstream shadow {{ server 127.0.0.1:{ports[2]}; keepalive 32; }}
    keepalive_timeout 0;  # no connection to a client waits for a copy
    server {{
        listen 127.0.0.1:{ports[0]};
        location = /invocations {{
            mirror /mirror;
            proxy_pass http://production;
            access_log production.log call;
            proxy_store "{folder}/production/$request_id";
        }}
        location = /mirror {{
            internal;
            proxy_pass http://shadow/invocations;
            proxy_read_timeout 2s;
            log_subrequest on;
            access_log shadow.log call;
            proxy_store "{folder}/shadow/$request_id";
        }}
    }}
}}
"""
# [end: mirror]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens."""
    with ExitStack() as stack:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        return [stack.enter_context(each).getsockname()[1] for each in sockets]


def is_open(port: int) -> bool:
    """Whether a server listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """A server for the time of the block, from the moment that it listens on the port.

    Raises:
        RuntimeError: it ended, or does not listen within a minute; with its last words.
    """
    with log.open("wb") as words:
        server = subprocess.Popen(command, stdout=words, stderr=words)
    try:
        deadline = time.monotonic() + 60
        while not is_open(port):
            if server.poll() is not None or time.monotonic() > deadline:
                said = log.read_text().strip().rpartition("\n")[2] or "it does not listen"
                raise RuntimeError(f"{log.name} did not start: {said}")
            threading.Event().wait(0.05)
        yield
    finally:
        server.kill()
        server.wait()


def invoke(port: int, row: str) -> tuple[int, str | None]:
    """The status that a client sees, and the version of the model that answered."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", "/invocations", row, {"Content-Type": "text/csv"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["X-Model-Version"]


def invoke_all(port: int, rows: Iterator[str]) -> list[tuple[int, str | None]]:
    """`invoke` for row after row, beside other threads that take theirs from the same rows."""
    return [invoke(port, row) for row in rows]


def calls(log: Path) -> list[list[str]]:
    """Request id, status and seconds of each call that nginx has logged."""
    return [line.split() for line in log.read_text().splitlines()]


def wait_for(log: Path, count: int, seconds: float = 20) -> None:
    """Wait until so many calls are logged: copies arrive later than the answers.

    Raises:
        RuntimeError: they do not come.
    """
    deadline = time.monotonic() + seconds
    while len(calls(log)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {len(calls(log))} of {count} calls are in {log.name}")
        threading.Event().wait(0.05)


def keep_answers(folder: Path, variant: str, target: Path) -> int:
    """Write one JSON line per call of a variant; returns how many calls failed.

    nginx stores answers of status 200 only, so a failed call has none.
    """
    failed = 0
    with target.open("w") as lines:
        for request, status, seconds in calls(folder / f"{variant}.log"):
            stored = folder / variant / request
            answer = stored.read_text() if stored.exists() else None
            failed += answer is None
            call = {"id": request, "status": int(status), "seconds": float(seconds)}
            lines.write(json.dumps(call | {"answer": answer}) + "\n")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="model_server.py", help="../traffic/model_server.py")
    parser.add_argument("--production", required=True, help="model file of v1")
    parser.add_argument("--shadow", required=True, help="model file of v2")
    parser.add_argument("--rows", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--errors", default="0.02", help="share of the shadow's failures")
    parser.add_argument("--slow-ms", default="20", help="added to the shadow's answers")
    arguments = parser.parse_args()
    if not 1 <= arguments.requests <= 100_000:
        parser.error("--requests: 1 to 100000")
    if shutil.which("nginx") is None:
        sys.exit("nginx is not on PATH: install it, or add its folder, often /usr/sbin, to PATH.")
    ports, serve = free_ports(3), [sys.executable, arguments.server, "--port"]
    v1 = [*serve, str(ports[1]), "--version=v1", "--model", arguments.production]
    v2 = [*serve, str(ports[2]), "--version=v2", "--model", arguments.shadow]
    v2 += ["--errors", arguments.errors, "--slow-ms", arguments.slow_ms]
    try:
        rows = [line.partition(",")[2] for line in arguments.rows.read_text().splitlines()]
        if not rows:
            raise ValueError(f"{arguments.rows} is empty")
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (folder / "nginx.conf").write_text(CONFIG.format(ports=ports, folder=folder))
            nginx = ["nginx", "-e", "stderr", "-p", str(folder), "-c", "nginx.conf"]
            stack.enter_context(running(nginx, ports[0], folder / "nginx"))
            stack.enter_context(running(v1, ports[1], folder / "v1"))
            stack.enter_context(running(v2, ports[2], folder / "v2"))
            # [start: count]
            pool, ended = ThreadPoolExecutor(4), threading.Event()
            stack.callback(pool.shutdown)
            stack.callback(ended.set)  # comes first: after Ctrl-C nothing more is sent
            sent = takewhile(lambda _: not ended.is_set(), islice(cycle(rows), arguments.requests))
            parts = [pool.submit(invoke_all, ports[0], sent) for _ in range(4)]
            seen = [answer for part in parts for answer in part.result()]
            early = len(calls(folder / "shadow.log"))
            wait_for(folder / "shadow.log", arguments.requests)
            # [end: count]
            wait_for(folder / "production.log", arguments.requests)
            keep_answers(folder, "production", Path("production.jsonl"))
            failed = keep_answers(folder, "shadow", Path("shadow.jsonl"))
    except (OSError, ValueError, RuntimeError, http.client.HTTPException) as error:
        sys.exit(f"No shadow test: {error}. All servers are stopped: correct it, run it again.")
    except KeyboardInterrupt:
        sys.exit(
            "Interrupted: all servers are stopped. Do not use production.jsonl and shadow.jsonl."
        )
    good = seen.count((200, "v1"))
    print(f"{len(seen)} requests: {good} clients got v1's answer")
    print(f"mirrored when the last client had its answer: {early}, a little later: {len(seen)}")
    print("wrote production.jsonl and shadow.jsonl")
    if good < len(seen):
        sys.exit(f"{len(seen) - good} clients got another answer: see production.jsonl.")
    print(f"the shadow failed {failed} times, and no client saw it")


if __name__ == "__main__":
    main()
