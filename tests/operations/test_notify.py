"""Who may have somebody told of an order, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from oseo_lab.model.errors import Conflict, NotFound, QuotaExceeded, ValidationError
from oseo_lab.model.notify import Channel, Digest, Event
from oseo_lab.operations import perform
from oseo_lab.operations.notify import (
    MOST,
    NewNotification,
    list_notifications,
    notify,
    send_again,
    stop,
)
from oseo_lab.operations.shares import NewShare, share
from oseo_lab.ports import Notice, Sending
from tests.operations.orders import item, order

HOOK = "https://lab.example/hook"


@pytest.fixture
def order_id(context):
    return perform(order(item("a", "S2_1"), item("b", "S2_2")), context()).order_id


@pytest.fixture
def mailing(context):
    def make(*domains: str, **who):
        return replace(context(**who), mail=True, mail_domains=domains)

    return make


def wish(**said):
    return NewNotification(**{"webhook": HOOK, **said})


def test_whom_an_order_is_shared_with_may_not_have_anybody_told(context, clock, order_id):
    share(order_id, NewShare(until=clock() + timedelta(days=1), grantee="ben"), context())
    (made,) = notify(order_id, wish(), context())
    for who in ("ben", "carl"):
        theirs = context(owner=who)
        for act in (
            lambda: notify(order_id, wish(), theirs),  # noqa: B023
            lambda: list_notifications(order_id, theirs),  # noqa: B023
            lambda: stop(order_id, made.notification_id, theirs),  # noqa: B023
            lambda: send_again(order_id, 1, theirs),  # noqa: B023
        ):
            with pytest.raises(NotFound):
                act()
    assert [each.address for each in list_notifications(order_id, context())] == [HOOK]


def test_the_same_address_again_is_the_same_notification_with_a_new_secret(context, clock, order_id):
    (first,) = notify(order_id, wish(on=(Event.FAILED,)), context())
    clock.advance(hours=1)
    (second,) = notify(order_id, wish(on=(Event.DELIVERED, Event.EXPIRING)), context())
    assert second.notification_id == first.notification_id
    assert second.secret != first.secret
    (kept,) = list_notifications(order_id, context())
    assert kept.on == (Event.DELIVERED, Event.EXPIRING)
    assert kept.secret is None


def test_of_both_the_mail_is_gathered_and_the_webhook_is_not(mailing, order_id):
    both = notify(order_id, wish(email="anna@lab.example", digest=Digest.WEEKLY), mailing())
    assert [(each.channel, each.digest) for each in both] == [
        (Channel.EMAIL, Digest.WEEKLY),
        (Channel.WEBHOOK, Digest.IMMEDIATE),
    ]
    (alone,) = notify(order_id, wish(digest=Digest.DAILY), mailing())
    assert alone.digest is Digest.DAILY


def test_an_order_has_so_many_notifications_and_no_more(context, order_id):
    for number in range(MOST):
        notify(order_id, wish(webhook=f"{HOOK}/{number}"), context())
    with pytest.raises((Conflict, QuotaExceeded), match="stop some first"):
        notify(order_id, wish(), context())
    notify(order_id, wish(webhook=f"{HOOK}/0"), context())
    stop(order_id, list_notifications(order_id, context())[0].notification_id, context())
    notify(order_id, wish(), context())


def test_mail_goes_where_operators_allow(mailing, order_id):
    notify(order_id, wish(webhook=None, email="anna@LAB.example"), mailing("lab.example", "@uni.example"))
    notify(order_id, wish(webhook=None, email="anna@uni.example"), mailing("lab.example", "@uni.example"))
    for elsewhere in ("ben@evil.example", "ben@lab.example.evil.example", "lab.example@evil.example"):
        with pytest.raises(ValidationError, match="no mail is sent to"):
            notify(order_id, wish(webhook=None, email=elsewhere), mailing("lab.example"))


def test_where_nobody_is_called_back_nobody_is_told(context, order_id):
    silent = replace(context(), callbacks=False)
    with pytest.raises(ValidationError, match="nobody is told of orders from here"):
        notify(order_id, wish(), silent)
    with pytest.raises(ValidationError, match="nothing is named to be told of"):
        notify(order_id, wish(on=()), context())


def test_what_is_not_there_is_neither_stopped_nor_sent_again(context, order_id):
    for name in ("no uuid", "8c1b9a1e-6c1c-4a7e-9a63-0f2d3e4b5c6d"):
        with pytest.raises(NotFound, match="the order has no notification"):
            stop(order_id, name, context())
    with pytest.raises(NotFound, match="nothing is kept of notice 7"):
        send_again(order_id, 7, context())


def test_a_notice_of_another_order_is_not_sent_again(context, store, order_id):
    other = perform(order(item("c", "S2_3")), context()).order_id
    notify(other, wish(on=(Event.COMPLETED,)), context())
    store.write(lambda work: work.outbox.add([_held(work, other)]))
    with store.read() as snapshot:
        (held,) = snapshot.outbox.waiting(other)
    with pytest.raises(NotFound):
        send_again(order_id, held.notice_id, context())
    send_again(other, held.notice_id, context())


def _held(work, order_id):

    return Notice(order_id=order_id, kind="webhook", address=HOOK, body={"notification": "x", "entries": []})


def test_what_is_sent_again_goes_before_the_digest_that_is_being_gathered(context, store, clock, order_id):
    (made,) = notify(order_id, wish(digest=Digest.WEEKLY), context())

    def notice(message, due):
        body = {"notification": made.notification_id, "message": message, "digest": "weekly", "entries": []}
        return Notice(order_id=order_id, kind="webhook", address=HOOK, body=body, due=due)

    def claimed():
        until = clock() + timedelta(minutes=2)
        return store.write(lambda work: work.outbox.claim(9, clock(), until))

    store.write(lambda work: work.outbox.add([notice("last week's", clock())]))
    (sent,) = claimed()
    line = Sending(
        order_id=order_id,
        kind="webhook",
        address=HOOK,
        at=clock(),
        attempt=1,
        outcome="sent",
        notice_id=sent.notice_id,
        is_last=True,
        body=sent.body,
    )
    monday = clock() + timedelta(days=4)
    store.write(
        lambda work: (
            work.sendings.add([line]),
            work.outbox.settle(sent, due=None),
            work.outbox.add([notice("this week's", monday)]),
        )
    )
    send_again(order_id, sent.notice_id, context())
    (again,) = claimed()
    assert again.body["message"] == "last week's"
    store.write(lambda work: work.outbox.settle(again, due=None))
    assert claimed() == []
    clock.advance(days=4)
    assert [each.body["message"] for each in claimed()] == ["this week's"]
