"""Checks of GetQuotation (06-141r6 clauses 10, 7.3.10): T-QUO-1 to 4, T-SUB-6, the rules of B.3 and B.4."""

from __future__ import annotations

import time

from oseo_lab.conformance.subject import Subject, new_message_id
from oseo_lab.conformance.verdicts import Check, Failed, NotRun, demand
from oseo_lab.encoding.callbacks_xml import decode_callback
from oseo_lab.encoding.xmltree import OSEO
from oseo_lab.model.messages import GetQuotation, GetQuotationAck, Submit
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.quotation import Quotation

__all__ = ["CHECKS"]

#: Most collections looked at for one that is quoted in some way.
_MOST = 20


def _need(subject: Subject, mode: str) -> None:
    subject.need("quotation", "GetQuotation")
    subject.need(f"quotation_{mode}", f"{mode.replace('_', '-')} quotation")


def _orders(subject: Subject, mode: str) -> list[OrderSpecification]:
    """Return orders of the collections that may be quoted in a mode.

    Raises
    ------
    NotRun
        If none of them can even be ordered from.
    """
    named = subject.plan.quoted.get(mode)
    collections = [named] if named else [each.collection_id for each in subject.contents.collections]
    found, why = [], "needs a collection"
    for collection in collections[:_MOST]:
        try:
            found.append(subject.specification(subject.item(1, collection), subject.item(2, collection)))
        except NotRun as reason:
            why = str(reason)
    if not found:
        raise NotRun(why)
    return found


def _ask(subject: Subject, specification: OrderSpecification, **headers: str) -> GetQuotationAck | None:
    """Return the acknowledgement; None where this order cannot be quoted."""
    answer = subject.probe.ask(GetQuotation(specification=specification), **headers)  # type: ignore[arg-type]
    if answer.refusal() is not None:
        return None
    ack: GetQuotationAck = answer.message()
    demand(
        (ack.quotation is None) != (ack.quotation_id is None),
        "GetQuotationAck has neither a quotation nor a quotationId",
    )
    return ack


def _at_once(subject: Subject) -> tuple[OrderSpecification, Quotation]:
    _need(subject, "synchronous")
    for specification in _orders(subject, "synchronous"):
        ack = _ask(subject, specification)
        if ack is not None and ack.quotation is not None:
            return specification, ack.quotation
    raise Failed("no collection is quoted within the request, though synchronous quotation is announced")


def _later(subject: Subject, mode: str) -> list[str]:
    """Return the ids of quotations that were not given at once."""
    _need(subject, mode)
    acks = (_ask(subject, each) for each in _orders(subject, mode))
    found = [ack.quotation_id for ack in acks if ack is not None and ack.quotation_id is not None]
    demand(found, f"no collection is acknowledged with a quotationId, though {mode} quotation is announced")
    return found


def _polled(subject: Subject, quotation_id: str) -> Quotation | None:
    """Return a quotation asked for by its id; None if it is not ready."""
    ack = subject.probe.ask(GetQuotation(quotation_id=quotation_id)).message()
    named = ack.quotation_id if ack.quotation is None else ack.quotation.quotation_id
    demand(named == quotation_id, f"asked for {quotation_id}, got {named}")
    return ack.quotation  # type: ignore[no-any-return]


def _sound(specification: OrderSpecification, quotation: Quotation) -> str:
    """Demand what 7.3.10 says of a quotation."""
    demand(quotation.groups, "the quotation has no group")
    priced = [item.item_id for group in quotation.groups for item in group.items]
    asked = [each.item_id for each in specification.items]
    demand(sorted(priced) == sorted(asked), f"items {asked} were asked for, {priced} are quoted")
    ends = [each.validity_time for each in quotation.groups if each.validity_time is not None]
    if quotation.validity_time is not None and ends:
        demand(quotation.validity_time == min(ends), "the validity is not the shortest of the groups'")
    currencies = {each.price.currency for each in quotation.groups}
    demand(quotation.price is None or len(currencies) == 1, "a total over several ways of paying")
    if quotation.price is not None:
        total = sum(each.price.value for each in quotation.groups)
        demand(abs(total - quotation.price.value) < 0.01 * len(quotation.groups), f"groups sum to {total}")
    paid = quotation.price or quotation.groups[0].price
    return f"{paid.value:g} {paid.currency}, {len(quotation.groups)} groups"


