"""Shared orders over HTTP: what a grantee and a link open, and what nobody gets by guessing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Server, envelope, opened
from test_events import listening

from oseo_lab.encoding import json_form
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    GetStatus,
    Presentation,
    SubFunction,
)
from oseo_lab.model.view import OrderView
from oseo_lab.wiring import Services


@pytest.fixture
def alice(server: Server, accounts: None) -> Iterator[httpx.Client]:
    with httpx.Client(auth=("alice", "alice's secret"), timeout=30) as client:
        yield client


@pytest.fixture
def delivered(submit: Callable[..., str], finish: Callable[[], None]) -> str:
    order = submit("P1")
    finish()
    return order


@pytest.fixture
def share(server: Server, http: httpx.Client) -> Callable[..., dict[str, Any]]:
    def make(order: str, grantee: str | None = None, days: float = 1) -> dict[str, Any]:
        until = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        body = {"grantee": grantee, "until": until}
        answer = http.post(f"{server.api}/orders/{order}/shares", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return make


READABLE = ("", "/view", "/items", "/history", "/results", "?presentation=full")
PRIVATE = ("/charges", "/notices", "/shares", "/results?sub_function=nextReady")
CHANGING = ("/cancel", "/pause", "/resume", "/retry", "/match")


def test_a_named_user_reads_the_order_by_all_doors_until_it_is_taken_back(
    server: Server, http: httpx.Client, alice: httpx.Client, delivered: str, share: Callable[..., Any]
):
    url = f"{server.api}/orders/{delivered}"
    order_id = f"urn:uuid:{delivered}"
    made = share(delivered, "alice")
    assert "url" not in made and "secret_hash" not in made
    for path in READABLE:
        assert alice.get(url + path).status_code == 200, path
    for path in PRIVATE:
        assert alice.get(url + path).status_code == 404, path
    for path in CHANGING:
        assert alice.post(url + path, json={}).status_code in (404, 422), path
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert alice.post(f"{url}/shares", json={"until": until}).status_code == 404
    assert alice.delete(f"{url}/shares/{made['share_id']}").status_code == 404
    assert json_form.from_plain(OrderView, alice.get(f"{url}/view").json()).actions == ()
    soap = {"Content-Type": "application/soap+xml"}
    for message in (
        GetStatus(order_id=order_id, presentation=Presentation.FULL),
        DescribeResultAccess(order_id=order_id, sub_function=SubFunction.ALL_READY),
    ):
        answer = alice.post(server.soap, content=envelope(message), headers=soap)
        assert answer.status_code == 200, answer.text
    refused = alice.post(server.soap, content=envelope(Cancel(order_id=order_id)), headers=soap)
    assert refused.status_code >= 400 and "no order" in str(opened(refused))
    assert [each["order_id"] for each in summaries(server, alice, shared="true")] == [order_id]
    assert http.delete(f"{url}/shares/{made['share_id']}").json() == {"shares": []}
    for path in READABLE:
        assert alice.get(url + path).status_code == 404, path
    assert summaries(server, alice, shared="true") == []


def summaries(server: Server, client: httpx.Client, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"{server.api}/orders/summaries", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["orders"]


def test_files_open_for_a_grantee_and_their_links_end_with_the_share(
    server: Server,
    http: httpx.Client,
    alice: httpx.Client,
    delivered: str,
    share: Callable[..., Any],
    services: Services,
):
    made = share(delivered, "alice")
    (row,) = alice.get(f"{server.api}/orders/{delivered}/view").json()["rows"]
    bare = row["href"].partition("?")[0]
    with httpx.Client() as nobody:
        assert f"share={made['share_id']}" in row["href"]
        assert nobody.get(row["href"]).status_code == 200
        assert nobody.get(bare).status_code == 401
        assert alice.get(bare).status_code == 200
        # what others fetch does not count as its owner's download
        with services.store.read() as snapshot:
            assert snapshot.orders.get(f"urn:uuid:{delivered}").status.status == "Completed"
        for forged in (
            row["href"].replace("share=", "shared="),
            row["href"].replace(made["share_id"], "00000000-0000-4000-8000-000000000001"),
            re.sub("share=[^&]*&", "", row["href"]),
            re.sub("expires=([0-9]+)", lambda found: f"expires={int(found[1]) + 9999}", row["href"]),
        ):
            assert nobody.get(forged).status_code == 403, forged
        http.delete(f"{server.api}/orders/{delivered}/shares/{made['share_id']}")
        assert nobody.get(row["href"]).status_code == 404
        assert alice.get(bare).status_code == 404
        mine = http.get(f"{server.api}/orders/{delivered}/view").json()["rows"][0]["href"]
        assert nobody.get(mine).status_code == 200


def test_a_link_shows_the_order_to_whoever_has_it(
    server: Server, http: httpx.Client, delivered: str, share: Callable[..., Any]
):
    made = share(delivered)
    assert made["url"].startswith(f"{server.soap}shared/") and len(made["url"].rpartition("/")[2]) >= 43
    with httpx.Client() as nobody:
        page = nobody.get(made["url"])
        assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
        assert "mine" in page.text and "item 1" in page.text
        assert "<script" not in page.text.lower() and "Refresh" not in page.headers
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")
        assert "Set-Cookie" not in page.headers
        view = json_form.from_plain(OrderView, nobody.get(f"{made['url']}/view").json())
        assert view.actions == () and view.summary.owner == "local"
        assert nobody.get(view.rows[0].href).status_code == 200
        (url,) = nobody.get(f"{made['url']}/results").json()["urls"]
        assert nobody.get(url["url"]).status_code == 200
        listed = http.get(f"{server.api}/orders/{delivered}/shares").json()["shares"]
        assert [each["share_id"] for each in listed] == [made["share_id"]]
        assert made["url"].rpartition("/")[2] not in str(listed)
        http.delete(f"{server.api}/orders/{delivered}/shares/{made['share_id']}")
        for path in ("", "/view", "/results"):
            assert nobody.get(made["url"] + path).status_code == 404
        assert nobody.get(view.rows[0].href).status_code == 404
        gone = nobody.get(made["url"])
        assert gone.headers["Content-Type"].startswith("text/html") and "opens nothing" in gone.text


def test_the_page_of_a_running_order_asks_again_by_itself(
    server: Server, submit: Callable[..., str], share: Callable[..., Any], finish: Callable[[], None]
):
    page = httpx.get(share(submit("P2"))["url"])
    assert int(page.headers["Refresh"]) >= 5
    finish()


def test_secrets_are_not_guessed_and_stay_out_of_the_log(
    server: Server, http: httpx.Client, delivered: str, share: Callable[..., Any]
):
    made = share(delivered)
    secret = made["url"].rpartition("/")[2]
    guesses = [
        secret[:-1],
        secret + "A",
        secret.swapcase(),
        made["share_id"],
        delivered,
        "%00",
        "..%2f..",
        "a" * 5000,
        "%E2%98%83",
        "%FF",
    ]
    with httpx.Client() as nobody:
        for guess in guesses:
            answer = nobody.get(f"{server.soap}shared/{guess}/view")
            assert answer.status_code in (400, 404), guess
        for method in ("POST", "DELETE", "PUT"):
            assert nobody.request(method, made["url"]).status_code in (403, 405)
        assert nobody.head(made["url"]).status_code == 200
        for broken in ("/nothing", "/x%FF", "%FF", "/view%FF"):
            assert nobody.get(f"{made['url']}{broken}").status_code in (400, 404)
    log = (server.data_dir.parent / "server.log").read_text()
    assert secret not in log, log[-2000:]
    database = b"".join(path.read_bytes() for path in Path(server.data_dir).glob("orders.sqlite*"))
    assert secret.encode() not in database


def test_names_in_a_shared_page_are_text(
    server: Server, http: httpx.Client, share: Callable[..., Any], finish: Callable[[], None]
):
    body = {
        "specification": {
            "order_reference": "<img src=x onerror=a()>",
            "items": [
                {
                    "item_id": "<script>1</script>",
                    "identifier": {"identifier": "P1", "collection_id": "things"},
                }
            ],
        }
    }
    order = http.post(f"{server.api}/orders", json=body).json()["order_id"].removeprefix("urn:uuid:")
    page = httpx.get(share(order)["url"]).text
    assert "<script>1" not in page and "<img" not in page and "&lt;img src=x" in page
    finish()


def test_a_grantee_hears_events_until_the_share_is_taken_back(
    server: Server,
    http: httpx.Client,
    alice: httpx.Client,
    submit: Callable[..., str],
    share: Callable[..., Any],
    finish: Callable[[], None],
):
    shared, private = submit("P3"), submit("P4")
    made = share(shared, "alice")
    with listening(server, alice) as heard:
        http.post(f"{server.api}/orders/{private}/cancel", json={})
        finish()
        first = next(heard)
        assert first["data"]["order_id"] == f"urn:uuid:{shared}"
    other = submit("P5")
    share(other, "alice")
    http.delete(f"{server.api}/orders/{shared}/shares/{made['share_id']}")
    with listening(server, alice, Last_Event_ID=first["id"]) as heard:
        # what is missed of a share that was taken back stays unheard
        assert next(heard)["data"]["order_id"] == f"urn:uuid:{other}"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"grantee": "alice"}, "until"),
        ({"grantee": "alice", "until": "yesterday"}, "until"),
        ({"grantee": "alice", "until": "2020-01-01T00:00:00Z"}, "later than now"),
        ({"grantee": "local", "until": "2999-01-01T00:00:00Z"}, "366 days"),
        ({"grantee": 7, "until": "2999-01-01T00:00:00Z"}, "grantee"),
        ({"who": "alice"}, "who"),
    ],
)
def test_a_share_that_cannot_be_is_refused_with_the_reason(
    server: Server, http: httpx.Client, delivered: str, body: dict[str, Any], says: str
):
    answer = http.post(f"{server.api}/orders/{delivered}/shares", json=body)
    assert answer.status_code == 422 and says in answer.text


@pytest.mark.parametrize(
    "query", ["shared=perhaps", "since=yesterday", "status=Done", "limit=x", "cursor=nonsense"]
)
def test_a_page_that_cannot_be_read_is_refused(server: Server, http: httpx.Client, query: str):
    answer = http.get(f"{server.api}/orders/summaries?{query}")
    assert answer.status_code in (404, 422) and answer.json()["detail"]
