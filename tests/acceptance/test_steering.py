"""Retry, pause, limits on a live service, by the Python client, REST and the command line."""

from __future__ import annotations

import threading
import zipfile
from collections import Counter

import httpx
import pytest
from typer.testing import CliRunner

from oseo_lab.cli import app
from oseo_lab.model.errors import Conflict, ValidationError
from oseo_lab.model.status import Status
from oseo_lab.model.view import Action
from tests.acceptance.serving import TOKEN, wait_until, willed

PRODUCTS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("steering")


@pytest.fixture(scope="module")
def server(folder):
    with willed(folder, PRODUCTS, '[delivery]\nscope = "order"\n', retry_delay=0.1) as server:
        yield server


def ordered(lab, name, *numbers, **more):
    draft = lab.order([f"W{each}" for each in numbers], name, "willed", **more)
    return draft.submit()


def statuses(order):
    return {each.id: each.status for each in order.refresh().known_items}


def test_only_what_failed_is_tried_again(lab, will):
    will(W1="fail internal", W2="fail permanent at source")
    order = ordered(lab, "again", 0, 1, 2).wait()
    assert statuses(order) == {"W0": Status.COMPLETED, "W1": Status.FAILED, "W2": Status.FAILED}
    assert [each.id for each in order.failed.retryable] == ["W1"]
    before = order.items["W0"].checksum.sha256
    will(W1="100", W2="100")
    again = order.failed.retryable.submit()
    assert again.id == order.id
    order.wait()
    assert statuses(order) == {"W0": Status.COMPLETED, "W1": Status.COMPLETED, "W2": Status.FAILED}
    assert order.items["W0"].checksum.sha256 == before
    assert [each.attempt for each in order.attempts()] == [1, 1, 2, 1]
    with pytest.raises(Conflict, match="would not help"):
        order.retry()
    order.retry(["W2"]).wait(check=True)


def test_a_double_click_tries_once(lab, will, server):
    will(W1="fail internal")
    order = ordered(lab, "twice", 1).wait()
    will(W1="wait")
    url = f"{server.soap.rstrip('/')}/api/v1/orders/{order.id}/retry"
    codes = []

    def click():
        with server.client as client:
            codes.append(client.post(url).status_code)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert set(codes) == {202}
    wait_until(lambda: statuses(order)["W1"] is Status.IN_PRODUCTION)
    will(W1="100")
    order.wait()
    assert [each.attempt for each in order.attempts()] == [1, 2]


def test_names_that_are_none_are_told_with_the_nearest(lab, will):
    order = ordered(lab, "names", 3).wait()
    with pytest.raises(ValidationError, match="no item 'W33'; did you mean 'W3'"):
        order.retry(["W33"])
    with pytest.raises(Conflict, match="delivered"):
        order.retry(order.items)
    with pytest.raises(Conflict, match="nothing of the order failed"):
        order.retry()


def packed(order, folder):
    """Return what is in the package of an order."""
    (path,) = [each for each in order.download(folder) if each.suffix == ".zip"]
    with zipfile.ZipFile(path) as package:
        return [name for name in package.namelist() if name.endswith(".bin")]


def test_the_package_is_made_again(lab, will, folder):
    will(W1="fail internal")
    order = ordered(lab, "packed", 0, 1, packaging="zip").wait()
    first = packed(order, folder / "first")
    assert [name.split("/")[0] for name in first] == ["1"]  # numbers of items
    will(W1="5000")
    order.retry().wait(check=True)
    second = packed(order, folder / "second")
    assert set(first) < set(second)
    assert {name.split("/")[0] for name in second} == {"1", "2"}


def test_a_paused_order_waits_and_goes_on(lab, will):
    will(**{f"W{each}": "wait" for each in range(PRODUCTS)})
    order = ordered(lab, "paused", *range(PRODUCTS))
    wait_until(lambda: Status.IN_PRODUCTION in statuses(order).values())
    order.pause()
    wait_until(lambda: Status.ACCEPTED not in statuses(order).values())
    running = [name for name, status in statuses(order).items() if status is Status.IN_PRODUCTION]
    assert 0 < len(running) < PRODUCTS
    will(**{f"W{each}": "100" for each in range(PRODUCTS)})
    wait_until(lambda: Status.IN_PRODUCTION not in statuses(order).values())
    assert order.refresh().last_status is Status.SUSPENDED
    assert order.info == "paused at the user's request"
    held = {name for name, status in statuses(order).items() if status is Status.SUSPENDED}
    assert held == set(statuses(order)) - set(running)
    order.resume().wait(check=True)
    assert {each.attempt for each in order.attempts() if each.outcome == "delivered"} >= {1}


