"""Model servers: what a container loads, answers and says when it cannot."""

import io
import json
import os
import pickle
import struct
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import numpy
import pytest
import xgboost
from awslab.embedded import embedded_lab
from awslab.services.sagemaker.hosting import Answer, ModelServer, s3_uri
from awslab.services.sagemaker.images import kind_of, version_of
from moto.sagemaker.models import sagemaker_backends

REGISTRY = "354813040037.dkr.ecr.ap-northeast-1.amazonaws.com"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.2-0"
PYTORCH = "763104351884.dkr.ecr.ap-northeast-1.amazonaws.com/pytorch-inference:2.6-cpu-py312"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.9-0-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/SageMakerExecutionRole"
BUCKET = "amzn-s3-demo-bucket"
SECONDS = 90.0  # for a start on a busy machine
pause = threading.Event().wait  # the lab has patched time.sleep

# One script for most tests: what it does, the request says.
SCRIPT = """
import json, os, time

def model_fn(model_dir):
    print("loading from", model_dir)
    return {"pid": os.getpid(), "environment": dict(os.environ)}

def transform_fn(model, data, content_type, accept, context):
    wanted = json.loads(data)
    if "sleep" in wanted:
        time.sleep(wanted["sleep"])
    if "fail" in wanted:
        raise ValueError(wanted["fail"])
    if "chunks" in wanted:
        return iter(wanted["chunks"]), "text/plain"
    if "header" in wanted:
        name = "X-Amzn-SageMaker-Custom-Attributes"
        context.set_response_header(0, name, context.get_request_header(0, name) + " back")
    if "wrong" in wanted:
        return {"not": "text"}
    return json.dumps(model | {"content_type": content_type, "accept": accept}), accept
"""
ADDING = "def model_fn(d): return {}\ndef predict_fn(data, model): return data + 1\n"


