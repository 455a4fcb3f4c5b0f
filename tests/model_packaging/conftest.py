"""A CSV file to train from, and archives made of names and contents."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """60 rows of a label and 8 features, of which the first tells the label."""
    dice = np.random.default_rng(1)
    features = dice.normal(size=(60, 8)).round(4)
    labels = (features[:, :1] > 0).astype(float)
    path = tmp_path / "train.csv"
    np.savetxt(path, np.hstack([labels, features]), delimiter=",", fmt="%g")
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """`archive({"xgboost-model": b"…"}, tarfile.TarInfo("x"))`: a model.tar.gz of these members."""

    def make(files: dict[str, bytes], *others: tarfile.TarInfo) -> Path:
        path = tmp_path / "model.tar.gz"
        with tarfile.open(path, "w:gz") as packed:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                packed.addfile(member, io.BytesIO(content))
            for other in others:
                packed.addfile(other)
        return path

    return make
