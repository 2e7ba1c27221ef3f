"""Being told of orders by mail and webhook: a service with a clock, a real mail server, real receivers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

import oseo_lab as oseo
from oseo_lab.model.errors import Conflict, NotFound, ValidationError
from oseo_lab.model.order import StatusInfo, new_order_id
from oseo_lab.model.status import Status
from oseo_lab.ports import Notice
from oseo_lab.testing import OseoServer, make_order
from tests.acceptance.serving import wait_until
from tests.mail_server import taking_mail
from tests.receivers import answer, hang, receiving

MAIL = {"smtp_port": 25, "smtp_from": "orders@service.example", "smtp_tls": "none"}


@pytest.fixture(scope="module")
def mails():
    with taking_mail() as mail:
        yield mail


@pytest.fixture
def mail(mails):
    """The mail server, empty."""
    mails.taken.clear()
    mails.refusals.clear()
    return mails


def serving(folder, mail):
    settings = {
        **MAIL,
        "smtp_host": "127.0.0.1",
        "smtp_port": mail.port,
        "callback_hosts": ("127.0.0.1",),
        "callback_tries": 4,
    }
    return OseoServer(data_dir=folder, settings=settings)


@pytest.fixture(scope="module")
def server(tmp_path_factory, mails):
    """A service that tests share which look at orders of their own alone."""
    with serving(tmp_path_factory.mktemp("shared"), mails) as server:
        yield server


@pytest.fixture
def alone(tmp_path, mails):
    """A service of one test."""
    with serving(tmp_path / "data", mails) as server:
        yield server


@pytest.fixture
def subscribe(alone):
    def begin(**how):
        sub = alone.lab.subscribe(
            "test-scenes", start=alone.clock() - timedelta(hours=1), name="garda", **how
        )
        alone.settle()
        return sub

    return begin


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """Sign as Standard Webhooks 1.0.0 says, on its own terms."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def until(server, hour: int, weekday: int | None = None) -> timedelta:
    """Return how far it is until an hour of the service's clock, UTC, on a weekday."""
    now = server.clock()
    then = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    while then <= now or (weekday is not None and then.weekday() != weekday):
        then += timedelta(days=1)
    return then - now


# ------------------------------------------------------------------------------------------------- webhooks


def test_a_receiver_can_make_sure_of_what_it_hears(server):
    with receiving(answer(204, b"")) as receiver:
        order = make_order(server, "running")
        secret = order.notify(webhook=receiver.url + "hook").secret
        server.faults.release()
        server.settle()
        (heard,) = receiver.received
    headers = {name.lower(): value for name, value in heard.headers.items()}
    assert headers["webhook-signature"] == signature(secret, headers, heard.body)
    now = datetime.now(UTC).timestamp()
    assert oseo.verify_webhook(secret, heard.headers, heard.body, now)
    assert not oseo.verify_webhook(secret, heard.headers, heard.body + b" ", now)
    assert not oseo.verify_webhook(secret, heard.headers, heard.body, now + 301)
    assert not oseo.verify_webhook("whsec_" + base64.b64encode(b"x" * 32).decode(), heard.headers, b"", now)
    told = json.loads(heard.body)
    assert told["id"] == headers["webhook-id"]
    assert (told["order"]["id"], told["order"]["status"]) == (order.id, "Completed")
    assert told["order"]["items"] == {"Completed": 3}
    assert [each["event"] for each in told["events"]] == ["completed"]
    assert httpx.get(told["order"]["url"], headers=server.headers).status_code == 200


def test_a_webhook_that_fails_twice_is_delivered_at_the_third_try_and_the_log_says_so(server):
    answers = iter([answer(503), answer(503), answer(200)])
    with receiving(lambda handler: next(answers)(handler)) as receiver:
        order = make_order(server, "completed")
        order.notify(webhook=receiver.url)
        server.advance(minutes=5)
        assert len({heard.body for heard in receiver.received}) == 1
        assert len(receiver.received) == 3
        assert len({heard.headers["webhook-id"] for heard in receiver.received}) == 1
    (row,) = order.notifications
    assert (row.channel, row.about) == ("webhook", "completed")
    assert row.outcome == "delivered at try 3 (first: answered HTTP 503)"
    assert "webhook" in repr(order.notifications)
    assert "delivered at try 3" in order.notifications._repr_html_()


def test_a_webhook_that_always_fails_changes_no_order(server):
    with receiving(answer(500)) as receiver:
        order = make_order(server, "running")
        before = make_order(server, "completed").refresh().record
        order.notify(webhook=receiver.url)
        server.faults.release()
        server.settle()
        assert order.refresh().last_status is Status.COMPLETED
        lines = order.history()
        server.advance(hours=3)
        assert len(receiver.received) == 4  # all the tries there are
    (row,) = order.notifications
    assert row.outcome == "given up after 4 tries: answered HTTP 500"
    assert order.refresh().last_status is Status.COMPLETED
    assert order.history() == lines
    assert order.record.specification.items[:0] == before.specification.items[:0]


