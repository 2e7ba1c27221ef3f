"""The CSW catalogue against a real HTTP server that sorts or does not, leaves things out, and misbehaves.

How a real pycsw is searched and ordered from: tests/acceptance/test_catalogues.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from oseo_lab.builtin import catalogue_csw, catalogue_csw_service
from oseo_lab.builtin.catalogue_csw import CswCatalogue
from oseo_lab.builtin.catalogue_items import CatalogueFailed
from oseo_lab.model.errors import ConfigurationError, Unavailable, ValidationError
from oseo_lab.model.job import FailureClass
from oseo_lab.ports import CatalogueQuery
from tests.peers import iso

CSW = "http://www.opengis.net/cat/csw/2.0.2"
NAMES = {
    "csw": CSW,
    "ogc": "http://www.opengis.net/ogc",
    "gml": "http://www.opengis.net/gml",
    "ows": "http://www.opengis.net/ows",
}
QUERYABLES = (
    "apiso:Identifier apiso:ParentIdentifier apiso:TempExtent_begin apiso:TempExtent_end csw:AnyText "
    "ows:BoundingBox"
)
CAPABILITIES = """<?xml version="1.0" encoding="UTF-8"?>
<csw:Capabilities xmlns:csw="{csw}" xmlns:ows="http://www.opengis.net/ows"
 xmlns:xlink="http://www.w3.org/1999/xlink" version="2.0.2">
