"""Cells that are wrong: each is answered by one sentence that says what was wrong and what is allowed."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oseo_lab.client import Lab
from oseo_lab.client.deliveries import made
from oseo_lab.client.downloads import fetch_all
from oseo_lab.client.given import whole
from oseo_lab.client.order import Order
from oseo_lab.client.part import FileTask, Part
from oseo_lab.client.progress import Interrupted
from oseo_lab.client.transport import Fetched
from oseo_lab.model.errors import ConfigurationError, DeliveryError, NoSuchKey, OseoError, ValidationError

AREA = (10.27, 45.13, 10.28, 45.14)


@pytest.fixture(scope="module")
def done(services) -> Order:
    """An order that is over, of a lab of its own."""
    from tests.client.conftest import make_lab

    lab = make_lab(services, "wrong cells")
    return lab.order(["SCENE_A", "SCENE_B"], "done", "scenes").submit().wait(60, check=True)


#: What is typed, and the words that the sentence must hold.
LAB: list[tuple[Callable[[Lab], Any], str]] = [
    (lambda lab: lab.search("scenes", limit=-1), "limit -1 is not allowed; allowed: whole numbers from 1"),
    (lambda lab: lab.search("scenes", limit="ten"), "limit 'ten' is not allowed"),
    (lambda lab: lab.orders.filter(limit="x"), "limit 'x' is not allowed"),
    (lambda lab: lab.orders.filter(name=5), r"name 5 is no text; allowed: a text: filter\(name='...'\)"),
    (lambda lab: lab.orders.filter(collection=5), "collection 5 is no text"),
    (lambda lab: lab.orders.filter(since="yesterday"), "since 'yesterday'.*'7d'.* a date such as '2026"),
    (lambda lab: lab.order([]), "there is nothing to order: no product was given"),
    (lambda lab: lab.order("SCENE_A", collection="scenes", formt=None), "no option 'formt'.*nearest: format"),
    (lambda lab: lab.order("SCENE_A", collection="scenes", area=AREA, clip=AREA), "another word for area="),
]
DONE: list[tuple[Callable[[Order], Any], str]] = [
    (lambda order: order.items["SCENE_C"], "'SCENE_C' is not one of these items .nearest: SCENE_"),
    (lambda order: order.reorder(["SCENE_C"]), "'SCENE_C' is not one of these items"),
    (lambda order: order.failed.retryable.submit(), r"nothing to try again: .* order.failed.table\(\) says"),
    (lambda order: order.reorder(source="mirror"), r"order.reorder\(items, collection='...'\)"),
    (lambda order: order.download(5), "folder 5 is no path"),
    (lambda order: order.items[0].download(5), "folder 5 is no path"),
    (lambda order: order.download("data", workers=0), "workers 0 is not allowed"),
    (lambda order: order.download("data", workers="all"), "workers 'all' is not allowed"),
    (lambda order: order.download("/proc/nowhere"), "nothing can be kept in /proc/nowhere: .*another folder"),
    (lambda order: order.download(__file__), "test_wrong_cells.py: it is a file; say another folder"),
    (lambda order: order.to_xarray(band="B02"), "band=... is not known here .nearest: bands.; allowed: chu"),
    (lambda order: order.items.to_xarray(band="B02"), "band=... is not known here .nearest: bands"),
    (lambda order: order.plot(colour="B02"), "colour=... is not known here .*allowed: stretch"),
    (lambda order: order.items[0].plot(tilte="a"), "tilte=... is not known here .nearest: title"),
    (lambda order: order.share("ana", until="10y"), "until '10y' is not allowed; allowed: '7d'.* a date"),
    (lambda order: order.share("ana", can="write"), "can 'write' is not allowed; allowed: 'read'"),
]


def is_one_sentence(error: OseoError) -> bool:
    return "\n" not in str(error) and len(str(error)) < 400 and "Errno" not in str(error)


@pytest.mark.parametrize(("cell", "said"), LAB, ids=[each[1][:40] for each in LAB])
def test_a_wrong_cell_is_told_in_a_sentence(lab: Lab, cell: Callable[[Lab], Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as told:
        cell(lab)
    assert is_one_sentence(told.value)


@pytest.mark.parametrize(("cell", "said"), DONE, ids=[each[1][:40] for each in DONE])
def test_a_wrong_cell_on_an_order_is_told_in_a_sentence(
    done: Order, cell: Callable[[Order], Any], said: str
) -> None:
    with pytest.raises((ValidationError, NoSuchKey, DeliveryError), match=said) as told:
        cell(done)
    assert is_one_sentence(told.value)


def test_whole_numbers_of_numpy_are_whole_numbers(lab: Lab) -> None:
    assert len(lab.search("scenes", limit=np.int64(2))) == 2 and whole(np.int32(3), "n") == 3
    for wrong in (np.float64(2), True, np.bool_(True), 0):
        with pytest.raises(ValidationError, match="whole numbers from 1 on"):
            whole(wrong, "n")


def test_what_is_no_item_is_a_key_error_as_python_asks_of_mappings(done: Order) -> None:
    with pytest.raises(KeyError):
        done.items["SCENE_C"]


def test_the_area_may_be_called_as_others_call_it(lab: Lab) -> None:
    for word in ("aoi", "bbox", "clip", "intersects"):
        draft = lab.order("SCENE_A", collection="scenes", **{word: AREA})
        assert draft == lab.order("SCENE_A", collection="scenes", area=AREA)
    whole = lab.search("scenes")
    assert whole.order(clip=whole.area).area is None  # nothing was searched by


def test_products_are_found_by_their_identifiers(lab: Lab) -> None:
    scenes = lab.search("scenes")
    assert scenes["SCENE_A"].identifier == "SCENE_A"
    assert lab.products("scenes", "SCENE_A").ids == ("SCENE_A",)
    with pytest.raises(NoSuchKey, match=r"'SCENE_Q' is not one of these products \(nearest: SCENE_"):
        scenes["SCENE_Q"]


def test_a_folder_that_is_not_writable_is_told_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever is root may write anywhere
    with pytest.raises(DeliveryError, match="you may not write there; say another folder"):
        made(tmp_path / "new")


def test_a_full_disk_is_told_with_what_may_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Source:
        def fetch(self, url: str, **_: Any) -> Any:
            return nullcontext(Fetched(200, {"content-length": "3"}, iter([b"abc"])))

    def full(part: Part, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Part, "append", full)
    task = FileTask(url="http://here.example/a.tif", path=tmp_path / "a.tif", size=3)
    with pytest.raises(DeliveryError, match="No space left on device; free some space and run it again"):
        fetch_all(Source(), [task], "an order", progress=False)  # type: ignore[arg-type]
    assert not (tmp_path / "a.tif").exists()


def test_without_pictures_libraries_a_wrong_keyword_is_still_told_first(
    done: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ValidationError, match="allowed: stretch"):
        done.plot(colour="B02")
    with pytest.raises(ConfigurationError, match="needs matplotlib"):
        done.plot()


def test_ctrl_c_in_a_download_says_that_it_goes_on_where_it_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(event: object) -> None:
        raise KeyboardInterrupt

    class Source:
        def fetch(self, url: str, **_: Any) -> Any:
            return nullcontext(Fetched(200, {"content-length": "3"}, iter([b"abc"])))

    task = FileTask(url="http://here.example/a.tif", path=tmp_path / "a.tif", size=3)
    with pytest.raises(Interrupted) as stopped:
        fetch_all(Source(), [task], "an order", progress=interrupt)  # type: ignore[arg-type]
    assert "Run it again: it goes on where it stopped" in capsys.readouterr().err
    assert stopped.value._render_traceback_() == [str(stopped.value)]
