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


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo collections, drawn once for all tests; nobody writes there."""
    from oseo_lab.demo import make_demo

    return make_demo(tmp_path_factory.mktemp("drawn") / "demo")
