"""The endpoint shop of v1, and data to ask it."""

from pathlib import Path

import pytest
from guardrails.shop import open_shop


@pytest.fixture
def shop(lab: None, tmp_path: Path) -> Path:
    """The validation data; the endpoint shop serves v1, and v2 and v3 are configured."""
    return open_shop(tmp_path / "data")
