"""Stands in for a model container: `python serve.py KIND SOCKET`, started by hosting.py.

It keeps SageMaker's serving contract on a Unix socket: GET /ping answers 200 once the model is
loaded, POST /invocations predicts. KIND is `xgboost` (the built-in algorithm), `xgboost-script` or
`framework` (an own script with `model_fn` and so on). It imports nothing of the lab, as a container
would not have it. The model lies in SM_MODEL_DIR; what is printed becomes the endpoint's log.
"""

import csv
import importlib
import importlib.util
import inspect
import io
import json
import os
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

CSV, JSON, JSON_LINES, NPY = (
    "text/csv",
    "application/json",
    "application/jsonlines",
    "application/x-npy",
)
LIBSVM = ("text/libsvm", "text/x-libsvm")
RECORDIO = "application/x-recordio-protobuf"
BASE = os.environ["SAGEMAKER_BASE_DIR"]  # stands for /opt/ml
MODEL = Path(os.environ["SM_MODEL_DIR"])

Headers = Mapping[str, str] | Message  # of a request; names of any case


@dataclass
class Reply:
    """What the container answers; an iterator is sent in chunks as it yields."""

    body: bytes | Iterator[Any]
    content_type: str = CSV
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request that the container answers with an error.

    status_code: of HTTP, as the inference toolkit calls it.
    """

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def media(content_type: str | None) -> str:
    """`text/csv` of `text/csv; charset=utf-8`."""
    return (content_type or "").partition(";")[0].strip().lower()


# --- the built-in XGBoost algorithm ---------------------------------------------------------------


def matrix_of(body: bytes, content_type: str, features: int | None = None) -> Any:
    """A DMatrix without labels, as the container reads the request.

    features: how many the model has; libsvm leaves out those that are zero.

    Raises:
        Refused: 415, another content type or a body that is not what its type says.
    """
    import numpy
    import xgboost

    kind = media(content_type) or CSV
    if kind in (CSV, "csv"):
        try:
            return xgboost.DMatrix(numpy.array(csv_rows(body)).astype(float), nthread=1)
        except Exception as error:
            raise unreadable("csv", error) from error
    if kind in (*LIBSVM, "libsvm"):
        try:
            return xgboost.DMatrix(sparse(body, features or 0), nthread=1)
        except Exception as error:
            raise unreadable("libsvm", error) from error
    if kind in (RECORDIO, "recordio-protobuf"):
        try:
            return xgboost.DMatrix(beside("recordio").matrix_and_labels(body)[0], nthread=1)
        except Exception as error:
            raise unreadable("recordio-protobuf", error) from error
    known = f"csv, libsvm, parquet, recordio-protobuf, {CSV}, {', '.join(LIBSVM)}, "
    known += f"application/x-parquet, {RECORDIO}"
    raise Refused(415, f"{kind} is not an accepted ContentType: {known}.")


def beside(name: str) -> Any:
    """A module that lies beside this program: the folder is kept out of what a script imports."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unreadable(what: str, error: Exception) -> Refused:
    said = f"Loading {what} data failed with Exception, please ensure data is in {what} format:"
    return Refused(415, f"{said}\n {type(error)}\n {error}")


def csv_rows(body: bytes) -> list[list[str]]:
    text = body.strip().decode("utf-8")
    try:
        delimiter = csv.Sniffer().sniff(text.split("\n")[0][:512], ",;\t| ").delimiter
    except csv.Error:
        delimiter = ","
    return [[cell.strip() or "nan" for cell in line.split(delimiter)] for line in text.splitlines()]


def sparse(body: bytes, features: int) -> Any:
    """The rows of a libsvm text; a label before the first index is left out."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

    values, rows, columns = [], [], []
    lines = body.strip().decode("utf-8").splitlines()
    for row, line in enumerate(lines):
        for item in line.split():
            column, colon, value = item.partition(":")
            if colon:
                values.append(float(value))
                rows.append(row)
                columns.append(int(column))
    width = max(features, *(column + 1 for column in columns)) if columns else features
    return csr_matrix((values, (rows, columns)), shape=(len(lines), width))


class BuiltIn:
    """The algorithm's own server: `xgboost-model`, or several files whose mean it answers."""

    def __init__(self) -> None:
        for name in ("sklearn", "pandas"):  # most of the time that xgboost takes to import
            sys.modules[name] = None  # type: ignore[assignment]
        files = sorted(path for path in MODEL.iterdir() if path.is_file() and path.name[0] != ".")
        if not files:
            raise RuntimeError(f"No model file in {MODEL}")
        self.boosters = [load_booster(path) for path in files]
        self.features = self.boosters[0].num_features()
        self.lock = threading.Lock()  # of a container's worker, which serves one request at a time

    def __call__(self, body: bytes, headers: Headers) -> Reply:
        if not body:
            return Reply(b"", status=204)
        content_type = headers.get("Content-Type", CSV)
        data = matrix_of(body, content_type, self.features)
        self.check_width(data.num_col(), media(content_type) or CSV)
        accept = accepted(headers)
        with self.lock:
            predictions = [predict(booster, data) for booster in self.boosters]
        scores = (sum(predictions) / len(predictions)).tolist()
        return Reply(encoded(scores, accept), f"{CSV}; charset=utf-8" if accept == CSV else accept)

    def check_width(self, width: int, kind: str) -> None:
        if kind in (*LIBSVM, "libsvm"):
            fits, said = width <= self.features + 1, "libsvm inference data {} is larger than"
        else:
            fits = width in (self.features, self.features - 1)
            said = "csv inference data {} is not consistent with"
        if not fits:
            said = f"Feature size of {said.format(width)} feature size of trained model "
            raise Refused(400, f"Unable to evaluate payload provided: {said}{self.features}.")

    def parameters(self) -> dict[str, Any]:
        """Of GET /execution-parameters, for batch transform."""
        return {
            "MaxConcurrentTransforms": int(os.environ["SM_NUM_CPUS"]),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": 6,
        }


