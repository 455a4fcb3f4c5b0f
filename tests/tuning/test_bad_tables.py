"""The programs that search on this computer refuse tables that are no binary problem."""

from collections.abc import Callable
from pathlib import Path

import pytest
from awslab.run import Result

NO_PROBLEM = "train.csv: each row needs a label, 0 or 1 (both), and features"


@pytest.mark.parametrize("program", ["compare_samplers", "cross_validate", "tune_with_optuna"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n", "train.csv is empty"),
        ("1\n0\n", NO_PROBLEM),
        ("5,0.1\n7,0.2\n", NO_PROBLEM),
        ("1,0.1\n1,0.2\n", NO_PROBLEM),
        ("1,inf\n0,0.2\n", NO_PROBLEM),
        ("1,1e300\n0,0.2\n", NO_PROBLEM),
        ("1,0.1\n0,0.2\n", "The two tables have different numbers of columns"),
    ],
)
def test_a_table_that_is_no_binary_problem(
    run: Callable[..., Result], data: Path, tmp_path: Path, program: str, text: str, said: str
) -> None:
    (tmp_path / "train.csv").write_text(text)
    (tmp_path / "validation.csv").write_bytes((data / "validation.csv").read_bytes())
    file = tmp_path / "x.json"
    result = run(program, "--data", str(tmp_path), "--json", str(file))
    assert (result.status, result.output) == (1, "")
    assert result.errors.endswith(". Write the data with write_data.py first.\n")
    assert said in result.errors
    assert not file.exists()
