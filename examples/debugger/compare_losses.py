"""Train four networks and judge their losses, epoch by epoch, by two rules."""

import argparse
import json
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

# Rows to train on, hidden layers, activation, weight decay.
RUNS = {
    "decay": (1000, 1, nn.ReLU, 0.05),
    "no decay": (1000, 1, nn.ReLU, 0.0),
    "few rows": (80, 1, nn.ReLU, 0.0),
    "12 sigmoid layers": (1000, 12, nn.Sigmoid, 0.0),
}


# [start: rules]
def is_overfit(
    train: list[float],
    validation: list[float],
    start_step: int = 0,
    patience: int = 1,
    ratio_threshold: float = 0.1,
) -> bool:
    """Whether the validation loss lay too far above the training loss in each of the last steps.

    Too far: by more than `ratio_threshold` of the training loss, `patience` steps in a row.
    """
    pairs = list(zip(train, validation, strict=True))[start_step:][-patience:]
    return len(pairs) == patience and all(v - t > ratio_threshold * t for t, v in pairs)


def is_not_decreasing(losses: list[float], num_steps: int = 10, diff_percent: float = 0.1) -> bool:
    """Whether the loss did not fall by at least `diff_percent` in the last `num_steps`.

    Judged every `num_steps` only, against the loss of so many steps before.
    """
    step = len(losses) - 1
    if step < num_steps or step % num_steps:
        return False
    return (1 - losses[step] / losses[step - num_steps]) * 100 < diff_percent


# [end: rules]


def train_network(
    network: nn.Sequential, decay: float, train: tuple[torch.Tensor, ...], held: tuple
) -> tuple[list[float], list[float]]:
    """Train for 30 epochs of 8 batches; the losses on training and held-out rows after each."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=decay)
    losses: tuple[list[float], list[float]] = ([], [])
    for _ in range(30):
        for batch in torch.randperm(len(train[0])).split(len(train[0]) // 8):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(train[0][batch]), train[1][batch]).backward()
            optimizer.step()
        with torch.no_grad():
            for kept, (inputs, labels) in zip(losses, (train, held), strict=True):
                kept.append(nn.functional.cross_entropy(network(inputs), labels).item())
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the losses of all epochs here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    digits, target = load_digits(return_X_y=True)
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
    inputs, labels = (
        torch.tensor(digits / 16, dtype=torch.float32)[order],
        torch.tensor(target)[order],
    )
    figures: dict[str, list[float]] = {"epoch": list(range(1, 31))}
    print("run                training  validation  lowest  overfit from  not decreasing at")
    for name, (rows, depth, activation, decay) in RUNS.items():
        torch.manual_seed(0)
        layers = [part for _ in range(depth) for part in (nn.Linear(64, 64), activation())]
        network = nn.Sequential(*layers, nn.Linear(64, 10))
        train, held = (inputs[:rows], labels[:rows]), (inputs[1000:], labels[1000:])
        seen, unseen = train_network(network, decay, train, held)
        epochs = range(1, len(seen) + 1)
        over = next((e for e in epochs if is_overfit(seen[:e], unseen[:e], patience=3)), "-")
        flat = next((e for e in epochs if is_not_decreasing(seen[:e])), "-")
        last = f"{seen[-1]:>8.2f}  {unseen[-1]:>10.2f}  {min(unseen):>6.2f}"
        print(f"{name:<17}  {last}  {over:>12}  {flat:>17}")
        for kind, losses in (("training", seen), ("validation", unseen)):
            figures[f"{name}, {kind}"] = [round(loss, 3) for loss in losses]
    if options.json:
        table = [list(row) for row in zip(*figures.values(), strict=True)]
        options.json.write_text(json.dumps({"losses": {"columns": list(figures), "rows": table}}))


if __name__ == "__main__":
    main()
