"""Reads recordio-protobuf, the format of the built-in algorithms: frames around protobuf messages.

A frame is a magic number, the length of its message and the message, filled up to four bytes. A
message of the schema `aialgs.data.Record` maps names to tensors: `features` (field 1) and `label`
(field 2), whose tensor is called `values`. Imported by the programs beside it, as in a container.
"""

import struct
from collections.abc import Iterator
from typing import Any

MAGIC = 0xCED7230A
HEAD = struct.Struct("<II")
FEATURES, LABEL = 1, 2  # fields of a Record
TENSORS = {2: "<f4", 3: "<f8", 7: "<i4"}  # fields of a Value: how its numbers are stored
VALUES, KEYS, SHAPE = 1, 2, 3  # fields of a tensor; one with keys is sparse
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # how protobuf stores a field

Tensor = tuple[Any, list[int], list[int]]  # values, keys, shape


def matrix_and_labels(data: bytes) -> tuple[Any, Any]:
    """The features of all records, dense or sparse, and their labels; None: there are none.

    Raises:
        ValueError: the bytes are something else, or the records do not fit together.
    """
    import numpy
    from scipy.sparse import csr_matrix, vstack  # type: ignore[import-untyped]

    rows, labels, sparse = [], [], False
    for message in messages(data):
        record = record_of(message)
        if FEATURES not in record:
            continue
        values, keys, shape = record[FEATURES]
        if keys or not len(values):
            sparse = True
            width = shape[0] if shape else max(keys, default=0) + 1
            rows.append(csr_matrix((values, keys, [0, len(keys)]), shape=(1, width)))
        else:
            rows.append(values.reshape(1, -1))
        if LABEL in record:
            labels.append(record[LABEL][0])
    if not rows:
        raise ValueError("No records found in RecordIO-Protobuf data")
    features = vstack(rows).tocsr() if sparse else numpy.vstack(rows)
    return features, numpy.concatenate(labels) if labels else None


def messages(data: bytes) -> Iterator[bytes]:
    """What the frames hold."""
    at = 0
    while at + HEAD.size <= len(data):
        magic, length = HEAD.unpack_from(data, at)
        if magic != MAGIC:
            raise ValueError(f"Invalid RecordIO magic at offset {at}")
        at += HEAD.size
        if at + length + -length % 4 > len(data):
            raise ValueError(f"Truncated record at offset {at}")
        yield data[at : at + length]
        at += length + -length % 4


def record_of(message: bytes) -> dict[int, Tensor]:
    """The tensors called `values` of a Record, by field."""
    found = {}
    for number, item in fields(message):
        if number in (FEATURES, LABEL):
            entry = dict(fields(item))
            if entry.get(1) == b"values":
                found[number] = tensor_of(entry.get(2, b""))
    return found


def tensor_of(value: bytes) -> Tensor:
    import numpy

    values, keys, shape = numpy.array([], "<f4"), [], []
    for kind, tensor in fields(value):
        if kind not in TENSORS:
            raise ValueError(f"Unknown tensor: field {kind} of a Value")
        parts: list[Any] = []
        for number, item in fields(tensor):
            if number == VALUES:
                parts.append(numpy.frombuffer(item, TENSORS[kind]) if kind != 7 else integers(item))
            elif number == KEYS:
                keys += list(varints(item))
            elif number == SHAPE:
                shape += list(varints(item))
        values = numpy.concatenate(parts) if parts else values
    return values, keys, shape


def integers(item: bytes) -> Any:
    """Of an Int32Tensor; negative ones are stored in 64 bits."""
    import numpy

    return numpy.array(list(varints(item)), numpy.uint64).astype(numpy.int64).astype(numpy.int32)


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protobuf message; a number of several bytes is one field, packed or not."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        kind, start = tag & 7, at
        if kind == VARINT:
            at = varint(message, at)[1]
        elif kind == BYTES:
            length, start = varint(message, at)
            at = start + length
        elif kind in (FIXED32, FIXED64):
            at += 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"Unknown wire type {kind} in a record")
        if at > len(message):
            raise ValueError("A record ends within a field")
        yield tag >> 3, message[start:at]


def varints(item: bytes) -> Iterator[int]:
    at = 0
    while at < len(item):
        number, at = varint(item, at)
        yield number


def varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits per byte, and where the next thing begins."""
    number = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("A record ends within a number")
        byte = message[at]
        number, shift, at = number | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            return number, at
