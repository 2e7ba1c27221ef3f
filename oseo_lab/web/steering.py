"""The JSON API of orders that run or are over: pause, resume, try again what was not made.

Beside the standard, whose Submit, GetStatus and Cancel know nothing of it: in between, a paused order is
Suspended, and one that is tried again InProduction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from oseo_lab.encoding import json_form
from oseo_lab.model.order import Order
from oseo_lab.operations import Context
from oseo_lab.operations.steering import pause, resume, retry
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JSON, JsonHandler, order_id_of

__all__ = ["PauseHandler", "ResumeHandler", "RetryHandler"]


class _WishHandler(JsonHandler):
    """What a user wants of an order: answered 202 with the order as it stands, then done."""

    async def carry_out(self, order: str, wish: Callable[[str, Context], Order]) -> None:
        """Carry out the wish and send the order."""
        services = await self.services()
        context = services.context(self.owner, url=self.service_url)
        made = await self.state.work(wish, order_id_of(order), context)
        self.answer(await self.state.work(json_form.encode, made), JSON, 202)


class PauseHandler(_WishHandler):
    """``POST api/v1/orders/{id}/pause``: nothing more of it begins until it is resumed."""

    @door
    async def post(self, order: str) -> None:
        """Pause."""
        await self.services()
        await self.authorize("write")
        await self.carry_out(order, pause)


class ResumeHandler(_WishHandler):
    """``POST api/v1/orders/{id}/resume``: a paused order goes on."""

    @door
    async def post(self, order: str) -> None:
        """Resume."""
        await self.services()
        await self.authorize("write")
        await self.carry_out(order, resume)


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Which items are tried again: None for all that failed and may be helped by it."""

    item_ids: tuple[str, ...] | None = None


class RetryHandler(_WishHandler):
    """``POST api/v1/orders/{id}/retry``: items that were not made are tried again."""

    @door
    async def post(self, order: str) -> None:
        """Try again."""
        await self.services()
        await self.authorize("write")
        asked = await self.state.work(json_form.decode, Retry, self.json_body()) if self.body else Retry()
        await self.carry_out(order, partial(_retry, asked))


def _retry(asked: Retry, order_id: str, context: Context) -> Order:
    return retry(order_id, asked.item_ids, context)
