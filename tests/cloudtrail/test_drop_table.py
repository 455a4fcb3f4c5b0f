"""The table goes, the log files stay."""

from collections.abc import Callable
from typing import Any

from cloudtrail.sample_records import BUCKET, FOLDER


def tables(client: Callable[..., Any]) -> list[str]:
    listed = client("athena").list_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="default"
    )
    return [table["Name"] for table in listed["TableMetadataList"]]


def test_the_table_goes_and_the_files_stay(
    run: Callable[..., Any], client: Callable[..., Any], s3: Any
) -> None:
    assert run("write_sample_logs", "--bucket", BUCKET, "--days", "1").status == 0
    before = s3.list_objects_v2(Bucket=BUCKET, Prefix="AWSLogs/")["KeyCount"]
    for name in ("create_table", "drop_table", "drop_table"):  # the last time there is none
        result = run("run_queries", "--bucket", BUCKET, str(FOLDER / f"{name}.sql"))
        assert (result.status, result.output) == (0, f"{name}.sql: done\n")
        assert tables(client) == (["cloudtrail_logs"] if name == "create_table" else [])
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="AWSLogs/")["KeyCount"] == before
