"""Products on a map: pictures, footprints, and which are chosen; the composer that is made of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oseo_lab.widgets.area import AreaPicker
from oseo_lab.widgets.composer import Composer
from oseo_lab.widgets.form import DraftForm
from oseo_lab.widgets.products import ProductsMap


@pytest.fixture
def products(demo_lab):
    found = demo_lab.search("demo-s2", time="2024-05/2024-07")
    first = replace(found[0], orderable=False, reason="it lies on tape")
    return found.of([first, *found[1:]])


def table(widget) -> dict:
    return next(each for each in widget.panel.tree if each["kind"] == "table")


def test_products_are_chosen_in_the_table_and_on_the_map(products) -> None:
    heard = []
    shown = ProductsMap(products, heard.append)
    shown.worker.wait(60)
    names = products.ids
    shown.panel.edit("chosen", [names[1], names[2]])
    assert shown.selected.ids == (names[1], names[2]) == heard[-1].ids
    shown._clicked(properties={"id": names[1]})
    assert shown.selected.ids == (names[2],)
    shown.selected = products[1:3]
    assert shown.selected.ids == names[1:3]
    shown.panel.press("none")
    assert not shown.selected


def test_what_cannot_be_ordered_is_greyed_with_the_reason_and_never_chosen(products) -> None:
    shown = ProductsMap(products)
    shown.worker.wait(60)
    name = products.ids[0]
    assert table(shown)["reasons"] == {name: "it lies on tape"}
    assert "no: it lies on tape" in table(shown)["rows"][0]
    shown.panel.press("all")
    assert name not in shown.selected.ids and len(shown.selected) == len(products) - 1


def test_small_pictures_are_fetched_beside_the_kernel_and_travel_as_data(products) -> None:
    shown = ProductsMap(products)
    shown.worker.wait(60)
    assert all(each.startswith("data:image/") for each in table(shown)["pictures"])


def test_map_needs_no_network_unless_somebody_names_a_basemap(products, monkeypatch) -> None:
    monkeypatch.delenv("OSEO_LAB_BASEMAP", raising=False)
    urls = [getattr(each, "url", None) for each in ProductsMap(products).map.layers]
    assert not any(urls)
    named = ProductsMap(products, basemap="https://tiles.example/{z}/{x}/{y}.png")
    assert "https://tiles.example/{z}/{x}/{y}.png" in [
        getattr(each, "url", None) for each in named.map.layers
    ]


def test_an_area_picker_is_an_area_for_every_search(demo_lab) -> None:
    picker = AreaPicker((10.6, 45.6, 10.7, 45.7))
    assert len(demo_lab.search("demo-s2", area=picker)) == 15
    picker.area = None
    with pytest.raises(Exception, match="nothing is drawn yet"):
        demo_lab.search("demo-s2", area=picker)


def test_what_is_chosen_is_ordered_below_the_map(products) -> None:
    shown = products.map()
    shown.worker.wait(60)
    shown.choose(products.ids[1:2])
    shown.panel.press("order")
    (form,) = shown.below.children
    assert [each.identifier for each in form.draft.items] == [products.ids[1]]
    form.close()


def test_composer_goes_from_search_to_order(demo_lab, press) -> None:
    composer = demo_lab.composer()
    assert isinstance(composer, Composer)
    composer.panel.edit("collection", "demo-s2")
    composer.panel.edit("area", "45, 10, 44, 11")
    assert "empty" in composer.panel.find("area")["problem"]
    composer.panel.edit("area", "10.6, 45.6, 10.7, 45.7")
    composer.panel.edit("start", "2024-06-01")
    composer.panel.edit("end", "2024-07-31")
    composer.panel.edit("cloud", "50")
    press(composer, "search")
    assert composer.products.ids and composer.products.area.bbox == (10.6, 45.6, 10.7, 45.7)
    (found,) = composer.found.children
    found.worker.wait(60)
    found.panel.edit("chosen", list(composer.products.ids[:2]))
    (form,) = composer.composed.children
    assert isinstance(form, DraftForm) and len(composer.draft.items) == 2
    found.panel.edit("chosen", list(composer.products.ids[:1]))
    assert composer.composed.children == (form,) and len(composer.draft.items) == 1
    press(form, "do/submit")
    assert composer.order is not None and composer.order.session is demo_lab
    form.close()


def test_composer_says_when_nothing_is_found_or_a_filter_is_wrong(demo_lab, press) -> None:
    composer = Composer(demo_lab)
    composer.panel.edit("collection", "demo-s2")
    composer.panel.edit("start", "2031-01-01")
    press(composer, "search")
    assert "nothing was found" in str(composer.panel.tree)
    composer.panel.edit("cloud", "few")
    press(composer, "search")
    assert "'few' is no number" in str(composer.panel.tree)
