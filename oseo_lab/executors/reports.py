"""What both executors say on a worker's behalf, and how they hand out what has happened."""

from __future__ import annotations

import queue
from datetime import UTC, datetime

from oseo_lab.model.job import Failure, FailureClass, ItemJob, ItemReport, JobEvent

__all__ = ["cancelled_report", "drain", "failed_report"]

#: Most events handed out at once.
BATCH = 1000


def failed_report(
    job: ItemJob,
    failure_class: FailureClass,
    reason: str,
    detail: str | None = None,
    worker: str | None = None,
    counts: bool = True,
) -> ItemReport:
    """Make the report of a job that no worker reports any more."""
    return ItemReport(
        key=job.key,
        order_id=job.order_id,
        number=job.number,
        attempt=job.attempt,
        failure=Failure(failure_class=failure_class, reason=reason, detail=detail, counts=counts),
        worker=worker,
        ended=datetime.now(UTC),
    )


def cancelled_report(job: ItemJob) -> ItemReport:
    """Make the report of a job that was cancelled before it ran, or that does not heed its cancelling."""
    return failed_report(job, FailureClass.CANCELLED, "the item was cancelled")


def drain(events: queue.SimpleQueue[JobEvent], timeout: float) -> list[JobEvent]:
    """Return what is queued, waiting up to ``timeout`` seconds for the first of it."""
    found: list[JobEvent] = []
    try:
        found.append(events.get(timeout=timeout) if timeout > 0 else events.get_nowait())
        while len(found) < BATCH:
            found.append(events.get_nowait())
    except queue.Empty:
        pass
    return found
