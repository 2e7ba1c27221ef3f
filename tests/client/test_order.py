"""Draft, submit, wait, find again, cancel, download, open: the client over ``perform`` itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from oseo_lab.client.order import Order, WaitInterrupted
from oseo_lab.client.promises import Fetched
from oseo_lab.client.results import Results
from oseo_lab.model.errors import (
    ConfigurationError,
    Conflict,
    DeliveryError,
    NotFound,
    OrderFailed,
    TransportError,
    ValidationError,
    WaitTimeout,
)
from oseo_lab.model.messages import GetStatus, Submit
from oseo_lab.model.status import Status

GOOD = ["SCENE_A", "SCENE_B"]


class Between:
    """A transport that something happens to on the way."""

    def __init__(self, transport, happens):
        self._transport = transport
        self._happens = happens

    def __getattr__(self, name):
        return getattr(self._transport, name)

    def perform(self, request, *, message_id=None):
        self._happens(request, message_id)
        return self._transport.perform(request, message_id=message_id)


def test_one_order_from_draft_to_dataset(lab, tmp_path):
    draft = lab.search("scenes").order(name="all three", crs="EPSG:4326")
    order = draft.submit()
    assert order.name == "all three"
    assert order.wait(60) is order
    assert order.status is Status.COMPLETED
    assert order.counts == {Status.COMPLETED: 2, Status.FAILED: 1}
    assert "cannot be read" in order.failed.reasons["SCENE_X"]
    assert [each.id for each in order.succeeded] == ["SCENE_B", "SCENE_A"]
    paths = order.download(tmp_path)
    assert [path.parent.name for path in paths] == ["SCENE_B", "SCENE_A"]
    assert repr(order.results().verify(tmp_path)) == "4 ok, 0 changed, 0 missing"
    dataset = order.to_xarray()
    assert set(dataset.data_vars) == {"B02", "B03"}
    assert list(dataset["time"].dt.day.values) == [1, 11]
    assert dataset.rio.crs.to_epsg() == 4326
    assert dataset.attrs["order"] == order.id


def test_pixels_opened_are_the_pixels_ordered(lab, scenes, tmp_path):
    import rasterio

    order = lab.order(GOOD, collection="scenes").submit().wait(60)
    order.download(tmp_path)
    dataset = order.to_xarray(masked=False)
    with rasterio.open(scenes / "scenes" / "SCENE_A.tif") as source:
        np.testing.assert_array_equal(dataset["B03"].isel(time=0).values, source.read(2))


def test_the_same_draft_again_is_the_same_order_and_says_so(lab, lab_of, request, capsys):
    first = lab.order(GOOD, "again", "scenes").submit()
    assert capsys.readouterr().err == ""
    assert lab.order(GOOD, "again", "scenes").submit().id == first.id
    assert "Already submitted as 'again'" in capsys.readouterr().err
    assert lab_of(request.node.name).order(GOOD, "again", "scenes").submit().id == first.id
    other = lab.order(GOOD, "again", "scenes").submit(again=True)
    assert other.id != first.id
    assert lab.orders["again"].id == other.id


@pytest.mark.parametrize("change", [{"name": "other"}, {"format": "PNG"}, {"products": ["SCENE_A"]}])
def test_what_says_something_else_is_another_order(lab, change):
    first = lab.order(GOOD, "name", "scenes").submit()
    said = {"products": GOOD, "name": "name", "collection": "scenes"} | change
    assert lab.order(**said).submit().id != first.id


def test_a_message_id_the_service_no_longer_honours_gets_a_new_one(lab):
    seen = []

    def refuse_first(request, message_id):
        if isinstance(request, Submit):
            seen.append(message_id)
            if len(seen) == 1:
                raise ValidationError("used long ago", locator="MessageID")

    lab.transport = Between(lab.transport, refuse_first)
    assert lab.order(GOOD, "old", "scenes").submit().name == "old"
    assert len(set(seen)) == 2


def test_orders_are_found_again_by_name_and_id(lab):
    name = "lake garda, spring and summer of 2024, all bands"
    order = lab.order(["SCENE_A"], name, "scenes").submit()
    for key in (name, order.id, order.id.removeprefix("urn:uuid:")):
        assert lab.orders[key].id == order.id
    assert name in lab.orders and "nonsense" not in lab.orders
    assert [each.id for each in lab.orders] == [order.id]
    assert lab.orders.latest().name == name
    with pytest.raises(NotFound, match="lake garda"):
        lab.orders["lake garda"]


def test_orders_are_listed_newest_first_and_filtered(lab):
    done = lab.order(["SCENE_A"], "first", "scenes").submit().wait(60)
    broken = lab.order(["SCENE_X"], "second", "scenes").submit().wait(60)
    assert [each.name for each in lab.orders] == ["second", "first"]
    assert [each.id for each in lab.orders.filter(status="failed")] == [broken.id]
    assert [each.id for each in lab.orders.filter(status=["Completed", "Downloaded"])] == [done.id]
    assert [each.name for each in lab.orders.filter(name="f*")] == ["first"]
    assert [each.name for each in lab.orders.filter(name="second")] == ["second"]
    assert len(lab.orders.filter(since="2200-01-01")) == 0
    with pytest.raises(ValidationError, match="allowed: Submitted"):
        lab.orders.filter(status="done")


def test_a_cell_that_says_lab_orders_shows_those_of_late(lab, monkeypatch, capsys):
    pytest.importorskip("IPython", reason="the extra notebook is not installed")
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    lab.order(["SCENE_A"], "of late", "scenes").submit()
    lab.orders._ipython_display_()
    assert [each.name for each in shown[0]] == ["of late"]
    lab.transport = Between(lab.transport, lambda *_: (_ for _ in ()).throw(TransportError("away")))
    lab.orders._ipython_display_()
    assert "away" in capsys.readouterr().err


def test_another_owner_sees_nothing(lab, lab_of):
    order = lab.order(["SCENE_A"], "mine", "scenes").submit()
    stranger = lab_of("stranger")
    assert len(stranger.orders) == 0
    with pytest.raises(NotFound):
        stranger.orders[order.id]


def test_waiting_too_long_cancels_nothing(idle_lab, idle):
    order = idle_lab.order(GOOD, collection="scenes").submit()
    with pytest.raises(WaitTimeout, match="nothing was cancelled") as late:
        order.wait(0.3)
    assert late.value.order is order
    idle.start()
    assert order.wait(60).status is Status.COMPLETED


def test_failures_raise_where_asked(lab):
    order = lab.order(["SCENE_A", "SCENE_X"], collection="scenes").submit()
    with pytest.raises(OrderFailed, match=r"1 of 2 items .* SCENE_X") as failed:
        order.wait(60, check=True)
    assert failed.value.order is order
    assert [each.item_id for each in failed.value.problems] == ["SCENE_X"]


@pytest.fixture
def ctrl_c():
    """Let SIGINT be heard: a test run that was put into the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_the_wait_and_says_how_to_come_back(idle_lab, idle, capsys):
    order = idle_lab.order(GOOD, "long one", "scenes").submit()

    def interrupt(event):
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as left:
        order.wait(60, progress=interrupt)
    assert isinstance(left.value, WaitInterrupted)
    assert "lab.orders['long one'] brings you back" in capsys.readouterr().err
    assert left.value._render_traceback_() == [str(left.value)]
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(WaitInterrupted):
        next(order.as_completed(60))
    idle.start()
    assert idle_lab.orders["long one"].wait(60).status is Status.COMPLETED


