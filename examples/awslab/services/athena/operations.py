"""The operations of Athena that run, show and stop queries, and list what they made."""

import re
from typing import Any

from moto.athena.models import AthenaBackend
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from awslab import objects
from awslab.clock import now
from awslab.extension import Function, adds, changes
from awslab.services.athena.queries import Query, kind_of, text_of
from awslab.services.athena.tables import Table, catalog_of
from awslab.services.s3 import find_bucket

EXECUTE = re.compile(r"\s*EXECUTE\s+(\w+)(?:\s+USING\s+(.*))?\s*;?\s*$", re.IGNORECASE | re.DOTALL)
NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup "
    "result configuration setting or as an API input."
)
DROPPED = (
    "no longer knows a database with tables after `DROP DATABASE`, "
    "which AWS refuses without `CASCADE`"
)


class Refused(ServiceException):
    code = "InvalidRequestException"


class MissingMetadata(ServiceException):
    code = "MetadataException"


def backend_of(self: Any) -> AthenaBackend:
    found: AthenaBackend = self.athena_backend
    return found


def queries(backend: AthenaBackend) -> dict[str, Query]:
    found: dict[str, Query] = vars(backend).setdefault("lab_queries", {})
    return found


def find(self: Any) -> Query:
    """The query of the request.

    Raises:
        Refused: there is none of that id.
    """
    name = self.params["QueryExecutionId"]
    found = queries(backend_of(self)).get(name)
    if found is None:
        raise Refused(f"QueryExecution {name} was not found")
    return found


def with_parameters(backend: AthenaBackend, params: dict[str, Any]) -> str:
    """The statement, parameters and prepared statements put in.

    Raises:
        Refused: there are too few or too many, or no such prepared statement.
    """
    sql, given = params["QueryString"], list(params.get("ExecutionParameters") or [])
    prepared = EXECUTE.match(sql)
    if prepared:
        group = params.get("WorkGroup") or "primary"
        statement = backend.get_prepared_statement(prepared[1], group)
        if statement is None:
            raise Refused(f"PreparedStatement {prepared[1]} was not found in workGroup {group}")
        sql = statement.query_statement
        if prepared[2]:
            given = [each.strip() for each in prepared[2].split(",")]
    if not given:
        return str(sql)
    parts = re.split(r"\?(?=(?:[^']*'[^']*')*[^']*$)", sql)
    if len(parts) - 1 != len(given):
        raise Refused(
            f"Incorrect number of parameters: expected {len(parts) - 1}, got {len(given)}"
        )
    return "".join(part + value for part, value in zip(parts, [*given, ""], strict=True))


def describe(query: Query) -> dict[str, Any]:
    """The members of a QueryExecution."""
    request, ended = query.request, query.ended
    passed = int(((query.completed or now()) - query.submitted).total_seconds() * 1000)
    failed = query.state == "FAILED"
    error = {"ErrorCategory": 2, "Retryable": False, "ErrorMessage": query.reason}
    return {
        "QueryExecutionId": query.id,
        "Query": request["QueryString"],
        "StatementType": kind_of(query.sql),
        "ResultConfiguration": {
            **(request.get("ResultConfiguration") or {}),
            "OutputLocation": query.output,
        },
        "QueryExecutionContext": {"Catalog": "awsdatacatalog", "Database": query.database},
        "Status": {
            "State": query.state,
            "StateChangeReason": query.reason if ended else None,
            "SubmissionDateTime": query.submitted,
            "CompletionDateTime": query.completed if ended else None,
            "AthenaError": error if failed else None,
        },
        "Statistics": {
            "EngineExecutionTimeInMillis": passed,
            "DataScannedInBytes": query.scanned,
            "TotalExecutionTimeInMillis": passed,
            "QueryQueueTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
        },
        "WorkGroup": request.get("WorkGroup") or "primary",
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
        "ExecutionParameters": request.get("ExecutionParameters"),
        "SubstatementType": query.sql.split()[0].upper() if query.sql.split() else None,
    }


@changes(
    AthenaResponse,
    "athena",
    "StartQueryExecution",
    reason="runs no query; needs no output location",
    differs=(
        "DuckDB runs the SQL, translated by sqlglot; reads JSON, CSV, Parquet and CloudTrail's "
        "format; partitions are projected by `storage.location.template`; the tables are Athena's "
        "own, not in Glue; no `INSERT`, `CTAS`, `UNLOAD` or Iceberg; bytes are those of the "
        "objects that were read"
    ),
)
def start_query_execution(original: Function, self: Any) -> Any:
    backend, params = backend_of(self), dict(self.params)
    group = backend.work_groups.get(params.get("WorkGroup") or "primary")
    if group is None:
        raise Refused("WorkGroup is not found.")
    config = group.configuration or {}
    given = (params.get("ResultConfiguration") or {}).get("OutputLocation")
    own = (config.get("ResultConfiguration") or {}).get("OutputLocation")
    output = (own or given) if config.get("EnforceWorkGroupConfiguration") else (given or own)
    if not output:
        raise Refused(NO_OUTPUT)
    bucket, _ = objects.split(output)
    if not output.startswith("s3://") or not bucket:
        raise Refused("outputLocation is not a valid S3 path.")
    if find_bucket(bucket) is None:
        raise Refused(f"Unable to verify/create output bucket {bucket}")
    if not params["QueryString"].strip():
        raise Refused("Query string cannot be empty.")
    database = (params.get("QueryExecutionContext") or {}).get("Database") or "default"
    cutoff = config.get("BytesScannedCutoffPerQuery")
    sql = with_parameters(backend, params)
    most = int(cutoff) if cutoff else None
    query = Query(backend, sql, database.lower(), output, params, most)
    queries(backend)[query.id] = query
    return ActionResult({"QueryExecutionId": query.id})


