from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    run("write_data", "--folder", str(tmp_path / "data"), "--rows", "40")
    file = str(tmp_path / "data" / "binary" / "train.csv")
    run("write_formats", "--file", file, "--folder", str(tmp_path))
    return tmp_path


def test_the_same_data_and_models(run: Run, folder: Path) -> None:
    result = run("read_formats", "--folder", str(folder))
    assert (result.status, result.errors) == (0, "")
    assert result.output == "".join(
        f"{name:8}  40 x 8  data equal: True  model: True\n"
        for name in ("csv", "libsvm", "parquet", "recordio")
    )


def test_other_data_make_another_model(run: Run, folder: Path) -> None:
    path = folder / "libsvm" / "train.libsvm"
    first, *rest = path.read_text().splitlines(keepends=True)
    path.write_text("".join([first.replace(first[0], "1" if first[0] == "0" else "0", 1), *rest]))
    lines = run("read_formats", "--folder", str(folder)).output.splitlines()
    assert lines[1] == "libsvm    40 x 8  data equal: True  model: False"


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("parquet/train.parquet", None, "train.parquet. Write"),
        ("csv/train.csv", None, "Cannot find any files that matches the URI pattern"),
        ("parquet/train.parquet", b"1,2", "Parquet"),
        ("recordio/train.recordio", b"1234567890", "no frame of recordio at byte 0"),
        ("recordio/train.recordio", b"\n#\xd7\xce", "unpack_from requires a buffer of"),
        ("recordio/train.recordio", b"\n#\xd7\xce\1\0\0\0\x80\0\0\0", "A frame is broken. Write"),
        ("recordio/train.recordio", b"", "at least one array"),
        ("csv/train.csv", b"\n\n", "Write"),
        ("csv/train.csv", b"5,1\n7,1\n", "is_valid: base_score must be in (0,1)"),
        ("csv/train.csv", b"5\n7\n", "Delimiter ',' is not found in the line"),
    ],
)
def test_files_that_are_not_there_or_others(
    run: Run, folder: Path, path: str, content: bytes | None, said: str
) -> None:
    (folder / path).unlink()
    if content is not None:
        (folder / path).write_bytes(content)
    result = run("read_formats", "--folder", str(folder))
    assert (result.status, result.output) == (1, "")
    assert said in result.errors
    assert result.errors.endswith("Write the files with write_formats.py.\n")
    assert result.errors.count("\n") == 1