def test_waiting_outlives_a_server_that_is_away_for_a_moment(lab):
    order = lab.order(GOOD, collection="scenes").submit()
    lost = iter([True, True, False])

    def sometimes(request, message_id):
        if isinstance(request, GetStatus) and next(lost, False):
            raise TransportError("away")

    lab.transport = Between(lab.transport, sometimes)
    assert order.wait(60).status is Status.COMPLETED


def test_progress_counts_to_the_end(lab):
    events = []
    lab.order(["SCENE_A", "SCENE_X"], "counted", "scenes").submit().wait(60, progress=events.append)
    last = events[-1]
    assert (last.name, last.done, last.total, last.failed, last.fraction) == ("counted", 2, 2, 1, 1.0)
    assert last.text == "Completed · 1 of 2 delivered · 1 Failed"


def test_an_order_is_cancelled_and_tells_it(idle_lab, idle):
    order = idle_lab.order(GOOD, collection="scenes").submit().cancel()
    idle.start()
    assert order.wait(60).status is Status.CANCELLED
    assert len(order.failed) == 2 and len(order.succeeded) == 0
    with pytest.raises(Conflict, match="nothing to cancel"):
        order.cancel()


def test_history_and_attempts_are_told(lab):
    order = lab.order(["SCENE_A"], collection="scenes").submit().wait(60)
    statuses = [each.status for each in order.history() if each.number == 1]
    assert statuses == [Status.ACCEPTED, Status.IN_PRODUCTION, Status.COMPLETED]
    assert [each.attempt for each in order.attempts()] == [1]


def test_nothing_delivered_is_said_when_fetched_or_opened(lab, tmp_path):
    order = lab.order(["SCENE_X"], collection="scenes").submit().wait(60)
    for act in (lambda: order.download(tmp_path), order.to_xarray, order.to_stac):
        with pytest.raises(DeliveryError, match=r"order\.failed says what went wrong"):
            act()


