"""A folder of log files without AWS: what is read, what is skipped and why, and any rubbish."""

import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from awslab.run import run_script
from cloudtrail.sample_records import DAYS, FOLDER, module, on_athena, packed, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Run = Callable[..., Any]
GOOD = {"eventTime": "2026-10-01T00:00:00Z", "eventName": "ListUsers", "awsRegion": "us-east-1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good log file."""
    return put(tmp_path / "logs", "good.json.gz", packed([GOOD]))


@pytest.fixture
def ask(run: Run, tmp_path: Path) -> Run:
    """`ask(folder, "SELECT …")`: the program on one file of SQL."""

    def start(folder: Path, sql: str, *arguments: str) -> Any:
        file = tmp_path / "a.sql"
        file.write_text(sql, encoding="utf-8")
        return run("query_logs", str(folder), str(file), *arguments)

    return start


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return folder


# --- What is read ---


def test_all_queries_run_on_the_sample(run: Run, tmp_path: Path) -> None:
    result = run("query_logs", str(write(tmp_path)))
    assert (result.status, result.errors) == (0, "")
    titles = [line for line in result.output.splitlines() if ".sql: " in line]
    names = sorted(path.name for path in FOLDER.glob("*.sql"))
    queries = [name for name in names if name not in ("create_table.sql", "drop_table.sql")]
    assert [title.partition(":")[0] for title in titles] == queries
    assert result.output.startswith("75 log files read, 0 skipped\n")


@pytest.mark.parametrize("name", ["who", "errors"])
def test_the_program_prints_what_athena_finds(run: Run, tmp_path: Path, name: str) -> None:
    file = str(FOLDER / f"{name}.sql")
    result = run("query_logs", str(write(tmp_path)), file)
    lines = [line.split("  ") for line in result.output.splitlines()[4:]]
    printed = [[cell.strip() for cell in line if cell] for line in lines]
    assert printed == [[cell for cell in row if cell] for row in on_athena(f"{name}.sql")]


def test_days_are_those_of_the_folders(ask: Run, tmp_path: Path) -> None:
    """A record of yesterday may lie in today's folder, as in Athena's partitions."""
    place = "o/AWSLogs/o-exampleorgid/444455556666/CloudTrail/eu-west-1/2026/10/02/a.json.gz"
    put(tmp_path / "logs", place, packed([GOOD]))
    put(tmp_path / "logs", "loose.json", json.dumps({"Records": [GOOD]}).encode())
    sql = """SELECT region, "timestamp" FROM cloudtrail_logs
             WHERE "timestamp" BETWEEN '${first_day}' AND '${last_day}' ORDER BY 2"""
    assert ask(tmp_path / "logs", sql).output.splitlines()[4:] == [
        "us-east-1  2026/10/01",
        "eu-west-1  2026/10/02",
    ]
    late = ask(tmp_path / "logs", sql, "--first-day", "2026/10/02", "--last-day", "2026/10/31")
    assert late.output.splitlines()[4:] == ["eu-west-1  2026/10/02"]


def test_files_that_were_unpacked_already(ask: Run, tmp_path: Path) -> None:
    """Some tools unpack what bears Content-Encoding gzip, and keep the name."""
    text = json.dumps({"Records": [GOOD]}).encode()
    put(tmp_path / "logs", "a.json", text)
    put(tmp_path / "logs", "b.json.gz", text)
    put(tmp_path / "logs", "c.json", gzip.compress(text))
    put(tmp_path / "logs", "d.json", b"\xef\xbb\xbf" + text)
    put(tmp_path / "logs", "e.gz", gzip.compress(text))
    put(tmp_path / "logs", "UPPER.JSON.GZ", gzip.compress(text))
    result = ask(tmp_path / "logs", "SELECT count(*) AS n FROM cloudtrail_logs")
    assert (result.status, result.errors) == (0, "")
    assert result.output.endswith("\nn\n6\n")


def test_other_files_are_counted_and_left_out(ask: Run, folder: Path) -> None:
    for name in ("a.txt", "b.csv", "good"):
        put(folder, name, b"nothing")
    result = ask(folder, "SELECT count(*) AS n FROM cloudtrail_logs")
    assert result.status == 0
    assert result.output.startswith("1 log files read, 0 skipped, 3 other files left out\n")
    assert result.errors == f"left out: {folder}/a.txt and all that is not .json or .gz\n"


def test_a_copy_of_a_whole_bucket(ask: Run, tmp_path: Path) -> None:
    """Digest and Insights files are a part of the normal layout."""
    digest = gzip.compress(b'{"digestS3Object": "a", "logFiles": []}', mtime=0)
    insight = packed([{"eventCategory": "Insight"}])
    place = "AWSLogs/111122223333/{}/us-east-1/2026/10/01/a.json.gz"
    put(tmp_path / "logs", place.format("CloudTrail"), packed([GOOD]))
    put(tmp_path / "logs", place.format("CloudTrail-Digest"), digest)
    put(tmp_path / "logs", place.format("CloudTrail-Insight"), insight)
    put(tmp_path / "logs", "elsewhere.json.gz", digest)
    result = ask(tmp_path / "logs", "SELECT count(*) AS n FROM cloudtrail_logs")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "1 log files read, 0 skipped, 3 digest or Insights files left out\n\na.sql: 1 rows\nn\n1\n"
    )


