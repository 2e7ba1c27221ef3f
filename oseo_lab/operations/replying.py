"""Whom to call back: what Submit, Cancel and GetQuotation ask for beside their message (06-141r6 E, 7.4.3).

A callback needs ``wsa:ReplyTo`` with an address of its own and ``wsa:MessageID``; without them
``statusNotification`` Final or All is refused before anything is stored.
"""

from __future__ import annotations

from oseo_lab.model.errors import Problem
from oseo_lab.model.order import Callback, CallbackKind, StatusNotification
from oseo_lab.operations.context import Context

__all__ = ["callback_of"]


def callback_of(
    policy: StatusNotification, kind: CallbackKind, context: Context
) -> Callback | Problem | None:
    """Return whom to call back, what is wrong with that, or None where nobody asked for it."""
    if policy is StatusNotification.NONE:
        return None
    return Problem(
        code="InvalidNotificationValue",
        locator="ws-address",
        text=f"statusNotification {policy} is not offered; use None and ask GetStatus",
    )
