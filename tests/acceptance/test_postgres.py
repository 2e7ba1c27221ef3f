"""Two servers on one PostgreSQL: what one has begun the other finishes, and tells of in its order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from oseo_lab.model.status import Status
from oseo_lab.store import open_store
from tests.acceptance.serving import Server, wait_until
from tests.acceptance.test_chaos import COLLECTION, Callers, make_products
from tests.receivers import receiving
from tests.store.conftest import new_postgres, postgres_server  # noqa: F401 - fixtures

ORDERS = 4


@pytest.fixture
def servers(tmp_path, new_postgres, monkeypatch):  # noqa: F811
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    collections = tmp_path / "collections"
    make_products(collections / "products")
    (collections / "steady.toml").write_text(COLLECTION)
    started = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        server = Server(
            tmp_path / name,
            collections=collections,
            database_url=new_postgres,
            executor="inline",
            max_in_flight=3,
            callback_hosts="127.0.0.1",
        )
        started.append(server.start())
    yield started
    for server in started:
        server.stop()


@pytest.mark.postgres
def test_a_server_that_is_stopped_leaves_its_orders_to_the_other_on_its_database(servers):
    first, second = servers
    store = open_store(second.database)

    def counts() -> Counter[Status]:
        with store.read() as snapshot:
            orders = callers.acknowledged.values()
            return sum((Counter(snapshot.items.counts(each)) for each in orders), Counter())

    with receiving() as receiver:
        callers = Callers(first, 1, receiver)
        for number in range(ORDERS):
            callers.sent.append(f"urn:test:{number}")
            callers.submit(callers.sent[-1], [f"P{number}" for number in range(6)])
        wait_until(lambda: counts()[Status.COMPLETED] > ORDERS)
        first.stop()
        wait_until(lambda: counts()[Status.COMPLETED] == 6 * ORDERS)
        wait_until(lambda: not callers.not_told())
        assert sum(callers.check().values()) == ORDERS
    with store.read() as snapshot:
        for order_id in callers.acknowledged.values():
            attempts = [each for each in snapshot.events.attempts(order_id) if each.outcome == "delivered"]
            assert sorted(each.number for each in attempts) == [1, 2, 3, 4, 5, 6]
    store.close()
