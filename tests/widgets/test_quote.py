"""The card of a quotation: what would be cheaper, limits, one that lapsed, submitting."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oseo_lab.client.quote import Quotation
from oseo_lab.model.errors import QuoteExpired, ValidationError
from oseo_lab.widgets.quote import QuoteCard


@pytest.fixture
def draft(demo_lab):
    return demo_lab.order(demo_lab.search("demo-s2")[:2], format="NetCDF", bands=["B04"])


@pytest.fixture
def card(draft):
    made = QuoteCard(draft.quote(), draft)
    made.looking.wait(60)
    yield made
    made.worker.wait(60)
    made.close()


def lapsed(quotation: Quotation) -> Quotation:
    """Return a quotation whose time is over, as this clock sees it."""
    record = replace(quotation.record, validity_time=datetime.now(UTC) - timedelta(minutes=1))
    return Quotation(
        quotation._session, replace(quotation._answer, quotation=record), quotation.specification
    )


def texts(card: QuoteCard) -> str:
    return str(card.panel.tree)


def test_card_says_price_items_and_what_would_be_cheaper(card) -> None:
    said = texts(card)
    assert "4.00 CREDIT" in said and "S2-DEMO" in said and "valid" not in said
    assert card.panel.tree[0]["until"]
    hint = card.panel.find("take/0")
    assert hint["label"].startswith("format COG instead of NetCDF: 3.00 CREDIT instead of 4.00 CREDIT")


def test_a_cheaper_variant_is_a_quotation_that_can_be_looked_at_and_ordered(card) -> None:
    card.panel.press("take/0")
    card.looking.wait(60)
    assert card.quotation.price.value == 3.0 and "3.00 CREDIT" in texts(card)


def test_limits_of_the_card_are_held_by_the_service(card, press) -> None:
    card.panel.edit("max_price", "3")
    press(card, "submit")
    assert "max_price is 3: nothing was ordered" in texts(card)
    card.panel.edit("max_price", "4")
    card.panel.edit("max_bytes", "1GB")
    press(card, "submit")
    assert "submitted as" in texts(card)
    assert card._order.view().limits.max_bytes == 10**9


def test_one_that_lapsed_is_not_ordered_and_the_new_one_is_shown(card, press) -> None:
    card.show(lapsed(card.quotation))
    assert "has lapsed" in texts(card) and card.panel.find("submit") is None
    press(card, "again")
    assert card.panel.find("submit") is not None and not card.quotation.is_lapsed


def test_submitting_what_lapsed_raises_with_the_new_quotation(draft, monkeypatch) -> None:
    old = lapsed(draft.quote())
    refused = ValidationError("this quotation lapsed on 2026-01-01", locator="quotationId")

    def perform(request, **how):
        if getattr(request, "quotation_id", None) == old.id:
            raise refused
        return ask(request, **how)

    ask = old._session.transport.perform
    monkeypatch.setattr(old._session.transport, "perform", perform)
    with pytest.raises(QuoteExpired) as said:
        old.submit()
    assert isinstance(said.value.new_quote, Quotation) and said.value.new_quote.id != old.id
    assert "nothing was ordered" in said.value.text


def test_what_was_delivered_before_is_said_and_ordered_with_one_press(demo_lab, press) -> None:
    scenes = demo_lab.search("demo-s2")
    draft = demo_lab.order(scenes[3], name="had before", area=(10.6, 45.6, 10.62, 45.62))
    assert draft.quote().delivered_before() == {}
    draft.submit().wait(60)
    again = demo_lab.order(scenes[2:4], name="once more", area=(10.6, 45.6, 10.62, 45.62))
    card = QuoteCard(again.quote())
    card.looking.wait(60)
    (item_id,) = card.quotation.delivered_before()
    assert item_id == scenes[3].identifier
    assert "already delivered today in had before → reuse: 0" in texts(card)
    assert card.panel.find("reuse")["label"] == "Submit, reusing 1"
    press(card, "reuse")
    order = card._order.wait(60)
    assert order.record.items[1].status.additional.startswith("reused from had before")
    card.close()
    again.options.format = "PNG"
    assert again.quote().delivered_before() == {}


def test_area_that_was_searched_is_offered_where_it_is_known_to_save_something(demo_lab) -> None:
    chip = (10.6, 45.6, 10.62, 45.62)
    scenes = demo_lab.search("demo-s2", area=chip)
    demo_lab.order(scenes[0], name="a chip", area=chip).submit().wait(60)
    demo_lab.order(scenes[0], name="all of it").submit().wait(60)
    quotation = scenes[1:3].order().quote()
    (hint,) = [each for each in quotation.cheaper() if "searched" in each.text]
    assert hint.text.startswith("clipped to the area that was searched: about")
    assert hint.quotation.size.typical < 0.8 * quotation.size.typical
    cut = hint.quotation.specification.items
    assert len(cut) == 2 and all(each.scene_selections for each in cut)
    assert "less: clipped" in quotation._repr_html_()
    whole = demo_lab.order([each.identifier for each in scenes[1:3]], collection="demo-s2").quote()
    assert [each for each in whole.cheaper() if "searched" in each.text] == []
