"""``lab.operator``: the order desk, for those who run the service.

What waits for approval, what is stuck, how the service is; and announcements to all. The board shows itself
in a notebook; where a page is served by the same service it stays live there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from oseo_lab.client import display
from oseo_lab.client.given import text as checked
from oseo_lab.client.session import Session
from oseo_lab.client.views import instance_of
from oseo_lab.model.desk import Announcement, Board, Look
from oseo_lab.model.errors import ValidationError

__all__ = ["BOARD_TYPE", "BoardShown", "Looked", "Operator"]

#: MIME type that browsers draw live: the board, and whose it is.
BOARD_TYPE = "application/vnd.oseo-lab.board+json"


class BoardShown:
    """The board as it stood when this was asked; ``board`` holds the values."""

    def __init__(self, session: Session, board: Board) -> None:
        self._session = session
        self.board = board

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "board":
            raise AttributeError(name)
        return getattr(self.board, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *Board.__slots__})

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from oseo_lab.encoding.desk_html import board_html
        from oseo_lab.encoding.json_form import to_plain

        data = {"instance": instance_of(self._session), "board": to_plain(self.board)}
        return display.bundle(self, lambda: board_html(self.board), {BOARD_TYPE: data})

    def __repr__(self) -> str:
        from oseo_lab.encoding.desk_html import board_text

        return board_text(self.board)


class Looked:
    """An order as operators see it; ``view``, ``asked`` and ``approval`` hold the values."""

    def __init__(self, look: Look) -> None:
        self.view = look.view
        self.asked = look.asked
        self.approval = look.approval
        self._look = look

    def __repr__(self) -> str:
        from oseo_lab.encoding.desk_html import look_text

        return look_text(self._look)

    def _repr_html_(self) -> str:
        from oseo_lab.encoding.desk_html import look_html

        return display.safely(self, lambda: look_html(self._look))


class Operator:
    """What operators do; a user who is none is told so by the service."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def board(self) -> BoardShown:
        """Return what waits, what is stuck, and how the service is."""
        from oseo_lab.encoding.json_form import from_plain

        return BoardShown(self._session, from_plain(Board, self._ask("GET", "")))

    def look(self, order: Any) -> Looked:
        """Return anybody's order: what was asked, where it stands; no files, no addresses.

        Parameters
        ----------
        order : Order, WaitingOrder, StuckItem or str
            Which; by id where it is a string.
        """
        from oseo_lab.encoding.json_form import from_plain

        return Looked(from_plain(Look, self._ask("GET", f"/orders/{_uuid(order)}")))

    def approve(self, *orders: Any) -> None:
        """Let orders be made that wait for approval; those approved before stay so.

        Parameters
        ----------
        *orders : Order, WaitingOrder or str
            Which; by id where it is a string.

        Raises
        ------
        InvalidState
            If one does not wait for approval; the text says why.
        """
        for each in _some(orders):
            self._ask("POST", f"/orders/{_uuid(each)}/approve", body={})

    def reject(self, *orders: Any, reason: str) -> None:
        """Refuse orders that wait for approval: they are cancelled, and what they drew is given back.

        Parameters
        ----------
        *orders : Order, WaitingOrder or str
            Which; by id where it is a string.
        reason : str
            What their users read: one sentence that says why, and what to do instead.
        """
        said = checked(reason, "reason", "one sentence for the user")
        for each in _some(orders):
            self._ask("POST", f"/orders/{_uuid(each)}/reject", body={"reason": said})

    def run_again(self, *orders: Any) -> None:
        """Let what is stuck of orders begin anew.

        Parameters
        ----------
        *orders : Order, StuckItem or str
            Which; by id where it is a string.
        """
        for each in dict.fromkeys(map(_uuid, _some(orders))):
            self._ask("POST", f"/orders/{each}/run-again", body={})

    def announce(self, text: str, until: Any = None) -> Announcement:
        """Tell all users something, in place of what they were told before.

        Parameters
        ----------
        text : str
            One or two sentences.
        until : datetime, date, timedelta, str or None
            When it is over: a moment (without a zone: UTC), a date (its end), a duration from now, ISO 8601;
            None until it is withdrawn.
        """
        from oseo_lab.encoding.json_form import from_plain, to_plain

        wanted = Announcement(text=checked(text, "text", "what users should know"), until=_moment(until))
        answer = self._ask("PUT", "/announcement", body=to_plain(wanted))
        self._heard(answer)
        return from_plain(Announcement, answer)

    def withdraw(self) -> None:
        """Tell users nothing any more."""
        self._ask("DELETE", "/announcement")
        self._heard(None)

    def _heard(self, announcement: Any) -> None:
        """Know at once what was just said."""
        if "about" in vars(self._session):
            vars(self._session)["about"] = {**self._session.about, "announcement": announcement}

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._session.transport.ask(method, f"desk{path}", body=body)

    def __repr__(self) -> str:
        return (
            "the order desk: .board(), .look(order), .approve(order), .reject(order, reason='...'), "
            ".run_again(order), .announce(text, until=...), .withdraw()"
        )


def _some(orders: tuple[Any, ...]) -> tuple[Any, ...]:
    if not orders:
        raise ValidationError(
            "say which order: its id, or lab.operator.board().waiting[0]", locator="orderId"
        )
    return orders


def _uuid(order: Any) -> str:
    order_id = getattr(order, "order_id", None) or getattr(order, "id", order)
    if not isinstance(order_id, str) or not order_id:
        kind = type(order).__name__
        raise ValidationError(
            f"{kind} is no order; take its id, or one of lab.operator.board().waiting", locator="orderId"
        )
    return order_id.removeprefix("urn:uuid:")


def _moment(until: Any) -> datetime | None:
    """Return the moment in UTC that is meant.

    Raises
    ------
    ValidationError
        If it is none, or one that no calendar has.
    """
    try:
        return None if until is None else _in_utc(until)
    except OverflowError:
        raise ValidationError(
            f"until {until!s:.40} is beyond the calendar; without it a text stays until it is withdrawn",
            locator="until",
        ) from None


def _in_utc(until: Any) -> datetime:
    if isinstance(until, timedelta):
        return datetime.now(UTC) + until
    if isinstance(until, str):
        try:
            is_date = len(until) <= 10
            until = date.fromisoformat(until) if is_date else datetime.fromisoformat(until)
        except ValueError:
            raise ValidationError(
                f"until {until[:40]!r} is no moment; write 2026-07-01T18:00Z, a date, or a timedelta",
                locator="until",
            ) from None
    if isinstance(until, datetime):
        return until.astimezone(UTC) if until.tzinfo else until.replace(tzinfo=UTC)
    if isinstance(until, date):
        return datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1)
    raise ValidationError(
        f"until is a {type(until).__name__}; give a datetime, a date, a timedelta or ISO 8601",
        locator="until",
    )
