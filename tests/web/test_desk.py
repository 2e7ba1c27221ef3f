"""The doors of the order desk: for operators only, with refusals that say why; and what everybody is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from serving import Server, envelope, order

from oseo_lab.encoding import json_form
from oseo_lab.model.desk import Board, Look
from oseo_lab.model.messages import GetCapabilities
from oseo_lab.operations.order_types import make_order
from oseo_lab.wiring import Services

UNKNOWN = "00000000-0000-4000-8000-000000000009"
ALICE = ("alice", "alice's secret")
DOORS = [
    ("GET", "/desk", None),
    ("GET", f"/desk/orders/{UNKNOWN}", None),
    ("POST", f"/desk/orders/{UNKNOWN}/approve", None),
    ("POST", f"/desk/orders/{UNKNOWN}/reject", {"reason": "no"}),
    ("POST", f"/desk/orders/{UNKNOWN}/run-again", None),
    ("PUT", "/desk/announcement", {"text": "hello"}),
    ("DELETE", "/desk/announcement", None),
]
pytestmark = pytest.mark.usefixtures("accounts")


@pytest.fixture
def waiting(services: Services) -> Callable[[], str]:
    """Return what submits an order of alice's that waits for approval; its UUID."""

    def submit() -> str:
        specification = order("P1", "P2").specification
        assert specification is not None
        collection = replace(services.collections["things"], automatic=False)
        made = make_order(specification, (collection,) * 2, "alice", None, None, services.now())
        services.store.write(lambda work: work.orders.add(made))
        return made.order_id.removeprefix("urn:uuid:")

    return submit


@pytest.fixture
def announced(server: Server, http: httpx.Client) -> Iterator[Callable[..., httpx.Response]]:
    """Return what announces; nothing is announced after the test."""
    yield lambda **said: http.put(f"{server.api}/desk/announcement", json=said)
    http.delete(f"{server.api}/desk/announcement")


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
def test_strangers_learn_nothing_and_users_may_not(
    server: Server, stranger: httpx.Client, method: str, path: str, body: object
) -> None:
    assert stranger.request(method, f"{server.api}{path}", json=body).status_code == 401
    answer = httpx.request(method, f"{server.api}{path}", json=body, auth=ALICE)
    assert (answer.status_code, answer.json()["code"]) == (403, "AuthorizationFailed")
    assert "only operators" in answer.json()["detail"]


def test_the_board_is_what_clients_read(
    server: Server, http: httpx.Client, waiting: Callable[[], str]
) -> None:
    uuid = waiting()
    answer = http.get(f"{server.api}/desk")
    assert answer.headers["Cache-Control"] == "no-store"
    board = json_form.decode(Board, answer.content)
    (mine,) = [each for each in board.waiting if each.order_id.endswith(uuid)]
    assert (mine.owner, mine.items, mine.collections) == ("alice", 2, ("things",))
    assert 0 < (board.disk_free or 0) < 1
    assert "things" in {each.collection_id for each in board.collections}


def test_an_order_is_approved_once_and_its_user_sees_it(
    server: Server, http: httpx.Client, waiting: Callable[[], str], finish: Callable[[], None]
) -> None:
    uuid = waiting()
    url = f"{server.api}/desk/orders/{uuid}"
    first = http.post(f"{url}/approve")
    assert (first.status_code, first.json()["approval"]["decided"]) == (202, "approved")
    assert http.post(f"{url}/approve").json()["revision"] == first.json()["revision"]
    refused = http.post(f"{url}/reject", json={"reason": "no"})
    assert (refused.status_code, refused.json()["kind"]) == (409, "InvalidState")
    assert "was approved by" in refused.json()["detail"]
    finish()
    seen = httpx.get(f"{server.api}/orders/{uuid}", auth=ALICE).json()
    assert seen["status"]["status"] == "Completed"


