"""What DuckDB says about a statement, in Redshift's words."""

import re
from collections.abc import Callable
from typing import Any

INTEGERS = {"INT16": 2, "INT32": 4, "INT64": 8}
KINDS = {
    "INT16": "integer",
    "INT32": "integer",
    "INT64": "integer",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "BOOL": "boolean",
    "DECIMAL": "numeric",
    "TIMESTAMP": "timestamp",
    "DATE": "date",
}

Say = Callable[[re.Match[str]], str]

# Of the first pattern that matches, the sentence is Redshift's.
SENTENCES: list[tuple[str, Say]] = [
    (
        r'because schema "([^"]+)" does not exist',
        lambda m: f'schema "{m[1]}" does not exist',
    ),
    (r'Schema with name "?(\w+)"? does not exist', lambda m: f'schema "{m[1]}" does not exist'),
    (
        r"(?:Table|View) with name \"?([^\s\"!]+)\"? does not exist",
        lambda m: f'relation "{m[1]}" does not exist',
    ),
    (
        r"(?:Table|View) with name \"?([^\s\"!]+)\"? already exists",
        lambda m: f'Relation "{m[1]}" already exists',
    ),
    (
        r"Existing object ([^\s]+) is of type",
        lambda m: f'Relation "{m[1]}" already exists',
    ),
    (r'Schema with name "([^"]+)" already exists', lambda m: f'Schema "{m[1]}" already exists'),
    (
        r'Table "([^"]+)" does not have a column named "([^"]+)"',
        lambda m: f"column {m[1]}.{m[2]} does not exist",
    ),
    (
        r'Table "([^"]+)" does not have a column with name "([^"]+)"',
        lambda m: f'column "{m[2]}" of relation "{m[1]}" does not exist',
    ),
    (
        r'Referenced table "([^"]+)" not found',
        lambda m: f'missing FROM-clause entry for table "{m[1]}"',
    ),
    (
        r"(?:Scalar|Aggregate|Table|Macro)? ?Function with name \"?(\w+)\"? does not exist",
        lambda m: f"function {m[1]} does not exist",
    ),
    (r'syntax error at or near "([^"]*)"', lambda m: f'syntax error at or near "{m[1]}"'),
    (r"syntax error at end of input", lambda m: "syntax error at end of input"),
    (
        r"(?:has|expected) (\d+) columns but (\d+) values were supplied",
        lambda m: (
            "INSERT has more expressions than target columns"
            if int(m[2]) > int(m[1])
            else "INSERT has more target columns than expressions"
        ),
    ),
    (
        r"date(?:/time)? field value out of range: \"([^\"]*)\"",
        lambda m: f'date/time field value out of range: "{m[1]}"',
    ),
    (
        r'invalid (timestamp|date|time) field format: "([^"]*)"',
        lambda m: f'invalid input syntax for type {m[1]}: "{m[2]}"',
    ),
    (
        r"Could not convert string ['\"](.*)['\"] to (\w+)",
        lambda m: input_syntax(m[1], m[2]),
    ),
    (
        r"out of range for the destination type (INT16|INT32|INT64)",
        lambda m: f"Value out of range for {INTEGERS[m[1]]} bytes.",
    ),
    (r"Could not cast value .* to DECIMAL", lambda m: "Numeric data overflow (result precision)"),
    (
        r"Overflow in (addition|subtraction|multiplication) of (INT16|INT32|INT64)",
        lambda m: f"Value out of range for {INTEGERS[m[2]]} bytes.",
    ),
    (
        r"CHECK constraint failed.*strlen\(\"?(\w+)\"?\) <= (\d+)",
        lambda m: f"value too long for type character varying({m[2]})",
    ),
    (
        r"NOT NULL constraint failed: (?:.*\.)?(\w+)",
        lambda m: f"Cannot insert a NULL value into column {m[1]}",
    ),
    (r"[Dd]ivision by zero", lambda m: "division by zero"),
    (
        r'column "?(\w+)"? must appear in the GROUP BY clause',
        lambda m: (
            f'column "{m[1]}" must appear in the GROUP BY clause or be used in an aggregate '
            "function"
        ),
    ),
    (
        r'Ambiguous reference to column name "([^"]+)"',
        lambda m: f'column reference "{m[1]}" is ambiguous',
    ),
    (
        r'Ambiguous reference to table "(?:[^"]*\.)?([^".]+)"',
        lambda m: f'table name "{m[1]}" specified more than once',
    ),
    (
        r"More than one row returned by a subquery",
        lambda m: "single-row subquery returns more than one row",
    ),
    (
        r'function call "\W+\(([^,]*), ([^)]*)\)"',
        lambda m: f"operator does not exist: {typed(m[1])} and {typed(m[2])}",
    ),
    (
        r'function call "(\w+)\(([^)]*)\)"',
        lambda m: f"function {m[1]}({typed(m[2])}) does not exist",
    ),
    (r"Permission Error", lambda m: "permission denied"),
    (
        r"[Cc]urrent transaction is aborted",
        lambda m: "current transaction is aborted, commands ignored until end of transaction block",
    ),
    (
        r'Column with name "?(\w+)"? already exists',
        lambda m: f'column "{m[1]}" specified more than once',
    ),
    (
        r"same number of result columns",
        lambda m: "each UNION query must have the same number of columns",
    ),
    (
        r"WHERE clause cannot contain aggregates",
        lambda m: "aggregates not allowed in WHERE clause",
    ),
    (
        r"WHERE clause cannot contain window functions",
        lambda m: "window functions not allowed in WHERE clause",
    ),
    (
        r"aggregate function calls cannot be nested",
        lambda m: "aggregate function calls may not be nested",
    ),
    (r"\* expression without FROM", lambda m: "SELECT * with no tables specified is not valid"),
    (r"Referenced update column (\w+) not found", lambda m: f'column "{m[1]}" does not exist'),
    (
        r"Referenced column \"?([^\"]+?)\"? (?:was )?not found",
        lambda m: f'column "{m[1]}" does not exist',
    ),
]


