import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from awslab.run import Result
from botocore.exceptions import ClientError

Run = Callable[..., Result]
Make = Callable[..., Any]


def test_what_it_makes(create: Run, client: Make, answers: Callable[[str], Any]) -> None:
    result = create()
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "shop-score  alias live -> version 1, watched by shop-score-live-errors\n"
    )
    functions = client("lambda")
    found = functions.get_function(FunctionName="shop-score", Qualifier="1")["Configuration"]
    assert (found["Runtime"], found["Handler"]) == ("python3.13", "weigh_row.handler")
    alias = functions.get_alias(FunctionName="shop-score", Name="live")
    assert alias["FunctionVersion"] == "1" and "RoutingConfig" not in alias
    assert answers("live") == {"version": "1", "score": 0.587}
    (alarm,) = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["AlarmName"] == "shop-score-live-errors"
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    assert {d["Name"]: d["Value"] for d in alarm["Dimensions"]} == {
        "FunctionName": "shop-score",
        "Resource": "shop-score:live",
    }
    trust = client("iam").get_role(RoleName="shop-score")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_the_archive_is_the_same_each_time_and_lambda_may_read_it(
    example: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "answer.py"
    file.write_text("x = 1\n")
    module = example("create_function")
    first = module.pack(file)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert module.pack(file) == first
    (entry,) = zipfile.ZipFile(io.BytesIO(first)).infolist()
    assert (entry.filename, entry.external_attr >> 16) == ("answer.py", 0o644)


def test_a_file_that_is_missing(create: Run, client: Make) -> None:
    result = create(file=Path("nowhere.py"))
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "[Errno 2] No such file or directory: 'nowhere.py'. Nothing was made. "
        "Check the options, AWS_DEFAULT_REGION and credentials.\n"
    )
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client("iam").get_role(RoleName="shop-score")


def test_a_name_that_is_taken(create: Run, client: Make) -> None:
    create()
    result = create()
    assert (result.status, result.output) == (1, "")
    assert "EntityAlreadyExists" in result.errors
    assert "A part of shop-score may be left: delete_function.py deletes all, also" in result.errors


def test_interrupted_while_the_role_spreads(create: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    result = create()
    assert (result.status, result.output) == (1, "")
    assert result.errors == (
        "Interrupted. A part of shop-score may be left: delete_function.py deletes all, also what "
        "was there before.\n"
    )
