"""Poor initial weights and dead ReLUs."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from awslab.run import Result

torch: Any = pytest.importorskip("torch", reason="PyTorch: make test-debugger")
pytestmark = pytest.mark.debugger


@pytest.fixture
def watch(example: Callable[[str], ModuleType]) -> ModuleType:
    return example("watch_activations")


@pytest.mark.parametrize(
    ("variances", "ranges", "poor"),
    [
        ([1.0, 1.2, 0.9], [0.01, 0.02], False),
        ([1.0, 10.0], [0.01], False),  # at the threshold, not above
        ([1.0, 10.1], [0.01], True),
        ([10.1, 1.0], [0.01], True),  # shrinking is as bad as growing
        ([1.0, 1.0], [0.01, 0.0009], True),  # one layer is enough
    ],
)
def test_poor_weights(
    watch: ModuleType, variances: list[float], ranges: list[float], poor: bool
) -> None:
    assert watch.has_poor_weights(variances, ranges) is poor


def test_a_relu_that_is_active_for_too_few_rows_is_dead(watch: ModuleType) -> None:
    outputs = torch.zeros(200, 4)
    outputs[:, 0] = 1.0
    outputs[0, 1] = 1.0  # 0.5 % of the rows
    outputs[:2, 2] = 1.0  # 1 %: just alive
    assert watch.dead_share(outputs) == pytest.approx(50)
    assert watch.dead_share(outputs, threshold_inactivity=0.4) == pytest.approx(25)


def test_more_than_half_of_a_layer_is_too_much(watch: ModuleType) -> None:
    assert not watch.has_dead_relus([0.0, 50.0])
    assert watch.has_dead_relus([0.0, 51.0])
    assert watch.has_dead_relus([20.0], threshold_layer=10)


def test_hooks_keep_what_goes_into_and_comes_out_of_each_relu(watch: ModuleType) -> None:
    network = torch.nn.Sequential(torch.nn.Identity(), torch.nn.ReLU())
    latest = watch.record_relus(network)
    network(torch.tensor([[-1.0, 2.0]]))
    ((given, made),) = latest.values()
    assert list(latest) == ["1"]
    assert (given.tolist(), made.tolist()) == ([[-1.0, 2.0]], [[0.0, 2.0]])


def test_each_start_gets_its_verdict(run: Callable[..., Result]) -> None:
    result = run("watch_activations")
    assert (result.status, result.errors) == (0, "")
    rows = {line[:17].strip(): line[17:].split() for line in result.output.splitlines()[1:]}
    assert {name: (row[2], row[3]) for name, row in rows.items()} == {
        "he": ("no", "no"),
        "PyTorch's default": ("yes", "no"),
        "std 1": ("yes", "yes"),
        "std 0.01": ("yes", "yes"),
        "he, rate 0.5": ("no", "yes"),
    }
    accuracy = {name: float(row[-1]) for name, row in rows.items()}
    assert accuracy["he"] > 0.8 > 0.5 > accuracy["PyTorch's default"]
    assert max(accuracy[name] for name in ("std 1", "std 0.01", "he, rate 0.5")) < 0.15
