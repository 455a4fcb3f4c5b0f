"""UNLOAD: the rows of a query into objects in S3."""

import bz2
import gzip
import io
import json
from collections.abc import Sequence
from typing import Any

from awslab import objects
from awslab.services.redshift_data.queries import query
from awslab.services.redshift_data.session import Outcome, Session
from awslab.services.redshift_data.storage import (
    check_bucket,
    check_role,
    read_authorization,
    remove,
)
from awslab.services.redshift_data.values import csv_text, text
from awslab.sql import Running, SqlError
from awslab.sql_words import Words

FORMATS = ("CSV", "PARQUET", "JSON", "TEXT")
SWITCHES = {
    "HEADER",
    "ADDQUOTES",
    "ESCAPE",
    "ALLOWOVERWRITE",
    "CLEANPATH",
    "GZIP",
    "BZIP2",
    "MANIFEST",
    "ENCRYPTED",
}
TEXTS = {"DELIMITER", "NULL", "REGION", "EXTENSION", "KMS_KEY_ID"}
ENDINGS = {"PARQUET": ".parquet", "JSON": ".json"}

Row = Sequence[Any]


def unload(session: Session, words: Words, running: Running) -> Outcome:
    """Run an UNLOAD statement.

    Raises:
        SqlError: Redshift's word on it.
    """
    words.expect("UNLOAD")
    inside = words.group()
    selected = inside.text()
    words.expect("TO")
    uri = words.text()
    options = read_options(words)
    check_role(session, options.get("role"), "UNLOAD")
    check_bucket(session, uri, options.get("REGION"))
    clear_the_way(uri, options)
    found = query(session, Words(selected))
    running.check()
    names = [column["name"] for column in found.columns or []]
    written = []
    for folder, rows in partitions(found.rows, names, options):
        shown = [n for n in names if n not in options["partition"] or options.get("INCLUDE")]
        for place, part in enumerate(parts(session, rows, options)):
            written.append(write(uri + folder, place, part, shown, options))
    if options.get("MANIFEST"):
        entries = [{"url": name} for name in written]
        objects.write(f"{uri}manifest", json.dumps({"entries": entries}, indent=2).encode())
    return Outcome("UNLOAD", affected=len(found.rows))


def read_options(words: Words) -> dict[str, Any]:
    options: dict[str, Any] = {"partition": [], "format": "TEXT", "parallel": True}
    while not words.ended:
        if read_authorization(words, options):
            continue
        words.accept("FORMAT")
        words.accept("AS")
        option = words.peek()
        if option in FORMATS:
            words.skip()
            options["format"] = option
        elif option in SWITCHES:
            words.skip()
            options[option] = True
            words.accept("VERBOSE")
        elif option in TEXTS:
            words.skip()
            words.accept("AS")
            options[option] = words.text()
        elif words.accept("PARALLEL"):
            options["parallel"] = words.peek() not in ("OFF", "FALSE")
            if words.peek() in ("ON", "OFF", "TRUE", "FALSE"):
                words.skip()
        elif words.accept("PARTITION", "BY"):
            options["partition"] = words.column_names()
            options["INCLUDE"] = words.accept("INCLUDE")
        elif option in ("MAXFILESIZE", "ROWGROUPSIZE"):
            words.skip()
            words.accept("AS")
            words.skip()
            if words.peek() in ("MB", "GB"):
                words.skip()
        elif option == "ZSTD":
            raise SqlError("ERROR: the lab does not UNLOAD with ZSTD")
        else:
            raise words.unexpected()
    return options


def clear_the_way(uri: str, options: dict[str, Any]) -> None:
    """Raises SqlError: there are objects already, and the statement does not allow for it."""
    bucket, _ = objects.split(uri)
    existing = objects.keys(uri)
    if options.get("CLEANPATH"):
        for key in existing:
            remove(f"s3://{bucket}/{key}")
    elif existing and not options.get("ALLOWOVERWRITE"):
        raise SqlError(
            "ERROR: Specified unload destination on S3 is not empty. Consider using a different "
            "bucket / prefix, manually removing the target files in S3, or using the "
            "ALLOWOVERWRITE option."
        )