def test_what_was_given_up_is_sent_again_with_the_same_words(server):
    behaviours = [answer(500)] * 4 + [answer(200)] * 2
    with receiving(lambda handler: behaviours.pop(0)(handler)) as receiver:
        order = make_order(server, "completed")
        order.notify(webhook=receiver.url)
        server.advance(hours=3)
        order.notifications.send_again()
        server.settle()
        assert [row.outcome for row in order.notifications][1:] == ["delivered"]
        order.notifications.send_again(1)
        server.settle()
        assert len({heard.headers["webhook-id"] for heard in receiver.received}) == 1
        assert len({heard.body for heard in receiver.received}) == 1
        assert len(receiver.received) == 6
        order.notifications.stop()
        with pytest.raises(Conflict, match="is told of this order no more"):
            order.notifications.send_again(0)
        with pytest.raises(NotFound, match="there is no row 7"):
            order.notifications.send_again(7)


def test_redirects_are_not_followed(server):
    with receiving() as inside, receiving(answer(302, b"", Location=inside.url)) as receiver:
        order = make_order(server, "completed")
        order.notify(webhook=receiver.url)
        server.settle()
        assert not inside.received
        assert "answered HTTP 302; redirects are not followed" in order.notifications[0].outcome


def test_an_address_inside_is_judged_when_something_is_sent_there(mail, tmp_path):
    with receiving() as receiver, OseoServer(data_dir=tmp_path / "strict") as strict:
        order = make_order(strict, "completed")
        order.notify(webhook=receiver.url)
        strict.settle()
        assert not receiver.received
        assert "it leads to no public address" in order.notifications[0].outcome
        for wrong in ("ftp://a.example/", "http://anna:secret@a.example/", "http:///", "no url"):
            with pytest.raises(ValidationError, match="nothing can be sent to"):
                order.notify(webhook=wrong)


# ------------------------------------------------------------------------------------------------- quiet


def test_nobody_is_told_who_did_not_ask(alone, mail):
    make_order(alone, "completed")
    make_order(alone, "failed")
    alone.advance(days=12)
    assert not mail.taken
    with alone.services.store.read() as snapshot:
        assert not snapshot.outbox.is_any_due(alone.clock() + timedelta(days=99))


def test_only_failures_are_told_to_who_asked_for_failures(server, mail):
    good = make_order(server, "running")
    good.notify(email="anna@lab.example", on="failed")
    server.faults.release()
    server.settle()
    assert not mail.taken
    bad = make_order(server, "paused", name="bad")
    bad.notify(email="anna@lab.example", on="failed")
    with server.faults.everything_fails("the source file is damaged"):
        bad.resume()
        server.settle()
    assert mail.subjects() == ["bad: failed"]
    assert "3 failed" in mail.texts()[0]


def test_an_order_that_is_over_already_is_told_of_at_once(server, mail):
    order = make_order(server, "partial", name="summer")
    told = order.notify(email="anna@lab.example")
    server.settle()
    ((sender, recipients, message),) = mail.taken
    assert (sender, recipients) == ("orders@service.example", ["anna@lab.example"])
    assert message["Subject"] == "summer: completed"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "1 failed" in mail.texts()[0]
    assert repr(told) == "e-mail to anna@lab.example when completed, failed (at once)"
    order.notify(email="anna@lab.example", on=["completed"])
    server.settle()
    assert len(mail.taken) == 1  # the same address again changes what is told, and repeats nothing
    assert [each.on for each in order.notifications.told] == [("completed",)]


# ------------------------------------------------------------------------------------- subscriptions, digests


def test_a_subscription_tells_of_each_batch_in_one_message(alone, subscribe, mail):
    sub = subscribe()
    sub.notify(email="anna@lab.example", on=["delivered", "failed"])
    for number in range(30, 35):
        alone.publish(f"TEST_{number:03}")
    alone.advance(minutes=2)
    assert mail.subjects() == ["garda: 5 delivered"]
    assert "5 items delivered (TEST_030, TEST_031, TEST_032, TEST_033, TEST_034)" in mail.texts()[0]
    alone.publish("TEST_035")
    alone.advance(minutes=2)
    assert mail.subjects()[1:] == ["garda: 1 delivered"]


