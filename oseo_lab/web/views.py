"""Orders at a glance over the JSON API: what a card shows of one, what a table shows of many."""

from __future__ import annotations

from oseo_lab.encoding import json_form
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.status import Status
from oseo_lab.operations.summaries import SummaryQuery, list_summaries
from oseo_lab.operations.view import order_view
from oseo_lab.web.base import door
from oseo_lab.web.json_door import (
    JSON,
    MOST,
    PAGE,
    JsonHandler,
    choice,
    instant_of,
    order_id_of,
)

__all__ = ["SummariesHandler", "ViewHandler"]


class ViewHandler(JsonHandler):
    """``GET api/v1/orders/{id}/view``: counts, the items that matter most, what failed, time left."""

    @door
    async def get(self, order: str) -> None:
        """Send the view."""
        services = await self.services()
        await self.authorize("read")
        context = services.context(self.owner, url=self.service_url)
        order_id = order_id_of(order)
        self.set_header("Cache-Control", "no-store")
        self.answer(await self.state.work(lambda: json_form.encode(order_view(order_id, context))), JSON)


class SummariesHandler(JsonHandler):
    """``GET api/v1/orders/summaries``: your orders, or those shared with you, at a glance, newest first."""

    @door
    async def get(self) -> None:
        """Send a page; ``cursor`` leads to the next one."""
        services = await self.services()
        await self.authorize("read")
        said = self.get_query_argument
        statuses = [each for text in self.get_query_arguments("status") for each in text.split(",") if each]
        query = SummaryQuery(
            name=said("name", None) or None,
            statuses=frozenset(choice(Status, each, "status") for each in statuses),
            collection=said("collection", None) or None,
            since=instant_of(said("since", ""), "since"),
            until=instant_of(said("until", ""), "until"),
            shared=_flag(said("shared", ""), "shared"),
            limit=max(1, self.number("limit", PAGE, MOST)),
            cursor=order_id_of(said("cursor", "")) if said("cursor", "") else "",
        )
        context = services.context(self.owner, url=self.service_url)
        self.set_header("Cache-Control", "no-store")
        self.answer(await self.state.work(lambda: json_form.encode(list_summaries(query, context))), JSON)


def _flag(text: str, locator: str) -> bool:
    known = {"": False, "0": False, "false": False, "1": True, "true": True}
    if text.lower() not in known:
        raise ValidationError(f"{locator} {text[:50]!r} is neither true nor false", locator=locator)
    return known[text.lower()]
