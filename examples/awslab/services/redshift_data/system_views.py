"""Redshift's system views, as far as the lab can compute them truthfully.

A view is made for the statement that names it. What nobody in the lab knows is NULL.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from awslab.services.redshift_data.types import declared
from awslab.services.redshift_data.warehouse import Column, Table
from awslab.sql import SqlError, literal, qualified, quoted

if TYPE_CHECKING:
    from awslab.services.redshift_data.session import Session
    from awslab.sql_words import Words

AUTO_ALL = 100_000  # rows up to which DISTSTYLE AUTO keeps a copy on each node

View = Callable[["Session", list[Table]], str]
VIEWS: dict[str, View] = {}


def view(*names: str) -> Callable[[View], View]:
    def register(function: View) -> View:
        VIEWS.update(dict.fromkeys(names, function))
        return function

    return register


def find(names: Sequence[str]) -> View | None:
    """The view of this name, with `pg_catalog` or `information_schema` before it or without."""
    if len(names) > 1 and names[-2] == "information_schema":
        return VIEWS.get(f"information_schema.{names[-1]}")
    return VIEWS.get(names[-1]) if len(names) == 1 or names[-2] == "pg_catalog" else None


def as_query(columns: dict[str, str], rows: Sequence[Sequence[Any]]) -> str:
    """DuckDB's text of a table of constants."""
    casts = ", ".join(f"CAST({quoted(n)} AS {kind}) AS {quoted(n)}" for n, kind in columns.items())
    names = ", ".join(quoted(name) for name in columns)
    if not rows:
        nothing = ", ".join("NULL" for _ in columns)
        return f"SELECT {casts} FROM (VALUES ({nothing})) AS t({names}) WHERE false"
    values = ", ".join(f"({', '.join(constant(value) for value in row)})" for row in rows)
    return f"SELECT {casts} FROM (VALUES {values}) AS t({names})"