def test_it_stays_paused_over_a_kill_and_can_be_cancelled(lab, will, server):
    will(**{f"W{each}": "wait" for each in range(PRODUCTS)})
    order = ordered(lab, "killed", *range(PRODUCTS)).pause()
    server.kill()
    server.start()
    wait_until(lambda: set(statuses(order).values()) == {Status.SUSPENDED})
    order.cancel().wait()
    assert set(statuses(order).values()) == {Status.CANCELLED}


def test_by_command(lab, will, server):
    will(W1="fail bad request")
    order = ordered(lab, "by command", 1).wait()
    will(W1="wait")

    def run(*words):
        return CliRunner().invoke(app, ["orders", *words, "--url", server.url, "--token", TOKEN])

    assert run("retry", "by command").exit_code == 1
    assert run("retry", "by command", "--item", "W1").exit_code == 0
    assert run("pause", "by command").exit_code == 0
    assert run("resume", "by command").exit_code == 0
    will(W1="100")
    order.wait(check=True)


def test_a_follow_up_says_what_it_follows(lab, will):
    will(W1="fail internal")
    order = ordered(lab, "followed", 0, 1, packaging="zip").wait()
    draft = order.reorder(name="follow-up", packaging="tar")
    assert [each.identifier for each in draft.items] == ["W1"]
    assert order.id in draft.remark
    will(W1="100")
    follower = draft.submit().wait(check=True)
    assert order.id in follower.record.specification.order_remark


def test_no_body_and_a_wrong_one(lab, will, server):
    order = ordered(lab, "bodies", 4).wait()
    with server.client as client:
        url = f"{server.soap.rstrip('/')}/api/v1/orders/{order.id}/retry"
        assert client.post(url, json={"item_ids": []}).status_code == 422
        assert client.post(url, json={"item_ids": "W4"}).status_code == 422
        assert client.post(url, json={"items": ["W4"]}).status_code == 422
        assert httpx.post(url).status_code in (401, 403)


# -------------------------------------------------------------------------------------------------- limits


def test_nothing_is_delivered_beyond_the_limit(lab, will):
    will(**{f"W{each}": 400_000 for each in range(PRODUCTS)})
    order = lab.order([f"W{each}" for each in range(PRODUCTS)], "limited", "willed")
    order = order.submit(max_bytes="1 MB").wait()
    assert Counter(statuses(order).values()) == {Status.COMPLETED: 2, Status.FAILED: PRODUCTS - 2}
    assert order.view().summary.size == 800_000
    reason = order.failed[0].info
    assert "800 kB were delivered" in reason
    assert "max_bytes allows the order 1 MB" in reason
    assert {each.outcome for each in order.attempts()} == {"delivered", "limit of the order"}
    assert Action.RETRY not in order.view().actions  # the limit stands as long as the order
    with pytest.raises(Conflict, match="raise it by a new order"):
        order.retry()
    rest = order.reorder(order.failed, max_bytes="10 MB", name="the rest")
    assert len(rest.submit().wait(check=True).items) == PRODUCTS - 2


@pytest.mark.parametrize("extension", ["max_bytes=1GB", "max_price=-1", "max_price=many"])
def test_what_is_no_limit_is_refused(server, extension):
    specification = {
        "items": [{"item_id": "a", "identifier": {"identifier": "W1", "collection_id": "willed"}}],
        "extensions": [extension],
    }
    with server.client as client:
        url = f"{server.soap.rstrip('/')}/api/v1/orders"
        answer = client.post(url, json={"specification": specification})
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["locator"] == extension.partition("=")[0]


def test_a_kill_between_the_click_and_the_work_loses_nothing(lab, will, server):
    will(W1="fail internal", W2="fail internal")
    order = ordered(lab, "clicked", 0, 1, 2).wait()
    will(W1="100", W2="100")
    before = {each.id: each.checksum.sha256 for each in order.succeeded}
    with server.client as client:
        client.post(f"{server.soap.rstrip('/')}/api/v1/orders/{order.id}/retry")
    server.kill()
    server.start()
    wait_until(lambda: set(statuses(order).values()) == {Status.COMPLETED})
    assert {each.id: each.checksum.sha256 for each in order.succeeded}.items() >= before.items()
    assert sum(each.outcome == "delivered" for each in order.attempts()) == 3
