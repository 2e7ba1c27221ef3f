"""The JSON API of standing orders: what would match; and products announced by operators.

Beside the standard, whose Submit, GetStatus and Cancel are all that a subscription needs.
"""

from __future__ import annotations

from dataclasses import dataclass

from oseo_lab.encoding import json_form
from oseo_lab.operations.standing import announce, would_match
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JsonHandler, order_id_of
from oseo_lab.web.products import public

__all__ = ["AnnounceHandler", "MatchHandler"]


class MatchHandler(JsonHandler):
    """``POST api/v1/orders/{id}/match``: what a subscription would order now; nothing is ordered."""

    @door
    async def post(self, order: str) -> None:
        """Send the products."""
        services = await self.services()
        await self.authorize("read")
        context = services.context(self.owner, url=self.service_url)
        products = await self.state.errand(would_match, order_id_of(order), context)
        self.send({"products": [json_form.to_plain(public(each)) for each in products]})


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """The body of an announcement: products that have appeared in a collection's catalogue."""

    identifiers: tuple[str, ...]


class AnnounceHandler(JsonHandler):
    """``POST api/v1/collections/{id}/announce``: products have appeared; for operators."""

    @door
    async def post(self, collection_id: str) -> None:
        """Match them at once; say how many items were ordered by it."""
        services = await self.services()
        await self.authorize("write")
        said = await self.state.work(json_form.decode, Announcement, self.json_body())
        context = services.context(self.owner, url=self.service_url)
        ordered = await self.state.errand(announce, collection_id, said.identifiers, context)
        self.send({"ordered": ordered})