def test_what_is_there_is_not_fetched_again_and_what_was_damaged_is(lab, tmp_path):
    order = lab.order(["SCENE_A"], "kept", "scenes").submit().wait(60)
    (path,) = order.download(tmp_path)
    assert path == tmp_path / "kept" / "SCENE_A" / "SCENE_A.tif"
    whole, made = path.read_bytes(), path.stat().st_mtime_ns
    order.download(tmp_path)
    assert path.stat().st_mtime_ns == made
    path.write_bytes(whole[:-1] + b"?")
    assert repr(order.results().verify(tmp_path)) == "1 ok, 1 changed, 0 missing"
    order.download(tmp_path)
    assert path.read_bytes() == whole
    path.unlink()
    assert order.results().verify(tmp_path).missing == (path,)


def test_what_was_downloaded_of_an_order_stays_though_the_rest_failed_and_another_has_its_name(lab, tmp_path):
    first = lab.order(GOOD, "again", "scenes").submit().wait(60)
    fetch = lab.transport._fetch

    def refused(url, start, etag):
        return Fetched(404) if "SCENE_B.tif" in url else fetch(url, start, etag)

    lab.transport._fetch = refused
    with pytest.raises(DeliveryError, match="1 of 4 files"):
        first.download(tmp_path)
    lab.transport._fetch = fetch
    kept = tmp_path / "again" / "SCENE_A" / "SCENE_A.tif"
    before = kept.read_bytes()
    assert first.verify().ok and not (tmp_path / "again" / "SCENE_B" / "manifest.json").exists()
    second = lab.order(GOOD, "again", "scenes", format="PNG").submit().wait(60)
    assert {path.parents[1].name for path in second.download(tmp_path)} == {f"again-{second.short_id}"}
    assert kept.read_bytes() == before and {path.parents[1].name for path in first.download(tmp_path)} == {
        "again"
    }


def test_what_came_after_a_download_is_opened_too(lab, tmp_path, monkeypatch):
    order = lab.order(GOOD, collection="scenes").submit().wait(60)
    order.download(tmp_path)
    opened = []
    monkeypatch.setattr(Results, "to_xarray", lambda self, folder=None, **_: opened.append(folder))
    monkeypatch.setattr(Results, "to_stac", lambda self, folder=None: opened.append(folder))
    order.to_xarray()
    assert opened == [order.downloaded]
    shutil.rmtree(order.downloaded / "SCENE_B")  # as if it had been delivered only since
    order.to_xarray()
    order.to_stac()
    order.to_xarray(tmp_path)
    assert opened[1:] == [None, None, tmp_path]
    (order.downloaded / "SCENE_A" / "manifest.json").unlink()  # a download that was cut short
    assert str(order.items["SCENE_A"].parcel().stac(order.items["SCENE_A"].place)[1]).startswith("http")


def test_two_orders_of_one_name_have_two_folders(lab, tmp_path):
    first = lab.order(["SCENE_A"], "twice", "scenes").submit().wait(60)
    second = lab.order(["SCENE_A"], "twice", "scenes").submit(again=True).wait(60)
    places = {path.parents[1].name for each in (first, second) for path in each.download(tmp_path)}
    assert places == {"twice", f"twice-{second.short_id}"}
    dataset = second.results().to_xarray(tmp_path)
    assert dataset.sizes["time"] == 1


def test_stac_items_point_to_the_files(lab, tmp_path):
    order = lab.order(GOOD, collection="scenes").submit().wait(60)
    remote = order.to_stac()
    assert all(a.href.startswith("http://in.process/oseo/files/") for i in remote for a in i.assets.values())
    order.download(tmp_path)
    local = order.to_stac()
    assert sorted(each.properties["oseo:item"] for each in local) == GOOD
    for item in local:
        for asset in item.assets.values():
            assert (tmp_path / asset.href).is_file()


def test_grids_that_do_not_fit_are_named(lab, tmp_path):
    draft = lab.order(GOOD, collection="scenes", name="two grids")
    draft.items["SCENE_B"].options.resolution = 20
    order = draft.submit().wait(60)
    order.download(tmp_path)
    with pytest.raises(DeliveryError, match=r"different grids.*resolution="):
        order.to_xarray()


def test_clips_of_one_grid_are_joined_on_it(lab, tmp_path):
    draft = lab.order(GOOD, collection="scenes", name="clips")
    from oseo_lab.client.area import as_area

    draft.items["SCENE_A"].area = as_area((600100, 4999000, 600500, 4999500), 32632)
    draft.items["SCENE_B"].area = as_area((600300, 4999200, 600800, 4999700), 32632)
    order = draft.submit().wait(60, check=True)
    order.download(tmp_path)
    dataset = order.to_xarray()
    assert (dataset.sizes["x"], dataset.sizes["y"], dataset.sizes["time"]) == (70, 70, 2)
    first = dataset["B02"].isel(time=0)
    assert int(first.notnull().sum()) == 40 * 50


