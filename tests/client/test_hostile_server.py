"""A server that means no good: no file outside the folder, no token elsewhere, no memory without bounds."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from oseo_lab.client import downloads, transport
from oseo_lab.client.lab import Lab
from oseo_lab.client.results import Results, local_items, verify
from oseo_lab.client.tabulating import geo_frame
from oseo_lab.client.transport import HttpTransport
from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.errors import DeliveryError, OseoError, TransportError

ORDER = "urn:uuid:00000000-0000-4000-8000-000000000001"
FOLDER = f"oseo/files/{ORDER[9:]}/1/"
DATA = b"II*\0 five"
DEEP = b"[" * 200_000

Answer = tuple[int, dict[str, str], bytes]


class Hostile(ThreadingHTTPServer):
    """Answers every path as ``answers`` says, by the end of the path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, str | None]] = []

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that have had enough hang up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: Hostile

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        path = self.path.partition("?")[0]
        found = (each for end, each in self.server.answers.items() if path.endswith(end))
        status, headers, body = next(found, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_pause", lambda attempt: None)
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def manifest(*names: str, **facts: Any) -> bytes:
    promised = {"size": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest(), "media_type": "image/tiff"}
    return json.dumps(
        {"order": ORDER, "files": [promised | {"name": each} | facts for each in names]}
    ).encode()


def plain(body: bytes, kind: str = "application/json", **headers: str) -> Answer:
    return 200, {"Content-Type": kind, **headers}, body


def results_of(server: Hostile, *urls: str, item_id: str = "1", name: str = "order") -> Results:
    found = [ItemURL(item_id=item_id, url=each) for each in urls or (f"{server.url}{FOLDER}a.tif",)]
    return Results(HttpTransport(server.url, "the token"), ORDER, name, found)


NAMES = [
    "../../../outside",
    "/etc/outside",
    "a/b",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "CON",
    ".bashrc",
    "~/x",
    "%2e%2e%2fx",
    "http://outside.example/x",
    "//outside.example/x",
    "@outside.example",
    "?x",
    "x" * 400,
]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_in_a_manifest_leaves_its_folder_or_its_server(hostile: Hostile, tmp_path: Path, name: str):
    hostile.answers = {"/manifest.json": plain(manifest(name)), "": plain(DATA, "image/tiff")}
    folder = tmp_path / "in"
    (path,) = results_of(hostile).download(folder, progress=False)
    assert path.parent == folder / "order" / "1" and path.read_bytes() == DATA
    assert [each.name for each in tmp_path.iterdir()] == ["in"]
    assert all(said.startswith(f"/{FOLDER}") for said, _ in hostile.seen)
    assert verify(folder)


@pytest.mark.parametrize("name", ["../../x", "/abs", "..", "", ".ssh", "a" * 500])
@pytest.mark.parametrize("what", ["item_id", "name"])
def test_no_name_of_an_order_or_item_leaves_the_folder(
    hostile: Hostile, tmp_path: Path, what: str, name: str
):
    hostile.answers = {"/manifest.json": plain(manifest("a.tif")), "": plain(DATA, "image/tiff")}
    (path,) = results_of(hostile, **{what: name}).download(tmp_path / "in", progress=False)
    assert (
        path.relative_to(tmp_path / "in").parts[-1] == "a.tif" and len(path.relative_to(tmp_path).parts) == 4
    )
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b"[]",
        b'{"files": "abc"}',
        b'{"files": [1]}',
        b'{"files": [{"name": "a", "size": 1e999, "sha256": "x"}]}',
        b'{"files": [{"name": "a", "size": NaN, "sha256": "x"}]}',
        manifest(".."),
        manifest("."),
        manifest(""),
        manifest("a.tif", size=-1),
        manifest("a.tif", sha256="no digest"),
        b"\xff\xfe",
    ],
)
def test_a_manifest_that_is_none_is_a_failed_delivery(hostile: Hostile, tmp_path: Path, body: bytes):
    hostile.answers = {"/manifest.json": plain(body), "": plain(DATA, "image/tiff")}
    with pytest.raises(DeliveryError):
        results_of(hostile).download(tmp_path, progress=False)
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and not each.name.startswith(".")]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://[", "http://a\x00b/", "ftp://127.0.0.1/x"])
def test_an_address_that_is_none_is_a_failed_delivery(hostile: Hostile, tmp_path: Path, url: str):
    with pytest.raises((DeliveryError, TransportError)):
        results_of(hostile, url).download(tmp_path, progress=False)


def test_the_token_does_not_follow_a_redirect(hostile: Hostile, tmp_path: Path):
    away = hostile.url.replace("127.0.0.1", "localhost")
    hostile.answers = {
        "/manifest.json": plain(manifest("a.tif")),
        "/a.tif": (302, {"Location": f"{away}elsewhere"}, b""),
        "/elsewhere": plain(DATA, "image/tiff"),
    }
    results_of(hostile).download(tmp_path, progress=False)
    assert ("/elsewhere", None) in hostile.seen
    assert {token for path, token in hostile.seen if path != "/elsewhere"} == {"token the token"}


