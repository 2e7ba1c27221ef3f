"""Sharing over HTTP: an order's shares for its owner, and the page that a link opens, for whoever has it.

The page is read only, needs no identity and no script, and refreshes itself while the order runs. Its address
is its secret: it stays out of the log, of caches and of the addresses that other sites are told.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TypeVar

from oseo_lab.encoding import json_form
from oseo_lab.encoding.html import card
from oseo_lab.encoding.order_html import order_html
from oseo_lab.model.errors import NotFound, OseoError
from oseo_lab.model.view import OrderView
from oseo_lab.operations.context import Context
from oseo_lab.operations.shares import (
    NewShare,
    list_shares,
    share,
    shared_results,
    shared_view,
    unshare,
)
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JSON, JsonHandler, order_id_of
from oseo_lab.web.pages import POLICY, page

__all__ = [
    "NoLinkHandler",
    "ShareHandler",
    "SharedPageHandler",
    "SharedResultsHandler",
    "SharedViewHandler",
    "SharesHandler",
]

T = TypeVar("T")

#: Seconds after which the page of a running order is asked for again.
REFRESH = 10


class SharesHandler(JsonHandler):
    """``GET|POST api/v1/orders/{id}/shares``: who an order of yours is shared with; share it."""

    @door
    async def get(self, order: str) -> None:
        """List the shares; links without their secrets."""
        services = await self.services()
        await self.authorize("read")
        context = services.context(self.owner, url=self.service_url)
        self.send({"shares": await self.state.work(list_shares, order_id_of(order), context)})

    @door
    async def post(self, order: str) -> None:
        """Share the order; of a link the address is told this once."""
        services = await self.services()
        await self.authorize("write")
        wish = await self.state.work(json_form.decode, NewShare, self.json_body())
        context = services.context(self.owner, url=self.service_url)
        made = await self.state.work(share, order_id_of(order), wish, context)
        told = json_form.to_plain(made.share)
        if made.secret is not None:
            told["url"] = f"{self.service_url}shared/{made.secret}"
        self.set_header("Cache-Control", "no-store")
        self.answer(json_form.encode(told), JSON, 201)


class ShareHandler(JsonHandler):
    """``DELETE api/v1/orders/{id}/shares/{share_id}``: an order of yours is shared so no more."""

    @door
    async def delete(self, order: str, share_id: str) -> None:
        """Take the share back; say which are left."""
        services = await self.services()
        await self.authorize("write")
        context = services.context(self.owner, url=self.service_url)
        order_id = order_id_of(order)
        await self.state.work(unshare, order_id, share_id, context)
        self.send({"shares": await self.state.work(list_shares, order_id, context)})


class LinkHandler(JsonHandler):
    """What a link opens: nobody in particular asks."""

    def initialize(self, name: str) -> None:
        """Keep the secret out of the log, also where the path cannot be read."""
        super().initialize(name)
        before, _, _ = self.request.path.partition("oseo/shared/")
        self.request.uri = self.request.path = f"{before}oseo/shared/..."

    async def identify(self) -> str | None:
        """Ask nobody who they are: the secret is all that counts."""
        return None

    async def ask(self, secret: str, question: Callable[[str, Context], T]) -> T:
        """Return the answer to whoever knows the secret."""
        services = await self.services()
        context = services.context(None, url=self.service_url)
        return await self.state.work(question, secret, context)

    def set_default_headers(self) -> None:
        """Leave no trace of the address."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Robots-Tag", "noindex")
        self.set_header("X-Content-Type-Options", "nosniff")


class NoLinkHandler(LinkHandler):
    """Any other path below a link's: nothing is there, and the secret in it is not noted."""

    @door
    async def get(self, *_: str) -> None:
        """Say that there is nothing."""
        raise NotFound("this link opens nothing, or not any more: ask for a new one", locator="secret")

    head = post = put = patch = delete = options = get


class SharedViewHandler(LinkHandler):
    """``GET shared/{secret}/view``: the view of the order that a link opens."""

    @door
    async def get(self, secret: str) -> None:
        """Send the view."""
        self.send(json_form.to_plain(await self.ask(secret, shared_view)))


class SharedResultsHandler(LinkHandler):
    """``GET shared/{secret}/results``: where the results of the order lie that a link opens."""

    @door
    async def get(self, secret: str) -> None:
        """Send where they lie."""
        self.answer(json_form.encode(await self.ask(secret, shared_results)), JSON)


class SharedPageHandler(LinkHandler):
    """``GET shared/{secret}``: the order that a link opens, as a page."""

    @door
    async def get(self, secret: str) -> None:
        """Send the page."""
        view = await self.ask(secret, shared_view)
        if not view.summary.status.is_final:
            self.set_header("Refresh", str(REFRESH))
        self._send_page(view.summary.name, order_html(view) + _footer(view))

    head = get

    def answer_error(self, error: OseoError) -> None:
        """Send a page that says what is wrong."""
        self.set_status(error.http_status)
        self._send_page("Nothing here", card("Nothing here", f"<p>{escape(str(error))}</p>"))

    def _send_page(self, title: str, body: str) -> None:
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page(title, body))


def _footer(view: OrderView) -> str:
    said = "" if view.summary.status.is_final else f" This page looks again every {REFRESH} seconds."
    return f"<footer>{escape(f'Shared by {view.summary.owner}, to read only.{said}')}</footer>"
