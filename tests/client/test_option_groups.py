"""Drafts of a collection with several option groups: choose one, keep what it offers, order by it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from oseo_lab.client.composing import compose
from oseo_lab.client.draft import OrderDraft
from oseo_lab.client.session import Session
from oseo_lab.model.collection import Collection, OrderOptions, SceneSelectionOption, SubscriptionRule
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.options import Category, Count, OptionDefinition
from oseo_lab.operations import Context, Service, perform


def option(name: str, *allowed: str) -> OptionDefinition:
    return OptionDefinition(name=name, component=Category(allowed=allowed, optional=True))


FRAME = OptionDefinition(name="frame", component=Count(optional=True))
COLLECTION = Collection(
    id="sar",
    subscription=SubscriptionRule(),
    groups=(
        OrderOptions(product_order_options_id="level 1", options=(option("format", "CEOS", "COG"),)),
        OrderOptions(
            product_order_options_id="level 2",
            options=(option("format", "COG"), option("looks", "1", "4")),
            scene_selections=(SceneSelectionOption(parameters=(FRAME,)),),
        ),
    ),
)


class Here:
    """A transport to operations in this process."""

    url = "http://localhost/oseo/"

    def collections(self) -> list[Any]:
        return [{"id": COLLECTION.id}]

    def perform(self, message: Any, message_id: str | None = None) -> Any:
        return perform(
            message,
            Context(
                owner="anna",
                store=None,
                collections={"sar": COLLECTION},
                service=Service(),
                wake=lambda: None,
                now=lambda: datetime.now(UTC),
                url=self.url,
                link=lambda *_: "",
            ),
        )


@pytest.fixture
def session() -> Session:
    return Session(Here())


def test_a_draft_is_of_the_first_group_of_product_orders(session: Session) -> None:
    draft = OrderDraft(session, "sar")
    assert draft.groups == ("level 1", "level 2")
    assert draft.group == "level 1"
    assert list(draft.options) == ["format"]
    assert not draft.scene_options


def test_another_group_has_its_options_and_keeps_what_it_offers(session: Session) -> None:
    draft = compose(session, ["p1", "p2"], collection="sar", options={"format": "COG"})
    draft.items["p1"].options.format = "COG"
    draft.group = "level 2"
    assert draft.options.format == "COG"
    draft.items["p1"].options.looks = 4
    assert list(draft.scene_options) == ["frame"]
    item = draft.request().specification.items[0]
    assert item.product_order_options_id == "level 2"
    assert dict(item.options[0].values) == {"format": "COG", "looks": "4"}
    assert "group='level 2'" in draft.as_request("python")


def test_a_group_that_lacks_what_was_chosen_changes_nothing(session: Session) -> None:
    draft = compose(session, ["p1"], collection="sar", options={"format": "CEOS"})
    with pytest.raises(ValidationError, match="allowed: COG") as refused:
        draft.group = "level 2"
    assert refused.value.locator == "format"
    assert (draft.group, draft.options.format) == ("level 1", "CEOS")


def test_a_group_is_chosen_when_the_order_is_composed(session: Session) -> None:
    draft = compose(session, ["p1"], collection="sar", options={"group": "level 2", "looks": 1})
    assert (draft.group, draft.options.looks) == ("level 2", "1")


def test_an_unknown_group_gets_the_nearest_one(session: Session) -> None:
    with pytest.raises(ValidationError, match=r"nearest: level 2.*groups: level 1, level 2") as refused:
        compose(session, ["p1"], collection="sar", options={"group": "levl 2"})
    assert refused.value.locator == "productOrderOptionsId"


def test_an_unknown_option_gets_the_nearest_one(session: Session) -> None:
    with pytest.raises(ValidationError, match="nearest: format"):
        compose(session, ["p1"], collection="sar", options={"formt": "COG"})
