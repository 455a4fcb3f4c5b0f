"""Train on two Dask workers that hold half of the rows each, and compare with one process."""

import argparse
import logging

import dask.array
import numpy as np
import xgboost
from distributed import Client, LocalCluster
from xgboost import dask as distributed_xgboost

WORKERS, FEATURES, ROUNDS = 2, 8, 30
SETTINGS = {
    "objective": "binary:logistic",
    "tree_method": "hist",  # or approx; exact cannot be distributed
    "max_depth": 4,
    "eta": 0.2,
    "nthread": 1,
    "seed": 0,
}


def make_rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` rows of 8 features, and labels 0 and 1."""
    generator = np.random.default_rng(11)
    rows = generator.normal(size=(count, FEATURES))
    score = rows @ [1, 0.8, 0.6, 0.4, 0.2, 0, 0, 0] + generator.normal(size=count)
    return rows, (score > 0).astype(int)


def train_alone(rows: np.ndarray, labels: np.ndarray) -> xgboost.Booster:
    """A model trained in this process."""
    data = xgboost.DMatrix(rows, label=labels)
    return xgboost.train(SETTINGS, data, num_boost_round=ROUNDS)


# [start: train]
def train_distributed(client: Client, rows: np.ndarray, labels: np.ndarray) -> xgboost.Booster:
    """A model trained by the workers, which exchange sums over their rows, not the rows."""
    part = -(-len(rows) // WORKERS)  # rows per worker
    data = distributed_xgboost.DaskDMatrix(
        client,
        dask.array.from_array(rows, chunks=(part, FEATURES)),
        dask.array.from_array(labels, chunks=part),
    )
    return distributed_xgboost.train(client, SETTINGS, data, num_boost_round=ROUNDS)["booster"]


# [end: train]


def loss(predictions: np.ndarray, labels: np.ndarray) -> float:
    """The mean log loss of probabilities of label 1."""
    right = np.where(labels == 1, predictions, 1 - predictions)
    return float(-np.log(right.astype(float)).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument(
        "--processes", action="store_true", help="a process per worker, not a thread"
    )
    arguments = parser.parse_args()
    if arguments.rows < 100:
        parser.error("--rows: 100 or more")
    logging.getLogger("distributed").setLevel(logging.ERROR)
    rows, labels = make_rows(arguments.rows)
    models = [train_alone(rows, labels)]
    # [start: cluster]
    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=arguments.processes,
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        models.append(train_distributed(client, rows, labels))
    # [end: cluster]
    alone, together = (model.predict(xgboost.DMatrix(rows)) for model in models)
    print(f"{len(rows)} rows")
    print(f"  one process  log loss {loss(alone, labels):.4f}")
    print(f"  {WORKERS} workers    log loss {loss(together, labels):.4f}")
    same = np.allclose(alone, together, atol=1e-5)
    print(f"  same predictions, to 0.00001: {'yes' if same else 'no'}")


if __name__ == "__main__":
    main()
