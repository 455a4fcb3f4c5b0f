"""Serve an XGBoost model as SageMaker's containers do, with faults that can be switched on."""

import argparse
import http.server
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

FAULTS = {"errors": 0.0, "slow_ms": 0.0, "wrong": 0.0}  # two shares of the requests, and a time


# [start: answer]
def answer(booster: xgboost.Booster, body: bytes, kind: str) -> tuple[int, str]:
    """Status and text for one POST /invocations: a prediction per line of CSV without label."""
    if kind.partition(";")[0] != "text/csv":
        return 415, f"{kind or 'no content type'} is not accepted: send text/csv"
    try:
        rows = [line.split(",") for line in (body.decode() or "nothing").splitlines()]
        table = np.array(rows, dtype=np.float32).reshape(len(rows), booster.num_features())
    except ValueError:
        return 400, f"send {booster.num_features()} numbers on each line"
    return 200, "\n".join(f"{value:.6f}" for value in booster.inplace_predict(table))


# [end: answer]


def changed(faults: dict[str, float], body: bytes) -> dict[str, float] | None:
    """The faults after POST /admin/faults with JSON such as {"errors": 0.5}; None: refused."""
    try:
        after = {name: float(value) for name, value in {**faults, **json.loads(body)}.items()}
    except (ValueError, TypeError):
        return None
    shares = 0 <= after["errors"] <= 1 and 0 <= after["wrong"] <= 1
    fits = after.keys() == FAULTS.keys() and shares and 0 <= after["slow_ms"] <= 60_000
    return after if fits else None


# [start: handler]
def make_handler(booster: xgboost.Booster, state: dict[str, Any]) -> type:
    """The handler of one server; `state` has its version and faults, and counts invocations."""
    chance, lock = random.Random(0), threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # the connection stays open for the next request
        disable_nagle_algorithm = (
            True  # else header and body, two writes, wait 40 ms for each other
        )

        def reply(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("X-Model-Version", state["version"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if self.path == "/ping":
                self.reply(200, "")
            elif self.path == "/admin":
                self.reply(200, json.dumps(state))
            else:
                self.reply(404, "GET /ping or /admin")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/invocations":
                self.invoke(body)
            elif self.path == "/admin/faults" and (faults := changed(state["faults"], body)):
                state["faults"] = faults
                self.reply(200, json.dumps(faults))
            else:
                self.reply(400, f"POST /invocations, or /admin/faults with {json.dumps(FAULTS)}")

        def invoke(self, body: bytes) -> None:
            with lock:
                state["invocations"] += 1
                state["running"] += 1
                unlucky, mistaken = chance.random(), chance.random()
            try:
                faults = state["faults"]
                status, text = answer(booster, body, self.headers.get("Content-Type", ""))
                if status == 200 and mistaken < faults["wrong"]:
                    text = "\n".join(f"{1 - float(value):.6f}" for value in text.split("\n"))
                time.sleep(faults["slow_ms"] / 1000)
                if unlucky < faults["errors"]:
                    status, text = 500, "a fault was switched on"
                self.reply(status, text)
            finally:
                with lock:
                    state["running"] -= 1

        def log_message(self, *arguments: Any) -> None:
            """Silent: a line for each request would be the slowest part."""

    return Handler


# [end: handler]


# [start: serve]
def serve(booster: xgboost.Booster, port: int, state: dict[str, Any], seconds: float) -> None:
    """Answer on 127.0.0.1 until SIGTERM, Ctrl-C, the end of what started it, or the time is up.

    Requests that are being answered then are finished, for 30 seconds at most: SageMaker sends
    SIGKILL 30 seconds after SIGTERM. Raises OSError: the port is taken.
    """
    ended, starter = note_signals(), os.getppid()
    state |= {"process": os.getpid(), "invocations": 0, "running": 0}
    handler = make_handler(booster, state)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler, bind_and_activate=False)
    with server:
        server.request_queue_size = 1024  # with 5, as usual, a sixth caller waits a second
        server.server_bind()
        server.server_activate()
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # the caller hung up
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        # One write: the lines of several processes do not mix.
        sys.stdout.write(f"{state['version']} on http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        end = time.monotonic() + seconds
        while not ended and time.monotonic() < end and os.getppid() == starter:
            time.sleep(0.02)
        server.shutdown()
        late = time.monotonic() + 30
        while state["running"] and time.monotonic() < late:
            time.sleep(0.02)


# [end: serve]


def note_signals() -> list[int]:
    """A list that SIGTERM and Ctrl-C add their number to; nothing else happens at once."""
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ended.append(number))
    return ended


def serve_several(count: int, booster: xgboost.Booster, *settings: Any) -> None:
    """A process for each instance, all with the memory of this one; SIGTERM ends them all."""
    starter, children = os.getppid(), []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            try:
                serve(booster, *settings)
            finally:
                os._exit(0)
        children.append(child)
    ended = note_signals()
    while children:
        if ended or os.getppid() != starter:
            for child in children:
                os.kill(child, signal.SIGTERM)
        children = [child for child in children if not os.waitpid(child, os.WNOHANG)[0]]
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a file of Booster.save_model")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--version", default="v1", help="sent as the header X-Model-Version")
    parser.add_argument("--instances", type=int, default=1, help="processes, with a port each")
    parser.add_argument("--seconds", type=float, default=600, help="at most, then it ends")
    parser.add_argument("--errors", type=float, default=0, help="share of answers with status 500")
    parser.add_argument("--slow-ms", type=float, default=0, help="added to each answer")
    parser.add_argument("--wrong", type=float, default=0, help="share of answers of 1 - p")
    options = parser.parse_args()
    faults = changed(FAULTS, json.dumps({name: vars(options)[name] for name in FAULTS}).encode())
    if faults is None:
        parser.error("--errors and --wrong: from 0 to 1; --slow-ms: from 0 to 60000")
    if options.instances < 1 or (options.instances > 1 and options.port):
        parser.error("--instances: 1 or more; several choose their ports themselves")
    state = {"version": options.version, "faults": faults}
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(options.model.read_bytes()))
        if options.instances == 1:
            serve(booster, options.port, state, options.seconds)
        else:
            serve_several(options.instances, booster, 0, state, options.seconds)
    except (OSError, OverflowError) as error:
        sys.exit(f"Cannot serve {options.model}: {error}. Choose another --model or --port.")
    except xgboost.core.XGBoostError:
        sys.exit(f"{options.model} is not a model: name a file that Booster.save_model wrote.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    main()
