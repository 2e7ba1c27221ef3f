"""The JSON API: the same operations, by the same `perform`, under paths; and what only this door has.

Step 3 of the walk for notebooks and scripts, at ``oseo/api/v1/``. Errors are problem documents (RFC 9457).
A request known by a browser's cookie needs Jupyter's XSRF token, one with a token in its header does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

from oseo_lab.encoding import json_form
from oseo_lab.model.errors import NotFound
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    FilteringCriteria,
    GetCapabilities,
    GetStatus,
    Presentation,
    SubFunction,
    Submit,
    SubmitAck,
)
from oseo_lab.model.order import Attempt, StatusChange, order_uuid
from oseo_lab.model.status import Status
from oseo_lab.operations import OPERATIONS
from oseo_lab.operations.desk import announcement
from oseo_lab.operations.reading import Reading, reading_of
from oseo_lab.web.base import door
from oseo_lab.web.json_door import (
    JSON,
    MOST,
    ORDER_STATUS,
    PAGE,
    JsonHandler,
    choice,
    instant_of,
    order_id_of,
)

__all__ = [
    "AboutHandler",
    "CancelHandler",
    "CapabilitiesHandler",
    "HistoryHandler",
    "ItemsHandler",
    "OpenApiHandler",
    "OperationHandler",
    "OrderHandler",
    "OrdersHandler",
    "PartHandler",
    "ResultsHandler",
]


class AboutHandler(JsonHandler):
    """``GET api/v1/``: what this is, and who is asking."""

    @door
    async def get(self) -> None:
        """Say what this is."""
        services = await self.services()
        await self.authorize("read")
        facts = {"service": "oseo_lab", "version": _version(), "owner": self.owner}
        told = await self.state.work(announcement, services.context(self.owner, url=self.service_url))
        self.send(
            facts
            | {"instance": services.instance, "is_operator": services.is_operator(self.owner)}
            | {"announcement": None if told is None else json_form.to_plain(told)}
        )


@cache
def _version() -> str:
    return version("oseo-lab")


class OpenApiHandler(JsonHandler):
    """``GET api/v1/openapi.json``: this API's description; open."""

    @door
    async def get(self) -> None:
        """Send the description."""
        url = f"{self.service_url}api/v1"
        self.send(await self.state.work(json_form.openapi, url))


class CapabilitiesHandler(JsonHandler):
    """``GET api/v1/capabilities``; open."""

    @door
    async def get(self) -> None:
        """Send the capabilities."""
        await self.reply(GetCapabilities())


class OrdersHandler(JsonHandler):
    """``GET|POST api/v1/orders``: GetStatus by criteria, and Submit."""

    @door
    async def get(self) -> None:
        """List the caller's orders."""
        statuses = [each for text in self.get_query_arguments("status") for each in text.split(",") if each]
        criteria = FilteringCriteria(
            last_update=instant_of(self.get_query_argument("last_update", ""), "last_update"),
            last_update_end=instant_of(self.get_query_argument("last_update_end", ""), "last_update_end"),
            order_statuses=tuple(choice(Status, each, "status") for each in statuses),
            order_reference=self.get_query_argument("reference", None),
        )
        await self.reply(GetStatus(filtering_criteria=criteria))

    @door
    async def post(self) -> None:
        """Submit an order."""
        message = await self.state.work(json_form.decode, Submit, self.json_body())
        made: list[SubmitAck] = []

        def encode(acknowledgement: SubmitAck) -> bytes:
            made.append(acknowledgement)
            return json_form.encode(acknowledgement)

        body = await self.perform(message, encode, self.message_id)
        self.set_header("Location", f"{self.service_url}api/v1/orders/{order_uuid(made[0].order_id)}")
        self.answer(body, JSON, 201)


class OrderHandler(JsonHandler):
    """``GET api/v1/orders/{id}``: GetStatus by id, the order alone."""

    @door
    async def get(self, order: str) -> None:
        """Send one order."""
        presentation = choice(Presentation, self.get_query_argument("presentation", "brief"), "presentation")
        message = GetStatus(order_id=order_id_of(order), presentation=presentation)
        await self.answer_status(message, ORDER_STATUS)


class PartHandler(JsonHandler):
    """What is read straight from the store, of one of the caller's orders, or one shared with the caller."""

    #: Whether those the order is shared with may know, too.
    is_shared = False

    async def read(self, order: str, collect: Callable[[Any, Reading], dict[str, Any]]) -> None:
        """Send what ``collect`` finds in a snapshot.

        Raises
        ------
        NotFound
            If the order is unknown, or another owner's and not shared (or this is not what is shared).
        """
        services = await self.services()
        await self.authorize("read")
        order_id, reader = order_id_of(order), self.owner or ""

        def ask() -> bytes:
            with services.store.read() as snapshot:
                found = reading_of(snapshot, order_id, reader, services.now())
                if not (found.is_own or self.is_shared):
                    raise NotFound(f"there is no order {order_id!r} of yours", locator="orderId")
                return json_form.encode(collect(snapshot, found))

        self.answer(await self.state.work(ask), JSON)


class ItemsHandler(PartHandler):
    """``GET api/v1/orders/{id}/items``."""

    is_shared = True

    @door
    async def get(self, order: str) -> None:
        """Send a page of an order's items."""
        after = self.number("after", 0, 10**9 - 1)
        limit = max(1, self.number("limit", PAGE, MOST))
        await self.read(
            order,
            lambda snapshot, found: {
                "items": found.items(snapshot.items.of(found.order.order_id, after=after, limit=limit))
            },
        )


class HistoryHandler(PartHandler):
    """``GET api/v1/orders/{id}/history``: status changes and attempts, without the operator's details."""

    is_shared = True

    @door
    async def get(self, order: str) -> None:
        """Send the history."""
        await self.read(
            order,
            lambda snapshot, found: {
                "history": [_told(each) for each in snapshot.events.of(found.order.order_id)],
                "attempts": [_told(each) for each in snapshot.events.attempts(found.order.order_id)],
            },
        )


def _told(line: StatusChange | Attempt) -> StatusChange | Attempt:
    """Return a line of the history without what is the operator's."""
    return replace(line, detail=None)


class ResultsHandler(JsonHandler):
    """``GET api/v1/orders/{id}/results``: DescribeResultAccess."""

    @door
    async def get(self, order: str) -> None:
        """Send where the results lie."""
        asked = choice(SubFunction, self.get_query_argument("sub_function", "allReady"), "sub_function")
        await self.reply(DescribeResultAccess(order_id=order_id_of(order), sub_function=asked))


class CancelHandler(JsonHandler):
    """``POST api/v1/orders/{id}/cancel``: Cancel."""

    @door
    async def post(self, order: str) -> None:
        """Cancel an order."""
        await self.reply(Cancel(order_id=order_id_of(order)), status=202)


class OperationHandler(JsonHandler):
    """``POST api/v1/operations/{Name}``: any operation, request and response as JSON."""

    @door
    async def post(self, name: str) -> None:
        """Carry out an operation."""
        known = {each.name: message for message, each in OPERATIONS.items()}
        if name not in known:
            raise NotFound(
                f"there is no operation {name[:50]!r}; operations: {', '.join(known)}",
                code="OperationNotSupported",
                locator=name[:50],
            )
        message = await self.state.work(json_form.decode, known[name], self.json_body() or b"{}")
        await self.reply(message)
