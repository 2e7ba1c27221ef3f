"""Subscribing from Python: what is sent, what comes back, what is refused before anything is sent."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from oseo_lab.client import Lab
from oseo_lab.client.area import as_area
from oseo_lab.client.subscription import compose_subscription, region_of
from oseo_lab.model.errors import NotSupported, ValidationError
from oseo_lab.model.identifiers import OrderType, SubscriptionId
from oseo_lab.model.status import Status
from oseo_lab.settings import Settings
from oseo_lab.wiring import Services, build
from tests.client.conftest import make_lab

COLLECTION = """
id = "{id}"
[processor]
use = "raster"
[catalogue]
use = "folder"
href = "scenes"
"""


@pytest.fixture(scope="module")
def subscribed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder: Path = tmp_path_factory.mktemp("subscribed")
    (folder / "scenes").mkdir()
    (folder / "coming.toml").write_text(COLLECTION.format(id="coming") + "[subscription]\n")
    (folder / "plain.toml").write_text(COLLECTION.format(id="plain"))
    built = build(Settings(data_dir=folder / "data", collections=folder, executor="inline"))
    yield built
    built.close()


@pytest.fixture
def lab(subscribed: Services, request: pytest.FixtureRequest) -> Lab:
    return make_lab(subscribed, request.node.name)


def test_a_subscription_is_an_order_whose_items_are_yet_to_come(lab):
    order = lab.subscribe("coming", name="watch", end=datetime.now(UTC) + timedelta(days=9), format="PNG")
    assert order.status is Status.SUSPENDED and order.record.specification.order_type == "SUBSCRIPTION_ORDER"
    assert order.counts == {} and not order.failed and not order.is_done
    assert repr(order).startswith("Order('watch'") and "no products yet" in str(order)
    (item,) = order.items
    assert item.specification.identifier == SubscriptionId(collection_id="coming")
    assert dict(item.specification.options[0].values)["format"] == "PNG"
    assert "no products yet" in order._repr_html_()


def test_the_same_again_is_the_same_subscription(lab):
    end = datetime.now(UTC) + timedelta(days=9)
    first = lab.subscribe("coming", name="once", end=end)
    assert lab.subscribe("coming", name="once", end=end).id == first.id
    assert lab.subscribe("coming", name="once", end=end, again=True).id != first.id


def chosen(lab, **choice):
    specification = compose_subscription(lab, "coming", **choice).request().specification
    assert specification.order_type is OrderType.SUBSCRIPTION_ORDER
    return dict(specification.items[0].options[0].values)


def test_options_chosen_in_a_draft_and_other_words_for_the_area_serve_a_subscription(lab):
    draft = lab.order([], collection="coming", format="PNG", bands="B04")
    box = (10.0, 45.0, 11.0, 46.0)
    said = chosen(lab, options={"options": draft.options, "aoi": box, "bands": ["B03"]})
    assert said["format"] == "PNG" and said["bands"] == (("band", "B03"),)  # what is said beside counts
    assert said["regionOfInterest"] == chosen(lab, area=box)["regionOfInterest"]
    with pytest.raises(ValidationError, match=r"options 'PNG' are none; allowed: draft\.options"):
        compose_subscription(lab, "coming", options={"options": "PNG"})


def test_it_runs_from_today_for_a_year_unless_told(lab):
    period = dict(chosen(lab)["dateRange"])
    begin, end = (datetime.fromisoformat(period[each]) for each in ("min", "max"))
    assert begin.date() in (datetime.now(UTC).date(), datetime.now(UTC).date() - timedelta(days=1))
    assert end - begin == timedelta(days=365)


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2030-06", "2030-06-30"),
        (date(2030, 6, 30), "2030-06-30"),
        (datetime(2030, 6, 30, 12, tzinfo=UTC), "2030-06-30"),
    ],
)
def test_dates_are_read_as_people_write_them(lab, end, last):
    period = dict(chosen(lab, start="2030-01-01", end=end)["dateRange"])
    assert period["min"].startswith("2030-01-01") and period["max"].startswith(last)


def test_frequency_is_said_in_days_and_products(lab):
    assert chosen(lab, every=timedelta(days=5), observations=3)["frequencyObservation"] == (
        ("numberOfObservations", "3"),
        ("observationGap", "5"),
    )
    with pytest.raises(ValidationError, match="whole days"):
        chosen(lab, every=0.5)


def ring(area, crs=None):
    return [(each["longitude"], each["latitude"]) for each in region_of(as_area(area, crs))]


def test_an_area_is_a_closed_ring():
    assert ring((1, 2, 3, 4)) == [(1, 2), (3, 2), (3, 4), (1, 4), (1, 2)]
    assert ring("POLYGON ((0 0, 2 0, 1 2, 0 0))") == [(0, 0), (2, 0), (1, 2), (0, 0)]
    assert ring((170, 0, -170, 5)) == [(170, 0), (-170, 0), (-170, 5), (170, 5), (170, 0)]


def test_edges_that_would_run_the_other_way_round_are_parted():
    points = ring((-175, -10, 175, 10))
    assert len(points) == 9
    assert all(abs(one[0] - other[0]) < 180 for one, other in itertools.pairwise(points))


def test_an_area_in_metres_is_sent_in_degrees():
    points = ring((600000, 5000000, 610000, 5010000), "EPSG:32632")
    assert len(points) == 5 and all(9 < x < 11 and 45 < y < 46 for x, y in points)


def test_an_area_of_several_parts_is_refused_with_the_way_out():
    with pytest.raises(ValidationError, match="convex_hull"):
        ring("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))")


def test_a_collection_that_takes_no_subscriptions_says_so(lab):
    with pytest.raises(NotSupported, match="plain takes no subscriptions") as refused:
        lab.subscribe("plain")
    assert refused.value.code == "SubscriptionNotSupported"


def test_options_that_are_not_offered_are_refused_before_anything_is_sent(lab):
    with pytest.raises(ValidationError, match="no option 'cloud'"):
        lab.subscribe("coming", cloud=3)
    assert len(list(lab.orders)) == 0


def test_a_subscription_can_be_looked_at_before_it_is_ordered(lab):
    draft = lab.subscription("coming", name="later", format="PNG")
    assert [each.name for each in lab.orders] == []
    assert draft.submit().id == lab.subscribe("coming", name="later", format="PNG").id


def test_a_subscription_is_copied_as_code(lab):
    draft = lab.subscription(
        "coming",
        name="as code",
        area=(10, 45, 11, 46),
        every=3,
        observations=5,
        format="PNG",
        packaging="zip",
    )
    draft.packaging, draft.remark, draft.limits = "zip", "weekly", {"max_bytes": "2GB"}
    assert "max_bytes=2000000000" in draft.request().specification.extensions
    said = {"lab": lab}
    exec(draft.as_code(), said)
    assert said["draft"] == draft and said["draft"] is not draft
    assert "lab.subscription(" in draft.as_request("python")
    with pytest.raises(NotSupported, match="composes no subscriptions"):
        draft.as_request("cli")
    assert draft.submit().name == "as code"
