"""Subscribe and Unsubscribe: one's own orders, an address that could be told, an end."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.errors import NotAuthenticated, NotSupported, QuotaExceeded
from oseo_lab.model.notifications import Subscribe, SubscriptionRefused, Topic, Unsubscribe
from oseo_lab.operations import perform
from tests.operations.test_replying import BAD

URL = "http://consumer.example/"


def kept(store, clock, owner="anna"):
    with store.read() as snapshot:
        return snapshot.subscribers.of(owner, clock())


def test_a_subscription_is_kept_until_it_is_ended(context, store, clock):
    response = perform(Subscribe(consumer=URL, topic=Topic.ORDER_FAILURE), context())
    assert response.reference.startswith("http://localhost/oseo/?subscription=")
    assert response.at == clock()
    assert response.ends == clock() + timedelta(days=366)
    (one,) = kept(store, clock)
    assert (one.owner, one.consumer, one.topic) == ("anna", URL, Topic.ORDER_FAILURE)
    assert one.producer == "http://localhost/oseo/"
    perform(Unsubscribe(reference=response.reference), context())
    assert kept(store, clock) == []


def test_it_ends_by_itself(context, store, clock):
    perform(Subscribe(consumer=URL, ends=clock() + timedelta(hours=1)), context())
    clock.advance(minutes=59)
    assert len(kept(store, clock)) == 1
    clock.advance(minutes=2)
    assert kept(store, clock) == []
    perform(Subscribe(consumer=URL), context("bert"))
    clock.time -= timedelta(hours=1)
    assert kept(store, clock) == [], "it is forgotten when another one comes"


def test_an_end_far_away_comes_nearer(context, clock):
    response = perform(Subscribe(consumer=URL, ends=clock() + timedelta(days=5000)), context())
    assert response.ends == clock() + timedelta(days=366)


@pytest.mark.parametrize("address", BAD)
def test_a_consumer_that_cannot_be_told_is_refused(context, store, clock, address):
    with pytest.raises(SubscriptionRefused) as refused:
        perform(Subscribe(consumer=address), context())
    assert (refused.value.fault, refused.value.locator) == (
        "SubscribeCreationFailedFault",
        "ConsumerReference",
    )
    assert kept(store, clock) == []


def test_an_end_that_is_over_is_refused(context, store, clock):
    with pytest.raises(SubscriptionRefused) as refused:
        perform(Subscribe(consumer=URL, ends=clock()), context())
    assert refused.value.fault == "UnacceptableInitialTerminationTimeFault"
    assert kept(store, clock) == []


def test_nobody_in_particular_and_a_service_that_calls_nobody_are_refused(context):
    with pytest.raises(NotAuthenticated):
        perform(Subscribe(consumer=URL), context(None))
    with pytest.raises(NotSupported):
        perform(Subscribe(consumer=URL), replace(context(), callbacks=False))


def test_there_may_be_so_many(context, monkeypatch, store, clock):
    monkeypatch.setattr(sys.modules["oseo_lab.operations.subscribe"], "MOST", 2)  # the name is a function's
    for _ in range(2):
        perform(Subscribe(consumer=URL), context())
    with pytest.raises(QuotaExceeded, match="Unsubscribe"):
        perform(Subscribe(consumer=URL), context())
    perform(Subscribe(consumer=URL), context("bert"))
    assert len(kept(store, clock)) == 2


@pytest.mark.parametrize("reference", ["", "?", "?subscription=", "?subscription=x", "urn:uuid:1", "?x=1"])
def test_an_unknown_subscription_and_anothers_are_answered_alike(context, reference):
    hers = perform(Subscribe(consumer=URL), context("bert")).reference
    texts = set()
    for each in (reference, hers):
        with pytest.raises(SubscriptionRefused) as refused:
            perform(Unsubscribe(reference=each), context())
        assert refused.value.fault == "UnableToDestroySubscriptionFault"
        texts.add(refused.value.text)
    assert len(texts) == 1
    perform(Unsubscribe(reference=hers), context("bert"))
