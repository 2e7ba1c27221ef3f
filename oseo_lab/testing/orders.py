"""Orders in any state, for tests that begin there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oseo_lab.client import Order
from oseo_lab.model.errors import ValidationError
from oseo_lab.testing.scenes import SCENES
from oseo_lab.testing.server import OseoServer

__all__ = ["STATES", "make_order"]

#: Why items fail where a state asks for it.
REASON = "the source file is damaged"

#: Why operators did not approve.
REJECTION = "the archive is closed until May"
#: States of orders that an operator must approve.
_AT_THE_DESK = frozenset({"submitted", "rejected"})

Submit = Callable[[], Order]


def _submitted(server: OseoServer, submit: Submit) -> Order:
    order = submit()
    server.settle()
    return order


def _partial(server: OseoServer, submit: Submit) -> Order:
    server.faults.fail(1, reason=REASON, retry=False)
    return _submitted(server, submit)


def _failed(server: OseoServer, submit: Submit) -> Order:
    with server.faults.everything_fails(REASON):
        return _submitted(server, submit)


def _running(server: OseoServer, submit: Submit) -> Order:
    server.faults.slow()
    return _submitted(server, submit)


def _parked(server: OseoServer, submit: Submit) -> Order:
    server.faults.is_parking = True
    try:
        return _submitted(server, submit).refresh()
    finally:
        server.faults.is_parking = False


def _paused(server: OseoServer, submit: Submit) -> Order:
    order = _parked(server, submit)
    order.pause()
    server.settle()
    return order


def _cancelled(server: OseoServer, submit: Submit) -> Order:
    order = _parked(server, submit)
    order.cancel()
    server.settle()
    return order


def _rejected(server: OseoServer, submit: Submit) -> Order:
    order = _submitted(server, submit)
    server.lab.operator.reject(order, reason=REJECTION)
    server.settle()
    return order


def _expired(server: OseoServer, submit: Submit) -> Order:
    order = _submitted(server, submit)
    server.advance(days=11)
    return order


#: How an order comes into each state.
STATES: dict[str, Callable[[OseoServer, Submit], Order]] = {
    "submitted": _submitted,
    "accepted": _parked,
    "running": _running,
    "paused": _paused,
    "completed": _submitted,
    "partial": _partial,
    "failed": _failed,
    "cancelled": _cancelled,
    "rejected": _rejected,
    "expired": _expired,
}


def make_order(
    server: OseoServer,
    state: str = "completed",
    *,
    items: int = 3,
    name: str | None = None,
    collection: str | None = None,
    **options: Any,
) -> Order:
    """Return an order in a state.

    Parameters
    ----------
    server : OseoServer
        Where it is submitted.
    state : str
        One of `STATES`: ``submitted`` waits for an operator, whose approval a ``rejected`` one did not get;
        ``accepted`` waits for a worker; a ``running`` one
        stays so until ``server.faults.release()``; of a ``partial`` one the first item failed for good.
    items : int
        How many products it orders, 1 to 6.
    name : str, optional
        What it is called; its state and a number without one.
    collection : str, optional
        What it is ordered from, of the test service's own.
    **options
        Options of the collection.

    Raises
    ------
    ValidationError
        If there is no such state, or not so many products.
    """
    if state not in STATES:
        raise ValidationError(f"state {state!r} is unknown; allowed: {', '.join(STATES)}", locator="state")
    if not 1 <= items <= len(SCENES):
        raise ValidationError(f"items={items} is not allowed; allowed: 1 to {len(SCENES)}", locator="items")
    wanted = collection or ("test-desk" if state in _AT_THE_DESK else "test-scenes")
    products = list(SCENES)[:items]

    def submit() -> Order:
        draft = server.lab.order(products, name=name, collection=wanted, **options)
        return draft.submit(again=True)

    order = STATES[state](server, submit)
    return order.refresh()