@pytest.mark.parametrize(
    "answer",
    [
        plain(DEEP),
        plain(b"[]"),
        plain(b"\xff\xfe"),
        plain(b"<html>", "text/html"),
        (302, {"Location": "http://outside.example/"}, b""),
        (400, {"Content-Type": "application/problem+json"}, DEEP),
        (422, {"Content-Type": "application/problem+json"}, b'{"problems": [1, {"code": 5}], "detail": {}}'),
        (503, {"Content-Type": "application/problem+json", "Retry-After": "\u00b2"}, b"{}"),
        (503, {"Content-Type": "application/problem+json", "Retry-After": "9" * 500}, b"{}"),
    ],
)
def test_an_answer_that_is_none_is_said(hostile: Hostile, answer: Answer):
    hostile.answers = {"": answer}
    with pytest.raises(OseoError):
        HttpTransport(hostile.url).about()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_an_answer_without_end_is_cut(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
):
    monkeypatch.setattr(transport, "LONGEST_ANSWER", 1 << 20)
    headers = {"Content-Encoding": "gzip"} if pack is not bytes else {}
    hostile.answers = {"": plain(pack(b" " * (8 << 20)), **headers)}
    with pytest.raises(TransportError, match="more than 1 MiB"):
        HttpTransport(hostile.url).about()


def test_live_events_that_are_none_are_passed_over_and_endless_ones_end(hostile: Hostile):
    good = b'event: status\ndata: {"order_id": "x"}\n\n'
    bad = b"".join(b"data: " + each + b"\n\n" for each in (b"[", b"[]", b"\xff", DEEP, b"1"))
    hostile.answers = {"": plain(bad + good + b"x" * (4 << 20), "text/event-stream")}
    events = iter(HttpTransport(hostile.url).events())
    assert next(events) == ("status", {"order_id": "x"})
    with pytest.raises(TransportError):
        next(events)


@pytest.mark.parametrize(
    "href", ["/etc/passwd", "../../x.tif", "/vsicurl/http://outside.example/x.tif", "file:///x"]
)
def test_an_item_names_files_beside_it_and_no_others(tmp_path: Path, href: str):
    item = {"assets": {"a": {"href": href}, "b": "no asset"}, "properties": {"oseo:order": ORDER}}
    (tmp_path / "item.json").write_text(json.dumps(item))
    ((read, place),) = local_items(tmp_path, ORDER)
    assert place == f"{tmp_path}/"
    assert read["assets"] == {"a": {"href": f"./{Path(href).name}"}}


def test_a_picture_that_calls_itself_a_tiff_is_not_read_as_what_it_is(tmp_path: Path):
    from oseo_lab.client.opening import open_dataset

    (tmp_path / "a.tif").write_text(
        '<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        "<SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    item = {"assets": {"a": {"href": "./a.tif", "type": "image/tiff"}}, "properties": {}}
    with pytest.raises(Exception, match="not recognized as being in a supported file format"):
        open_dataset([(item, f"{tmp_path}/")])


LISTS = [None, 7, "x", {}, [7], [None], ["x"]]


@pytest.mark.parametrize("said", LISTS, ids=repr)
def test_lists_that_are_none_are_one_readable_error(hostile: Hostile, said: Any):
    def answers(name: str, **more: Any) -> Answer:
        return plain(json.dumps({name: said, **more}).encode())

    hostile.answers = {
        "/summaries": answers("orders", cursor="next"),
        "/collections": answers("collections"),
        "/products": answers("products"),
        "/v1/": plain(b"{}"),
    }
    with Lab(HttpTransport(hostile.url, tries=1)) as lab:
        for ask in (lambda: list(lab.orders), lambda: lab.collections, lambda: lab.search("c", limit=1)):
            with pytest.raises(TransportError, match="JSON objects"):
                ask()


@pytest.mark.parametrize("cursor", [7, [1], "\ud800", "a\nb", {}], ids=repr)
def test_pages_that_lead_to_nonsense_end(hostile: Hostile, cursor: Any):
    body = json.dumps({"orders": [], "products": [], "cursor": cursor}).encode()
    hostile.answers = {"/summaries": plain(body), "/products": plain(body), "/v1/": plain(b"{}")}
    with Lab(HttpTransport(hostile.url, tries=1)) as lab:
        for ask in (lambda: list(lab.orders), lambda: lab.search("c", limit=1)):
            with pytest.raises(TransportError, match="next page"):
                ask()


GEOMETRIES = [
    7,
    {"type": None},
    {"type": "x", "coordinates": [1, 2]},
    {"type": "Point", "coordinates": 1e308},
    {"type": "Point", "coordinates": ["x", 1]},
    {"type": "Polygon", "coordinates": [[[1], [2, 3]]]},
]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_footprints_that_cannot_be_drawn_are_left_out_of_tables(geometry: Any):
    table = geo_frame([{"id": "a", "geometry": geometry}], (), "this")
    assert table.geometry.isna().all() and list(table.id) == ["a"]
