"""The operators' board: what waits for a person, what is stuck, how the service is; and announcements.

Made by `oseo_lab.operations.board` in bounded work, however many orders there are; sent as JSON at
``api/v1/desk`` and drawn by cards, the command line and `oseo_lab.encoding.desk_html`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from oseo_lab.model.approval import Approval
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.status import Status
from oseo_lab.model.view import OrderView

__all__ = [
    "ANNOUNCEMENT_MOST",
    "SHOWN",
    "SILENCE",
    "Announcement",
    "Board",
    "CollectionState",
    "Look",
    "Queue",
    "StuckItem",
    "WaitingOrder",
    "Workers",
]

#: Most orders and items that are listed of each kind; beyond it they are counted.
SHOWN = 50
#: How long nothing is heard of an item before it is called stuck.
SILENCE = timedelta(minutes=30)
#: Longest announcement, characters.
ANNOUNCEMENT_MOST = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """What operators tell everybody who uses the service.

    Parameters
    ----------
    text : str
        One or two sentences.
    until : datetime or None
        When it is over, UTC; None until it is withdrawn.
    """

    text: str
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """The text, and when it is over."""
        return self.text if self.until is None else f"{self.text} (until {self.until:%Y-%m-%d %H:%M} UTC)"


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingOrder:
    """An order that waits for a person's approval.

    Parameters
    ----------
    order_id, owner, name : str
        Which order, whose, and what its owner calls it.
    order_type : OrderType
        Product, subscription or tasking order.
    collections : tuple of str
        What it orders from.
    items : int
        How many items were submitted.
    since : datetime or None
        When it was submitted, UTC.
    remark : str or None
        What its user wrote with it (``orderRemark``).
    """

    order_id: str
    owner: str
    name: str
    order_type: OrderType = OrderType.PRODUCT_ORDER
    collections: tuple[str, ...] = ()
    items: int = 0
    since: datetime | None = None
    remark: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StuckItem:
    """An item in work of which nothing was heard for long.

    Parameters
    ----------
    order_id, owner, name : str
        Its order, whose, and what its owner calls it.
    number, item_id : int, str
        Which item; number 0 is the package of the whole order.
    collection_id : str
        What it is made from.
    status : Status
        InProduction, or Accepted where no worker has begun it.
    attempt : int
        The attempt that is running.
    since : datetime or None
        When something was heard of it last, UTC.
    info : str or None
        What was said then.
    """

    order_id: str
    owner: str
    name: str
    number: int
    item_id: str
    collection_id: str = ""
    status: Status = Status.IN_PRODUCTION
    attempt: int = 0
    since: datetime | None = None
    info: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """What could be made now and nobody works on.

    Parameters
    ----------
    items : int
        How many; of very many not all are counted.
    oldest : datetime or None
        Since when the one waits that is next, UTC.
    """

    items: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """Items being made, and how many can be at a time (0: somebody else's cluster, not known)."""

    busy: int = 0
    total: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionState:
    """Whether a collection's last item was made, and why not.

    Parameters
    ----------
    collection_id, provider : str
        Which collection, and who makes its items (``LOCAL``: this service).
    is_ok : bool
        False while its last try failed for a reason that is not its user's.
    reason : str or None
        What was said of that failure.
    at : datetime or None
        When that was, UTC.
    """

    collection_id: str
    provider: str
    is_ok: bool = True
    reason: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """An order as operators see it who are to decide of it.

    Parameters
    ----------
    view : OrderView
        At a glance; files are its owner's alone, and nothing can be done by it.
    asked : OrderSpecification
        What was submitted, with the first `SHOWN` items; not where it is delivered and how it is paid.
    approval : Approval or None
        What was decided; None where nobody need approve it.
    """

    view: OrderView
    asked: OrderSpecification
    approval: Approval | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """The order desk as it stands.

    Parameters
    ----------
    title : str
        Of the service.
    as_of : datetime
        When this was true, UTC.
    waiting : tuple of WaitingOrder
        What waits for approval, oldest first, at most `SHOWN`.
    waiting_count : int
        How many wait; of very many not all are counted.
    stuck : tuple of StuckItem
        Items in work without news for longer than `SILENCE`, silent longest first, at most `SHOWN`.
    stuck_count : int
        How many there are; of very many not all are counted.
    queue : Queue
        What could be made now.
    workers : Workers
        How many items are being made.
    disk_free : float or None
        Free part of the disk that holds data and results, 0 to 1.
    failures : mapping of str to int
        Items that failed today (UTC), by `FailureClass` value.
    collections : tuple of CollectionState
        Every collection, those that fail first.
    quotations_waiting : int
        Quotations that a person must answer.
    announcement : Announcement or None
        What users are told now.
    """

    title: str
    as_of: datetime
    waiting: tuple[WaitingOrder, ...] = ()
    waiting_count: int = 0
    stuck: tuple[StuckItem, ...] = ()
    stuck_count: int = 0
    queue: Queue = Queue()
    workers: Workers = Workers()
    disk_free: float | None = None
    failures: Mapping[str, int] = field(default_factory=dict)
    collections: tuple[CollectionState, ...] = ()
    quotations_waiting: int = 0
    announcement: Announcement | None = None
