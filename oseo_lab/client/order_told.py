"""What others are told of an order: whom it is shared with, who hears of it by mail or webhook, and the log.

The part of `oseo_lab.client.order.Order` that speaks of others; what it does lies in `sharing`, `notify` and
`notices`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle
    from oseo_lab.client.notices import Notices
    from oseo_lab.client.notify import Notifications, ToldList
    from oseo_lab.client.sharing import OrderShare, OrderShares

__all__ = ["ToldOrder"]


class ToldOrder:
    """The handle of an order, as far as others are told of it."""

    def share(self: Handle, with_: str | None = None, until: Any = "30d", can: str = "read") -> OrderShare:
        """Let somebody read the order and fetch its results; nobody else can change it.

        Parameters
        ----------
        with_ : str, optional
            A user's name as the service knows it; without it whoever has the link that is made.
        until : str, date, aware datetime or timedelta
            ``"30d"``, ``"2026-12-31"``; at most a year ahead.
        can : str
            What they may: ``"read"`` is all there is.

        Returns
        -------
        OrderShare
            ``.link`` is the address that opens the order, told this once.

        Raises
        ------
        ValidationError
            If the time is over or too far ahead, or the user is you.
        """
        from oseo_lab.client.sharing import share

        return share(self, with_, until, can)

    def shares(self: Handle) -> OrderShares:
        """Return who the order is shared with, and until when."""
        from oseo_lab.client.sharing import shares

        return shares(self)

    def unshare(self: Handle, which: OrderShare | str | None = None) -> OrderShares:
        """Take shares back; they end at once. Return those that stay.

        Parameters
        ----------
        which : OrderShare or str, optional
            One of `shares`, or a user's name; without it all.

        Raises
        ------
        NotFound
            If it is not shared so.
        """
        from oseo_lab.client.sharing import unshare

        return unshare(self, which)

    def notices(self: Handle) -> Notices:
        """Return what became of the order's callbacks: every try at one, and what waits."""
        from oseo_lab.client.notices import Notices

        return Notices.read(self.session.transport.ask("GET", f"orders/{quote(self.id, safe='')}/notices"))

    def notify(
        self: Handle,
        email: str | None = None,
        webhook: str | None = None,
        on: Iterable[str] | str | None = None,
        digest: str = "immediate",
    ) -> ToldList:
        """Have somebody told of the order from now on, by mail or webhook; also where it is over already.

        Parameters
        ----------
        email : str, optional
            ``name@host``; the service's operator has named a mail server, or it is refused.
        webhook : str, optional
            Where signed JSON is POSTed to; the returned ``.secret`` is told this once.
        on : str or iterable of str, optional
            ``"completed"``, ``"failed"`` (or cancelled, or rejected), ``"delivered"`` (a batch, such as a
            subscription's), ``"expiring"`` (results go within 48 hours); the first two without it.
        digest : str
            ``"immediate"``, or gathered: ``"daily"`` at 08:00 UTC, ``"weekly"`` on Mondays. Where both are
            given, the mail is gathered and the webhook told at once.

        Raises
        ------
        ValidationError
            With everything wrong: an address, no mail server there, an event that is not known.
        """
        from oseo_lab.client.notify import notify

        return notify(self, email, webhook, on, digest)

    @property
    def notifications(self: Handle) -> Notifications:
        """What was told of the order, and what waits, as a table; ``send_again()`` and ``stop()`` act."""
        from oseo_lab.client.notify import notifications

        return notifications(self)
