"""How the service is: what failed today, and which collections' items cannot be made just now.

Called by `settle.save` in its transaction: of what was delivered one look at a small table, of what failed a
row or two. The order desk shows it (`oseo_lab.operations.board`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from oseo_lab.model.job import FailureClass, ItemReport
from oseo_lab.model.order import LOCAL, OrderItem
from oseo_lab.model.status import DELIVERED, Status
from oseo_lab.ports import UnitOfWork

__all__ = ["note"]

#: What its user, or an account, is to blame for says nothing of a collection.
_USERS_OWN = frozenset(
    {
        FailureClass.BAD_REQUEST,
        FailureClass.CANCELLED,
        FailureClass.QUOTA,
        FailureClass.LIMIT,
        FailureClass.WAITING,
    }
)
#: Longest reason kept, characters.
_LONGEST = 500


class Ended(Protocol):
    """One item's way, as far as it matters here (`oseo_lab.dispatch.settle.Change`)."""

    @property
    def before(self) -> OrderItem: ...

    @property
    def after(self) -> OrderItem: ...

    @property
    def report(self) -> ItemReport | None: ...


def note(work: UnitOfWork, changes: Iterable[Ended], now: datetime) -> None:
    """Note what changes say of their collections, and which items failed."""
    kinds: Counter[str] = Counter()
    working: set[str] = set()
    failing: dict[str, str] = {}
    for change in changes:
        after = change.after
        failure = None if change.report is None else change.report.failure
        has_failed = after.status.status is Status.FAILED and not change.before.status.status.is_final
        if has_failed:
            kinds[failure.failure_class if failure is not None else FailureClass.PERMANENT] += 1
        if change.report is not None and _is_of_earlier(change.report):
            continue
        if failure is not None and failure.failure_class not in _USERS_OWN:
            failing[after.collection_id] = failure.reason[:_LONGEST]
        elif failure is None and has_failed and after.provider != LOCAL:
            failing[after.collection_id] = (after.status.additional or "it failed")[:_LONGEST]
        elif after.status.status in DELIVERED and change.before.status.status not in DELIVERED:
            working.add(after.collection_id)
            failing.pop(after.collection_id, None)
    if working:
        work.desk.is_working(sorted(working))
    if failing:
        work.desk.is_failing(failing, now)
    if kinds:
        work.desk.count_failures(now.date(), kinds)


def _is_of_earlier(report: ItemReport) -> bool:
    """Whether a report is about an earlier result, used again or damaged: nothing was made of the source."""
    return report.earlier is not None and (report.is_unusable or report.failure is None)
