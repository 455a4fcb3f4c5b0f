"""The private folder of a program: its paths, its data, its artifacts, and when it may run."""

import io
import os
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from awslab import objects
from awslab.current import served
from awslab.services.sagemaker.container import (
    QUEUE,
    Container,
    Failure,
    Mirror,
    Queue,
    archive,
    credentials,
    listed,
    printable,
    upload,
    within,
)
from awslab.work import end_all

REGION, BUCKET = "ap-northeast-1", "amzn-s3-demo-bucket"


@pytest.fixture
def container() -> Iterator[Container]:
    yield Container("test")
    end_all()


@pytest.fixture
def bucket(lab: None) -> None:
    where = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)


def put(key: str, body: bytes = b"x") -> None:
    boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)


def keys() -> list[str]:
    return objects.keys(f"s3://{BUCKET}/")


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(found)}


def run(container: Container, *command: str, **variables: str) -> tuple[int | None, list[str]]:
    lines: list[str] = []
    container.start(command, variables, lines.append)
    return container.wait(20), lines


# --- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("/opt/ml", "{}"),
        ("/opt/ml/model", "{}/model"),
        ("cat /opt/ml/a /opt/ml/b; ls '/opt/ml'", "cat {}/a {}/b; ls '{}'"),
        ("PATH=/opt/ml:/opt/ml/code", "PATH={}:{}/code"),
        ("file:///opt/ml/model.", "file://{}/model."),
        ("It lies in /opt/ml.", "It lies in {}."),
        ("s3://opt/ml/model", "s3://opt/ml/model"),
        ("s3://bucket/opt/ml/model", "s3://bucket/opt/ml/model"),
        (
            "/opt/mlflow /opt/ml-ops /opt/ml.old ./opt/ml",
            "/opt/mlflow /opt/ml-ops /opt/ml.old ./opt/ml",
        ),
    ],
)
def test_the_path_is_replaced_where_it_stands_for_itself(
    container: Container, text: str, real: str
) -> None:
    assert container.real(text) == real.replace("{}", str(container.root))


def test_what_a_program_says_has_the_containers_paths(container: Container) -> None:
    said = (
        f"{container.inside('/opt/ml/model')} {sys.prefix}/lib/x.py {container.inside('/data/a')}"
    )
    assert container.told(said) == "/opt/ml/model /usr/local/lib/x.py /data/a"


def test_a_folder_outside_gets_a_place_of_its_own(container: Container) -> None:
    place = container.inside("/tmp/checkpoints")
    assert place != Path("/tmp/checkpoints")
    assert container.real("--to=/tmp/checkpoints/1 /opt/ml") == f"--to={place}/1 {container.root}"


@pytest.mark.parametrize("path", ["/opt/ml/../../etc", "../../etc", "/", "//opt//ml/../x"])
def test_no_path_leads_out(container: Container, path: str) -> None:
    assert container.inside(path).is_relative_to(container.root.parent)


@pytest.mark.parametrize("relative", ["..", "a/../..", "../x", ".", ""])
def test_an_object_cannot_lie_outside_of_its_folder(tmp_path: Path, relative: str) -> None:
    with pytest.raises(ValueError, match="is no path below the folder"):
        within(tmp_path, relative)
    assert within(tmp_path, "/a/./b/../c") == tmp_path / "a" / "c"


# --- programs -------------------------------------------------------------------------------------


def test_a_program_finds_its_files_by_arguments_and_variables(container: Container) -> None:
    container.put("/opt/ml/input/said.txt", "in /opt/ml/input")
    line = 'cat "$1"; echo; echo "$HERE"; pwd; exit 3'
    code, lines = run(
        container, "/bin/sh", "-c", line, "sh", "/opt/ml/input/said.txt", HERE="/opt/ml/model"
    )
    assert (code, lines) == (3, ["in /opt/ml/input", "/opt/ml/model", "/opt/ml"])
    assert container.inside("/opt/ml/input/said.txt").read_text() == f"in {container.root}/input"


