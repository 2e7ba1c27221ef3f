"""One request and one response class per operation of OGC 06-141r6, part of the public vocabulary.

Requests come out of every door (SOAP, JSON, in process) and go to `oseo_lab.operations`; responses go
back. ``version`` and ``timeStamp`` are kept so that a message decodes and encodes to itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from oseo_lab.model.collection import CollectionCapability, OrderOptions
from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.identifiers import TaskingRequestId
from oseo_lab.model.order import Order, OrderItem, OrderSpecification, StatusNotification
from oseo_lab.model.quotation import Quotation
from oseo_lab.model.status import Status

__all__ = [
    "VERSION",
    "Cancel",
    "CancelAck",
    "CancelResponse",
    "CancelResponseAck",
    "Capabilities",
    "Contents",
    "DescribeResultAccess",
    "DescribeResultAccessResponse",
    "FilteringCriteria",
    "GetCapabilities",
    "GetOptions",
    "GetOptionsResponse",
    "GetQuotation",
    "GetQuotationAck",
    "GetQuotationResponse",
    "GetQuotationResponseAck",
    "GetStatus",
    "GetStatusResponse",
    "NotificationProducer",
    "OperationMetadata",
    "OrderInParts",
    "Presentation",
    "Request",
    "Response",
    "ResponseStatus",
    "ServiceIdentification",
    "ServiceProvider",
    "SubFunction",
    "Submit",
    "SubmitAck",
    "SubmitResponse",
    "SubmitResponseAck",
]

#: The version of the standard that is spoken here.
VERSION = "1.0.0"


class Presentation(StrEnum):
    """``PresentationType``: with or without the items."""

    BRIEF = "brief"
    FULL = "full"


class SubFunction(StrEnum):
    """Which results DescribeResultAccess lists."""

    ALL_READY = "allReady"
    NEXT_READY = "nextReady"


class ResponseStatus(StrEnum):
    """``OrderResponseStatusType``: complete, or incomplete for a non-blocking reason."""

    SUCCESS = "success"
    PARTIAL = "partial"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What every request but GetCapabilities has (``OrderRequestBaseType``)."""

    version: str = VERSION
    time_stamp: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What every response has (``OrderResponseBaseType``); the message is cut to 255 characters."""

    status: ResponseStatus = ResponseStatus.SUCCESS
    error_message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GetCapabilities:
    """06-141r6 clause 8; ``ows:GetCapabilitiesType`` of OWS 2.0. An empty tuple means "not said"."""

    accept_versions: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    accept_formats: tuple[str, ...] = ()
    accept_languages: tuple[str, ...] = ()
    update_sequence: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceIdentification:
    """``ows:ServiceIdentification``."""

    title: str = "oseo_lab"
    abstract: str | None = None
    keywords: tuple[str, ...] = ()
    service_type: str = "OS"
    service_type_versions: tuple[str, ...] = (VERSION,)
    fees: str | None = None
    access_constraints: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceProvider:
    """``ows:ServiceProvider``, as much of it as an ordering service says."""

    name: str
    site: str | None = None
    individual_name: str | None = None
    position_name: str | None = None
    voice: str | None = None
    role: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationMetadata:
    """``ows:Operation``: a name and the URL it is posted to."""

    name: str
    post: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """``OrderingServiceContentsType``: what works. Everything defaults to "not supported"."""

    product_orders: bool = False
    subscription_orders: bool = False
    programming_orders: bool = False
    sps_url: str | None = None
    quotation_synchronous: bool = False
    quotation_asynchronous: bool = False
    quotation_monitoring: bool = False
    quotation_off_line: bool = False
    quotation: bool = False
    submit_asynchronous: bool = False
    max_number_of_products: int | None = None
    global_delivery_options: bool = False
    local_delivery_options: bool = False
    global_order_options: bool = False
    local_order_options: bool = False
    order_search: bool = True
    order_retrieve: bool = True
    full: bool = True
    describe_result_access: bool = False
    cancel: bool = False
    cancel_asynchronous: bool = False
    collections: tuple[CollectionCapability, ...] = ()
    encodings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationProducer:
    """``swes:NotificationProducerMetadata``: where to subscribe to order events, and to which topics."""

    endpoint: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """The capabilities document; sections not asked for are None."""

    version: str = VERSION
    update_sequence: str | None = None
    identification: ServiceIdentification | None = None
    provider: ServiceProvider | None = None
    operations: tuple[OperationMetadata, ...] | None = None
    languages: tuple[str, ...] | None = None
    contents: Contents | None = None
    notifications: NotificationProducer | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GetOptions(Request):
    """06-141r6 clause 9: exactly one of the three is filled."""

    collection_id: str | None = None
    identifiers: tuple[str, ...] = ()
    tasking_request_id: TaskingRequestId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GetOptionsResponse(Response):
    """Option groups: each a valid combination."""

    order_options: tuple[OrderOptions, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GetQuotation(Request):
    """06-141r6 clause 10: exactly one of the two is filled; a quotation id asks for one asked for before."""

    specification: OrderSpecification | None = None
    quotation_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GetQuotationAck(Response):
    """The quotation, or the id to ask for it by; exactly one of the two."""

    quotation_id: str | None = None
    quotation: Quotation | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GetQuotationResponse:
    """06-141r6 clause 11, sent to the client: a quotation that was asked for asynchronously."""

    quotation: Quotation
    version: str = VERSION
    status: ResponseStatus = ResponseStatus.SUCCESS
    error_message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GetQuotationResponseAck(Response):
    """The client has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Submit(Request):
    """06-141r6 clause 12: exactly one of specification and quotation id is filled."""

    specification: OrderSpecification | None = None
    quotation_id: str | None = None
    status_notification: StatusNotification = StatusNotification.NONE


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitAck(Response):
    """The order's id, and the client's own reference."""

    order_id: str
    order_reference: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitResponse(Request):
    """06-141r6 clause 13, sent to the client: the order in full presentation."""

    order: Order


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitResponseAck(Response):
    """The client has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilteringCriteria:
    """``OrderSearchCriteriaType``: AND of its parts, OR of its statuses; empty finds all of the caller's."""

    last_update: datetime | None = None
    last_update_end: datetime | None = None
    order_statuses: tuple[Status, ...] = ()
    order_reference: str | None = None
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GetStatus(Request):
    """06-141r6 clause 14: exactly one of order id and criteria is filled."""

    order_id: str | None = None
    filtering_criteria: FilteringCriteria | None = None
    presentation: Presentation = Presentation.BRIEF


@dataclass(frozen=True, kw_only=True, slots=True)
class GetStatusResponse(Response):
    """Orders, sorted by the time they were made."""

    orders: tuple[Order, ...] = ()


#: An order without its items, and these page after page: one of many that need not be held whole.
OrderInParts = tuple[Order, Iterable[Sequence[OrderItem]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribeResultAccess(Request):
    """06-141r6 clause 15."""

    order_id: str
    sub_function: SubFunction = SubFunction.ALL_READY


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribeResultAccessResponse(Response):
    """Where the results lie."""

    urls: tuple[ItemURL, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Cancel(Request):
    """06-141r6 clause 16: whole orders only."""

    order_id: str
    status_notification: StatusNotification = StatusNotification.NONE


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelAck(Response):
    """Accepted: the cancelling starts after this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelResponse(Request):
    """06-141r6 clause 17, sent to the client: the order in full presentation."""

    order: Order


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelResponseAck(Response):
    """The client has it."""
