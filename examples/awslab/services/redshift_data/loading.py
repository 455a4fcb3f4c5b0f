"""COPY: rows from objects in S3 into a table."""

import bz2
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from awslab import objects
from awslab.clock import naive_now
from awslab.services.redshift_data.dialect import column_list
from awslab.services.redshift_data.ordering import in_order
from awslab.services.redshift_data.session import Outcome, Session
from awslab.services.redshift_data.storage import check_bucket, check_role, read_authorization
from awslab.services.redshift_data.types import RedshiftType, declared
from awslab.services.redshift_data.warehouse import Column, Table
from awslab.sql import Running, SqlError, literal, quoted
from awslab.sql_words import Words

STAGED = "rows to load"  # the name under which DuckDB sees them
MOST_ERRORS = 100_000

# Reasons and codes as STL_LOAD_ERRORS has them.
NO_DELIMITER = (1214, "Delimiter not found")
EXTRA = (1202, "Extra column(s) found")
TOO_LONG = (1204, "String length exceeds DDL length")
MISSING = (1213, "Missing data for not-null field")
NO_NUMBER = (1207, "Invalid digit, Value '{}', Pos 0, Type: {}")
NO_DATE = (1206, "Invalid Date Format - length must be 10 or more")
NO_MOMENT = (1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]")
NO_VALUE = (1216, "Invalid input line.")
NO_JSON = (1216, "Invalid JSONPath format or JSON object")

KINDS = {
    "int2": "Short",
    "int4": "Integer",
    "int8": "Long",
    "numeric": "Decimal",
    "float4": "Float",
    "float8": "Double",
}
UNSUPPORTED = {"AVRO", "ORC", "FIXEDWIDTH", "SHAPEFILE", "LZOP", "ZSTD", "SSH", "ENCRYPTED"}
SWITCHES = {
    "MANIFEST",
    "EMPTYASNULL",
    "BLANKSASNULL",
    "TRUNCATECOLUMNS",
    "REMOVEQUOTES",
    "ESCAPE",
    "FILLRECORD",
    "IGNOREBLANKLINES",
    "TRIMBLANKS",
    "ROUNDEC",
    "EXPLICIT_IDS",
    "NOLOAD",
    "GZIP",
    "BZIP2",
}
TEXTS = {"DELIMITER", "NULL", "DATEFORMAT", "TIMEFORMAT", "REGION", "QUOTE", "ENCODING"}
NUMBERS = {"IGNOREHEADER", "MAXERROR", "READRATIO"}

