"""GetStatusResponse as JSON, piece by piece: for answers that are too large to be held.

Offered by `json_form`. What is yielded is, joined, what `json_form.encode` returns of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from oseo_lab.model.messages import GetStatusResponse, OrderInParts
from oseo_lab.model.order import Order, OrderItem

__all__ = ["encode_order", "encode_status"]

#: Of an order the last such key is its own: inside the values that follow it nothing is called items.
_NO_ITEMS = b'"items":[]'
_NO_ORDERS = b'"orders":[]'


def encode_status(parts: Iterable[OrderInParts]) -> Iterator[bytes]:
    """Yield a GetStatusResponse."""
    start, _, end = _dumped(GetStatusResponse, GetStatusResponse()).rpartition(_NO_ORDERS)
    yield start + _NO_ORDERS[:-1]
    comma = b""
    for part in parts:
        yield comma
        yield from encode_order((part,))
        comma = b","
    yield b"]" + end


def encode_order(parts: Iterable[OrderInParts]) -> Iterator[bytes]:
    """Yield the only order of a GetStatusResponse."""
    for order, pages in parts:
        start, _, end = _dumped(Order, order).rpartition(_NO_ITEMS)
        yield start + _NO_ITEMS[:-1]
        comma = b""
        for page in pages:
            yield comma + _dumped(tuple[OrderItem, ...], tuple(page))[1:-1]
            comma = b","
        yield b"]" + end


def _dumped(kind: Any, value: Any) -> bytes:
    from oseo_lab.encoding.json_types import adapter

    return adapter(kind).dump_json(value, exclude_none=True)
