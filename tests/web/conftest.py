"""One server for the tests that leave it as it is, and a hand to bring orders to their end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:  # the plugins of these tests are imported by name, as an operator's are
    sys.path.insert(0, HERE)

# Hooks count in a conftest only: they run the coroutines among the tests.
from pytest_jupyter.pytest_tornasync import (  # noqa: E402, F401
    pytest_pycollect_makeitem,
    pytest_pyfunc_call,
)
from serving import Server, order, running  # noqa: E402

from oseo_lab.encoding import json_form  # noqa: E402
from oseo_lab.settings import Settings  # noqa: E402
from oseo_lab.web.credentials import KEY_FILE, make_account  # noqa: E402
from oseo_lab.wiring import Services, build  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture(scope="session")
def services(server: Server) -> Iterator[Services]:
    """The server's store and an executor, in this process: the hands that the server has not."""
    settings = Settings(
        data_dir=server.data_dir, collections=server.collections, executor="inline", dispatch=True
    )
    built = build(settings)
    yield built
    built.close()


@pytest.fixture(scope="session")
def accounts(services: Services) -> None:
    """Three accounts: alice (text), bob (digest), eve (disabled)."""
    key_file = services.settings.data_dir / KEY_FILE
    made = [
        make_account("alice", "alice's secret", key_file=key_file),
        make_account("bob", "bob's secret", owner="bobs team", digest=True, key_file=key_file),
        replace(make_account("eve", "eve's secret", key_file=key_file), disabled=True),
    ]
    for account in made:
        services.store.write(lambda work, account=account: work.accounts.save(account))


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    """A client known by its token."""
    with httpx.Client(headers=server.token, timeout=30) as client:
        yield client


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    """A client nobody knows."""
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture
def submit(server: Server, http: httpx.Client) -> Callable[..., str]:
    """Submit an order of these products; return its UUID."""

    def send(*identifiers: str) -> str:
        response = http.post(f"{server.api}/orders", content=json_form.encode(order(*identifiers)))
        assert response.status_code == 201, response.text
        return response.json()["order_id"].removeprefix("urn:uuid:")

    return send


@pytest.fixture
def finish(services: Services) -> Callable[[], None]:
    """Work until nothing is left to do."""

    def work() -> None:
        services.dispatcher.step()
        while services.dispatcher.in_flight:
            services.dispatcher.step(services.executor.reports(10))

    return work