def test_a_weekly_digest_waits_for_monday_and_a_webhook_does_not(alone, subscribe, mail):
    sub = subscribe()
    with receiving(answer(200)) as receiver:
        sub.notify(
            email="anna@lab.example", webhook=receiver.url, on=["delivered", "failed"], digest="weekly"
        )
        alone.publish("TEST_040")
        alone.advance(minutes=2)
        alone.publish("TEST_041")
        alone.advance(minutes=2)
        assert len(receiver.received) == 2
        assert not mail.taken
        held = sub.notifications[-1]
        assert held.is_waiting
        assert held.outcome.startswith("held until Mon ")
        assert held.outcome.endswith("08:00 UTC")
        assert held.about == "weekly digest: 2 delivered"
        wait = until(alone, 8, weekday=0)
        alone.advance(seconds=wait.total_seconds() - 60)
        assert not mail.taken
        alone.advance(minutes=2)
    assert mail.subjects() == ["garda: weekly digest: 2 delivered"]
    assert "TEST_040" in mail.texts()[0]
    assert "TEST_041" in mail.texts()[0]
    assert sub.notifications[-1].outcome == "delivered"


def test_a_daily_digest_that_is_sent_now_need_not_wait(alone, subscribe, mail):
    sub = subscribe()
    sub.notify(email="anna@lab.example", on="delivered", digest="daily")
    alone.publish("TEST_042")
    alone.advance(minutes=2)
    sub.notifications.send_again()
    alone.settle()
    assert mail.subjects() == ["garda: daily digest: 1 delivered"]


def test_who_is_stopped_hears_no_more_not_even_what_was_held(alone, subscribe, mail):
    sub = subscribe()
    sub.notify(email="anna@lab.example", on="delivered", digest="daily")
    alone.publish("TEST_043")
    alone.advance(minutes=2)
    assert repr(sub.notifications.stop("anna@lab.example").told) == "nobody is told"
    alone.publish("TEST_044")
    alone.advance(days=2)
    assert not mail.taken
    with pytest.raises(NotFound, match="told are: nobody"):
        sub.notifications.stop("ben@lab.example")


# --------------------------------------------------------------------------------------------------- mail


def test_what_the_mail_server_refuses_for_now_is_tried_again_and_for_good_is_not(server, mail):
    mail.refusals += ["451 later", "451 later"]
    order = make_order(server, "completed")
    order.notify(email="anna@lab.example")
    server.advance(minutes=5)
    assert len(mail.taken) == 1
    assert order.notifications[0].outcome == "delivered at try 3 (first: the mail server answered 451: later)"
    mail.refusals += ["550 nobody of that name"]
    order.notify(email="ben@lab.example")
    server.advance(minutes=5)
    assert len(mail.taken) == 1
    outcome = order.notifications[1].outcome
    assert outcome == "given up after one try: the mail server answered 550: nobody of that name"


def test_without_a_mail_server_mail_is_refused_in_a_sentence(tmp_path):
    with OseoServer(data_dir=tmp_path / "none") as bare:
        order = make_order(bare, "completed")
        with pytest.raises(ValidationError, match="no mail is sent from here: the operator has named no"):
            order.notify(email="anna@lab.example")
        assert not order.notifications.told


@pytest.mark.parametrize(
    "address", ["weekly digest", "anna", "a@b\nBcc: x@y.example", "a@b c", "@b", "a..b@c.example", "<a@b>"]
)
def test_what_is_no_address_is_refused(server, address):
    order = make_order(server, "completed")
    with pytest.raises(ValidationError, match="is no mail address; allowed: name@host"):
        order.notify(email=address)


def test_everything_wrong_is_said_at_once(server):
    order = make_order(server, "completed")
    with pytest.raises(ValidationError) as refused:
        order.notify(email="weekly digest", webhook="ftp://x/")
    assert "digest='weekly'" in str(refused.value)
    assert "allowed: http, https" in str(refused.value)
    with pytest.raises(ValidationError, match="on 'done' is not known; allowed: 'completed', 'failed'"):
        order.notify(email="a@b.example", on="done")
    for wrong in ({"on": 5}, {"digest": "hourly"}, {"email": 7}, {"webhook": b"x"}):
        with pytest.raises(ValidationError, match="allowed: '"):
            order.notify(**{"email": "a@b.example", **wrong})
    with pytest.raises(ValidationError, match="nobody is named to be told"):
        order.notify()


def test_names_cannot_write_headers(server, mail):
    """A name such as this comes in over SOAP only: here by the notifier's own door."""
    told = {
        "notification": "n",
        "message": "m\r\nBcc: y@z.example",
        "digest": "immediate",
        "entries": [{"event": "completed", "at": "2026-01-01T00:00:00Z", "status": "x\r\nBcc: y@z.example"}],
        "name": "x\r\nBcc: y@z.example",
        "status": StatusInfo(status=Status.COMPLETED),
        "service": "",
    }
    notice = Notice(order_id=new_order_id(), kind="email", address="anna@lab.example", body=told)
    server.services.plugins.notifier("email")(notice)
    ((_, recipients, message),) = mail.taken
    assert recipients == ["anna@lab.example"]
    assert message["Bcc"] is None


