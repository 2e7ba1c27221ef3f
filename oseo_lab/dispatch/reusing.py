"""Results that are used again: found when an item begins, settled when it is delivered.

Nothing is looked for where an order does not ask for it (``reuse=true``). What is delivered from an earlier
result gives back what it drew; what was ordered at no price, because a result was there, draws its price when
it must be made after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from oseo_lab.model.errors import Conflict
from oseo_lab.model.job import DeliveredFile, Failure, FailureClass, ItemJob, ItemReport
from oseo_lab.model.limits import kept_limits, over_price
from oseo_lab.model.order import Order
from oseo_lab.model.quotation import Charge
from oseo_lab.model.reuse import Earlier, wants_reuse
from oseo_lab.ports import UnitOfWork

__all__ = ["STAYS", "Reusing", "settle"]

#: How long a result must still stay: it is copied in the meantime.
STAYS = timedelta(minutes=2)


class Reusing:
    """Says of items that are about to begin, one after another, what they are delivered from.

    Parameters
    ----------
    work : UnitOfWork
        Of the transaction that claimed them.
    now : datetime
        UTC.
    """

    def __init__(self, work: UnitOfWork, now: datetime) -> None:
        self._work = work
        self._now = now
        self._charges: dict[str, dict[int, list[Charge]]] = {}

    def job_or_failure(self, order: Order, job: ItemJob) -> ItemJob | Failure:
        """Return an item's job with what it can be delivered from; a failure if making it cannot be paid."""
        if job.recipe is None or not wants_reuse(order.specification):
            return job
        earlier = self._earlier(order, job.recipe)
        if earlier is not None:
            return replace(job, earlier=earlier)
        return self._draw(order, job) or job

    def _earlier(self, order: Order, recipe: str) -> Earlier | None:
        found = self._work.results.earlier(order.owner, [recipe], self._now + STAYS).get(recipe)
        if found is None:
            return None
        files = self._work.results.of(found.order_id, number=found.number)
        return replace(
            found,
            files=tuple(
                DeliveredFile(
                    name=each.name,
                    size=each.size,
                    sha256=each.sha256,
                    media_type=each.media_type,
                    is_data=each.is_data,
                )
                for each in files
                if each.attempt == found.attempt and not each.removed
            ),
        )

    def _draw(self, order: Order, job: ItemJob) -> Failure | None:
        """Draw what an item costs that was to cost nothing; return why it cannot be."""
        kept = self._charges_of(order.order_id)
        due = [replace(each, is_given_back=False) for each in kept.get(job.number, ()) if each.is_given_back]
        if not due:
            return None
        drawn = [each for of_item in kept.values() for each in of_item if not each.is_given_back]
        over = over_price(kept_limits(order.specification), _costs(drawn), _costs(due))
        try:
            if over is None:
                self._work.balances.draw(due)
        except Conflict as refused:
            over = refused.text
        if over is not None:
            reason = f"no earlier result is left to be used again, and it was not made anew: {over}"
            return Failure(failure_class=FailureClass.QUOTA, reason=reason)
        kept[job.number] = due
        return None

    def _charges_of(self, order_id: str) -> dict[int, list[Charge]]:
        """Return what an order's items drew or were to draw, by number; read once a transaction."""
        if order_id not in self._charges:
            found: dict[int, list[Charge]] = {}
            for each in self._work.balances.charges(order_id):
                found.setdefault(each.number, []).append(each)
            self._charges[order_id] = found
        return self._charges[order_id]


def _costs(charges: Iterable[Charge]) -> list[tuple[str, Decimal]]:
    return [(each.currency, each.amount) for each in charges]


def settle(work: UnitOfWork, reports: Sequence[ItemReport]) -> None:
    """Note what can be used again from now on, and what cannot any more; give back what was not made."""
    delivered = [each for each in reports if each.files and each.number]
    recipes = [((each.order_id, each.number), each.recipe) for each in delivered if each.recipe is not None]
    unusable = [each.earlier for each in reports if each.is_unusable and each.earlier is not None]
    work.items.keep_recipes([*recipes, *(((each.order_id, each.number), None) for each in unusable)])
    again = [(each.order_id, each.number) for each in delivered if each.earlier is not None]
    if again:
        work.balances.give_back(again)
