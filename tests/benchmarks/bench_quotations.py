"""Quotations: GetQuotation of a large order, from bytes to bytes, beside Submit of the same order.

Floor: what Submit of the same items costs (decoded, checked, saved), for a quotation is that check and a
price besides. Process CPU time, medians of turns, one service over SQLite.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oseo_lab.builtin.quoter_tariff import TariffQuoter
from oseo_lab.dispatch.quoting import Quoting, Seams
from oseo_lab.encoding.oseo import decode_request, encode_request, encode_response
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.messages import GetQuotation, Submit
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.quotation import ProviderName
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.order_types import collection_for
from oseo_lab.ports import OrderStore
from oseo_lab.store import open_store
from tests.benchmarks import Row
from tests.operations.orders import COLLECTIONS, item

ITEMS, TURNS = 10_000, 5
TARIFF = {
    "item": 1.5,
    "order": 5,
    "options": {"format": {"COG": 1}},
    "discounts": [{"items": 100, "percent": 10}],
}


def _context(store: OrderStore) -> Context:
    """Return the surroundings of requests to a service whose optical collection has a tariff."""
    quoter = TariffQuoter("optical", TARIFF)
    context = Context(
        owner="anna",
        store=store,
        collections={name: replace(each, max_items=ITEMS) for name, each in COLLECTIONS.items()},
        service=Service(),
        wake=lambda: None,
        now=lambda: datetime.now(UTC),
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: name,
        quoter=lambda collection_id: quoter if collection_id == "optical" else None,
    )
    seams = Seams(
        collection_for=lambda identifier, kind: collection_for(identifier, kind, context),
        quote=quoter,
        find=lambda collection_id, identifiers: {},
        provider=ProviderName(service_name="lab", organization="lab"),
    )
    return replace(context, quote=Quoting(store=store, seams=seams, now=context.now).made)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def run() -> list[Row]:
    """Return the figures."""
    specification = OrderSpecification(
        items=tuple(item(f"i{number}", f"S2_{number}", "optical") for number in range(ITEMS))
    )
    quotation = encode_request(GetQuotation(specification=specification))
    submit = encode_request(Submit(specification=specification))
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'orders.sqlite'}")
        context = _context(store)

        def answer(body: bytes) -> bytes:
            return encode_response(perform(decode_request(parse(body)), context))

        pairs = [
            (_seconds(lambda: answer(quotation)), _seconds(lambda: answer(submit))) for _ in range(TURNS)
        ]
        store.close()
    return [
        Row(
            what=f"GetQuotation of {ITEMS} items, beside their Submit",
            ours=statistics.median(ours for ours, _ in pairs),
            floor=statistics.median(floor for _, floor in pairs),
            unit="s CPU",
            target=3.0,
            note="synchronous, a tariff with option prices and volume steps; its answer is 3.6 MB",
        )
    ]
