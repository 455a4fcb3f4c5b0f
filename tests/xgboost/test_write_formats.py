import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pyarrow.parquet
import pytest
from awslab.containers import recordio

Run = Callable[..., Any]
FORMATS = ("csv", "libsvm", "parquet", "recordio")


def read(folder: Path, form: str) -> Any:
    """The table, by other means than those of the example that reads."""
    path = folder / form / f"train.{form}"
    if form == "csv":
        return numpy.loadtxt(path, delimiter=",", ndmin=2)
    if form == "libsvm":
        return numpy.array(
            [
                [float(part.partition(":")[2] or part) for part in line.split()]
                for line in path.read_text().splitlines()
            ]
        )
    if form == "parquet":
        return pyarrow.parquet.read_table(path).to_pandas().to_numpy()
    features, labels = recordio.matrix_and_labels(path.read_bytes())
    return numpy.column_stack([labels, features])


@pytest.mark.parametrize("width", [2, 9, 60])  # 59 features: lengths of more than one byte
def test_four_formats_of_the_same_values(run: Run, tmp_path: Path, width: int) -> None:
    table = numpy.random.default_rng(width).normal(size=(5, width)).astype("f4")
    numpy.savetxt(tmp_path / "train.csv", table, delimiter=",", fmt="%.9g")
    result = run("write_formats", "--file", str(tmp_path / "train.csv"), "--folder", str(tmp_path))
    assert (result.status, result.errors) == (0, "")
    for line, form in zip(result.output.splitlines(), FORMATS, strict=True):
        path = tmp_path / form / f"train.{form}"
        assert line == f"{path}  {path.stat().st_size} bytes"
        assert (read(tmp_path, form).astype("f4") == table).all(), form


def test_a_frame_as_the_documentation_describes_it(
    example: Callable[[str], Any],
) -> None:
    frame = example("write_formats").recordio(numpy.array([[1, 2, 3]]))
    assert frame == (
        b"\x0a\x23\xd7\xce" + (44).to_bytes(4, "little")
        # features: {"values": {float32_tensor: {values: [2, 3]}}}
        + b"\x0a\x16" + b"\x0a\x06values" + b"\x12\x0c" + b"\x12\x0a" + b"\x0a\x08"
        + numpy.array([2, 3], "<f4").tobytes()
        # label: {"values": {float32_tensor: {values: [1]}}}
        + b"\x12\x12" + b"\x0a\x06values" + b"\x12\x08" + b"\x12\x06" + b"\x0a\x04"
        + numpy.array([1], "<f4").tobytes()
    )  # fmt: skip


def test_parquet_has_names_that_nobody_reads(example: Callable[[str], Any]) -> None:
    content = example("write_formats").parquet(numpy.zeros((1, 3)))
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    assert table.column_names == ["label", "f0", "f1"]


@pytest.mark.parametrize("content", [None, "label,a\n1,2\n", "", "1\n0\n", "1,inf\n"])
def test_no_numbers(run: Run, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "train.csv"
    if content is not None:
        path.write_text(content)
    result = run("write_formats", "--file", str(path), "--folder", str(tmp_path / "formats"))
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith(f"Check {path}: numbers only; and that the folder is writable.\n")
    assert result.errors.count("\n") == 1
    assert not (tmp_path / "formats").exists()
