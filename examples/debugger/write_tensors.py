"""Train a PyTorch network under smdebug's hook, which writes its tensors into a folder."""

import argparse
import sys
from pathlib import Path

import smdebug.pytorch as smd
import torch
from sklearn.datasets import load_digits
from torch import nn


# [start: hook]
def add_hook(network: nn.Module, loss: nn.Module, folder: Path, interval: int) -> smd.Hook:
    """Save weights, gradients and losses of every `interval`-th step into a new folder."""
    hook = smd.Hook(
        out_dir=str(folder),
        save_config=smd.SaveConfig(save_interval=interval),
        include_collections=["weights", "gradients", "losses"],
    )
    hook.register_module(network)
    hook.register_loss(loss)
    return hook


# [end: hook]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--interval", type=int, default=500, help="steps between two savings")
    parser.add_argument("--steps", type=int, default=30)
    options = parser.parse_args()
    if options.interval < 1:
        sys.exit("--interval is the number of steps between two savings: 1 or more.")
    if options.folder.exists():
        sys.exit(f"{options.folder} exists: the hook writes into a new folder only.")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    digits, target = load_digits(return_X_y=True)
    inputs, labels = torch.tensor(digits / 16, dtype=torch.float32), torch.tensor(target)
    network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    loss = nn.CrossEntropyLoss()  # the hook sees a loss module, not a function
    hook = add_hook(network, loss, options.folder, options.interval)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(options.steps):
        batch = torch.randint(len(inputs), (64,))
        optimizer.zero_grad()
        loss(network(inputs[batch]), labels[batch]).backward()
        optimizer.step()
    hook.close()
    files = list((options.folder / "events").rglob("*.tfevents"))
    print(f"{options.steps} steps, {len(files)} of them saved in {options.folder}")


if __name__ == "__main__":
    main()
