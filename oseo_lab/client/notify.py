"""Being told of an order by mail or webhook: `Order.notify`, and `Order.notifications`, what became of it.

The server keeps who is told and the log of every try: nobody need be listening here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oseo_lab.client import display
from oseo_lab.client.given import text
from oseo_lab.client.notices import Notices, Sending, WaitingNotice
from oseo_lab.client.refusals import entries_of
from oseo_lab.model.errors import NotFound, ValidationError
from oseo_lab.model.notify import Digest, Event

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle

__all__ = ["NotificationRow", "Notifications", "Told", "ToldList", "notifications", "notify"]

_WORDS = {"email": "e-mail", "webhook": "webhook"}
_HEAD = ("row", "when (UTC)", "channel", "about", "outcome")


@dataclass(frozen=True, kw_only=True)
class Told:
    """Somebody who is told of an order.

    Parameters
    ----------
    notification_id : str
        Its own name.
    channel, address : str
        ``email`` or ``webhook``, and where to.
    on : tuple of str
        Of what.
    digest : str
        ``immediate``, ``daily`` or ``weekly``.
    created : datetime
        Since when, UTC.
    secret : str or None
        Of a webhook, told when it is made and never again: what `oseo_lab.verify_webhook` takes.
    """

    notification_id: str
    channel: str
    address: str
    on: tuple[str, ...]
    digest: str
    created: datetime
    secret: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        when = "at once"
        if self.digest != Digest.IMMEDIATE:
            when = f"{self.digest}, {'Mondays' if self.digest == Digest.WEEKLY else 'days'} at 08:00 UTC"
        secret = "; .secret signs it, and is told this once" if self.secret else ""
        return f"{_word(self.channel)} to {self.address} when {', '.join(self.on)} ({when}){secret}"


class ToldList(tuple[Told, ...]):
    """Who is told of an order."""

    @property
    def secret(self) -> str | None:
        """What messages to the webhook are signed with, if one was just made."""
        return next((each.secret for each in self if each.secret), None)

    def __repr__(self) -> str:
        return "\n".join(repr(each) for each in self) if self else "nobody is told"


@dataclass(frozen=True, kw_only=True)
class NotificationRow:
    """One message in the log.

    Parameters
    ----------
    notice_id : int
        Its number, by which it is sent again.
    when : datetime or None
        Last try, or when it goes out; None for at once.
    channel, address : str
        How, and where to.
    about : str
        What it tells, in few words.
    outcome : str
        ``delivered``, ``held until ...``, or what went wrong.
    is_waiting : bool
        Whether it is yet to be sent.
    """

    notice_id: int
    when: datetime | None
    channel: str
    address: str
    about: str
    outcome: str
    is_waiting: bool = False


class Notifications(Sequence[NotificationRow]):
    """What an order's owner and others were told, and will be: a table, oldest first, what waits last.

    ``told`` says who is told; `send_again` and `stop` act.
    """

    def __init__(self, order: Handle, told: ToldList, rows: Iterable[NotificationRow]) -> None:
        self._order = order
        self.told = told
        self._rows = tuple(rows)

    def __getitem__(self, place: Any) -> Any:
        return self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    def send_again(self, which: NotificationRow | int = -1) -> Notifications:
        """Send a message once more, the same words; one that is held goes at once.

        Parameters
        ----------
        which : NotificationRow or int
            A row, or its place in this table; the last one without it.

        Returns
        -------
        Notifications
            The table as it is then.

        Raises
        ------
        NotFound
            If there is no such row, or nothing is kept of it any more.
        Conflict
            If who it was for is told no more.
        """
        try:
            row = which if isinstance(which, NotificationRow) else self._rows[which]
        except (IndexError, TypeError):
            raise NotFound(
                f"there is no row {which!r:.40}; there are {len(self._rows)}, from 0 on", locator="noticeId"
            ) from None
        path = f"{_path(self._order)}/notices/{row.notice_id}/again"
        self._order.session.transport.ask("POST", path, body={})
        return notifications(self._order)

    def stop(self, which: Told | str | None = None) -> Notifications:
        """Tell somebody no more, at once; what is held for them is not sent.

        Parameters
        ----------
        which : Told or str, optional
            One of ``told``, an address, ``"email"`` or ``"webhook"``; everybody without it.

        Raises
        ------
        NotFound
            If nobody is told so.
        """
        gone = [each for each in self.told if _is_meant(each, which)]
        if not gone and which is not None:
            named = ", ".join(each.address for each in self.told) or "nobody"
            raise NotFound(f"nobody is told so; told are: {named}", locator="notificationId")
        for each in gone:
            path = f"{_path(self._order)}/notifications/{each.notification_id}"
            self._order.session.transport.ask("DELETE", path)
        return notifications(self._order)

    @property
    def cells(self) -> list[tuple[str, ...]]:
        """Place, when, channel, about and outcome of each row, as text."""
        return [
            (
                str(place),
                f"{each.when:%d %b %H:%M}" if each.when else "",
                _word(each.channel),
                each.about,
                each.outcome,
            )
            for place, each in enumerate(self._rows)
        ]

    def __repr__(self) -> str:
        lines = [_HEAD, *self.cells]
        widths = [max(len(line[place]) for line in lines) for place in range(len(_HEAD))]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*(table if self._rows else ["nothing was sent yet"]), repr(self.told)])

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        told = "; ".join(repr(each) for each in self.told) or "nobody is told"
        rows = self.cells[-display.ROWS :]
        return display.card(told, display.table(_HEAD, rows) if rows else "")


def notify(
    order: Handle, email: str | None, webhook: str | None, on: Iterable[str] | str | None, digest: str
) -> ToldList:
    """Tell somebody of an order (`Order.notify`)."""
    if email is not None:
        text(email, "email", "'you@example.org'")
    if webhook is not None:
        text(webhook, "webhook", "'https://example.org/hook'")
    body: dict[str, Any] = {"email": email, "webhook": webhook, "digest": _one(Digest, digest, "digest")}
    if on is not None:
        several = on if isinstance(on, list | tuple | set | frozenset) else [on]
        body["on"] = [_one(Event, each, "on") for each in several]
    said = {name: value for name, value in body.items() if value is not None}
    answer = order.session.transport.ask("POST", f"{_path(order)}/notifications", body=said)
    return _told(answer)


def notifications(order: Handle) -> Notifications:
    """Return what was told of an order (`Order.notifications`)."""
    ask = order.session.transport.ask
    told = _told(ask("GET", f"{_path(order)}/notifications"))
    found = Notices.read(ask("GET", f"{_path(order)}/notices"))
    by_notice: dict[int, list[Sending]] = {}
    for each in found.sendings:
        by_notice.setdefault(each.notice_id, []).append(each)
    waiting = {each.notice_id: each for each in found.waiting}
    sent = [_sent(each) for number, each in by_notice.items() if number not in waiting]
    return Notifications(
        order, told, [*sent, *(_held(each, by_notice.get(each.notice_id, [])) for each in found.waiting)]
    )


def _path(order: Handle) -> str:
    return f"orders/{quote(order.id, safe='')}"


def _told(answer: Mapping[str, Any]) -> ToldList:
    from oseo_lab.encoding.json_form import from_plain

    return ToldList(from_plain(Told, each) for each in entries_of(answer, "notifications"))


def _one(kind: Any, given: Any, name: str) -> str:
    if given not in list(kind):
        allowed = ", ".join(repr(each.value) for each in kind)
        raise ValidationError(f"{name} {given!r:.40} is not known; allowed: {allowed}", locator=name)
    return str(given)


def _is_meant(told: Told, which: Told | str | None) -> bool:
    if isinstance(which, Told):
        return told.notification_id == which.notification_id
    return which is None or which in (told.address, told.notification_id, told.channel)


def _word(channel: str) -> str:
    """Return what a channel is called; the standard's own messages are callbacks."""
    return _WORDS.get(channel, "callback")


