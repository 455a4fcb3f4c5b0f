"""What a database holds: databases, schemas, tables and columns."""

import re
from collections.abc import Iterable
from typing import Any

from moto.core.responses import ActionResult
from moto.redshiftdata.responses import RedshiftDataAPIServiceResponse

from awslab.extension import adds
from awslab.services.redshift_data.addressing import (
    database_of,
    endpoint_of,
    page,
    refuse,
    user_of,
)
from awslab.services.redshift_data.session import Session
from awslab.services.redshift_data.system_views import (
    default_shown,
    is_view,
    permanent,
    schema_names,
)
from awslab.services.redshift_data.types import column_metadata, declared
from awslab.services.redshift_data.warehouse import NoSuchDatabase, Table


def connected(self: Any) -> Session:
    """A session for an operation that looks at the catalogue.

    Raises:
        ServiceException: as ExecuteStatement, or the database does not exist.
    """
    params = self.params
    endpoint = endpoint_of(self.redshiftdata_backend, params)
    user = user_of(self, params, endpoint)
    database = database_of(params)
    for name in (params.get("ConnectedDatabase"), database):
        if name and name not in endpoint.warehouse.names():
            refuse(f'FATAL: database "{name}" does not exist')
    try:
        return Session(endpoint, database, user, endpoint.warehouse.next_process())
    except NoSuchDatabase as missing:
        refuse(f'FATAL: database "{missing}" does not exist')


def like(names: Iterable[str], pattern: str | None) -> list[str]:
    return [name for name in names if fits(name, pattern)]


def fits(name: str, pattern: str | None) -> bool:
    """Whether a pattern with `%` and `_` allows the name."""
    if not pattern:
        return True
    parts = [{"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in pattern]
    return re.fullmatch("".join(parts), name, re.DOTALL) is not None


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "ListDatabases",
    differs="",
)
def list_databases(self: Any) -> ActionResult:
    session = connected(self)
    session.close()
    shown, token = page(session.warehouse.names(), self.params, 1000)
    return ActionResult({"Databases": shown, "NextToken": token})


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "ListSchemas",
    differs="no system schemas beside `information_schema` and `pg_catalog`",
)
def list_schemas(self: Any) -> ActionResult:
    session = connected(self)
    names = sorted([*schema_names(session), "information_schema", "pg_catalog"])
    session.close()
    shown, token = page(like(names, self.params.get("SchemaPattern")), self.params, 1000)
    return ActionResult({"Schemas": shown, "NextToken": token})


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "ListTables",
    differs="no system tables",
)
def list_tables(self: Any) -> ActionResult:
    session, params = connected(self), self.params
    found = [
        {"name": t.name, "schema": t.schema, "type": "VIEW" if is_view(t) else "TABLE"}
        for t in permanent(session.tables())
        if fits(t.schema, params.get("SchemaPattern")) and fits(t.name, params.get("TablePattern"))
    ]
    session.close()
    shown, token = page(found, params, 1000)
    return ActionResult({"Tables": shown, "NextToken": token})


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "DescribeTable",
    differs="system tables cannot be described",
)
def describe_table(self: Any) -> ActionResult:
    session, params = connected(self), self.params
    tables = [
        table
        for table in permanent(session.tables())
        if params.get("Table") in (None, table.name)
        and params.get("Schema") in (None, table.schema)
    ]
    session.close()
    columns = [column for table in tables for column in columns_of(table)]
    shown, token = page(columns, params, 1000)
    name = params.get("Table") or (tables[0].name if len(tables) == 1 else None)
    return ActionResult({"TableName": name, "ColumnList": shown, "NextToken": token})


def columns_of(table: Table) -> list[dict[str, Any]]:
    return [
        column_metadata(
            column.name,
            declared(column),
            {
                "schemaName": table.schema,
                "tableName": table.name,
                "nullable": int(column.nullable),
                "columnDefault": default_shown(column),
            },
        )
        for column in table.columns
    ]
