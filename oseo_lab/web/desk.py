"""The JSON API of the order desk: what waits for operators, their decisions, what they tell users.

For operators only; decisions are answered 202 with the order as it stands, then carried out. What users are
told is part of ``GET api/v1/``, for everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, Literal

from oseo_lab.encoding import json_form
from oseo_lab.encoding.desk_html import board_html
from oseo_lab.encoding.html import card
from oseo_lab.model.desk import Announcement
from oseo_lab.model.errors import OseoError
from oseo_lab.model.order import Order
from oseo_lab.operations import Context
from oseo_lab.operations.board import board, look
from oseo_lab.operations.desk import announce, approve, reject, run_again, withdraw
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JSON, JsonHandler, order_id_of
from oseo_lab.web.pages import POLICY, page

__all__ = [
    "AnnouncementHandler",
    "ApproveHandler",
    "DeskHandler",
    "DeskPageHandler",
    "LookHandler",
    "RejectHandler",
    "RunAgainHandler",
]

#: Seconds after which the page is asked for again.
REFRESH = 30


class _OperatorHandler(JsonHandler):
    """What operators ask and decide."""

    async def carry_out(
        self, access: Literal["read", "write"], wish: Callable[[Context], Any], status: int = 200
    ) -> None:
        """Carry out what ``wish`` does and send what it returns."""
        services = await self.services()
        await self.authorize(access)
        context = services.context(self.owner, url=self.service_url)
        self.set_header("Cache-Control", "no-store")
        self.answer(await self.state.work(lambda: json_form.encode(wish(context))), JSON, status)

    async def decide(self, order: str, wish: Callable[[str, Context], Order]) -> None:
        """Decide of an order."""
        await self.carry_out("write", partial(wish, order_id_of(order)), 202)


class DeskHandler(_OperatorHandler):
    """``GET api/v1/desk``: the board."""

    @door
    async def get(self) -> None:
        """Send the board."""
        await self.carry_out("read", board)


class LookHandler(_OperatorHandler):
    """``GET api/v1/desk/orders/{id}``: an order as operators see it who are to decide of it."""

    @door
    async def get(self, order: str) -> None:
        """Send what was asked and where it stands."""
        await self.carry_out("read", partial(look, order_id_of(order)))


class DeskPageHandler(JsonHandler):
    """``GET desk``: the board as a page, to read; the board in JupyterLab has the buttons."""

    @door
    async def get(self) -> None:
        """Send the page."""
        services = await self.services()
        await self.authorize("read")
        found = await self.state.work(board, services.context(self.owner, url=self.service_url))
        self.set_header("Refresh", str(REFRESH))
        said = (
            f"lab.operator in Python and oseo-lab desk decide. This page looks again every {REFRESH} seconds."
        )
        self._send_page("Order desk", f"{board_html(found)}<footer>{said}</footer>")

    head = get

    def answer_error(self, error: OseoError) -> None:
        """Send a page that says what is wrong."""
        self.set_status(error.http_status)
        self._send_page("Order desk", card("Order desk", f"<p>{escape(str(error))}</p>"))

    def _send_page(self, title: str, body: str) -> None:
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page(title, body))


class ApproveHandler(_OperatorHandler):
    """``POST api/v1/desk/orders/{id}/approve``: an order that waits is made."""

    @door
    async def post(self, order: str) -> None:
        """Approve."""
        await self.decide(order, approve)


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """The body of a rejection: what its user shall read."""

    reason: str


class RejectHandler(_OperatorHandler):
    """``POST api/v1/desk/orders/{id}/reject``: an order that waits is cancelled, for a reason."""

    @door
    async def post(self, order: str) -> None:
        """Reject."""
        said = await self.state.work(json_form.decode, Rejection, self.json_body())
        await self.decide(order, lambda order_id, context: reject(order_id, said.reason, context))


class RunAgainHandler(_OperatorHandler):
    """``POST api/v1/desk/orders/{id}/run-again``: what is stuck of an order begins anew."""

    @door
    async def post(self, order: str) -> None:
        """Let it begin anew."""
        await self.decide(order, run_again)


class AnnouncementHandler(_OperatorHandler):
    """``PUT|DELETE api/v1/desk/announcement``: what all users are told."""

    @door
    async def put(self) -> None:
        """Tell them something, in place of what was told before."""
        said = await self.state.work(json_form.decode, Announcement, self.json_body())
        await self.carry_out("write", lambda context: announce(said.text, said.until, context))

    @door
    async def delete(self) -> None:
        """Tell them nothing any more."""
        await self.carry_out("write", _withdrawn)


def _withdrawn(context: Context) -> dict[str, None]:
    withdraw(context)
    return {"announcement": None}