def test_a_program_knows_nothing_of_the_users_settings(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("EDITOR", "ed")
    _, lines = run(container, "env", OWN="1")
    names = {line.partition("=")[0] for line in lines} - {"_", "PWD", "SHLVL", "LD_LIBRARY_PATH"}
    assert names == {
        *("PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "OMP_NUM_THREADS", "OWN"),
        *("PIP_NO_INDEX", "PIP_DISABLE_PIP_VERSION_CHECK"),
        *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"),
    }


@pytest.mark.parametrize("name", ["python", "/usr/bin/python3", "/opt/conda/bin/python3.8"])
def test_python_is_the_labs_own(container: Container, name: str) -> None:
    code, lines = run(container, name, "-c", "import sys; print(sys.version_info[:2])")
    assert (code, lines) == (0, [str(sys.version_info[:2])])


def test_a_program_is_stopped_and_killed(container: Container) -> None:
    assert container.wait(0) == 0  # nothing has been started
    on = threading.Event()
    command = ["/bin/sh", "-c", "trap '' TERM; echo on; while true; do sleep 1; done"]
    container.start(command, {}, lambda line: on.set())
    assert on.wait(10)
    assert container.wait(0.05) is None
    container.stop(0.1)
    assert container.wait(10) == 137
    container.remove()
    assert not container.root.exists()


@pytest.mark.parametrize("variables", [{"A": "\0"}, {"A=B": ""}])
def test_what_no_process_can_have_is_a_failure(
    container: Container, variables: dict[str, str]
) -> None:
    with pytest.raises(Failure, match="ClientError: The program cannot be started: "):
        container.start(["true"], variables, lambda line: None)


def test_control_characters_are_written_as_the_log_agent_does() -> None:
    assert printable("[0]\ttrain-auc:1\x1b[0m") == "[0]#011train-auc:1#033[0m"


def test_an_embedded_lab_gives_no_credentials(lab: None) -> None:
    assert credentials("111122223333", REGION, "arn:aws:iam::111122223333:role/a") == {}


def test_a_served_lab_gives_those_of_the_role(lab: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "address", "http://127.0.0.1:1")
    given = credentials("444455556666", REGION, "arn:aws:iam::444455556666:role/a")
    assert given.pop("AWS_ENDPOINT_URL") == "http://127.0.0.1:1"
    session = boto3.Session(*(given[name] for name in sorted(given)))
    caller = session.client("sts", region_name=REGION).get_caller_identity()
    assert caller["Arn"] == "arn:aws:sts::444455556666:assumed-role/a/SageMaker"


# --- data in --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("data/train/", ["a.csv", "deep/b.csv"]),
        ("data/train", ["a.csv", "deep/b.csv", "train.csv"]),
        ("data/train/a.csv", ["a.csv"]),
        ("data/tr", ["train.csv", "train/a.csv", "train/deep/b.csv"]),
        ("", ["data/other", "data/train.csv", "data/train/a.csv", "data/train/deep/b.csv"]),
        ("none", []),
    ],
)
def test_objects_keep_their_paths_below_the_prefix(prefix: str, paths: list[str]) -> None:
    for key in ("train/", "train/a.csv", "train/deep/b.csv", "train.csv", "other"):
        put(f"data/{key}")
    found = listed(f"s3://{BUCKET}/{prefix}")
    assert sorted(path for _, path in found if not path.endswith("/")) == paths