def test_netcdf_is_opened_like_geotiff(lab, tmp_path):
    order = lab.order(GOOD, collection="scenes", format="NetCDF", name="cf").submit().wait(60, check=True)
    order.download(tmp_path)
    dataset = order.to_xarray()
    assert set(dataset.data_vars) == {"B02", "B03"}
    assert dataset.rio.crs.to_epsg() == 32632
    assert list(dataset["time"].dt.day.values) == [1, 11]


def test_pictures_are_not_opened_as_data(lab, tmp_path):
    order = lab.order(["SCENE_A"], collection="scenes", format="PNG").submit().wait(60, check=True)
    order.download(tmp_path)
    with pytest.raises(DeliveryError, match="format='COG'"):
        order.to_xarray()


def test_without_the_extra_its_name_is_said(lab, tmp_path, monkeypatch):
    order = lab.order(["SCENE_A"], collection="scenes").submit().wait(60)
    monkeypatch.setitem(sys.modules, "rioxarray", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'oseo-lab\[xarray\]'"):
        order.to_xarray()


def test_a_draft_is_checked_against_the_catalogue(lab):
    draft = lab.order([*GOOD, "SCENE_NOWHERE"], collection="scenes", area=(0, 0, 1, 1))
    told = {(each.item_id, each.locator) for each in draft.validate()}
    assert ("SCENE_NOWHERE", "identifier") in told
    empty = lab.order([], collection="scenes")
    assert [each.locator for each in empty.validate()] == ["orderItem"]
    with pytest.raises(ValidationError, match="no items"):
        empty.submit()


def test_items_come_and_go(lab):
    draft = lab.order(GOOD, collection="scenes")
    assert draft.items.add("SCENE_A") is draft.items["SCENE_A"]
    draft.items.remove("SCENE_A")
    draft.items.add("S" * 100)
    assert [len(each.item_id) <= 80 for each in draft.items] == [True, True]
    with pytest.raises(KeyError, match="not in this draft"):
        draft.items["SCENE_A"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "1 to 200"),
        ({"name": "a\nb"}, "printable"),
        ({"packaging": "rar"}, "allowed: zip, tar"),
        ({"priority": "now"}, "STANDARD, FAST_TRACK"),
        ({"collection": None}, "collection="),
        ({"area": (0, 0, 0, 0)}, "empty"),
        ({"format": "Zarr", "crs": "x"}, "format 'Zarr'.*crs 'x'"),
    ],
)
def test_a_draft_refuses_at_once(lab, wrong, says):
    with pytest.raises(ValidationError, match=says):
        lab.order(**{"products": GOOD, "collection": "scenes"} | wrong)


def test_products_of_two_collections_are_two_orders(lab):
    product = lab.search("scenes")[0]
    with pytest.raises(ValidationError, match="one order for each"):
        lab.order([product], collection="other")


def test_the_python_recipe_makes_the_same_order(lab, monkeypatch):
    draft = lab.order(
        GOOD, "recipe", "scenes", area=(600100, 4999000, 600500, 4999500), area_crs=32632, crs="EPSG:3035"
    )
    draft.items["SCENE_B"].options.format = "PNG"
    draft.packaging = "zip"
    text = (
        draft.as_request("python").replace("import oseo_lab as oseo", "").replace("oseo.connect", "connect")
    )
    said = {"connect": lambda url: lab}
    exec(text.replace("order = draft.submit()", ""), said)
    assert said["draft"].request() == draft.request()


def test_other_recipes_hold_the_order_and_no_token(lab):
    draft = lab.order(GOOD, "recipe", "scenes")
    assert json.loads(draft.as_request("json"))["specification"]["order_reference"] == "recipe"
    assert "<orderReference>recipe</orderReference>" in draft.as_request("soap")
    assert "$OSEO_LAB_TOKEN" in draft.as_request("curl")
    with pytest.raises(ValidationError, match="json, soap, curl, python"):
        draft.as_request("fax")


def test_a_refusal_of_the_service_is_raised_as_what_it_was(lab):
    draft = lab.order(["../../etc/passwd"], collection="scenes")
    with pytest.raises(ValidationError, match="is not a product of scenes"):
        draft.submit()
    with pytest.raises(NotFound):
        Order.of_id(lab, "urn:uuid:00000000-0000-4000-8000-000000000000")


def test_a_name_that_somebody_chose_is_one_line_and_moves_no_cursor(lab):
    request = lab.order(GOOD[:1], collection="scenes").request()
    named = replace(request.specification, order_reference="a\x9b2J\u202e\nstatus   Done")  # by another door
    told = lab.transport.perform(replace(request, specification=named))
    order = lab.orders[told.order_id]
    lines = str(order).split("\n")
    assert len(lines) == 4
    assert all(each.isprintable() for each in lines)
