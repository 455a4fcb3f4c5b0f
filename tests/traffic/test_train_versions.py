from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from awslab.run import Result

Run = Callable[..., Result]


def test_the_second_version_has_more_rounds_and_is_no_worse(run: Run, data: Path) -> None:
    folder = data / "again"
    result = run("train_versions", "--data", str(data / "binary"), "--folder", str(folder))
    assert (result.status, result.errors) == (0, "")
    one, two = (line.split() for line in result.output.splitlines())
    assert (one[0], two[0]) == (str(folder / "v1.json"), str(folder / "v2.json"))
    assert (one[1], two[1]) == ("5", "40")
    assert 0.7 < float(one[-1]) <= float(two[-1]) + 0.02
    first, second = (xgboost.Booster(model_file=folder / f"v{n}.json") for n in (1, 2))
    assert (first.num_boosted_rounds(), second.num_boosted_rounds()) == (5, 40)
    assert first.num_features() == 8
    table = np.loadtxt(data / "binary" / "validation.csv", delimiter=",")
    likely = first.predict(xgboost.DMatrix(table[:, 1:])) >= 0.5
    assert float(one[-1]) == pytest.approx(np.mean(likely == table[:, 0]), abs=0.0006)
    assert (folder / "v1.json").read_bytes() == (data / "models" / "v1.json").read_bytes()


def test_bad_data(run: Run, tmp_path: Path) -> None:
    def refused(*arguments: Any) -> str:
        result = run("train_versions", *map(str, arguments))
        assert (result.status, result.output) == (1, "")
        return result.errors

    said = refused("--data", tmp_path, "--folder", tmp_path / "models")
    assert said.startswith("Cannot train: ") and "train.csv not found" in said
    for text in ("label,x\n", "0,1\n1\n", "2,1\n0,2\n"):
        for name in ("train", "validation"):
            (tmp_path / f"{name}.csv").write_text(text)
        said = refused("--data", tmp_path, "--folder", tmp_path / "models")
        assert said.startswith("Cannot train: ") and said.count("\n") == 1
        assert said.endswith("Choose --data with labels first, and another --folder.\n")
