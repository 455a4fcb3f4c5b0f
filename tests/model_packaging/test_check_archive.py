"""Archives that are right, and archives that are broken in every way."""

import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODEL = b"{L\x00"  # as UBJSON begins
SCRIPT = b"def model_fn(model_dir):\n    return 1\n"
SKLEARN = {"model.joblib": b"\x80", "code/inference.py": SCRIPT}
PYTORCH = {"model.pth": b"PK", "code/inference.py": SCRIPT}


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, target
    return found


@pytest.fixture
def problems(run: Callable[..., Any]) -> Callable[..., list[str]]:
    """What the checker says of an archive, without the archive's name."""

    def check(path: Path, framework: str = "xgboost", *options: str) -> list[str]:
        result = run("check_archive", "--archive", str(path), "--framework", framework, *options)
        if result.status == 0:
            assert result.output == f"{path}: as the {framework} container wants it\n"
            assert result.errors == ""
            return []
        assert (result.status, result.output) == (1, "")
        lines: list[str] = result.errors.splitlines()
        assert all(line.startswith(f"{path}: ") for line in lines)
        return [line.removeprefix(f"{path}: ") for line in lines]

    return check


@pytest.mark.parametrize(
    ("files", "framework"),
    [
        ({"xgboost-model": MODEL}, "xgboost"),
        ({"./xgboost-model": MODEL}, "xgboost"),  # tar -C folder .
        ({"xgboost-model": MODEL, ".note": b""}, "xgboost"),  # hidden: the container skips it
        (SKLEARN, "sklearn"),
        (PYTORCH, "pytorch"),
        (
            PYTORCH | {"code/requirements.txt": b"# none\nnumpy==2.3.5\nx @ https://x/y\n"},
            "pytorch",
        ),
        ({f"./{name}": content for name, content in PYTORCH.items()}, "pytorch"),
    ],
)
def test_right(
    archive: Callable[..., Path],
    problems: Callable[..., list[str]],
    files: dict[str, bytes],
    framework: str,
) -> None:
    assert problems(archive(files, member("./", tarfile.DIRTYPE)), framework) == []


@pytest.mark.parametrize(
    ("files", "framework", "said"),
    [
        ({"code/x.py": b"", ".x": b""}, "xgboost", "xgboost-model: missing at the root"),
        ({"xgboost-model": pickle.dumps({})}, "xgboost", "xgboost-model: a pickle; save it by "),
        (
            {"xgboost-model": MODEL, "README.md": b""},
            "xgboost",
            "README.md: the container loads every file at the root as a model",
        ),
        (
            {"model/xgboost-model": MODEL},
            "xgboost",
            "everything lies in model/: pack from inside of this folder (tar -C)",
        ),
        (
            {f"m/{name}": content for name, content in PYTORCH.items()},
            "pytorch",
            "everything lies in m/: pack from inside of this folder (tar -C)",
        ),
        ({"model.pth": b""}, "pytorch", "code/inference.py: missing"),
        (
            {"model.joblib": b"", "inference.py": SCRIPT},
            "sklearn",
            "code/inference.py: missing",
        ),
        ({"code/inference.py": SCRIPT, "x": b""}, "pytorch", "no model at the root: .pt, .pth, "),
        (PYTORCH, "sklearn", "no model at the root: .joblib, .pkl, .skops"),
        (
            PYTORCH | {"code/inference.py": b"def predict_fn(a, b): ...\n"},
            "pytorch",
            "code/inference.py: no model_fn",
        ),
        (
            PYTORCH | {"code/inference.py": b"def other():\n    def model_fn(m): ...\n"},
            "pytorch",
            "code/inference.py: no model_fn",
        ),
        (
            PYTORCH | {"code/inference.py": b"def model_fn(:\n"},
            "pytorch",
            "code/inference.py: invalid syntax (<unknown>, line 1)",
        ),
        ({"xgboost-model": b""}, "xgboost", "xgboost-model: empty"),
        (
            PYTORCH | {"code/inference.py": b"x = " + b"-" * 90_000 + b"1\n"},
            "pytorch",
            "code/inference.py: ",
        ),
        (
            PYTORCH | {"code/inference.py": b"\x00"},
            "pytorch",
            "code/inference.py: source code string cannot contain null bytes",
        ),
        (
            PYTORCH
            | {"code/inference.py": SCRIPT + b"def transform_fn(): ...\ndef input_fn(): ...\n"},
            "pytorch",
            "code/inference.py: transform_fn excludes input_fn, predict_fn and output_fn",
        ),
        (PYTORCH | {"requirements.txt": b""}, "pytorch", "requirements.txt: is read only in code/"),
        (
            PYTORCH | {"code/requirements.txt": b"numpy>=2 # new\n"},
            "pytorch",
            "code/requirements.txt: numpy>=2 has no version (==)",
        ),
        (
            {"xgboost-model": MODEL, "._xgboost-model": b""},
            "xgboost",
            "._xgboost-model: not part of a model; leave it out (COPYFILE_DISABLE=1 on macOS)",
        ),
        (
            {"xgboost-model": MODEL, "__MACOSX/x": b""},
            "xgboost",
            "__MACOSX/x: not part of a model; leave it out (COPYFILE_DISABLE=1 on macOS)",
        ),
        (
            PYTORCH | {"code/__pycache__/inference.cpython-312.pyc": b""},
            "pytorch",
            "code/__pycache__/inference.cpython-312.pyc: not part of a model",
        ),
    ],
)
def test_one_thing_is_wrong(
    archive: Callable[..., Path],
    problems: Callable[..., list[str]],
    files: dict[str, bytes],
    framework: str,
    said: str,
) -> None:
    [problem] = problems(archive(files), framework)
    assert problem.startswith(said)


