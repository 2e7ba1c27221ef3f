"""Who else may read orders, and until when; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.errors import Conflict, NotFound
from oseo_lab.model.order import new_order_id
from oseo_lab.model.share import Share

HOUR = timedelta(hours=1)


@pytest.fixture
def share(store, now):
    def make(order, grantee="ben", until=None, **more):
        made = Share(
            order_id=order.order_id,
            share_id=str(uuid.uuid4()),
            grantee=grantee,
            created=now,
            until=until or now + HOUR,
            **more,
        )
        store.write(lambda unit: unit.shares.add(made))
        return made

    return make


def test_a_share_holds_for_its_grantee_until_its_time_is_over(store, added, share, now):
    order, other = added(items=1), added(items=1)
    made = share(order)
    with store.read() as unit:
        assert unit.shares.of(order.order_id, now) == [made]
        assert unit.shares.granted(order.order_id, "ben", now) == made
        assert unit.shares.granted(order.order_id, "ben", made.until) is None
        assert unit.shares.granted(order.order_id, "carla", now) is None
        assert unit.shares.granted(other.order_id, "ben", now) is None
        assert unit.shares.granted(new_order_id(), "ben", now) is None
        assert unit.shares.holds(order.order_id, made.share_id, now)
        assert not unit.shares.holds(order.order_id, made.share_id, made.until)
        assert not unit.shares.holds(other.order_id, made.share_id, now)
        assert not unit.shares.holds(order.order_id, "not a uuid", now)
        assert unit.shares.of(order.order_id, made.until) == []
        assert unit.shares.readers([order.order_id, other.order_id], now) == {order.order_id: {"ben"}}
        assert unit.shares.readers([order.order_id], made.until) == {}


def test_what_is_taken_back_holds_no_more(store, added, share, now):
    order = added(items=1)
    made, kept = share(order), share(order, "carla")
    assert store.write(lambda unit: unit.shares.remove(order.order_id, made.share_id))
    assert not store.write(lambda unit: unit.shares.remove(order.order_id, made.share_id))
    assert not store.write(lambda unit: unit.shares.remove(order.order_id, "nonsense"))
    assert not store.write(lambda unit: unit.shares.remove(new_order_id(), kept.share_id))
    with store.read() as unit:
        assert unit.shares.granted(order.order_id, "ben", now) is None
        assert unit.shares.of(order.order_id, now) == [kept]


def test_a_second_share_with_the_same_user_takes_the_place_of_the_first(store, added, share, now):
    order = added(items=1)
    share(order)
    longer = share(order, until=now + 5 * HOUR)
    with store.read() as unit:
        assert unit.shares.of(order.order_id, now) == [longer]


def test_a_link_is_found_by_the_hash_of_its_secret_alone(store, added, share, now):
    order = added(items=1)
    digest = hashlib.sha256(b"a secret").hexdigest()
    made = share(order, grantee=None, secret_hash=digest)
    with store.read() as unit:
        assert unit.shares.by_secret(digest, now) == made
        assert unit.shares.by_secret(digest, made.until) is None
        assert unit.shares.by_secret(hashlib.sha256(b"another").hexdigest(), now) is None
        assert unit.shares.readers([order.order_id], now) == {}
    with pytest.raises(Conflict):
        store.write(lambda unit: unit.shares.add(replace(made, share_id=str(uuid.uuid4()))))


def test_an_order_that_is_not_there_is_shared_with_nobody(store, now):
    made = Share(
        order_id=new_order_id(), share_id=str(uuid.uuid4()), grantee="b", created=now, until=now + HOUR
    )
    with pytest.raises(NotFound):
        store.write(lambda unit: unit.shares.add(made))
