"""Making and upgrading a store, backups, and what is refused."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from oseo_lab.model.approval import Approval
from oseo_lab.model.errors import ConfigurationError, NotSupported, Unavailable
from oseo_lab.model.order import new_order_id
from oseo_lab.model.status import Status
from oseo_lab.store import backup, databases, engine, open_store, session, upgrade
from oseo_lab.store.databases import make_engine
from oseo_lab.store.migrations import REVISIONS
from oseo_lab.store.tables import METADATA
from oseo_lab.store.values import micros


def _connect(url):
    return sa.create_engine(sa.make_url(url), poolclass=sa.pool.NullPool).connect()


def test_the_migrations_end_at_the_tables(new_url):
    upgrade(new_url)
    with _connect(new_url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_indexes_of_the_migrations_are_those_of_the_tables(tmp_path):
    upgrade(f"sqlite:///{tmp_path}/migrated.sqlite")
    direct = sa.create_engine(f"sqlite:///{tmp_path}/direct.sqlite")
    METADATA.create_all(direct)
    direct.dispose()

    def statements(name):
        connection = sqlite3.connect(tmp_path / name)
        query = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '%alembic%' AND sql IS NOT NULL"
        found = {name: "".join(sql.split()) for name, sql in connection.execute(query)}
        connection.close()
        return found

    assert statements("migrated.sqlite") == statements("direct.sqlite")


@pytest.fixture
def first_tables(new_url):
    """A connection to a store as revision 0001 left it."""
    engine = make_engine(new_url)
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
        yield connection
    engine.dispose()


def _insert(connection, table, *rows):
    """Insert rows of few columns, numbered from 1; the others, where they must not be NULL, are 0."""
    reflected = sa.Table(table, sa.MetaData(), autoload_with=connection)
    zero = {column.name: 0 for column in reflected.columns if not column.nullable and column.name != "id"}
    for row in rows:
        connection.execute(reflected.insert().values(zero | row))


def test_what_the_first_tables_hold_is_there_after_the_last(new_url, first_tables, now):
    order_ids = [new_order_id(), new_order_id()]
    texts = ("anna", "LOCAL", '{"collection_id":"things"}', "image/tiff")
    _insert(
        first_tables,
        "texts",
        *({"digest": session._digest(text), "text": text} for text in texts),
    )
    for ref, order_id in enumerate(order_ids, 1):
        order = {"uuid": session.uuid_of(order_id), "owner": 1, "status": 1, "accepted": 1}
        order |= {"sequence": 1}
        _insert(first_tables, "orders", order)
        item = {"order_ref": ref, "number": 1, "item_id": "a", "identifier": "S2A", "choice": 3}
        _insert(first_tables, "items", item | {"provider": 2, "status": 1, "due": 0})
        _insert(first_tables, "provider_orders", {"order_ref": ref, "provider": 2, "state": 2})
        _insert(
            first_tables,
            "results",
            {"order_ref": ref, "number": 1, "attempt": 1, "name": "a", "media_type": 4, "sha256": b"x"}
            | {"is_data": 1, "size": 7},
        )
    at = micros(now)
    notice = {"kind": "a", "body": '{"n": 1}', "due": at}
    _insert(
        first_tables,
        "outbox",
        *(
            notice | {"order_ref": ref, "kind": kind, "address": address}
            for ref, kind, address in ((1, "a", "x"), (2, "b", "x"), (1, "c", "x"), (1, "d", "y"))
        ),
    )
    first_tables.commit()
    first_tables.close()

    store = open_store(new_url)
    with store.read() as unit:
        order = unit.orders.get(order_ids[0], "anna")
        assert (order.status.status, order.quotation_id) == (Status.ACCEPTED, None)
        assert [part.provider for part in order.provider_orders] == ["LOCAL"]
        (item,) = unit.items.of(order_ids[0])
        assert (item.batch, item.product, item.provider) == (0, None, "LOCAL")
        assert unit.results.of(order_ids[0])[0].href is None
        assert unit.provider_orders.open() == []
        summary = unit.views.summary(order)
        assert (summary.collections, summary.size, summary.expires) == (("things",), 7, None)
        assert unit.shares.of(order_ids[0], now) == []
        assert [each.kind for each in unit.outbox.waiting(order_ids[0])] == ["a", "c", "d"]
    claimed = store.write(lambda unit: unit.outbox.claim(9, now, now + timedelta(hours=1)))
    assert [(each.order_id, each.kind) for each in claimed] == [
        (order_ids[0], "a"),
        (order_ids[1], "b"),
        (order_ids[0], "d"),
    ]
    assert claimed[0].body == {"n": 1}
    store.write(lambda unit: unit.outbox.settle(claimed[0], due=None))
    store.write(lambda unit: unit.outbox.add([replace(claimed[0], kind="e", due=None)]))
    assert [each.kind for each in store.write(lambda unit: unit.outbox.claim(1, now, now))] == ["c"]
    assert len(store.write(lambda unit: unit.items.claim("d1", 9, now, now))) == 2
    store.close()


def test_what_was_cancelled_before_operators_decided_was_never_approved(new_url):
    waits, never, begun, automatic = (new_order_id() for _ in range(4))
    submitted, accepted, cancelled = 0, 1, 10
    ways = {
        waits: (submitted,),
        never: (submitted, cancelled),
        begun: (submitted, accepted, cancelled),
        automatic: (accepted, cancelled),
    }
    engine = make_engine(new_url)
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        _insert(connection, "texts", {"digest": session._digest("anna"), "text": "anna"})
        for ref, (order_id, statuses) in enumerate(ways.items(), 1):
            order = {"uuid": session.uuid_of(order_id), "owner": 1, "status": statuses[-1], "sequence": 1}
            _insert(connection, "orders", order | {"submitted": int(order_id == waits)})
            _insert(
                connection,
                "events",
                *({"order_ref": ref, "status": each, "author": 1} for each in statuses),
            )
        connection.commit()
    engine.dispose()

    store = open_store(new_url)
    with store.read() as unit:
        approvals = {order_id: unit.orders.get(order_id).approval for order_id in ways}
        assert [each.order_id for each in unit.desk.waiting(9)] == [waits]
        assert unit.desk.decided(9) == []
    store.close()
    assert approvals == {waits: Approval(), never: Approval(), begun: None, automatic: None}


def test_the_list_of_revisions_is_alembics_own():
    scripts = ScriptDirectory.from_config(_config())
    assert [script.revision for script in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)
    assert scripts.get_heads() == [REVISIONS[-1]]


def _config():
    config = Config()
    config.set_main_option("script_location", str(databases._MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def test_a_store_of_a_newer_version_is_refused(new_url):
    open_store(new_url).close()
    with _connect(new_url) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for opening in (open_store, upgrade):
        with pytest.raises(ConfigurationError, match=r"9999.*newer"):
            opening(new_url)


def test_a_store_of_an_older_version_is_copied_before_it_is_changed(tmp_path, make_order, monkeypatch):
    url = f"sqlite:///{tmp_path}/orders.sqlite"
    store, order = open_store(url), make_order()
    store.write(lambda unit: unit.orders.add(order))
    store.close()
    assert upgrade(url) is None
    for module in (databases, engine):
        monkeypatch.setattr(module, "REVISIONS", (*REVISIONS, "9999"))
    monkeypatch.setattr(databases, "_run_alembic", lambda connection: None)
    with pytest.raises(ConfigurationError, match="oseo-lab db upgrade"):
        open_store(url, migrate=False)
    copy = upgrade(url)
    monkeypatch.undo()
    assert copy == tmp_path / f"orders.sqlite.{REVISIONS[-1]}.backup"
    restored = open_store(f"sqlite:///{copy}")
    with restored.read() as unit:
        assert unit.orders.get(order.order_id) == replace(order, items=())
        assert tuple(unit.items.of(order.order_id)) == order.items
    restored.close()


def test_an_upgrade_that_was_interrupted_is_done_at_the_next_start(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/orders.sqlite"
    open_store(url).close()
    for module in (databases, engine):
        monkeypatch.setattr(module, "REVISIONS", (*REVISIONS, "9999"))

    def power_cut(connection):
        raise RuntimeError("power cut")

    monkeypatch.setattr(databases, "_run_alembic", power_cut)
    first = f"orders.sqlite.{REVISIONS[-1]}.backup"
    for _ in range(2):
        with pytest.raises(RuntimeError, match="power cut"):
            upgrade(url)
    with monkeypatch.context() as power:
        power.setattr(databases, "_run_alembic", lambda connection: None)
        assert upgrade(url) == tmp_path / f"{first}-3"
    monkeypatch.setattr(databases, "_MOST_COPIES", 3)
    with pytest.raises(ConfigurationError, match=r"copied 3 times .* remove the copies"):
        upgrade(url)
    assert {each.name for each in tmp_path.glob("*backup*")} == {first, f"{first}-2", f"{first}-3"}


def test_a_store_that_is_not_there_is_not_made_unless_it_may_be(tmp_path):
    with pytest.raises(ConfigurationError, match="oseo-lab db upgrade"):
        open_store(f"sqlite:///{tmp_path}/orders.sqlite", migrate=False)


def test_a_backup_is_made_while_the_store_is_in_use_and_never_over_another_file(tmp_path, make_order):
    url = f"sqlite:///{tmp_path}/orders.sqlite"
    store, order = open_store(url), make_order()
    store.write(lambda unit: unit.orders.add(order))
    copy = backup(url, tmp_path / "copy.sqlite")
    with pytest.raises(ConfigurationError, match="already"):
        backup(url, copy)
    store.close()
    restored = open_store(f"sqlite:///{copy}")
    with restored.read() as unit:
        assert unit.orders.get(order.order_id) == replace(order, items=())
        assert tuple(unit.items.of(order.order_id)) == order.items
    restored.close()


def test_only_its_owner_can_read_a_store_and_its_backup(tmp_path):
    url = f"sqlite:///{tmp_path}/orders.sqlite"
    store = open_store(url)
    store.write(lambda unit: None)
    backup(url, tmp_path / "copy.sqlite")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    store.close()
    assert set(modes.values()) == {0o600}
    assert {"orders.sqlite", "orders.sqlite-wal", "copy.sqlite"} <= set(modes)


@pytest.mark.postgres
def test_postgres_is_backed_up_with_its_own_tool(new_postgres, tmp_path):
    with pytest.raises(NotSupported, match="pg_dump"):
        backup(new_postgres, tmp_path / "copy")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "memory"),
        ("sqlite:///:memory:", "memory"),
        ("sqlite:////no/such/folder/orders.sqlite", "/no/such/folder"),
        ("mysql://host/orders", "mysql"),
        ("not a url", "URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_the_reason(url, says):
    with pytest.raises(ConfigurationError, match=says):
        open_store(url)


def test_a_database_that_does_not_answer_is_unavailable_and_its_password_not_shown():
    url = "postgresql://anna:hunter2@127.0.0.1:1/orders"
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1") as caught:
        open_store(url)
    assert "hunter2" not in str(caught.value)
