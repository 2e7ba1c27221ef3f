"""The STAC API catalogue against a real HTTP server that serves real items, pages, and misbehaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.builtin.catalogue_stac import StacCatalogue
from oseo_lab.model.errors import Unavailable
from oseo_lab.ports import CatalogueQuery

CORE = "https://api.stacspec.org/v1.0.0/core"
SEARCH = "https://api.stacspec.org/v1.0.0/item-search"
EVERYTHING = [
    CORE,
    SEARCH,
    f"{SEARCH}#sort",
    f"{SEARCH}#query",
    "https://api.stacspec.org/v1.0.0/collections",
]


class Api:
    """A small STAC API over given items; what it can do and how it fails are attributes."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self.items = items
        self.conforms = EVERYTHING
        self.page = 3
        self.asked: list[dict[str, Any]] = []
        self.fail: Callable[[dict[str, Any]], int | None] = lambda body: None
        self.next_host = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.handle_error = lambda request, address: None  # type: ignore[method-assign]  # hung up on
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def root(self) -> dict[str, Any]:
        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "api",
            "description": "a small API",
            "conformsTo": self.conforms,
            "links": [
                {"rel": "self", "href": self.url},
                {"rel": "root", "href": self.url},
                {
                    "rel": "search",
                    "href": f"{self.url}/search",
                    "method": "POST",
                    "type": "application/geo+json",
                },
            ],
        }

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        found = [item for item in self.items if self._matches(item, body)]
        if "sortby" in body:
            found.sort(key=lambda item: item["properties"]["datetime"], reverse=True)
        at = int(body.get("token", 0))
        page = min(int(body.get("limit", 10)), self.page)
        links = []
        if at + page < len(found):
            more = {**body, "token": str(at + page)}
            href = f"{self.next_host or self.url}/search"
            links = [{"rel": "next", "href": href, "method": "POST", "body": more}]
        return {"type": "FeatureCollection", "features": found[at : at + page], "links": links}

    def _matches(self, item: dict[str, Any], body: dict[str, Any]) -> bool:
        if "ids" in body and item["id"] not in body["ids"]:
            return False
        if "datetime" in body:
            start, _, end = body["datetime"].partition("/")
            time = datetime.fromisoformat(item["properties"]["datetime"])
            if start not in ("", "..") and time < datetime.fromisoformat(start):
                return False
            if end not in ("", "..") and time > datetime.fromisoformat(end).replace(microsecond=999999):
                return False
        if "bbox" in body:
            west, south, east, north = body["bbox"]
            box = item["bbox"]
            if box[0] > east or box[2] < west or box[1] > north or box[3] < south:
                return False
        if "query" in body:
            for name, test in body["query"].items():
                if "lt" in test and not item["properties"][name] < test["lt"]:
                    return False
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(200, api.root())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.asked.append(body)
                status = api.fail(body)
                if status is None:
                    self.answer(200, api.search(body))
                else:
                    self.answer(status, {"description": "it went wrong"})

            def answer(self, status: int, content: Any) -> None:
                text = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                if 300 <= status < 400:
                    self.send_header("Location", "http://localhost:9/latest/meta-data")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def api(shared: Path) -> Iterator[Api]:
    path = shared / "catalog" / "stac" / "search-responses" / "site2-2020_jun_jul-35MNM.geojson"
    made = Api(json.loads(path.read_bytes())["features"])
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def catalogue(api: Api, **settings: Any) -> StacCatalogue:
    given = {
        "href": api.url,
        "collection": "sentinel-2-l2a",
        "hosts": ["*.blob.core.windows.net", "127.0.0.1"],
    }
    return StacCatalogue("s2", {**given, **settings})


def all_pages(found: StacCatalogue, query: CatalogueQuery) -> list[str]:
    every: list[str] = []
    cursor = query.cursor
    for _ in range(50):
        items, cursor = found.search(CatalogueQuery(**{**_fields(query), "cursor": cursor}))
        every += [item.identifier for item in items]
        if cursor is None:
            return every
    raise AssertionError("the cursor never ends")


def _fields(query: CatalogueQuery) -> dict[str, Any]:
    return {name: getattr(query, name) for name in CatalogueQuery.__dataclass_fields__}


def newest_first(api: Api) -> list[str]:
    order = sorted(api.items, key=lambda item: item["id"])
    return [
        item["id"] for item in sorted(order, key=lambda item: item["properties"]["datetime"], reverse=True)
    ]


def test_making_one_asks_nobody(api: Api) -> None:
    made = catalogue(api)
    assert api.asked == []
    assert made.find(["nothing"]) == {}
    assert len(api.asked) == 1


def test_products_are_found_by_identifier(api: Api) -> None:
    wanted = [item["id"] for item in api.items[:7]]
    found = catalogue(api).find([*wanted, "nothing"])

    assert list(found) and found.keys() == set(wanted)
    assert all(item.orderable and item.collection_id == "s2" for item in found.values())
    assert {asset.name: asset.bands for asset in found[wanted[0]].assets}["B04"] == ("B04",)
    assert api.asked[0]["collections"] == ["sentinel-2-l2a"]


@pytest.mark.parametrize("conforms", [EVERYTHING, [CORE, SEARCH]])
@pytest.mark.parametrize("limit", [1, 4, 100])
def test_pages_are_whole_and_newest_first_whatever_the_api_can_do(
    api: Api, conforms: list[str], limit: int
) -> None:
    api.conforms = conforms

    assert all_pages(catalogue(api), CatalogueQuery(limit=limit)) == newest_first(api)


