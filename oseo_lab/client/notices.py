"""What became of an order's callbacks: what waits to be sent, and every try at sending it.

`Order.notices` returns it. The server keeps the log: whoever asked for the callbacks need not be listening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oseo_lab.client import display

__all__ = ["Notices", "Sending", "WaitingNotice"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingNotice:
    """One message that is owed: tried ``attempts`` times, next ``due``, UTC (None: at once)."""

    notice_id: int
    kind: str
    address: str
    attempts: int = 0
    due: datetime | None = None
    about: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sending:
    """One try at sending a message: ``outcome`` is ``sent``, or why not; ``is_last`` says it ended there."""

    notice_id: int
    kind: str
    address: str
    at: datetime
    attempt: int
    outcome: str
    is_last: bool = False
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class Notices:
    """An order's messages, oldest first."""

    waiting: tuple[WaitingNotice, ...] = ()
    sendings: tuple[Sending, ...] = ()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Notices:
        """Read what the server's JSON API says."""
        from oseo_lab.encoding.json_form import from_plain

        return cls(
            waiting=tuple(from_plain(WaitingNotice, each) for each in answer.get("waiting", ())),
            sendings=tuple(
                from_plain(Sending, {name: value for name, value in each.items() if name != "order_id"})
                for each in answer.get("sendings", ())
            ),
        )

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """When, what, how it went and where to, for a table; what waits comes last."""
        sent = [
            (f"{each.at:%Y-%m-%d %H:%M:%S}", each.kind, each.outcome, each.address) for each in self.sendings
        ]
        waiting = [
            (
                f"{each.due:%Y-%m-%d %H:%M:%S}" if each.due else "at once",
                each.kind,
                f"waits, tried {each.attempts} times" if each.attempts else "waits",
                each.address,
            )
            for each in self.waiting
        ]
        return sent + waiting

    def __repr__(self) -> str:
        told = sum(each.outcome == "sent" for each in self.sendings)
        return f"{told} messages sent in {len(self.sendings)} tries, {len(self.waiting)} waiting"

    def _repr_html_(self) -> str:
        head = ("UTC", "message", "outcome", "to")
        return display.safely(
            self, lambda: display.card(repr(self), display.table(head, self.rows[-display.ROWS :]))
        )
