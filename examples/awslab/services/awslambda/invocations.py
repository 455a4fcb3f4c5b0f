"""Functions run, each request in a program of its own, and their errors become metrics."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from moto.awslambda.models import LambdaBackend, LambdaFunction

from awslab.clock import naive_now
from awslab.extension import Function, changes
from awslab.services.awslambda.aliases import version_for
from awslab.telemetry import put_log_lines, put_metric
from awslab.work import own_folder

RUNNER = Path(__file__).parents[2] / "containers" / "function.py"
TAIL = 4096  # bytes of the log that an answer brings along


def alias_of(backend: LambdaBackend, function: LambdaFunction, qualifier: str) -> Any:
    aliases = backend._lambdas._get_function_aliases(function.function_name)
    return aliases.get(qualifier)


@changes(
    LambdaBackend,
    "lambda",
    "functions that run",
    reason="needs Docker; measures nothing",
    differs=(
        "Python only, that of the lab, whatever the runtime says; each request starts a program of "
        "its own, without layers, memory limit or role; it reaches no AWS service; requests of "
        "type `Event` are served at once and not repeated; nothing is throttled; an alias sends "
        "requests by chance that falls the same way each time"
    ),
)
def invoke(
    original: Function,
    self: LambdaBackend,
    function_name: str,
    qualifier: str | None,
    body: Any,
    headers: Any,
    response_headers: dict[str, str],
) -> bytes:
    name, own = apart(self, function_name)
    qualifier = own or qualifier
    found = self.get_function(name, qualifier)
    alias = alias_of(self, found, qualifier or "")
    version = version_for(alias) if alias else str(found.version)
    function = self.get_function(name, version)
    response_headers["X-Amz-Executed-Version"] = version
    if headers.get("X-Amz-Invocation-Type") == "DryRun":
        return b""
    started = time.perf_counter()
    done, log = run(function, version, body)
    took = (time.perf_counter() - started) * 1000
    measure(self, function.function_name, qualifier, version, "error" in done, took)
    lines = [f"START Version: {version}", *log.splitlines(), "END"]
    stream = f"{naive_now():%Y/%m/%d}/[{version}]{uuid.uuid5(uuid.NAMESPACE_OID, version).hex}"
    put_log_lines(self.account_id, self.region_name, function.logs_group_name, stream, lines)
    tail = "\n".join(lines).encode()[-TAIL:]
    response_headers["x-amz-log-result"] = base64.b64encode(tail).decode()
    if "error" in done:
        response_headers["X-Amz-Function-Error"] = "Unhandled"
    return json.dumps(done.get("error", done.get("answer"))).encode()


def apart(backend: LambdaBackend, function: str) -> tuple[str, str | None]:
    """The name and the qualifier in a function's name or ARN."""
    if function.startswith("arn:"):
        _, name, qualifier = backend._lambdas.split_function_arn(function)
        return name, qualifier
    name, _, qualifier = function.partition(":")
    return name, qualifier or None


def run(function: LambdaFunction, version: str, body: Any) -> tuple[dict[str, Any], str]:
    """What the function answers, `{"answer": …}` or `{"error": …}`, and what it prints."""
    event = json.loads(body) if body else {}
    settings = {
        **{key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ},
        **function.environment_vars,
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
    }
    context = {"function_name": function.function_name, "function_version": version}
    task = {"handler": function.handler, "event": event, "context": context}
    with TemporaryDirectory(prefix="function-", dir=own_folder()) as folder:
        zipfile.ZipFile(io.BytesIO(function.code_bytes)).extractall(folder)
        with subprocess.Popen(
            [sys.executable, "-I", str(RUNNER)],
            cwd=folder,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as program:
            # Not a timeout of communicate: it would poll, and spin where sleep is patched.
            timer = threading.Timer(float(function.timeout), program.kill)
            timer.start()
            answer, log = program.communicate(json.dumps(task))
            timer.cancel()
    if program.returncode == -signal.SIGKILL:
        said = f"Task timed out after {float(function.timeout):.2f} seconds"
        return {"error": {"errorMessage": said, "errorType": "Sandbox.Timedout"}}, log + said
    if program.returncode or not answer:
        said = f"Runtime exited with error: exit status {program.returncode}"
        return {"error": {"errorMessage": said, "errorType": "Runtime.ExitError"}}, log
    return json.loads(answer), log


def measure(
    backend: LambdaBackend,
    function: str,
    qualifier: str | None,
    version: str,
    failed: bool,
    milliseconds: float,
) -> None:
    """The metrics of one invocation, under each set of dimensions that AWS keeps."""
    places: list[dict[str, str]] = [{}, {"FunctionName": function}]
    if qualifier:
        resource = {"FunctionName": function, "Resource": f"{function}:{qualifier}"}
        places += [resource, {**resource, "ExecutedVersion": version}]
    values = {"Invocations": 1.0, "Errors": float(failed), "Duration": milliseconds}
    for dimensions in places:
        for metric, value in values.items():
            unit = "Milliseconds" if metric == "Duration" else "Count"
            put_metric(
                backend.account_id,
                backend.region_name,
                "AWS/Lambda",
                metric,
                value,
                dimensions,
                unit,
            )
