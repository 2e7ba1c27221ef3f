"""Approval of an order by a person: who decided, when, what and why; None where none is needed.

Operations write it (`oseo_lab.operations.desk`), `oseo_lab.dispatch.desk` moves the items that wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["REASON_MOST", "Approval", "Decided"]

#: Longest reason an operator gives, characters: it becomes ``additionalStatusInfo``, with a few words before.
REASON_MOST = 2000


class Decided(StrEnum):
    """What a person has decided of an order."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """Where an order stands with its operators.

    Parameters
    ----------
    decided : Decided
        Whether it waits, was approved or rejected.
    operator : str or None
        Owner name of who decided.
    at : datetime or None
        When, UTC.
    reason : str or None
        Why, in the operator's words; always there where it was rejected.
    """

    decided: Decided = Decided.WAITING
    operator: str | None = None
    at: datetime | None = None
    reason: str | None = None

    @property
    def sentence(self) -> str:
        """What its user reads of a rejected order."""
        return f"rejected by an operator: {self.reason}"