def partitions(
    rows: Sequence[Row], names: list[str], options: dict[str, Any]
) -> list[tuple[str, Sequence[Row]]]:
    """The rows by the folder that PARTITION BY gives them: `a=1/b=2/`."""
    keys = options["partition"]
    if not keys:
        return [("", rows)]
    for key in keys:
        if key not in names:
            raise SqlError(f'ERROR: partition column "{key}" is not in the query')
    places = [names.index(key) for key in keys]
    kept = [i for i in range(len(names)) if options.get("INCLUDE") or i not in places]
    found: dict[str, Sequence[Row]] = {}
    for row in rows:
        values = ["__HIVE_DEFAULT_PARTITION__" if row[i] is None else text(row[i]) for i in places]
        folder = "".join(f"{key}={value}/" for key, value in zip(keys, values, strict=True))
        found[folder] = [*found.get(folder, []), [row[i] for i in kept]]
    return sorted(found.items())


def parts(session: Session, rows: Sequence[Row], options: dict[str, Any]) -> list[Sequence[Row]]:
    """One part for each slice, in turn; one part in all if PARALLEL is off."""
    slices = session.endpoint.slices or 1
    if not options["parallel"] or slices == 1:
        return [rows]
    found = [rows[number::slices] for number in range(slices)]
    return [part for part in found if part] or [[]]


def write(
    prefix: str, place: int, rows: Sequence[Row], names: list[str], options: dict[str, Any]
) -> str:
    """Store one part; returns its URI."""
    kind = options["format"]
    name = f"{place:04d}_part_00" if options["parallel"] else "000"
    data = encoded(rows, names, options)
    ending = ENDINGS.get(kind, "")
    if options.get("GZIP"):
        data, ending = gzip.compress(data, mtime=0), ending + ".gz"
    elif options.get("BZIP2"):
        data, ending = bz2.compress(data), ending + ".bz2"
    if options.get("EXTENSION"):
        ending = "." + options["EXTENSION"]
    uri = f"{prefix}{name}{ending}"
    objects.write(uri, data)
    return uri


def encoded(rows: Sequence[Row], names: list[str], options: dict[str, Any]) -> bytes:
    kind = options["format"]
    if kind == "PARQUET":
        return as_parquet(rows, names)
    if kind == "JSON":
        lines = [json.dumps(dict(zip(names, row, strict=True)), default=text) for row in rows]
        return "".join(f"{line}\n" for line in lines).encode()
    if kind == "CSV":
        found = csv_text(rows, names if options.get("HEADER") else None)
        return found.replace("\r\n", "\n").encode()
    return as_text(rows, names, options).encode()


def as_text(rows: Sequence[Row], names: list[str], options: dict[str, Any]) -> str:
    delimiter = options.get("DELIMITER", "|").replace("\\t", "\t")
    quote = '"' if options.get("ADDQUOTES") else ""
    null = options.get("NULL", "")

    def one(value: Any) -> str:
        shown = null if value is None else text(value)
        if options.get("ESCAPE"):
            for sign in ("\\", delimiter, "\n", '"'):
                shown = shown.replace(sign, f"\\{sign}")
        return f"{quote}{shown}{quote}"

    lines = [delimiter.join(map(one, names))] if options.get("HEADER") else []
    lines += [delimiter.join(map(one, row)) for row in rows]
    return "".join(f"{line}\n" for line in lines)


def as_parquet(rows: Sequence[Row], names: list[str]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    try:
        arrays = [pyarrow.array(column) for column in columns]
    except pyarrow.ArrowException as error:
        raise SqlError("ERROR: the lab cannot write this result as Parquet") from error
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(dict(zip(names, arrays, strict=True))), buffer)
    return buffer.getvalue()
