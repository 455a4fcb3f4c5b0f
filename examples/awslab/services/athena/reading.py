"""The rows of a table: objects of S3 as columns of the types that the table declares."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

from awslab import objects
from awslab.services.athena.tables import Table

GZIP = b"\x1f\x8b"


class Unreadable(Exception):
    """An object that is not what its table says; the message is Athena's."""


def read(table: Table, key: str) -> tuple[Any, int]:
    """The rows of one object (Arrow, the table's columns only), and its size in bytes.

    Raises:
        Unreadable: it cannot be read in the table's format.
    """
    import pyarrow
    import pyarrow.parquet

    content = objects.read(key)
    schema = pyarrow.schema([(name, arrow_of(kind)) for name, kind in table.columns.items()])
    try:
        if table.format == "parquet":
            found = pyarrow.parquet.read_table(io.BytesIO(content))
            by_name = {name.lower(): name for name in found.column_names}
            columns = [
                found[by_name[field.name]].cast(field.type)
                if field.name in by_name
                else pyarrow.nulls(found.num_rows, field.type)
                for field in schema
            ]
            return pyarrow.table(columns, schema=schema), len(content)
        text = (gzip.decompress(content) if content[:2] == GZIP else content).decode("utf-8")
        rows = [
            {name: fitted(row.get(name), kind) for name, kind in table.columns.items()}
            for row in records(table, text)
        ]
        return pyarrow.Table.from_pylist(rows, schema=schema), len(content)
    except (ValueError, OSError, EOFError, pyarrow.ArrowException) as error:
        raise Unreadable(f"HIVE_BAD_DATA: Error parsing {key}: {error}") from None


def records(table: Table, text: str) -> Iterator[dict[str, Any]]:
    """The raw rows, names in small letters."""
    if table.format == "cloudtrail":
        yield from (lowered(record) for record in json.loads(text)["Records"])
    elif table.format == "json":
        for line in text.splitlines():
            if line.strip():
                yield lowered(json.loads(line))
    else:
        quote = table.properties.get("quoteChar", '"')
        lines = csv.reader(io.StringIO(text), delimiter=table.delimiter, quotechar=quote)
        for number, cells in enumerate(lines):
            if number >= table.skipped and cells:
                yield dict(zip(table.columns, cells, strict=False))


def lowered(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise ValueError("a row is not a JSON object")
    return {name.lower(): value for name, value in record.items()}


def fitted(value: Any, kind: Any) -> Any:
    """A raw value as a column of this type holds it; what does not fit is null."""
    name = kind.this.name
    if value is None:
        return None
    if name == "STRUCT":
        if not isinstance(value, dict):
            return None
        given = lowered(value)
        return {
            f.name.lower(): fitted(given.get(f.name.lower()), f.args["kind"])
            for f in kind.expressions
        }
    if name in ("ARRAY", "LIST"):
        inner = kind.expressions[0]
        return [fitted(each, inner) for each in value] if isinstance(value, list) else None
    if name == "MAP":
        inner = kind.expressions[1]
        if not isinstance(value, dict):
            return None
        return [(key, fitted(each, inner)) for key, each in value.items()]
    return scalar(value, name)


def scalar(value: Any, name: str) -> Any:
    try:
        if name in ("INT", "BIGINT", "SMALLINT", "TINYINT"):
            return int(value)
        if name in ("FLOAT", "DOUBLE", "DECIMAL"):
            return float(value)
        if name == "BOOLEAN":
            return value if isinstance(value, bool) else str(value).lower() == "true"
    except (ValueError, TypeError):
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def arrow_of(kind: Any) -> Any:
    """The Arrow type of a declared one; dates and times come as texts and are cast by the query."""
    import pyarrow

    name = kind.this.name
    if name == "STRUCT":
        return pyarrow.struct(
            [(f.name.lower(), arrow_of(f.args["kind"])) for f in kind.expressions]
        )
    if name in ("ARRAY", "LIST"):
        return pyarrow.list_(arrow_of(kind.expressions[0]))
    if name == "MAP":
        return pyarrow.map_(pyarrow.string(), arrow_of(kind.expressions[1]))
    simple = {
        "TINYINT": pyarrow.int8(),
        "SMALLINT": pyarrow.int16(),
        "INT": pyarrow.int32(),
        "BIGINT": pyarrow.int64(),
        "FLOAT": pyarrow.float32(),
        "DOUBLE": pyarrow.float64(),
        "DECIMAL": pyarrow.float64(),
        "BOOLEAN": pyarrow.bool_(),
    }
    return simple.get(name, pyarrow.string())