def constant(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else literal(str(value))


def permanent(tables: list[Table]) -> list[Table]:
    return [table for table in tables if not table.temporary]


def stored(tables: list[Table]) -> list[Table]:
    """Tables with rows of their own, materialized views among them."""
    return [table for table in permanent(tables) if table.kind == "TABLE"]


# --- distribution --------------------------------------------------------------------------------


def style_of(table: Table, rows: int) -> str:
    """The distribution style in force: AUTO keeps small tables on every node."""
    style = str(table.said.get("diststyle", "AUTO"))
    if style != "AUTO":
        return style
    return "ALL" if rows <= AUTO_ALL else "EVEN"


def rows_per_slice(session: "Session", table: Table) -> dict[int, int]:
    """How many rows of the table each slice holds.

    KEY: a hash of the column decides; the hash is DuckDB's. EVEN: in turn. ALL: a whole copy on
    the first slice of each node.
    """
    endpoint = session.endpoint
    slices = endpoint.slices
    rows = session.count(table)
    counts = dict.fromkeys(range(slices), 0)
    style = style_of(table, rows)
    if not slices:
        return counts
    if style == "ALL":
        for node in range(endpoint.nodes):
            counts[endpoint.slices_of(node)[0]] = rows
    elif style == "EVEN":
        counts = {s: rows // slices + (s < rows % slices) for s in range(slices)}
    else:
        key = quoted(table.dist_key or "")
        found = session.execute(
            f"SELECT CAST(hash({key}) % {slices} AS INTEGER), count(*) "
            f"FROM {session.where(table)} GROUP BY 1"
        )
        counts |= dict(found)
    return counts


def skew(counts: dict[int, int], style: str) -> float | None:
    """The fullest slice against the emptiest; 100 when one is empty."""
    if style == "ALL" or not counts or not any(counts.values()):
        return None
    least, most = min(counts.values()), max(counts.values())
    return round(most / least, 2) if least else 100.0


@view("stv_slices")
def stv_slices(session: "Session", tables: list[Table]) -> str:
    endpoint = session.endpoint
    rows = [
        (node, number, place, "D")
        for node in range(endpoint.nodes if endpoint.slices else 0)
        for place, number in enumerate(endpoint.slices_of(node))
    ]
    columns = {"node": "INT", "slice": "INT", "localslice": "INT", "type": "VARCHAR"}
    return as_query(columns, rows)


@view("stv_tbl_perm")
def stv_tbl_perm(session: "Session", tables: list[Table]) -> str:
    rows = []
    for table in stored(tables):
        counts = rows_per_slice(session, table)
        total = sum(counts.values())
        share = int(table.said.get("sorted", 0)) / total if total and table.sort_keys else 0
        for number, count in counts.items():
            in_order = round(count * min(share, 1))
            rows.append((number, table.oid, table.name, count, in_order, 0, 100, 1))
    columns = {
        "slice": "INT",
        "id": "INT",
        "name": "VARCHAR",
        "rows": "BIGINT",
        "sorted_rows": "BIGINT",
        "temp": "INT",
        "db_id": "INT",
        "backup": "INT",
    }
    return as_query(columns, rows)


@view("svv_table_info")
def svv_table_info(session: "Session", tables: list[Table]) -> str:
    columns = {
        "database": "VARCHAR",
        "schema": "VARCHAR",
        "table_id": "INT",
        "table": "VARCHAR",
        "encoded": "VARCHAR",
        "diststyle": "VARCHAR",
        "sortkey1": "VARCHAR",
        "max_varchar": "INT",
        "sortkey1_enc": "VARCHAR",
        "sortkey_num": "INT",
        "size": "BIGINT",
        "pct_used": "DECIMAL(10,4)",
        "empty": "BIGINT",
        "unsorted": "DECIMAL(5,2)",
        "stats_off": "DECIMAL(5,2)",
        "tbl_rows": "DECIMAL(38,0)",
        "skew_sortkey1": "DECIMAL(19,2)",
        "skew_rows": "DECIMAL(19,2)",
        "estimated_visible_rows": "DECIMAL(38,0)",
        "risk_event": "VARCHAR",
        "vacuum_sort_benefit": "DECIMAL(12,2)",
        "create_time": "TIMESTAMP",
    }
    rows = [table_info(session, table) for table in stored(tables)]
    # Redshift shows no table that is empty.
    return as_query(columns, [[row.get(name) for name in columns] for row in rows if row])


def table_info(session: "Session", table: Table) -> dict[str, Any]:
    counts = rows_per_slice(session, table)
    total = session.count(table)
    if not total:
        return {}
    style = style_of(table, total)
    keys = table.sort_keys
    texts = [declared(c).length for c in table.columns if declared(c).name == "varchar"]
    in_order = min(int(table.said.get("sorted", 0)), total)
    said = table.said.get("diststyle", "AUTO")
    shown = {"KEY": f"KEY({table.dist_key})", "AUTO": f"AUTO({style})"}.get(said, said)
    first = next((c for c in table.columns if keys and c.name == keys[0]), None)
    return {
        "database": session.database,
        "schema": table.schema,
        "table_id": table.oid,
        "table": table.name,
        "encoded": "Y" if any(c.said.get("encode") != "none" for c in table.columns) else "N",
        "diststyle": shown,
        "sortkey1": sort_key_shown(table),
        "max_varchar": max(texts, default=0),
        "sortkey1_enc": first.said.get("encode") if first else None,
        "sortkey_num": len(keys),
        "unsorted": round(100 * (total - in_order) / total, 2) if keys else None,
        "tbl_rows": total,
        "estimated_visible_rows": total,
        "skew_rows": skew(counts, style),
    }


def sort_key_shown(table: Table) -> str | None:
    if table.said.get("sortstyle") == "auto":
        return "AUTO(SORTKEY)"
    if not table.sort_keys:
        return None
    return "INTERLEAVED" if table.said.get("sortstyle") == "interleaved" else table.sort_keys[0]


# --- names ---------------------------------------------------------------------------------------


@view("svv_tables", "information_schema.tables")
def svv_tables(session: "Session", tables: list[Table]) -> str:
    rows = [
        (
            session.database,
            table.schema,
            table.name,
            "VIEW" if is_view(table) else "BASE TABLE",
            None,
        )
        for table in permanent(tables)
    ]
    names = ("table_catalog", "table_schema", "table_name", "table_type", "remarks")
    return as_query(dict.fromkeys(names, "VARCHAR"), rows)


def is_view(table: Table) -> bool:
    return table.kind == "VIEW" or "materialized" in table.said


@view("svv_columns", "information_schema.columns")
def svv_columns(session: "Session", tables: list[Table]) -> str:
    rows = []
    for table in permanent(tables):
        for position, column in enumerate(table.columns, 1):
            kind = declared(column)
            text, number = kind.name in ("varchar", "bpchar"), kind.name == "numeric"
            rows.append(
                (
                    session.database,
                    table.schema,
                    table.name,
                    column.name,
                    position,
                    default_shown(column),
                    "YES" if column.nullable else "NO",
                    kind.written.partition("(")[0],
                    kind.length if text else None,
                    kind.length if number else None,
                    kind.scale if number else None,
                    None,
                )
            )
    columns = {
        "table_catalog": "VARCHAR",
        "table_schema": "VARCHAR",
        "table_name": "VARCHAR",
        "column_name": "VARCHAR",
        "ordinal_position": "INT",
        "column_default": "VARCHAR",
        "is_nullable": "VARCHAR",
        "data_type": "VARCHAR",
        "character_maximum_length": "INT",
        "numeric_precision": "INT",
        "numeric_scale": "INT",
        "remarks": "VARCHAR",
    }
    return as_query(columns, rows)


def default_shown(column: Column) -> str | None:
    if "identity" in column.said:
        start, step = column.said["identity"]
        return f'"identity"({start}, {step})'
    return column.default


@view("pg_table_def")
def pg_table_def(session: "Session", tables: list[Table]) -> str:
    rows = [
        (
            table.schema,
            table.name,
            column.name,
            declared(column).written,
            column.said.get("encode", "none"),
            bool(column.said.get("distkey")),
            int(column.said.get("sortkey", 0)) * sign(table, column),
            not column.nullable,
        )
        for table in permanent(tables)
        if table.kind == "TABLE" and table.schema in session.schemas
        for column in table.columns
    ]
    columns = {
        "schemaname": "VARCHAR",
        "tablename": "VARCHAR",
        "column": "VARCHAR",
        "type": "VARCHAR",
        "encoding": "VARCHAR",
        "distkey": "BOOLEAN",
        "sortkey": "INT",
        "notnull": "BOOLEAN",
    }
    return as_query(columns, rows)


def sign(table: Table, column: Column) -> int:
    """The columns of an interleaved key have alternating signs."""
    interleaved = table.said.get("sortstyle") == "interleaved"
    return -1 if interleaved and column.said.get("sortkey", 0) % 2 == 0 else 1


@view("svv_redshift_databases", "svv_all_databases")
def databases(session: "Session", tables: list[Table]) -> str:
    rows = [(name, 100, "local", None, None) for name in session.warehouse.names()]
    columns = {
        "database_name": "VARCHAR",
        "database_owner": "INT",
        "database_type": "VARCHAR",
        "database_acl": "VARCHAR",
        "database_options": "VARCHAR",
    }
    return as_query(columns, rows)


@view("svv_redshift_schemas", "svv_all_schemas")
def schemas(session: "Session", tables: list[Table]) -> str:
    rows = [(session.database, name, 100, "local", None, None) for name in schema_names(session)]
    columns = {
        "database_name": "VARCHAR",
        "schema_name": "VARCHAR",
        "schema_owner": "INT",
        "schema_type": "VARCHAR",
        "schema_acl": "VARCHAR",
        "schema_option": "VARCHAR",
    }
    return as_query(columns, rows)


@view("information_schema.schemata")
def schemata(session: "Session", tables: list[Table]) -> str:
    rows = [(session.database, name, session.user) for name in schema_names(session)]
    names = ("catalog_name", "schema_name", "schema_owner")
    return as_query(dict.fromkeys(names, "VARCHAR"), rows)


def schema_names(session: "Session", database: str | None = None) -> list[str]:
    found = session.execute(
        "SELECT schema_name FROM duckdb_schemas() WHERE NOT internal AND database_name = "
        f"{literal(database or session.database)} ORDER BY 1"
    )
    return [name for (name,) in found if name != "main"]


@view("svv_mv_info", "stv_mv_info")
def svv_mv_info(session: "Session", tables: list[Table]) -> str:
    rows = []
    for table in stored(tables):
        if "materialized" in table.said:
            stale = "t" if is_stale(session, table) else "f"
            automatic = "t" if table.said.get("auto_refresh") else "f"
            rows.append(
                (session.database, table.schema, session.user, table.name, stale, 0, "f", automatic)
            )
    columns = {
        "database_name": "VARCHAR",
        "schema_name": "VARCHAR",
        "user_name": "VARCHAR",
        "name": "VARCHAR",
        "is_stale": "VARCHAR",
        "state": "INT",
        "autorewrite": "VARCHAR",
        "autorefresh": "VARCHAR",
    }
    return as_query(columns, rows)


def is_stale(session: "Session", table: Table) -> bool:
    """Whether the query of a materialized view would give other rows now."""
    from awslab.services.redshift_data import dialect

    query = dialect.rendered(session.translated(dialect.parse(table.said["materialized"])))
    where = session.where(table)
    found = session.execute(
        f"SELECT count(*) FROM ((({query}) EXCEPT ALL SELECT * FROM {where}) UNION ALL "
        f"(SELECT * FROM {where} EXCEPT ALL ({query})))"
    )
    return bool(found[0][0])


# --- what happened -------------------------------------------------------------------------------


@view("sys_query_history")
def sys_query_history(session: "Session", tables: list[Table]) -> str:
    columns = {
        "user_id": "INT",
        "query_id": "BIGINT",
        "query_label": "VARCHAR",
        "transaction_id": "BIGINT",
        "session_id": "INT",
        "database_name": "VARCHAR",
        "query_type": "VARCHAR",
        "status": "VARCHAR",
        "result_cache_hit": "BOOLEAN",
        "start_time": "TIMESTAMP",
        "end_time": "TIMESTAMP",
        "elapsed_time": "BIGINT",
        "queue_time": "BIGINT",
        "execution_time": "BIGINT",
        "error_message": "VARCHAR",
        "returned_rows": "BIGINT",
        "returned_bytes": "BIGINT",
        "query_text": "VARCHAR",
    }
    rows = [[past.get(name) for name in columns] for past in list(session.warehouse.history)]
    return as_query(columns, rows)


@view("sys_query_detail")
def sys_query_detail(session: "Session", tables: list[Table]) -> str:
    columns = {
        "user_id": "INT",
        "query_id": "BIGINT",
        "child_query_sequence": "INT",
        "stream_id": "INT",
        "segment_id": "INT",
        "step_id": "INT",
        "step_name": "VARCHAR",
        "table_id": "INT",
        "table_name": "VARCHAR",
        "is_rrscan": "VARCHAR",
        "start_time": "TIMESTAMP",
        "end_time": "TIMESTAMP",
        "duration": "BIGINT",
        "alert": "VARCHAR",
        "input_bytes": "BIGINT",
        "input_rows": "BIGINT",
        "output_bytes": "BIGINT",
        "output_rows": "BIGINT",
        "blocks_read": "BIGINT",
        "blocks_write": "BIGINT",
        "local_read_io": "BIGINT",
        "remote_read_io": "BIGINT",
        "data_skewness": "INT",
        "time_skewness": "INT",
        "spilled_block_local_disk": "BIGINT",
        "spilled_block_remote_disk": "BIGINT",
        "metrics_level": "VARCHAR",
    }
    rows = [[scan.get(name) for name in columns] for scan in list(session.warehouse.scans)]
    return as_query(columns, rows)


@view("stl_load_errors")
def stl_load_errors(session: "Session", tables: list[Table]) -> str:
    columns = {
        "userid": "INT",
        "slice": "INT",
        "tbl": "INT",
        "starttime": "TIMESTAMP",
        "session": "INT",
        "query": "BIGINT",
        "filename": "VARCHAR",
        "line_number": "BIGINT",
        "colname": "VARCHAR",
        "type": "VARCHAR",
        "col_length": "VARCHAR",
        "position": "INT",
        "raw_line": "VARCHAR",
        "raw_field_value": "VARCHAR",
        "err_code": "INT",
        "err_reason": "VARCHAR",
    }
    rows = [[past.get(name) for name in columns] for past in list(session.warehouse.load_errors)]
    return as_query(columns, rows)


@view("sys_load_error_detail")
def sys_load_error_detail(session: "Session", tables: list[Table]) -> str:
    renamed = {
        "user_id": ("userid", "INT"),
        "query_id": ("query", "BIGINT"),
        "table_id": ("tbl", "INT"),
        "start_time": ("starttime", "TIMESTAMP"),
        "session_id": ("session", "INT"),
        "database_name": ("database", "VARCHAR"),
        "file_name": ("filename", "VARCHAR"),
        "line_number": ("line_number", "BIGINT"),
        "column_name": ("colname", "VARCHAR"),
        "column_type": ("type", "VARCHAR"),
        "column_length": ("col_length", "VARCHAR"),
        "position": ("position", "INT"),
        "error_code": ("err_code", "INT"),
        "error_message": ("err_reason", "VARCHAR"),
    }
    past = list(session.warehouse.load_errors)
    rows = [[error.get(old) for old, _ in renamed.values()] for error in past]
    return as_query({name: kind for name, (_, kind) in renamed.items()}, rows)


# --- SHOW ----------------------------------------------------------------------------------------

PARAMETERS = {
    "search_path": "$user, public",
    "datestyle": "ISO, MDY",
    "timezone": "UTC",
    "time zone": "UTC",
    "statement_timeout": "0",
    "query_group": "default",
    "extra_float_digits": "0",
    "enable_case_sensitive_identifier": "off",
    "enable_result_cache_for_session": "off",
    "server_version": "8.0.2",
}


def shown(session: "Session", words: "Words") -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of a SHOW statement, after its first word.

    Raises:
        SqlError: there is nothing of this name to show.
    """
    if words.accept("DATABASES"):
        return ["database_name", "database_type"], [
            (name, "local") for name in session.warehouse.names()
        ]
    if words.accept("SCHEMAS"):
        words.expect("FROM", "DATABASE")
        name = words.name()
        if name not in session.warehouse.names():
            raise SqlError(f'ERROR: database "{name}" does not exist')
        return ["database_name", "schema_name"], [(name, s) for s in schema_names(session, name)]
    if words.accept("TABLES"):
        words.expect("FROM", "SCHEMA")
        names = words.names()
        return ["database_name", "schema_name", "table_name", "table_type"], [
            (session.database, t.schema, t.name, "VIEW" if is_view(t) else "TABLE")
            for t in permanent(session.tables())
            if t.schema == names[-1]
        ]
    if words.accept("COLUMNS"):
        words.expect("FROM", "TABLE")
        table = session.find_table(words.names())
        return ["schema_name", "table_name", "column_name", "ordinal_position", "data_type"], [
            (table.schema, table.name, c.name, str(i), declared(c).written)
            for i, c in enumerate(table.columns, 1)
        ]
    if words.accept("TABLE"):
        return ["Show Table DDL statement"], [(definition(session, words.names()),)]
    if words.accept("VIEW"):
        return ["Show View DDL statement"], [(view_definition(session, words.names()),)]
    name = words.rest().strip().lower()
    if name == "search_path" and session.schemas != ["public"]:
        return [name], [(", ".join(session.schemas),)]
    if name in PARAMETERS:
        return [name], [(PARAMETERS[name],)]
    raise SqlError(f'ERROR: unrecognized configuration parameter "{name}"')


def definition(session: "Session", names: list[str]) -> str:
    """CREATE TABLE as Redshift would write it."""
    table = session.find_table(names)
    lines = []
    for column in table.columns:
        parts = [column.name, declared(column).written]
        shown_default = default_shown(column)
        if "identity" in column.said:
            start, step = column.said["identity"]
            parts.append(f"identity({start},{step})")
        elif shown_default:
            parts.append(f"DEFAULT {shown_default}")
        parts.append("NOT NULL" if not column.nullable else "")
        parts.append(f"ENCODE {column.said.get('encode', 'none')}")
        parts.append("distkey" if column.said.get("distkey") else "")
        lines.append("    " + " ".join(part for part in parts if part))
    text = f"CREATE TABLE {table.schema}.{table.name} (\n" + ",\n".join(lines) + "\n)"
    text += f"\nDISTSTYLE {table.said.get('diststyle', 'AUTO')}"
    if table.sort_keys:
        style = "INTERLEAVED " if table.said.get("sortstyle") == "interleaved" else ""
        text += f"\n{style}SORTKEY ( {', '.join(table.sort_keys)} )"
    return text + ";"


def view_definition(session: "Session", names: list[str]) -> str:
    table = session.find_table(names)
    text = table.said.get("late_binding") or table.said.get("materialized")
    if text:
        return str(text)
    if table.kind != "VIEW":
        raise SqlError(f'ERROR: "{table.name}" is not a view')
    found = session.execute(f"SELECT sql FROM duckdb_views() WHERE view_oid = {table.oid}")
    return str(found[0][0]).replace(qualified(session.database) + ".", "")