def test_a_rejection_is_read_by_its_user(
    server: Server, http: httpx.Client, waiting: Callable[[], str], finish: Callable[[], None]
) -> None:
    uuid = waiting()
    url = f"{server.api}/desk/orders/{uuid}/reject"
    for body in (None, {}, {"reason": ""}, {"reason": 5}, {"reason": "x", "more": 1}):
        assert http.post(url, json=body).status_code in (400, 422)
    assert http.post(url, json={"reason": "not before <May>"}).status_code == 202
    finish()
    view = httpx.get(f"{server.api}/orders/{uuid}/view", auth=ALICE).json()
    sentence = "rejected by an operator: not before <May>"
    assert (view["summary"]["status"], view["summary"]["info"]) == ("Cancelled", sentence)
    assert sentence in [line["info"] for line in view["log"]]


def test_an_order_is_looked_at(server: Server, http: httpx.Client, waiting: Callable[[], str]) -> None:
    uuid = waiting()
    found = json_form.decode(Look, http.get(f"{server.api}/desk/orders/{uuid}").content)
    assert (found.view.summary.owner, found.view.actions) == ("alice", ())
    assert [each.item_id for each in found.asked.items] == ["item 1", "item 2"]
    assert http.get(f"{server.api}/desk/orders/{UNKNOWN}").status_code == 404


@pytest.mark.parametrize("path", ["lake/approve", f"{UNKNOWN}/approve", f"{UNKNOWN}/run-again"])
def test_an_order_that_is_not_there(server: Server, http: httpx.Client, path: str) -> None:
    answer = http.post(f"{server.api}/desk/orders/{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_nothing_stuck_is_said(server: Server, http: httpx.Client, waiting: Callable[[], str]) -> None:
    answer = http.post(f"{server.api}/desk/orders/{waiting()}/run-again")
    assert (answer.status_code, "nothing of the order is stuck" in answer.json()["detail"]) == (409, True)


def test_everybody_is_told_at_every_door(
    server: Server, http: httpx.Client, stranger: httpx.Client, announced: Callable[..., httpx.Response]
) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=6)
    made = announced(text="Archive <b>restores</b> are slow", until=until.isoformat())
    said = {"text": "Archive <b>restores</b> are slow", "until": until.isoformat().replace("+00:00", "Z")}
    assert (made.status_code, made.json()) == (200, said)
    about = httpx.get(f"{server.api}/", auth=ALICE).json()
    assert (about["announcement"], about["is_operator"]) == (said, False)
    assert http.get(f"{server.api}/desk").json()["announcement"] == said
    page = stranger.get(server.soap, headers={"Accept": "text/html"}).text
    assert "<b>restores" not in page
    assert "Archive &lt;b&gt;restores&lt;/b&gt; are slow (until" in page
    capabilities = stranger.post(
        server.soap,
        content=envelope(GetCapabilities()),
        headers={"Content-Type": "application/soap+xml"},
    ).text
    assert "Announcement: Archive &lt;b>restores" in capabilities.replace("&gt;", ">")
    assert http.delete(f"{server.api}/desk/announcement").json() == {"announcement": None}
    assert httpx.get(f"{server.api}/", auth=ALICE).json()["announcement"] is None


def test_operators_read_the_desk_as_a_page(
    server: Server, http: httpx.Client, stranger: httpx.Client, waiting: Callable[[], str]
) -> None:
    uuid = waiting()
    page = http.get(f"{server.soap}desk")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert uuid[:8] in page.text
    assert f'{server.soap}desk"' in stranger.get(server.soap, headers={"Accept": "text/html"}).text
    assert stranger.get(f"{server.soap}desk").status_code == 401
    refused = httpx.get(f"{server.soap}desk", auth=ALICE)
    assert (refused.status_code, "only operators see the order desk" in refused.text) == (403, True)
    assert uuid[:8] not in refused.text


@pytest.mark.parametrize("said", [{}, {"text": ""}, {"text": "x" * 501}, {"text": "x", "until": "noon"}])
def test_an_announcement_that_is_none_is_refused(
    announced: Callable[..., httpx.Response], said: dict[str, str]
) -> None:
    assert announced(**said).status_code == 422
