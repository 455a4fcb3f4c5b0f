"""A shadow that writes acts twice: count the bookings of a shadow with and without a stub."""

import argparse
import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

CONFIG = """
daemon off; master_process off; pid nginx.pid;
events {{ }}
http {{
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        location = /invocations {{
            mirror /mirror;
            proxy_pass http://127.0.0.1:{production};
        }}
        location = /mirror {{
            internal;
            proxy_pass http://127.0.0.1:{shadow}/invocations;
        }}
    }}
}}
"""


# [start: stub]
def make_service(limit: float, ledger: Path) -> Callable[..., list[bytes]]:
    """A service that approves orders below a limit, and books what it approved in a ledger.

    The shadow's stub is a ledger of its own: it notes what the shadow would have booked.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        approved = float(body) < limit
        if approved:
            with ledger.open("a") as lines:
                lines.write(f"{environ['HTTP_X_ORDER']}\n")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"approved" if approved else b"refused"]

    return answer


# [end: stub]


@contextmanager
def serving(service: Callable[..., Any]) -> Iterator[int]:
    """The service on a free port of 127.0.0.1, in a thread; yields the port."""
    quiet: Any = type("Quiet", (WSGIRequestHandler,), {"log_message": lambda *_: None})
    with make_server("127.0.0.1", 0, service, handler_class=quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


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


def send(port: int, orders: int) -> set[str]:
    """Send orders of 1, 2, 3 … on one kept connection; returns those that were approved.

    There a request waits until the one before is mirrored: after the last GET, all of them are.
    """
    approved = set()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for order in range(1, orders + 1):
            connection.request("POST", "/invocations", str(order), {"X-Order": str(order)})
            if connection.getresponse().read() == b"approved":
                approved.add(str(order))
        connection.request("GET", "/")
        connection.getresponse().read()
    return approved


def shadow_test(folder: Path, orders: int, stub: bool) -> tuple[set[str], list[str], list[str]]:
    """What the clients were told is approved, what was booked, what the shadow's stub noted."""
    ledger, notes, port = folder / "ledger", folder / "notes", free_port()
    for file in (ledger, notes):
        file.write_text("")
    old, new = (
        make_service(0.45 * orders, ledger),
        make_service(0.5 * orders, notes if stub else ledger),
    )
    with serving(old) as production, serving(new) as shadow:
        config = CONFIG.format(port=port, production=production, shadow=shadow)
        (folder / "nginx.conf").write_text(config)
        command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", "nginx.conf"]
        with running(command, port, folder / "nginx"):
            told = send(port, orders)
    return told, ledger.read_text().split(), notes.read_text().split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    arguments = parser.parse_args()
    if not 20 <= arguments.orders <= 10_000:
        parser.error("--orders: 20 to 10000")
    if shutil.which("nginx") is None:
        sys.exit("nginx is not on PATH: install it, or add its folder, often /usr/sbin, to PATH.")
    try:
        for stub in (False, True):
            with tempfile.TemporaryDirectory() as name:
                told, booked, notes = shadow_test(Path(name), arguments.orders, stub)
            print("The shadow has a stub:" if stub else "The shadow books:")
            print(f"  approved to the client     {len(told):4}")
            print(f"  bookings                   {len(booked):4}")
            print(f"  orders booked twice        {len(booked) - len(set(booked)):4}")
            print(f"  booked though refused      {len(set(booked) - told):4}")
        print(f"  noted by the stub          {len(notes):4}")
        print(f"  of these, refused to client{len(set(notes) - told):4}")
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        sys.exit(f"The orders were not mirrored: {error}. Nothing is left behind: run it again.")
    except KeyboardInterrupt:
        sys.exit("Interrupted: nginx is stopped and its folder removed.")


if __name__ == "__main__":
    main()
