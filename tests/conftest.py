"""What all tests share: where the test data lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _shared() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared"
    return Path(os.environ.get("OSEO_LAB_SHARED") or default).resolve()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of official schemas, samples and real rasters; skips where it is absent."""
    folder = _shared()
    if not (folder / "schemas").is_dir():
        reason = f"no test data at {folder}; set OSEO_LAB_SHARED to the folder with schemas/ and samples/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
