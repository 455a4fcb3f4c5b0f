"""Redshift's SQL as DuckDB's: sqlglot's translation, and what it leaves undone."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from awslab.sql import SqlError, quoted

if TYPE_CHECKING:
    from sqlglot import exp

VERSION = (
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 "
    "(Red Hat 3.4.2-6.fc3), Redshift 1.0.69954"
)
NOW = "lab_now"  # DuckDB's variable that holds the lab's time

# Functions of Redshift that DuckDB has under another name, or can be told.
MACROS = (
    "is_valid_json(x) AS coalesce(json_valid(x), false)",
    "is_valid_json_array(x) AS coalesce(json_valid(x) AND json_type(x) = 'ARRAY', false)",
    "json_extract_array_element_text(x, i) AS json_extract_string(x, '$[' || i || ']')",
    "json_serialize(x) AS CAST(x AS VARCHAR)",
    "json_typeof(x) AS lower(json_type(x))",
    "date_cmp(a, b) AS CASE WHEN CAST(a AS DATE) > CAST(b AS DATE) THEN 1 "
    "WHEN CAST(a AS DATE) < CAST(b AS DATE) THEN -1 ELSE 0 END",
    "textlen(x) AS length(x)",
    "btrim(x) AS trim(x)",
    "func_sha1(x) AS sha1(x)",
    "get_array_length(x) AS json_array_length(x)",
)

# What Redshift calls the column of a function, where sqlglot has another name for it.
COLUMN_NAMES = {
    "APPROX_DISTINCT": "count",
    "CURRENT_TIMESTAMP": "getdate",
    "DATE_ADD": "date_add",
    "TS_OR_DS_ADD": "date_add",
    "TS_OR_DS_DIFF": "date_diff",
    "DATE_DIFF": "date_diff",
    "GROUP_CONCAT": "listagg",
    "TIMESTAMP_TRUNC": "date_trunc",
    "DATE_TRUNC": "date_trunc",
    "STR_TO_TIME": "to_timestamp",
    "TIME_TO_STR": "to_char",
    "TO_CHAR": "to_char",
    "STR_POSITION": "strpos",
    "LENGTH": "len",
    "SHA2": "sha2",
    "EXTRACT": "date_part",
    "PARSE_JSON": "json_parse",
    "JSON_EXTRACT_SCALAR": "json_extract_path_text",
    "REGEXP_EXTRACT": "regexp_substr",
    "PERCENTILE_CONT": "percentile_cont",
    "STDDEV": "stddev_samp",
    "DECODE_CASE": "case",
    "CURRENT_VERSION": "version",
    "FROM_BASE": "strtol",
}

Rows = Callable[["exp.Table"], str | None]


def parse(sql: str) -> "exp.Expression":
    """The tree of one statement.

    Raises:
        SqlError: Redshift's word on a text that is none.
    """
    import sqlglot

    try:
        found = sqlglot.parse(sql, read="redshift")
    except sqlglot.errors.ParseError as error:
        raise syntax_error(error, sql) from error
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise SqlError("ERROR: syntax error") from error
    if len(found) != 1 or found[0] is None:
        raise SqlError("ERROR: syntax error at end of input")
    for placeholder in found[0].find_all(sqlglot.exp.Placeholder, sqlglot.exp.Parameter):
        sign = "$" if isinstance(placeholder, sqlglot.exp.Parameter) else ":"
        sign = sign if placeholder.name else "?"
        raise SqlError(f'ERROR: syntax error at or near "{sign}"')
    return found[0]


def syntax_error(error: Any, sql: str) -> SqlError:
    """`ERROR: syntax error at or near "…"`, with the word that sqlglot stumbled over."""
    near = (error.errors or [{}])[0].get("highlight")
    if not near or not near.strip() or sql.rstrip().endswith(near):
        return SqlError("ERROR: syntax error at end of input")
    return SqlError(f'ERROR: syntax error at or near "{near}"')


def rendered(tree: "exp.Expression") -> str:
    """DuckDB's text of a tree, every name in quotes."""
    from sqlglot.errors import ErrorLevel, SqlglotError

    try:
        return tree.sql("duckdb", identify=True, unsupported_level=ErrorLevel.IGNORE)
    except (SqlglotError, RecursionError) as error:
        raise SqlError("ERROR: syntax error") from error


