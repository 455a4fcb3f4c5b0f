"""Gradients that vanish in 12 sigmoid layers, and the cure."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

torch: Any = pytest.importorskip("torch", reason="PyTorch: make test-debugger")
pytestmark = pytest.mark.debugger


@pytest.fixture
def watch(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("watch_gradients")


def test_hooks_keep_the_mean_of_each_step(watch: ModuleType) -> None:
    network = torch.nn.Linear(2, 1)
    history = watch.record_gradients(network)
    network(torch.tensor([[3.0, -1.0]])).sum().backward()
    network.zero_grad()
    network(torch.tensor([[0.0, 4.0]])).sum().backward()
    assert history == {"weight": [2.0, 2.0], "bias": [1.0, 1.0]}


@pytest.mark.parametrize(
    ("values", "options", "found"),
    [
        ([1e-8] * 30, {}, ["a"]),
        ([1e-6] * 30, {}, []),
        ([1e-7] * 30, {}, []),  # below, not at the threshold
        ([1.0] * 10 + [1e-8] * 20, {}, ["a"]),  # only the last steps count
        ([1.0] * 10 + [1e-8] * 20, {"steps": 21}, []),
        ([1e-6] * 30, {"threshold": 1e-5}, ["a"]),
        ([0.0], {}, ["a"]),
        ([float("nan")], {}, []),  # NaN is ExplodingTensor's affair
    ],
)
def test_the_rule(
    watch: ModuleType, values: list[float], options: dict[str, float], found: list[str]
) -> None:
    assert watch.find_vanishing({"a": values, "b": [1.0]}, **options) == found


def test_a_bias_before_normalization_has_no_effect(watch: ModuleType) -> None:
    torch.manual_seed(0)
    rows = torch.randn(64, 8)
    norm = torch.nn.BatchNorm1d(8)
    assert torch.allclose(norm(rows), norm(rows + 5.0), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("sigmoid", 26), ("relu", 26), ("relu_norm", 50), ("relu_norm_no_bias", 38)],
)
def test_networks_have_twelve_layers(watch: ModuleType, name: str, parameters: int) -> None:
    network = watch.build_network(**watch.NETWORKS[name])
    assert len(list(network.parameters())) == parameters
    assert network(torch.zeros(3, 64)).shape == (3, 10)


@pytest.fixture
def outcome(
    run: Callable[..., Result], tmp_path: Path
) -> tuple[dict[str, list[str]], dict[str, list[float]]]:
    """The row of each network, and the columns of the figures."""
    file = tmp_path / "gradients.json"
    result = run("watch_gradients", "--json", str(file))
    assert (result.status, result.errors) == (0, "")
    _, *lines = result.output.splitlines()
    table = json.loads(file.read_text(encoding="utf-8"))["layers"]
    columns = zip(table["columns"], map(list, zip(*table["rows"], strict=True)), strict=True)
    return {line.split()[0]: line.split()[1:] for line in lines}, dict(columns)


def test_sigmoid_is_caught_and_cured(outcome: tuple[dict, dict]) -> None:
    rows, columns = outcome
    accuracy = {name: float(row[0]) for name, row in rows.items()}
    flagged = {name: (int(row[2]), int(row[3])) for name, row in rows.items()}
    assert accuracy["sigmoid"] < 0.15 and accuracy["relu"] < 0.15
    assert accuracy["relu_norm"] > 0.9 and accuracy["relu_norm_no_bias"] > 0.9
    assert flagged["sigmoid"][0] == 7
    assert flagged["relu_norm"] == (0, 12)  # the false alarm
    assert flagged["relu_norm_no_bias"] == (0, 0)
    sigmoid, cured = columns["sigmoid"], columns["relu_norm"]
    assert sigmoid[0] < 1e-12 < 1e-3 < sigmoid[-1]
    assert sigmoid == sorted(sigmoid)  # each layer further back gets less
    assert min(cured) > 1e-4
    assert max(columns["relu_norm_bias"][:12]) < 1e-7 < columns["relu_norm_bias"][12]
