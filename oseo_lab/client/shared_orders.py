"""Orders of others that are shared with you: found by whose they are and what these call them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from oseo_lab.client import display
from oseo_lab.client.order import Order
from oseo_lab.client.order_list import OrderList, listed
from oseo_lab.model.errors import NoSuchKey

if TYPE_CHECKING:
    from oseo_lab.client.session import Session

__all__ = ["SharedOrders"]


class SharedOrders(Mapping[str, Order]):
    """Orders of others that are shared with you, by ``owner/name``; to read only.

    Parameters
    ----------
    session : Session
        Whose eyes these are.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> OrderList:
        """Return them all, newest first, as they stand."""
        return listed(self._session, {"shared": "true"})

    def _by_name(self) -> dict[str, Order]:
        found = self.list()
        named = [
            (f"{each.owner}/{each.name}", order) for each, order in zip(found.summaries, found, strict=True)
        ]
        return dict(reversed(named))  # the newest of a name

    def __getitem__(self, key: str) -> Order:
        """Return one by ``owner/name``, or by its name alone where one only is called so.

        Raises
        ------
        NoSuchKey
            If there is none; those there are are listed.
        """
        found = self._by_name()
        same = [name for name in found if key in (name, name.partition("/")[2])]
        if len(same) != 1:
            known = ", ".join(repr(each) for each in same or list(found)[-5:]) or "none"
            raise NoSuchKey(
                f"no order {str(key)[:100]!r} is shared with you; shared: {known}",
                code="InvalidParameterValue",
                locator="orderId",
            )
        return found[same[0]].refresh()

    def __contains__(self, key: object) -> bool:
        return key in self._by_name()

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self._by_name())

    def _ipython_display_(self) -> None:
        display.shown(self, self.list)

    def __repr__(self) -> str:
        return "orders shared with you: lab.orders.shared['owner/name']"