def test_fields_of_newer_versions_and_missing_ones_do_no_harm(ask: Run, tmp_path: Path) -> None:
    strange = {
        "eventVersion": "2.0",
        "userIdentity": "a text now",
        "resources": {"not": "a list"},
        "tlsDetails": [1],
        "eventTime": 17,
        "readOnly": "maybe",
        "requestParameters": [{"a": 1.5}],
        "newField": {},
        "USERAGENT": "shouting",
    }
    put(tmp_path / "logs", "a.json.gz", packed([strange, {}]))
    sql = """SELECT eventtime, useridentity.arn AS arn, readonly, requestparameters, useragent
             FROM cloudtrail_logs ORDER BY 1"""
    result = ask(tmp_path / "logs", sql)
    assert (result.status, result.errors) == (0, "")
    assert result.output.splitlines()[4:] == [
        '17              maybe     [{"a": 1.5}]       shouting',
        "",
    ]


def test_many_records_go_in_by_batches(ask: Run, tmp_path: Path) -> None:
    batch = module("query_logs").BATCH
    for number, size in enumerate([batch - 1, 1, 2, 0, 2 * batch + 1]):
        put(tmp_path / "logs", f"{number}.json.gz", packed([GOOD] * size))
    result = ask(tmp_path / "logs", "SELECT count(*) AS n FROM cloudtrail_logs")
    assert result.output == f"5 log files read, 0 skipped\n\na.sql: 1 rows\nn\n{3 * batch + 3}\n"


# --- What is skipped ---


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json.gz", b"", "holds no JSON, or is no gzip file"),
        ("a.json.gz", b"no gzip", "holds no JSON, or is no gzip file"),
        ("a.json.gz", packed([GOOD])[:-20], "is cut off or damaged"),
        ("a.json.gz", packed([GOOD])[:12] + b"xxxx" + packed([GOOD])[16:], "damaged"),
        ("a.json.gz", b"\x1f\x8b\x00\x00" + bytes(20), "cannot be read: Unknown compression"),
        ("a.json.gz", packed([GOOD])[:-8] + bytes(8), "cannot be read: CRC check failed"),
        ("a.json.gz", gzip.compress(b'{"Records": [', mtime=0), "holds no JSON"),
        ("a.json", b'{"Records": [\xff]}', "holds no JSON"),
        ("a.json", b"[" * 200_000, "holds no JSON"),
        ("a.json", b'{"Records": [' + b"9" * 5_000 + b"]}", "holds no JSON"),
        ("a.json", b"[]", "is a JSON file without Records"),
        ("a.json", b"null", "is a JSON file without Records"),
        ("a.json", b'{"Records": {}}', "is a JSON file without Records"),
        ("a.json", b'{"Records": [{}, 7]}', "has a record that is no JSON object"),
        ("a.json", b'{"configurationItems": []}', "is a Config file without Records"),
        ("a.json", b'{"Records": [{"eventCategory": "Insight"}]}', "holds Insights events"),
    ],
)
def test_what_is_no_log_file_is_named_and_skipped(
    ask: Run, folder: Path, name: str, content: bytes, reason: str
) -> None:
    put(folder, f"sub/{name}", content)
    result = ask(folder, "SELECT count(*) AS n FROM cloudtrail_logs")
    assert result.status == 1
    assert result.output == "1 log files read, 1 skipped\n\na.sql: 1 rows\nn\n1\n"
    (line,) = result.errors.splitlines()
    assert line.startswith(f"skipped: {folder}/sub/{name} ")
    assert reason in line


