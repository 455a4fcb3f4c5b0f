"""CREATE TABLE: the columns for DuckDB, and Redshift's physical design beside them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from awslab.services.redshift_data.types import RedshiftType, UnknownType, declared, parse_type
from awslab.services.redshift_data.warehouse import Table
from awslab.sql import SqlError, literal, qualified, quoted
from awslab.sql_words import Words

MOST_COLUMNS = 1_600
MOST_INTERLEAVED = 8
MOST_COMPOUND = 400
ATTRIBUTES = {
    "DEFAULT",
    "IDENTITY",
    "GENERATED",
    "ENCODE",
    "DISTKEY",
    "SORTKEY",
    "COLLATE",
    "NOT",
    "NULL",
    "UNIQUE",
    "PRIMARY",
    "REFERENCES",
}
STYLES = {"AUTO", "EVEN", "KEY", "ALL"}

Expression = Callable[[str], str]


@dataclass
class NewColumn:
    name: str
    type: RedshiftType
    not_null: bool = False
    default: str | None = None
    identity: tuple[int, int] | None = None
    said: dict[str, Any] = field(default_factory=dict)


@dataclass
class NewTable:
    """What a CREATE TABLE statement asks for.

    said: `diststyle` AUTO, EVEN, KEY or ALL; `sortstyle` auto, compound or interleaved;
        `sorted` how many of its rows are in the order of the sort key.
    """

    names: list[str]
    temporary: bool = False
    if_not_exists: bool = False
    columns: list[NewColumn] = field(default_factory=list)
    column_names: list[str] = field(default_factory=list)
    like: list[str] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    dist_key: str | None = None
    sort_key: list[str] = field(default_factory=list)
    query: str | None = None


def read_table(words: Words, expression: Expression) -> NewTable:
    """The parts of `CREATE TABLE …`.

    expression: makes DuckDB's text of a default.

    Raises:
        SqlError: Redshift's word on it.
    """
    words.expect("CREATE")
    words.accept("LOCAL")
    temporary = words.accept("TEMP") or words.accept("TEMPORARY")
    words.expect("TABLE")
    exists = words.accept("IF", "NOT", "EXISTS")
    table = NewTable(words.names(), temporary, exists)
    if table.names[-1].startswith("#"):
        table.temporary = True
    if words.peek() == "(":
        read_inside(words.group(), table, expression)
    read_design(words, table)
    if words.accept("AS"):
        table.query = words.rest()
        if not table.query:
            raise words.unexpected()
    else:
        words.end()
    settle_design(table)
    return table


def read_inside(inside: Words, table: NewTable, expression: Expression) -> None:
    for item in inside.items():
        if item.accept("LIKE"):
            table.like = item.names()
            if item.accept("INCLUDING", "DEFAULTS") or item.accept("EXCLUDING", "DEFAULTS"):
                pass
            item.end()
        elif item.peek() in ("PRIMARY", "UNIQUE", "FOREIGN", "CONSTRAINT"):
            continue  # Redshift keeps these constraints for information and enforces none
        elif len(item.words) == 1:
            table.column_names.append(item.name())
        else:
            table.columns.append(read_column(item, table, expression))
    names = [column.name for column in table.columns]
    for name in names:
        if names.count(name) > 1:
            raise SqlError(f'ERROR: column "{name}" specified more than once')
    if len(names) > MOST_COLUMNS:
        raise SqlError(f"ERROR: tables can have at most {MOST_COLUMNS} columns")


def read_column(item: Words, table: NewTable, expression: Expression) -> NewColumn:
    name = item.name()
    start = item.position
    depth = 0
    while not item.ended and (depth or item.peek() not in ATTRIBUTES):
        depth += {"(": 1, ")": -1}.get(item.peek(), 0)
        item.skip()
    text = item.between(start)
    try:
        column = NewColumn(name, parse_type(text))
    except UnknownType as error:
        raise SqlError(f'ERROR: type "{error}" does not exist') from error
    while not item.ended:
        read_attribute(item, column, table, expression)
    return column


def read_attribute(item: Words, column: NewColumn, table: NewTable, expression: Expression) -> None:
    if item.accept("NOT", "NULL"):
        column.not_null = True
    elif item.accept("NULL") or item.accept("UNIQUE"):
        pass
    elif item.accept("PRIMARY", "KEY"):
        column.not_null = True
        column.said["primary_key"] = True
    elif item.accept("DISTKEY"):
        set_dist_key(table, column.name)
    elif item.accept("SORTKEY"):
        table.sort_key.append(column.name)
    elif item.accept("ENCODE"):
        column.said["encode"] = item.name()
    elif item.accept("COLLATE"):
        item.name()
    elif item.accept("REFERENCES"):
        item.names()
        if item.peek() == "(":
            item.group()
    elif item.accept("DEFAULT"):
        column.default = expression(default_text(item))
    elif item.accept("IDENTITY"):
        column.identity = identity(item)
        column.not_null = True
    elif item.accept("GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"):
        column.identity = identity(item)
        column.said["identity_by_default"] = True
        column.not_null = True
    else:
        raise item.unexpected()


def default_text(item: Words) -> str:
    """The expression after DEFAULT, up to the next attribute."""
    start, depth = item.position, 0
    while not item.ended and (depth or item.position == start or item.peek() not in ATTRIBUTES):
        depth += {"(": 1, ")": -1}.get(item.peek(), 0)
        item.skip()
    if item.position == start:
        raise item.unexpected()
    return item.between(start)


def identity(item: Words) -> tuple[int, int]:
    parts = item.group().items()
    if len(parts) != 2:
        raise item.unexpected()
    return parts[0].number(), max(1, parts[1].number())


def set_dist_key(table: NewTable, name: str) -> None:
    if table.dist_key not in (None, name):
        raise SqlError("ERROR: cannot define multiple distribution keys")
    table.dist_key = name


def read_design(words: Words, table: NewTable) -> None:
    """The attributes of the table: how its rows are distributed and sorted."""
    while not words.ended and words.peek() != "AS":
        if words.accept("BACKUP"):
            if not (words.accept("YES") or words.accept("NO")):
                raise words.unexpected()
        elif words.accept("DISTSTYLE"):
            if words.peek() not in STYLES:
                raise words.unexpected()
            table.said["diststyle"] = words.peek()
            words.skip()
        elif words.accept("DISTKEY"):
            for name in words.column_names():
                set_dist_key(table, name)
        elif words.accept("ENCODE", "AUTO"):
            pass
        else:
            read_sort_key(words, table)


def read_sort_key(words: Words, table: NewTable) -> None:
    style = "interleaved" if words.accept("INTERLEAVED") else "compound"
    words.accept("COMPOUND")
    words.expect("SORTKEY")
    if style == "compound" and words.accept("AUTO"):
        table.said["sortstyle"] = "auto"
        return
    if table.sort_key:
        raise SqlError("ERROR: multiple sort keys defined")
    table.sort_key = words.column_names()
    table.said["sortstyle"] = style


def settle_design(table: NewTable) -> None:
    """Raises SqlError: distribution style and key, or the sort key, do not fit."""
    style = table.said.get("diststyle")
    if table.dist_key and style not in (None, "KEY"):
        raise SqlError(f"ERROR: DISTSTYLE {style} cannot be specified with DISTKEY")
    if style == "KEY" and not table.dist_key:
        raise SqlError("ERROR: DISTSTYLE KEY requires a DISTKEY column")
    table.said["diststyle"] = "KEY" if table.dist_key else style or "AUTO"
    if table.sort_key:
        table.said.setdefault("sortstyle", "compound")
        most = MOST_INTERLEAVED if table.said["sortstyle"] == "interleaved" else MOST_COMPOUND
        if len(table.sort_key) > most:
            raise SqlError(f"ERROR: a sort key can have at most {most} columns")
    if table.columns:
        check_keys(table, [column.name for column in table.columns])


def check_keys(table: NewTable, names: Sequence[str]) -> None:
    for key in [table.dist_key, *table.sort_key]:
        if key is not None and key not in names:
            raise SqlError(f'ERROR: column "{key}" named in key does not exist')


# --- for DuckDB ----------------------------------------------------------------------------------


def creation(table: NewTable, name: str, schema: str) -> list[str]:
    """The statements that make a table of columns.

    name: of the table, qualified and quoted. schema: where its sequences live.
    """
    before, lines = [], []
    for column in table.columns:
        parts = [quoted(column.name), column.type.duckdb]
        if column.identity:
            sequence = f"{table.names[-1]}_{column.name}_seq"
            start, step = column.identity
            before.append(
                f"CREATE OR REPLACE {'TEMP ' if table.temporary else ''}SEQUENCE "
                f"{sequence_name(table, schema, sequence)} START {start} INCREMENT {step}"
            )
            full = sequence_name(table, schema, sequence)
            parts.append(f"DEFAULT nextval({literal(full)})")
        elif column.default is not None:
            parts.append(f"DEFAULT {column.default}")
        if column.not_null:
            parts.append("NOT NULL")
        if column.type.name in ("varchar", "bpchar"):
            parts.append(f"CHECK (strlen({quoted(column.name)}) <= {column.type.length})")
        lines.append(" ".join(parts))
    kind = "TEMP TABLE" if table.temporary else "TABLE"
    exists = "IF NOT EXISTS " if table.if_not_exists else ""
    return [*before, f"CREATE {kind} {exists}{name} ({', '.join(lines)})"]


def sequence_name(table: NewTable, schema: str, sequence: str) -> str:
    return quoted(sequence) if table.temporary else qualified(schema, sequence)


def remarks(table: NewTable, name: str) -> list[str]:
    """The comments that keep the physical design."""
    said = [f"COMMENT ON TABLE {name} IS {literal(json.dumps(table.said))}"]
    for column in table.columns:
        known = remark(column, table)
        said.append(
            f"COMMENT ON COLUMN {name}.{quoted(column.name)} IS {literal(json.dumps(known))}"
        )
    return said


def remark(column: NewColumn, table: NewTable) -> dict[str, Any]:
    known: dict[str, Any] = {"type": column.type.written, **column.said}
    if column.identity:
        known["identity"] = list(column.identity)
    if column.name == table.dist_key:
        known["distkey"] = True
    if column.name in table.sort_key:
        known["sortkey"] = table.sort_key.index(column.name) + 1
    known.setdefault("encode", usual_encoding(column.type, "sortkey" in known))
    return known


def usual_encoding(kind: RedshiftType, sort_key: bool) -> str:
    """ENCODE AUTO: what Redshift gives a column by its type."""
    if sort_key or kind.name in ("bool", "float4", "float8"):
        return "none"
    return "lzo" if kind.name in ("varchar", "bpchar", "varbyte") else "az64"


def like(table: Table) -> list[NewColumn]:
    """The columns of `(LIKE …)`: names, types, NOT NULL and encodings."""
    kept = ("encode",)
    return [
        NewColumn(
            column.name,
            declared(column),
            not_null=not column.nullable,
            said={key: column.said[key] for key in kept if key in column.said},
        )
        for column in table.columns
    ]
