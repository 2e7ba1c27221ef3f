"""What most tests of dispatching begin with: a store, a clock, an executor that does as it is told."""

from __future__ import annotations

import pytest

from oseo_lab.store import open_store
from tests.dispatch.test_dispatcher import Clock, Scripted, make


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'orders.sqlite'}")
    yield store
    store.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def executor():
    return Scripted()


@pytest.fixture
def dispatcher(store, clock, executor):
    return make(store, clock, executor, "d1")