def translate(
    tree: "exp.Expression",
    user: str,
    schema: Mapping[str, Mapping[str, str]],
    replace: Rows,
    target: Sequence[str] = (),
) -> "exp.Expression":
    """The same statement for DuckDB.

    schema: types of the columns of each table, known as `table` and `schema.table`.
    replace: what stands for a table that DuckDB does not have, as SQL of DuckDB; or None.
    target: the columns of the table that a MERGE changes.
    """
    from sqlglot import exp

    for name in tree.find_all(exp.Identifier):
        name.set("this", name.this.lower())
    for select in tree.find_all(exp.Select):
        name_columns(select)
    tree = typed(tree, schema)
    tree = tree.transform(lambda node: rewritten(node, user))
    for table in list(tree.find_all(exp.Table)):
        stands_in(table, replace)
    for when in tree.find_all(exp.When):
        name_merged(when, target)
    return tree


def stands_in(table: "exp.Table", replace: Rows) -> None:
    import sqlglot
    from sqlglot import exp

    found = replace(table)
    if found is None:
        return
    inner = sqlglot.parse_one(found, read="duckdb")
    alias = table.alias or table.name
    table.replace(exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(alias))))


def name_merged(when: "exp.Expression", target: Sequence[str]) -> None:
    """`INSERT VALUES (…)` of a MERGE: DuckDB wants the columns named."""
    from sqlglot import exp

    insert = when.args.get("then")
    if not isinstance(insert, exp.Insert) or not isinstance(insert.this, exp.Tuple):
        return
    values = insert.this.expressions
    if len(values) == 1 and isinstance(values[0], exp.Anonymous):
        given = values[0].expressions
        names = [exp.to_identifier(name) for name in target[: len(given)]]
        insert.set("this", exp.Tuple(expressions=names))
        insert.set("expression", exp.Tuple(expressions=given))


# --- types: some of Redshift's functions depend on them ------------------------------------------

SMALL = ("TINYINT", "SMALLINT", "INT")
TIMES = ("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ", "DATE", "DATETIME")


def typed(tree: "exp.Expression", schema: Mapping[str, Mapping[str, str]]) -> "exp.Expression":
    """AVG of integers is an integer, SUM is never wider than Redshift's, TRUNC takes a time."""
    from sqlglot import exp

    nodes = [node for node in tree.find_all(exp.Avg, exp.Sum, exp.Trunc) if node.this]
    if not nodes:
        return tree
    for position, node in enumerate(nodes):
        node.meta["number"] = position
    kinds = kinds_of(tree, schema)
    for position, node in enumerate(nodes):
        kind = kinds.get(position, "")
        outer = node.parent if isinstance(node.parent, exp.Window) else node
        if isinstance(node, exp.Avg) and kind.startswith("DECIMAL"):
            outer.replace(exp.cast(outer.copy(), f"DECIMAL(38, {scale_of(kind)})"))
        elif isinstance(node, exp.Avg) and kind in (*SMALL, "BIGINT"):
            whole = exp.Anonymous(this="TRUNC", expressions=[outer.copy()])
            outer.replace(exp.cast(whole, "BIGINT"))
        elif isinstance(node, exp.Sum) and kind in (*SMALL, "BIGINT"):
            wide = "BIGINT" if kind in SMALL else "DECIMAL(38, 0)"
            outer.replace(exp.cast(outer.copy(), wide))
        elif isinstance(node, exp.Trunc) and kind in TIMES:
            node.replace(exp.cast(node.this.copy(), "DATE"))
    return tree


def kinds_of(tree: "exp.Expression", schema: Mapping[str, Mapping[str, str]]) -> dict[int, str]:
    """The types of the arguments of the numbered nodes, as far as sqlglot can tell."""
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify

    copy = tree.copy()
    for table in copy.find_all(exp.Table):
        if table.db:
            alias = table.alias or table.name
            table.set("this", exp.to_identifier(f"{table.db}.{table.name}"))
            table.set("db", None)
            table.set("catalog", None)
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    known = {
        exp.to_identifier(name).name: {
            column: exp.DataType.build(kind, dialect="duckdb", udt=True)
            for column, kind in columns.items()
        }
        for name, columns in schema.items()
    }
    try:
        copy = qualify(copy, schema=known, validate_qualify_columns=False, dialect="duckdb")
        copy = annotate_types(copy, schema=known, dialect="duckdb")
    except (SqlglotError, RecursionError, KeyError, ValueError, AttributeError):
        return {}
    return {
        node.meta["number"]: kind_of(node.this.type)
        for node in copy.find_all(exp.Avg, exp.Sum, exp.Trunc)
        if "number" in node.meta and node.this.type is not None
    }


