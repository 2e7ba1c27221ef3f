"""Subscribe and Unsubscribe: who hears of the events of an owner's orders (WS-BaseNotification 1.3).

Step 6 of the walk. The consumer's address is judged as a callback's is: here by what it says, at sending time
by where it leads.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from oseo_lab.model.errors import NotSupported, QuotaExceeded
from oseo_lab.model.notifications import (
    Subscribe,
    Subscriber,
    SubscribeResponse,
    SubscriptionRefused,
    Unsubscribe,
    UnsubscribeResponse,
)
from oseo_lab.operations.context import Context
from oseo_lab.operations.replying import address_problem
from oseo_lab.ports import UnitOfWork

__all__ = ["subscribe", "unsubscribe"]

#: Most subscriptions of one owner.
MOST = 100
#: A subscription without an end ends after so many days; a longer one is cut to it.
DAYS = 366


def subscribe(request: Subscribe, context: Context) -> SubscribeResponse:
    """Tell a consumer of events of the caller's orders from now on.

    Raises
    ------
    NotSupported
        If nobody is called back here.
    SubscriptionRefused
        If the consumer cannot be told, or the end is over.
    QuotaExceeded
        If the caller has too many subscriptions.
    """
    owner, now = context.caller, context.now()
    if not context.callbacks:
        raise NotSupported("order events are not sent from here; ask GetStatus", locator="Subscribe")
    wrong = address_problem(request.consumer)
    if wrong is not None:
        raise SubscriptionRefused(
            f"nothing can be sent to the ConsumerReference: {wrong}",
            fault="SubscribeCreationFailedFault",
            locator="ConsumerReference",
        )
    if request.ends is not None and request.ends <= now:
        raise SubscriptionRefused(
            f"InitialTerminationTime {request.ends.isoformat()} is over; name a later time, or none",
            fault="UnacceptableInitialTerminationTimeFault",
            locator="InitialTerminationTime",
            names=(now.isoformat(),),
        )
    latest = now + timedelta(days=DAYS)
    subscriber = Subscriber(
        reference=uuid4().urn,
        owner=owner,
        consumer=request.consumer,
        topic=request.topic,
        created=now,
        ends=min(request.ends or latest, latest),
        producer=context.url,
    )
    context.store.write(lambda work: _add(work, subscriber, now))
    name = subscriber.reference.removeprefix("urn:uuid:")
    return SubscribeResponse(reference=f"{context.url}?subscription={name}", at=now, ends=subscriber.ends)


def _add(work: UnitOfWork, subscriber: Subscriber, now: datetime) -> None:
    if len(work.subscribers.of(subscriber.owner, now)) >= MOST:
        raise QuotaExceeded(
            f"{subscriber.owner} has {MOST} subscriptions; Unsubscribe from some",
            locator="Subscribe",
            limit=MOST,
            used=MOST,
            requested=1,
        )
    work.subscribers.add(subscriber)


def unsubscribe(request: Unsubscribe, context: Context) -> UnsubscribeResponse:
    """End a subscription of the caller's.

    Raises
    ------
    SubscriptionRefused
        If there is no such subscription, or it is another's: the two are answered alike.
    """
    owner, reference = context.caller, _reference(request.reference)
    context.store.write(lambda work: _remove(work, reference, owner))
    return UnsubscribeResponse()


def _reference(text: str) -> str:
    """Return the reference that an address (or a bare name) of a subscription means."""
    named = parse_qs(urlsplit(text).query).get("subscription", [text])[-1]
    try:
        return UUID(named).urn
    except ValueError:
        return named


def _remove(work: UnitOfWork, reference: str, owner: str) -> None:
    found = work.subscribers.get(reference)
    if found is None or found.owner != owner:
        raise SubscriptionRefused(
            "there is no such subscription of yours; send Unsubscribe to the address that SubscribeResponse "
            "gave as SubscriptionReference",
            fault="UnableToDestroySubscriptionFault",
            locator="SubscriptionReference",
        )
    work.subscribers.remove(reference)
