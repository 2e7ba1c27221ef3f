"""The table of all checks, and walking it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from oseo_lab.conformance import (
    of_callbacks,
    of_cancel,
    of_capabilities,
    of_encoding,
    of_options,
    of_order_types,
    of_quotation,
    of_results,
    of_status,
    of_submit,
)
from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.verdicts import Check, Failed, NotApplicable, NotRun, Outcome, Verdict
from oseo_lab.model.errors import OseoError

__all__ = ["CHECKS", "run"]

#: In this order: the last ones speak of every answer of the run.
CHECKS: tuple[Check, ...] = tuple(
    chain(
        of_capabilities.CHECKS,
        of_options.CHECKS,
        of_quotation.CHECKS,
        of_submit.CHECKS,
        of_order_types.CHECKS,
        of_status.CHECKS,
        of_results.CHECKS,
        of_callbacks.CHECKS,
        of_cancel.CHECKS,
        of_encoding.CHECKS,
    )
)


def run(subject: Subject, checks: Iterable[Check] = CHECKS) -> Iterator[Outcome]:
    """Yield what comes of each check, as it comes.

    Parameters
    ----------
    subject : Subject
        The server.
    checks : iterable of Check
        Which; all of them by default.
    """
    for check in checks:
        verdict, text = _verdict(check, subject)
        yield Outcome(
            id=check.id, requirement=check.requirement, asked=check.asked, verdict=verdict, text=text
        )


def _verdict(check: Check, subject: Subject) -> tuple[Verdict, str]:
    try:
        return Verdict.PASSED, check.function(subject) or ""
    except Failed as failed:
        return Verdict.FAILED, str(failed)
    except NotApplicable as reason:
        return Verdict.NOT_APPLICABLE, str(reason)
    except NotRun as reason:
        return Verdict.NOT_RUN, str(reason)
    except OseoError as wrong:  # a message that cannot even be read is the server's doing
        return Verdict.FAILED, f"{type(wrong).__name__}: {wrong}"
