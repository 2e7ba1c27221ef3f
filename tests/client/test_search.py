"""Searching: what is asked of the service, page by page, and what is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oseo_lab.client import InProcessTransport, Lab
from oseo_lab.client.search import query_of
from oseo_lab.model.errors import TransportError, ValidationError
from oseo_lab.model.job import CatalogueItem


def product(number: int, **facts) -> CatalogueItem:
    day = datetime(2024, 6, 1 + number % 28, tzinfo=UTC)
    return CatalogueItem(identifier=f"P{number}", collection_id="c", datetime=day, **facts)


def paged(count: int, asked: list[dict]):
    def products(collection_id, query):
        asked.append(dict(query))
        start = int(query.get("cursor", 0))
        end = min(count, start + query["limit"])
        return [product(number) for number in range(start, end)], str(end) if end < count else None

    return products


@pytest.fixture
def asked() -> list[dict]:
    return []


@pytest.fixture
def lab(asked) -> Lab:
    return Lab(InProcessTransport(lambda *_: None, products=paged(450, asked)))


def test_all_pages_are_read_until_there_are_no_more(lab, asked):
    assert len(lab.search("c", limit=None)) == 450
    assert [each.get("cursor") for each in asked] == [None, "200", "400"]


def test_no_more_is_asked_for_than_is_wanted(lab, asked):
    assert len(lab.search("c", limit=201)) == 201
    assert [each["limit"] for each in asked] == [200, 1]


def test_a_page_that_leads_to_itself_is_an_error_not_a_loop():
    lab = Lab(InProcessTransport(lambda *_: None, products=lambda *_: ([product(1)], "again")))
    with pytest.raises(TransportError, match="again and again"):
        lab.search("c", limit=None)


def test_slices_keep_the_search(lab):
    found = lab.search("c", area=(10, 45, 11, 46))
    assert found[:2].area is found.area and found[:2].ids == ("P0", "P1")
    assert found[0].identifier == "P0"


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"area": (10.5, 45, 11, 46)}, {"bbox": "10.5,45,11,46"}),
        ({"time": "2024-06-07T00:00:00Z"}, {"datetime": "2024-06-07T00:00:00Z/2024-06-07T00:00:00Z"}),
        ({"text": "S2", "ids": ["a", "b"]}, {"text": "S2", "ids": "a,b"}),
        ({"filters": {"cloud_cover_lt": 20}}, {"cloud_cover.lt": 20}),
        ({"filters": {"gsd": (10, 20)}}, {"gsd.gte": 10, "gsd.lte": 20}),
        ({"filters": {"gsd": (None, 20)}}, {"gsd.lte": 20}),
        ({"filters": {"platform": "s2a"}}, {"platform": "s2a"}),
    ],
)
def test_what_is_asked_is_what_the_api_reads(asked, query):
    assert query_of(**asked) == query


def test_a_range_of_three_is_refused():
    with pytest.raises(ValidationError, match="tuple of two"):
        query_of(filters={"gsd": (1, 2, 3)})


def test_a_polygon_travels_beside_its_box():
    query = query_of("POLYGON ((10 45, 11 45, 10.5 46, 10 45))")
    assert query["bbox"] == "10,45,11,46" and query["geometry"]["type"] == "Polygon"


def test_exchanged_axes_are_suspected_where_nothing_is_found(capsys):
    def products(collection_id, query):
        return ([product(1)] if query["bbox"].startswith("10.4,45.4") else []), None

    lab = Lab(InProcessTransport(lambda *_: None, products=products))
    assert len(lab.search("c", area=(45.4, 10.4, 45.9, 10.9))) == 0
    assert "were latitude and longitude exchanged?" in capsys.readouterr().err


def test_what_was_found_is_told_in_one_line_and_a_table():
    def products(collection_id, query):
        cloudy = product(1, properties={"eo:cloud_cover": 12.4})
        return [cloudy, product(6, orderable=False, reason="<offline>")], None

    found = Lab(InProcessTransport(lambda *_: None, products=products)).search("c")
    assert repr(found) == "2 products of c, 2024-06-02 to 2024-06-07"
    html = found._repr_html_()
    assert "12 %" in html and "no: &lt;offline&gt;" in html


def test_words_of_stac_clients_are_understood(lab, asked):
    lab.search("c", bbox=(10, 45, 11, 46), datetime="2024-06", limit=1)
    assert asked[0]["bbox"] == "10,45,11,46"
    assert asked[0]["datetime"].startswith("2024-06-01T00:00:00Z/2024-06-30")
    with pytest.raises(ValidationError, match="bbox= is another word for area="):
        lab.search("c", (10, 45, 11, 46), bbox=(10, 45, 11, 46))


def test_a_mistyped_filter_is_named_where_nothing_is_found(capsys):
    def products(collection_id, query):
        known = not any(each.startswith("cloud_covr") for each in query)
        return [product(1, properties={"eo:cloud_cover": 3.0, "gsd": 10})] if known else [], None

    lab = Lab(InProcessTransport(lambda *_: None, products=products))
    assert not lab.search("c", cloud_covr_lt=20)
    assert (
        "no property 'cloud_covr' (nearest: cloud_cover); it has cloud_cover, gsd" in capsys.readouterr().err
    )


def test_nothing_found_is_one_line_without_a_map():
    lab = Lab(InProcessTransport(lambda *_: None, products=lambda *_: ([], None)))
    shown = lab.search("c")._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html"} and "<table" not in shown["text/html"]
