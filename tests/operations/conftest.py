"""A context over a real store: an SQLite file is the test store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from oseo_lab.operations import Context, Service
from oseo_lab.store import open_store
from tests.operations.orders import COLLECTIONS


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **parts) -> None:
        self.time += timedelta(**parts)


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'orders.sqlite'}")
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def woken() -> list[bool]:
    return []


@pytest.fixture
def context(store, clock, woken):
    """Return a maker of contexts: ``context(owner="anna", message_id=None)``."""

    def link(order_id, number, name, expires):
        return f"http://localhost/oseo/files/{order_id.removeprefix('urn:uuid:')}/{number}/{name}"

    def make(owner: str | None = "anna", message_id: str | None = None) -> Context:
        return Context(
            owner=owner,
            store=store,
            collections=COLLECTIONS,
            service=Service(title="Test service", provider_name="Test archive"),
            wake=lambda: woken.append(True),
            now=clock,
            url="http://localhost/oseo/",
            link=link,
            message_id=message_id,
        )

    return make
