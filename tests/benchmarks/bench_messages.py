"""Messages: a Submit from bytes to a checked message, and a full GetStatusResponse from values to bytes.

Floors, of the same documents in the same run: libxml2's bare parse (nothing checked, nothing mapped), and
the same answer built as an lxml tree. Thread CPU time, medians, ours and the floor in turn. The Submit is
the official sample, its item repeated, where the shared test data is there. Without line breaks the floor
falls by a third (fewer nodes), while what there is to check and to map stays the same.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from oseo_lab.encoding.oseo import decode_request, encode_request, encode_response
from oseo_lab.encoding.soap import SoapVersion, open_envelope, request_envelope
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.delivery import (
    DeliveryAddress,
    DeliveryInformation,
    DeliveryOptions,
    MediaDelivery,
    PackageMedium,
    PostalAddress,
)
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import GetStatusResponse, Submit
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, Order, OrderItem, OrderSpecification, Payment, StatusInfo
from oseo_lab.model.status import Status
from tests.benchmarks import Row

COLLECTION = "http://www.example.org/def/collection/radar-image-mode"
ADDRESS = DeliveryAddress(
    first_name="Ada",
    last_name="Lovelace",
    company_ref="Analytical Engines",
    postal_address=PostalAddress(
        street_address="12 St James's Square", city="London", state="-", postal_code="SW1", country="UK"
    ),
    telephone_number="004420000000",
)


def item(number: int) -> ItemSpecification:
    """Return an item with all a real order has: options, an area in time, delivery, payment."""
    span = (("min", "2010-01-01T11:55:00Z"), ("max", "2010-01-01T12:00:00Z"))
    return ItemSpecification(
        item_id=f"item_{number:04}",
        identifier=ProductId(identifier=f"{COLLECTION}/EN1-{number:020}.XI", collection_id=COLLECTION),
        product_order_options_id="Level 1, single look",
        remark="as soon as you can",
        options=(
            ParameterData(
                values=(
                    ("processingLevel", "1B"),
                    ("productType", "ASA_IMS_1P"),
                    ("qualityOfService", "STANDARD"),
                )
            ),
        ),
        scene_selections=(
            ParameterData(
                values=(("sceneType", "FloatingScene"), ("sceneStartStopTime", span), ("frame", "7191"))
            ),
        ),
        delivery_options=DeliveryOptions(delivery=MediaDelivery(package_medium=PackageMedium.CD_ROM)),
        payment=Payment(payment_method="quota", order_account="project_10000"),
    )


def specification(count: int) -> OrderSpecification:
    """Return an order of so many items."""
    return OrderSpecification(
        order_reference="bench",
        order_remark="how fast",
        delivery_information=DeliveryInformation(mail_address=ADDRESS),
        items=tuple(item(number) for number in range(1, count + 1)),
    )


def status_response(count: int) -> GetStatusResponse:
    """Return the full status of an order of so many items."""
    done = StatusInfo(status=Status.COMPLETED, additional="delivered")
    ordered = specification(count)
    order = Order(
        order_id="urn:uuid:00000000-0000-4000-8000-000000000001",
        specification=OrderSpecification(
            order_reference=ordered.order_reference,
            order_remark=ordered.order_remark,
            delivery_information=ordered.delivery_information,
        ),
        status=done,
        created=datetime(2024, 6, 1, 10, tzinfo=UTC),
        items=tuple(OrderItem(specification=each, status=done) for each in ordered.items),
    )
    return GetStatusResponse(orders=(order,))


Plain = tuple[str, str | None, list[Any]]


def plain(element: etree._Element) -> Plain:
    """Return an element as name, text and children: what a tree is built from."""
    return str(element.tag), element.text, [plain(each) for each in element]


def tree(value: Plain) -> bytes:
    """Build the answer as an lxml tree and serialise it: the floor of writing."""
    name, text, children = value
    root = etree.Element(name)
    root.text = text
    _grow(root, children)
    return etree.tostring(root)


def _grow(parent: etree._Element, children: list[Plain]) -> None:
    for name, text, below in children:
        child = etree.SubElement(parent, name)
        child.text = text
        _grow(child, below)


def cpu(functions: list[Callable[[], object]], times: int, batch: int) -> list[float]:
    """Return the median thread CPU time of each function, microseconds, called in turn in small batches."""
    taken: list[list[int]] = [[] for _ in functions]
    for _ in range(times):
        for function, its in zip(functions, taken, strict=True):
            for _ in range(batch):
                start = time.thread_time_ns()
                function()
                its.append(time.thread_time_ns() - start)
    return [statistics.median(its) / 1000 for its in taken]


def _row(what: str, ours: float, floor: float, target: float | None) -> Row:
    return Row(what=what, ours=ours, floor=floor, unit="us CPU", target=target)


def indented(body: bytes) -> bytes:
    """Return a message as people and the official samples write it, with line breaks and tabs."""
    root = etree.fromstring(body)
    etree.indent(root, space="\t")
    return etree.tostring(root)


def official(count: int) -> bytes | None:
    """Return the official sample Submit with its item so many times; None without the shared test data."""
    default = Path(__file__).resolve().parents[3] / "shared"
    path = Path(os.environ.get("OSEO_LAB_SHARED") or default) / "samples" / "oseo" / "Submit.xml"
    if not path.is_file():
        return None
    head, start, rest = path.read_bytes().partition(b"<orderItem>")
    item, end, tail = rest.partition(b"</orderItem>")
    items = (item.replace(b"item_0001", b"item_%04d" % number) for number in range(1, count + 1))
    return head + b"".join(start + each + end for each in items) + tail


def _reading(count: int, times: int, batch: int) -> list[Row]:
    compact = encode_request(Submit(specification=specification(count)))
    sample = official(count)
    body = sample or indented(compact)
    soap = request_envelope(body, SoapVersion.V12, message_id="urn:uuid:bench")
    floor, read, enveloped, floor_of_compact, read_compact = cpu(
        [
            lambda: etree.fromstring(body),
            lambda: decode_request(parse(body)),
            lambda: decode_request(open_envelope(soap).payload),
            lambda: etree.fromstring(compact),
            lambda: decode_request(parse(compact)),
        ],
        times,
        batch,
    )
    what = f"{'official' if sample else 'our'} Submit x {count}"
    return [
        _row(f"{what}: bytes to checked message / bare parse", read, floor, 3.0),
        _row(f"{what} in SOAP 1.2: the same", enveloped, floor, None),
        _row(f"our Submit x {count}, no line breaks: the same", read_compact, floor_of_compact, None),
    ]


def _writing(count: int, times: int, batch: int) -> list[Row]:
    answer = status_response(count)
    values = plain(etree.fromstring(encode_response(answer)))
    built, written = cpu([lambda: tree(values), lambda: encode_response(answer)], times, batch)
    return [_row(f"GetStatusResponse x {count}: values to bytes / lxml tree", written, built, 0.3)]


def run() -> list[Row]:
    """Measure reading and writing at 1, 10 and 1000 items."""
    sizes = ((1, 40, 50), (10, 30, 20), (1000, 8, 3))
    return [row for size in sizes for measured in (_reading, _writing) for row in measured(*size)]
