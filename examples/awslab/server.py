"""The lab as a server on 127.0.0.1, for everything that is not Python, or not this process."""

import contextlib
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from unittest.mock import patch

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from awslab.embedded import ENVIRONMENT
from awslab.extension import applied, reset

HOST = "127.0.0.1"  # never another: the lab checks no password


class PortTaken(Exception):
    """Another program listens on the port."""


def make(port: int) -> BaseWSGIServer:
    """A server that is bound but not yet serving.

    Raises:
        PortTaken: the port is in use.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    refused = contextlib.redirect_stderr(io.StringIO())  # werkzeug prints, then exits
    try:
        with refused:
            return make_server(
                HOST, port, application, threaded=True, request_handler=MotoRequestHandler
            )
    except (OSError, SystemExit) as error:
        raise PortTaken(
            f"Port {port} of {HOST} is taken. Stop the program that uses it, "
            f"or choose another: make lab PORT={port + 1}"
        ) from error


@contextlib.contextmanager
def running_lab(port: int = 0) -> Iterator[str]:
    """Serve an empty lab in a thread for the time of the block; yields its address."""
    with patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}), applied():
        server = make(port)
        BackendDict.reset()
        reset_model_data()
        reset()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            reset()


def serve(port: int) -> int:
    """Serve until Ctrl-C; prints what to paste into another terminal."""
    try:
        with running_lab(port) as address:
            region = ENVIRONMENT["AWS_DEFAULT_REGION"]
            print(f"The lab listens on {address} (Ctrl-C ends it). In another terminal:\n")
            print(f"export AWS_ENDPOINT_URL={address} AWS_DEFAULT_REGION={region}")
            print("export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing", flush=True)
            threading.Event().wait()
    except PortTaken as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe lab has ended; nothing is kept.")
    return 0
