"""What follows for accounts and for estimates when items end, and when standing orders get new ones.

Called by `settle.save` and `adding` in their transactions. What failed, was cancelled or terminated gives
back what it drew, once. What was delivered tells how long it took and how large it is: later quotations
estimate from that. A product that a standing order found draws what its quotation says of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from oseo_lab.model.collection import Collection
from oseo_lab.model.estimates import Finished, choice_of
from oseo_lab.model.job import ItemReport
from oseo_lab.model.limits import kept_limits
from oseo_lab.model.order import Order, OrderItem
from oseo_lab.model.quotation import Charge, price_of
from oseo_lab.model.status import Status
from oseo_lab.ports import UnitOfWork

__all__ = ["Fare", "fare_of", "give_back", "remember"]

_GIVING_BACK = frozenset({Status.FAILED, Status.CANCELLED, Status.TERMINATED})
#: Most items remembered of one transaction: a collection's last few hundred are kept anyhow.
_MOST = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Fare:
    """What each product of a standing item costs its owner, as quoted, and how many can be paid now.

    ``affordable`` is None where neither a balance nor the order's limit says how many.
    """

    owner: str
    currency: str
    amount: Decimal
    affordable: int | None
    reason: str = ""

    def refusal(self) -> str:
        """Return what is said of a product that cannot be paid."""
        return f"not made: {self.reason} {self.amount.normalize():f} {self.currency} more"

    def draw(self, work: UnitOfWork, items: Sequence[OrderItem]) -> None:
        """Draw for items that have been added."""
        work.balances.draw(
            [
                Charge(
                    order_id=each.order_id,
                    number=each.number,
                    owner=self.owner,
                    currency=self.currency,
                    amount=self.amount,
                )
                for each in items
            ]
        )


def fare_of(work: UnitOfWork, order: Order, parent: OrderItem) -> Fare | None:
    """Return what each product of a standing item costs; None where nothing was quoted, or it is free."""
    record = work.quotations.get(order.quotation_id) if order.quotation_id else None
    price = price_of(record.quotation, parent.specification.item_id) if record else None
    if price is None:
        return None
    currency, amount = price
    balance = work.balances.of(order.owner).get(currency)
    most = None if balance is None else max(0, int(balance // amount))
    reason = "your balance does not suffice for"
    left = _left(work, order)
    if left is not None and (most is None or left // amount < most):
        most, reason = max(0, int(left // amount)), "max_price does not allow the order"
    return Fare(owner=order.owner, currency=currency, amount=amount, affordable=most, reason=reason)


def _left(work: UnitOfWork, order: Order) -> Decimal | None:
    """Return what of its limit an order may still draw; None where it has none."""
    limit = kept_limits(order.specification).max_price
    if limit is None:
        return None
    kept = work.balances.charges(order.order_id)
    return Decimal(repr(limit)) - sum((each.amount for each in kept if not each.is_given_back), Decimal())


def give_back(work: UnitOfWork, moves: Iterable[tuple[OrderItem, OrderItem]]) -> None:
    """Give back what items drew that are not delivered; of orders without charges one look at an index."""
    ended = [
        after.key
        for before, after in moves
        if after.status.status in _GIVING_BACK and before.status.status not in _GIVING_BACK
    ]
    if ended:
        work.balances.give_back(ended)


def remember(
    work: UnitOfWork,
    delivered: Iterable[tuple[OrderItem, ItemReport]],
    collections: Mapping[str, Collection],
) -> None:
    """Remember how long delivered items took, and the bytes of their data files."""
    was_made = ((item, each) for item, each in delivered if item.number and each.earlier is None)
    some = list(islice(was_made, _MOST))
    if not some:
        return
    orders = work.orders.get_many({item.order_id for item, _ in some})
    found = []
    for item, report in some:
        collection, order = collections.get(item.collection_id), orders.get(item.order_id)
        if collection is None or order is None or report.started is None or report.ended is None:
            continue
        try:
            choice = choice_of(
                collection.chosen(order.specification, item.specification),
                item.specification.scene_selections,
            )
        except ValueError:  # the collection has other options by now: nothing will be made like it
            continue
        found.append(
            Finished(
                collection_id=collection.id,
                choice=choice,
                seconds=max(0.0, (report.ended - report.started).total_seconds()),
                size=sum(each.size for each in report.files if each.is_data),
            )
        )
    if found:
        work.past.add(found)
