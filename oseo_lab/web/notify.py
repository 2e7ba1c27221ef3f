"""The JSON API of mail and webhooks: who is told of an order, stop that, send a message again.

Beside the standard. What became of messages is at ``orders/{id}/notices`` (`oseo_lab.web.notices`).
"""

from __future__ import annotations

import re
from typing import Any

from oseo_lab.encoding import json_form
from oseo_lab.model.notify import Notification
from oseo_lab.model.webhooks import secret_text
from oseo_lab.operations.notify import NewNotification, list_notifications, notify, send_again, stop
from oseo_lab.web.base import door
from oseo_lab.web.json_door import JSON, JsonHandler, order_id_of

__all__ = ["AgainHandler", "NotificationHandler", "NotificationsHandler"]


class NotificationsHandler(JsonHandler):
    """``GET|POST api/v1/orders/{id}/notifications``: who is told of an order of yours; tell somebody."""

    @door
    async def get(self, order: str) -> None:
        """List them, without secrets."""
        services = await self.services()
        await self.authorize("read")
        context = services.context(self.owner, url=self.service_url)
        found = await self.state.work(list_notifications, order_id_of(order), context)
        self.send({"notifications": [_plain(each) for each in found]})

    @door
    async def post(self, order: str) -> None:
        """Tell somebody from now on; a webhook's secret is told this once."""
        services = await self.services()
        await self.authorize("write")
        wish = await self.state.work(json_form.decode, NewNotification, self.json_body())
        context = services.context(self.owner, url=self.service_url)
        made = await self.state.work(notify, order_id_of(order), wish, context)
        self.set_header("Cache-Control", "no-store")
        answer = {"notifications": [_plain(each) | _secret(each) for each in made]}
        self.answer(json_form.encode(answer), JSON, 201)


class NotificationHandler(JsonHandler):
    """``DELETE api/v1/orders/{id}/notifications/{notification_id}``: somebody is told no more."""

    @door
    async def delete(self, order: str, notification_id: str) -> None:
        """Stop it; say which are left."""
        services = await self.services()
        await self.authorize("write")
        context = services.context(self.owner, url=self.service_url)
        order_id = order_id_of(order)
        await self.state.work(stop, order_id, notification_id, context)
        found = await self.state.work(list_notifications, order_id, context)
        self.send({"notifications": [_plain(each) for each in found]})


class AgainHandler(JsonHandler):
    """``POST api/v1/orders/{id}/notices/{notice_id}/again``: the same message once more."""

    @door
    async def post(self, order: str, notice_id: str) -> None:
        """Queue it."""
        services = await self.services()
        await self.authorize("write")
        context = services.context(self.owner, url=self.service_url)
        number = int(notice_id) if re.fullmatch("[0-9]{1,18}", notice_id) else 0
        await self.state.work(send_again, order_id_of(order), number, context)
        self.answer(json_form.encode({"notice_id": number}), JSON, 202)


def _plain(found: Notification) -> dict[str, Any]:
    """Return a notification as it is shown."""
    return {
        "notification_id": found.notification_id,
        "channel": found.channel.value,
        "address": found.address,
        "on": [each.value for each in found.on],
        "digest": found.digest.value,
        "created": json_form.to_plain(found.created),
    }


def _secret(found: Notification) -> dict[str, str]:
    return {} if found.secret is None else {"secret": secret_text(found.secret)}