def _sent(tries: Sequence[Sending]) -> NotificationRow:
    """Return the row of a message that is sent or given up."""
    last = tries[-1]
    first = f" (first: {tries[0].outcome})" if last.attempt > 1 and tries[0].outcome != "sent" else ""
    if last.outcome == "sent":
        outcome = "delivered" if last.attempt <= 1 else f"delivered at try {last.attempt}{first}"
    else:
        times = f"{last.attempt} tries" if last.attempt > 1 else "one try"
        outcome = f"given up after {times}: {last.outcome}" if last.attempt else last.outcome
    return NotificationRow(
        notice_id=last.notice_id,
        when=last.at,
        channel=last.kind,
        address=last.address,
        about=last.about,
        outcome=outcome,
    )


def _held(waiting: WaitingNotice, tries: Sequence[Sending]) -> NotificationRow:
    """Return the row of a message that is yet to be sent."""
    until = f"{waiting.due:%a %d %b %H:%M} UTC" if waiting.due else "now"
    if tries:
        outcome = f"tried {waiting.attempts} times (last: {tries[-1].outcome}), again {until}"
    else:
        outcome = f"held until {until}" if waiting.due else "is being sent"
    return NotificationRow(
        notice_id=waiting.notice_id,
        when=tries[-1].at if tries else waiting.due,
        channel=waiting.kind,
        address=waiting.address,
        about=waiting.about,
        outcome=outcome,
        is_waiting=True,
    )
