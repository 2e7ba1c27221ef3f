"""Metadata records as catalogues really write them: areas, times, text and what can be fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.builtin.catalogue_assets import AssetRules
from oseo_lab.builtin.catalogue_csw_dc import read_dc
from oseo_lab.builtin.catalogue_csw_iso import read_iso
from oseo_lab.builtin.catalogue_csw_record import Record, period_of, to_item
from oseo_lab.builtin.catalogue_csw_service import _parsed
from oseo_lab.builtin.catalogue_search import Matcher
from oseo_lab.model.job import CatalogueItem
from oseo_lab.ports import CatalogueQuery
from tests.peers import iso

EVERY = AssetRules(hosts=("*",), schemes=("http", "https", "s3"))
DC = (
    '<csw:Record xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:ows="http://www.opengis.net/ows" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dct="http://purl.org/dc/terms/">'
    "<dc:identifier>D</dc:identifier>{}</csw:Record>"
)


def of_iso(document: str | bytes) -> Record:
    read = read_iso(_parsed(document if isinstance(document, bytes) else document.encode()))
    assert read is not None
    return read


def of_dc(inside: str) -> Record:
    read = read_dc(_parsed(DC.format(inside).encode()))
    assert read is not None
    return read


def item(record: Record, rules: AssetRules = EVERY) -> CatalogueItem:
    return to_item(record, "scenes", rules, "http://csw.example/csw")


def real(shared: Path, name: str) -> CatalogueItem:
    (path,) = (shared / "catalog" / "csw").rglob(name)
    return item(of_iso(path.read_bytes()))


# ---------------------------------------------------------------------------------------------------- real


def test_every_real_record_is_read(shared: Path) -> None:
    folder = shared / "catalog" / "csw"
    paths = [*folder.glob("records-*/*.xml"), folder / "responses" / "csw_geobretagne_mdmetadata.xml"]
    found = {}
    for path in paths:
        root = _parsed(path.read_bytes())
        record = read_dc(root) if "records-dc" in str(path) else read_iso(root)
        assert record is not None, path
        found[record.identifier] = item(record)

    assert len(found) == len(paths) == 21
    assert sum(each.bbox is not None for each in found.values()) == 15
    assert sum(each.datetime is not None for each in found.values()) == 10
    assert all(each.orderable or each.reason for each in found.values())
    for each in found.values():
        Matcher(CatalogueQuery(bbox=(-180, -90, 180, 90), text="a"))(each)


def test_a_sentinel_2_scene_is_a_product_with_its_bands(shared: Path) -> None:
    scene = real(shared, "iso_19115-2_Sentinel-2-scene.xml")

    assert scene.orderable and scene.datetime == datetime(2020, 9, 2, 9, 5, 59, 24000, UTC)
    assert scene.bbox == pytest.approx((22.241, 36.951, 22.316, 37.217), abs=1e-3)
    data = [each.name for each in scene.assets if "data" in each.roles]
    assert {"T34SFG_20200902T090559_B02_10m", "T34SFG_20200902T090559_B03_10m"} <= set(data)
    assert not any(each.href.endswith("/") for each in scene.assets)  # folders cannot be fetched
    told = {name: scene.properties[name] for name in ("product:type", "sat:orbit_state", "eo:snow_cover")}
    assert told == {"product:type": "S2MSI2A", "sat:orbit_state": "descending", "eo:snow_cover": 0.0}
    assert scene.properties["sat:relative_orbit"] == 50 and scene.properties["platform"] == "Sentinel-2B"


def test_a_bilingual_record_speaks_its_own_language(shared: Path) -> None:
    record = real(shared, "1687cac6-ee13-4866-ab8a-114c2ede7b13.xml")

    assert str(record.properties["title"]).startswith("Cool wave days")
    assert "Jours" not in str(record.properties["title"])
    assert record.thumbnail is not None and not record.orderable
    assert "none is a file that can be fetched" in str(record.reason)


def test_a_point_touches_the_area_it_lies_in(shared: Path) -> None:
    sensor = real(shared, "pacioos-NS06agg.xml")

    assert sensor.geometry is not None
    assert Matcher(CatalogueQuery(bbox=(158, 6, 159, 8)))(sensor)
    assert not Matcher(CatalogueQuery(bbox=(159, 6, 160, 8)))(sensor)


# ---------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2015", "2015-01-01T00:00:00", "2015-12-31T23:59:59"),
        ("2015-06", "2015-06-01T00:00:00", "2015-06-30T23:59:59"),
        ("2015-06-21", "2015-06-21T00:00:00", "2015-06-21T23:59:59"),
        ("2015-06-21Z", "2015-06-21T00:00:00", "2015-06-21T23:59:59"),
        ("20150621", "2015-06-21T00:00:00", "2015-06-21T23:59:59"),
        ("2015-12", "2015-12-01T00:00:00", "2015-12-31T23:59:59"),
        ("2015-06-21T10:11:12Z", "2015-06-21T10:11:12", "2015-06-21T10:11:12"),
        ("2015-06-21 10:11:12", "2015-06-21T10:11:12", "2015-06-21T10:11:12"),
        ("2015-06-21T10:11:12+02:00", "2015-06-21T08:11:12", "2015-06-21T08:11:12"),
        (" 2015-06-21T10:11:12.5 ", "2015-06-21T10:11:12.500", "2015-06-21T10:11:12.500"),
    ],
)
def test_dates_are_as_long_as_they_are_written(text: str, first: str, last: str) -> None:
    period = period_of(text)

    assert period == tuple(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (first, last))


@pytest.mark.parametrize(
    "text", ["", "unknown", "now", "2015-13", "2015-02-30", "0000", "21/06/2015", "9999"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert period_of(text) is None


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    period = period_of(text)
    assert period is None or period[0] <= period[1]


INSTANT = (
    '<gml:TimeInstant xmlns:gml="http://www.opengis.net/gml/3.2"><gml:timePosition>{}</gml:timePosition>'
    "</gml:TimeInstant>"
)
EXTENT = "<gml:TimePeriod gml:id='t'><gml:beginPosition>X</gml:beginPosition><gml:endPosition></gml:endPosition></gml:TimePeriod>"  # noqa: E501


@pytest.mark.parametrize(
    ("extent", "begin", "end"),
    [
        (INSTANT.format("2020-05-01"), "2020-05-01T00:00:00", "2020-05-01T23:59:59"),
        (
            '<g:TimePeriod xmlns:g="http://www.opengis.net/gml/3.2"><g:begin>'
            + INSTANT.format("2020-05-01T10:00:00Z")
            + "</g:begin><g:end>"
            + INSTANT.format("2020-05-02")
            + "</g:end></g:TimePeriod>",
            "2020-05-01T10:00:00",
            "2020-05-02T23:59:59",
        ),
        (
            "<gml:TimePeriod><gml:beginPosition>2015-06-21</gml:beginPosition><gml:endPosition "
            'indeterminatePosition="now"/></gml:TimePeriod>',
            "2015-06-21T00:00:00",
            None,
        ),
        ("<gml:TimePeriod><gml:beginPosition>long ago</gml:beginPosition></gml:TimePeriod>", None, None),
    ],
)
def test_acquisitions_are_read_in_any_gml(extent: str, begin: str | None, end: str | None) -> None:
    document = iso.record("P", begin="X").replace(EXTENT, extent)
    assert extent in document
    read = of_iso(document)

    assert [each and each.isoformat()[:19] for each in (read.begin, read.end)] == [begin, end]


# ---------------------------------------------------------------------------------------------------- areas


def polygon(positions: str, reference: str = "") -> str:
    ring = (
        f'<gml:Polygon srsName="{reference}"><gml:exterior><gml:LinearRing><gml:posList>{positions}'
        "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
    )
    return (
        "<gmd:geographicElement><gmd:EX_BoundingPolygon><gmd:polygon>"
        f"{ring}</gmd:polygon></gmd:EX_BoundingPolygon></gmd:geographicElement></gmd:EX_Extent>"
    )


NORTH_FIRST = "45 10 46 10 46 11 45 11 45 10"
EAST_FIRST = "10 45 10 46 11 46 11 45 10 45"


@pytest.mark.parametrize(
    ("positions", "reference", "box"),
    [
        (NORTH_FIRST, "urn:ogc:def:crs:EPSG::4326", None),
        (NORTH_FIRST, "http://www.opengis.net/def/crs/EPSG/0/4326", None),
        (EAST_FIRST, "EPSG:4326", None),
        (EAST_FIRST, "urn:ogc:def:crs:OGC:1.3:CRS84", None),
        (NORTH_FIRST, "", (10, 45, 11, 46)),  # the record's own box tells
        (EAST_FIRST, "urn:ogc:def:crs:EPSG::4326", (10, 45, 11, 46)),  # and knows better than the reference
    ],
)
def test_polygons_are_turned_the_right_way(positions: str, reference: str, box: Any) -> None:
    document = iso.record("P", box=box).replace("</gmd:EX_Extent>", polygon(positions, reference))

    found = item(of_iso(document))
    assert found.bbox == (10, 45, 11, 46)
    assert found.geometry is not None and found.geometry["coordinates"][0][0] == [10, 45]


@pytest.mark.parametrize("positions", ["1 2 3", "a b c d e f g h", "", "0 0 1 1"])
def test_a_polygon_that_cannot_be_read_leaves_the_box(positions: str) -> None:
    document = iso.record("P", box=(10, 45, 11, 46)).replace("</gmd:EX_Extent>", polygon(positions))

    assert item(of_iso(document)).bbox == (10, 45, 11, 46)


def test_a_box_over_the_antimeridian_has_two_halves() -> None:
    found = item(of_iso(iso.record("P", box=(178, -1, -178, 1))))

    assert found.bbox == (178, -1, -178, 1)
    assert found.geometry is not None and found.geometry["type"] == "MultiPolygon"
    assert Matcher(CatalogueQuery(bbox=(-179, 0, -178.5, 0.5)))(found)
    assert not Matcher(CatalogueQuery(bbox=(0, 0, 1, 0.5)))(found)


@pytest.mark.parametrize(
    ("crs", "corners"),
    [
        ("urn:x-ogc:def:crs:EPSG:6.11:4326", ("45 10", "46 11")),
        ("urn:ogc:def:crs:EPSG::4326", ("45 10", "46 11")),
        ("", ("45 10", "46 11")),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", ("10 45", "11 46")),
        ("EPSG:4326", ("10 45", "11 46")),
    ],
)
def test_dublin_core_boxes_are_in_the_order_of_their_reference(crs: str, corners: tuple[str, str]) -> None:
    record = of_dc(
        f'<ows:BoundingBox crs="{crs}"><ows:LowerCorner>{corners[0]}</ows:LowerCorner>'
        f"<ows:UpperCorner>{corners[1]}</ows:UpperCorner></ows:BoundingBox>"
    )

    assert record.boxes == ((10, 45, 11, 46),)


@pytest.mark.parametrize(
    ("inside", "begin", "end"),
    [
        ("<dc:date>2006-05-12</dc:date>", "2006-05-12", "2006-05-12"),
        ("<dct:temporal>2006-05-12/2006-06</dct:temporal><dc:date>9</dc:date>", "2006-05-12", "2006-06-30"),
        ("<dct:temporal>start=2006-05-12; end=2006-06;</dct:temporal>", "2006-05-12", "2006-06-30"),
        ("<dct:temporal>start=2006-05-12;</dct:temporal>", "2006-05-12", None),
        ("<dct:temporal>Jurassic</dct:temporal><dc:date>2020</dc:date>", "2020-01-01", "2020-12-31"),
        ("<dc:date/>", None, None),
    ],
)  # fmt: skip
def test_dublin_core_times_are_read_where_they_stand(inside: str, begin: str | None, end: str | None) -> None:
    read = of_dc(inside)

    assert [each and each.date().isoformat() for each in (read.begin, read.end)] == [begin, end]


# -------------------------------------------------------------------------------------------- what is fetched


@pytest.mark.parametrize(
    ("url", "protocol", "function", "is_data"),
    [
        ("http://a.example/x.tif", "", "", True),
        ("http://a.example/x.TIF", "WWW:LINK-1.0-http--link", "information", True),
        ("http://a.example/x.zip", "WWW:DOWNLOAD-1.0-http--download", "download", True),
        ("http://a.example/get?id=7", "WWW:DOWNLOAD-1.0-http--download", "", True),
        ("http://a.example/get?id=7", "WWW:LINK", "download", True),
        ("http://a.example/get?id=7", "image/jp2", "", True),
        ("http://a.example/get?id=7", "WWW:LINK", "information", False),
        ("http://a.example/x.html", "WWW:LINK", "download", False),
        ("http://a.example/guide.pdf", "", "", False),
        ("http://a.example/data/", "enclosure", "download", False),
        ("http://a.example/wms?service=WMS", "OGC:WMS", "download", False),
        ("http://a.example/dodsC/x", "OPeNDAP:OPeNDAP", "download", False),
        ("http://a.example/feed", "INSPIRE Atom", "download", False),
        ("http://[::1/x.tif", "", "download", False),
        ("", "WWW:DOWNLOAD", "download", False),
    ],
)
def test_what_can_be_fetched_is_told_from_services_and_pages(
    url: str, protocol: str, function: str, is_data: bool
) -> None:
    found = item(of_iso(iso.record("P", resources=[iso.online(url, protocol, "thing", function)])))

    assert (found.orderable, bool(found.assets)) == (is_data, is_data), found.reason
    assert is_data or found.reason


def test_resources_of_one_name_keep_apart_and_bands_have_the_names_of_their_files() -> None:
    resources = [
        iso.online(f"http://a.example/{each}", "enclosure", "granule") for each in ("B02.jp2", "B03.jp2")
    ]
    found = item(of_iso(iso.record("P", resources=[*resources, resources[0]])))

    assert [each.name for each in found.assets] == ["B02", "B03"]


def test_resources_on_a_host_that_is_not_named_cannot_be_ordered() -> None:
    record = of_iso(iso.record("P", resources=[iso.online("http://a.example/x.tif", "enclosure", "data")]))

    refused = item(record, AssetRules(hosts=("b.example",)))
    assert not refused.orderable and "host 'a.example' is not allowed; allowed: b.example" in str(
        refused.reason
    )


@pytest.mark.parametrize(
    "href", ["/vsicurl/http://x/y.tif", "file:///etc/passwd", "../secret.tif", "C:\\x.tif"]
)
def test_resources_of_this_machine_are_refused(href: str) -> None:
    record = of_iso(iso.record("P", resources=[iso.online(href, "enclosure", "data")]))

    found = item(record, AssetRules(hosts=("csw.example",)))
    assert all(each.href.startswith("http://csw.example/") for each in found.assets)


def test_anchors_and_old_encodings_are_read() -> None:
    document = iso.record("P", title="TITLE").replace(
        "<gco:CharacterString>TITLE</gco:CharacterString>",
        '<gmx:Anchor xmlns:gmx="http://www.isotc211.org/2005/gmx">Größe</gmx:Anchor>',
    )
    document = document.replace("UTF-8", "ISO-8859-1")

    assert of_iso(document.encode("iso-8859-1")).properties["title"] == "Größe"


def test_keywords_are_searched_as_text() -> None:
    found = item(of_iso(iso.record("P", keywords=["Land cover", "eo:cloudCover:12,5"])))

    assert Matcher(CatalogueQuery(text="cover LAND"))(found)
    assert Matcher(CatalogueQuery(filters={"cloud_cover": {"lt": 13}}))(found)
    assert not Matcher(CatalogueQuery(filters={"cloud_cover": {"lt": 12}}))(found)