@pytest.mark.parametrize("conforms", [EVERYTHING, [CORE, SEARCH]])
def test_time_area_text_and_filters_mean_the_same_whatever_the_api_can_do(
    api: Api, conforms: list[str]
) -> None:
    api.conforms = conforms
    found = catalogue(api)
    july = CatalogueQuery(start=datetime(2020, 7, 1, tzinfo=UTC), end=datetime(2020, 7, 31, tzinfo=UTC))
    clear = CatalogueQuery(filters={"cloud_cover": {"lt": 5}})
    inside = {"type": "Point", "coordinates": [27.5, -7.7]}

    assert all("_202007" in name for name in all_pages(found, july))
    assert 0 < len(all_pages(found, july)) < 13
    expected = {item["id"] for item in api.items if item["properties"]["eo:cloud_cover"] < 5}
    assert set(all_pages(found, clear)) == expected
    assert len(all_pages(found, CatalogueQuery(geometry=inside, limit=5))) == 13
    assert all_pages(found, CatalogueQuery(bbox=(0, 0, 1, 1))) == []
    assert all_pages(found, CatalogueQuery(text="20200731T080611")) == newest_first(api)[:1]


def test_a_cursor_survives_new_products(api: Api) -> None:
    found = catalogue(api)
    first, cursor = found.search(CatalogueQuery(limit=5))
    before = newest_first(api)
    new = json.loads(json.dumps(api.items[0]))
    new |= {"id": "NEW", "properties": {**new["properties"], "datetime": "2020-12-01T00:00:00Z"}}
    api.items.append(new)

    rest = all_pages(found, CatalogueQuery(limit=5, cursor=cursor))

    assert [item.identifier for item in first] + rest == before


def test_what_the_api_says_beyond_the_question_is_not_believed(api: Api) -> None:
    api._matches = lambda item, body: True  # type: ignore[method-assign]
    found = catalogue(api)

    assert found.find([api.items[0]["id"]]).keys() == {api.items[0]["id"]}
    assert all_pages(found, CatalogueQuery(bbox=(0, 0, 1, 1))) == []


def test_hrefs_of_other_hosts_and_files_of_this_machine_are_not_touched(api: Api) -> None:
    for at, href in enumerate(
        ["/etc/passwd", "file:///etc/passwd", "http://evil.example.org/a.tif", "a.tif"]
    ):
        api.items[at]["assets"] = {"data": {"href": href, "roles": ["data"]}}
        api.items[at]["links"] = [{"rel": "self", "href": f"{api.url}/items/{at}"}]
    names = [item["id"] for item in api.items[:4]]

    found = catalogue(api).find(names)

    assert [asset.href for asset in found[names[0]].assets] == [f"{api.url}/etc/passwd"]
    assert not found[names[1]].orderable
    assert not found[names[2]].orderable
    assert [asset.href for asset in found[names[3]].assets] == [f"{api.url}/items/a.tif"]


@pytest.mark.parametrize(
    ("status", "retried"), [(500, True), (503, True), (429, True), (404, False), (400, False)]
)
def test_an_answer_that_is_none_says_whether_to_try_again(api: Api, status: int, retried: bool) -> None:
    api.fail = lambda body: status

    with pytest.raises(CatalogueFailed) as failed:
        catalogue(api).find(["x"])
    assert isinstance(failed.value, Unavailable)
    assert (failed.value.failure_class.value == "transient") is retried
    assert "127.0.0.1" in failed.value.reason and "s2" in failed.value.reason


def test_an_api_that_stumbles_once_is_asked_again(api: Api) -> None:
    answers = iter([503, None])
    api.fail = lambda body: next(answers, None)

    assert len(catalogue(api).find([api.items[0]["id"]])) == 1


def test_nobody_there_may_pass(api: Api) -> None:
    with pytest.raises(CatalogueFailed) as failed:
        StacCatalogue("s2", {"href": "http://127.0.0.1:9/", "timeout": 2}).search(CatalogueQuery())
    assert failed.value.failure_class.value == "transient"


def test_an_api_that_hangs_is_left_in_time(api: Api) -> None:
    let_go = threading.Event()

    def hang(body: dict[str, Any]) -> int | None:
        let_go.wait(60)
        return 500

    api.fail = hang
    try:
        with pytest.raises(CatalogueFailed) as failed:
            catalogue(api, timeout=0.2).find(["x"])
    finally:
        let_go.set()
    assert failed.value.failure_class.value == "transient"


def test_a_page_that_leads_to_another_host_is_not_followed(api: Api) -> None:
    api.next_host = "http://localhost:9"

    with pytest.raises(CatalogueFailed) as failed:
        catalogue(api).search(CatalogueQuery())
    assert "localhost" in str(failed.value.detail)
    assert failed.value.failure_class.value != "transient"


def test_a_redirect_to_another_host_is_not_followed(api: Api) -> None:
    api.fail = lambda body: 307

    with pytest.raises(CatalogueFailed) as failed:
        catalogue(api).search(CatalogueQuery())
    assert "localhost" in str(failed.value.detail)
    assert failed.value.failure_class.value != "transient"


def test_a_page_that_leads_to_itself_ends(api: Api) -> None:
    real = api.search
    api.search = lambda body: {  # type: ignore[method-assign]
        **real({**body, "token": "0"}),
        "links": [{"rel": "next", "href": f"{api.url}/search", "method": "POST", "body": body}],
    }

    assert len(all_pages(catalogue(api), CatalogueQuery())) == 3


def test_a_server_that_is_no_api_is_the_operators_business(api: Api) -> None:
    api.conforms = [CORE]

    with pytest.raises(CatalogueFailed) as failed:
        catalogue(api).find(["x"])
    assert failed.value.failure_class.value != "transient"
    assert "operator" in failed.value.reason