def test_a_file_that_may_not_be_read(ask: Run, folder: Path) -> None:
    (folder / "a.json").mkdir()  # a folder of that name is no file
    (folder / "b.json").symlink_to(folder / "nowhere")
    result = ask(folder, "SELECT count(*) AS n FROM cloudtrail_logs")
    assert result.status == 1
    assert result.errors == (
        f"skipped: {folder}/b.json cannot be read: No such file or directory\n"
    )


def test_a_folder_that_may_not_be_read(
    ask: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "closed").mkdir()
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = ask(folder, "SELECT count(*) AS n FROM cloudtrail_logs")
    assert result.status == 1
    assert result.output.startswith("1 log files read, 1 skipped\n")
    assert result.errors == f"skipped: {folder}/closed cannot be read: Permission denied\n"


def test_a_link_to_a_folder_is_named(ask: Run, folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "other", "b.json.gz", packed([GOOD]))
    (folder / "link").symlink_to(tmp_path / "other")
    (folder / "file.json.gz").symlink_to(tmp_path / "other" / "b.json.gz")
    result = ask(folder, "SELECT count(*) AS n FROM cloudtrail_logs")
    assert result.status == 1
    assert result.output == "2 log files read, 1 skipped\n\na.sql: 1 rows\nn\n2\n"
    assert result.errors == f"skipped: {folder}/link is a link to a folder\n"


def test_what_is_no_regular_file_is_not_waited_for(ask: Run, folder: Path) -> None:
    os.mkfifo(folder / "p.json")
    result = ask(folder, "SELECT count(*) AS n FROM cloudtrail_logs")
    assert result.status == 1
    assert result.errors == f"skipped: {folder}/p.json is no regular file\n"


def test_the_folder_is_missing_a_file_or_empty(ask: Run, tmp_path: Path) -> None:
    missing = ask(tmp_path / "logs", "SELECT 1 AS n")
    assert (missing.status, missing.output) == (2, "")
    assert f"{tmp_path}/logs cannot be read as a folder: No such file" in missing.errors
    put(tmp_path, "a.json.gz", packed([GOOD]))
    file = ask(tmp_path / "a.json.gz", "SELECT 1 AS n")
    assert (file.status, file.output) == (2, "")
    assert f"{tmp_path}/a.json.gz cannot be read as a folder: Not a directory" in file.errors
    (tmp_path / "logs").mkdir()
    empty = ask(tmp_path / "logs", "SELECT 1 AS n")
    assert (empty.status, empty.output) == (2, "0 log files read, 0 skipped\n")
    assert empty.errors == f"There is no log file below {tmp_path}/logs.\n"
    put(tmp_path / "logs", "a.json", b"[]")
    damaged = ask(tmp_path / "logs", "SELECT 1 AS n")
    assert (damaged.status, damaged.output) == (2, "0 log files read, 1 skipped\n")
    assert damaged.errors.endswith(f"\nNo log file could be read below {tmp_path}/logs.\n")


