"""How an item begins: what is made at once, and what waits for others first.

Submit begins an order so where nobody need approve it (`oseo_lab.operations.order_types`), and the dispatcher
where an operator has (`oseo_lab.dispatch.desk`): the two cannot differ.
"""

from __future__ import annotations

from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import OrderSpecification, StatusInfo
from oseo_lab.model.status import Status
from oseo_lab.model.subscription import is_massive

__all__ = ["TO_APPROVE", "first_status", "is_filled"]

#: How an item begins that a person must approve.
TO_APPROVE = StatusInfo(status=Status.SUBMITTED, additional="waiting for an operator's approval")
_ACCEPTED = StatusInfo(status=Status.ACCEPTED)
#: What items wait for that stand for products to come.
_WAITING = {
    OrderType.SUBSCRIPTION_ORDER: "subscription is active",
    OrderType.TASKING_ORDER: "waiting for the tasking service",
}


def is_filled(specification: OrderSpecification, size: int) -> bool:
    """Whether an order of so many items is a massive one, filled from its catalogue."""
    return is_massive(specification) and size == 1


def first_status(specification: OrderSpecification, size: int, batch: int) -> StatusInfo:
    """Return how an item begins.

    Parameters
    ----------
    specification : OrderSpecification
        Of its order.
    size : int
        How many items the order was submitted with.
    batch : int
        Which batch the item belongs to, from 1; 0 where there are none.
    """
    if is_filled(specification, size):
        return _suspended("the catalogue is asked for its products")
    waiting = _WAITING.get(specification.order_type)
    if waiting is not None:
        return _suspended(waiting)
    return _ACCEPTED if batch <= 1 else _suspended(f"waits for batch {batch - 1}")


def _suspended(text: str) -> StatusInfo:
    return StatusInfo(status=Status.SUSPENDED, additional=text)
