"""Start a ReLU network in five ways; find poor initial weights and ReLUs that died."""

import argparse
from functools import partial

import torch
from sklearn.datasets import load_digits
from torch import nn

STARTS = {
    "he": (partial(nn.init.kaiming_normal_, nonlinearity="relu"), 0.05),
    "PyTorch's default": (None, 0.05),
    "std 1": (partial(nn.init.normal_, std=1.0), 0.05),
    "std 0.01": (partial(nn.init.normal_, std=0.01), 0.05),
    "he, rate 0.5": (partial(nn.init.kaiming_normal_, nonlinearity="relu"), 0.5),
}


# [start: rules]
def has_poor_weights(
    variances: list[float],
    ranges: list[float],
    threshold: float = 10.0,
    distribution_range: float = 0.001,
) -> bool:
    """Whether the layers start too unequal, or with hardly any spread in their gradients.

    `variances` are those of each layer's activation inputs, `ranges` the distances from the 5th to
    the 95th percentile of each layer's gradients.
    """
    return max(variances) / min(variances) > threshold or min(ranges) < distribution_range


def dead_share(outputs: torch.Tensor, threshold_inactivity: float = 1.0) -> float:
    """The percentage of a layer's ReLUs that are active for fewer rows than that percentage.

    `outputs` has a row for each input and a column for each ReLU.
    """
    active = (outputs > 0).float().mean(0) * 100
    return (active < threshold_inactivity).float().mean().item() * 100


def has_dead_relus(shares: list[float], threshold_layer: float = 50.0) -> bool:
    """Whether in some layer more than `threshold_layer` percent of the ReLUs are dead."""
    return max(shares) > threshold_layer


# [end: rules]


def record_relus(network: nn.Sequential) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Keep the input and the output of each ReLU in the latest forward pass, by its name."""
    latest: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    for name, layer in network.named_children():
        if isinstance(layer, nn.ReLU):
            layer.register_forward_hook(
                lambda _, given, made, name=name: latest.update(
                    {name: (given[0].detach(), made.detach())}
                )
            )
    return latest


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    digits, target = load_digits(return_X_y=True)
    inputs, labels = torch.tensor(digits / 16, dtype=torch.float32), torch.tensor(target)
    print("start              variances  spread  poor weights  dead ReLUs    accuracy")
    for name, (start, rate) in STARTS.items():
        torch.manual_seed(0)
        layers = [nn.Linear(64, 64) for _ in range(4)]
        network = nn.Sequential(*[m for n in layers for m in (n, nn.ReLU())], nn.Linear(64, 10))
        for layer in layers if start else []:
            start(layer.weight)
            nn.init.zeros_(layer.bias)
        latest = record_relus(network)
        optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
        first = None
        for batch in [b for _ in range(3) for b in torch.randperm(len(inputs)).split(64)]:
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(inputs[batch]), labels[batch]).backward()
            if first is None:
                quantiles = [n.weight.grad.quantile(torch.tensor([0.05, 0.95])) for n in layers]
                ranges = [(high - low).item() for low, high in quantiles]
                first = [given.var().item() for given, _ in latest.values()], ranges
            optimizer.step()
        with torch.no_grad():
            accuracy = (network(inputs).argmax(1) == labels).float().mean().item()
        variances, ranges = first
        shares = [dead_share(made) for _, made in latest.values()]
        poor = "yes" if has_poor_weights(variances, ranges) else "no"
        dead = f"{'yes' if has_dead_relus(shares) else 'no':<3} {max(shares):>4.0f} %"
        ratio = max(variances) / min(variances)
        print(
            f"{name:<17}  {ratio:>9.1f}  {min(ranges):.0e}  {poor:<12}  {dead}  {accuracy:>10.2f}"
        )


if __name__ == "__main__":
    main()
