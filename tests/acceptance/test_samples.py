"""Every official and pyoseo request, and what it must be answered; every official sample, there and back.

One row a sample: bytes in, bytes out, through envelope, codec, operation and store. Expected answers were
reviewed against OGC 06-141r6 as digested in the specification (part B and its exception tables). The
collections are set up from the samples' own GetOptionsResponse, so what is refused is refused for a reason
of the standard, not because the collection is unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from oseo_lab.builtin.quoter_tariff import TariffQuoter
from oseo_lab.dispatch.quoting import Quoting, Seams
from oseo_lab.encoding import callbacks_xml, notifications_xml, oseo, soap, xmltree
from oseo_lab.model.collection import Collection, DeliveryRule
from oseo_lab.model.delivery import Protocol
from oseo_lab.model.errors import OseoError
from oseo_lab.model.messages import Submit
from oseo_lab.model.quotation import Price, ProviderName
from oseo_lab.operations import Context, Service, perform
from oseo_lab.operations.order_types import collection_for
from oseo_lab.store import open_store
from tests.conftest import _shared
from tests.official import schema_for

ENVISAT = "http://www.opengis.net/def/EOP/ESA/0/ESA.EECF.ENVISAT_ASA_IMx_xS"
SUBSCRIPTION = "http://www.opengis.net/def/EOP/ESA/0/TEST.DLR.TSX.SUBSCRIPTION"


@dataclass(frozen=True)
class Row:
    """A sample, what to change in it first, and the answer it gets."""

    sample: str
    answer: str
    faults: frozenset[tuple[str, str | None]] = frozenset()
    change: tuple[tuple[str, str], ...] = ()
    why: str = ""


def faults(*pairs: tuple[str, str | None]) -> frozenset[tuple[str, str | None]]:
    return frozenset(pairs)


ONLINE = (
    ("<mediaDelivery>", "<onlineDataAccess>"),
    ("</mediaDelivery>", "</onlineDataAccess>"),
    ("<packageMedium>CD-ROM</packageMedium>", "<protocol>http</protocol>"),
)
SILENT = (("<statusNotification>Final<", "<statusNotification>None<"),)
UNKNOWN = faults(("InvalidOrderIdentifier", "orderId"))

ROWS = [
    Row("oseo/GetCapabilities.xml", "Capabilities", why="B.1; an empty updateSequence is none"),
    Row("oseo/GetOptions.xml", "GetOptionsResponse", why="B.2 rule 2: by product collection"),
    Row("oseo/GetOptions_subscription_with_restriction.xml", "GetOptionsResponse", why="B.2 rule 3"),
    Row(
        "oseo/Submit.xml",
        "Fault",
        faults(("InvalidNotificationValue", "ws-address"), ("InvalidParameterValue", "deliveryOptions")),
        why="B.5 rule 6: Final without an address; media delivery is not offered",
    ),
    Row(
        "oseo/Submit.xml", "SubmitAck", change=ONLINE + SILENT, why="B.5: the same order, on line and silent"
    ),
    Row(
        "oseo/Submit.xml",
        "Fault",
        faults(("InvalidParameterValue", "processingLevel")),
        change=(*ONLINE, *SILENT, (">1B<", ">9Z<")),
        why="B.5 rule 3: a value GetOptions did not offer",
    ),
    Row(
        "oseo/Submit.xml",
        "Fault",
        faults(("FutureProductNotSupported", "orderType")),
        change=((">PRODUCT_ORDER<", ">TASKING_ORDER<"),),
        why="B.5: each unsupported order type has its own code",
    ),
    Row(
        "oseo/Submit.xml",
        "Fault",
        faults(("SubscriptionNotSupported", "orderType")),
        change=((">PRODUCT_ORDER<", ">SUBSCRIPTION_ORDER<"),),
        why="B.5",
    ),
    Row("oseo/GetStatus.xml", "Fault", UNKNOWN, why="B.7: an unknown order"),
    Row("oseo/DescribeResultAccess.xml", "Fault", UNKNOWN, why="B.8"),
    Row(
        "oseo/Cancel.xml",
        "Fault",
        faults(("InvalidNotificationValue", "ws-address")),
        why="B.9: Final without an address, said before the order is looked up",
    ),
    Row("oseo/Cancel.xml", "Fault", UNKNOWN, change=SILENT, why="B.9: an unknown order"),
    Row(
        "soap-pyoseo/Submit_soap11.xml",
        "Fault",
        faults(("InvalidParameterValue", "protocol")),
        why="B.5: no collectionId, so the one whose pattern matches; ftp is not offered",
    ),
    Row(
        "soap-pyoseo/Submit_soap11.xml",
        "SubmitAck",
        change=(("<ns:protocol>ftp<", "<ns:protocol>https<"),),
        why="the same order by a protocol that is",
    ),
    Row("soap-pyoseo/GetStatus_soap11.xml", "Fault", UNKNOWN, why="B.7: '1' is nobody's order here"),
    Row(
        "oseo/GetQuotation.xml",
        "Fault",
        faults(("InvalidParameterValue", "deliveryOptions")),
        why="B.3: checked as Submit checks; media delivery is not offered",
    ),
    Row(
        "oseo/GetQuotation.xml",
        "Fault",
        faults(("OperationNotSupported", "GetQuotation")),
        change=ONLINE,
        why="B.3: nothing of it is quoted here",
    ),
    *(
        Row(f"oseo/{name}.xml", "Fault", faults(("OperationNotSupported", name)), why="not announced")
        for name in ("SubmitResponse", "CancelResponse", "GetQuotationResponse")
    ),
]


@pytest.fixture(scope="module")
def collections(shared) -> dict[str, Collection]:
    text = (shared / "samples/oseo/GetOptionsResponse.xml").read_bytes()
    groups = oseo.decode_response(xmltree.parse(text)).order_options
    return {
        ENVISAT: Collection(id=ENVISAT, groups=groups, pattern="http://www.opengis.net/def/EOP/.+"),
        SUBSCRIPTION: Collection(id=SUBSCRIPTION, pattern="TSX.+"),
        "uuids": Collection(
            id="uuids",
            pattern="[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
            delivery=DeliveryRule(access=(Protocol.HTTP, Protocol.HTTPS)),
        ),
    }


@pytest.fixture
def context(tmp_path, collections):
    store = open_store(f"sqlite:///{tmp_path / 'orders.sqlite'}")
    yield Context(
        owner="anna",
        store=store,
        collections=collections,
        service=Service(),
        wake=lambda: None,
        now=lambda: datetime.now(UTC),
        url="http://localhost/oseo/",
        link=lambda order_id, number, name, expires: f"http://localhost/{number}/{name}",
    )
    store.close()


def exchange(body: bytes, content_type: str, context: Context) -> bytes:
    """Do what the SOAP door does, without the door."""
    envelope = soap.open_envelope(body, content_type=content_type, soap_action=None)
    try:
        response = perform(oseo.decode_request(envelope.payload), context)
        return soap.close_envelope(oseo.encode_response(response), envelope.version)
    except OseoError as error:
        return soap.fault(error, envelope.version)


def enveloped(text: str) -> bytes:
    text = text[text.index("?>") + 2 :] if text.startswith("<?xml") else text
    return (
        f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>{text}</e:Body></e:Envelope>'
    ).encode()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{Path(row.sample).name}-{row.answer}-{row.why[:40]}")
def test_sample(row, shared, context):
    text = (shared / "samples" / row.sample).read_text(encoding="utf-8-sig")
    for old, new in row.change:
        assert old in text
        text = text.replace(old, new)
    is_enveloped = "Envelope" in text
    body = text.encode() if is_enveloped else enveloped(text)
    content_type = "text/xml" if is_enveloped else "application/soap+xml"
    answer = exchange(body, content_type, context)
    payload = xmltree.parse(answer)[-1][0]
    assert payload.tag.rpartition("}")[2] == row.answer, answer
    schema_for(shared).assertValid(xmltree.parse(answer))
    if row.answer == "Fault":
        found = {(each.code, each.locator) for each in soap.read_fault(payload)}
        assert found == set(row.faults), soap.read_fault(payload)


def test_official_get_quotation_is_quoted_and_ordered(shared, context):
    """The sample on line, in a collection with a tariff: paid by quota, it is one group, and an order."""
    tariff = TariffQuoter(
        ENVISAT, {"currency": "QUOTA", "item": 15, "options": {"processingLevel": {"1B": 5}}}
    )
    seams = Seams(
        collection_for=lambda identifier, kind: collection_for(identifier, kind, context),
        quote=tariff,
        find=lambda collection_id, identifiers: {},
        provider=ProviderName(service_name="ESA_ORDER_SERVICE", organization="ESA"),
    )
    quoting = Quoting(store=context.store, seams=seams, now=context.now)
    context = replace(context, quoter=lambda collection_id: tariff, quote=quoting.made)
    context.store.write(lambda work: work.balances.set("anna", "QUOTA", Decimal(35)))
    text = (shared / "samples/oseo/GetQuotation.xml").read_text()
    for old, new in ONLINE:
        text = text.replace(old, new)
    answer = xmltree.parse(exchange(enveloped(text), "application/soap+xml", context))
    schema_for(shared).assertValid(answer)
    quotation = oseo.decode_response(answer[-1][0]).quotation
    (group,) = quotation.groups
    assert quotation.price == group.price == Price(value=20, currency="QUOTA")
    assert group.balance == Price(value=15, currency="QUOTA")
    submit = oseo.encode_request(Submit(quotation_id=quotation.quotation_id)).decode()
    ordered = xmltree.parse(exchange(enveloped(submit), "application/soap+xml", context))
    assert oseo.decode_response(ordered[-1][0]).order_reference == "example_0001"
    with context.store.read() as snapshot:
        assert snapshot.balances.of("anna") == {"QUOTA": Decimal(15)}


def test_every_sample_of_an_operation_here_has_its_row(shared):
    """A sample that nobody looked at is a hole in the table."""
    asked = {Path(row.sample).name for row in ROWS}
    for path in sorted((shared / "samples").glob("oseo/*.xml")) + sorted(
        (shared / "samples").glob("soap-pyoseo/*.xml")
    ):
        root = xmltree.parse(path.read_bytes())
        element = root[-1][0] if root.tag.endswith("Envelope") else root
        if element.tag.rpartition("}")[2] in oseo.CODECS:
            assert path.name in asked


# --- round trips ------------------------------------------------------------------------------------------

#: What is written otherwise than the sample has it: the topic by its whole path, the policy not at all.
REWORDED = {"Subscribe.xml": {"os:OrderFailure", "true"}}


def codec_of(name: str):
    """Return what reads and what writes an element."""
    if name in oseo.CODECS:
        return oseo.decode_request, oseo.encode_request
    if name in callbacks_xml.CALLBACKS:
        return callbacks_xml.decode_callback, callbacks_xml.encode_callback
    if name in {each.ack_name for each in callbacks_xml.CALLBACKS.values()}:
        return callbacks_xml.decode_acknowledgement, callbacks_xml.encode_acknowledgement
    if name.startswith("Subscribe"):
        return notifications_xml.decode_notification, notifications_xml.encode_notification
    return oseo.decode_response, oseo.encode_response


def words(root) -> Counter[str]:
    """Count what an element says, whatever elements it says it in: arrays may be encoded either way."""
    said: Counter[str] = Counter()
    for leaf in root.iter("*"):
        for word in (leaf.text or "").replace(",", " ").split():
            said[re.sub(r"(T\d\d:\d\d:\d\d)\.0+(Z|$)", r"\1Z", word)] += 1
    return said


def official_samples() -> list[str]:
    folder = _shared() / "samples/oseo"
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*.xml")) or ["none"]


@pytest.mark.parametrize("sample", official_samples())
def test_official_sample_survives_a_round_trip_with_every_word(sample, shared):
    root = xmltree.parse((shared / "samples/oseo" / sample).read_bytes())
    decode, encode = codec_of(xmltree.local_name(root))
    message = decode(root)
    written = xmltree.parse(encode(message))
    assert decode(written) == message
    schema_for(shared).assertValid(written)
    lost = words(root) - words(written)
    assert set(lost) == REWORDED.get(sample, set())