def load_booster(path: Path) -> Any:
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(path.read_bytes()))
    except xgboost.core.XGBoostError as error:
        said = str(error).partition("\nStack trace")[0]
        raise RuntimeError(f"Model at {path} cannot be loaded:\n{said}") from None
    return booster


def predict(booster: Any, data: Any) -> Any:
    best = booster.attr("best_iteration")
    rounds = (0, int(best) + 1) if best is not None else (0, 0)
    try:
        return booster.predict(data, iteration_range=rounds, validate_features=False)
    except Exception as error:
        said = str(error).partition("\nStack trace")[0]
        raise Refused(400, f"Unable to evaluate payload provided: {said}") from error


def accepted(headers: Headers) -> str:
    accept = media(headers.get("Accept"))
    if not accept or accept == "*/*":
        return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
    known = [JSON, JSON_LINES, RECORDIO, CSV]
    if accept not in known or accept == RECORDIO:
        said = f"Accept type {accept} is not supported. Please use supported accept types: {known}."
        raise Refused(406, said)
    return accept


def encoded(scores: list[Any], accept: str) -> bytes:
    """One prediction per row: a number, a class, or the list of the classes' probabilities."""
    if accept == JSON:
        return json.dumps({"predictions": [{"score": score} for score in scores]}).encode()
    if accept == JSON_LINES:
        return "".join(json.dumps({"score": score}) + "\n" for score in scores).encode()
    texts = [str(score) for score in scores]
    batch = os.environ.get("SAGEMAKER_BATCH", "").lower() == "true"
    return ("\n".join(texts) + "\n" if batch else ",".join(texts)).encode()


# --- an own script, as the inference toolkit of the framework images runs it ----------------------


class Context:
    """What a handler gets that takes one argument more than it must."""

    def __init__(self, headers: Headers) -> None:
        self.system_properties = {"model_dir": str(MODEL)}
        self.request_processor = [self]
        self.headers = headers
        self.response_headers: dict[str, str] = {}

    def get_request_properties(self) -> Headers:
        return self.headers

    def get_request_header(self, position: int, key: str) -> str | None:
        return self.headers.get(key)

    def set_response_header(self, position: int, key: str, value: str) -> None:
        self.response_headers[key] = value


class Script:
    """`model_fn`, then `transform_fn` or `input_fn`, `predict_fn` and `output_fn` of the script."""

    def __init__(self, decode: Callable[[Any, str], Any]) -> None:
        self.decode = decode
        self.script = load_script()
        own = [name for name in ("input_fn", "predict_fn", "output_fn") if self.has(name)]
        if self.has("transform_fn") and own:
            raise ValueError(
                "Cannot use transform_fn implementation in conjunction with "
                "input_fn, predict_fn, and/or output_fn implementation"
            )
        if not self.has("model_fn"):
            raise NotImplementedError(
                "Please provide a model_fn implementation.\n"
                "See documentation for model_fn at https://sagemaker.readthedocs.io/en/stable/"
            )
        self.model = run(self.script.model_fn, Context({}), str(MODEL))

    def has(self, name: str) -> bool:
        return hasattr(self.script, name)

    def __call__(self, body: bytes, headers: Headers) -> Reply:
        content_type = headers.get("Content-Type") or JSON
        accept = headers.get("Accept")
        if not accept or accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
        data = body.decode() if media(content_type) in (CSV, JSON) else body
        context = Context(headers)
        result = self.transform(data, content_type, accept, context)
        if isinstance(result, tuple):
            result, accept = result
        return Reply(bytes_of(result), accept, headers=context.response_headers)

    def transform(self, data: Any, content_type: str, accept: str, context: Context) -> Any:
        if self.has("transform_fn"):
            return run(self.script.transform_fn, context, self.model, data, content_type, accept)
        read = getattr(self.script, "input_fn", self.decode)
        write = getattr(self.script, "output_fn", encode_array)
        ask = getattr(self.script, "predict_fn", predict_plainly)
        prediction = run(ask, context, run(read, context, data, content_type), self.model)
        return run(write, context, prediction, accept)


