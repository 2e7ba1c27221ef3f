"""A service in this process with the demo collections, for widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oseo_lab.at_home import HomeService
from oseo_lab.client.connecting import connect
from oseo_lab.client.lab import Lab


@pytest.fixture(scope="module")
def demo_lab(demo: Path) -> Iterator[Lab]:
    """A lab over HTTP, with products of 2024, pictures, prices and subscriptions."""
    service = HomeService(demo, settings={"threads_per_worker": 1})
    service.start()
    lab = connect(service.url, service.token)
    yield lab
    lab.close()
    service.close()


@pytest.fixture
def press() -> Callable[[Any, str], None]:
    """Press a button and wait until what it started is done."""

    def pressed(widget: Any, key: str) -> None:
        widget.panel.press(key)
        widget.worker.wait(60)

    return pressed
