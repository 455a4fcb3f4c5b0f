"""The program in which the lab runs a Lambda function: one event, one answer, and it ends.

It gets `{"handler": "file.function", "event": …, "context": {…}}` by its input and writes
`{"answer": …}` or `{"error": {…}}`; what the function prints becomes its log.
"""

import contextlib
import importlib
import json
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def answer_to(task: dict[str, Any]) -> dict[str, Any]:
    """What Lambda sends back for an event: the handler's answer, or the error that it raised."""
    module, _, name = task["handler"].rpartition(".")
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        answer = handler(task["event"], SimpleNamespace(**task["context"]))
        return {"answer": json.loads(json.dumps(answer))}
    except BaseException as error:
        trace = traceback.format_exception(error)
        print(*trace, sep="", file=sys.stderr)
        said = {"errorMessage": str(error), "errorType": type(error).__name__}
        return {"error": said | {"stackTrace": trace[1:-1]}}


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.dont_write_bytecode = True
    with contextlib.redirect_stdout(sys.stderr):
        done = answer_to(json.load(sys.stdin))
    json.dump(done, sys.stdout)
