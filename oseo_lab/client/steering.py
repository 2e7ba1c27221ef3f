"""What can be done to an `Order` that runs or is over: pause, resume, try again; anew it is in `reordering`.

Services of ours are asked by REST; others, reached over SOAP, know Cancel only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from oseo_lab.client.standing import wish
from oseo_lab.model.errors import ValidationError

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle, Item

__all__ = ["names_of", "pause", "resume", "retry"]

#: Seconds until what was asked to be tried again is in work, where the service is well; and between looks.
SOON, LOOK = 10.0, 0.05


Some = TypeVar("Some", bound="Handle")


def pause(order: Some) -> Some:
    """Pause an order (`Order.pause`)."""
    wish(order.session, order.id, "pause")
    return order.refresh()


def resume(order: Some) -> Some:
    """Resume an order (`Order.resume`)."""
    wish(order.session, order.id, "resume")
    return order.refresh()


def retry(order: Handle, items: Iterable[Item | str] | None) -> None:
    """Have items tried again (`Order.retry`); returns when the service has taken that up."""
    body = {} if items is None else {"item_ids": names_of(items)}
    path = f"orders/{quote(order.id, safe='')}/retry"
    said = order.session.transport.ask("POST", path, body=body).get("revision")
    before = said if isinstance(said, int) else 0
    end = time.monotonic() + SOON
    while not _is_taken_up(order.refresh(), before) and time.monotonic() < end:
        time.sleep(LOOK)


def _is_taken_up(order: Handle, before: int) -> bool:
    """Whether nothing waits to be tried again any more: else whoever waits next would find all final."""
    asked = any(each.status.status.is_final and each.retry_at for each in order.record.items)
    return not asked and (order.record.revision > before or not order.last_status.is_final)


def names_of(items: Iterable[Item | str] | Item | str) -> list[str]:
    """Return the ids of items.

    Raises
    ------
    ValidationError
        If there are none.
    """
    some = [items] if isinstance(items, str) or hasattr(items, "id") else list(items)
    names = [each if isinstance(each, str) else each.id for each in some]
    if not names:
        raise ValidationError(
            "these are no items; order.failed says which were not made, and why", locator="item_ids"
        )
    return names