def kind_of(kind: Any) -> str:
    """`INT`, `DECIMAL(10, 2)`"""
    name = str(kind.this.name)
    sizes = ", ".join(size.name for size in kind.expressions) if name == "DECIMAL" else ""
    return f"{name}({sizes})" if sizes else name


def scale_of(kind: str) -> str:
    """The digits after the point of `DECIMAL(10, 2)`."""
    found = re.search(r", (\d+)\)", kind)
    return found[1] if found else "0"


# --- names of columns ----------------------------------------------------------------------------


def name_columns(select: "exp.Select") -> None:
    """Give the columns of a query the names that Redshift gives them."""
    from sqlglot import exp

    named = []
    for column in select.expressions:
        known = isinstance(column, exp.Alias | exp.Star | exp.Column | exp.PropertyEQ)
        all_of = isinstance(column, exp.Dot) and isinstance(column.expression, exp.Star)
        if not known and not all_of:
            column = exp.alias_(column, name_of(column), quoted=True)
        named.append(column)
    select.set("expressions", named)


def name_of(node: Any) -> str:
    from sqlglot import exp

    if isinstance(node, exp.Column | exp.Alias | exp.Dot):
        return str(node.alias_or_name or node.name) or "?column?"
    if isinstance(node, exp.Cast):
        inner = name_of(node.this)
        return type_name(node) if inner == "?column?" else inner
    if isinstance(node, exp.Paren | exp.Window | exp.Filter | exp.WithinGroup):
        return name_of(node.this)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select):
        return name_of(node.this.expressions[0]) if node.this.expressions else "?column?"
    if isinstance(node, exp.Bracket):
        return name_of(node.this)
    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    if isinstance(node, exp.Case):
        return "case"
    if isinstance(node, exp.JSONExtract | exp.JSONExtractScalar):
        return "json_extract_path_text"
    if isinstance(node, exp.CurrentTimestamp) and node.args.get("sysdate"):
        return "sysdate"
    if isinstance(node, exp.Func) and not isinstance(node, exp.Binary | exp.Connector):
        name = node.sql_name()
        return COLUMN_NAMES.get(name, name.lower())
    return "?column?"


def type_name(cast: "exp.Expression") -> str:
    name = cast.args["to"].this.name.lower()
    return {"int": "int4", "bigint": "int8", "text": "varchar", "double": "float8"}.get(name, name)


# --- expressions ---------------------------------------------------------------------------------


def rewritten(node: "exp.Expression", user: str) -> "exp.Expression":
    """One node as DuckDB has it."""
    from sqlglot import exp

    if isinstance(node, exp.CurrentTimestamp):
        moment = exp.Anonymous(this="getvariable", expressions=[exp.Literal.string(NOW)])
        if node.args.get("sysdate"):
            return moment
        second = exp.Literal.string("second")
        return exp.Anonymous(this="date_trunc", expressions=[second, moment])
    if isinstance(node, exp.CurrentDate):
        moment = exp.Anonymous(this="getvariable", expressions=[exp.Literal.string(NOW)])
        return exp.cast(moment, "DATE")
    if isinstance(node, exp.CurrentUser | exp.SessionUser):
        return exp.Literal.string(user)
    if isinstance(node, exp.CurrentVersion):
        return exp.Literal.string(VERSION)
    if isinstance(node, exp.DataType):
        return type_rewritten(node)
    if isinstance(node, exp.Bracket) and len(node.expressions) == 1:
        # An array of SUPER is JSON, whose elements DuckDB, too, counts from 0.
        return exp.Anonymous(this="json_extract", expressions=[node.this, node.expressions[0]])
    if isinstance(node, exp.FromBase):
        return strtol([node.this, node.expression])
    if isinstance(node, exp.Cast):
        return cast_rewritten(node)
    if isinstance(node, exp.SimilarTo):
        return similar_rewritten(node)
    if isinstance(node, exp.GroupConcat) and isinstance(node.this, exp.Distinct):
        return distinct_list(node)
    if isinstance(node, exp.Window) and node.this.name.upper() == "RATIO_TO_REPORT":
        return ratio(node)
    if isinstance(node, exp.Anonymous):
        return function_rewritten(node, user)
    return node