def _synchronous(subject: Subject) -> str:
    return _sound(*_at_once(subject))


def _asynchronous(subject: Subject) -> str:
    _need(subject, "asynchronous")
    listener = subject.listener
    asked: dict[str | None, tuple[OrderSpecification, str]] = {}
    for specification in _orders(subject, "asynchronous"):
        message_id = new_message_id()
        ack = _ask(subject, specification, reply_to=listener.url, message_id=message_id)
        if ack is not None and ack.quotation_id is not None:
            asked[message_id] = specification, ack.quotation_id
    demand(asked, "no collection is acknowledged with a quotationId, though ReplyTo asks for a call")
    heard = listener.wait(
        lambda each: each.relates_to in asked,
        subject.plan.wait / 4,
        "GetQuotationResponse with RelatesTo = MessageID",
    )
    specification, quotation_id = asked[heard.relates_to]
    demand(heard.name == "GetQuotationResponse", f"{heard.name} came in answer to GetQuotation")
    demand(not heard.complaints, f"GetQuotationResponse is not valid: {'; '.join(heard.complaints)}")
    said = {name: heard.payload.get(name) for name in ("service", "version")}
    demand(said["service"] == "OS" and said["version"], f"its service and version are {said}")
    quotation = decode_callback(heard.payload).quotation
    demand(quotation.quotation_id == quotation_id, f"it is about {quotation.quotation_id}")
    return _sound(specification, quotation)


def _monitoring(subject: Subject) -> str:
    ids = _later(subject, "monitoring")
    end = time.monotonic() + subject.plan.wait / 4
    pause = 0.05
    while not any([_polled(subject, each) for each in ids]):
        if time.monotonic() > end:
            return "the same quotationId, again and again"
        time.sleep(pause)
        pause = min(1.0, pause * 1.5)
    return "the quotation came"


def _off_line(subject: Subject) -> str:
    ids = _later(subject, "off_line")
    waiting = [each for each in ids if _polled(subject, each) is None]
    return f"{len(waiting)} quotations wait for a person"


def _ordered(subject: Subject) -> str:
    specification, quotation = _at_once(subject)
    ack = subject.probe.ask(Submit(quotation_id=quotation.quotation_id)).message()
    order = subject.order(ack.order_id)
    subject.remember(ack.order_id)
    ids = [each.specification.item_id for each in order.items]
    asked = [each.item_id for each in specification.items]
    demand(ids == asked, f"quoted were items {asked}, ordered are {ids}")
    return f"order {ack.order_id}"


def _unknown(subject: Subject) -> None:
    subject.need("quotation", "GetQuotation")
    unknown = "urn:uuid:00000000-0000-4000-8000-000000000000"
    subject.probe.ask(GetQuotation(quotation_id=unknown)).fault()


def _one_of_two(subject: Subject) -> None:
    subject.need("quotation", "GetQuotation")
    payload = f'<GetQuotation xmlns="{OSEO}" service="OS" version="1.0.0"/>'
    subject.probe.send(payload, "GetQuotation").fault()


CHECKS = (
    Check(
        "T-QUO-1", "10.4; 7.3.10", "synchronous: the acknowledgement holds a sound quotation", _synchronous
    ),
    Check(
        "T-QUO-2",
        "10.4; clause 11",
        "asynchronous: a quotationId, then GetQuotationResponse with RelatesTo = MessageID",
        _asynchronous,
    ),
    Check("T-QUO-3", "10.3", "monitoring: a quotationId, and by it the quotation", _monitoring),
    Check("T-QUO-4", "10.4", "off-line: a quotationId", _off_line),
    Check("T-SUB-6", "12.3", "Submit by quotationId: an order of what was quoted", _ordered),
    Check("B3-unknown", "10.4.4", "an unknown quotationId: a fault", _unknown),
    Check("B3-choice", "Table 10-1", "neither specification nor quotationId: a fault", _one_of_two),
)