def input_syntax(value: str, kind: str) -> str:
    name = KINDS.get(kind.partition("(")[0], kind.lower())
    what = name if name == "integer" else f"type {name}"
    return f'invalid input syntax for {what}: "{value}"'


def typed(names: str) -> str:
    """DuckDB's names of types as Redshift's."""
    said = names.replace("_LITERAL", "").lower()
    for engine, redshift in (("string", "unknown"), ("varchar", "character varying")):
        said = said.replace(engine, redshift)
    return said


def of_redshift(error: Exception) -> str:
    """The message of a failed statement, beginning with `ERROR:`."""
    text = str(error)
    for pattern, say in SENTENCES:
        found = re.search(pattern, text, re.DOTALL)
        if found:
            return f"ERROR: {say(found)}"
    first = text.splitlines()[0] if text else type(error).__name__
    return f"ERROR: {first.partition(' Error: ')[2] or first}"


def with_relations(message: str, tree: Any) -> str:
    """The message with what Redshift names beside: the schema of a missing relation, the
    relations in which it has looked for a column."""
    from sqlglot import exp

    relation = re.fullmatch(r'ERROR: relation "([^".]+)" does not exist', message)
    if relation and tree is not None:
        for table in tree.find_all(exp.Table):
            if table.db and table.name.lower() == relation[1]:
                return f'ERROR: relation "{table.db.lower()}.{relation[1]}" does not exist'

    missing = re.fullmatch(r'ERROR: column "([^"]+)" does not exist', message)
    grouped = re.match(r'ERROR: column "([^".]+)" must appear', message)
    name = (missing or grouped or ["", ""])[1]
    if tree is None or not name:
        return message
    for column in tree.find_all(exp.Column):
        if column.name != name or column.table:
            continue
        scope = column.find_ancestor(exp.Select, exp.Update, exp.Delete)
        relations = relations_of(scope)
        if missing and relations:
            return f"{message} in {', '.join(relations)}"
        if grouped and len(relations) == 1:
            return message.replace(f'"{name}"', f'"{relations[0]}.{name}"')
    return message


def relations_of(scope: Any) -> list[str]:
    from sqlglot import exp

    if scope is None:
        return []
    if isinstance(scope, exp.Update | exp.Delete):
        return [scope.this.alias_or_name]
    start = scope.args.get("from_") or scope.args.get("from")
    sources = [start.this] if start else []
    sources += [join.this for join in scope.args.get("joins") or []]
    return [source.alias_or_name or "unnamed_subquery" for source in sources]
