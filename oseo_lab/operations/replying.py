"""Whom to call back: what Submit, Cancel and GetQuotation ask for beside their message (06-141r6 E, 7.4.3).

A callback needs ``wsa:ReplyTo`` with an address of its own and ``wsa:MessageID``; without them
``statusNotification`` Final or All is refused before anything is stored. Here an address is judged by what it
says; where its host leads is judged when something is sent there (the notifier), for that may change.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from oseo_lab.model.errors import Problem
from oseo_lab.model.order import Callback, CallbackKind, StatusNotification
from oseo_lab.operations.context import Context

__all__ = ["address_problem", "callback_of"]

#: WS-Addressing's own addresses: where nobody listens.
_NOBODY = re.compile(r"http://www\.w3\.org/2005/08/addressing/(anonymous|none)")
_WRITTEN = re.compile(r"[\x21-\x7e]+")
_LONGEST = 1000


def callback_of(
    policy: StatusNotification, kind: CallbackKind, context: Context
) -> Callback | Problem | None:
    """Return whom to call back, what is wrong with that, or None where nobody asked for it."""
    if policy is StatusNotification.NONE:
        return None
    if not context.callbacks:
        return _refused(policy, "nobody is called back here; use None and ask GetStatus")
    if not context.reply_to:
        return _refused(policy, "needs an address: wsa:ReplyTo/wsa:Address in the SOAP header, http or https")
    wrong = address_problem(context.reply_to)
    if wrong is not None:
        return _refused(policy, f"cannot be sent to the address of wsa:ReplyTo: {wrong}")
    if not context.message_id:
        return _refused(policy, "needs a wsa:MessageID in the SOAP header, for callbacks to relate to")
    return Callback(
        kind=kind,
        policy=policy,
        address=context.reply_to,
        message_id=context.message_id,
        soap_version=context.soap_version,
    )


def _refused(policy: StatusNotification, why: str) -> Problem:
    return Problem(
        code="InvalidNotificationValue", locator="ws-address", text=f"statusNotification {policy} {why}"
    )


def address_problem(address: str) -> str | None:
    """Say why nothing can be sent to an address; None if it looks as if something could.

    Parameters
    ----------
    address : str
        As ``wsa:Address`` or a ``ConsumerReference`` holds it.
    """
    if len(address) > _LONGEST:
        return f"it has {len(address)} characters; at most {_LONGEST} are allowed"
    if not _WRITTEN.fullmatch(address):
        return "it is no URL: spaces and what is not ASCII must be percent-encoded, a host in punycode"
    if _NOBODY.fullmatch(address):
        return "it means that nobody listens; give an address of your own, or use None and ask GetStatus"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "it is no URL"
    return _parts_problem(parts, port)


def _parts_problem(parts: SplitResult, port: int | None) -> str | None:
    if parts.scheme not in ("http", "https"):
        return f"its scheme is {parts.scheme[:20]!r}; allowed: http, https"
    if not parts.hostname:
        return "it names no host"
    if port == 0:
        return "its port is 0; allowed: 1 to 65535"
    if parts.username is not None or parts.password is not None:
        return "it holds a name or password; leave them out"
    return None
