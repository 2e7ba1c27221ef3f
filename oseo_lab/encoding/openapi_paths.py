"""The paths of the JSON API: one row per path and method says what goes in and what comes out.

A new path of the web floor is a new row here; `oseo_lab.encoding.openapi` makes the document of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oseo_lab.encoding.openapi_schemas import (
    ANNOUNCEMENT,
    ANY_OBJECT,
    BALANCES,
    CHARGES,
    CHECKED,
    COLLECTION,
    COLLECTIONS,
    HISTORY,
    NEW_NOTIFICATION,
    NEW_SHARE,
    NOTICES,
    NOTIFICATIONS,
    ORDERED,
    PAGE,
    REJECTION,
    RETRY,
    SCHEMAS,
    SHARED,
    SHARES,
    TEXT,
    list_of,
)
from oseo_lab.model import messages, notifications
from oseo_lab.model.desk import Announcement, Board, Look
from oseo_lab.model.job import CatalogueItem
from oseo_lab.model.order import Order, OrderItem, OrderSpecification
from oseo_lab.model.quotation import QuotationAnswer, QuotationRecord
from oseo_lab.model.view import OrderSummary, OrderView

__all__ = ["OPERATIONS", "ROWS", "Row"]

#: The operations of OGC 06-141r6 that `operations/{Name}` takes: request and response.
OPERATIONS: dict[type, type] = {
    messages.GetCapabilities: messages.Capabilities,
    messages.GetOptions: messages.GetOptionsResponse,
    messages.GetQuotation: messages.GetQuotationAck,
    messages.Submit: messages.SubmitAck,
    messages.GetStatus: messages.GetStatusResponse,
    messages.DescribeResultAccess: messages.DescribeResultAccessResponse,
    messages.Cancel: messages.CancelAck,
    notifications.Subscribe: notifications.SubscribeResponse,
    notifications.Unsubscribe: notifications.UnsubscribeResponse,
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One path and method: what goes in, what comes out."""

    path: str
    name: str
    summary: str
    answer: Any
    method: str = "get"
    parameters: tuple[str, ...] = ()
    body: Any = None
    status: int = 200
    is_open: bool = False
    media_type: str = "application/json"


_SEARCH = ("collection_id", "bbox", "datetime", "text", "ids", "limit", "cursor", "filters")
_ORDERS = ("status", "reference", "last_update", "last_update_end")