@pytest.mark.usefixtures("bucket")
def test_a_manifest_lists_objects(container: Container) -> None:
    put("far/a/1", b"one")
    put("far/2", b"two")
    put("far/3", b"three")
    put("m", f'[{{"prefix": "s3://{BUCKET}/far/"}}, "a/1", "2"]'.encode())
    container.download(listed(f"s3://{BUCKET}/m", "ManifestFile"), "/opt/ml/input/data/train")
    assert files(container.root) == {
        "input/data/train/a/1": b"one",
        "input/data/train/2": b"two",
    }


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("text", [b"no JSON", b"{}", b"[]", b"[1, 2]", b'[{"prefix": 1}, "a"]'])
def test_anything_else_is_no_manifest(text: bytes) -> None:
    put("m", text)
    with pytest.raises(Failure, match="is not a manifest file"):
        listed(f"s3://{BUCKET}/m", "ManifestFile")


@pytest.mark.usefixtures("bucket")
def test_paths_in_downloaded_code_are_made_real(container: Container) -> None:
    text = b"open('/opt/ml/model/m')"
    for name in ("a.py", "a.sh", "a.txt"):
        put(f"code/{name}", text)
    put("code/latin.py", b"# \xe9 /opt/ml")
    container.download(listed(f"s3://{BUCKET}/code"), "/opt/ml/code")
    real = f"open('{container.root}/model/m')".encode()
    assert files(container.inside("/opt/ml/code")) == {
        "a.py": real,
        "a.sh": real,
        "a.txt": text,
        "latin.py": b"# \xe9 /opt/ml",
    }


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    ("uri", "path", "reason"),
    [
        ("none", "a", "(NoSuchKey: The specified key does not exist.)"),
        ("there", "../../a", "(../../a is no path below the folder)"),
        ("there", "a/b", "File exists: '/opt/ml/data/a'"),
        ("there", 300 * "a", "File name too long"),
    ],
)
def test_objects_that_cannot_become_files(
    container: Container, uri: str, path: str, reason: str
) -> None:
    put("there")
    container.put("/opt/ml/data/a", "a file")
    with pytest.raises(Failure) as failure:
        container.download([(f"s3://{BUCKET}/{uri}", path)], "/opt/ml/data")
    start = f"ClientError: Data download failed:Unable to download object s3://{BUCKET}/{uri} ("
    assert str(failure.value).startswith(start)
    assert reason in str(failure.value)
    assert str(container.root) not in str(failure.value)


def tar_of(**contents: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in contents.items():
            entry = tarfile.TarInfo(name.replace("__", "/"))
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.mark.usefixtures("bucket")
def test_an_archive_is_unpacked_and_its_code_adapted(container: Container) -> None:
    put("c.tar.gz", tar_of(**{"lib__a.py": "/opt/ml", "b": "/opt/ml"}))
    container.unpack(f"s3://{BUCKET}/c.tar.gz", "/opt/ml/code")
    assert files(container.inside("/opt/ml/code")) == {
        "b": b"/opt/ml",
        "lib/a.py": str(container.root).encode(),
    }


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    "body",
    [b"", b"no archive", tar_of(a="x")[:40], tar_of(**{"..__a": "x"})],
    ids=["empty", "text", "cut off", "leads outside"],
)
def test_anything_else_is_no_archive(container: Container, body: bytes) -> None:
    put("c.tar.gz", body)
    with pytest.raises(Failure, match="ClientError: Data download failed:Unable to extract"):
        container.unpack(f"s3://{BUCKET}/c.tar.gz", "/opt/ml/code")
    with pytest.raises(Failure, match="NoSuchKey"):
        container.unpack(f"s3://{BUCKET}/none", "/opt/ml/code")


# --- data out -------------------------------------------------------------------------------------


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    packed = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        (folder / "deep").mkdir(parents=True)
        for name in ("b", "deep/c", "a") if number == 1 else ("a", "b", "deep/c"):
            (folder / name).write_text(name)
            os.utime(folder / name, (number, number))
        packed.append(archive([folder]))
    assert packed[0] == packed[1] is not None
    with tarfile.open(fileobj=io.BytesIO(packed[0] or b"")) as tar:
        assert [entry.name for entry in tar] == ["a", "b", "deep", "deep/c"]
        assert {entry.mtime for entry in tar} == {0}


