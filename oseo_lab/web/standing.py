"""The JSON API of standing orders: suspend, resume, what would match; and products announced by operators.

Beside the standard, whose Submit, GetStatus and Cancel are all that a subscription needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oseo_lab.encoding import json_form
from oseo_lab.model.order import Order
from oseo_lab.operations import Context
from oseo_lab.operations.standing import announce, resume, suspend, would_match
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JSON, JsonHandler, order_id_of
from oseo_lab.web.products import public

__all__ = ["AnnounceHandler", "MatchHandler", "ResumeHandler", "SuspendHandler"]


class _WishHandler(JsonHandler):
    """What a user wants of a subscription."""

    carry_out: Callable[[str, Context], Order]

    @door
    async def post(self, order: str) -> None:
        """Carry out the wish and send the order."""
        services = await self.services()
        await self.authorize("write")
        context = services.context(self.owner, url=self.service_url)
        order_id, carry_out = order_id_of(order), type(self).carry_out
        self.answer(await self.state.work(lambda: json_form.encode(carry_out(order_id, context))), JSON, 202)


class SuspendHandler(_WishHandler):
    """``POST api/v1/orders/{id}/suspend``: a subscription orders nothing more until it is resumed."""

    carry_out = staticmethod(suspend)


class ResumeHandler(_WishHandler):
    """``POST api/v1/orders/{id}/resume``: a suspended subscription goes on."""

    carry_out = staticmethod(resume)


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
