"""The JSON API."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import httpx
import pytest
from serving import TOKEN, Server, order

from oseo_lab.encoding import json_form
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.messages import GetStatus, GetStatusResponse, SubmitAck
from oseo_lab.model.order import Order, new_order_id

Submit = Callable[..., str]


def test_it_says_who_is_asking(server: Server, http: httpx.Client):
    said = http.get(f"{server.api}/").json()
    assert said["service"] == "oseo_lab" and said["owner"] == "local"
    assert http.get(server.api).json() == said


@pytest.mark.usefixtures("accounts")
def test_an_account_is_its_owner(server: Server):
    said = httpx.get(f"{server.api}/", auth=("bob", "bob's secret")).json()
    assert said["owner"] == "bobs team"


@pytest.mark.parametrize("path", ["/openapi.json", "/capabilities"])
def test_descriptions_are_open(server: Server, stranger: httpx.Client, path: str):
    answer = stranger.get(f"{server.api}{path}")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"


UNKNOWN = "urn:uuid:00000000-0000-4000-8000-000000000009"
CLOSED = [
    ("GET", ""),
    ("GET", "/collections"),
    ("GET", "/collections/things"),
    ("GET", "/collections/things/options"),
    ("GET", "/collections/things/schema"),
    ("GET", "/collections/things/products"),
    ("POST", "/collections/things/products"),
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("GET", f"/orders/{UNKNOWN}"),
    ("GET", f"/orders/{UNKNOWN}/items"),
    ("GET", f"/orders/{UNKNOWN}/history"),
    ("GET", f"/orders/{UNKNOWN}/results"),
    ("POST", f"/orders/{UNKNOWN}/cancel"),
    ("POST", "/operations/GetStatus"),
    ("GET", "/events"),
]


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_everything_else_is_not(server: Server, stranger: httpx.Client, method: str, path: str):
    body = {"POST": json_form.encode(order()) if path == "/orders" else b"{}"}.get(method)
    if path == "/operations/GetStatus":
        body = json_form.encode(GetStatus(order_id=new_order_id()))
    answer = stranger.request(method, f"{server.api}{path}", content=body)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "AuthenticationFailed"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


# ------------------------------------------------------------------------------------------- collections


def test_collections_say_what_users_may_know(server: Server, http: httpx.Client):
    found = http.get(f"{server.api}/collections").json()["collections"]
    assert [each["id"] for each in found] == ["things", "urn:some/thing", "broken"]
    assert "catalogue_settings" not in found[0] and "fixed" not in found[0]
    one = http.get(f"{server.api}/collections/{quote('urn:some/thing', safe='')}")
    assert one.json() == found[1]


@pytest.mark.parametrize("part", ["", "/options", "/schema", "/products"])
def test_an_unknown_collection_is_not_found(server: Server, http: httpx.Client, part: str):
    answer = http.get(f"{server.api}/collections/nothing{part}")
    assert answer.status_code in (404, 422)
    assert answer.json()["locator"] == "collectionId" and "things" in answer.json()["detail"]


def test_options_and_schema(server: Server, http: httpx.Client):
    assert http.get(f"{server.api}/collections/things/options").json()["order_options"]
    schema = http.get(f"{server.api}/collections/things/schema").json()
    assert schema["options"]["type"] == schema["scene"]["type"] == "object"
    assert {"options": schema["options"], "scene": schema["scene"]} in schema["groups"].values()


def test_products_are_searched(server: Server, http: httpx.Client):
    query = {
        "bbox": "5,45,11,48",
        "datetime": "2026-07-01/..",
        "text": "alps",
        "cloud_cover.lt": "20",
        "cloud_cover.gte": "1",
        "platform": "s2a",
        "limit": "3",
        "cursor": "6",
    }
    url = f"{server.api}/collections/things/products"
    said = http.post(
        url, params=query, content=json.dumps({"geometry": {"type": "Point", "coordinates": [7, 46]}})
    )
    found = [json_form.from_plain(CatalogueItem, each) for each in said.json()["products"]]
    assert [each.identifier for each in found] == ["P6", "P7", "P8"] and said.json()["cursor"] == "9"
    asked = found[0].properties["asked"]
    for part in (
        "bbox=(5.0, 45.0, 11.0, 48.0)",
        "'lt': 20, 'gte': 1",
        "'platform': 's2a'",
        "text='alps'",
        "end=None",
    ):
        assert part in asked
    named = http.get(url, params={"ids": "P1,Q2,P3"}).json()
    assert [each["identifier"] for each in named["products"]] == ["P1", "P3"] and named["cursor"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("bbox", "1,2,3"), ("bbox", "0,0,0,91"), ("datetime", "x"), ("limit", "-1"), ("limit", "1e9")],
)
def test_a_bad_search_says_what_is_wrong(server: Server, http: httpx.Client, name: str, value: str):
    answer = http.get(f"{server.api}/collections/things/products", params={name: value})
    assert answer.status_code == 422 and answer.json()["locator"] == name


def test_a_product_tells_no_path_of_the_servers_files(server: Server, http: httpx.Client):
    found = http.get(f"{server.api}/collections/things/products", params={"ids": "P-local"}).json()
    (product,) = found["products"]
    assert [each["href"] for each in product["assets"]] == ["a.tif", "b.tif", "https://data.example/c.tif"]
    assert product["thumbnail"].startswith("collections/") and "secret" not in product["thumbnail"]


def test_a_catalogue_out_of_reach_is_unavailable(server: Server, http: httpx.Client):
    answer = http.get(f"{server.api}/collections/broken/products")
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert "catalogue.example" in answer.json()["detail"]


# ------------------------------------------------------------------------------------------------ orders


def test_an_order_from_submit_to_cancel(server: Server, http: httpx.Client):
    made = http.post(f"{server.api}/orders", content=json_form.encode(order("P1", "P2", "P3")))
    assert made.status_code == 201
    acknowledgement = json_form.decode(SubmitAck, made.content)
    brief = json_form.decode(Order, http.get(made.headers["Location"]).content)
    assert brief.order_id == acknowledgement.order_id and not brief.items
    url = f"{server.api}/orders/{quote(brief.order_id, safe='')}"
    full = json_form.decode(Order, http.get(f"{url}?presentation=full").content)
    assert [each.number for each in full.items] == [1, 2, 3]
    page = http.get(f"{url}/items?after=1&limit=1").json()["items"]
    assert [each["number"] for each in page] == [2]
    history = http.get(f"{url}/history").json()
    assert history["history"] and history["attempts"] == []
    assert all("detail" not in each for each in history["history"])
    assert http.get(f"{url}/results").json()["urls"] == []
    assert http.post(f"{url}/cancel").status_code == 202
    assert json_form.decode(Order, http.get(url).content).wanted == "cancelled"


def test_orders_are_listed_by_what_is_asked(server: Server, http: httpx.Client, submit: Submit):
    mine = f"urn:uuid:{submit()}"
    query = {"status": "Accepted,Submitted", "reference": "mine", "last_update": "2020-01-01T00:00:00Z"}
    found = json_form.decode(GetStatusResponse, http.get(f"{server.api}/orders", params=query).content)
    assert mine in [each.order_id for each in found.orders]
    none = http.get(f"{server.api}/orders", params={"last_update": "2100-01-01"}).json()
    assert none.get("orders", []) == []
    wrong = http.get(f"{server.api}/orders", params={"status": "Lost"})
    assert wrong.status_code == 422 and "Accepted" in wrong.json()["detail"]


def test_any_operation_by_its_name(server: Server, http: httpx.Client, submit: Submit):
    message = GetStatus(order_id=f"urn:uuid:{submit()}")
    answer = http.post(f"{server.api}/operations/GetStatus", content=json_form.encode(message))
    assert len(json_form.decode(GetStatusResponse, answer.content).orders) == 1
    unknown = http.post(f"{server.api}/operations/Explode")
    assert unknown.status_code == 404 and "GetCapabilities" in unknown.json()["detail"]


def test_the_same_key_twice_is_one_order(server: Server, http: httpx.Client):
    key = {"Idempotency-Key": "once"}
    body = json_form.encode(order())
    first, second = (http.post(f"{server.api}/orders", content=body, headers=key).json() for _ in range(2))
    assert first == second


def test_a_key_of_any_length_is_not_kept(server: Server, http: httpx.Client):
    body = json_form.encode(order())
    answer = http.post(f"{server.api}/orders", content=body, headers={"Idempotency-Key": "x" * 1001})
    assert answer.status_code == 422 and answer.json()["locator"] == "Idempotency-Key"
    assert http.post(f"{server.api}/orders", content=body, headers={"Idempotency-Key": "x" * 1000}).is_success


def test_all_problems_of_an_order_at_once(server: Server, http: httpx.Client):
    answer = http.post(f"{server.api}/orders", content=json_form.encode(order("bad one", "P2", "bad two")))
    assert answer.status_code == 422
    assert [each["item_id"] for each in answer.json()["problems"]] == ["item 1", "item 3"]


@pytest.mark.parametrize("part", ["", "/items", "/history", "/results"])
@pytest.mark.usefixtures("accounts")
def test_anothers_order_looks_unknown(server: Server, submit: Submit, part: str):
    mine = submit()
    with httpx.Client(auth=("alice", "alice's secret")) as alice:
        others = alice.get(f"{server.api}/orders/{mine}{part}")
        unknown = alice.get(f"{server.api}/orders/{new_order_id()}{part}")
        nonsense = alice.get(f"{server.api}/orders/1{part}")
    assert others.status_code == unknown.status_code == nonsense.status_code == 404
    said = [each.json() | {"detail": "", "problems": ""} for each in (others, unknown, nonsense)]
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"specification": {"items": 1}}', b"\xff"])
def test_what_is_no_message_is_a_problem(server: Server, http: httpx.Client, body: bytes):
    answer = http.post(f"{server.api}/orders", content=body)
    assert answer.status_code in (400, 422) and answer.json()["problems"]


def test_other_content_types_are_refused(server: Server, http: httpx.Client):
    answer = http.post(f"{server.api}/orders", content=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415 and answer.headers["Content-Type"] == "application/problem+json"


# ----------------------------------------------------------------------------------------------- browsers


@pytest.fixture
def browser(server: Server) -> Iterator[httpx.Client]:
    """A browser that has logged in with the token and holds Jupyter's cookies."""
    with httpx.Client(timeout=30, follow_redirects=True) as client:
        client.get(f"{server.url}api/status", params={"token": TOKEN})
        client.get(f"{server.url}login")
        yield client


