"""Orders at a glance over the JSON API: what a card shows of one, what a table shows of many."""

from __future__ import annotations

from oseo_lab.encoding import json_form
from oseo_lab.operations.view import order_view
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JSON, JsonHandler, order_id_of

__all__ = ["ViewHandler"]


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
