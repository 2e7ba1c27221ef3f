"""The notifier of webhooks: an order's news as JSON, signed, POSTed where its owner wants it.

Called by the relay with what `oseo_lab.dispatch.contents` completed. The address is judged when something
is sent there, exactly as a callback's is, and redirects are not followed. Taken is what is answered with a
status from 200 to 299; 410 says that nobody wants more. How it is signed: `oseo_lab.model.webhooks`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from oseo_lab.builtin.callback_addresses import AllowList
from oseo_lab.builtin.callback_http import Limits, post
from oseo_lab.model.notify import sentence
from oseo_lab.model.webhooks import signed_headers
from oseo_lab.ports import Notice, ProcessingFailed

__all__ = ["WebhookNotifier"]

_GONE = 410


class WebhookNotifier:
    """Sends signed JSON.

    Parameters
    ----------
    settings : mapping
        ``hosts``: what may be called though it is not public (`AllowList`); ``limits``: `Limits`, for those
        who want others.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._allowed = AllowList(tuple(settings.get("hosts") or ()))
        self._limits = settings.get("limits") or Limits()

    def __call__(self, notice: Notice) -> None:
        """Send a notice as the relay completed it.

        Raises
        ------
        ProcessingFailed
            If it was not taken.
        """
        body = json.dumps(_payload(notice), ensure_ascii=False, separators=(",", ":")).encode()
        secret, message = notice.body["secret"], notice.body["message"]
        headers = {
            "Content-Type": "application/json",
            # the clock of the world, not of the service: receivers compare it with theirs
            **signed_headers(secret or b"", message, int(time.time()), body),
        }
        status = post(notice.address, body, headers, self._allowed, self._limits).status
        if not 200 <= status < 300:
            hint = "; redirects are not followed" if 300 <= status < 400 else ""
            raise ProcessingFailed(f"answered HTTP {status}{hint}", retry=status != _GONE)


def _payload(notice: Notice) -> dict[str, Any]:
    """Return what a receiver reads; ``id`` is the same however often it is sent."""
    body, status = notice.body, notice.body["status"]
    address = f"{body['service']}api/v1/orders/{quote(notice.order_id, safe='')}"
    return {
        "id": body["message"],
        "digest": body["digest"],
        "order": {
            "id": notice.order_id,
            "name": body["name"],
            "status": status.status.value,
            "info": status.additional,
            "items": {each.value: count for each, count in body["counts"].items() if count},
            "url": address,
        },
        "events": [{**entry, "text": sentence(entry)} for entry in body["entries"]],
    }
