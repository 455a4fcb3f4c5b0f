"""Train four 12-layer networks, record their gradients by hooks, and find those that vanish."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import torch
from sklearn.datasets import load_digits
from torch import nn

NETWORKS = {
    "sigmoid": {"activation": nn.Sigmoid, "norm": False, "bias": True},
    "relu": {"activation": nn.ReLU, "norm": False, "bias": True},
    "relu_norm": {"activation": nn.ReLU, "norm": True, "bias": True},
    "relu_norm_no_bias": {"activation": nn.ReLU, "norm": True, "bias": False},
}


def build_network(activation: Callable[[], nn.Module], norm: bool, bias: bool) -> nn.Sequential:
    """12 layers of 64 units, with batch normalization before the activation if `norm`."""
    layers: list[nn.Module] = []
    for _ in range(12):
        layers.append(nn.Linear(64, 64, bias=bias))
        if norm:
            layers.append(nn.BatchNorm1d(64))
        layers.append(activation())
    return nn.Sequential(*layers, nn.Linear(64, 10))


# [start: record]
def record_gradients(network: nn.Module) -> dict[str, list[float]]:
    """Keep the mean |gradient| of each parameter after every backward pass, by its name."""
    history: dict[str, list[float]] = {name: [] for name, _ in network.named_parameters()}
    for name, parameter in network.named_parameters():
        parameter.register_post_accumulate_grad_hook(
            lambda p, kept=history[name]: kept.append(p.grad.abs().mean().item())
        )
    return history


def find_vanishing(
    history: dict[str, list[float]], threshold: float = 1e-7, steps: int = 20
) -> list[str]:
    """The parameters whose mean |gradient| over the last steps is below `threshold`."""
    return [name for name, values in history.items() if mean(values[-steps:]) < threshold]


# [end: record]


def train_network(network: nn.Sequential, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Train for six epochs at a falling rate; the accuracy on all rows, from 0 to 1."""
    batches = [batch for _ in range(6) for batch in torch.randperm(len(inputs)).split(64)]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    rate = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.01, total_iters=len(batches))
    for batch in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs[batch]), labels[batch]).backward()
        optimizer.step()
        rate.step()
    with torch.no_grad():
        return (network.eval()(inputs).argmax(1) == labels).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the gradients of the layers here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    digits, target = load_digits(return_X_y=True)
    inputs, labels = torch.tensor(digits / 16, dtype=torch.float32), torch.tensor(target)
    columns: dict[str, list[float]] = {"layer": list(range(1, 14))}
    print("network            accuracy  layer 1  vanishing: weights  biases")
    for name, parts in NETWORKS.items():
        torch.manual_seed(3)
        network = build_network(**parts)
        history = record_gradients(network)
        accuracy = train_network(network, inputs, labels)
        found = find_vanishing(history)
        biases = sum(parameter.endswith(".bias") for parameter in found)
        means = {key: mean(values[-20:]) for key, values in history.items()}
        layers = [key for key, layer in network.named_children() if isinstance(layer, nn.Linear)]
        for kind in ("weight", "bias") if name == "relu_norm" else ("weight",):
            values = [float(f"{means[f'{key}.{kind}']:.2g}") for key in layers]
            columns[name if kind == "weight" else f"{name}_bias"] = values
        row = f"{accuracy:>8.2f}  {means['0.weight']:.0e}  {len(found) - biases:>18}  {biases:>6}"
        print(f"{name:<17}  {row}")
    if options.json:
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        options.json.write_text(json.dumps({"layers": {"columns": list(columns), "rows": rows}}))


if __name__ == "__main__":
    main()
