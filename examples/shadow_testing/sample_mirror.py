"""Mirror only a share of the traffic: nginx decides by a hash of the user, or of the request."""

import argparse
import http.client
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

# [start: share]
CONFIG = """
daemon off; master_process off; pid nginx.pid;
events {{ }}
http {{
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    access_log off; log_format user "$http_x_user";
    split_clients "$http_x_{key}" $mirrored {{ {chosen} }}
    server {{
        listen 127.0.0.1:{ports[0]};
        location = /invocations {{
            mirror /mirror;
            proxy_pass http://127.0.0.1:{ports[1]};
            access_log production.log user;
        }}
        location = /mirror {{
            internal;
            if ($mirrored = 0) {{ return 204; }}
            proxy_pass http://127.0.0.1:{ports[2]}/invocations;
            log_subrequest on;
            access_log shadow.log user if=$mirrored;
        }}
    }}
    # these two stand in for production and the shadow
    server {{ listen 127.0.0.1:{ports[1]}; return 200; }}
    server {{ listen 127.0.0.1:{ports[2]}; return 200; }}
}}
"""
# [end: share]


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


def send(port: int, requests: int, users: int) -> None:
    """Send the requests of the users in turn, on one kept connection.

    There a request waits until the one before is mirrored: after the last GET, all of them are.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for number in range(requests):
            headers = {"X-User": f"user-{number % users}", "X-Request": f"request-{number}"}
            connection.request("POST", "/invocations", b"1,2,3", headers)
            connection.getresponse().read()
        connection.request("GET", "/")
        connection.getresponse().read()


def sample(key: str, share: int, requests: int, users: int) -> Counter[str]:
    """How many requests of each user reached the shadow, if `share` percent are mirrored."""
    with tempfile.TemporaryDirectory() as name:
        folder, ports = Path(name), free_ports(3)
        chosen = f"{share}% 1; * 0;" if share < 100 else "* 1;"
        config = CONFIG.format(key=key, chosen=chosen, ports=ports)
        (folder / "nginx.conf").write_text(config)
        command = ["nginx", "-e", "stderr", "-p", name, "-c", "nginx.conf"]
        with running(command, ports[0], folder / "nginx"):
            send(ports[0], requests, users)
            if len((folder / "production.log").read_text().split()) != requests:
                raise RuntimeError("nginx did not pass every request to production")
            return Counter((folder / "shadow.log").read_text().split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--users", type=int, default=400)
    arguments = parser.parse_args()
    if not 1 <= arguments.users <= arguments.requests <= 100_000:
        parser.error("--users and --requests: 1 <= users <= requests <= 100000")
    if shutil.which("nginx") is None:
        sys.exit("nginx is not on PATH: install it, or add its folder, often /usr/sbin, to PATH.")
    each = arguments.requests // arguments.users
    print(f"{arguments.requests} requests of {arguments.users} users, all answered by production")
    print("hash of  share  mirrored  users  with all requests  kept from the row above")
    before: Counter[str] = Counter()
    try:
        for key, share in (("user", 5), ("user", 25), ("user", 100), ("request", 25)):
            found = sample(key, share, arguments.requests, arguments.users)
            whole = sum(count >= each for count in found.values())
            kept = f"{len(before & found)} of {len(before)}" if key == "user" and before else "-"
            row = f"{key:7}  {share:4}%  {found.total():8}  {len(found):5}  {whole:17}  {kept}"
            print(row)
            before = found
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        sys.exit(f"The requests were not mirrored: {error}. Nothing is left behind: run it again.")
    except KeyboardInterrupt:
        sys.exit("Interrupted: nginx is stopped and its folder removed.")


if __name__ == "__main__":
    main()
