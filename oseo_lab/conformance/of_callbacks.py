"""Checks of SubmitResponse and of notifications (06-141r6 clauses 13 and 7.5): T-ASY-1, B.6, B.11, E."""

from __future__ import annotations

from oseo_lab.conformance.listener import Heard
from oseo_lab.conformance.subject import Subject, new_message_id
from oseo_lab.conformance.verdicts import Check, Failed, NotApplicable, demand
from oseo_lab.encoding.callbacks_xml import decode_callback
from oseo_lab.encoding.xmltree import OSEO, escape, local_name
from oseo_lab.model.errors import OseoError
from oseo_lab.model.order import Order, StatusNotification

__all__ = ["CHECKS"]

_WSNT = "http://docs.oasis-open.org/wsn/b-2"
_WSA = "http://www.w3.org/2005/08/addressing"
_DIALECT = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple"


def _order_in(heard: Heard) -> Order:
    try:
        found: Order = decode_callback(heard.payload).order
    except (OseoError, AttributeError) as wrong:
        raise Failed(f"{heard.name} cannot be read: {wrong}") from None
    return found


def _is_final(heard: Heard) -> bool:
    return heard.name == "SubmitResponse" and _order_in(heard).status.status.is_final


def _told(subject: Subject, policy: StatusNotification) -> tuple[str, list[Heard]]:
    """Order something, wait for the last call; return the order's id and all calls."""
    subject.need("submit_asynchronous", "asynchronous Submit")
    listener, message_id = subject.listener, new_message_id()
    specification = subject.specification(subject.item(1), subject.item(2))
    order_id = subject.place(specification, policy, reply_to=listener.url, message_id=message_id)
    listener.wait(
        lambda each: each.relates_to == message_id and _is_final(each),
        subject.plan.wait,
        "SubmitResponse with RelatesTo = MessageID and a final order",
    )
    return order_id, listener.quiet(message_id, subject.plan.quiet)


def _all(subject: Subject) -> str:
    order_id, heard = _told(subject, StatusNotification.ALL)
    for each in heard:
        demand(each.name == "SubmitResponse", f"{each.name} came in answer to Submit")
        demand(not each.complaints, f"SubmitResponse is not valid: {'; '.join(each.complaints)}")
    last = next(_order_in(each) for each in heard if _is_final(each))
    said = subject.order(order_id)
    demand(last.order_id == order_id, f"SubmitResponse is about {last.order_id}")
    ids = [each.specification.item_id for each in last.items]
    demand(ids == [each.specification.item_id for each in said.items], f"SubmitResponse has items {ids}")
    statuses = [each.status.status for each in last.items]
    demand(all(each.is_final for each in statuses), f"the last SubmitResponse has items {statuses}")
    return f"{len(heard)} SubmitResponse, the last {last.status.status}"


def _final(subject: Subject) -> str:
    _, heard = _told(subject, StatusNotification.FINAL)
    demand(len(heard) == 1, f"statusNotification Final: {len(heard)} SubmitResponse, not one")
    return f"one SubmitResponse: {_order_in(heard[0]).status.status}"


def _none(subject: Subject) -> str:
    """Demand silence: a later order's callback comes, this one's never did."""
    subject.need("submit_asynchronous", "asynchronous Submit")
    message_id = new_message_id()
    order_id = subject.place(reply_to=subject.listener.url, message_id=message_id)
    subject.finished(order_id)
    _told(subject, StatusNotification.FINAL)
    heard = subject.listener.heard(message_id)
    demand(not heard, f"statusNotification None, and {len(heard)} calls came")
    return "nobody was called"


def _order_of_calls(subject: Subject) -> str:
    _, heard = _told(subject, StatusNotification.ALL)
    finals = [_order_in(each).status.status.is_final for each in heard]
    demand(finals == sorted(finals), "a call about an open order came after the final one")
    return f"{len(heard)} calls in order"


def _subscribe(subject: Subject, address: str, topic: str) -> str:
    return (
        f'<wsnt:Subscribe xmlns:wsnt="{_WSNT}" xmlns:wsa="{_WSA}" xmlns:os="{OSEO}"><wsnt:ConsumerReference>'
        f"<wsa:Address>{escape(address)}</wsa:Address></wsnt:ConsumerReference><wsnt:Filter>"
        f'<wsnt:TopicExpression Dialect="{_DIALECT}">os:{topic}</wsnt:TopicExpression></wsnt:Filter>'
        "</wsnt:Subscribe>"
    )


def _need_notifications(subject: Subject) -> None:
    found = subject.capabilities.notifications
    if found is None:
        raise NotApplicable("the server announces no notifications")
    demand(found.endpoint, "Notifications has no producerEndpoint")
    demand(found.topics, "Notifications serves no topic")


def _notified(subject: Subject) -> str:
    _need_notifications(subject)
    listener = subject.listener
    answer = subject.probe.send(_subscribe(subject, listener.url, "OrderEvent"), "Subscribe")
    demand(answer.refusal() is None, f"Subscribe got a fault: {answer.problems}")
    demand(answer.name == "SubscribeResponse", f"Subscribe got {answer.name}")
    demand(not answer.complaints, f"SubscribeResponse is not valid: {'; '.join(answer.complaints)}")
    reference = answer.payload.findtext(f"{{{_WSNT}}}SubscriptionReference/{{{_WSA}}}Address")
    demand(reference, "SubscribeResponse has no SubscriptionReference")
    order_id = subject.place()
    subject.finished(order_id)
    heard = listener.wait(
        lambda each: each.name == "Notify" and order_id in "".join(each.payload.itertext()),
        subject.plan.wait,
        "Notify about the order",
    )
    demand(not heard.complaints, f"Notify is not valid: {'; '.join(heard.complaints)}")
    topics = [(each.text or "").strip() for each in heard.payload.iter(f"{{{_WSNT}}}Topic")]
    message = next(heard.payload.iter(f"{{{_WSNT}}}Message"), None)
    demand(message is not None and len(message) == 1, "Notify has no Message")
    return f"{', '.join(topics)}: {local_name(message[0])}"  # type: ignore[index]


def _bad_subscriptions(subject: Subject) -> None:
    _need_notifications(subject)
    good = "http://198.51.100.7/consumer"
    wrong = {
        "an unknown topic": _subscribe(subject, good, "NoSuchTopic"),
        "no address": _subscribe(subject, "", "OrderEvent"),
    }
    for what, payload in wrong.items():
        answer = subject.probe.send(payload, "Subscribe")
        demand(answer.refusal() is not None, f"Subscribe with {what} got {answer.name}")


CHECKS = (
    Check(
        "T-ASY-1",
        "13.3.1; E.1",
        "Submit with All: SubmitResponse with RelatesTo = MessageID, its content GetStatus full",
        _all,
    ),
    Check("B6-final", "E.2; 12.2", "Submit with Final: one SubmitResponse, of the final order", _final),
    Check("B6-none", "E.2; 12.2", "Submit with None: no SubmitResponse", _none),
    Check("B6-order", "E.1", "calls come in the order of what they say", _order_of_calls),
    Check("B11-notify", "7.5", "Subscribe to OrderEvent, order: Notify names the order", _notified),
    Check("B11-refuse", "7.5", "Subscribe to an unknown topic, or to nobody: a fault", _bad_subscriptions),
)
