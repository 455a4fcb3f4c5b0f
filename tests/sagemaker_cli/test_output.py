"""Data in the three forms, on terminals of all widths."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import click
import jmespath
import pytest
from smcli import output
from smcli.calls import AWS
from smcli.ending import Unreadable
from smcli.help import Context
from smcli.main import cli
from smcli.output import as_table, as_text, show_json, show_list, show_made, show_one, wide

ITEMS = {
    "Models": [
        {"ModelName": "churn", "CreationTime": datetime(2026, 11, 29, 1, 2, 3, 9, UTC)},
        {"ModelName": "売上", "CreationTime": None},
    ]
}
TEXT = "churn\t2026-11-29T01:02:03.000009+00:00\n売上\t-\n"
COLUMNS = {"Name": "ModelName", "Created": "CreationTime"}


def test_a_list_as_table_json_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_list(AWS(), ITEMS, "Models", COLUMNS)
    out, errors = capsys.readouterr()
    assert errors == "2 items\n"
    assert out.splitlines() == [
        "Name    Created",
        "------  -------------------------",
        "churn   2026-11-29 01:02:03+00:00",
        "売上    -",
    ]
    show_list(AWS(output="text"), ITEMS, "Models", COLUMNS)
    assert capsys.readouterr().out == "churn\t2026-11-29 01:02:03+00:00\n売上\t-\n"
    show_list(AWS(output="json"), ITEMS, "Models", COLUMNS)
    assert json.loads(capsys.readouterr().out)["Models"][0] == {
        "ModelName": "churn",
        "CreationTime": "2026-11-29T01:02:03.000009+00:00",
    }


def test_one_thing_leaves_out_what_has_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"Name": "m", "Deep": {"Image": "i"}, "Reason": "", "Env": {}}
    fields = {"Name": "Name", "Image": "Deep.Image", "Reason": "Reason", "E": "Env", "X": "No.No"}
    show_one(AWS(), answer, fields)
    assert capsys.readouterr().out == "Name   m\nImage  i\n"


def test_as_text_each_field_of_one_thing_has_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    fields = {"Name": "Name", "Reason": "Reason", "Env": "Env", "Count": "Count"}
    show_one(AWS(output="text"), {"Name": "m", "Env": {}, "Count": 0}, fields)
    assert capsys.readouterr().out == "m\t-\t-\t0\n"


def test_a_query_that_fails_says_that_the_work_was_done() -> None:
    aws = AWS(query=jmespath.compile("sum(@)"))
    with pytest.raises(Unreadable, match=r"^--query: In function sum\(\)") as failed:
        show_made(aws, {"ModelArn": "arn"}, "ModelArn", "smcli model-list")
    assert failed.value.exit_code == 255
    assert failed.value.__notes__ == ["Only the query failed; the command itself succeeded."]


@pytest.mark.parametrize(
    ("query", "form", "shown"),
    [
        ("Models[].ModelName", "text", "churn\n売上\n"),
        ("Models[].[ModelName, CreationTime]", "text", TEXT),
        ("Models[0].ModelName", "json", '"churn"\n'),
        ("Models[0].ModelName", "table", "churn\n"),
        ("Models[].{n: ModelName}", "table", "n\n-----\nchurn\n売上\n"),
        ("length(Models)", "text", "2\n"),
        ("Nothing", "text", "-\n"),
        ("Models[?ModelName=='x']", "table", ""),
    ],
)  # fmt: skip
def test_a_query_takes_a_part(
    capsys: pytest.CaptureFixture[str], query: str, form: str, shown: str
) -> None:
    show_json(AWS(output=form, query=jmespath.compile(query)), ITEMS)
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_a_table_fits_into_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr(output, "terminal_width", lambda: width)
    rows = [["churn-2026", "arn:aws:" + "x" * 90, "InService"], ["b", "説明" * 30, "Failed"]]
    table = as_table(rows, ["Name", "ARN", "Status"])
    assert max(map(wide, table.splitlines())) <= max(width, 60)
    assert "".join(table.split()).count("x") == 90
    monkeypatch.setattr(output, "terminal_width", lambda: None)
    assert max(map(wide, as_table(rows, []).splitlines())) > 100


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (0, "0"), (False, "False"), ({"a": [1]}, '{"a": [1]}'), ("a\n b\t", "a b")],
)
def test_a_value_is_one_line(value: Any, shown: str) -> None:
    assert as_text(value) == shown


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [80, 100, 120])
def test_help_fits_into_the_terminal(
    monkeypatch: pytest.MonkeyPatch, language: str, width: int
) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    for name in ("endpoint-update", "training-create"):
        command = cli.get_command(click.Context(cli), name)
        assert command
        ctx = Context(command, info_name=name, terminal_width=width, max_content_width=width)
        lines = command.get_help(ctx).splitlines()
        texts = [line for line in lines if not re.match(r" *(--|[A-Z_0-9]{3,}|Usage|使い方)", line)]
        assert max(map(wide, texts)) <= width
        assert not any(line.strip()[:1] in set("、。）") for line in lines)
