"""The demo's scenes where a service in this process looks for them."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder (``XDG_CACHE_HOME``) in which the demo is drawn."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "oseo_lab").mkdir()
    (folder / "oseo_lab" / "demo").symlink_to(demo)
    return folder


@pytest.fixture(autouse=True)
def at_home(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
