"""For your own tests: a service in this process, orders in any state, a clock to move, faults to inject.

In ``conftest.py``::

    pytest_plugins = ["oseo_lab.testing"]

then, in a test::

    def test_my_report_names_what_failed(oseo_order):
        order = oseo_order(state="partial")
        assert "TEST_001" in my_report(order)

    def test_my_script_survives_a_flaky_source(oseo_server):
        oseo_server.faults.fail(2, times=2)          # item 2 fails twice, then succeeds
        order = my_script()                          # its oseo.connect() finds this server by itself
        oseo_server.advance(hours=1)                 # retries come due
        assert order.refresh().last_status == "Completed"

The service is the real one, by HTTP and SOAP on loopback. Nothing sleeps: `OseoServer.settle` returns when
everything has come to rest. Without the fixtures: ``with OseoServer() as server:``. pytest must be installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from oseo_lab.client import Order
from oseo_lab.testing.faults import Faults
from oseo_lab.testing.orders import STATES, make_order
from oseo_lab.testing.scenes import SCENES
from oseo_lab.testing.server import OseoServer

__all__ = [
    "SCENES",
    "STATES",
    "Faults",
    "OseoClock",
    "OseoServer",
    "make_order",
    "oseo_clock",
    "oseo_collections",
    "oseo_order",
    "oseo_server",
    "oseo_settings",
]


class OseoClock:
    """The clock of a test service; it goes on by itself as any clock does."""

    def __init__(self, server: OseoServer) -> None:
        self._server = server
        #: Return the service's time, UTC.
        self.now = server.clock
        #: Move it forward, ``hours=1`` or as `datetime.timedelta` says, and let what is due be done.
        self.advance = server.advance


@pytest.fixture
def oseo_collections() -> Path | None:
    """Give the folder of your own collection files by overriding this; None for the small test scenes."""
    return None


@pytest.fixture
def oseo_settings() -> Mapping[str, object]:
    """Give further settings of the service by overriding this (`oseo_lab.settings.Settings`)."""
    return {}


@pytest.fixture
def oseo_server(
    oseo_collections: Path | None,
    oseo_settings: Mapping[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[OseoServer]:
    """Give a service of this test alone; ``oseo_lab.connect()`` finds it by itself."""
    server = OseoServer(oseo_collections, data_dir=tmp_path / "oseo_lab", settings=oseo_settings)
    with server:
        monkeypatch.setenv("OSEO_LAB_URL", server.url)
        monkeypatch.setenv("OSEO_LAB_TOKEN", server.token)
        yield server


@pytest.fixture
def oseo_order(oseo_server: OseoServer) -> Callable[..., Order]:
    """Give a maker of orders: ``oseo_order(state="partial", items=3, name="mine")``; see `make_order`."""
    return partial(make_order, oseo_server)


@pytest.fixture
def oseo_clock(oseo_server: OseoServer) -> OseoClock:
    """Give the service's clock: ``oseo_clock.advance(hours=1)``."""
    return OseoClock(oseo_server)
