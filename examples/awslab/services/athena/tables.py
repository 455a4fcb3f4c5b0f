"""The databases and tables that DDL makes, and the types of their columns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.athena.models import AthenaBackend

from awslab.clock import naive_now

CLOUDTRAIL = re.compile(r"cloudtrail", re.IGNORECASE)
PROJECTED = re.compile(r"\$\{(\w+)\}")
MOMENT = re.compile(r"NOW(?:\s*([+-])\s*(\d+)\s*([A-Z]+?)S?)?", re.IGNORECASE)
MONTHS = {"month": 1, "year": 12}
DATE_PARTS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


@dataclass
class Table:
    """An external table, or a view.

    columns, partitions: name and sqlglot type. format: `json`, `cloudtrail`, `csv` or `parquet`.
    template: where partition projection looks, with `${column}`; parts: partitions that were
    added, values to location.
    """

    name: str
    columns: dict[str, Any] = field(default_factory=dict)
    partitions: dict[str, Any] = field(default_factory=dict)
    location: str = ""
    format: str = "csv"
    delimiter: str = ","
    skipped: int = 0
    template: str | None = None
    parts: dict[tuple[str, ...], str] = field(default_factory=dict)
    view: str | None = None
    properties: dict[str, str] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """The members of TableMetadata."""

        def described(columns: dict[str, Any]) -> list[dict[str, str]]:
            return [{"Name": n, "Type": t.sql("hive").lower()} for n, t in columns.items()]

        return {
            "Name": self.name,
            "TableType": "VIRTUAL_VIEW" if self.view else "EXTERNAL_TABLE",
            "Columns": described(self.columns),
            "PartitionKeys": described(self.partitions),
            "Parameters": {"EXTERNAL": "TRUE", "location": self.location, **self.properties},
        }


Catalog = dict[str, dict[str, Table]]  # database to its tables


def catalog_of(backend: AthenaBackend) -> Catalog:
    found: Catalog = vars(backend).setdefault("lab_catalog", {"default": {}})
    return found


def table_of(ddl: Any) -> Table:
    """The table that a parsed CREATE EXTERNAL TABLE describes."""
    from sqlglot import exp

    schema = ddl.this
    table = Table(schema.this.name.lower())
    for column in schema.expressions:
        if isinstance(column, exp.ColumnDef):
            table.columns[column.name.lower()] = column.kind
    serde = given_format = ""
    for item in (ddl.args.get("properties") or exp.Properties()).expressions:
        if isinstance(item, exp.PartitionedByProperty):
            for column in item.this.expressions:
                table.partitions[column.name.lower()] = column.args.get("kind")
                table.columns.pop(column.name.lower(), None)
        elif isinstance(item, exp.LocationProperty):
            table.location = item.this.name
        elif isinstance(item, exp.RowFormatSerdeProperty):
            serde = item.this.name
            table.properties |= dict(settings_of(item))
        elif isinstance(item, exp.RowFormatDelimitedProperty):
            delimiter = item.args.get("fields")
            table.delimiter = delimiter.name if delimiter else "\x01"
        elif isinstance(item, exp.FileFormatProperty):
            given_format = item.sql("hive")
        elif type(item) is exp.Property:
            table.properties[item.name] = item.args["value"].name
    table.format = format_of(serde, given_format)
    table.delimiter = table.properties.get("separatorChar", table.delimiter)
    table.skipped = int(table.properties.get("skip.header.line.count", "0"))
    if table.properties.get("projection.enabled", "").lower() == "true":
        table.template = table.properties.get("storage.location.template")
    return table


def settings_of(item: Any) -> Iterator[tuple[str, str]]:
    properties = item.args.get("serde_properties")
    for setting in properties.expressions if properties else []:
        yield setting.name, setting.args["value"].name


def format_of(serde: str, given_format: str) -> str:
    if CLOUDTRAIL.search(serde) or CLOUDTRAIL.search(given_format):
        return "cloudtrail"
    either = f"{serde} {given_format}".lower()
    return next((name for name in ("json", "parquet") if name in either), "csv")


def places(table: Table, keys: list[str]) -> dict[str, tuple[str, ...]]:
    """The objects of a table, and the partition values of each.

    keys: every `s3://` address below the table's location.
    """
    if not table.partitions:
        return dict.fromkeys(keys, ())
    found: dict[str, tuple[str, ...]] = {}
    if table.template:
        names = PROJECTED.findall(table.template)
        pattern = re.compile(
            re.sub(r"\\\$\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(table.template.rstrip("/")))
            + r"/[^/]+"
        )
        for key in keys:
            place = pattern.fullmatch(key)
            if (
                place
                and set(names) == set(table.partitions)
                and all(is_projected(table, name, place[name]) for name in names)
            ):
                found[key] = tuple(place[name] for name in table.partitions)
        return found
    for values, location in table.parts.items():
        prefix = location.rstrip("/") + "/"
        found |= {key: values for key in keys if key.startswith(prefix)}
    return found


def is_projected(table: Table, column: str, value: str) -> bool:
    """Whether the projection of a partition column has a value: of an enum, or within dates."""

    def setting(name: str) -> str:
        return table.properties.get(f"projection.{column}.{name}", "")

    kind = setting("type").strip().lower()
    if kind == "enum":
        return value in setting("values").split(",")
    if kind != "date" or not setting("range"):
        return True
    form = re.sub("|".join(DATE_PARTS), lambda part: DATE_PARTS[part[0]], setting("format"))
    try:
        first, last = (moment(text.strip(), form) for text in setting("range").split(","))
        return first <= datetime.strptime(value, form) <= last
    except (ValueError, TypeError, OverflowError):
        return False


def moment(text: str, form: str) -> datetime:
    """`NOW`, `NOW-3YEARS` or a date.

    Raises:
        ValueError, TypeError: it is nothing of the kind.
    """
    relative = MOMENT.fullmatch(text)
    if relative is None:
        return datetime.strptime(text, form)
    if relative[1] is None:
        return naive_now()
    count, unit, at = int(relative[1] + relative[2]), relative[3].lower(), naive_now()
    if unit not in MONTHS:
        return at + timedelta(**{f"{unit}s": count})
    year, month = divmod(at.year * 12 + at.month - 1 + count * MONTHS[unit], 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, 28))


def hive_parts(table: Table, keys: list[str]) -> dict[tuple[str, ...], str]:
    """The partitions that folders named `column=value` make, as MSCK REPAIR TABLE finds them."""
    found: dict[tuple[str, ...], str] = {}
    base = table.location.rstrip("/") + "/"
    for key in keys:
        folders = key.removeprefix(base).split("/")[: len(table.partitions)]
        pairs = [folder.partition("=") for folder in folders]
        if [name for name, _, _ in pairs] == list(table.partitions):
            found[tuple(value for _, _, value in pairs)] = base + "/".join(folders)
    return found
