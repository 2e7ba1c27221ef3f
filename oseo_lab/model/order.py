"""The order: what a user asked for, and what became of it.

`OrderSpecification` and `ItemSpecification` are what travels in Submit (OGC 06-141r6
``OrderSpecification``, ``CommonOrderItemType``). `Order`, `ProviderOrder` and `OrderItem` are the records
the store keeps, in ECHO's shape (order, provider order, order item); GetStatus answers with the same
`Order`, whose server-side fields then keep their defaults. The item carries the truth.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from oseo_lab.model.approval import Approval
from oseo_lab.model.delivery import DeliveryAddress, DeliveryInformation, DeliveryOptions, Packaging
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId
from oseo_lab.model.options import ParameterData
from oseo_lab.model.status import ProviderOrderState, Status, Wanted

__all__ = [
    "LOCAL",
    "MESSAGE_ID_DAYS",
    "REFERENCE_LENGTH",
    "Attempt",
    "Callback",
    "CallbackKind",
    "Face",
    "ItemSpecification",
    "Order",
    "OrderItem",
    "OrderSpecification",
    "Payment",
    "Priority",
    "ProviderOrder",
    "ResultFile",
    "StatusChange",
    "StatusInfo",
    "StatusNotification",
    "new_order_id",
    "order_uuid",
]

#: The provider that is this service itself.
LOCAL = "LOCAL"
#: Longest ``orderReference`` of the schema, characters.
REFERENCE_LENGTH = 30
#: Days during which the same MessageID from the same owner gets the first acknowledgement.
MESSAGE_ID_DAYS = 30


class Priority(StrEnum):
    """``PriorityType`` of the schema."""

    STANDARD = "STANDARD"
    FAST_TRACK = "FAST_TRACK"


class StatusNotification(StrEnum):
    """How many SubmitResponse calls the client asked for (06-141r6 12.2)."""

    NONE = "None"
    FINAL = "Final"
    ALL = "All"


class Face(StrEnum):
    """The protocol an order came in by."""

    OSEO = "OSEO"
    ECHO = "ECHO"


class CallbackKind(StrEnum):
    """The three operations of the client's port type (06-141r6 10.3, 13 and 17)."""

    SUBMIT_RESPONSE = "SubmitResponse"
    CANCEL_RESPONSE = "CancelResponse"
    QUOTATION_RESPONSE = "GetQuotationResponse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Callback:
    """Whom to tell, and how often: what Submit, Cancel or GetQuotation asked for in its SOAP header.

    Parameters
    ----------
    kind : CallbackKind
        Which message is sent.
    policy : StatusNotification
        FINAL or ALL; an asked-for NONE leaves no callback.
    address : str
        ``wsa:ReplyTo/wsa:Address``: http or https.
    message_id : str
        ``wsa:MessageID`` of the request, told back as ``wsa:RelatesTo``.
    soap_version : str
        ``1.1`` or ``1.2``: as the request came.
    """

    kind: CallbackKind
    policy: StatusNotification
    address: str
    message_id: str
    soap_version: str = "1.2"


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusInfo:
    """``StatusType``: a status and what there is to say about it.

    Parameters
    ----------
    status : Status
        OSEO's status.
    additional : str or None
        ``additionalStatusInfo``, 1 to 4000 characters, for the user.
    mission_specific : str or None
        ``missionSpecificStatusInfo``, at most 4000 characters.
    """

    status: Status
    additional: str | None = None
    mission_specific: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """``PaymentOptionSelectedValue``: the method, and an account or card (never shown) where it needs one."""

    payment_method: str
    order_account: str | None = None
    credit_card_info: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemSpecification:
    """``CommonOrderItemType``: one product asked for.

    Parameters
    ----------
    item_id : str
        The client's name for the item, 1 to 80 characters, unique in its order.
    identifier : ItemIdentifier
        Which product, subscription or tasking request.
    product_order_options_id : str or None
        The option group chosen from GetOptions.
    remark : str or None
        ``orderItemRemark``.
    options, scene_selections : tuple of ParameterData
        Selections; an item's override its order's.
    delivery_options : DeliveryOptions or None
        How this item is delivered, if otherwise than the order says.
    payment : Payment or None
        How it is paid.
    extensions : tuple of str
        Kept and given back.
    """

    item_id: str
    identifier: ItemIdentifier
    product_order_options_id: str | None = None
    remark: str | None = None
    options: tuple[ParameterData, ...] = ()
    scene_selections: tuple[ParameterData, ...] = ()
    delivery_options: DeliveryOptions | None = None
    payment: Payment | None = None
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderSpecification:
    """``OrderSpecification``: what Submit carries. In a stored `Order` its ``items`` are empty."""

    order_type: OrderType = OrderType.PRODUCT_ORDER
    items: tuple[ItemSpecification, ...] = ()
    order_reference: str | None = None
    order_remark: str | None = None
    delivery_information: DeliveryInformation | None = None
    invoice_address: DeliveryAddress | None = None
    packaging: Packaging | None = None
    options: tuple[ParameterData, ...] = ()
    delivery_options: DeliveryOptions | None = None
    priority: Priority | None = None
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderItem:
    """One item of an order: the unit of work, of status and of delivery.

    Parameters
    ----------
    specification : ItemSpecification
        As submitted.
    status : StatusInfo
        Where it stands; moved by the dispatcher alone.
    order_id : str
        The order it belongs to.
    number : int
        Position in its order, from 1; with the order it names the item everywhere. Number 0 is the package
        of a whole order: a closing item, Suspended until the others are final, shown to nobody.
    collection_id : str
        The collection it is made from, resolved at Submit.
    provider : str
        Who fulfils it.
    wanted : Wanted
        What the user last asked for.
    attempt : int
        The attempt that is running or ran last; 0 before the first.
    failures : int
        Attempts that ended in a transient failure.
    updated : datetime or None
        When the status last changed, UTC.
    retry_at : datetime or None
        When a transient failure is tried again, UTC.
    lease_owner, lease_until : str, datetime or None
        Which dispatcher works on it and until when, UTC.
    batch : int
        Which batch of its order it belongs to, from 1: batches of a massive order are made one after
        another, those of a subscription as products appear. 0 where there are no batches.
    product : ProductId or None
        The product it is made from, where its identifier is no product: what a tasking request acquired.
    """

    specification: ItemSpecification
    status: StatusInfo
    order_id: str = ""
    number: int = 0
    collection_id: str = ""
    provider: str = LOCAL
    wanted: Wanted = Wanted.COMPLETED
    attempt: int = 0
    failures: int = 0
    updated: datetime | None = None
    retry_at: datetime | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None
    batch: int = 0
    product: ProductId | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Order id and number: the item's name inside the service."""
        return self.order_id, self.number


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderOrder:
    """The items of one order that one provider fulfils (ECHO's word and state)."""

    order_id: str
    provider: str = LOCAL
    state: ProviderOrderState = ProviderOrderState.SUBMITTING
    tracking_id: str | None = None
    updated: datetime | None = None
    closed: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a user submitted and where it stands (``CommonOrderMonitorSpecification``).

    Parameters
    ----------
    order_id : str
        ``urn:uuid:`` in lower case.
    specification : OrderSpecification
        As submitted, without its items.
    status : StatusInfo
        Rolled up from the items.
    created : datetime or None
        ``orderDateTime``: when Submit was accepted, UTC; never changed.
    items : tuple of OrderItem
        Present in a full presentation.
    owner : str
        Whose it is.
    updated : datetime or None
        When the order or an item of it last changed, UTC.
    revision : int
        Grows with every change of the order or an item of it.
    message_id : str or None
        ``wsa:MessageID`` of its Submit: the same one again gets the first acknowledgement.
    request_digest : str or None
        SHA-256 of what that Submit said, so that other content under the same id is refused.
    face : Face
        The protocol it came in by.
    wanted : Wanted
        What the user last asked of the whole order.
    next_ready : int
        Completion sequence last returned by ``nextReady``.
    provider_orders : tuple of ProviderOrder
        One per provider.
    quotation_id : str or None
        The quotation it was ordered by.
    approval : Approval or None
        Where it stands with operators; None where nobody need approve it.
    """

    order_id: str
    specification: OrderSpecification
    status: StatusInfo
    created: datetime | None = None
    items: tuple[OrderItem, ...] = ()
    owner: str = ""
    updated: datetime | None = None
    revision: int = 0
    message_id: str | None = None
    request_digest: str | None = None
    face: Face = Face.OSEO
    wanted: Wanted = Wanted.COMPLETED
    next_ready: int = 0
    provider_orders: tuple[ProviderOrder, ...] = ()
    quotation_id: str | None = None
    approval: Approval | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusChange:
    """One line of the status history, which is also the event stream.

    ``number`` is 0 for the order itself; ``event_id`` rises and is never used twice.
    """

    order_id: str
    number: int
    status: Status
    at: datetime
    author: str
    attempt: int = 0
    info: str | None = None
    detail: str | None = None
    event_id: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at making an item, and how it ended."""

    order_id: str
    number: int
    attempt: int
    started: datetime | None = None
    ended: datetime | None = None
    worker: str | None = None
    outcome: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultFile:
    """One delivered file.

    Parameters
    ----------
    order_id, number, attempt : str, int, int
        The delivery it belongs to; ``number`` 0 is a package of the whole order.
    name : str
        File name, chosen by the service, never by a message.
    size : int
        Bytes.
    sha256 : str
        Hexadecimal.
    media_type : str
        Such as ``image/tiff; application=geotiff; profile=cloud-optimized``.
    is_data : bool
        False for the STAC item and the manifest.
    sequence : int
        Rises with each delivery of the order: what ``nextReady`` counts.
    expires : datetime or None
        When the file is removed, UTC.
    removed : bool
        Whether it has been.
    fetched : tuple of (int, int)
        Byte ranges served so far, united, half open.
    href : str or None
        Where it lies, if not here: at the provider that made it. Size and hash may then be unknown (0, "").
    """

    order_id: str
    number: int
    attempt: int
    name: str
    size: int
    sha256: str
    media_type: str
    is_data: bool = True
    sequence: int = 0
    expires: datetime | None = None
    removed: bool = False
    fetched: tuple[tuple[int, int], ...] = ()
    href: str | None = None

    def is_gone(self, now: datetime) -> bool:
        """Whether it was removed, or may be at any moment: ``expires`` is the first moment without it."""
        return self.removed or (self.expires is not None and self.expires <= now)


def new_order_id() -> str:
    """Return a fresh order id: ``urn:uuid:`` and a random UUID in lower case."""
    return uuid.uuid4().urn


def order_uuid(order_id: str) -> str | None:
    """Return the 36-character UUID of one of our order ids; None for anybody else's.

    Compared exactly (lower case, ``urn:uuid:``): an identifier is an opaque string.
    """
    text = order_id.removeprefix("urn:uuid:")
    if text == order_id or len(text) != 36:
        return None
    try:
        return text if str(uuid.UUID(text)) == text else None
    except ValueError:
        return None
