"""Order ids are opaque, ours are recognised exactly."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.order import new_order_id, order_uuid

OURS = "urn:uuid:0f4c1a2e-8c1b-4a83-9d6e-6f2f1f1a9b11"


def test_a_new_order_id_is_a_fresh_urn_in_lower_case() -> None:
    ids = {new_order_id() for _ in range(100)}
    assert len(ids) == 100
    for each in ids:
        assert each == each.lower()
        assert each == f"urn:uuid:{order_uuid(each)}"


@given(st.uuids())
def test_every_uuid_urn_gives_its_uuid_back(number: uuid.UUID) -> None:
    assert order_uuid(number.urn) == str(number)


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        OURS.upper(),
        OURS.removeprefix("urn:uuid:"),
        OURS + " ",
        " " + OURS,
        OURS + "\n",
        OURS.replace("-", ""),
        "urn:uuid:{0f4c1a2e-8c1b-4a83-9d6e-6f2f1f1a9b}",
        "urn:uuid:../../../../../../../../../etc/passwd",
        "urn:uuid:urn:uuid:0f4c1a2e-8c1b-4a83-9d6e-6f2f1f1a9b11",
        "urn:uuid:0f4c1a2e-8c1b-4a83-9d6e-6f2f1f1a9b1\u0661",
    ],
)
def test_anything_else_is_nobodys_order(foreign: str) -> None:
    assert order_uuid(foreign) is None


@given(st.text(max_size=60))
def test_no_text_makes_order_uuid_raise(text: str) -> None:
    found = order_uuid(f"urn:uuid:{text}")
    assert found is None or found == text
