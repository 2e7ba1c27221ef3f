"""How messages to webhooks are signed, and how whoever receives one makes sure of it.

By the convention of Standard Webhooks 1.0.0 (standardwebhooks.com), for which there are libraries in many
languages: the headers ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``, the last one ``v1,``
and the base64 of HMAC-SHA256 over id, timestamp and body, joined by full stops. A secret is written
``whsec_`` and its base64.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

__all__ = ["PREFIX", "TOLERANCE", "secret_text", "signed_headers", "verify_webhook"]

PREFIX = "whsec_"
#: Seconds by which the clocks of both sides may differ.
TOLERANCE = 300


def secret_text(secret: bytes) -> str:
    """Return a secret as it is told, once."""
    return PREFIX + base64.b64encode(secret).decode()


def signed_headers(secret: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver knows who sent a message, and when."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{_signature(secret, message_id, str(timestamp), body)}",
    }


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a message came from who knows the secret, just now, and unchanged.

    Parameters
    ----------
    secret : str
        ``whsec_...``, as `Order.notify` told it.
    headers : mapping of str to str
        Of the request, names in any case.
    body : bytes
        As received, before anything parsed it.
    now : float
        Seconds since 1970, ``time.time()``. A message older or newer than five minutes is refused: it may be
        somebody's recording.
    """
    said = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = said.get("webhook-id", ""), said.get("webhook-timestamp", "")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        is_fresh = abs(int(now) - int(timestamp)) <= TOLERANCE
        expected = _signature(key, message_id, timestamp, body).encode()
        signatures = [each.encode() for each in said.get("webhook-signature", "").split()]
    except (ValueError, binascii.Error):  # whatever a stranger sends, it is refused and breaks nothing
        return False
    given = [each[3:] for each in signatures if each.startswith(b"v1,")]
    # anybody could have signed with a secret that is empty
    return bool(key) and is_fresh and any(hmac.compare_digest(expected, each) for each in given)


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    content = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, content, "sha256")).decode()
