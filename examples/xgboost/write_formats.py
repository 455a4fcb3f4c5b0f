"""Write one table in the four formats that SageMaker's built-in XGBoost trains on."""

import argparse
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


# [start: text]
def csv(table: np.ndarray) -> bytes:
    """No header, the label first; nine digits are what XGBoost's 32 bits hold."""
    return "".join(",".join(f"{x:.9g}" for x in row) + "\n" for row in table).encode()


def libsvm(table: np.ndarray) -> bytes:
    """`label index:value …`, from index 0; a feature that is left out would be missing."""
    rows = ([f"{row[0]:.9g}", *(f"{i}:{x:.9g}" for i, x in enumerate(row[1:]))] for row in table)
    return "".join(" ".join(row) + "\n" for row in rows).encode()


# [end: text]


def parquet(table: np.ndarray) -> bytes:
    """Columns of 64 bits, the label first: their order counts, their names do not."""
    names = ["label", *(f"f{i}" for i in range(table.shape[1] - 1))]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(zip(names, table.T, strict=True))), sink)
    return sink.getvalue().to_pybytes()


# [start: recordio]
def varint(number: int) -> bytes:
    """A number as protobuf writes it: seven bits per byte, the lowest first."""
    more = number >> 7
    return bytes([number & 127 | 128]) + varint(more) if more else bytes([number])


def field(number: int, content: bytes) -> bytes:
    """A field of a protobuf message: its number and wire type, its length, its content."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(numbers: np.ndarray) -> bytes:
    """The entry `values` of a map: a Value with a float32_tensor (field 2) of these numbers."""
    return field(1, b"values") + field(2, field(2, field(1, numbers.tobytes())))


def recordio(table: np.ndarray) -> bytes:
    """One frame per row: magic number, length, protobuf message, up to three bytes to fill up."""
    frames = []
    for row in table.astype("<f4"):
        record = field(1, tensor(row[1:])) + field(2, tensor(row[:1]))  # features, label
        head = struct.pack("<II", 0xCED7230A, len(record))
        frames.append(head + record + bytes(-len(record) % 4))
    return b"".join(frames)


# [end: recordio]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="CSV, no header, label first")
    parser.add_argument("--folder", type=Path, required=True, help="for a folder per format")
    arguments = parser.parse_args()
    try:
        with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
            table = np.loadtxt(arguments.file, delimiter=",", ndmin=2)
        if table.shape[1] < 2 or np.isinf(table).any():
            raise ValueError("No rows, no features, or an infinite number")
        for write in (csv, libsvm, parquet, recordio):
            path = arguments.folder / write.__name__ / f"{arguments.file.stem}.{write.__name__}"
            content = write(table)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            print(f"{path}  {len(content)} bytes")
    except (OSError, ValueError) as error:
        said = str(error).rstrip(".")
        sys.exit(f"{said}. Check {arguments.file}: numbers only; and that the folder is writable.")


if __name__ == "__main__":
    main()