# --- Queries ---


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELEC nothing", ""),
        ("SELECT nothing FROM cloudtrail_logs", "nothing"),
        ("SELECT * FROM absent", "absent"),
        ("SELECT no_such(eventname) FROM cloudtrail_logs", "no_such"),
        ("", "write one SELECT per file"),
        ("SELECT 1; SELECT 2", "write one SELECT per file"),
        ("DROP TABLE cloudtrail_logs", "write one SELECT per file"),
        ("SELECT '${bucket}' FROM cloudtrail_logs", "${bucket} is not known here"),
    ],
)
def test_a_query_that_fails_is_told_and_the_others_run(
    run: Run, folder: Path, tmp_path: Path, sql: str, reason: str
) -> None:
    (tmp_path / "bad.sql").write_text(sql)
    (tmp_path / "good.sql").write_text("SELECT eventname FROM cloudtrail_logs")
    result = run("query_logs", str(folder), str(tmp_path / "bad.sql"), str(tmp_path / "good.sql"))
    assert result.status == 2
    assert result.output.endswith("good.sql: 1 rows\neventname\nListUsers\n")
    (line,) = result.errors.splitlines()
    assert line.startswith(f"{tmp_path}/bad.sql: ")
    assert reason in line


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        ("\ufeffSELECT 'ü' AS n; -- done".encode(), 0, ""),
        ("SELECT 'ü' AS n".encode("latin-1"), 2, "'utf-8' codec can't decode byte 0xfc"),
    ],
    ids=["mark", "latin-1"],
)
def test_the_encoding_of_sql(
    run: Run, folder: Path, tmp_path: Path, content: bytes, status: int, told: str
) -> None:
    (tmp_path / "a.sql").write_bytes(content)
    result = run("query_logs", str(folder), str(tmp_path / "a.sql"))
    assert result.status == status
    assert told in result.errors and len(result.errors.splitlines()) == (status > 0)
    assert result.output.endswith("\nn\nü\n") == (status == 0)


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_stops_early_is_no_error(folder: Path, buffered: str) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": buffered}
    command = [sys.executable, str(FOLDER / "query_logs.py"), str(folder)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_a_program_without_its_table_says_so(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "query_logs.py"
    alone.write_text((FOLDER / "query_logs.py").read_text(encoding="utf-8"), encoding="utf-8")
    result = run_script(alone, [str(folder)])
    assert (result.status, result.output) == (2, "")
    assert "Nothing was queried" in result.errors and "create_table.sql" in result.errors


def test_a_query_file_that_is_not_there(run: Run, folder: Path) -> None:
    result = run("query_logs", str(folder), "none.sql")
    assert result.status == 2
    assert result.errors == "none.sql: [Errno 2] No such file or directory: 'none.sql'\n"


# --- Rubbish ---

TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
NAMES = (
    st.sampled_from(
        [
            "userIdentity",
            "resources",
            "requestParameters",
            "eventTime",
            "sessionContext",
            "arn",
            "attributes",
            "webIdFederationData",
            "responseElements",
            "eventName",
            "errorCode",
        ]
    )
    | TEXTS
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
FILES = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda content: gzip.compress(content, mtime=0)),
    st.binary(max_size=40).map(lambda rest: b"\x1f\x8b\x08" + rest),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.lists(st.dictionaries(NAMES, VALUES, max_size=6), max_size=3).map(
        lambda found: json.dumps({"Records": found}).encode()
    ),
)


@pytest.fixture(scope="module")
def rubbish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rubbish")


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(contents=st.lists(FILES, min_size=1, max_size=4))
def test_no_content_of_files_leads_to_a_traceback(rubbish: Path, contents: list[bytes]) -> None:
    query_logs = module("query_logs")
    for old in rubbish.iterdir():
        old.unlink()
    for number, content in enumerate(contents):
        put(rubbish, f"{number}.json{'.gz' if number % 2 else ''}", content)
    said = io.StringIO()
    with duckdb.connect() as database, contextlib.redirect_stderr(said):
        count = query_logs.load(database, rubbish)
        assert sum(count.values()) == len(contents)
        assert len(said.getvalue().splitlines()) == count["skipped"]
        if not count["read"]:
            return
        for file in FOLDER.glob("*.sql"):
            if file.name in query_logs.TABLE_FILES:
                continue
            text = file.read_text(encoding="utf-8")
            for day, value in DAYS.items():
                text = text.replace(f"BETWEEN '${{{day}}}'", "BETWEEN ''").replace(
                    f"${{{day}}}", "x" * (day == "last_day") or value
                )
            sql = query_logs.translate(text)
            database.execute(sql).fetchall()


def test_the_database_does_not_stay(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert run("query_logs", str(folder)).status == 0
    assert list(place.iterdir()) == []
