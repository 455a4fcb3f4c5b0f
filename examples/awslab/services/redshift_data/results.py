"""Results of statements, page by page."""

import re
from typing import Any

from moto.core.responses import ActionResult
from moto.redshiftdata.responses import RedshiftDataAPIServiceResponse

from awslab.extension import Function, adds, changes
from awslab.services.redshift_data.addressing import NotFound, refuse
from awslab.services.redshift_data.operations import find_statement
from awslab.services.redshift_data.statements import Part
from awslab.services.redshift_data.values import csv_text, field

PAGE = 1_000  # rows of a result in one answer
NO_RESULT = "Query does not have result. Please check query status with DescribeStatement."


def result_of(self: Any, wanted: str) -> tuple[Part, int]:
    """The result that a request asks for, and where its page begins.

    Raises:
        ServiceException: there is none, or it has another format.
    """
    params = self.params
    statement, position = find_statement(self, params["Id"])
    if params.get("WaitTimeSeconds"):
        statement.finish(params["WaitTimeSeconds"])
    statement.course.keep_up()
    if statement.batch and position is None:
        raise NotFound(NO_RESULT, statement.id)
    part = statement.parts[position or 0]
    if not statement.ended or not part.has_result:
        raise NotFound(NO_RESULT, params["Id"])
    kind = statement.request.get("ResultFormat") or "JSON"
    if kind != wanted:
        other = "GetStatementResultV2" if kind == "CSV" else "GetStatementResult"
        refuse(f"The result of this statement has the format {kind}. Use {other}.")
    token = params.get("NextToken") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", token):
        refuse("Invalid NextToken.")
    return part, int(token)


@changes(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "GetStatementResult",
    reason="always answers the same three rows; calls the total `TotalNumberRows`",
    differs="a page has 1,000 rows; the types of computed columns are DuckDB's",
)
def get_statement_result(original: Function, self: Any) -> ActionResult:
    part, start = result_of(self, "JSON")
    assert part.outcome
    rows = part.outcome.rows
    answer = {
        "ColumnMetadata": part.outcome.columns,
        "Records": [[field(value) for value in row] for row in rows[start : start + PAGE]],
        "TotalNumRows": len(rows),
        "NextToken": str(start + PAGE) if start + PAGE < len(rows) else None,
    }
    return ActionResult(answer)


@adds(
    RedshiftDataAPIServiceResponse,
    "redshift-data",
    "GetStatementResultV2",
    differs="a page has 1,000 rows",
)
def get_statement_result_v2(self: Any) -> ActionResult:
    part, start = result_of(self, "CSV")
    assert part.outcome and part.outcome.columns is not None
    rows = part.outcome.rows
    names = [column["name"] for column in part.outcome.columns]
    text = csv_text(rows[start : start + PAGE], None if start else names)
    answer = {
        "ColumnMetadata": part.outcome.columns,
        "Records": [{"CSVRecords": text}],
        "ResultFormat": "CSV",
        "TotalNumRows": len(rows),
        "NextToken": str(start + PAGE) if start + PAGE < len(rows) else None,
    }
    return ActionResult(answer)
