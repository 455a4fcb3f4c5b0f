"""Redshift's types: what DuckDB takes for them, and what the Data API says of them."""

import re
from dataclasses import dataclass
from typing import Any

from awslab.services.redshift_data.warehouse import Column

LONGEST_VARCHAR = 65_535  # bytes
USUAL_VARCHAR = 256

# Every name that Redshift knows, DuckDB's type, and the name that the Data API gives.
SIMPLE = {
    "smallint": ("SMALLINT", "int2"),
    "int2": ("SMALLINT", "int2"),
    "integer": ("INTEGER", "int4"),
    "int": ("INTEGER", "int4"),
    "int4": ("INTEGER", "int4"),
    "bigint": ("BIGINT", "int8"),
    "int8": ("BIGINT", "int8"),
    "real": ("FLOAT", "float4"),
    "float4": ("FLOAT", "float4"),
    "double precision": ("DOUBLE", "float8"),
    "float8": ("DOUBLE", "float8"),
    "float": ("DOUBLE", "float8"),
    "boolean": ("BOOLEAN", "bool"),
    "bool": ("BOOLEAN", "bool"),
    "date": ("DATE", "date"),
    "timestamp": ("TIMESTAMP", "timestamp"),
    "timestamp without time zone": ("TIMESTAMP", "timestamp"),
    "timestamptz": ("TIMESTAMPTZ", "timestamptz"),
    "timestamp with time zone": ("TIMESTAMPTZ", "timestamptz"),
    "time": ("TIME", "time"),
    "time without time zone": ("TIME", "time"),
    "timetz": ("TIMETZ", "timetz"),
    "time with time zone": ("TIMETZ", "timetz"),
    "interval year to month": ("INTERVAL", "intervaly2m"),
    "interval day to second": ("INTERVAL", "intervald2s"),
    "super": ("JSON", "super"),
    "text": ("VARCHAR", "varchar"),
}
TEXTS = {
    "varchar": "varchar",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "char": "bpchar",
    "character": "bpchar",
    "nchar": "bpchar",
    "bpchar": "bpchar",
}
BINARY = {"varbyte", "varbinary", "binary varying"}

# What the Data API calls the types that DuckDB's results have; precision of numbers.
OF_RESULTS = {
    "SMALLINT": ("int2", 5),
    "TINYINT": ("int2", 5),
    "INTEGER": ("int4", 10),
    "BIGINT": ("int8", 19),
    "HUGEINT": ("int8", 19),
    "UINTEGER": ("int8", 19),
    "UBIGINT": ("int8", 19),
    "FLOAT": ("float4", 8),
    "DOUBLE": ("float8", 17),
    "BOOLEAN": ("bool", 1),
    "DATE": ("date", 13),
    "TIMESTAMP": ("timestamp", 29),
    "TIMESTAMP_S": ("timestamp", 29),
    "TIMESTAMP_MS": ("timestamp", 29),
    "TIMESTAMP_NS": ("timestamp", 29),
    "TIMESTAMP WITH TIME ZONE": ("timestamptz", 35),
    "TIME": ("time", 15),
    "TIME WITH TIME ZONE": ("timetz", 21),
    "INTERVAL": ("intervald2s", 0),
    "JSON": ("super", 0),
    "BLOB": ("varbyte", 0),
}
SIGNED = {"int2", "int4", "int8", "float4", "float8", "numeric"}


class UnknownType(Exception):
    """A type that Redshift does not have; the message is its name."""


@dataclass(frozen=True)
class RedshiftType:
    """duckdb: the engine's type. name: the Data API's. length: bytes of a text, or the precision
    of a number."""

    duckdb: str
    name: str
    length: int = 0
    scale: int = 0

    @property
    def written(self) -> str:
        """As Redshift's catalog writes the type."""
        if self.name in ("varchar", "bpchar"):
            long = "character varying" if self.name == "varchar" else "character"
            return f"{long}({self.length})"
        if self.name == "numeric":
            return f"numeric({self.length},{self.scale})"
        return WRITTEN.get(self.name, self.name)


WRITTEN = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "varbyte": "binary varying",
}


def parse_type(text: str) -> RedshiftType:
    """The type that a CREATE TABLE statement names.

    Raises:
        UnknownType: Redshift has none of this name.
    """
    text = " ".join(text.lower().split())
    parts = re.fullmatch(
        r"([a-z][a-z0-9_ ]*?) ?(?:\( ?([^()]*?) ?\))?( with(?:out)? time zone)?", text
    )
    if not parts:
        raise UnknownType(text)
    name, size = parts[1] + (parts[3] or ""), parts[2]
    if name in SIMPLE and size is None:
        return RedshiftType(*SIMPLE[name])
    if name in ("numeric", "decimal"):
        return number(size)
    if name in TEXTS:
        kind = TEXTS[name]
        if size == "max":
            return RedshiftType("VARCHAR", kind, LONGEST_VARCHAR if kind == "varchar" else 4096)
        default = str(USUAL_VARCHAR if kind == "varchar" else 1)
        return RedshiftType("VARCHAR", kind, whole(size or default, name))
    if name in BINARY:
        return RedshiftType("BLOB", "varbyte", whole(size or "64000", name))
    if name in ("timestamp", "time", "float") and size is not None:
        whole(size, name)
        return RedshiftType(*SIMPLE[name])
    raise UnknownType(name)


def number(size: str | None) -> RedshiftType:
    precision, _, scale = (size or "18,0").partition(",")
    digits, after = whole(precision, "numeric"), whole(scale or "0", "numeric", least=0)
    if digits > 38 or after > digits:
        raise UnknownType(f"numeric({size})")
    return RedshiftType(f"DECIMAL({digits},{after})", "numeric", digits, after)


def whole(text: str, name: str, least: int = 1) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and least <= int(text[:7]) <= 16_777_216):
        raise UnknownType(f"{name}({text})")
    return int(text)


def of_result(duckdb: str) -> RedshiftType:
    """The type of a column of a result that no table declares."""
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", duckdb)
    if decimal:
        return RedshiftType(duckdb, "numeric", int(decimal[1]), int(decimal[2]))
    if duckdb in OF_RESULTS:
        name, precision = OF_RESULTS[duckdb]
        return RedshiftType(duckdb, name, precision)
    if duckdb.endswith("]") or duckdb.startswith(("STRUCT", "MAP")):
        return RedshiftType(duckdb, "super")
    return RedshiftType(duckdb, "varchar", LONGEST_VARCHAR)


def declared(column: Column) -> RedshiftType:
    """The type of a column as it was declared, or as its engine has it."""
    written = column.said.get("type")
    return parse_type(written) if written else of_result(column.engine_type)


def column_metadata(
    name: str, kind: RedshiftType, table: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The members of ColumnMetadata.

    table: what is known of a column of a table, by the same names.
    """
    return {
        "name": name,
        "label": name,
        "typeName": kind.name,
        "length": 0 if kind.name not in ("varchar", "bpchar", "varbyte") else kind.length,
        "precision": kind.length,
        "scale": kind.scale,
        "nullable": 1,
        "isCaseSensitive": kind.name in ("varchar", "bpchar"),
        "isCurrency": False,
        "isSigned": kind.name in SIGNED,
        "schemaName": "",
        "tableName": "",
        "columnDefault": None,
    } | (table or {})