@pytest.mark.parametrize("name", ["/etc/cron.d/x", "../x", "code/../../x", "..\\x"])
def test_paths_that_lead_out(
    archive: Callable[..., Path], problems: Callable[..., list[str]], tmp_path: Path, name: str
) -> None:
    path = archive({"xgboost-model": MODEL, name: b"x"})
    assert problems(path) == [f"{name}: leads out of /opt/ml/model; use relative paths"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices(
    archive: Callable[..., Path], problems: Callable[..., list[str]], kind: bytes
) -> None:
    path = archive({"xgboost-model": MODEL}, member("data", kind, "/etc/passwd"))
    assert problems(path) == ["data: a link or a device; pack the file itself (tar --dereference)"]


def test_a_link_in_place_of_the_model_is_no_model(
    archive: Callable[..., Path], problems: Callable[..., list[str]]
) -> None:
    path = archive({}, member("xgboost-model", tarfile.SYMTYPE, "/etc/passwd"))
    assert problems(path) == [
        "xgboost-model: a link or a device; pack the file itself (tar --dereference)",
        "xgboost-model: missing at the root",
    ]


def test_a_name_twice(problems: Callable[..., list[str]], tmp_path: Path) -> None:
    path = tmp_path / "twice.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name in ("xgboost-model", "./xgboost-model"):
            found = tarfile.TarInfo(name)
            found.size = 1
            packed.addfile(found, io.BytesIO(b"{"))
    assert problems(path) == ["./xgboost-model: is there twice; the last one wins"]


def test_all_problems_are_said(
    archive: Callable[..., Path], problems: Callable[..., list[str]]
) -> None:
    files = {"../x": b"", "._m": b"", "code/inference.py": b"", "code/requirements.txt": b"a\nb==1"}
    assert len(problems(archive(files), "sklearn")) == 5


def test_what_is_no_gzip(problems: Callable[..., list[str]], tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    said = ["not gzip, whatever its name says: pack by tar -czf"]
    with tarfile.open(path, "w"):
        pass
    assert problems(path) == said
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("xgboost-model", MODEL)
    assert problems(path) == said
    path.write_bytes(b"")
    assert problems(path) == said


def test_what_is_no_tar_or_empty_or_cut_off(
    archive: Callable[..., Path], problems: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert problems(archive({})) == ["holds no file"]
    assert problems(archive({}, member("code", tarfile.DIRTYPE))) == ["holds no file"]
    path = tmp_path / "other.tar.gz"
    for content in (b"", b"no tar" * 200):
        path.write_bytes(gzip.compress(content))
        assert problems(path)[0].startswith("cannot be read to its end: ")
    whole = archive({"xgboost-model": bytes(range(256)) * 40}).read_bytes()
    for end in (40, len(whole) // 2, len(whole) - 9):
        path.write_bytes(whole[:end])
        assert problems(path)[0].startswith("cannot be read to its end: "), end
    path.write_bytes(whole[:60] + b"\xff" * 20 + whole[80:])
    assert problems(path)[0].startswith("cannot be read to its end: ")


def test_a_bomb_is_not_unpacked(
    archive: Callable[..., Path], problems: Callable[..., list[str]]
) -> None:
    path = archive({"xgboost-model": b"{" + bytes(3_000_000)})
    assert path.stat().st_size < 10_000
    assert problems(path, "xgboost", "--limit", "1000000") == [
        "cannot be read to its end: xgboost-model: more than 1000000 bytes, or raise --limit"
    ]
    assert problems(path, "xgboost", "--limit", "3100000") == []


def test_a_bomb_in_a_header_is_not_unpacked(
    problems: Callable[..., list[str]], tmp_path: Path
) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 5_000_000
    path = tmp_path / "pax.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf() + bytes(6_000_000)))
    [problem] = problems(path, "xgboost", "--limit", "1000000")
    assert "more than 1000000 bytes unpacked, or raise --limit" in problem


def test_nothing_is_written(
    archive: Callable[..., Path],
    problems: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = archive({"../x": b"x", "xgboost-model": MODEL})
    folder = tmp_path / "here" / "inside"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    problems(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["here", "inside", "model.tar.gz"]


def test_no_such_file(run: Callable[..., Any], tmp_path: Path) -> None:
    path = str(tmp_path / "none.tar.gz")
    result = run("check_archive", "--archive", path, "--framework", "xgboost")
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith("Name a model.tar.gz.\n")
