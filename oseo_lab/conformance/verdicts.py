"""What a check is, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Check", "Failed", "NotApplicable", "NotRun", "Outcome", "Verdict", "demand"]


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"


class Failed(Exception):
    """The server does not do what it must; the text says what it did."""


class NotApplicable(Exception):
    """The server does not announce the capability that the check is about."""


class NotRun(Exception):
    """The check could not be made; the text says what it needs."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table.

    Parameters
    ----------
    id : str
        Ours: ``T-…`` for a conformance test, ``B…`` for a numbered rule of an operation.
    requirement : str
        What the standard calls it.
    asked : str
        What is asked of the server, and what it must answer.
    function : callable
        Asks a `Subject`; returns what there is to say of a server that passed.
    """

    id: str
    requirement: str
    asked: str
    function: Callable[[Any], str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one check."""

    id: str
    requirement: str
    asked: str
    verdict: Verdict
    text: str = ""


def demand(holds: object, text: str) -> None:
    """Fail a check unless something holds.

    Raises
    ------
    Failed
        With the text.
    """
    if not holds:
        raise Failed(text)