def archive(**files: str | bytes) -> bytes:
    """A model.tar.gz; `code__inference_py` is the file code/inference.py."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as opened:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name.replace("__", "/").replace("_py", ".py"))
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def booster(objective: str, rounds: int = 5, **more: Any) -> xgboost.Booster:
    """Trained on four features, of which the first decides."""
    features = numpy.random.RandomState(7).rand(60, 4)
    labels = (features[:, 0] * (3 if "multi" in objective else 2)).astype(int)
    if objective.startswith("reg"):
        labels = features[:, 0]
    wanted = {"objective": objective, "nthread": 1, "seed": 1} | more
    return xgboost.train(wanted, matrix(features, labels), rounds)


def matrix(features: Any, labels: Any = None) -> xgboost.DMatrix:
    return xgboost.DMatrix(numpy.array(features), labels, nthread=1)


def raw(model: xgboost.Booster, form: str = "ubj") -> bytes:
    return bytes(model.save_raw(form))


def put(key: str, content: bytes) -> str:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    return f"s3://{BUCKET}/{key}"


class Models:
    """Creates models by name, and servers for them that are ended with the lab."""

    def server(self, name: str, container: dict[str, Any], **more: Any) -> ModelServer:
        self.create(name, PrimaryContainer=container)
        return self.of(name, **more)

    def create(self, name: str, **request: Any) -> None:
        boto3.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=ROLE, **request)

    def of(self, name: str, **more: Any) -> ModelServer:
        return ModelServer(sagemaker_backends["111122223333"]["ap-northeast-1"], name, **more)


def container(image: str, data: str | None = None, **environment: str) -> dict[str, Any]:
    return {"Image": image, "Environment": environment} | ({"ModelDataUrl": data} if data else {})


@pytest.fixture(scope="module")
def models() -> Iterator[Models]:
    """A lab for all tests of this file: they make models of names of their own."""
    with embedded_lab():
        where = {"LocationConstraint": "ap-northeast-1"}
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield Models()


@pytest.fixture(scope="module")
def binary(models: Models) -> xgboost.Booster:
    return booster("binary:logistic")


@pytest.fixture(scope="module")
def built_in(models: Models, binary: xgboost.Booster) -> ModelServer:
    data = put("binary.tar.gz", archive(**{"xgboost-model": raw(binary)}))
    server = models.server("binary", container(XGBOOST, data))
    assert server.ready(SECONDS) and server.failure is None
    return server


@pytest.fixture(scope="module")
def scripted(models: Models) -> ModelServer:
    data = put("script.tar.gz", archive(code__inference_py=SCRIPT, weights="1"))
    server = models.server("script", container(PYTORCH, data, COLOUR="blue"))
    assert server.ready(SECONDS) and server.failure is None
    return server


def ask(server: ModelServer, accept: str = "application/json", **wanted: Any) -> Answer:
    return server.invoke(json.dumps(wanted).encode(), "application/json", accept)


def failure(server: ModelServer) -> str:
    assert server.ready(SECONDS)
    assert server.failure
    return server.failure


def output(server: ModelServer) -> str:
    """What its containers have printed and no log has taken."""
    return "\n".join(text for _, text in list(server._lines))


def prints(server: ModelServer, text: str, seconds: float = 10) -> bool:
    """Whether it does; the lines of a process come a little after its answers."""
    deadline = time.monotonic() + seconds
    while text not in output(server) and time.monotonic() < deadline:
        pause(0.01)
    return text in output(server)


# --- images ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "kind", "version"),
    [
        (f"{REGISTRY}/sagemaker-xgboost:3.2-0", "xgboost", "3.2-0"),
        (f"{REGISTRY}/sagemaker-xgboost:1.0-1-cpu-py3", "xgboost", "1.0-1"),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:latest", "xgboost", None),
        (f"{REGISTRY}/pytorch:2.13-cpu-amzn2023-sagemaker", "framework", "2.13"),
        (f"{REGISTRY}/pytorch-training:2.10-cpu-py313", "framework", "2.10"),
        (f"{REGISTRY}/tensorflow-inference:2.20-cpu-py312", "framework", "2.20"),
        (f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-py312-cpu-py3", "framework", "1.4-2"),
        (
            f"{REGISTRY}/huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312",
            "framework",
            "2.6.0",
        ),
        (f"{REGISTRY}/sagemaker-xgboost@sha256:0123", "xgboost", None),
        (f"{REGISTRY}/linear-learner:1", None, "1"),
        ("111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/shop-pytorch:1", None, "1"),
        ("", None, None),
    ],
)
def test_images(image: str, kind: str | None, version: str | None) -> None:
    assert (kind_of(image), version_of(image)) == (kind, version)


# --- the built-in algorithm -----------------------------------------------------------------------


def test_csv_gives_the_model_s_own_predictions(
    built_in: ModelServer, binary: xgboost.Booster
) -> None:
    rows = [[0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.7, 0.6]]
    body = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    answer = built_in.invoke(body.encode(), "text/csv", "")
    assert (answer.status, answer.content_type) == (200, "text/csv; charset=utf-8")
    wanted = binary.predict(matrix(rows))
    assert [float(text) for text in answer.body.split(b",")] == wanted.tolist()
    assert answer.microseconds > 0


def test_json_and_json_lines_as_accept(built_in: ModelServer) -> None:
    body = b"0.1,0.2,0.3,0.4\n0.9,0.8,0.7,0.6"
    low, high = (float(t) for t in built_in.invoke(body, "text/csv", "text/csv").body.split(b","))
    answer = built_in.invoke(body, "text/csv", "application/json")
    assert answer.content_type == "application/json"
    assert json.loads(answer.body) == {"predictions": [{"score": low}, {"score": high}]}
    lines = built_in.invoke(body, "text/csv", "application/jsonlines").body.splitlines()
    assert [json.loads(line) for line in lines] == [{"score": low}, {"score": high}]


RECORD = b"".join(
    (
        struct.pack("<II", 0xCED7230A, 32),  # of recordio-protobuf: in its frame 32 bytes
        b"\n\x1e\n\x06values\x12\x14\x12\x12\n\x10",
        struct.pack("<4f", 0.9, 0.8, 0.7, 0.6),
    )
)


def test_what_it_reads(built_in: ModelServer) -> None:
    plain = built_in.invoke(b"0.9,0.8,0.7,0.6", "text/csv", "").body
    for body, content_type in [
        (b"0.9,0.8,0.7,0.6", ""),
        (b"0.9;0.8;0.7;0.6", "text/csv; charset=utf-8"),
        (b"0:0.9 1:0.8 2:0.7 3:0.6", "text/libsvm"),
        (b"1 0:0.9 1:0.8 2:0.7 3:0.6", "text/x-libsvm"),
        (b"0.9,0.8,0.7,0.6\r\n", "text/csv"),
        (RECORD, "application/x-recordio-protobuf"),
    ]:
        assert built_in.invoke(body, content_type, "*/*").body == plain, (body, content_type)
    assert built_in.invoke(b"0.9,0.8,0.7", "text/csv", "").status == 200  # as if without the last
    assert built_in.invoke(b"0.9,,,", "text/csv", "").status == 200  # missing values
    assert built_in.invoke(b"0:0.9", "text/libsvm", "").status == 200


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "said"),
    [
        (b'{"a": 1}', "application/json", "", 415, "application/json is not an accepted Content"),
        (b"", "application/x-parquet", "", 204, ""),
        (b"PAR1", "application/x-parquet", "", 415, "application/x-parquet is not an accepted Con"),
        (b"1", "application/x-recordio-protobuf", "", 415, "Loading recordio-protobuf data failed"),
        (b"a,b,c,d", "text/csv", "", 415, "Loading csv data failed with Exception, please ensure"),
        (b"1,2,3,4\n1,2", "text/csv", "", 415, "Loading csv data failed with Exception, please"),
        (b"\xff\xfe", "text/csv", "", 415, "Loading csv data failed with Exception, please ensu"),
        (b"a:b", "text/libsvm", "", 415, "Loading libsvm data failed with Exception, please ensu"),
        (b"1,2,3,4", "text/csv", "image/png", 406, "Accept type image/png is not supported."),
        (
            b"1,2",
            "text/csv",
            "",
            400,
            "Unable to evaluate payload provided: Feature size of csv inference data 2 is not "
            "consistent with feature size of trained model 4.",
        ),
        (
            b"9:1",
            "text/libsvm",
            "",
            400,
            "Unable to evaluate payload provided: Feature size of libsvm inference data 10 is "
            "larger than feature size of trained model 4.",
        ),
    ],
)
def test_what_it_refuses(
    built_in: ModelServer, body: bytes, content_type: str, accept: str, status: int, said: str
) -> None:
    answer = built_in.invoke(body, content_type, accept)
    assert answer.status == status
    assert answer.body.decode().startswith(said)


def test_execution_parameters(built_in: ModelServer, scripted: ModelServer) -> None:
    answer = built_in.execution_parameters()
    assert json.loads(answer.body) == {
        "MaxConcurrentTransforms": 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }
    assert scripted.execution_parameters().status == 404


def test_several_classes_several_models_early_stopping_and_batches(models: Models) -> None:
    first, second = booster("reg:squarederror", 3), booster("reg:squarederror", 4, eta=0.1)
    stopped = booster("reg:squarederror", 6)
    stopped.set_attr(best_iteration="1")
    softprob = booster("multi:softprob", num_class=3)
    softmax = booster("multi:softmax", num_class=3)
    names: dict[str, dict[str, str | bytes]] = {
        "softprob": {"xgboost-model": raw(softprob, "json")},
        "softmax": {"xgboost-model": raw(softmax)},
        "ensemble": {"xgboost-model-0": raw(first), "xgboost-model-1": raw(second)},
        "stopped": {"xgboost-model": raw(stopped)},
    }
    servers = {
        name: models.server(
            name,
            container(XGBOOST, put(f"{name}.tar.gz", archive(**files))),
            environment={"SAGEMAKER_BATCH": "true"} if name == "softmax" else None,
        )
        for name, files in names.items()
    }
    assert all(s.ready(SECONDS) and s.failure is None for s in servers.values())
    data = matrix([[0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.7, 0.6]])

    def text(name: str) -> str:
        return (
            servers[name].invoke(b"0.1,0.2,0.3,0.4\n0.9,0.8,0.7,0.6", "text/csv", "").body.decode()
        )

    # The container's CSV of several classes is none: kept for compatibility, it says.
    assert text("softprob") == ",".join(map(str, softprob.predict(data).tolist()))
    assert text("softmax") == "0.0\n2.0\n"
    mean = ((first.predict(data) + second.predict(data)) / 2).tolist()
    assert [float(score) for score in text("ensemble").split(",")] == mean
    best = stopped.predict(data, iteration_range=(0, 2)).tolist()
    assert [float(score) for score in text("stopped").split(",")] == best
    for server in servers.values():
        server.end()


def test_what_it_cannot_load(models: Models, binary: xgboost.Booster) -> None:
    pickled = put("pickled.tar.gz", archive(**{"xgboost-model": pickle.dumps(binary)}))
    empty = put("empty.tar.gz", archive(folder__file=b""))
    servers = [
        models.server("pickled", container(XGBOOST, pickled)),
        models.server("empty", container(XGBOOST, empty)),
    ]
    unhealthy = (
        "The primary container for production variant AllTraffic did not pass the ping health "
        "check. Please check CloudWatch logs for this endpoint."
    )
    assert [failure(server) for server in servers] == [unhealthy, unhealthy]
    cannot = "RuntimeError: Model at /opt/ml/model/xgboost-model cannot be loaded:"
    assert prints(servers[0], cannot)
    assert prints(servers[1], "RuntimeError: No model file in /opt/ml/model")


# --- own scripts ----------------------------------------------------------------------------------


def test_a_script_sees_what_a_container_sees(scripted: ModelServer) -> None:
    answer = json.loads(ask(scripted, "application/json").body)
    assert (answer["content_type"], answer["accept"]) == ("application/json", "application/json")
    seen = answer["environment"]
    home = seen["SAGEMAKER_BASE_DIR"]
    assert seen["SM_MODEL_DIR"] == f"{home}/model"
    assert seen["SAGEMAKER_SUBMIT_DIRECTORY"] == f"{home}/model/code"
    assert (seen["COLOUR"], seen["AWS_REGION"]) == ("blue", "ap-northeast-1")
    assert (Path(home) / "model/weights").read_text() == "1"
    assert not {name for name in seen if "KEY" in name or "TOKEN" in name}
    assert output(scripted).startswith("loading from /opt/ml/model")


def test_headers_go_both_ways(scripted: ModelServer) -> None:
    answer = scripted.invoke(b'{"header": 1}', "application/json", "", "trace=1")
    assert answer.attributes == "trace=1 back"
    assert scripted.invoke(b"{}", "application/json", "", "trace=1").attributes == ""


def test_chunks_stay_apart(scripted: ModelServer) -> None:
    answer = ask(scripted, chunks=["one ", "two ", "", "three"])
    assert (answer.parts, answer.body) == ((b"one ", b"two ", b"three"), b"one two three")


def test_a_broken_stream_is_no_answer(scripted: ModelServer) -> None:
    assert ask(scripted, chunks=["one", None]).status == 0


def test_a_failing_prediction(scripted: ModelServer) -> None:
    answer = ask(scripted, fail="no such colour")
    assert answer.status == 500
    lines = answer.body.decode().splitlines()
    assert lines[:3] == [
        "no such colour",
        "Traceback (most recent call last):",
        '  File "/opt/ml/model/code/inference.py", line 13, in transform_fn',
    ]
    assert lines[-1] == "ValueError: no such colour"
    assert prints(scripted, "ValueError: no such colour")
    assert ask(scripted, wrong=1).body.startswith(b"The answer must be str or bytes, not dict")


def test_a_timeout(scripted: ModelServer) -> None:
    answer = scripted.invoke(b'{"sleep": 3}', "application/json", "", seconds=0.2)
    assert answer.status == 0
    assert answer.body.decode().startswith(
        "Your invocation timed out while waiting for a response from container primary."
    )
    assert ask(scripted).status == 200


def test_requests_run_beside_each_other(scripted: ModelServer) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(scripted, sleep=1), range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    assert time.monotonic() - started < 6


def test_the_toolkit_s_own_handlers(models: Models) -> None:
    data = put("adding.tar.gz", archive(inference_py=ADDING))
    server = models.server("adding", container(SKLEARN, data))
    assert server.ready(SECONDS) and server.failure is None
    npy = io.BytesIO()
    numpy.save(npy, numpy.array([1, 2]))

    def answer(body: bytes, content_type: str, accept: str) -> Answer:
        return server.invoke(body, content_type, accept)

    assert answer(b"[[1, 2]]", "application/json", "").body == b"[[2, 3]]"
    assert answer(b"1,2\n3,4", "text/csv", "text/csv").body == b"2.0,3.0\n4.0,5.0\n"
    blob = answer(npy.getvalue(), "application/x-npy", "application/x-npy")
    assert numpy.load(io.BytesIO(blob.body)).tolist() == [2, 3]
    assert blob.content_type == "application/x-npy"
    refused = answer(b"<a/>", "text/xml", "")
    assert (refused.status, refused.body.splitlines()[0]) == (
        415,
        b"Content type text/xml is not supported by this framework.",
    )
    assert answer(b"[1]", "application/json", "text/xml").status == 415
    assert answer(b"[1", "application/json", "").status == 500


def test_where_the_script_lies(models: Models, binary: xgboost.Booster) -> None:
    elsewhere = put("source.tar.gz", archive(serve_me_py="def model_fn(d): return abs\n"))
    weights = put("weights.tar.gz", archive(weights="1"))
    own = (
        "import os, xgboost\n"
        "def model_fn(d):\n"
        "    model = xgboost.Booster()\n"
        "    model.load_model(bytearray(open(os.path.join(d, 'xgboost-model'), 'rb').read()))\n"
        "    return model\n"
        "def output_fn(prediction, accept):\n"
        "    return f'{len(prediction)} rows', 'text/plain'\n"
    )
    boosted = archive(code__inference_py=own, **{"xgboost-model": raw(binary)})
    program = {"SAGEMAKER_PROGRAM": "serve_me.py", "SAGEMAKER_SUBMIT_DIRECTORY": elsewhere}
    servers = [
        models.server("elsewhere", container(PYTORCH, weights, **program)),
        models.server("own-xgboost", container(XGBOOST, put("own.tar.gz", boosted))),
    ]
    assert [(s.ready(SECONDS), s.failure) for s in servers] == [(True, None)] * 2
    assert servers[0].invoke(b"[-1, 2]", "application/json", "").body == b"[1, 2]"
    assert servers[1].invoke(b"1,2,3,4\n1,2,3,4", "text/csv", "").body == b"2 rows"


@pytest.mark.parametrize(
    ("name", "script", "last"),
    [
        ("raises", "def model_fn(d): raise OSError('no weights')\n", "OSError: no weights"),
        ("no-model-fn", "x = 1\n", "Please provide a model_fn implementation."),
        ("no-syntax", "def model_fn(d)\n", "SyntaxError: expected ':'"),
        (
            "both",
            ADDING + "def transform_fn(m, d, c, a): return d\n",
            "ValueError: Cannot use transform_fn implementation in conjunction with input_fn, "
            "predict_fn, and/or output_fn implementation",
        ),
        ("none", "", "ModuleNotFoundError: No module named 'inference'"),
    ],
)
def test_scripts_that_cannot_start(models: Models, name: str, script: str, last: str) -> None:
    files = {"code/inference.py": script} if script else {"weights": "1"}
    server = models.server(name, container(PYTORCH, put(f"{name}.tar.gz", archive(**files))))
    assert "did not pass the ping health check" in failure(server)
    assert prints(server, last)
    assert str(server._folder) not in output(server)


# --- where the model comes from -------------------------------------------------------------------


def test_a_pipeline_hands_the_answer_on(models: Models) -> None:
    first = put("first.tar.gz", archive(inference_py=ADDING))
    second = put("second.tar.gz", archive(inference_py=ADDING.replace("+ 1", "* 10")))
    models.create("pipeline", Containers=[container(SKLEARN, first), container(PYTORCH, second)])
    server = models.of("pipeline")
    assert server.ready(SECONDS) and server.failure is None
    answer = server.invoke(b"1,2", "text/csv", "text/csv")
    assert (answer.body, answer.content_type) == (b"20.0\n30.0\n", "text/csv")
    refused = server.invoke(b"1,2", "text/xml", "")
    assert (refused.status, refused.container) == (415, "container_1")


def test_model_packages(models: Models, scripted: ModelServer) -> None:
    client = boto3.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="shop")
    part = container(PYTORCH, f"s3://{BUCKET}/script.tar.gz", COLOUR="red", SIZE="1")
    arn = client.create_model_package(
        ModelPackageGroupName="shop",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [part],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    over = {"ModelPackageName": arn, "Environment": {"COLOUR": "green"}}
    server = models.server("of-package", over)
    assert server.ready(SECONDS) and server.failure is None
    seen = json.loads(ask(server).body)["environment"]
    assert (seen["COLOUR"], seen["SIZE"]) == ("green", "1")
    client.delete_model_package(ModelPackageName=arn)
    assert failure(models.of("of-package")) == f"Could not find model package {arn}."


def test_model_data_sources(models: Models) -> None:
    put("whole/model/code/inference.py", SCRIPT.encode())
    put("whole/model/data/weights", b"1")

    def source(uri: str, kind: str, compression: str) -> dict[str, Any]:
        data = {"S3Uri": f"s3://{BUCKET}/{uri}", "S3DataType": kind}
        return {"S3DataSource": data | {"CompressionType": compression}}

    def start(name: str, uri: str, kind: str, compression: str, **more: str) -> ModelServer:
        wanted = {"ModelDataSource": source(uri, kind, compression)}
        return models.server(name, container(PYTORCH, **more) | wanted)

    put("single/inference.py", SCRIPT.encode())
    put("packed.tgz", archive(code__inference_py=SCRIPT))
    servers = [
        start("prefix", "whole/model/", "S3Prefix", "None"),
        start("single", "single/inference.py", "S3Object", "None"),
        start("packed", "packed.tgz", "S3Object", "Gzip"),
    ]
    assert [(s.ready(SECONDS), s.failure) for s in servers] == [(True, None)] * 3
    folder = Path(json.loads(ask(servers[0]).body)["environment"]["SM_MODEL_DIR"])
    assert (folder / "data/weights").read_bytes() == b"1"
    for key in ("code/inference.py", "data/weights"):
        boto3.client("s3").delete_object(Bucket=BUCKET, Key=f"whole/model/{key}")
    assert "Failed to download model data" in failure(models.of("prefix"))


def test_model_data_that_are_not_there(models: Models) -> None:
    missing = put("missing.tar.gz", b"")
    models.create("missing", PrimaryContainer=container(XGBOOST, missing))
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="missing.tar.gz")
    assert failure(models.of("missing")) == (
        f'Failed to download model data from URL "{missing}". Please ensure that there is an '
        "object located at the URL and that the role passed to CreateModel has permissions to "
        "download the object."
    )
    broken = put("broken.tar.gz", b"no archive")
    said = (
        f'Failed to extract model data archive from URL "{broken}". Please ensure that the object '
        "located at the URL is a valid tar.gz archive."
    )
    assert failure(models.server("broken", container(XGBOOST, broken))) == said
    escaping = put("escaping.tar.gz", archive(**{"../../outside": b"x"}))
    assert "Failed to extract model data archive" in failure(
        models.server("escaping", container(XGBOOST, escaping))
    )


def test_images_without_a_stand_in(models: Models) -> None:
    image = "111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/own:1"
    server = models.server("own-image", container(image))
    assert failure(server) == f"The lab has no stand-in for the image {image}."
    several = container(XGBOOST, f"s3://{BUCKET}/models/") | {"Mode": "MultiModel"}
    assert failure(models.server("several", several)) == (
        "The lab has no stand-in for multi-model containers."
    )
    assert failure(models.of("never-created")) == 'Could not find model "never-created".'


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/a/b.tar.gz",
        "https://s3.ap-northeast-1.amazonaws.com/bucket/a/b.tar.gz",
        "https://bucket.s3.ap-northeast-1.amazonaws.com/a/b.tar.gz",
        "https://bucket.s3.amazonaws.com/a/b.tar.gz",
    ],
)
def test_forms_of_an_s3_url(url: str) -> None:
    assert s3_uri(url) == "s3://bucket/a/b.tar.gz"


# --- life and death -------------------------------------------------------------------------------


@pytest.fixture
def mortal(models: Models, scripted: ModelServer) -> Iterator[ModelServer]:
    server = models.of("script")
    assert server.ready(SECONDS) and server.failure is None
    yield server
    server.end()


def pid_of(server: ModelServer) -> int:
    return int(json.loads(ask(server).body)["pid"])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_server_starts_again(mortal: ModelServer) -> None:
    first = pid_of(mortal)
    os.kill(first, 9)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ask(mortal), range(4)))
    dead = [answer for answer in answers if answer.status == 0]
    assert dead and {answer.body for answer in dead} == {
        b"An error occurred while handling request as the model process exited."
    }
    second = pid_of(mortal)
    assert second != first and mortal.containers[0].starts == 2


def test_a_server_that_dies_while_it_answers(mortal: ModelServer) -> None:
    pid = pid_of(mortal)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, mortal, sleep=30)
        pause(0.3)
        os.kill(pid, 9)
        assert waiting.result(10).status == 0
    assert ask(mortal).status == 200


def test_the_end(mortal: ModelServer) -> None:
    pid, folder = pid_of(mortal), mortal._folder
    assert alive(pid) and folder.exists()
    mortal.end()
    assert not alive(pid) and not folder.exists()
    assert ask(mortal).status == 0
    assert mortal.containers[0].starts == 1
    mortal.end()


def test_a_server_that_is_ended_while_it_starts(models: Models, scripted: ModelServer) -> None:
    server = models.of("script")
    server.end()
    assert server.ready(10)
    assert not any(
        container.work and container.work.wait(0) is None for container in server.containers
    )


def test_its_start_takes_no_time_of_the_caller(models: Models, scripted: ModelServer) -> None:
    started = time.monotonic()
    server = models.of("script")
    assert time.monotonic() - started < 0.1
    assert not server.ready(0)
    server.end()


def test_logs_wait_for_their_place(mortal: ModelServer) -> None:
    assert prints(mortal, "loading from /opt/ml/model")
    mortal.attach_logs("/aws/sagemaker/TransformJobs", "job/i-1")
    logs = boto3.client("logs")

    def messages() -> list[str]:
        found = logs.get_log_events(
            logGroupName="/aws/sagemaker/TransformJobs", logStreamName="job/i-1"
        )
        return [event["message"] for event in found["events"]]

    assert messages() == ["loading from /opt/ml/model"]
    ask(mortal, fail="late")
    deadline = time.monotonic() + 10
    while messages()[-1] != "ValueError: late" and time.monotonic() < deadline:
        pause(0.02)
    assert messages()[-1] == "ValueError: late"