def test_archives_of_several_hosts_are_merged(tmp_path: Path) -> None:
    for host, name in (("1", "a"), ("2", "a"), ("2", "b")):
        (tmp_path / host).mkdir(exist_ok=True)
        (tmp_path / host / name).write_text(host)
    with tarfile.open(fileobj=io.BytesIO(archive([tmp_path / "1", tmp_path / "2"]) or b"")) as tar:
        contents = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    assert contents == {"a": b"1", "b": b"2"}
    assert archive([tmp_path / "none"]) is None


@pytest.mark.usefixtures("bucket")
def test_an_upload_needs_a_bucket_in_the_region() -> None:
    upload(REGION, f"s3://{BUCKET}/a", b"x")
    assert keys() == ["a"]
    for region, uri, problem in (
        (REGION, "s3://amzn-s3-demo-none/a", "NoSuchBucket: The specified bucket does not exist"),
        (REGION, "https://a/b", "NoSuchBucket: The specified bucket does not exist"),
        (
            "eu-west-1",
            f"s3://{BUCKET}/a",
            "BucketRegionError: bucket must be in the same region as the job",
        ),
    ):
        with pytest.raises(Failure) as failure:
            upload(region, uri, b"")
        assert str(failure.value) == (
            f"ClientError: Artifact upload failed:Unable to upload file to {uri} ({problem})"
        )


@pytest.mark.usefixtures("bucket")
def test_a_mirror_stores_what_is_new_or_changed(container: Container) -> None:
    put("c/old", b"from before")
    mirror = Mirror(REGION, f"s3://{BUCKET}/c")
    mirror.fetch(container, "/opt/ml/checkpoints")
    folder = container.inside("/opt/ml/checkpoints")
    assert files(folder) == {"old": b"from before"}
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="c/old")
    (folder / "deep").mkdir()
    (folder / "deep/new").write_text("1")
    (folder / "half.sagemaker-ignore").write_text("1")
    mirror.push(folder)
    assert keys() == ["c/deep/new"]  # the old one was there and has not changed
    (folder / "deep/new").write_text("22")
    (folder / "old").unlink()
    mirror.push(folder)
    assert objects.read(f"s3://{BUCKET}/c/deep/new") == b"22"


def test_a_mirror_of_nothing_begins_empty(lab: None, container: Container) -> None:
    Mirror(REGION, "s3://amzn-s3-demo-none/c").fetch(container, "/opt/ml/checkpoints")
    assert files(container.root) == {}


# --- the queue ------------------------------------------------------------------------------------


def test_so_many_run_at_once_and_no_more() -> None:
    queue, running, most = Queue(2), [0], [0]
    lock, go = threading.Lock(), threading.Event()
    began, done = threading.Semaphore(0), threading.Semaphore(0)

    def task(over: threading.Event) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        began.release()
        go.wait(10)
        with lock:
            running[0] -= 1
        done.release()

    for _ in range(5):
        queue.add(task)
    for _ in range(2):
        assert began.acquire(timeout=10)
    go.set()
    for _ in range(5):
        assert done.acquire(timeout=10)
    assert most == [2]
    queue.close()


def test_a_closed_queue_forgets_who_waits_and_tells_who_runs() -> None:
    queue, said = Queue(1), []
    began = threading.Event()

    def task(over: threading.Event) -> None:
        began.set()
        said.append(over.wait(10))

    queue.add(task)
    queue.add(task)
    assert began.wait(10)
    begun = time.monotonic()
    queue.close()
    assert time.monotonic() - begun < 5
    assert said == [True]
    queue.add(lambda over: said.append(over.is_set()))
    until = time.monotonic() + 10
    while len(said) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert said == [True, False]
    queue.close()


def test_two_jobs_run_at_once_even_on_one_processor() -> None:
    assert max(2, os.cpu_count() or 1) == QUEUE.limit
