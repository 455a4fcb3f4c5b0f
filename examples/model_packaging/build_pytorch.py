"""Pack a PyTorch model with its inference script, which is this very file: one class for both."""

import argparse
import io
import json
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

FEATURES = 8


# [start: handlers]
def build_model() -> nn.Module:
    """The layers, without weights: training and serving must build the same."""
    return nn.Sequential(nn.Linear(FEATURES, 16), nn.ReLU(), nn.Linear(16, 1))


def model_fn(model_dir: str) -> nn.Module:
    """Build the model, load its weights, switch to inference: weights alone cannot be called."""
    model = build_model()
    weights = torch.load(Path(model_dir, "model.pth"), map_location="cpu", weights_only=True)
    model.load_state_dict(weights)
    return model.eval()


def input_fn(body: str, content_type: str) -> Tensor:
    """The rows of `{"data": [[…], …]}` or of CSV, as float32."""
    if content_type == "application/json":
        return torch.tensor(json.loads(body)["data"], dtype=torch.float32)
    if content_type == "text/csv":
        rows = np.loadtxt(io.StringIO(body), delimiter=",", ndmin=2)
        return torch.tensor(rows, dtype=torch.float32)
    raise ValueError(f"{content_type} is not supported: send application/json or text/csv")


def predict_fn(rows: Tensor, model: nn.Module) -> Tensor:
    """The probability of class 1 for each row, without gradients."""
    with torch.inference_mode():
        return torch.sigmoid(model(rows)).squeeze(1)


def output_fn(scores: Tensor, accept: str) -> tuple[str, str]:
    """The body of the answer and its type."""
    if accept == "text/csv":
        return ",".join(f"{score:.6f}" for score in scores.tolist()), accept
    if accept == "application/json":
        return json.dumps(scores.tolist()), accept
    raise ValueError(f"{accept} is not supported: accept application/json or text/csv")


# [end: handlers]


def train(table: Path) -> nn.Module:
    """A model of a CSV file without a header, the label (0 or 1) first.

    Raises OSError: no such file; ValueError: a cell is not a number, or there are not 8 features.
    """
    with warnings.catch_warnings(action="ignore"):  # what an empty file is, the error says
        rows = np.loadtxt(table, delimiter=",", ndmin=2)
    if rows.shape[1] != 1 + FEATURES:
        raise ValueError(f"not a label and {FEATURES} features in each row")
    torch.manual_seed(0)
    data, labels = torch.tensor(rows[:, 1:]).float(), torch.tensor(rows[:, :1]).float()
    model, loss = build_model(), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        loss(model(data), labels).backward()
        optimizer.step()
    return model


def same_predictions(model: nn.Module, model_dir: str) -> bool:
    """Whether the model, loaded as the container would load it, answers as the trained one."""
    rows = input_fn(json.dumps({"data": torch.randn(5, FEATURES).tolist()}), "application/json")
    return torch.equal(predict_fn(rows, model_fn(model_dir)), predict_fn(rows, model))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="CSV file, the label first")
    parser.add_argument("--archive", type=Path, required=True, help="model.tar.gz to write")
    arguments = parser.parse_args()
    try:
        model = train(arguments.train)
        with tempfile.TemporaryDirectory() as name:
            # [start: pack]
            weights = Path(name, "model.pth")
            torch.save(model.state_dict(), weights)
            with tarfile.open(arguments.archive, "w:gz") as packed:
                packed.add(weights, arcname="model.pth")
                packed.add(__file__, arcname="code/inference.py")
            # [end: pack]
            same = same_predictions(model, name)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}. Give a CSV file of write_data.py, and an --archive in a folder.")
    print(f"{arguments.archive}: code/inference.py, model.pth")
    print(f"loaded again, it predicts {'the same' if same else 'something else'}")


if __name__ == "__main__":
    main()
