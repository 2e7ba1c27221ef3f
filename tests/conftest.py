"""What all tests share: where the test data lies, the demo's scenes, how properties are tried."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import settings

#: A folder that makes processes that tests start start sooner.
LIGHTER = str(Path(__file__).parent / "lighter")
if LIGHTER not in os.environ.get("PYTHONPATH", ""):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [LIGHTER, os.environ.get("PYTHONPATH")]))

# No property depends on how fast this machine is, or how busy.
settings.register_profile("oseo_lab", deadline=None)
settings.load_profile("oseo_lab")


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
    """The folder of the demo collections, drawn once for all tests of all workers; nobody writes there."""
    from oseo_lab.demo import make_demo

    ours = tmp_path_factory.getbasetemp()
    folder = (ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours) / "drawn"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:  # who comes second finds it drawn
        fcntl.flock(lock, fcntl.LOCK_EX)
        return make_demo(folder / "demo")
