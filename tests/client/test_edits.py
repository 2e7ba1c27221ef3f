"""For random edits of random offers: what the object holds, the service takes; what it refuses, neither."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from oseo_lab.client.draft import DraftItem, OrderDraft
from oseo_lab.client.session import Session
from oseo_lab.encoding.json_form import from_plain, option_schema, to_plain
from oseo_lab.encoding.json_options import plain_value
from oseo_lab.encoding.oseo import decode_request, encode_request
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.messages import Submit
from tests.client.edits import (
    COLLECTION,
    Edit,
    Here,
    Lab,
    apply,
    as_sent,
    edits,
    is_possible,
    offers,
    refusal,
)


def agree(collection: Collection, draft: OrderDraft) -> None:
    """Check that the service says of a draft what the draft says of itself."""
    specification = draft.request().specification
    assert specification is not None
    if not draft.items:
        return
    own = {each.text for each in draft._gaps()}
    assert {each.text for each in refusal(collection, specification)} == own
    assert all("is required" in each for each in own)  # what holds breaks no rule and has no wrong value
    assert all(is_right(draft, each.options.values) for each in draft.items) is not bool(own)


def is_right(draft: OrderDraft, values: dict[str, Any]) -> bool:
    """Whether an item's values are as the JSON Schema of the options says, its rules among that."""
    plain = {
        name: plain_value(draft.options.definition(name).component, value)
        for name, value in values.items()
        if value is not None
    }
    return Draft202012Validator(option_schema(draft.offer.options, draft.offer.rules)).is_valid(plain)


def is_about_places(problem: Problem) -> bool:
    """Whether a problem is of what is cut out, which has a schema of its own."""
    return "sceneBounding" in problem.text


def wish(draft: OrderDraft, item: DraftItem, edit: Edit) -> dict[str, Any]:
    """Return what an edit of options would make of an item's values."""
    own = item.options.chosen
    given = {name: value for name, value in edit.values.items() if edit.product or name not in own}
    presets = {name: draft.options.definition(name).default for name in draft.options}
    base = draft.options.values if edit.product else presets
    return {name: base[name] if value is None else value for name, value in given.items()}


def try_it(collection: Collection, draft: OrderDraft, edit: Edit) -> None:
    """Try an edit; what the object refuses leaves it as it was, and the service refuses it too."""
    before, told = draft.request(), []
    stop = draft.on_change(lambda changed: told.append(changed.request()))
    try:
        apply(draft, edit)
    except ValidationError as refused:
        assert (draft.request(), told) == (before, [])
        verdict = [each.text for each in refusal(collection, as_sent(collection, draft, edit))]
        assert verdict
        mixed = [each.text for each in refused.problems if "they do not mix" in each.text]
        event("refused by a rule" if mixed else "refused as a value")
        if (
            edit.kind == "options"
            and mixed
            and draft.items
            and not any(map(is_about_places, refused.problems))
        ):
            about = [draft.items[edit.product]] if edit.product else list(draft.items)
            wished = [{**each.options.values, **wish(draft, each, edit)} for each in about]
            assert not all(is_right(draft, each) for each in wished)
        if mixed:
            assert set(mixed) <= set(verdict)
        if edit.kind == "packaging":
            assert str(refused.text) in [each.replace("tar", "'tar'", 1) for each in verdict]
    else:
        event("taken")
        assert told in ([], [draft.request()])
        assert bool(told) or draft.request() == before
    finally:
        stop()


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_object_and_service_agree_after_every_edit(data: st.DataObject) -> None:
    collection = data.draw(offers(), label="collection")
    draft = OrderDraft(Session(Here(collection)), COLLECTION)
    for edit in data.draw(st.lists(edits(collection), min_size=5, max_size=20), label="edits"):
        if is_possible(draft, edit):
            try_it(collection, draft, edit)
            agree(collection, draft)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_copied_code_and_both_encodings_give_an_equal_draft(data: st.DataObject) -> None:
    collection = data.draw(offers(), label="collection")
    session = Session(Here(collection))
    draft = OrderDraft(
        session, COLLECTION, name=data.draw(st.sampled_from((None, "a 'name' \\ of \"mine\"")))
    )
    draft.remark = data.draw(st.sampled_from((None, "line\nline")))
    draft.packaging = data.draw(st.sampled_from((None, "zip")))
    draft.limits = data.draw(st.sampled_from(({}, {"max_price": 0.1, "max_bytes": 7})))
    for edit in data.draw(st.lists(edits(collection), max_size=10), label="edits"):
        if is_possible(draft, edit):
            try:
                apply(draft, edit)
            except ValidationError:
                continue
    if data.draw(st.booleans(), label="again by another name"):
        draft.items.add("p1", item_id="of my own")
    said: dict[str, Any] = {"lab": Lab(session)}
    exec(draft.as_code(), said)
    assert said["draft"] == draft
    request = draft.request()
    assert from_plain(Submit, to_plain(request)) == request
    if draft.items:
        assert decode_request(parse(encode_request(request))) == request


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_offered_now_is_taken_and_what_is_not_is_refused_with_its_reason(data: st.DataObject) -> None:
    collection = data.draw(offers(), label="collection")
    draft = OrderDraft(Session(Here(collection)), COLLECTION)
    for edit in data.draw(st.lists(edits(collection), max_size=6), label="edits"):
        if is_possible(draft, edit):
            try:
                apply(draft, edit)
            except ValidationError:
                continue
    name = data.draw(st.sampled_from(sorted(draft.options)), label="option")
    for choice in draft.options.choices(name):
        before = dict.fromkeys(draft.options) | draft.options.chosen
        if choice.is_offered:
            draft.options[name] = choice.value
            draft.options.update(**before)
        else:
            with pytest.raises(ValidationError) as refused:
                draft.options[name] = choice.value
            assert choice.reason in [each.text for each in refused.value.problems]
