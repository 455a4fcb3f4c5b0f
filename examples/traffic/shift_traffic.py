"""Split requests between two versions of a model with nginx, by shares that change under load."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from start_fleet import ask, start_fleet, stop_fleet, wait

# [start: config]
CONFIG = """
daemon off;
worker_processes 1;
worker_shutdown_timeout 10s;  # an old worker finishes its requests, for so long at most
pid nginx.pid;
error_log error.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    client_body_buffer_size 64k;
    map $http_x_request_id $key { "" $request_id; default $http_x_request_id; }
    split_clients $key $fleet { SPLIT }
    UPSTREAMS
    server {
        listen 127.0.0.1:PORT;
        location = /shift { return 200 '{"worker": $pid, "number": NUMBER}'; }
        location / {
            proxy_pass http://$fleet;
            proxy_http_version 1.1;          # connections to the servers stay open ...
            proxy_set_header Connection "";  # ... and nobody asks to close them
            proxy_next_upstream off;         # a failure is shown, not tried on another server
        }
    }
}
"""


def make_config(port: int, number: int, share: float, fleets: dict[str, list[int]]) -> str:
    """The text of nginx.conf: `share` percent of the requests for the fleet `new`, by request id.

    fleets: the ports of `old` and `new`; only one that gets no requests may be empty.
    """
    names = {0: ["old"], 100: ["new"]}.get(share, ["old", "new"])
    if empty := [name for name in names if not fleets[name]]:
        raise ValueError(f"{share} %: no server of the fleet {empty[0]}")
    split = f"{share}% new; * old;" if len(names) == 2 else f"* {names[0]};"
    upstreams = ""
    for name in names:
        servers = " ".join(f"server 127.0.0.1:{at} max_fails=0;" for at in fleets[name])
        upstreams += f"upstream {name} {{ {servers} keepalive 32; }}\n"
    text = CONFIG.replace("SPLIT", split).replace("UPSTREAMS", upstreams)
    return text.replace("PORT", str(port)).replace("NUMBER", str(number))


# [end: config]


PATIENCE = 20  # seconds for a change of the configuration, with the requests of the old worker


def find_nginx() -> str:
    """The program; raises RuntimeError: it is not there."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which("nginx", path=search):
        return found
    raise RuntimeError("nginx is not on PATH: install it (Debian, Ubuntu: apt-get install nginx).")


def free_port() -> int:
    """One that nothing listens on at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def shifter(fleets: dict[str, list[int]], share: float = 0) -> Iterator[dict[str, Any]]:
    """nginx for the time of the block, in a folder of its own: its `port` is where requests go.

    Raises RuntimeError: nginx is missing, or does not start.
    """
    program = find_nginx()
    with tempfile.TemporaryDirectory() as folder:
        state: dict[str, Any] = {"port": free_port(), "number": 0, "folder": Path(folder)}
        write_config(state, share, fleets)
        command = [program, "-p", f"{folder}/", "-e", f"{folder}/error.log"]
        command += ["-c", f"{folder}/nginx.conf"]
        state["process"] = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            await_config(state)
            yield state
        finally:
            state["process"].send_signal(signal.SIGQUIT)
            try:
                state["process"].wait(15)
            except subprocess.TimeoutExpired:
                state["process"].kill()


def write_config(state: dict[str, Any], share: float, fleets: dict[str, list[int]]) -> None:
    """Write the configuration with the next number, by which nginx's answer tells it is in use."""
    state["number"] += 1
    text = make_config(state["port"], state["number"], share, fleets)
    (state["folder"] / "nginx.conf").write_text(text)


def await_config(state: dict[str, Any]) -> None:
    """Wait until a worker with the newest configuration answers, and the worker before is gone.

    Raises RuntimeError: nginx refuses the configuration, or an old worker does not end.
    """
    deadline, before = time.monotonic() + PATIENCE, state.get("worker")
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            said = json.loads(ask(state["port"], "GET", "/shift")[1])
            if said["number"] == state["number"]:
                state["worker"] = said["worker"]
                if not before or not is_process(before):
                    return
        if state["process"].poll() is not None:
            break
        wait(0.01)
    log = (state["folder"] / "error.log").read_text().splitlines() or ["no reason is known"]
    raise RuntimeError(f"nginx does not use the new configuration: {log[-1]}")


def is_process(number: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


# [start: shift]
def shift(state: dict[str, Any], share: float, fleets: dict[str, list[int]]) -> None:
    """Change the split without losing a request: write, reload, wait until the old worker is gone.

    When it returns, servers that are in no fleet any more have no requests and can be stopped.
    """
    write_config(state, share, fleets)
    state["process"].send_signal(signal.SIGHUP)
    await_config(state)


# [end: shift]


def count_versions(port: int, row: str, requests: int) -> Counter[str]:
    """Which version answered how often; whatever is not status 200 counts as failed."""
    counted: Counter[str] = Counter()
    for number in range(requests):
        headers = {"Content-Type": "text/csv", "X-Request-Id": f"request-{number}"}
        try:
            status, text = ask(port, "POST", "/invocations", row, **headers)
        except OSError:
            status, text = 0, ""
        counted[text if status == 200 else "failed"] += 1
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, nargs=2, required=True, help="old and new")
    parser.add_argument("--file", type=Path, required=True, help="CSV, label first: its first row")
    parser.add_argument("--shares", type=float, nargs="+", default=[0, 10, 25, 50, 100])
    parser.add_argument("--requests", type=int, default=1000, help="for each share")
    options = parser.parse_args()
    if not all(0 <= share <= 100 for share in options.shares):
        parser.error("--shares: from 0 to 100 (percent)")
    running: list[dict[str, Any]] = []
    try:
        find_nginx()
        row = options.file.read_text().splitlines()[0].partition(",")[2]
        for version, model in zip(("v1", "v2"), options.models, strict=True):
            running += start_fleet(model, version, 1)
        fleets = {"old": [running[0]["port"]], "new": [running[1]["port"]]}
        kind = {"Content-Type": "text/csv"}
        answers = [ask(i["port"], "POST", "/invocations", row, **kind)[1] for i in running]
        print("share of v2  answered by v1  by v2  failed")
        with shifter(fleets) as state:
            for share in options.shares:
                shift(state, share, fleets)
                found = count_versions(state["port"], row, options.requests)
                old, new = (found[answer] for answer in answers)
                print(f"{share:9g} %  {old:14d}  {new:5d}  {found['failed']:6d}")
    except (OSError, IndexError, ValueError, RuntimeError, KeyboardInterrupt) as error:
        sys.exit(f"{str(error) or 'Interrupted.'} No server and no nginx is left running.")
    finally:
        stop_fleet(running)


if __name__ == "__main__":
    main()
