"""The lab as a server on 127.0.0.1, for everything that is not Python, or not this process."""

import contextlib
import io
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug import Request, Response
from werkzeug.serving import BaseWSGIServer, make_server

from awslab import calls, console, work
from awslab.clock import BEAT, CLOCK
from awslab.current import served
from awslab.extension import applied, reset
from awslab.terminal import Log, banner, say

HOST = "127.0.0.1"  # never another: the lab checks no password
ENDING = (signal.SIGINT, signal.SIGTERM)
# Names that mean this computer in every browser; a bucket may stand before `localhost`.
OWN_NAME = re.compile(r"(127(\.\d+){3}|\[::1\]|([\w-]+\.)*localhost)(:\d+)?", re.IGNORECASE)
FOREIGN = "The lab answers programs of this computer and its own page, and no other page.\n"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class PortTaken(Exception):
    """Another program listens on the port."""


def application(log: Log) -> Application:
    """moto's server behind the lab's own page, for callers of this computer only."""
    moto = DomainDispatcherApplication(create_backend_app)
    return guarded(answering(console.beside(moto), log))


def guarded(inner: Application) -> Application:
    """Refuse what a page on the internet makes a browser send: the lab runs programs."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if comes_from_elsewhere(Request(environ)):
            return Response(FOREIGN, HTTPStatus.FORBIDDEN)(environ, start_response)
        return inner(environ, start_response)

    return serve


def comes_from_elsewhere(request: Request) -> bool:
    """Whether a page of another origin sends it, or a name that only pretends to be local.

    No program sends these headers; browsers do, and no page can prevent it.
    """
    host = request.headers.get("Host", "")
    if not OWN_NAME.fullmatch(host):
        return True
    origin = request.headers.get("Origin")
    if origin is not None:
        return origin != f"{request.scheme}://{host}"
    visits = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
    return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not visits


def answering(inner: Application, log: Log) -> Application:
    """Answer what fails outside of any operation, as AWS does."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            return inner(environ, start_response)
        except Exception as error:
            log.failure(error)
            failure = calls.InternalFailure()
            body = f"<ErrorResponse><Error><Code>{failure.code}</Code>"
            body += f"<Message>{failure.message}</Message></Error></ErrorResponse>"
            answer = Response(body, 500, mimetype="text/xml")
            answer.headers["x-amzn-errortype"] = failure.code
            return answer(environ, start_response)

    return serve


def make(port: int, log: Log) -> BaseWSGIServer:
    """A server that is bound but not yet serving.

    Raises:
        PortTaken: the port is in use.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    refused = contextlib.redirect_stderr(io.StringIO())  # werkzeug prints, then exits
    try:
        with refused:
            return make_server(
                HOST, port, application(log), threaded=True, request_handler=MotoRequestHandler
            )
    except (OSError, SystemExit) as error:
        raise PortTaken(
            f"Port {port} of {HOST} is taken. Stop the program that uses it, "
            f"or choose another: make lab PORT={port + 1}"
        ) from error


@contextlib.contextmanager
def heard_by(log: Log) -> Iterator[None]:
    """The log hears of all calls, and of crashes, for the time of the block."""
    calls.LISTENERS.append(log.call)
    calls.CRASH_LISTENERS.append(log.failure)
    try:
        yield
    finally:
        calls.LISTENERS.remove(log.call)
        calls.CRASH_LISTENERS.remove(log.failure)


@contextlib.contextmanager
def in_thread(target: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(10)


def tick_until(stopped: threading.Event, log: Log) -> None:
    """Let happen what happens by itself while the clock runs; a step that fails stops no other."""
    failed: set[str] = set()
    while not stopped.wait(BEAT):
        for step in CLOCK.steps() if CLOCK.speed else []:
            try:
                step()
            except Exception as error:
                if repr(error) not in failed:
                    failed.add(repr(error))
                    log.failure(error)


@contextlib.contextmanager
def running_lab(port: int = 0, speed: float | None = None, log: Log | None = None) -> Iterator[str]:
    """Serve an empty lab in a thread for the time of the block; yields its address.

    speed: of the clock, as in `Clock.run`.
    """
    log, stopped = log or Log(), threading.Event()
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}))
        stack.enter_context(applied())
        server = make(port, log)
        stack.callback(server.server_close)
        console.empty()
        stack.callback(reset)
        stack.callback(CLOCK.run, None)
        CLOCK.run(speed)
        stack.enter_context(heard_by(log))
        stack.enter_context(in_thread(lambda: tick_until(stopped, log), stopped.set))
        stack.enter_context(in_thread(server.serve_forever, server.shutdown))
        address = f"http://{HOST}:{server.server_port}"
        stack.enter_context(patch.object(served, "address", address))
        yield address


@contextlib.contextmanager
def until_told_to_end() -> Iterator[threading.Event]:
    """The event that Ctrl-C and SIGTERM set, for the time of the block."""
    told = threading.Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in ENDING}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve(port: int, speed: float | None = None, *, quiet: bool = False) -> int:
    """Serve until Ctrl-C or SIGTERM; prints what to paste into another terminal."""
    work.sweep()
    log = Log(None if quiet else sys.stdout)
    with until_told_to_end() as told:
        try:
            with running_lab(port, speed, log) as address:
                say(banner(address), sys.stdout)
                told.wait()
        except PortTaken as error:
            print(error, file=sys.stderr)
            return 1
        work.sweep()
        say("\nThe lab has ended; nothing is kept.", sys.stdout)
    return 0
