"""Train a network and stop when a gradient explodes, with the last good weights kept."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

STEPS = 60


# [start: rule]
def find_exploding(tensors: Iterable[tuple[str, torch.Tensor]]) -> list[str]:
    """The names of the tensors that hold an infinite value or NaN."""
    return [name for name, tensor in tensors if not torch.isfinite(tensor).all()]


# [end: rule]


def build_network(spread: float) -> nn.Sequential:
    """Four ReLU layers whose weights start from a normal distribution with this deviation."""
    layers: list[nn.Module] = []
    for _ in range(4):
        layer = nn.Linear(64, 64)
        nn.init.normal_(layer.weight, std=spread)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


# [start: train]
def train_network(
    network: nn.Sequential, inputs: torch.Tensor, labels: torch.Tensor, checkpoint: Path
) -> tuple[int, list[str]]:
    """Train step by step, with a look at the gradients before the weights change.

    Returns the number of steps done and the gradients that explode, if any. `checkpoint` holds
    the weights of the last step that was fine.
    """
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    for step in range(STEPS):
        batch = torch.randint(len(inputs), (64,))
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs[batch]), labels[batch]).backward()
        found = find_exploding((name, p.grad) for name, p in network.named_parameters())
        if found:
            return step, found
        torch.save(network.state_dict(), checkpoint)
        optimizer.step()
    return STEPS, []


# [end: train]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spread", type=float, default=0.18, help="of the weights at the start")
    parser.add_argument("--folder", type=Path, default="/opt/ml", help="as SageMaker has it")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    digits, target = load_digits(return_X_y=True)
    inputs, labels = torch.tensor(digits / 16, dtype=torch.float32), torch.tensor(target)
    network = build_network(options.spread)
    try:
        for name in ("model", "output", "checkpoints"):
            (options.folder / name).mkdir(parents=True, exist_ok=True)
        checkpoint, model = options.folder / "checkpoints" / "last.pt", options.folder / "model"
        steps, found = train_network(network, inputs, labels, checkpoint)
        if found:
            reason = f"ExplodingTensor at step {steps} of {STEPS}: gradient of {', '.join(found)}"
            # SageMaker shows the first 1024 characters of this file as FailureReason.
            (options.folder / "output" / "failure").write_text(reason)
            sys.exit(f"{reason}. The last weights that were fine: {checkpoint}")
        torch.save(network.state_dict(), model / "model.pt")
    except OSError as error:
        sys.exit(f"{error}. Choose a --folder that can be written.")
    with torch.no_grad():
        accuracy = (network(inputs).argmax(1) == labels).float().mean().item()
    print(f"{steps} steps done, accuracy {accuracy:.2f}, model in {model / 'model.pt'}")


if __name__ == "__main__":
    main()
