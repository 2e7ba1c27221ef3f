"""Order events that are broadcast (WS-BaseNotification 1.3; OGC 06-141r6 7.5), beside the callbacks.

`Subscribe` and `Unsubscribe` come in over SOAP; `Notify` goes out. Event codes are those of the standard's
``EventCode`` dictionary.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from oseo_lab.model.errors import ValidationError

__all__ = [
    "EventCode",
    "Notify",
    "Subscribe",
    "SubscribeResponse",
    "Subscriber",
    "SubscriptionRefused",
    "Topic",
    "Unsubscribe",
    "UnsubscribeResponse",
]


class Topic(StrEnum):
    """The topics below ``OrderEvent``; the root stands for all of them."""

    ORDER_EVENT = "OrderEvent"
    ORDER_COMPLETION = "OrderCompletion"
    ORDER_FAILURE = "OrderFailure"
    ORDER_CANCELLATION = "OrderCancellation"


class EventCode(StrEnum):
    """``EventCode`` dictionary of the standard."""

    COMPLETED = "ORDERING_COMPLETED"
    DELETED = "ORDERING_DELETED"
    FAILED = "ORDERING_FAILED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscribe:
    """``wsnt:Subscribe``: tell a consumer about events of the caller's orders.

    ``ends`` is the wanted ``InitialTerminationTime``, UTC.
    """

    consumer: str
    topic: Topic = Topic.ORDER_EVENT
    ends: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscribeResponse:
    """``wsnt:SubscribeResponse``: what to name the subscription by, and until when it holds."""

    reference: str
    at: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsubscribe:
    """``wsnt:Unsubscribe``, sent to the subscription's reference."""

    reference: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnsubscribeResponse:
    """``wsnt:UnsubscribeResponse``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notify:
    """``wsnt:Notify`` with one message: what happened to which order."""

    topic: Topic
    producer: str
    code: EventCode
    order_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriber:
    """A consumer of order events, as the store keeps it; ``producer`` is where it subscribed."""

    reference: str
    owner: str
    consumer: str
    topic: Topic
    created: datetime
    ends: datetime | None = None
    producer: str = ""


class SubscriptionRefused(ValidationError):
    """A subscription that cannot be had, or ended; ``fault`` is WS-BaseNotification's name for why.

    Parameters
    ----------
    text : str
        What was wrong and what is allowed.
    fault : str
        Such as ``TopicNotSupportedFault``.
    locator : str
        The element it is about.
    names : tuple of str
        What the fault names: the unknown filter or policy (``{namespace}name``), or the earliest time.
    """

    def __init__(self, text: str, *, fault: str, locator: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(text, locator=locator)
        self.fault = fault
        self.names = names
