"""GetStatusResponse in parts: joined, the parts are the bytes of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oseo_lab.encoding import json_form, oseo
from oseo_lab.encoding.soap import SoapVersion, close_envelope, envelope_ends
from oseo_lab.model.messages import GetStatusResponse, OrderInParts
from oseo_lab.model.order import Order, OrderItem
from tests.encoding.message_strategies import instances


def in_parts(response: GetStatusResponse, page: int) -> Iterator[OrderInParts]:
    for order in response.orders:
        yield replace(order, items=()), paged(order.items, page)


def paged(items: Sequence[OrderItem], page: int) -> Iterator[Sequence[OrderItem]]:
    for start in range(0, len(items), page):
        yield items[start : start + page]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(orders=st.lists(instances(Order), max_size=3), page=st.integers(1, 3))
def test_parts_joined_are_the_whole(orders: list[Order], page: int) -> None:
    response = GetStatusResponse(orders=tuple(orders))
    whole = json_form.encode(response)
    assert b"".join(json_form.encode_status(in_parts(response, page))) == whole
    for order in orders:
        alone = GetStatusResponse(orders=(order,))
        assert b"".join(json_form.encode_order(in_parts(alone, page))) == json_form.encode(order)
    try:
        written = oseo.encode_response(response)
    except Exception as refused:  # names that cannot be elements are refused in parts too
        with pytest.raises(type(refused)):
            list(oseo.encode_status(in_parts(response, page)))
    else:
        assert b"".join(oseo.encode_status(in_parts(response, page))) == written


@pytest.mark.parametrize("version", SoapVersion)
@pytest.mark.parametrize("relates_to", [None, "urn:<&>"])
def test_an_envelope_is_its_two_ends_around_the_payload(version: SoapVersion, relates_to: str | None) -> None:
    start, end = envelope_ends(version, relates_to=relates_to)
    assert start + b"<a/>" + end == close_envelope(b"<a/>", version, relates_to=relates_to)
