"""What users' tests are promised: a server, orders in any state, a clock to move, faults to inject."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import httpx
import pytest

import oseo_lab as oseo
from oseo_lab.client import Order
from oseo_lab.encoding import oseo as codec
from oseo_lab.encoding import soap
from oseo_lab.model.errors import InvalidState, NotFound, ResultExpired, TransportError, ValidationError
from oseo_lab.model.messages import GetStatus, Presentation
from oseo_lab.model.status import Status
from oseo_lab.testing import SCENES, STATES, OseoServer, make_order

WAYS = {
    "submitted": {"Submitted"},
    "rejected": {"Cancelled"},
    "accepted": {"Accepted"},
    "running": {"InProduction"},
    "paused": {"Suspended"},
    "completed": {"Completed"},
    "partial": {"Completed", "Failed"},
    "failed": {"Failed"},
    "cancelled": {"Cancelled"},
    "expired": {"Completed"},
}


@pytest.mark.parametrize("state", STATES)
def test_an_order_in_each_state(oseo_order, state):
    order = oseo_order(state=state)
    assert {str(each.status.status) for each in order.record.items} == WAYS[state]
    assert len(order.record.items) == 3


@pytest.mark.parametrize("state", ["running", "completed", "paused"])
def test_settled_is_what_was_recorded_however_late_the_dispatcher_hears(oseo_server, state, monkeypatch):
    on_time = oseo_server.watched.reports

    def late(timeout):
        events = on_time(timeout)
        if events:
            time.sleep(0.15)  # a busy machine: taken, but not handed on yet
        return events

    monkeypatch.setattr(oseo_server.watched, "reports", late)
    order = make_order(oseo_server, state)
    assert {str(each.status.status) for each in order.record.items} == WAYS[state]
    if state == "running":
        oseo_server.faults.release()
        oseo_server.settle()
        assert order.refresh().last_status is Status.COMPLETED


def test_a_state_that_is_none_tells_which_there_are(oseo_order):
    with pytest.raises(ValidationError, match="'done' is unknown; allowed: submitted, accepted"):
        oseo_order(state="done")


def test_connect_finds_the_server_by_itself(oseo_server):
    with oseo.connect() as lab:
        assert lab.transport.url == oseo_server.url
        assert list(lab.collections) == ["test-desk", "test-scenes"]


def test_what_a_script_submits_is_made_and_can_be_opened(oseo_server):
    with oseo.connect() as lab:
        order = lab.order(lab.search("test-scenes")[:2], format="COG").submit().wait(timeout=60)
        assert order.last_status is Status.COMPLETED
        assert order.to_xarray().sizes["time"] == 2


def test_item_2_fails_twice_then_succeeds(oseo_server, oseo_order, oseo_clock):
    oseo_server.faults.fail(2, times=2, reason="the source was busy")
    order = oseo_order()
    statuses = [each.status.status for each in order.record.items]
    assert statuses.count(Status.COMPLETED) == 2
    oseo_clock.advance(seconds=6)  # the second try
    oseo_clock.advance(seconds=11)  # the third
    assert order.refresh().last_status is Status.COMPLETED
    with oseo_server.services.store.read() as snapshot:
        attempts = snapshot.events.attempts(order.id)
    assert sorted((each.number, each.attempt) for each in attempts) == [
        (1, 1),
        (2, 1),
        (2, 2),
        (2, 3),
        (3, 1),
    ]


def test_a_dead_worker_is_followed_by_another(oseo_server, oseo_order, oseo_clock):
    oseo_server.faults.worker_dies("TEST_001")
    order = oseo_order()
    assert order.last_status is not Status.COMPLETED
    oseo_clock.advance(minutes=1)
    assert order.refresh().last_status is Status.COMPLETED


def test_what_is_slow_goes_on_when_released(oseo_server, oseo_order):
    order = oseo_order(state="running")
    oseo_server.faults.release()
    oseo_server.settle()
    assert order.refresh().last_status is Status.COMPLETED


def test_what_is_slow_can_be_cancelled(oseo_server, oseo_order):
    order = oseo_order(state="running")
    order.cancel()
    oseo_server.settle()
    assert order.refresh().last_status is Status.CANCELLED


def test_an_accepted_order_stays_so_and_others_pass_it(oseo_server, oseo_order):
    waiting = oseo_order(state="accepted")
    assert oseo_order().last_status is Status.COMPLETED
    assert waiting.refresh().last_status is Status.ACCEPTED
    oseo_server.watched.unpark()
    oseo_server.settle()
    assert waiting.refresh().last_status is Status.COMPLETED


def test_a_catalogue_that_is_down_is_asked_again(oseo_server, oseo_order, oseo_clock):
    with oseo_server.faults.catalogue_down():
        products = f"{oseo_server.url}oseo/api/v1/collections/test-scenes/products"
        assert httpx.get(products, headers=oseo_server.headers).status_code == 503
        order = oseo_order(items=1)
    assert "catalogue does not answer" in (order.record.items[0].status.additional or "")
    oseo_clock.advance(minutes=1)
    assert order.refresh().last_status is Status.COMPLETED


def test_results_expire_when_their_days_are_over(oseo_order, oseo_clock, tmp_path):
    order = oseo_order()
    oseo_clock.advance(days=11)
    with pytest.raises(ResultExpired):
        order.download(tmp_path / "late")


def test_quotations_lapse(oseo_server, oseo_clock):
    quote = oseo_server.lab.order(list(SCENES)[:2], collection="test-scenes").quote()
    assert quote.price is not None and quote.valid_until is not None
    oseo_clock.advance(days=400)
    assert oseo_server.clock() > quote.valid_until


def test_subscriptions_match_what_appears(oseo_server, oseo_clock):
    lab = oseo_server.lab
    subscription = lab.subscribe("test-scenes", name="weekly", start="2024-06-01", end="2030-01-01")
    oseo_server.settle()
    before = len(subscription.refresh().items)
    oseo_server.publish("TEST_100")
    oseo_clock.advance(hours=1)
    assert len(subscription.refresh().items) == before + 1


def test_the_clock_goes_forward_only(oseo_clock):
    began = oseo_clock.now()
    assert oseo_clock.advance(hours=2) - began >= timedelta(hours=2)
    with pytest.raises(ValidationError, match="forward only"):
        oseo_clock.advance(hours=-1)


def test_handles_go_on_when_the_server_is_back(oseo_server, oseo_order):
    order = oseo_order(state="running")
    oseo_server.stop()
    order._session.transport.tries = 1
    with pytest.raises(TransportError, match="could not be reached") as lost:
        order.refresh()
    assert lost.value.retryable and "doctor" in str(lost.value)
    oseo_server.faults.clear()
    oseo_server.start()
    oseo_server.settle()
    assert order.refresh().last_status is Status.COMPLETED


def test_a_restart_forgets_nothing(oseo_server, oseo_order):
    order = oseo_order(state="accepted", name="mine")
    oseo_server.restart()
    oseo_server.settle()
    assert oseo_server.lab.orders["mine"].id == order.id
    assert order.refresh().last_status is Status.COMPLETED


def test_refusals_bring_what_they_know(oseo_server, oseo_order):
    order = oseo_order(name="mine")
    with pytest.raises(InvalidState) as refused:
        order.pause()
    assert refused.value.status == "Completed" and "reorder" in refused.value.allowed_actions
    with pytest.raises(NotFound) as missing:
        oseo_server.lab.orders["mien"]
    assert missing.value.close_matches == ("mine",)


def test_debug_tells_of_requests_and_never_of_secrets(oseo_server, capsys):
    with oseo.debug():
        list(oseo_server.lab.collections)
    said = capsys.readouterr().err
    assert re.search(r"GET /oseo/api/v1/collections: 200 in \d+ ms, request [0-9a-f]{12}", said)
    assert oseo_server.token not in said
    list(oseo_server.lab.collections)
    assert capsys.readouterr().err == ""


def test_the_server_is_reached_by_plain_http(oseo_server, oseo_order):
    order = oseo_order(name="mine")
    answer = httpx.get(f"{oseo_server.url}oseo/api/v1/orders", headers=oseo_server.headers)
    assert answer.status_code == 200 and order.id in answer.text
    assert httpx.get(f"{oseo_server.url}oseo/api/v1/orders").status_code == 401


def test_the_server_is_reached_by_soap(oseo_server, oseo_order):
    order = oseo_order()
    asked = codec.encode_request(GetStatus(order_id=order.id, presentation=Presentation.FULL))
    answer = httpx.post(
        oseo_server.soap,
        content=soap.request_envelope(asked, soap.SoapVersion.V12),
        headers={"Content-Type": soap.content_type(soap.SoapVersion.V12), **oseo_server.headers},
    )
    opened = soap.open_envelope(answer.content, content_type=answer.headers["Content-Type"])
    assert codec.decode_response(opened.payload).orders[0].status.status is Status.COMPLETED
    with oseo.connect(soap=oseo_server.soap, token=oseo_server.token) as lab:
        assert Order.of_id(lab, order.id).last_status is Status.COMPLETED


def test_a_product_in_an_archive_is_there_when_the_clock_has_moved(oseo_server):
    oseo_server.faults.archived("TEST_002", hours=4)
    found = oseo_server.lab.search("test-scenes")
    assert repr(found).endswith("· 5 ready · 1 offline (restore ≈ 4 h)")
    order = oseo_server.lab.order(["TEST_001", "TEST_002"], collection="test-scenes").submit()
    oseo_server.settle()
    (waiting,) = [each for each in order.view().rows if each.identifier == "TEST_002"]
    assert waiting.info.startswith("waiting for the archive, asked ")
    oseo_server.advance(hours=3)
    assert order.refresh().last_status is Status.IN_PRODUCTION
    oseo_server.advance(hours=2)
    assert order.refresh().last_status is Status.COMPLETED
    assert "offline" not in repr(oseo_server.lab.search("test-scenes"))


def test_without_pytest_it_is_a_context_manager():
    with OseoServer() as server:
        server.lab.order("TEST_001", collection="test-scenes").submit()
        server.settle()
        folder = server.settings.data_dir
        assert folder.is_dir()
    assert not folder.exists()


def test_a_broken_collection_is_heard_of_at_the_start(tmp_path):
    (tmp_path / "wrong.toml").write_text('id = "wrong"\n[processor]\nuse = "none-such"')
    with pytest.raises(oseo.errors.ConfigurationError, match=r"wrong\.toml"), OseoServer(tmp_path):
        pass
