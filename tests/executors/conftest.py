"""Jobs and executors that tests of this room share; one cluster for all tests that leave it whole."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import ItemJob, ItemReport, JobEvent
from oseo_lab.model.order import new_order_id, order_uuid
from oseo_lab.ports import Executor

HERE = str(Path(__file__).parent)
PLUGINS = "plugins_of_executor_tests"


@pytest.fixture(scope="session", autouse=True)
def plugins() -> Iterator[Any]:
    """The plugins of these tests, which workers that this process starts can import as well."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, before]))
    sys.path.insert(0, HERE)
    yield importlib.import_module(PLUGINS)
    sys.path.remove(HERE)
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., ItemJob]:
    """Make jobs of one new order that deliver below ``tmp_path``."""
    order_id = new_order_id()

    def make(number: int = 1, *, attempt: int = 1, product: str = "p", processor: str = "hello", **more: Any):
        return ItemJob(
            **{
                "key": f"oseo-{order_uuid(order_id)}-{number}-{attempt}",
                "order_id": order_id,
                "number": number,
                "attempt": attempt,
                "item_id": f"item {number}",
                "product": ProductId(identifier=product),
                "collection_id": "tests",
                "processor": f"{PLUGINS}:{processor}",
                "catalogue": f"{PLUGINS}:Everything",
                "results": (tmp_path / "results").as_uri(),
                "scratch": (tmp_path / "scratch").as_uri(),
                **more,
            }
        )

    return make


class Listener:
    """Collects what an executor says."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.events: list[JobEvent] = []

    def until(self, is_enough: Callable[[list[JobEvent]], bool], patience: float = 60) -> list[JobEvent]:
        """Listen until there is enough; fail by name if there never is."""
        end = time.monotonic() + patience
        while not is_enough(self.events):
            assert time.monotonic() < end, f"waited {patience} s and heard only {self.events}"
            self.events += self._executor.reports(0.2)
        return self.events

    def until_started(self, *keys: str) -> None:
        self.until(lambda events: set(keys) <= {each.key for each in events if hasattr(each, "at")})

    def until_reported(self, *keys: str) -> list[ItemReport]:
        """Return one report per key, in the order of keys."""
        self.until(lambda events: set(keys) <= {each.key for each in events if isinstance(each, ItemReport)})
        reports = {each.key: each for each in self.events if isinstance(each, ItemReport)}
        return [reports[key] for key in keys]

    def quiet(self, seconds: float = 0.5) -> None:
        """Listen on for what should not come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.events += self._executor.reports(0.1)


@pytest.fixture(scope="session")
def shared_dask(plugins: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from oseo_lab.executors.dask import DaskExecutor

    executor = DaskExecutor(workers=2, scratch=tmp_path_factory.mktemp("dask"))
    executor.warm(timeout=60)
    yield executor
    executor.close()


@pytest.fixture(params=["inline", "dask"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Each executor in turn: what is promised of one is promised of the other."""
    if request.param == "dask":
        yield request.getfixturevalue("shared_dask")
        return
    from oseo_lab.executors.inline import InlineExecutor

    inline = InlineExecutor()
    yield inline
    inline.close()


@pytest.fixture
def listener(executor: Executor) -> Listener:
    return Listener(executor)


@pytest.fixture
def listen() -> Callable[[Executor], Listener]:
    """Make a listener for a test's own executor."""
    return Listener
