"""A dead dispatcher's leases are free at once; a living one's are not."""

from __future__ import annotations

import errno
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from oseo_lab.dispatch.presence import Presence
from oseo_lab.model.order import LOCAL
from oseo_lab.operations import Context, Service, perform
from oseo_lab.store import open_store
from tests.operations.orders import COLLECTIONS, order


def test_only_the_dead_are_named_and_only_once(tmp_path):
    living, other = Presence(tmp_path, "living"), Presence(tmp_path, "other")
    living.begin()
    other.begin()
    script = (
        "import os, sys; from pathlib import Path; from oseo_lab.dispatch.presence import Presence\n"
        "Presence(Path(sys.argv[1]), 'killed').begin(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert list(living.dead()) == ["killed"]
    assert list(living.dead()) == []
    other.end()
    assert list(living.dead()) == []
    living.end()
    assert list(tmp_path.iterdir()) == []


def test_where_files_cannot_be_locked_nobody_is_thought_dead(tmp_path, monkeypatch):
    from oseo_lab.dispatch import presence

    living = Presence(tmp_path, "living")
    living.begin()

    def refused(handle: int, what: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(presence.fcntl, "flock", refused)
    other = Presence(tmp_path, "other")
    other.begin()
    assert list(other.dead()) == []
    other.end()
    assert [each.name for each in tmp_path.iterdir()] == ["living.lock"]
    living.end()


def test_what_a_dead_dispatcher_held_can_be_claimed(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'orders.sqlite'}")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    context = Context(
        owner="anna",
        store=store,
        collections=COLLECTIONS,
        service=Service(title=LOCAL),
        wake=lambda: None,
        now=lambda: now,
        url="",
        link=lambda order_id, number, name, expires: "",
    )
    perform(order(), context)
    until = now + timedelta(hours=1)
    assert len(store.write(lambda work: work.items.claim("d1", 10, now, until))) == 1
    assert store.write(lambda work: work.items.claim("d2", 10, now, until)) == []
    assert store.write(lambda work: work.items.release("nobody")) == 0
    assert store.write(lambda work: work.items.release("d1")) == 1
    assert len(store.write(lambda work: work.items.claim("d2", 10, now, until))) == 1
    store.close()
