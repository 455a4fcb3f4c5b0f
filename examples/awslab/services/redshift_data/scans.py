"""What the scans of a SELECT have read, as DuckDB measured it."""

import json
from collections.abc import Iterator
from typing import Any

from awslab.services.redshift_data.session import Session
from awslab.sql import qualified


def scans(profile: str) -> list[dict[str, Any]]:
    """The scans of tables in DuckDB's profile of a query; none where it needed no scan, as for
    the number of all rows."""
    return [
        scan
        for operator in json.loads(profile or "{}").get("operator", [])
        for scan in scans_below(operator)
        if scan["extra_info"].get("Table")
    ]


def scans_below(operator: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "row_groups_scanned" in operator:
        yield operator
    for child in operator.get("children", []):
        yield from scans_below(child)


def keep_scans(session: Session) -> None:
    """Keep what the query that has just run read, for SYS_QUERY_DETAIL."""
    found = scans(session.connection.get_profiling_information())
    if not found:
        return
    tables = {}
    for table in session.tables():
        place = ("temp", "main") if table.temporary else (session.database, table.schema)
        tables[qualified(*place, table.name).replace('"', "")] = table
    for scan in found:
        name = scan["extra_info"]["Table"].replace('"', "")
        if name in tables:
            table = tables[name]
            read, there = scan["row_groups_scanned"], scan["total_row_groups_to_scan"]
            session.warehouse.scans.append(
                {
                    "user_id": 100,
                    "query_id": session.query_id,
                    "child_query_sequence": 1,
                    "step_name": "scan",
                    "table_id": None if table.temporary else table.oid,
                    "table_name": table.name,
                    "is_rrscan": "t" if read < there else "f",
                    "input_rows": scan["rows_scanned"],
                    "output_rows": scan["intermediate_rows"],
                    "blocks_read": read,
                    "metrics_level": "step",
                }
            )
