"""Stands in for model_server.py where no model is needed: it starts at once.

Its options are the same. The content of the model file is what it answers; `fail` answers 503.
"""

import argparse
import http.server
import json
import time
from pathlib import Path
from typing import Any

parser = argparse.ArgumentParser()
for option in ("--model", "--version"):
    parser.add_argument(option)
parser.add_argument("--port", type=int)
for option in ("--errors", "--slow-ms"):
    parser.add_argument(option, type=float, default=0)
options = parser.parse_args()
text = Path(options.model).read_text()
state: dict[str, Any] = {"running": 0, "faults": {"slow_ms": options.slow_ms}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def reply(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("X-Model-Version", options.version)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self) -> None:
        self.reply(200, json.dumps(state))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/admin/faults":
            state["faults"] = json.loads(body)
            self.reply(200, "{}")
            return
        state["running"] += 1
        time.sleep(state["faults"]["slow_ms"] / 1000)
        state["running"] -= 1
        if text == "fail":
            self.reply(503, "as asked")
        else:
            self.reply(500 if options.errors == 1 else 200, text)

    def log_message(self, *arguments: Any) -> None:
        pass


http.server.ThreadingHTTPServer.request_queue_size = 128
http.server.ThreadingHTTPServer.daemon_threads = True
server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
server.handle_error = lambda *_: None  # type: ignore[method-assign]
server.serve_forever()
