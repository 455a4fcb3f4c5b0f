from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Run = Callable[..., Any]


def test_expressions_that_catch_whole_numbers(run: Run) -> None:
    result = run("match_metrics", "validation-logloss:([0-9.]+)", r"accuracy=(0\.\d+)")
    assert (result.status, result.errors) == (0, "")
    assert result.output == (
        "validation-logloss:([0-9.]+)\n  2 values: 0.61057, 0.5612\n"
        "accuracy=(0\\.\\d+)\n  2 values: 0.81, 0.84\n"
    )


@pytest.mark.parametrize(
    ("regex", "values", "problems"),
    [
        ("loss=([0-9.]+)", [9.7], ["line 1: 9.7 is only a part of 9.7e-05"]),
        ("loss=([0-9]+)", [9.0], ["line 1: 9 is only a part of 9.7"]),
        ("loss=(.*?)", [], ["line 1: '' is no number"]),
        ("loss=(.*)", [], ["line 1: '9.7e-05 done' is no number"]),
        ("loss=(x)?", [], ["line 1: '' is no number"]),
        (r"loss=([0-9.]+(?:e[+-]?\d+)?)", [9.7e-05], []),
        ("Loss=(.*)", [], []),
    ],
)
def test_what_is_wrong_with_a_match(
    example: Callable[[str], ModuleType], regex: str, values: list[float], problems: list[str]
) -> None:
    found = example("match_metrics").values_of(regex, ["loss=9.7e-05 done", "nothing"])
    assert found == (values, problems)


def test_an_expression_that_matches_nothing_ends_with_an_error(run: Run) -> None:
    result = run("match_metrics", "Loss=(.*)", "accuracy=([0-9.]+)")
    assert result.status == 1
    assert "Loss=(.*)\n  0 values: none\n" in result.output
    assert result.errors == "1 of 2 expressions would mislead a tuning job.\n"


def test_the_log_of_a_job(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("auc: 0.5\nauc: 0.75\n" * 4)
    result = run("match_metrics", "--log", str(log), "auc: ([0-9.]+)")
    assert result.output == "auc: ([0-9.]+)\n  8 values: 0.5, 0.75, 0.5, 0.75, 0.5\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["loss=[0-9.]+"], "'loss=[0-9.]+' has no group: put ( ) around the number"),
        (["loss=(["], "'loss=([' is no regular expression: unterminated character set"),
        (["--log", "/missing/train.log", "(x)"], "No such file or directory"),
    ],
)
def test_bad_input(run: Run, options: list[str], said: str) -> None:
    result = run("match_metrics", *options)
    assert result.status == 1
    assert said in result.errors
    assert result.errors.endswith(". Nothing was sent to AWS.\n")


def test_the_sample_has_the_lines_of_the_container(
    example: Callable[[str], ModuleType], stored: str, create: Run, run: Run, client: Run
) -> None:
    create("real", "--jobs", "1")
    run("read_tuning_job", "--name", "real")
    logs, group = client("logs"), "/aws/sagemaker/TrainingJobs"
    stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    lines = [event["message"] for event in events]
    values, problems = example("match_metrics").values_of("validation-logloss:([0-9.]+)", lines)
    assert (len(values), problems) == (2, [])
    final = client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="real"
    )["TrainingJobSummaries"][0]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert values[-1] == pytest.approx(final["Value"])
    assert final["MetricName"] == "validation:logloss"
