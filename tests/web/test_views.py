"""Orders at a glance over HTTP: the view of one, as its card draws it, and what an instance is."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from serving import Server

from oseo_lab.encoding import json_form
from oseo_lab.model.status import Status
from oseo_lab.model.view import Action, OrderView


def view_of(server: Server, client: httpx.Client, order: str) -> OrderView:
    answer = client.get(f"{server.api}/orders/{order}/view")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return json_form.from_plain(OrderView, answer.json())


def test_an_order_is_seen_from_its_submit_to_its_results(
    server: Server, http: httpx.Client, submit: Callable[..., str], finish: Callable[[], None]
):
    order = submit("P1", "P2")
    before = view_of(server, http, order)
    assert before.summary.counts == {Status.ACCEPTED: 2} and before.summary.name == "mine"
    assert [row.identifier for row in before.rows] == ["P1", "P2"]
    assert before.actions == (Action.CANCEL, Action.PAUSE, Action.SHARE)
    finish()
    after = view_of(server, http, f"urn:uuid:{order}")
    assert after.revision > before.revision and after.summary.status is Status.COMPLETED
    assert after.summary.size == sum(row.size for row in after.rows) > 0
    with httpx.Client() as stranger:  # the links need nobody's token
        for row in after.rows:
            assert len(stranger.get(row.href).content) == row.size
    assert after.remaining is None and after.log[0].status is Status.COMPLETED


@pytest.mark.usefixtures("accounts")
def test_anybody_elses_order_has_no_view(server: Server, stranger: httpx.Client, submit: Callable[..., str]):
    url = f"{server.api}/orders/{submit()}/view"
    assert stranger.get(url).status_code == 401
    for_alice = stranger.get(url, auth=("alice", "alice's secret"))
    assert for_alice.status_code == 404
    unknown = stranger.get(url.replace("/view", "0/view"), auth=("alice", "alice's secret"))
    assert unknown.status_code == 404


def test_an_instance_says_which_service_this_is_and_nothing_of_its_key(server: Server, http: httpx.Client):
    said = http.get(f"{server.api}/").json()
    assert said["instance"] == http.get(f"{server.api}/").json()["instance"]
    key = (server.data_dir / "keys" / "urls").read_bytes()
    assert len(said["instance"]) == 32 and said["instance"] not in key.hex()
