"""For scientists: find a server, search, compose an order, follow it, open what it delivered.

The client knows the model and its encodings only; how it reaches a server is a parameter (`transport`).
Importing this package loads nothing heavy: names are looked up on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oseo_lab.client.connecting import connect as connect
    from oseo_lab.client.debugging import debug as debug
    from oseo_lab.client.draft import OrderDraft as OrderDraft
    from oseo_lab.client.item import Item as Item
    from oseo_lab.client.items import Items as Items
    from oseo_lab.client.lab import Lab as Lab
    from oseo_lab.client.listener import CallbackListener as CallbackListener
    from oseo_lab.client.order import Order as Order
    from oseo_lab.client.progress import ProgressEvent as ProgressEvent
    from oseo_lab.client.results import Results as Results
    from oseo_lab.client.search import Products as Products
    from oseo_lab.client.soap_transport import SoapTransport as SoapTransport
    from oseo_lab.client.transport import HttpTransport as HttpTransport
    from oseo_lab.client.transport import InProcessTransport as InProcessTransport

_HOMES = {
    "CallbackListener": "listener",
    "HttpTransport": "transport",
    "InProcessTransport": "transport",
    "Item": "item",
    "Items": "items",
    "Lab": "lab",
    "Order": "order",
    "OrderDraft": "draft",
    "Products": "search",
    "ProgressEvent": "progress",
    "Results": "results",
    "SoapTransport": "soap_transport",
    "connect": "connecting",
    "debug": "debugging",
}

__all__ = [
    "CallbackListener",
    "HttpTransport",
    "InProcessTransport",
    "Item",
    "Items",
    "Lab",
    "Order",
    "OrderDraft",
    "Products",
    "ProgressEvent",
    "Results",
    "SoapTransport",
    "connect",
    "debug",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"oseo_lab.client.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
