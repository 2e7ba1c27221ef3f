"""One service with everything switched on, for all who look at it from outside."""

from __future__ import annotations

import pytest

import oseo_lab
from tests.acceptance.everything import start_everything
from tests.acceptance.serving import TOKEN, Will


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    server = start_everything(tmp_path_factory.mktemp("everything"))
    yield server
    server.stop()


@pytest.fixture
def lab(server):
    """A client of the module's own server."""
    with oseo_lab.connect(server.url, TOKEN) as lab:
        yield lab


@pytest.fixture
def will(folder):
    """What becomes of the products of a module's `serving.willed` in its folder; forgotten afterwards."""
    will = Will(folder)
    yield will
    will.forget()