<ows:OperationsMetadata><ows:Operation name="GetRecords">
<ows:DCP><ows:HTTP><ows:Post xlink:href="{post}"/></ows:HTTP></ows:DCP>
<ows:Parameter name="outputSchema">{schemas}</ows:Parameter>
<ows:Constraint name="SupportedISOQueryables">{queryables}</ows:Constraint>
</ows:Operation></ows:OperationsMetadata></csw:Capabilities>"""


def report(text: str, code: str = "InvalidParameterValue") -> bytes:
    return (
        '<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows" version="1.2.0"><ows:Exception '
        f'exceptionCode="{code}" locator="constraint"><ows:ExceptionText>{text}</ows:ExceptionText>'
        "</ows:Exception></ows:ExceptionReport>"
    ).encode()


def results(records: list[str], matched: int | None, following: int | None) -> bytes:
    said = f' numberOfRecordsMatched="{matched}"' if matched is not None else ""
    said += f' nextRecord="{following}"' if following is not None else ""
    inside = "".join(each.partition("?>")[2] for each in records)
    return (
        f'<csw:GetRecordsResponse xmlns:csw="{CSW}"><csw:SearchStatus timestamp="2024-01-01T00:00:00Z"/>'
        f"<csw:SearchResults{said}>{inside}</csw:SearchResults></csw:GetRecordsResponse>"
    ).encode()


class Csw:
    """A small CSW over given records; what it says and how it fails are attributes."""

    def __init__(self, records: list[str]) -> None:
        self.records = records
        self.schemas = ["http://www.isotc211.org/2005/gmd", CSW]
        self.queryables = QUERYABLES.split()
        self.says_counts = True
        self.asked: list[Any] = []
        self.paths: list[str] = []
        self.fail: Callable[[Any], tuple[int, bytes] | None] = lambda request: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.handle_error = lambda request, address: None  # type: ignore[method-assign]  # hung up on
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/csw"
        self.post = self.url

    def capabilities(self) -> bytes:
        values = {
            name: "".join(f"<ows:Value>{each}</ows:Value>" for each in said)
            for name, said in (("schemas", self.schemas), ("queryables", self.queryables))
        }
        return CAPABILITIES.format(csw=CSW, post=self.post, **values).encode()

    def answer(self, request: Any) -> bytes:
        start, most = int(request.get("startPosition") or 1), int(request.get("maxRecords"))
        page = self.records[start - 1 : start - 1 + most]
        following = start + most if start + most <= len(self.records) else 0
        if not self.says_counts:
            return results(page, None, None)
        return results(page, len(self.records), following)

    def filters(self) -> Any:
        """The filter of the last request."""
        return self.asked[-1].find("csw:Query/csw:Constraint/ogc:Filter", NAMES)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        csw = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                failure = csw.fail(None)
                self.send(*(failure or (200, csw.capabilities())))

            def do_POST(self) -> None:
                request = etree.fromstring(self.rfile.read(int(self.headers["Content-Length"])))
                csw.asked.append(request)
                csw.paths.append(self.path)
                failure = csw.fail(request)
                self.send(*(failure or (200, csw.answer(request))))

            def send(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/xml")
                if 300 <= status < 400:
                    self.send_header("Location", body.decode())
                    body = b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def scene(day: int, **more: Any) -> str:
    data = iso.online("http://127.0.0.1/data.tif", "WWW:DOWNLOAD-1.0-http--download", "data")
    said = {"box": (10, 45, 11, 46), "begin": f"2024-06-{day:02}", "end": f"2024-06-{day:02}"} | more
    return iso.record(f"P{day:02}", resources=[data], **said)


@pytest.fixture
def csw() -> Iterator[Csw]:
    made = Csw([scene(day) for day in range(9, 0, -1)])
    threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def catalogue(csw: Csw, **settings: Any) -> CswCatalogue:
    return CswCatalogue("scenes", {"href": csw.url, "timeout": 5, **settings})


def names(found: tuple[list[Any], str | None]) -> list[str]:
    return [each.identifier for each in found[0]]


# --------------------------------------------------------------------------------------------------- asking


def test_what_the_server_can_filter_is_asked_of_it_and_never_narrower(csw: Csw) -> None:
    query = CatalogueQuery(
        bbox=(10, 45, 11, 46),
        start=datetime(2024, 6, 3, 12, tzinfo=UTC),
        end=datetime(2024, 6, 5, tzinfo=UTC),
        text="Ñunç p0",
    )
    catalogue(csw, parent="series", where={"apiso:Type": "dataset", "dc:title": "S*"}).search(query)

    filters = csw.filters()
    literals = {
        (
            etree.QName(each).localname,
            each.findtext("ogc:PropertyName", None, NAMES),
            each.findtext("ogc:Literal", None, NAMES),
        )
        for each in filters.iter("{*}*")
        if each.find("ogc:Literal", NAMES) is not None
    }
    assert literals == {
        ("PropertyIsEqualTo", "apiso:Type", "dataset"),
        ("PropertyIsLike", "dc:title", "S*"),
        ("PropertyIsEqualTo", "apiso:ParentIdentifier", "series"),
        ("PropertyIsLessThanOrEqualTo", "apiso:TempExtent_begin", "2024-06-06"),
        ("PropertyIsGreaterThanOrEqualTo", "apiso:TempExtent_end", "2024-06-02"),
        ("PropertyIsGreaterThanOrEqualTo", "apiso:TempExtent_begin", "2024-06-02"),
        ("PropertyIsLike", "csw:AnyText", "%_un_%"),
        ("PropertyIsLike", "csw:AnyText", "%p0%"),
    }
    envelope = filters.find(".//gml:Envelope", NAMES)
    assert envelope.get("srsName") == "urn:x-ogc:def:crs:EPSG:6.11:4326"
    assert envelope.findtext("gml:lowerCorner", None, NAMES) == "45 10"
    assert csw.asked[-1].find("csw:Query", NAMES).get("typeNames") == "gmd:MD_Metadata"


def test_areas_go_in_the_axis_order_of_the_server_and_in_two_halves_over_the_antimeridian(csw: Csw) -> None:
    catalogue(csw, axis_order="lon,lat").search(CatalogueQuery(bbox=(170, -10, -170, 10)))

    envelopes = csw.filters().findall(".//ogc:Or/ogc:BBOX/gml:Envelope", NAMES)
    corners = [each.findtext("gml:lowerCorner", None, NAMES) for each in envelopes]
    assert corners == ["170 -10", "-180.0 -10"]
    assert all(str(each.get("srsName")).endswith("CRS84") for each in envelopes)


def test_what_the_server_cannot_filter_is_filtered_here(csw: Csw) -> None:
    csw.queryables = ["apiso:Identifier"]
    csw.records = [
        scene(1),
        scene(2, box=(20, 45, 21, 46)),
        scene(3, parent="other"),
        scene(4, parent="mine"),
    ]

    found = catalogue(csw, parent="mine").search(CatalogueQuery(bbox=(10, 45, 11, 46)))
    by_time = catalogue(csw).search(CatalogueQuery(start=datetime(2024, 6, 3, tzinfo=UTC)))

    assert names(found) == ["P04"] and names(by_time) == ["P04", "P03"]
    assert csw.filters() is None


def test_products_of_another_collection_are_not_found_by_their_identifiers(csw: Csw) -> None:
    csw.records = [scene(1, parent="other"), scene(2, parent="mine")]

    assert list(catalogue(csw, parent="mine").find(["P01", "P02", "P99"])) == ["P02"]


def test_capabilities_are_asked_once(csw: Csw) -> None:
    seen = []
    csw.fail = lambda request: seen.append(request)  # type: ignore[func-returns-value,assignment]
    found = catalogue(csw)
    for _ in range(3):
        found.search(CatalogueQuery())

    assert seen.count(None) == 1 and len(seen) == 4


@pytest.mark.parametrize(
    "inside", ["http://csw.internal:8080/csw", "http://localhost:{port}/other", "ftp://x/y"]
)
def test_an_address_in_the_capabilities_is_used_only_on_a_named_host(csw: Csw, inside: str) -> None:
    csw.post = inside.format(port=csw.port)
    catalogue(csw).search(CatalogueQuery())
    named = catalogue(csw, hosts=["localhost"]) if "localhost" in inside else catalogue(csw)
    named.search(CatalogueQuery())

    assert csw.paths[0] == "/csw"
    assert csw.paths[-1] == ("/other" if "localhost" in inside else "/csw")


def test_capabilities_of_real_servers_are_read(csw: Csw, shared: Path) -> None:
    body = (shared / "catalog" / "csw" / "responses" / "apiso_GetCapabilities.xml").read_bytes()
    csw.fail = lambda request: (200, body) if request is None else None
    query = CatalogueQuery(bbox=(0, 0, 20, 50), start=datetime(2024, 6, 1, tzinfo=UTC), text="p")
    found = catalogue(csw).search(query)

    assert len(names(found)) == 9 and csw.paths == ["/csw"]  # not where it says that it once was
    asked = {each.text for each in csw.filters().iter("{*}PropertyName")}
    assert asked == {"ows:BoundingBox", "apiso:TempExtent_begin", "apiso:TempExtent_end", "csw:AnyText"}


def test_pictures_of_what_was_found_are_not_asked_for_again(csw: Csw) -> None:
    csw.records = [scene(1, browse=f"http://127.0.0.1:{csw.port}/none.png")]
    found = catalogue(csw)
    assert names(found.search(CatalogueQuery())) == ["P01"]
    before = len(csw.asked)

    assert found.thumbnail("P01") is None and len(csw.asked) == before  # that is no picture
    assert found.thumbnail("P02") is None and len(csw.asked) == before + 1


# -------------------------------------------------------------------------------------------------- answers


def test_pages_of_a_server_are_read_as_far_as_needed(csw: Csw) -> None:
    found = catalogue(csw, page=2).search(CatalogueQuery(limit=3))

    assert names(found) == ["P09", "P08", "P07"] and found[1] is not None
    assert [each.get("startPosition") for each in csw.asked] == ["1", "3", "5"]


def test_a_server_that_does_not_sort_is_read_whole_and_sorted_here(csw: Csw) -> None:
    csw.records = [scene(day) for day in (3, 9, 1, 7, 5)]

    assert names(catalogue(csw, page=2).search(CatalogueQuery(limit=3))) == ["P09", "P07", "P05"]


def test_too_many_that_cannot_be_sorted_are_not_guessed_at(csw: Csw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_csw, "_MOST_READ", 5)
    csw.queryables = ["apiso:Identifier"]

    with pytest.raises(ValidationError, match="more than 5 products and cannot sort them; say less at once"):
        catalogue(csw).search(CatalogueQuery())


def test_a_search_that_looks_far_gives_what_it_has_and_goes_on(
    csw: Csw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_csw, "_MOST_READ", 4)
    query = CatalogueQuery(text="P01")

    found, cursor = catalogue(csw).search(query)
    pages = 1
    while cursor:
        more, cursor = catalogue(csw).search(CatalogueQuery(text="P01", cursor=cursor))
        found, pages = found + more, pages + 1

    assert [each.identifier for each in found] == ["P01"] and pages > 2


def test_a_server_that_counts_nothing_is_paged_by_what_comes(csw: Csw) -> None:
    csw.says_counts = False

    assert len(names(catalogue(csw, page=4).search(CatalogueQuery()))) == 9


def test_a_page_that_leads_to_itself_is_no_loop(csw: Csw) -> None:
    csw.fail = lambda request: None if request is None else (200, results([scene(1)], 99, 1))

    assert names(catalogue(csw).search(CatalogueQuery())) == ["P01"]


def test_one_record_that_cannot_be_read_hides_no_other(csw: Csw) -> None:
    csw.records = [
        scene(3, box=("x", 95, "", 1e999)),
        scene(2, begin="last summer", end="soon"),
        iso.record(""),
        "<?xml?><other xmlns='urn:x'/>",
        scene(1),
    ]

    found, _ = catalogue(csw).search(CatalogueQuery())

    assert [(each.identifier, each.bbox is None, each.datetime is None) for each in found] == [
        ("P03", True, False),
        ("P01", False, False),
        ("P02", False, True),
    ]


def test_dublin_core_is_asked_for_where_there_is_no_iso(csw: Csw) -> None:
    csw.schemas = [CSW]
    catalogue(csw).search(CatalogueQuery(start=datetime(2024, 6, 1, tzinfo=UTC)))

    assert csw.asked[-1].get("outputSchema") == CSW
    assert csw.filters() is None  # Dublin Core has no acquisition to compare


def test_real_responses_are_read(csw: Csw, shared: Path) -> None:
    answers = shared / "catalog" / "csw" / "responses"
    counts = {}
    for name in ("apiso_GetRecords-all", "apiso_GetRecords-all-csw-output", "apiso_GetRecords-filter-bbox"):
        body = (answers / f"{name}.xml").read_bytes()
        csw.fail = lambda request, body=body: (
            None
            if request is None
            else (200, body if request.get("startPosition") in (None, "1") else results([], 0, 0))
        )
        counts[name] = len(catalogue(csw).search(CatalogueQuery())[0])

    assert counts == {
        "apiso_GetRecords-all": 5,
        "apiso_GetRecords-all-csw-output": 5,
        "apiso_GetRecords-filter-bbox": 5,
    }


# --------------------------------------------------------------------------------------------------- hostile


def test_the_servers_own_words_are_passed_on(csw: Csw) -> None:
    csw.fail = lambda request: None if request is None else (400, report("no such   queryable: apiso:Dreams"))

    with pytest.raises(CatalogueFailed, match=r"no such queryable: apiso:Dreams \(constraint\)") as refused:
        catalogue(csw).search(CatalogueQuery())

    assert refused.value.failure_class is FailureClass.PERMANENT


@pytest.mark.parametrize("name", ["csw30_Exception-GetRecordById-404"])
def test_a_report_of_another_version_is_read_too(csw: Csw, shared: Path, name: str) -> None:
    body = (shared / "catalog" / "csw" / "responses" / f"{name}.xml").read_bytes()
    csw.fail = lambda request: (404, body)

    with pytest.raises(CatalogueFailed, match="No repository item found for 'does_not_exist'"):
        catalogue(csw).search(CatalogueQuery())


@pytest.mark.parametrize(
    ("status", "body", "retry"),
    [
        (500, b"down", True),
        (503, b"", True),
        (404, b"<html/>", False),
        (200, b"<html><body>hello</body></html>", False),
        (200, b"this is no XML", False),
        (200, b"", False),
        (200, b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', False),
        (200, b"<csw:GetRecordsResponse xmlns:csw='http://www.opengis.net/cat/csw/2.0.2'/>", False),
    ],
)
def test_what_is_no_answer_is_one_sentence(csw: Csw, status: int, body: bytes, retry: bool) -> None:
    csw.fail = lambda request: None if request is None else (status, body)

    with pytest.raises(CatalogueFailed, match="the catalogue of scenes at") as failed:
        catalogue(csw).search(CatalogueQuery())

    assert (failed.value.failure_class is FailureClass.TRANSIENT) is retry
    assert isinstance(failed.value, Unavailable)
    assert "hello" not in str(failed.value) and "passwd" not in str(failed.value.detail)


def test_a_busy_server_is_asked_again(csw: Csw) -> None:
    busy = [(503, b""), (429, b"")]
    csw.fail = lambda request: busy.pop() if request is not None and busy else None

    assert len(names(catalogue(csw).search(CatalogueQuery()))) == 9


def test_an_answer_without_end_is_not_read_to_its_end(csw: Csw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_csw_service, "MOST_BYTES", 50_000)
    csw.fail = lambda request: None if request is None else (200, b"<x>" + b" " * 100_000)

    with pytest.raises(CatalogueFailed) as failed:
        catalogue(csw).search(CatalogueQuery())

    assert "longer than 50000 bytes" in str(failed.value.detail)


def test_an_answer_that_drips_is_given_up(csw: Csw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_csw_service, "MOST_SECONDS", -1.0)

    with pytest.raises(CatalogueFailed) as failed:
        catalogue(csw).search(CatalogueQuery())

    assert failed.value.failure_class is FailureClass.TRANSIENT and "no whole answer" in str(
        failed.value.detail
    )


def test_a_redirect_to_a_named_host_is_followed_with_what_was_posted(csw: Csw) -> None:
    def fail(request: Any) -> tuple[int, bytes] | None:
        moved = request is not None and csw.paths[-1] == "/csw"
        return (301, f"http://localhost:{csw.port}/moved".encode()) if moved else None

    csw.fail = fail

    assert len(names(catalogue(csw, hosts=["localhost"]).search(CatalogueQuery()))) == 9
    assert csw.paths == ["/csw", "/moved"] and csw.asked[0].get("maxRecords") == csw.asked[1].get(
        "maxRecords"
    )


def test_a_redirect_inside_is_not_followed(csw: Csw) -> None:
    csw.fail = lambda request: (302, b"http://localhost:9/latest/meta-data")

    with pytest.raises(CatalogueFailed, match="sends on to 'localhost', which is not followed"):
        catalogue(csw).search(CatalogueQuery())


def test_settings_that_are_wrong_are_said_all_at_once() -> None:
    with pytest.raises(ConfigurationError) as wrong:
        CswCatalogue("x", {"href": "csw.xml", "schema": "marc", "axis_order": "up", "where": {"a": []}})

    text = str(wrong.value)
    for key in ("catalogue.href", "catalogue.schema", "catalogue.axis_order", "catalogue.where"):
        assert key in text
    assert "allowed: iso, dc" in text
