"""Sharing orders, to read only: with a named user of the service, or with whoever has a link.

A link is a secret: it is in `OrderShare.link` once, and in no display.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oseo_lab.client import display
from oseo_lab.client.given import seconds, text
from oseo_lab.client.refusals import entries_of
from oseo_lab.model.errors import NotFound, ValidationError
from oseo_lab.model.share import Share

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle

__all__ = ["OrderShare", "OrderShares", "share", "shares", "unshare"]


@dataclass(frozen=True, kw_only=True)
class OrderShare:
    """One permission to read an order.

    Parameters
    ----------
    order_name, owner : str
        Which order, and whose.
    share : Share
        With whom, and until when.
    link : str or None
        The address that opens the order: told only when the share is made, and to its owner alone. It is
        shown in no display: pass it on with ``share.link``.
    """

    order_name: str
    owner: str
    share: Share
    link: str | None = field(default=None, repr=False)

    @property
    def grantee(self) -> str | None:
        """Who may read; None for whoever has the link."""
        return self.share.grantee

    @property
    def until(self) -> datetime:
        """Until when, UTC."""
        return self.share.until

    def __repr__(self) -> str:
        whom = "whoever has the link" if self.grantee is None else repr(self.grantee)
        how = ""
        if self.link is not None:
            how = "; pass on .link, it is told this once"
        elif self.grantee is not None:
            how = f"; there: lab.orders.shared['{self.owner}/{self.order_name}']"
        return f"{self.order_name!r} is shared with {whom} until {display.when(self.until)}{how}"

    def _repr_html_(self) -> str:
        return display.safely(self, lambda: display.card(repr(self), ""))


class OrderShares(tuple[OrderShare, ...]):
    """Who an order is shared with."""

    def __repr__(self) -> str:
        return "\n".join(repr(each) for each in self) if self else "shared with nobody"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [
            (
                each.grantee or "whoever has the link",
                display.when(each.share.created),
                display.when(each.until),
            )
            for each in self
        ]
        title = "shared with nobody" if not self else f"{self[0].order_name} is shared with"
        return display.card(title, display.table(("with", "since", "until"), rows) if rows else "")


def share(order: Handle, with_: str | None, until: Any, can: str) -> OrderShare:
    """Share an order (`Order.share`)."""
    if can != "read":
        raise ValidationError(
            f"can {can!r:.60} is not allowed; allowed: 'read'. What changes an order stays with its owner; "
            "who reads it may order the same anew",
            locator="can",
        )
    if with_ is not None:
        text(with_, "with_", "a user's name as the service knows it, or nothing for a link")
    body = {"grantee": with_, "until": _end(until).isoformat()}
    answer = dict(order.session.transport.ask("POST", _path(order), body=body))
    link = answer.pop("url", None)
    return _read(order, answer, None if link is None else str(link))


def shares(order: Handle) -> OrderShares:
    """Return who an order is shared with (`Order.shares`)."""
    answer = order.session.transport.ask("GET", _path(order))
    return OrderShares(_read(order, each) for each in entries_of(answer, "shares"))


def unshare(order: Handle, which: OrderShare | str | None) -> OrderShares:
    """Take shares of an order back (`Order.unshare`)."""
    found = shares(order)
    gone = [each for each in found if _is_meant(each, which)]
    if not gone and which is not None:
        named = ", ".join(repr(each.grantee) if each.grantee else "a link" for each in found) or "nobody"
        raise NotFound(f"{order.name!r} is not shared so; it is shared with: {named}", locator="shareId")
    for each in gone:
        order.session.transport.ask("DELETE", f"{_path(order)}/{each.share.share_id}")
    return OrderShares(each for each in found if each not in gone)


def _is_meant(found: OrderShare, which: OrderShare | str | None) -> bool:
    if isinstance(which, OrderShare):
        return found.share.share_id == which.share.share_id
    return which is None or which in (found.grantee, found.share.share_id)


def _path(order: Handle) -> str:
    return f"orders/{quote(order.id, safe='')}/shares"


def _read(order: Handle, plain: Mapping[str, Any], link: str | None = None) -> OrderShare:
    from oseo_lab.encoding.json_form import from_plain

    made: Share = from_plain(Share, dict(plain))
    return OrderShare(order_name=order.name, owner=order.session.owner, share=made, link=link)


def _end(given: Any) -> datetime:
    """Return until when: a date's end, a moment, or so long from now."""
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise ValidationError(
                f"until {given!r} has no time zone: datetime(..., tzinfo=UTC)", locator="until"
            )
        return given.astimezone(UTC)
    if isinstance(given, date):
        return datetime.combine(given + timedelta(days=1), time(), UTC)
    if isinstance(given, str) and given[:4].isdigit() and "-" in given:
        try:
            moment = datetime.fromisoformat(given)
        except ValueError:
            allowed = "'30d', '2h', a date such as '2026-12-31', or an aware datetime"
            raise ValidationError(
                f"until {given!r:.60} is not allowed; allowed: {allowed}", locator="until"
            ) from None
        if len(given) == 10:
            return _end(moment.date())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    length = seconds(given, "until", dates=True)
    return datetime.now(UTC) + timedelta(seconds=length if length is not None else 30 * 86400)