def load_script() -> Any:
    """Import SAGEMAKER_PROGRAM from the code's folder, or from the model's."""
    program = os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"
    for folder in (Path(os.environ["SAGEMAKER_SUBMIT_DIRECTORY"]), MODEL / "code", MODEL):
        path = folder / program
        if path.is_file():
            sys.path[:0] = [str(path.parent), str(folder)]
            return importlib.import_module(path.stem)
    raise ModuleNotFoundError(f"No module named '{program.removesuffix('.py')}'")


def run(handler: Callable[..., Any], context: Context, *arguments: Any) -> Any:
    if len(inspect.signature(handler).parameters) == len(arguments) + 1:
        return handler(*arguments, context)
    return handler(*arguments)


def unsupported(content_type: str) -> Refused:
    return Refused(
        415,
        f"Content type {content_type} is not supported by this framework.\n\n"
        "Please implement input_fn to to deserialize the request data or an output_fn to\n"
        "serialize the response. For more information, see the SageMaker Python SDK README.",
    )


def decode_array(data: Any, content_type: str) -> Any:
    """The toolkit's `input_fn`: JSON, CSV or NPY becomes an array."""
    import numpy

    kind = media(content_type)
    if kind == JSON:
        return numpy.array(json.loads(data))
    if kind == CSV:
        return numpy.genfromtxt(io.StringIO(data), delimiter=",")
    if kind == NPY:
        return numpy.load(io.BytesIO(data), allow_pickle=True)
    raise unsupported(content_type)


def decode_matrix(data: Any, content_type: str) -> Any:
    """The `input_fn` of the XGBoost image: a DMatrix."""
    return matrix_of(data.encode() if isinstance(data, str) else data, content_type)


def encode_array(prediction: Any, accept: str) -> tuple[str | bytes, str]:
    """The toolkit's `output_fn`."""
    import numpy

    kind = media(accept)
    if kind == JSON:
        return json.dumps(prediction, default=lambda value: value.tolist()), accept
    if kind == CSV:
        text = io.StringIO()
        numpy.savetxt(text, prediction, delimiter=",", fmt="%s")
        return text.getvalue(), accept
    if kind == NPY:
        blob = io.BytesIO()
        numpy.save(blob, prediction)
        return blob.getvalue(), accept
    raise unsupported(accept)


def predict_plainly(data: Any, model: Any) -> Any:
    return model.predict(data) if hasattr(model, "predict") else model(data)


def bytes_of(result: Any) -> bytes | Iterator[Any]:
    if isinstance(result, str):
        return result.encode()
    if isinstance(result, bytes | bytearray):
        return bytes(result)
    if isinstance(result, Iterator):
        return result
    raise TypeError(f"The answer must be str or bytes, not {type(result).__name__}")


# --- the server -----------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the model of the server."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        if self.path == "/ping":
            self.send(Reply(b""))
        elif self.path == "/execution-parameters" and isinstance(self.server.model, BuiltIn):
            self.send(Reply(json.dumps(self.server.model.parameters()).encode(), JSON))
        else:
            self.send(Reply(b"Not Found", "text/plain", 404))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            self.send(Reply(b"Not Found", "text/plain", 404))
            return
        try:
            reply = self.server.model(body, self.headers)
        except Exception as error:
            reply = failed(error)
        self.send(reply)

    def send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.send_chunks(reply.body)

    def send_chunks(self, chunks: Iterator[Any]) -> None:
        try:
            for chunk in chunks:
                part = chunk.encode() if isinstance(chunk, str) else bytes(chunk)
                if part:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        except Exception:  # the answer has begun: all that is left is to break it off
            print(traced(), end="")
            self.close_connection = True

    def log_message(self, form: str, *values: Any) -> None:
        """The access log of a container is of no use here."""


def failed(error: Exception) -> Reply:
    trace = traced()
    print(trace, end="")
    status = getattr(error, "status_code", 500)
    said = str(error) if isinstance(error, Refused) else f"{error}\n{trace}"
    return Reply(said.encode(), "text/plain", status if isinstance(status, int) else 500)


def traced() -> str:
    """The traceback at hand, without this program's own frames, with the container's paths."""
    lines = traceback.format_exc().replace(BASE, "/opt/ml").splitlines(keepends=True)
    kept, own = [], False
    for line in lines:
        if line.startswith("  File "):
            own = f'"{__file__}"' in line
        if not own or not line.startswith("  "):
            kept.append(line)
    return "".join(kept)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, model: Callable[[bytes, Headers], Reply]) -> None:
        self.model = model
        super().__init__(path, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that did not wait for its answer is no news for the log."""
        if not isinstance(sys.exception(), ConnectionError):
            print(traced(), end="")


def main(kind: str, address: str) -> int:
    try:
        model: Any = (
            BuiltIn()
            if kind == "xgboost"
            else Script(decode_matrix if kind == "xgboost-script" else decode_array)
        )
    except Exception:
        print(traced(), end="")
        return 1
    # Under another name until it listens: who sees the socket can talk to it.
    server = Server(f"{address}.new", model)
    Path(f"{address}.new").rename(address)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