@changes(
    AthenaResponse,
    "athena",
    "GetQueryExecution",
    reason="has scanned no bytes; knows no query that fails",
    differs="queueing takes no time",
)
def get_query_execution(original: Function, self: Any) -> Any:
    query = find(self)
    query.course.look()
    return ActionResult({"QueryExecution": describe(query)})


@adds(AthenaResponse, "athena", "BatchGetQueryExecution", differs="")
def batch_get_query_execution(self: Any) -> Any:
    known, wanted = queries(backend_of(self)), self.params["QueryExecutionIds"]
    for name in wanted:
        if name in known:
            known[name].course.look()
    missing = {"ErrorCode": "INVALID_QUERY_EXECUTION_ID", "ErrorMessage": "was not found"}
    return ActionResult(
        {
            "QueryExecutions": [describe(known[name]) for name in wanted if name in known],
            "UnprocessedQueryExecutionIds": [
                missing | {"QueryExecutionId": name} for name in wanted if name not in known
            ],
        }
    )


@changes(
    AthenaResponse,
    "athena",
    "ListQueryExecutions",
    reason="lists the oldest first",
    differs="",
)
def list_query_executions(original: Function, self: Any) -> Any:
    group = self.params.get("WorkGroup") or "primary"
    found = [
        query.id
        for query in reversed(list(queries(backend_of(self)).values()))
        if (query.request.get("WorkGroup") or "primary") == group
    ]
    shown, token = page(found, self.params, 50)
    return ActionResult({"QueryExecutionIds": shown, "NextToken": token})


def page(items: list[Any], params: dict[str, Any], size: int) -> tuple[list[Any], str | None]:
    token = params.get("NextToken") or "0"
    if not token.isdecimal():
        raise Refused("Invalid NextToken.")
    start, size = int(token), params.get("MaxResults") or size
    more = len(items) > start + size
    return items[start : start + size], str(start + size) if more else None


@changes(
    AthenaResponse,
    "athena",
    "GetQueryResults",
    reason="has no rows",
    differs="",
)
def get_query_results(original: Function, self: Any) -> Any:
    query = find(self)
    if query.state in ("QUEUED", "RUNNING"):
        raise Refused(f"Query has not yet finished. Current state: {query.state}")
    if query.state != "SUCCEEDED":
        raise Refused(f"Query did not finish successfully. Final query state: {query.state}")
    header = [[name for name, _ in query.columns]] if kind_of(query.sql) == "DML" else []
    lines, token = page([*header, *query.rows], self.params, 1000)
    columns = [
        {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": name,
            "Label": name,
            "Type": kind,
            "Precision": 2147483647 if kind in ("varchar", "string") else 0,
            "Scale": 0,
            "Nullable": "UNKNOWN",
            "CaseSensitive": kind in ("varchar", "string"),
        }
        for name, kind in query.columns
    ]
    rows = [
        {"Data": [{} if v is None else {"VarCharValue": text_of(v)} for v in line]}
        for line in lines
    ]
    return ActionResult(
        {
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": columns}},
            "UpdateCount": 0,
            "NextToken": token,
        }
    )


@changes(
    AthenaResponse,
    "athena",
    "StopQueryExecution",
    reason="cancels a query that has succeeded",
    differs="",
)
def stop_query_execution(original: Function, self: Any) -> Any:
    find(self).stop()
    return EmptyResult()


@changes(
    AthenaResponse,
    "athena",
    "ListDatabases",
    reason=DROPPED,
    differs="",
)
def list_databases(original: Function, self: Any) -> Any:
    names = sorted(catalog_of(backend_of(self)))
    shown, token = page(names, self.params, 50)
    return ActionResult({"DatabaseList": [{"Name": name} for name in shown], "NextToken": token})


def tables_of(self: Any) -> dict[str, Table]:
    """The tables of the request's database.

    Raises:
        MissingMetadata: there is no such database.
    """
    database = self.params["DatabaseName"].lower()
    tables = catalog_of(backend_of(self)).get(database)
    if tables is None:
        raise MissingMetadata(f"Database {database} not found.")
    return tables


@changes(AthenaResponse, "athena", "GetDatabase", reason=DROPPED, differs="")
def get_database(original: Function, self: Any) -> Any:
    tables_of(self)
    return ActionResult({"Database": {"Name": self.params["DatabaseName"].lower()}})


@adds(AthenaResponse, "athena", "GetTableMetadata", differs="")
def get_table_metadata(self: Any) -> Any:
    name = self.params["TableName"].lower()
    table = tables_of(self).get(name)
    if table is None:
        raise MissingMetadata(f"Table {name} not found.")
    return ActionResult({"TableMetadata": table.metadata()})


@adds(
    AthenaResponse,
    "athena",
    "ListTableMetadata",
    differs="`Expression` is a part of the name",
)
def list_table_metadata(self: Any) -> Any:
    part = self.params.get("Expression") or ""
    found = [t.metadata() for name, t in sorted(tables_of(self).items()) if part in name]
    shown, token = page(found, self.params, 50)
    return ActionResult({"TableMetadataList": shown, "NextToken": token})
