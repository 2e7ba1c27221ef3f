"""The two databases of the contract suite, and orders to put into them."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    Priority,
    ProviderOrder,
    StatusInfo,
    new_order_id,
)
from oseo_lab.model.status import Status
from oseo_lab.ports import OrderStore
from oseo_lab.store import open_store, upgrade
from oseo_lab.store.tables import METADATA

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """A PostgreSQL to make databases in: OSEO_LAB_TEST_POSTGRES, or one started from the pgserver package."""
    given = os.environ.get("OSEO_LAB_TEST_POSTGRES")
    if given:
        yield sa.make_url(given).set(drivername="postgresql+psycopg")
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it grumbles where XDG_RUNTIME_DIR is not set
            import pgserver

            folder = Path(tempfile.mkdtemp(prefix="oseo-lab-postgres-"))
            server = pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # whatever keeps it from starting is the reason
        reason = f"no PostgreSQL: pgserver says {error!r}; or set OSEO_LAB_TEST_POSTGRES to a server's URL"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    server.cleanup()


def _admin(server: sa.URL, sql: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(sql)
    engine.dispose()


@pytest.fixture
def new_postgres(postgres_server: sa.URL) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = f"oseo_{uuid.uuid4().hex}"
    _admin(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.set(database=name).render_as_string(hide_password=False)
    _admin(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def kept_postgres(postgres_server: sa.URL) -> Iterator[str]:
    """The URL of a PostgreSQL database with our tables, for one test after the other."""
    _admin(postgres_server, "CREATE DATABASE oseo_kept")
    url = postgres_server.set(database="oseo_kept").render_as_string(hide_password=False)
    upgrade(url)
    yield url
    _admin(postgres_server, "DROP DATABASE oseo_kept WITH (FORCE)")


@pytest.fixture
def clean_postgres(kept_postgres: str) -> str:
    """The URL of a PostgreSQL database whose tables are empty."""
    engine = sa.create_engine(kept_postgres, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())
    engine.dispose()
    return kept_postgres


@pytest.fixture(scope="session")
def kept_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with our tables, to copy."""
    path = tmp_path_factory.mktemp("store") / "orders.sqlite"
    upgrade(f"sqlite:///{path}")
    return path


DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, once for each kind."""
    if request.param == "postgres":
        return request.getfixturevalue("new_postgres")
    return f"sqlite:///{tmp_path}/orders.sqlite"


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database whose tables are empty, once for each kind."""
    if request.param == "postgres":
        return request.getfixturevalue("clean_postgres")
    shutil.copy(request.getfixturevalue("kept_sqlite"), tmp_path / "orders.sqlite")
    return f"sqlite:///{tmp_path}/orders.sqlite"


@pytest.fixture
def store(url: str) -> Iterator[OrderStore]:
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def make_order() -> Callable[..., Order]:
    """Make orders, each a second younger than the last."""
    serial = itertools.count()

    def make(
        items: int = 3,
        owner: str = "anna",
        status: Status = Status.ACCEPTED,
        priority: Priority | None = None,
        message_id: str | None = None,
        reference: str | None = "a reference",
    ) -> Order:
        order_id, created = new_order_id(), NOW + timedelta(seconds=next(serial))
        info = StatusInfo(status=status)
        chosen = ParameterData(values=(("format", "COG"), ("bands", (("band", "B04"), ("band", "B08")))))
        return Order(
            order_id=order_id,
            owner=owner,
            specification=OrderSpecification(order_reference=reference, priority=priority),
            status=info,
            created=created,
            updated=created,
            message_id=message_id,
            items=tuple(
                OrderItem(
                    order_id=order_id,
                    number=number,
                    collection_id="urn:eop:DEMO:S2",
                    status=info,
                    updated=created,
                    specification=ItemSpecification(
                        item_id=f"item-{number}",
                        identifier=ProductId(identifier=f"S2A_{number:05d}.SAFE"),
                        options=(chosen,),
                    ),
                )
                for number in range(1, items + 1)
            ),
            provider_orders=(ProviderOrder(order_id=order_id, updated=created),),
        )

    return make


@pytest.fixture
def added(store: OrderStore, make_order: Callable[..., Order]) -> Callable[..., Order]:
    """Make orders and save them."""

    def add(**wishes: object) -> Order:
        order = make_order(**wishes)
        store.write(lambda unit: unit.orders.add(order))
        return order

    return add