def type_rewritten(node: "exp.Expression") -> "exp.Expression":
    from sqlglot import exp

    name = str(node.args.get("kind") or getattr(node.this, "name", node.this)).upper()
    if name == "SUPER":
        return exp.DataType.build("JSON", dialect="duckdb")
    if name in ("VARBYTE", "VARBINARY"):
        return exp.DataType.build("BLOB", dialect="duckdb")
    return node


def cast_rewritten(node: "exp.Expression") -> "exp.Expression":
    """A cast to `varchar(n)` cuts the text off."""
    from sqlglot import exp

    to = node.args["to"]
    sizes = to.expressions if to.is_type(*exp.DataType.TEXT_TYPES) else []
    if not sizes or not sizes[0].name.isdigit():
        return node
    whole = exp.cast(node.this.copy(), "TEXT")
    return exp.Left(this=whole, expression=exp.Literal.number(sizes[0].name))


def similar_rewritten(node: "exp.Expression") -> "exp.Expression":
    """SIMILAR TO has `%` and `_` beside the signs of regular expressions; DuckDB's has not."""
    from sqlglot import exp

    pattern = node.expression
    if isinstance(pattern, exp.Literal):
        text = re.sub(r"(?<!\\)%", ".*", pattern.name)
        pattern = exp.Literal.string(re.sub(r"(?<!\\)_", ".", text))
    return exp.Anonymous(this="regexp_full_match", expressions=[node.this.copy(), pattern])


def distinct_list(node: "exp.Expression") -> "exp.Expression":
    from sqlglot import exp

    values = node.this.expressions
    separator = node.args.get("separator") or (values[1:] or [exp.Literal.string("")])[0]
    return exp.GroupConcat(this=exp.Distinct(expressions=values[:1]), separator=separator)


def ratio(node: "exp.Expression") -> "exp.Expression":
    """RATIO_TO_REPORT(x) OVER (…) is x / SUM(x) OVER (…)."""
    from sqlglot import exp

    value = node.this.expressions[0]
    over = node.copy()
    over.set("this", exp.Sum(this=value.copy()))
    return exp.Paren(
        this=exp.Div(this=exp.cast(value.copy(), "DOUBLE"), expression=over, typed=True)
    )


def function_rewritten(node: "exp.Expression", user: str) -> "exp.Expression":
    from sqlglot import exp

    name, arguments = node.name.upper(), node.expressions
    if name in ("CURRENT_USER", "SESSION_USER", "USER"):
        return exp.Literal.string(user)
    if name == "ISNULL" and len(arguments) == 2:
        return exp.Coalesce(this=arguments[0], expressions=arguments[1:])
    if name == "ADD_MONTHS" and len(arguments) == 2:
        months = exp.Anonymous(this="to_months", expressions=[exp.cast(arguments[1], "INT")])
        return exp.Add(this=exp.cast(arguments[0], "TIMESTAMP"), expression=months)
    return node


def strtol(arguments: list[Any]) -> "exp.Expression":
    """DuckDB reads numbers of base 16 and 2 as `0x…` and `0b…`."""
    from sqlglot import exp

    prefix = {"16": "0x", "2": "0b", "10": ""}.get(arguments[1].name)
    if prefix is None:
        raise SqlError("ERROR: the lab has STRTOL for the bases 2, 10 and 16 only")
    text = exp.DPipe(this=exp.Literal.string(prefix), expression=arguments[0].copy())
    return exp.cast(exp.Paren(this=text), "BIGINT")


def macro_statements(process: int) -> list[str]:
    macros = (*MACROS, f"pg_backend_pid() AS {process}")
    return [f"CREATE OR REPLACE TEMP MACRO {macro}" for macro in macros]


def column_list(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)
