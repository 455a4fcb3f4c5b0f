"""Measure what a slow shadow costs the clients of production, with and without keep-alive."""

import argparse
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

CONFIG = """
daemon off; master_process off; pid nginx.pid;
events {{ }}
http {{
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    access_log off;
    proxy_http_version 1.1; proxy_set_header Connection "";
    upstream production {{ server 127.0.0.1:{production}; keepalive 32; }}
    upstream shadow {{ server 127.0.0.1:{shadow}; keepalive 32; }}
    {servers}
}}
"""
# [start: server]
SERVER = """
    server {{
        listen 127.0.0.1:{port};
        keepalive_timeout {seconds};
        keepalive_requests 100000;
        location = /invocations {{ mirror {mirror}; proxy_pass http://production; }}
        location = /mirror {{ internal; proxy_pass http://shadow/invocations; }}
    }}
"""
# [end: server]


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


def call(port: int, path: str, body: str | None = None) -> str:
    """POST the body, or GET; returns the text of an answer of status 200.

    Raises:
        RuntimeError: another status.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST" if body else "GET", path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
    if answer.status != 200:
        raise RuntimeError(f"{path} answers {answer.status}: {text}")
    return text


# [start: load]
def send(port: int, row: str, requests: int, stop: threading.Event) -> list[float]:
    """Seconds of each request of one client, which keeps its connection if the server does."""
    took = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        while len(took) < requests and not stop.is_set():
            start = time.perf_counter()
            connection.request("POST", "/invocations", row, {"Content-Type": "text/csv"})
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - start)
            if answer.status != 200:
                raise RuntimeError(f"a client got status {answer.status}")
    return took


# [end: load]


def measure(port: int, shadow: int, row: str, requests: int) -> tuple[float, float]:
    """Milliseconds of the median request of 4 clients, and requests per second of all.

    Waits until the shadow has answered what it still holds, so that the next case is not slower.
    """
    stop, start = threading.Event(), time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        try:
            clients = [pool.submit(send, port, row, requests // 4, stop) for _ in range(4)]
            took = [seconds for client in clients for seconds in client.result()]
        finally:
            stop.set()  # on Ctrl-C, no client goes on
    elapsed = time.perf_counter() - start
    while json.loads(call(shadow, "/admin"))["running"]:
        threading.Event().wait(0.1)
    return round(statistics.median(took) * 1000, 1), round(len(took) / elapsed, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="model_server.py", help="../traffic/model_server.py")
    parser.add_argument("--model", required=True, help="model file, for production and shadow")
    parser.add_argument("--rows", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--requests", type=int, default=400, help="of each case")
    parser.add_argument("--slow-ms", type=float, default=50, help="of the slow shadow")
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    arguments = parser.parse_args()
    if not 4 <= arguments.requests <= 10_000 or not 0 <= arguments.slow_ms <= 1000:
        parser.error("--requests: 4 to 10000; --slow-ms: 0 to 1000")
    if shutil.which("nginx") is None:
        sys.exit("nginx is not on PATH: install it, or add its folder, often /usr/sbin, to PATH.")
    plain, kept, closed, production, shadow = ports = free_ports(5)
    serve = [sys.executable, arguments.server, "--model", arguments.model, "--port"]
    cases = (
        ("direct", production, 0),
        ("nginx", plain, 0),
        ("mirror-fast", kept, 0),
        ("mirror-slow", kept, arguments.slow_ms),
        ("mirror-slow-close", closed, arguments.slow_ms),
    )
    rows = []
    try:
        row = arguments.rows.read_text().split("\n")[0].partition(",")[2]
        kinds = zip(ports, (75, 75, 0), ("off", "/mirror", "/mirror"), strict=False)
        servers = [SERVER.format(port=p, seconds=s, mirror=m) for p, s, m in kinds]
        config = CONFIG.format(production=production, shadow=shadow, servers="".join(servers))
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (folder / "nginx.conf").write_text(config)
            nginx = ["nginx", "-e", "stderr", "-p", str(folder), "-c", "nginx.conf"]
            stack.enter_context(running(nginx, plain, folder / "nginx"))
            stack.enter_context(running([*serve, str(production)], production, folder / "v1"))
            stack.enter_context(running([*serve, str(shadow)], shadow, folder / "v2"))
            print("case               p50 in ms  requests per second")
            for name, port, slow in cases:
                call(shadow, "/admin/faults", json.dumps({"slow_ms": slow}))
                p50, rate = measure(port, shadow, row, arguments.requests)
                rows.append([name, p50, rate])
                print(f"{name:17}  {p50:9}  {rate:19}")
        columns = ["case", "p50_ms", "per_second"]
        arguments.json.write_text(json.dumps({"columns": columns, "rows": rows}) + "\n")
    except (OSError, ValueError, RuntimeError, http.client.HTTPException) as error:
        sys.exit(f"Not measured: {error}. All servers are stopped: correct it, run it again.")
    except KeyboardInterrupt:
        sys.exit("Interrupted: all servers are stopped, their folder is removed.")


if __name__ == "__main__":
    main()