# ----------------------------------------------------------------------------------------------- who may


def test_secrets_are_told_once_and_strangers_are_told_nothing(server):
    order = make_order(server, "completed")
    secret = order.notify(webhook="https://lab.example/hook").secret
    api = f"{server.url}oseo/api/v1/orders/{order.id}"
    shown = httpx.get(f"{api}/notifications", headers=server.headers)
    assert shown.json()["notifications"][0]["address"] == "https://lab.example/hook"
    assert "secret" not in shown.json()["notifications"][0]
    assert secret not in httpx.get(f"{api}/notices", headers=server.headers).text
    assert secret not in repr(order.notifications)
    for method, path in (("GET", "notifications"), ("POST", "notifications"), ("POST", "notices/1/again")):
        assert httpx.request(method, f"{api}/{path}", json={}).status_code in (401, 403)


def test_who_may_read_an_order_may_not_be_told_of_it(server):
    order = make_order(server, "completed")
    link = order.share(until="2d").link
    shared = httpx.post(f"{link}/notifications", json={"email": "a@b.example"})
    assert shared.status_code in (404, 405)
    assert not order.notifications.told


# ----------------------------------------------------------------------------------------------- expiring


def test_results_that_expire_are_warned_of_once_two_days_before(alone, mail):
    order = make_order(alone, "completed", name="summer")
    order.notify(email="anna@lab.example", on="expiring")
    alone.advance(days=7, hours=12)
    assert not mail.taken
    alone.advance(hours=13)
    assert mail.subjects() == ["summer: 3 expiring"]
    assert "results of 3 items are removed, the first at" in mail.texts()[0]
    alone.advance(days=3)
    assert len(mail.taken) == 1


def test_a_warning_is_not_held_until_it_is_too_late(alone, mail):
    order = make_order(alone, "completed")
    order.notify(email="anna@lab.example", on="expiring", digest="weekly")
    alone.advance(days=9, hours=12)
    assert len(mail.taken) == 1


# ----------------------------------------------------------------------------------------------- the month


def test_what_is_beyond_a_months_number_waits_for_the_next_month_and_is_not_lost(alone, subscribe):
    start = alone.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    sub = subscribe(max_items_per_month=3, end=alone.clock() + timedelta(days=365))
    for number in range(50, 55):
        alone.publish(f"TEST_{number:03}")
    alone.advance(minutes=2)
    products = [each.identifier for each in sub.refresh().items.succeeded]
    assert products == ["TEST_050", "TEST_051", "TEST_052"]
    view = sub.view()
    assert (view.joined, view.limits.max_items_per_month) == (3, 3)
    assert "this month 3 of 3; further ones wait for the next" in sub._repr_html_()
    alone.publish("TEST_055")
    alone.advance(minutes=2)
    assert len(sub.refresh().items.succeeded) == 3
    alone.restart()
    alone.settle()
    assert len(sub.refresh().items.succeeded) == 3
    month = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    alone.advance(seconds=(month - alone.clock()).total_seconds() + 120)
    products = [each.identifier for each in sub.refresh().items.succeeded]
    assert products == [f"TEST_{number:03}" for number in range(50, 56)]
    assert sub.view().joined == 3
    assert len(set(products)) == len(products)


@pytest.mark.parametrize("most", [0, -1, 1.5, "many"])
def test_a_month_takes_whole_numbers_of_products(server, most):
    with pytest.raises(ValidationError, match="max_items_per_month"):
        server.lab.subscribe("test-scenes", max_items_per_month=most)


def test_a_receiver_that_is_slow_holds_up_nobody_else(server, mail):
    with receiving(hang) as slow, receiving(answer(200)) as receiver:
        order = make_order(server, "running")
        order.notify(webhook=slow.url)
        order.notify(webhook=receiver.url)
        order.notify(email="anna@lab.example")
        server.faults.release()
        slow.wait(1)
        receiver.wait(1)
        wait_until(lambda: server.services.relay.wake() or mail.taken)
        assert mail.subjects() == [f"{order.name}: completed"]
        assert order.refresh().last_status is Status.COMPLETED
        slow.released.set()


def test_what_was_owed_when_the_service_died_is_sent_by_the_next_life(alone, mail):
    alone.services.relay.close()
    order = make_order(alone, "paused")
    order.notify(email="anna@lab.example")
    with alone.faults.everything_fails("the source file is damaged"):
        order.resume()
        order.wait(timeout=60)
    assert not mail.taken
    alone.restart()
    alone.settle()
    assert mail.subjects() == [f"{order.name}: failed"]
