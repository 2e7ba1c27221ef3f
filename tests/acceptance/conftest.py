"""One service with everything switched on, for all who look at it from outside."""

from __future__ import annotations

import pytest

from tests.acceptance.everything import start_everything


@pytest.fixture(scope="session")
def everything(tmp_path_factory):
    server = start_everything(tmp_path_factory.mktemp("everything"))
    yield server
    server.stop()