ROWS = (
    Row(path="/", name="getService", summary="What answers here, and who you are", answer=ANY_OBJECT),
    Row(path="/openapi.json", name="getOpenapi", summary="This document", answer=ANY_OBJECT, is_open=True),
    Row(
        path="/capabilities",
        name="getCapabilities",
        summary="What the service offers",
        answer=messages.Capabilities,
        is_open=True,
    ),
    Row(
        path="/collections",
        name="listCollections",
        summary="What can be ordered from",
        answer=COLLECTIONS,
    ),
    Row(
        path="/collections/{collection_id}",
        name="getCollection",
        summary="One collection",
        answer=COLLECTION,
        parameters=("collection_id",),
    ),
    Row(
        path="/collections/{collection_id}/options",
        name="getOptions",
        summary="GetOptions for a collection",
        answer=messages.GetOptionsResponse,
        parameters=("collection_id",),
    ),
    Row(
        path="/collections/{collection_id}/schema",
        name="getOptionSchema",
        summary="Options and scene options as JSON Schema",
        answer=SCHEMAS,
        parameters=("collection_id",),
    ),
    Row(
        path="/collections/{collection_id}/check",
        name="checkChoices",
        summary="What is wrong with what items choose, before there is an order; products are not asked for",
        method="post",
        body=OrderSpecification,
        answer=CHECKED,
        parameters=("collection_id",),
    ),
    Row(
        path="/collections/{collection_id}/products",
        name="listProducts",
        summary="Products that can be ordered",
        answer=PAGE,
        parameters=_SEARCH,
    ),
    Row(
        path="/collections/{collection_id}/products/{identifier}/thumbnail",
        name="getThumbnail",
        summary="A small picture of a product: PNG, JPEG or WebP, 2 MiB at most",
        answer={"type": "string", "format": "binary"},
        media_type="image/*",
        parameters=("collection_id", "identifier"),
    ),
    Row(
        path="/collections/{collection_id}/products",
        name="searchProducts",
        summary="Products that can be ordered, within a geometry",
        method="post",
        body={
            "type": "object",
            "properties": {"geometry": {**ANY_OBJECT, "description": "GeoJSON geometry."}},
        },
        answer=PAGE,
        parameters=_SEARCH,
    ),
    Row(
        path="/orders",
        name="submitOrder",
        summary="Submit",
        method="post",
        body=messages.Submit,
        answer=messages.SubmitAck,
        status=201,
        parameters=("Idempotency-Key",),
    ),
    Row(
        path="/orders",
        name="listOrders",
        summary="Your orders, without items",
        answer=messages.GetStatusResponse,
        parameters=_ORDERS,
    ),
    Row(
        path="/orders/summaries",
        name="listSummaries",
        summary="Your orders, or those shared with you, at a glance, newest first",
        answer=list_of("orders", OrderSummary, cursor={"type": ["string", "null"]}),
        parameters=("name", "status", "collection", "since", "until", "shared", "limit", "cursor"),
    ),
    Row(
        path="/orders/{order_id}/shares",
        name="listShares",
        summary="Who an order of yours is shared with",
        answer=SHARES,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/shares",
        name="shareOrder",
        summary="Let somebody read an order: a named user, or whoever has the link that is told this once",
        method="post",
        body=NEW_SHARE,
        answer=SHARED,
        status=201,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/shares/{share_id}",
        name="unshareOrder",
        summary="Take a share back; those that are left",
        method="delete",
        answer=SHARES,
        parameters=("order_id", "share_id"),
    ),
    Row(
        path="/orders/{order_id}",
        name="getOrder",
        summary="One order",
        answer=Order,
        parameters=("order_id", "presentation"),
    ),
    Row(
        path="/orders/{order_id}/items",
        name="listItems",
        summary="An order's items, page by page",
        answer=list_of("items", OrderItem),
        parameters=("order_id", "after", "limit"),
    ),
    Row(
        path="/orders/{order_id}/view",
        name="getView",
        summary="An order as a card shows it: counts, the items that matter most, time left",
        answer=OrderView,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/history",
        name="getHistory",
        summary="What happened to an order, and every attempt",
        answer=HISTORY,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/notices",
        name="getNotices",
        summary="What became of an order's callbacks: what waits, and every try at sending",
        answer=NOTICES,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/notices/{notice_id}/again",
        name="sendNoticeAgain",
        summary="Send a message once more, the same words; one that waits goes at once",
        method="post",
        answer=ANY_OBJECT,
        status=202,
        parameters=("order_id", "notice_id"),
    ),
    Row(
        path="/orders/{order_id}/notifications",
        name="listNotifications",
        summary="Who is told of an order of yours by mail or webhook",
        answer=NOTIFICATIONS,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/notifications",
        name="notify",
        summary="Tell somebody of an order from now on; a webhook's secret is told this once",
        method="post",
        body=NEW_NOTIFICATION,
        answer=NOTIFICATIONS,
        status=201,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/notifications/{notification_id}",
        name="stopNotification",
        summary="Tell somebody no more; those that are left",
        method="delete",
        answer=NOTIFICATIONS,
        parameters=("order_id", "notification_id"),
    ),
    Row(
        path="/orders/{order_id}/results",
        name="listResults",
        summary="DescribeResultAccess",
        answer=messages.DescribeResultAccessResponse,
        parameters=("order_id", "sub_function"),
    ),
    Row(
        path="/orders/{order_id}/cancel",
        name="cancelOrder",
        summary="Cancel: accepted, then done",
        method="post",
        answer=messages.CancelAck,
        status=202,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/pause",
        name="pauseOrder",
        summary="Nothing more of an order begins until it is resumed; what is being made is finished",
        method="post",
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/resume",
        name="resumeOrder",
        summary="A paused order goes on where it was; what a subscription missed comes",
        method="post",
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/retry",
        name="retryOrder",
        summary="Items that were not made are tried again: those named, or all that trying again may help",
        method="post",
        body=RETRY,
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    Row(
        path="/orders/{order_id}/match",
        name="matchOrder",
        summary="What a subscription would order now; nothing is ordered",
        method="post",
        answer=list_of("products", CatalogueItem),
        parameters=("order_id",),
    ),
    Row(
        path="/collections/{collection_id}/announce",
        name="announceProducts",
        summary="For operators: products have appeared, match them at once",
        method="post",
        body=ANNOUNCEMENT,
        answer=ORDERED,
        parameters=("collection_id",),
    ),
    Row(
        path="/orders/{order_id}/charges",
        name="listCharges",
        summary="What an order's items cost, and what was given back",
        answer=CHARGES,
        parameters=("order_id",),
    ),
    Row(
        path="/desk",
        name="getDesk",
        summary="For operators: what waits for approval, what is stuck, how the service is",
        answer=Board,
    ),
    Row(
        path="/desk/orders/{order_id}",
        name="lookAtOrder",
        summary="For operators: what was asked and where it stands; no files, no addresses",
        answer=Look,
        parameters=("order_id",),
    ),
    Row(
        path="/desk/orders/{order_id}/approve",
        name="approveOrder",
        summary="For operators: an order that waits is made",
        method="post",
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    Row(
        path="/desk/orders/{order_id}/reject",
        name="rejectOrder",
        summary="For operators: an order that waits is cancelled; its user reads why",
        method="post",
        body=REJECTION,
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    Row(
        path="/desk/orders/{order_id}/run-again",
        name="runAgain",
        summary="For operators: what is in work and was silent for 30 minutes begins anew",
        method="post",
        answer=Order,
        status=202,
        parameters=("order_id",),
    ),
    Row(
        path="/desk/announcement",
        name="announce",
        summary="For operators: tell all users something, in place of what they were told before",
        method="put",
        body=Announcement,
        answer=Announcement,
    ),
    Row(
        path="/desk/announcement",
        name="withdrawAnnouncement",
        summary="For operators: tell users nothing any more",
        method="delete",
        answer=ANY_OBJECT,
    ),
    Row(
        path="/quotations",
        name="askQuotation",
        summary="GetQuotation: what an order would cost",
        method="post",
        body=OrderSpecification,
        answer=messages.GetQuotationAck,
        status=201,
    ),
    Row(
        path="/quotations",
        name="listQuotations",
        summary="Your quotations, without items",
        answer=list_of("quotations", QuotationRecord),
        parameters=("limit", "waiting"),
    ),
    Row(
        path="/quotations/{quotation}",
        name="getQuotationRecord",
        summary="One quotation, and what became of it",
        answer=QuotationRecord,
        parameters=("quotation",),
    ),
    Row(
        path="/quotations/{quotation}/answer",
        name="answerQuotation",
        summary="For operators: prices that a person gives",
        method="post",
        body=QuotationAnswer,
        answer=QuotationRecord,
        status=202,
        parameters=("quotation",),
    ),
    Row(
        path="/balances",
        name="listBalances",
        summary="What your account may still order",
        answer=BALANCES,
        parameters=("owner",),
    ),
    Row(
        path="/balances/{account}/{currency}",
        name="setBalance",
        summary="For operators: set what an account may still order; null lifts the limit",
        method="put",
        body={
            "type": "object",
            "required": ["value"],
            "properties": {"value": {"type": ["number", "null"]}},
        },
        answer=BALANCES,
        parameters=("account", "currency"),
    ),
    Row(
        path="/events",
        name="followEvents",
        summary="Live status changes and progress (server-sent events)",
        answer=TEXT,
        media_type="text/event-stream",
        parameters=("Last-Event-ID",),
    ),
    *(
        Row(
            path=f"/operations/{request.__name__}",
            name=f"perform{request.__name__}",
            summary=f"{request.__name__} of OGC 06-141r6",
            method="post",
            body=request,
            answer=response,
            is_open=request is messages.GetCapabilities,
        )
        for request, response in OPERATIONS.items()
    ),
)