def test_a_browser_is_known_by_its_cookie(server: Server, browser: httpx.Client):
    assert browser.get(f"{server.api}/").json()["owner"] == "local"


def test_a_browser_needs_the_xsrf_token_to_write(server: Server, browser: httpx.Client):
    body = json_form.encode(order())
    refused = browser.post(f"{server.api}/orders", content=body)
    assert refused.status_code == 403 and "xsrf" in refused.json()["detail"].lower()
    xsrf = next(each.value for each in browser.cookies.jar if each.name == "_xsrf")
    accepted = browser.post(f"{server.api}/orders", content=body, headers={"X-XSRFToken": xsrf})
    assert accepted.status_code == 201


def test_another_sites_page_is_refused(server: Server, browser: httpx.Client):
    answer = browser.get(f"{server.api}/orders", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_a_token_in_the_url_is_jupyters_way_here(server: Server, stranger: httpx.Client):
    assert stranger.get(f"{server.api}/", params={"token": TOKEN}).status_code == 200


def test_asking_does_not_keep_a_server_awake(server: Server, http: httpx.Client, submit: Submit):
    def last_activity() -> str:
        return str(
            http.get(f"{server.url}api/status", params={"no_track_activity": 1}).json()["last_activity"]
        )

    submit()
    before = last_activity()
    http.get(f"{server.api}/orders")
    http.post(f"{server.api}/orders?no_track_activity=1", content=json_form.encode(order()))
    assert last_activity() == before
    submit()
    assert last_activity() > before


def test_credentials_that_are_no_text_are_refused(server: Server):
    said = "Basic " + base64.b64encode(b"\xff:\xff").decode()
    assert httpx.get(f"{server.api}/", headers={"Authorization": said}).status_code == 401


@pytest.mark.usefixtures("accounts")
def test_a_password_that_a_browser_remembers_does_not_help_another_site(server: Server):
    with httpx.Client(auth=("alice", "alice's secret")) as alice:
        body = json_form.encode(order())
        answer = alice.post(f"{server.api}/orders", content=body, headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403
        own = server.url.removesuffix("/user/zoe/")
        answer = alice.post(f"{server.api}/orders", content=body, headers={"Origin": own})
        assert answer.status_code == 201
