"""The form, the object and the service agree, whatever is tried on either side of the form."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oseo_lab.client.composing import compose
from oseo_lab.client.draft import OrderDraft
from oseo_lab.client.session import Session
from oseo_lab.model.errors import OseoError
from oseo_lab.widgets.area_text import area_text
from oseo_lab.widgets.form import DraftForm
from tests.client.edits import COLLECTION, Edit, Here, apply, edits, is_possible, offers, refusal


@st.composite
def stories(draw: st.DrawFn) -> tuple[Any, list[tuple[bool, Edit]]]:
    """A service, and edits of a draft of it: each in the form or on the object."""
    collection = draw(offers())
    steps = st.tuples(st.booleans(), edits(collection))
    return collection, draw(st.lists(steps, min_size=1, max_size=8))


def messages(form: DraftForm, name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the page would tell if somebody filled in a value: parts of it one after the other."""
    control, key = form.options.controls[name], f"options/{name}"
    if value == "no such value" or value is None:
        yield (key, value)
        return
    if isinstance(value, dict) or type(control).__name__ == "Range":
        parts = value.items() if isinstance(value, dict) else zip(("min", "max"), value, strict=True)
        yield (key, None)
        for part, each in parts:
            said = control.parts[part].component.render(each) if not isinstance(each, str) else each
            yield f"{key}/{part}", said
        return
    if isinstance(value, list):
        yield key, [str(each) for each in value]
    else:
        component = form.draft.options.definition(name).component
        yield key, value if isinstance(value, str) else str(component.render(value))


def fill_in(form: DraftForm, edit: Edit) -> None:
    """Do in the form what an edit says, as far as the form can: options and area of the whole order."""
    if edit.kind == "options" and edit.product is None:
        for name, value in edit.values.items():
            for key, said in messages(form, name, value):
                form.panel.edit(key, said)
    elif edit.kind == "area" and edit.product is None:
        said = ", ".join(map(str, edit.area)) if isinstance(edit.area, tuple) else edit.area
        form.panel.edit("draft/area", said)
    elif edit.kind == "remove":
        form.panel.press(f"items/{edit.product}")
    else:
        on_the_object(form.draft, edit)


def on_the_object(draft: OrderDraft, edit: Edit) -> None:
    with contextlib.suppress(OseoError):
        apply(draft, edit)


def check(form: DraftForm, collection: Any) -> None:
    """The form shows what the object holds, and the service takes what the object holds."""
    draft = form.draft
    json.dumps(form.panel.tree)
    for name, control in form.options.controls.items():
        node = form.panel.find(f"options/{name}")
        assert node is not None
        if name in form.options.incomplete:
            continue  # says itself that it is no part of the order
        held = control.raw(draft.options[name])
        assert form.options.raw(name) == held
        if node["kind"] == "field" and isinstance(node["value"], list | str | None):
            shown = node["value"]
            texts = ", ".join(held or []) if isinstance(held, list) and isinstance(shown, str) else held
            assert (shown or None) == (texts or None)
    assert form.panel.find("draft/area")["value"] == area_text(draft.area)
    chips = next(each for each in form.panel.tree if each["kind"] in ("chips", "text"))
    assert [each["label"] for each in chips.get("items", ())] == [each.identifier for each in draft.items]
    if draft.items and not list(draft.options.missing()):
        assert refusal(collection, draft.request().specification) == []


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(stories())
def test_form_object_and_service_agree_whatever_is_tried(story) -> None:
    collection, steps = story
    draft = compose(Session(Here(collection)), ["p0"], collection=COLLECTION)
    form = DraftForm(draft)
    try:
        for in_the_form, edit in steps:
            if is_possible(draft, edit):
                fill_in(form, edit) if in_the_form else on_the_object(draft, edit)
                check(form, collection)
    finally:
        form.close()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(stories())
def test_what_the_form_greys_is_what_the_object_refuses_with_the_same_sentence(story) -> None:
    collection, steps = story
    draft = compose(Session(Here(collection)), ["p0"], collection=COLLECTION)
    form = DraftForm(draft)
    try:
        for _, edit in steps:
            if is_possible(draft, edit):
                fill_in(form, edit)
        for name in draft.options:
            node = form.panel.find(f"options/{name}") or {}
            for choice in node.get("choices", ()):
                if node["control"] != "multi":
                    _same_verdict(draft, name, choice)
    finally:
        form.close()


def _same_verdict(draft: OrderDraft, name: str, choice: dict[str, Any]) -> None:
    before = draft.options.chosen
    if choice["offered"]:
        draft.options[name] = choice["value"]
        draft.options.reset()
        draft.options.update(**before)
    else:
        with pytest.raises(OseoError) as said:
            draft.options[name] = choice["value"]
        assert choice["reason"] in {each.text for each in said.value.problems}
        assert draft.options.chosen == before
