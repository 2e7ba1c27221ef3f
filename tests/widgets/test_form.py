"""The form of a draft: what its buttons do, and that nothing is copied."""

from __future__ import annotations

import pytest

from oseo_lab.client import display
from oseo_lab.widgets.area import AreaPicker
from oseo_lab.widgets.form import DraftForm
from oseo_lab.widgets.panel import Panel
from oseo_lab.widgets.quote import QuoteCard


@pytest.fixture
def draft(demo_lab):
    return demo_lab.order(demo_lab.search("demo-s2")[:2], name="lake")


@pytest.fixture
def form(draft):
    made = DraftForm(draft)
    yield made
    made.worker.wait(60)
    made.close()


def status(widget) -> str:
    return " ".join(each["text"] for each in widget.panel.tree if each["kind"] == "status")


def test_code_moves_the_form_and_the_form_moves_the_object(form, draft) -> None:
    draft.options.format = "NetCDF"
    assert form.panel.find("options/format")["value"] == "NetCDF"
    form.panel.edit("options/format", "PNG")
    assert draft.options.format == "PNG"
    form.panel.edit("options/format", None)
    assert draft.options.format == "COG" and not draft.options.chosen


def test_two_forms_of_one_draft_are_one(form, draft) -> None:
    other = DraftForm(draft)
    other.panel.edit("draft/name", "garda")
    assert form.panel.find("draft/name")["value"] == "garda"
    other.close()
    draft.name = "po"
    assert other.panel.find("draft/name")["value"] == "garda"  # closed: it hears nothing more


def test_an_edit_is_told_to_the_page_once(form, draft) -> None:
    told = []
    form.panel.observe(lambda change: told.append(change.new), "tree")
    form.panel.edit("options/format", "NetCDF")
    assert len(told) == 1
    draft.options.format = "NetCDF"
    assert len(told) == 1


def test_choices_that_do_not_go_are_greyed_with_the_reason(form, draft) -> None:
    by_value = {each["value"]: each for each in form.panel.find("options/bands")["choices"]}
    assert not by_value["SCL"]["offered"] and "mean of two codes" in by_value["SCL"]["reason"]
    draft.options.resampling = "nearest"
    by_value = {each["value"]: each for each in form.panel.find("options/bands")["choices"]}
    assert by_value["SCL"]["offered"]


def test_limits_packaging_priority_and_name_are_refused_with_the_drafts_own_sentence(form, draft) -> None:
    form.panel.edit("draft/max_bytes", "1GB")
    form.panel.edit("draft/max_price", "12.5")
    assert (draft.limits.max_bytes, draft.limits.max_price) == (10**9, 12.5)
    form.panel.edit("draft/max_bytes", "much")
    node = form.panel.find("draft/max_bytes")
    assert node["value"] == "1000000000" and "'much' is no size" in node["problem"]
    form.panel.edit("draft/packaging", "zip")
    form.panel.edit("draft/priority", "FAST_TRACK")
    assert (str(draft.packaging), str(draft.priority)) == ("zip", "FAST_TRACK")
    form.panel.edit("draft/name", " blanks ")
    assert draft.name == "lake" or "not allowed" in form.panel.find("draft/name")["problem"]


def test_an_area_is_drawn_and_typed_and_both_show_the_drafts(form, draft) -> None:
    form.panel.press("draft/area:map")
    picker = next(each for each in form.below.children if isinstance(each, AreaPicker))
    ring = [[10.5, 45.5], [10.5, 45.7], [10.7, 45.7], [10.7, 45.5], [10.5, 45.5]]
    picker._draw(picker._control, "created", {"geometry": {"type": "Polygon", "coordinates": [ring]}})
    assert draft.area.is_box and draft.area.bbox == (10.5, 45.5, 10.7, 45.7)
    assert form.panel.find("draft/area")["value"] == "10.5, 45.5, 10.7, 45.7"
    draft.area = (10.4, 45.4, 10.6, 45.6)
    assert picker.area.bbox == (10.4, 45.4, 10.6, 45.6)
    assert picker.__geo_interface__["type"] == "Polygon"
    picker.panel.press("clear")
    assert draft.area is None
    form.panel.press("draft/area:map")
    assert not form.below.children


def test_buttons_check_quote_and_submit_in_a_thread_and_show_what_came_of_it(form, draft, press) -> None:
    press(form, "do/validate")
    assert "nothing is wrong" in status(form)
    press(form, "do/quote")
    (card,) = form.below.children
    assert isinstance(card, QuoteCard) and "3.00 CREDIT" in str(card.panel.tree)
    press(form, "do/submit")
    assert "submitted as lake" in status(form)
    press(form, "do/submit")
    assert "Already submitted" in status(form)  # heard by the form: nothing was printed by its thread


def test_what_cannot_be_submitted_is_said_by_the_draft(form, draft, press, capsys) -> None:
    for item in list(draft.items):
        form.panel.press(f"items/{item.item_id}")
    assert not draft.items
    press(form, "do/submit")
    assert "the draft has no items" in status(form)
    assert capsys.readouterr() == ("", "")


def test_copied_code_makes_the_draft_again(form, draft, demo_lab) -> None:
    form.panel.edit("options/bands", ["B04", "B02"])
    form.panel.press("do/code")
    shown = next(each["text"] for each in form.panel.tree if each["kind"] == "code")
    found: dict = {"lab": demo_lab}
    exec(shown, found)
    assert found["draft"].request() == draft.request()


def test_reset_goes_back_to_all_defaults(form, draft) -> None:
    form.panel.edit("options/format", "PNG")
    form.panel.edit("options/resolution", "far")
    form.panel.press("do/reset")
    assert not draft.options.chosen and not form.panel.find("options/resolution")["problem"]


def test_a_draft_shows_itself_as_form_html_and_text(draft, monkeypatch) -> None:
    monkeypatch.setattr(display, "in_notebook", lambda: True)
    shown = draft._repr_mimebundle_()
    assert "model_id" in shown[display.WIDGET]
    assert "S2-DEMO" in shown["text/html"] and shown["text/plain"].startswith("OrderDraft('lake'")


def test_what_the_page_says_is_not_trusted(form, draft) -> None:
    for message in (
        {},
        {"type": "edit"},
        {"type": "edit", "key": "options/nothing/x", "value": 3},
        {"type": "press"},
    ):
        Panel._told(form.panel, form.panel, message, None)
    form.panel.edit("draft/nothing", "x")
    form.panel.press("items/nothing")
    assert len(draft.items) == 2
