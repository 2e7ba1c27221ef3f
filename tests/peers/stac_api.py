"""A small STAC API behind real HTTP: filtered by ids, collections, bbox, geometry and datetime; in pages.

Conforms to core, collections, features and item search (POST and GET); it neither sorts nor queries
properties, as many APIs do not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

CONFORMS = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
]
PAGE = 10


class StacServer:
    """Serves items and collections on loopback."""

    def __init__(
        self, items: Iterable[Mapping[str, Any]], collections: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        self.items = list(items)
        self.collections = {each["id"]: each for each in collections}
        self.asked: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StacServer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def root(self) -> dict[str, Any]:
        search = {"rel": "search", "href": f"{self.url}/search", "type": "application/geo+json"}
        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "items",
            "description": "Items of tests",
            "conformsTo": CONFORMS,
            "links": [
                {"rel": "self", "href": self.url},
                {"rel": "root", "href": self.url},
                {"rel": "data", "href": f"{self.url}/collections"},
                search | {"method": "GET"},
                search | {"method": "POST"},
            ],
        }

    def search(self, asked: Mapping[str, Any], method: str) -> dict[str, Any]:
        """Return a page of items and the link to the next."""
        self.asked.append(dict(asked))
        found = [item for item in self.items if _matches(item, asked)]
        limit, start = min(int(asked.get("limit", PAGE)), PAGE), int(asked.get("token", 0))
        more = {**asked, "token": str(start + limit)}
        links = []
        if start + limit < len(found) and method == "POST":
            links = [{"rel": "next", "href": f"{self.url}/search", "method": "POST", "body": more}]
        elif start + limit < len(found):
            links = [{"rel": "next", "href": f"{self.url}/search?{urlencode(more)}", "method": "GET"}]
        return {"type": "FeatureCollection", "features": found[start : start + limit], "links": links}

    def answer(self, path: str, asked: Mapping[str, Any], method: str) -> Any:
        """Return what lies at a path; None where nothing does."""
        if path == "/search":
            return self.search(asked, method)
        if path in ("", "/"):
            return self.root()
        if path == "/collections":
            return {"collections": list(self.collections.values()), "links": []}
        return self.collections.get(path.removeprefix("/collections/"))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self.send(api.answer(parts.path, _of_query(parts.query), "GET"))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send(api.answer(urlsplit(self.path).path, body, "POST"))

            def send(self, found: Any) -> None:
                body = json.dumps(found if found is not None else {"code": "NotFound"}).encode()
                self.send_response(200 if found is not None else 404)
                self.send_header("Content-Type", "application/geo+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _of_query(query: str) -> dict[str, Any]:
    asked: dict[str, Any] = dict(parse_qsl(query))
    for name in ("ids", "collections"):
        if name in asked:
            asked[name] = asked[name].split(",")
    if "bbox" in asked:
        asked["bbox"] = [float(each) for each in asked["bbox"].split(",")]
    if "intersects" in asked:
        asked["intersects"] = json.loads(asked["intersects"])
    return asked


def _matches(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    if asked.get("collections") and item.get("collection") not in asked["collections"]:
        return False
    if asked.get("ids") and item["id"] not in asked["ids"]:
        return False
    return _in_time(item, asked.get("datetime")) and _in_area(item, asked)


def _in_time(item: Mapping[str, Any], interval: str | None) -> bool:
    if not interval:
        return True
    start, _, end = interval.partition("/") if "/" in interval else (interval, "", interval)
    said = item["properties"]
    first = _moment(said.get("start_datetime") or said["datetime"])
    last = _moment(said.get("end_datetime") or said["datetime"])
    return (start in ("", "..") or last >= _moment(start)) and (end in ("", "..") or first <= _moment(end))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_area(item: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    from shapely.geometry import box, shape

    if "bbox" in asked:
        west, south, east, north = asked["bbox"]
        sides = [(west, 180.0), (-180.0, east)] if west > east else [(west, east)]
        return any(
            shape(item["geometry"]).intersects(box(left, south, right, north)) for left, right in sides
        )
    if "intersects" in asked:
        return bool(shape(item["geometry"]).intersects(shape(asked["intersects"])))
    return True