# Words of Redshift's date formats, and Python's.
FORMAT_WORDS = (
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("MONTH", "%B"),
    ("MON", "%b"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("HH", "%H"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("AM", "%p"),
)


@dataclass
class Line:
    """One row on its way: its fields as texts, and where it came from."""

    file: str
    number: int
    raw: str
    values: list[str | None]


@dataclass
class Load:
    """A COPY that runs."""

    session: Session
    table: Table
    columns: list[Column]
    options: dict[str, Any]
    lines: list[Line] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    first: bool = False  # into an empty table

    def insert(self, query: str) -> int:
        """Insert the rows of DuckDB's text of a query; returns how many."""
        names = [column.name for column in self.columns]
        if self.first:
            query = in_order(query, names, self.table)
        where = self.session.where(self.table)
        rows = self.session.execute(f"INSERT INTO {where} ({column_list(names)}) {query}")
        return int(rows[0][0])

    def fault(
        self, line: Line, reason: tuple[int, str], column: Column | None = None, value: str = ""
    ) -> None:
        """Remember why a line cannot be loaded."""
        kind = declared(column) if column else None
        code, said = reason
        self.errors.append(
            {
                "userid": 100,
                "slice": 0,
                "tbl": self.table.oid,
                "starttime": naive_now(),
                "session": self.session.process,
                "query": self.session.query_id,
                "database": self.session.database,
                "filename": line.file,
                "line_number": line.number,
                "colname": column.name if column else "",
                "type": kind.name if kind else "",
                "col_length": str(kind.length) if kind and kind.name == "varchar" else "0",
                "position": 0,
                "raw_line": line.raw[:1024],
                "raw_field_value": value[:1024],
                "err_code": code,
                "err_reason": said,
            }
        )
        if len(self.errors) > max(self.options.get("MAXERROR", 0), 0):
            self.fail()

    def fail(self) -> None:
        self.session.warehouse.load_errors.extend(self.errors)
        raise SqlError(
            f"ERROR: Load into table '{self.table.name}' failed.  Check 'stl_load_errors' system "
            "table for details."
        )


def copy(session: Session, words: Words, running: Running) -> Outcome:
    """Run a COPY statement.

    Raises:
        SqlError: Redshift's word on it; the lines that it could not take are in STL_LOAD_ERRORS.
    """
    words.expect("COPY")
    table = session.find_table(words.names())
    listed = words.column_names() if words.peek() == "(" else []
    words.expect("FROM")
    uri = words.text()
    options = read_options(words)
    check_role(session, options.get("role"), "COPY")
    check_bucket(session, uri, options.get("REGION"))
    load = Load(session, table, target_columns(table, listed, options), options)
    files = list_files(session, uri, options)
    before = session.count(table)
    load.first = not before
    if options.get("format") == "PARQUET":
        loaded = load_parquet(load, files)
    else:
        read_lines(load, files, running)
        loaded = stage(load)
    session.settle_rows(table, before)
    session.warehouse.load_errors.extend(load.errors)
    return Outcome("COPY", affected=loaded)


def read_options(words: Words) -> dict[str, Any]:
    options: dict[str, Any] = {}
    while not words.ended:
        if read_authorization(words, options):
            continue
        words.accept("FORMAT")
        words.accept("AS")
        option = words.peek()
        if option in UNSUPPORTED:
            raise SqlError(f"ERROR: the lab does not COPY with {option}")
        if option in ("CSV", "PARQUET"):
            words.skip()
            options["format"] = option
        elif option == "JSON":
            words.skip()
            words.accept("AS")
            options["format"] = "JSON"
            options["json"] = words.text() if words.kind() == "STRING" else "auto"
        elif option in SWITCHES:
            words.skip()
            options[option] = True
        elif option in TEXTS:
            words.skip()
            words.accept("AS")
            options[option] = words.text() if words.kind() == "STRING" else words.name()
        elif option in NUMBERS:
            words.skip()
            words.accept("AS")
            options[option] = words.number()
        elif words.accept("ACCEPTINVCHARS"):
            words.accept("AS")
            options["ACCEPTINVCHARS"] = words.text() if words.kind() == "STRING" else "?"
        elif option in ("COMPUPDATE", "STATUPDATE"):
            words.skip()
            if words.peek() in ("ON", "OFF", "TRUE", "FALSE", "PRESET"):
                words.skip()
        else:
            raise words.unexpected()
    return options


def target_columns(table: Table, listed: Sequence[str], options: dict[str, Any]) -> list[Column]:
    """The columns that the fields of a line fill, in their order."""
    by_name = {column.name: column for column in table.columns}
    explicit = options.get("EXPLICIT_IDS")
    if listed:
        for name in listed:
            if name not in by_name:
                raise SqlError(f'ERROR: column "{name}" of relation "{table.name}" does not exist')
        return [by_name[name] for name in listed]
    return [c for c in table.columns if explicit or "identity" not in c.said]


def list_files(session: Session, uri: str, options: dict[str, Any]) -> list[str]:
    """The objects to load.

    Raises:
        SqlError: there is none, or the manifest names one that is missing.
    """
    if options.get("MANIFEST"):
        return manifest_files(session, uri, options)
    bucket, key = objects.split(uri)
    found = [f"s3://{bucket}/{name}" for name in objects.keys(uri)]
    found = [name for name in found if not name.endswith("/")]
    if not found:
        raise SqlError(f"ERROR: The specified S3 prefix '{key}' does not exist")
    return found


def manifest_files(session: Session, uri: str, options: dict[str, Any]) -> list[str]:
    found = []
    try:
        entries = json.loads(objects.read(uri))["entries"]
        wanted = [(str(entry["url"]), bool(entry.get("mandatory"))) for entry in entries]
    except objects.NotFound as error:
        raise SqlError(f"ERROR: Problem reading manifest file - {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SqlError("ERROR: The contents of the manifest are not valid.") from error
    for url, mandatory in wanted:
        check_bucket(session, url, options.get("REGION"))
        bucket, key = objects.split(url)
        if key in objects.keys(url):
            found.append(url)
        elif mandatory:
            raise SqlError(
                f"ERROR: S3ServiceException:The specified key does not exist.,Status 404,"
                f"Error NoSuchKey: s3://{bucket}/{key}"
            )
    return found


def content(uri: str, options: dict[str, Any]) -> bytes:
    """An object, unpacked.

    Raises:
        SqlError: it is not packed as the statement says.
    """
    data = objects.read(uri)
    try:
        if options.get("GZIP"):
            return gzip.decompress(data)
        if options.get("BZIP2"):
            return bz2.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise SqlError(
            f"ERROR: failed to inflate with {'gzip' if options.get('GZIP') else 'bzip2'}: "
            f"{uri} is not in that format"
        ) from error
    return data


# --- lines ---------------------------------------------------------------------------------------


def read_lines(load: Load, files: list[str], running: Running) -> None:
    reader = READERS.get(load.options.get("format", ""), delimited_lines)
    for uri in files:
        running.check()
        data = content(uri, load.options)
        replacement = load.options.get("ACCEPTINVCHARS")
        text = data.decode("utf-8", errors="replace" if replacement else "surrogateescape")
        if replacement:
            text = text.replace("�", replacement)
        for line in reader(load, uri, text):
            load.lines.append(line)


def csv_lines(load: Load, uri: str, text: str) -> Iterator[Line]:
    options = load.options
    delimiter, quote = options.get("DELIMITER", ","), options.get("QUOTE", '"')
    if len(delimiter) != 1 or len(quote) != 1:
        raise SqlError("ERROR: COPY delimiter and quote must be a single character")
    csv.field_size_limit(16 * 1024 * 1024)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    try:
        for number, row in enumerate(rows, 1):
            if number <= options.get("IGNOREHEADER", 0) or (not row and ignores_blank(load, row)):
                continue
            line = Line(uri, number, delimiter.join(row), list(row) or [""])
            yield from fitted(load, line)
    except csv.Error as error:
        raise SqlError(f"ERROR: Invalid quote formatting for CSV in {uri}: {error}") from error


def ignores_blank(load: Load, row: Sequence[str]) -> bool:
    return bool(load.options.get("IGNOREBLANKLINES")) or (len(load.columns) > 1 and not row)


def delimited_lines(load: Load, uri: str, text: str) -> Iterator[Line]:
    options = load.options
    delimiter = unescaped(options.get("DELIMITER", "|"))
    for number, raw in enumerate(text.splitlines(), 1):
        blank = not raw.strip() and options.get("IGNOREBLANKLINES")
        if number <= options.get("IGNOREHEADER", 0) or blank:
            continue
        values: list[str | None] = list(split(raw, delimiter, bool(options.get("ESCAPE"))))
        if options.get("REMOVEQUOTES"):
            values = [without_quotes(value or "") for value in values]
        yield from fitted(load, Line(uri, number, raw, values))


def unescaped(delimiter: str) -> str:
    return {"\\t": "\t", "\\|": "|"}.get(delimiter, delimiter)


def split(raw: str, delimiter: str, escape: bool) -> list[str]:
    if not escape:
        return raw.split(delimiter)
    parts = re.split(rf"(?<!\\){re.escape(delimiter)}", raw)
    return [re.sub(r"\\(.)", r"\1", part) for part in parts]


def without_quotes(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def fitted(load: Load, line: Line) -> Iterator[Line]:
    """The line, if it has as many fields as there are columns."""
    wanted = len(load.columns)
    if len(line.values) < wanted:
        if not load.options.get("FILLRECORD"):
            load.fault(line, NO_DELIMITER)
            return
        line.values += [None] * (wanted - len(line.values))
    if len(line.values) > wanted:
        load.fault(line, EXTRA)
        return
    yield line


def json_lines(load: Load, uri: str, text: str) -> Iterator[Line]:
    """One line for each JSON object, one after another or in arrays."""
    pick = picker(load)
    decoder = json.JSONDecoder()
    place = number = 0
    text = text.strip()
    while place < len(text):
        number += 1
        raw = text[place : place + 1024]
        try:
            found, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            load.fault(Line(uri, number, raw, []), NO_JSON)
            return
        while place < len(text) and text[place] in " \t\r\n,":
            place += 1
        for item in found if isinstance(found, list) else [found]:
            if isinstance(item, dict):
                yield Line(uri, number, json.dumps(item), pick(item))
            else:
                load.fault(Line(uri, number, raw, []), NO_JSON)


def picker(load: Load) -> Callable[[dict[str, Any]], list[str | None]]:
    """How a JSON object becomes the fields of a line: `auto`, `auto ignorecase`, `noshred`, or a
    file of paths."""
    how = load.options["json"]
    if how == "noshred":
        return lambda item: [json.dumps(item)]
    if how in ("auto", "auto ignorecase"):
        names = [column.name for column in load.columns]

        def by_name(item: dict[str, Any]) -> list[str | None]:
            if how != "auto":
                item = {key.lower(): value for key, value in item.items()}
            return [as_text(item.get(name)) for name in names]

        return by_name
    try:
        paths = [json_path(path) for path in json.loads(objects.read(how))["jsonpaths"]]
    except objects.NotFound as error:
        raise SqlError(f"ERROR: The specified JSONPaths file does not exist: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SqlError("ERROR: Invalid JSONPaths file.") from error
    if len(paths) != len(load.columns):
        raise SqlError(
            "ERROR: Number of jsonpaths and the number of columns should match. JSONPath size: "
            f"{len(paths)}, Number of columns in table or column list: {len(load.columns)}"
        )
    return lambda item: [as_text(followed(item, path)) for path in paths]


def json_path(text: str) -> list[str | int]:
    """The steps of `$.a['b'][0]`."""
    steps: list[str | int] = []
    for name, key, index in re.findall(r"\.(\w+)|\['([^']*)'\]|\[(\d+)\]", text):
        steps.append(int(index) if index else name or key)
    return steps


def followed(item: Any, path: list[str | int]) -> Any:
    for step in path:
        if isinstance(step, int):
            item = item[step] if isinstance(item, list) and step < len(item) else None
        else:
            item = item.get(step) if isinstance(item, dict) else None
    return item


def as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


READERS = {"CSV": csv_lines, "JSON": json_lines}


# --- into the table ------------------------------------------------------------------------------


def stage(load: Load) -> int:
    """Cast the fields of all lines, note those that cannot be, and insert the others."""
    import pyarrow

    session, lines = load.session, load.lines
    for line in lines:
        line.values = [
            cleaned(load, value, column)
            for value, column in zip(line.values, load.columns, strict=True)
        ]
    names = [f"f{position}" for position in range(len(load.columns))]
    fields = {
        name: pyarrow.array([line.values[position] for line in lines], pyarrow.large_string())
        for position, name in enumerate(names)
    }
    fields["line"] = pyarrow.array(range(len(lines)), pyarrow.int64())
    session.connection.register(STAGED, pyarrow.table(fields))
    try:
        bad = find_faults(load, names)
        if load.options.get("NOLOAD"):
            return 0
        casts = [
            cast_of(name, declared(column), load.options)
            for name, column in zip(names, load.columns, strict=True)
        ]
        skipped = f" WHERE line NOT IN ({', '.join(map(str, bad))})" if bad else ""
        return load.insert(
            f"SELECT {', '.join(casts)} FROM {quoted(STAGED)}{skipped} ORDER BY line"
        )
    finally:
        session.connection.unregister(STAGED)


def cleaned(load: Load, value: str | None, column: Column) -> str | None:
    """A field after the options about blanks, NULL and length."""
    options = load.options
    kind = declared(column)
    if value is None or value == unescaped(options.get("NULL", "\\N")):
        return None
    is_text = kind.name in ("varchar", "bpchar")
    if options.get("TRIMBLANKS") and is_text:
        value = value.rstrip()
    if not is_text and not value.strip():
        return None
    if value == "" and options.get("EMPTYASNULL"):
        return None
    if options.get("BLANKSASNULL") and not value.strip():
        return None
    if is_text and options.get("TRUNCATECOLUMNS"):
        value = value.encode("utf-8", "replace")[: kind.length].decode("utf-8", "ignore")
    return value.encode("utf-8", "replace").decode("utf-8")


def find_faults(load: Load, names: list[str]) -> list[int]:
    """The positions of the lines that cannot be loaded; each is noted."""
    bad: set[int] = set()
    for name, column in zip(names, load.columns, strict=True):
        kind = declared(column)
        wrong = f"{name} IS NULL" if not column.nullable else "false"
        if kind.name in ("varchar", "bpchar"):
            wrong += f" OR strlen({name}) > {kind.length}"
        else:
            cast = cast_of(name, kind, load.options)
            wrong += f" OR ({name} IS NOT NULL AND {cast} IS NULL)"
        rows = load.session.execute(
            f"SELECT line, {name} FROM {quoted(STAGED)} WHERE {wrong} ORDER BY line "
            f"LIMIT {MOST_ERRORS}"
        )
        for position, value in rows:
            bad.add(position)
            load.fault(load.lines[position], reason_of(value, kind), column, value or "")
    return sorted(bad)


def reason_of(value: str | None, kind: RedshiftType) -> tuple[int, str]:
    if value is None:
        return MISSING
    if kind.name in ("varchar", "bpchar"):
        return TOO_LONG
    if kind.name in KINDS:
        return NO_NUMBER[0], NO_NUMBER[1].format(value[:1], KINDS[kind.name])
    if kind.name == "date":
        return NO_DATE
    return NO_MOMENT if kind.name.startswith("timestamp") else NO_VALUE


def cast_of(name: str, kind: RedshiftType, options: dict[str, Any]) -> str:
    """DuckDB's text of a field as a value of the type; NULL if it is none."""
    if kind.name in ("int2", "int4", "int8"):
        whole = f"regexp_full_match(trim({name}), '[+-]?[0-9]+')"
        return f"CASE WHEN {whole} THEN TRY_CAST(trim({name}) AS {kind.duckdb}) END"
    if kind.name == "numeric" and not options.get("ROUNDEC"):
        wide = f"TRY_CAST(trim({name}) AS DECIMAL(38, 18))"
        return f"TRY_CAST(trunc({wide} * 1e{kind.scale}) / 1e{kind.scale} AS {kind.duckdb})"
    if kind.name == "bool":
        truths = "('t', 'true', 'y', 'yes', '1')"
        lies = "('f', 'false', 'n', 'no', '0')"
        word = f"lower(trim({name}))"
        return f"CASE WHEN {word} IN {truths} THEN true WHEN {word} IN {lies} THEN false END"
    if kind.name == "super":
        return f"CASE WHEN json_valid({name}) THEN CAST({name} AS JSON) END"
    if kind.name == "date":
        return moment_of(name, kind, options.get("DATEFORMAT"))
    if kind.name.startswith("timestamp"):
        return moment_of(name, kind, options.get("TIMEFORMAT"))
    if kind.name == "varbyte":
        return f"TRY(from_hex({name}))"
    if kind.name in ("varchar", "bpchar"):
        return name
    return f"TRY_CAST(trim({name}) AS {kind.duckdb})"


def moment_of(name: str, kind: RedshiftType, pattern: str | None) -> str:
    if pattern == "epochsecs":
        return f"TRY(to_timestamp(TRY_CAST({name} AS DOUBLE)) AT TIME ZONE 'UTC')"
    if pattern == "epochmillisecs":
        return f"TRY(to_timestamp(TRY_CAST({name} AS DOUBLE) / 1000) AT TIME ZONE 'UTC')"
    if pattern in (None, "auto"):
        return f"TRY_CAST({name} AS {kind.duckdb})"
    for word, sign in FORMAT_WORDS:
        pattern = re.sub(word, sign, pattern, flags=re.IGNORECASE)
    return f"TRY_CAST(try_strptime({name}, {literal(pattern)}) AS {kind.duckdb})"


def load_parquet(load: Load, files: list[str]) -> int:
    """Columns of Parquet files are taken by their position."""
    connection = load.session.connection
    queries = []
    try:
        for number, uri in enumerate(files):
            found = read_parquet(load, uri)
            names = [f"f{position}" for position in range(found.num_columns)]
            connection.register(f"{STAGED} {number}", found.rename_columns(names))
            casts = [
                f"CAST({name} AS {declared(column).duckdb})"
                for name, column in zip(names, load.columns, strict=True)
            ]
            queries.append(f"SELECT {', '.join(casts)} FROM {quoted(f'{STAGED} {number}')}")
        return load.insert(" UNION ALL ".join(queries))
    finally:
        for number in range(len(queries)):
            connection.unregister(f"{STAGED} {number}")


def read_parquet(load: Load, uri: str) -> Any:
    """One file as a table of Arrow.

    Raises:
        SqlError: it is no Parquet file, or has other columns than the load.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        found = parquet.read_table(io.BytesIO(objects.read(uri)))
    except (pyarrow.ArrowException, OSError) as error:
        raise SqlError(
            f"ERROR: Spectrum Scan Error. File '{uri}' has an invalid version number or is "
            "not a Parquet file."
        ) from error
    if found.num_columns != len(load.columns):
        raise SqlError(
            f"ERROR: Spectrum Scan Error. Unmatched number of columns between table and file. "
            f"Table columns: {len(load.columns)}, Data columns: {found.num_columns}, File "
            f"name: {uri}"
        )
    return found
