from collections.abc import Callable
from typing import Any

import distributed
import numpy as np
import pytest
import xgboost

Run = Callable[..., Any]


def test_few_rows_give_the_same_model_and_many_nearly_the_same(run: Run) -> None:
    result = run("train_with_dask", "--rows", "2000")
    assert (result.status, result.errors) == (0, "")
    rows, alone, together, same = result.output.splitlines()
    assert (rows, same) == ("2000 rows", "  same predictions, to 0.00001: yes")
    assert alone.split()[-1] == together.split()[-1]
    result = run("train_with_dask", "--rows", "20000")
    _, alone, together, same = result.output.splitlines()
    assert same == "  same predictions, to 0.00001: no"
    assert float(alone.split()[-1]) == pytest.approx(float(together.split()[-1]), abs=0.002)


@pytest.mark.parametrize(("options", "processes"), [([], False), (["--processes"], True)])
def test_workers_are_threads_unless_processes_are_asked_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, options: list[str], processes: bool
) -> None:
    asked = []

    def cluster(**options: Any) -> Any:  # two new processes take most of ten seconds to start
        asked.append(options)
        return start(**options | {"processes": False})

    start = distributed.LocalCluster
    monkeypatch.setattr(distributed, "LocalCluster", cluster)
    assert run("train_with_dask", "--rows", "100", *options).status == 0
    assert [(each["processes"], each["n_workers"]) for each in asked] == [(processes, 2)]


def test_each_worker_holds_half_of_the_rows(
    example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = example("train_with_dask")
    parts: list[Any] = []

    def train(client: Any, settings: Any, data: list[Any], num_boost_round: int) -> Any:
        parts.extend(part.numblocks + part.chunks[:1] for part in data)
        return {"booster": "model"}

    monkeypatch.setattr(module.distributed_xgboost, "DaskDMatrix", lambda client, *data: data)
    monkeypatch.setattr(module.distributed_xgboost, "train", train)
    rows, labels = module.make_rows(101)
    assert module.train_distributed(None, rows, labels) == "model"
    assert parts == [(2, 1, (51, 50)), (2, (51, 50))]


def test_the_loss_is_that_of_xgboost(example: Callable[[str], Any]) -> None:
    module = example("train_with_dask")
    rows, labels = module.make_rows(300)
    model = module.train_alone(rows, labels)
    data = xgboost.DMatrix(rows, label=labels)
    model.set_param("eval_metric", "logloss")
    wanted = float(model.eval(data).rpartition(":")[2])
    assert module.loss(model.predict(data), labels) == pytest.approx(wanted, abs=1e-5)
    assert set(np.unique(labels)) == {0, 1}


def test_too_few_rows(run: Run) -> None:
    result = run("train_with_dask", "--rows", "99")
    assert (result.status, result.output) == (2, "")
    assert result.errors.endswith("error: --rows: 100 or more\n")
