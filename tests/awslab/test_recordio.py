"""The reader of recordio-protobuf in the containers of the built-in algorithm."""

import struct

import numpy
import pytest
from awslab.containers import recordio


def field(number: int, body: bytes, kind: int = 2) -> bytes:
    length = bytes([len(body)]) if kind == 2 else b""
    return bytes([number << 3 | kind]) + length + body


def entry(name: bytes, value: bytes) -> bytes:
    return field(1, name) + field(2, value)


def frame(message: bytes) -> bytes:
    return struct.pack("<II", recordio.MAGIC, len(message)) + message + bytes(-len(message) % 4)


def floats(*numbers: float) -> bytes:
    return field(2, field(1, struct.pack(f"<{len(numbers)}f", *numbers)))


LABEL = field(2, entry(b"values", floats(1)))


@pytest.mark.parametrize(
    ("value", "row"),
    [
        (floats(0.5, -2), [0.5, -2]),
        (field(3, field(1, struct.pack("<2d", 0.5, -2))), [0.5, -2]),
        (field(7, field(1, b"\x03" + b"\xff" * 9 + b"\x01")), [3, -1]),  # of 32 bits
        # Not packed, as proto2 may write it: a tag before each number.
        (
            field(2, field(1, struct.pack("<f", 0.5), 5) + field(1, struct.pack("<f", -2), 5)),
            [0.5, -2],
        ),
    ],
)
def test_tensors(value: bytes, row: list[float]) -> None:
    record = frame(
        field(1, entry(b"values", value)) + LABEL + field(3, b"uid") + field(9, b"\1", 0)
    )
    features, labels = recordio.matrix_and_labels(record * 2)
    assert features.tolist() == [row, row]
    assert labels.tolist() == [1, 1]


def test_sparse_rows_have_the_width_of_their_shape() -> None:
    keys, shape = field(2, b"\x01\x80\x01"), field(3, b"\xc8\x01")
    tensor = field(2, field(1, struct.pack("<2f", 5, 6)) + keys + shape)
    some = frame(field(1, entry(b"values", tensor)) + LABEL)
    none = frame(field(1, entry(b"values", field(2, shape))) + LABEL)
    features, labels = recordio.matrix_and_labels(some + none)
    assert features.shape == (2, 200)
    assert [features[0, 1], features[0, 128], features.nnz] == [5, 6, 2]
    assert labels.tolist() == [1, 1]


def test_what_is_not_called_values_is_left_out() -> None:
    other = frame(field(1, entry(b"image", floats(9))) + LABEL)
    plain = frame(field(1, entry(b"values", floats(9))))
    features, labels = recordio.matrix_and_labels(other + plain)
    assert numpy.array_equal(features, [[9]])
    assert labels is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "No records found in RecordIO-Protobuf data"),
        (b"12345678", "Invalid RecordIO magic at offset 0"),
        (frame(LABEL)[:-4], "Truncated record at offset 8"),
        (frame(b"\n\x20"), "A record ends within a field"),
        (frame(b"\xff"), "A record ends within a number"),
        (frame(b"\x0b"), "Unknown wire type 3 in a record"),
        (frame(field(1, entry(b"values", field(9, b"")))), "Unknown tensor: field 9 of a Value"),
        (
            frame(field(1, entry(b"values", floats(1))))
            + frame(field(1, entry(b"values", floats(1, 2)))),
            "all the input array dimensions except for the concatenation axis must match exactly",
        ),
    ],
)
def test_what_cannot_be_read(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        recordio.matrix_and_labels(data)
