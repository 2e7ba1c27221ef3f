"""WS-Security's UsernameToken, read and written (OASIS UsernameToken Profile 1.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from oseo_lab.encoding.xmltree import escape, timestamp
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import NotAuthenticated

__all__ = ["WSSE", "WSU", "UsernameToken", "digest_token", "password_digest", "read_token", "write_token"]

_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE = f"{_WSS}wssecurity-secext-1.0.xsd"
WSU = f"{_WSS}wssecurity-utility-1.0.xsd"
_PROFILE = f"{_WSS}username-token-profile-1.0"
_BASE64 = f"{_WSS}soap-message-security-1.0#Base64Binary"
#: Longest nonce, bytes.
_NONCE = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class UsernameToken:
    """WS-Security's name and password.

    Parameters
    ----------
    username : str
        Who it is.
    password : Secret
        The password, or under ``is_digest`` its digest as it travels (`password_digest`).
    is_digest : bool
        Whether it is a PasswordDigest.
    nonce : bytes or None
        At most 64 bytes.
    created : str or None
        ``wsu:Created`` as it travels: it goes into the digest letter by letter.
    """

    username: str
    password: Secret
    is_digest: bool = False
    nonce: bytes | None = None
    created: str | None = None


def read_token(security: etree._Element | None) -> UsernameToken | None:
    """Read the token of a ``wsse:Security`` header.

    Raises
    ------
    NotAuthenticated
        If it cannot be read.
    """
    tokens = [] if security is None else security.findall(f"{{{WSSE}}}UsernameToken")
    if not tokens:
        return None
    if len(tokens) > 1:
        raise _bad_token("there are two UsernameTokens; send one")
    token = tokens[0]
    names = [str(each.tag) for each in token]
    if len(names) != len(set(names)):
        raise _bad_token("a part of the UsernameToken comes twice")
    username = (token.findtext(f"{{{WSSE}}}Username") or "").strip()
    password = token.find(f"{{{WSSE}}}Password")
    if not username or password is None:
        raise _bad_token("a UsernameToken has a Username and a Password")
    kind = password.get("Type", f"{_PROFILE}#PasswordText").strip()
    if kind not in (f"{_PROFILE}#PasswordText", f"{_PROFILE}#PasswordDigest"):
        raise _bad_token("a Password is of type PasswordText or PasswordDigest")
    created = token.findtext(f"{{{WSU}}}Created")
    return UsernameToken(
        username=username,
        password=Secret(password.text or ""),
        is_digest=kind.endswith("#PasswordDigest"),
        nonce=_nonce(token.findtext(f"{{{WSSE}}}Nonce")),
        created=None if created is None else created.strip(),
    )


def _nonce(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        nonce = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _bad_token("the Nonce is not base64") from None
    if len(nonce) > _NONCE:
        raise _bad_token(f"the Nonce has {len(nonce)} bytes; at most {_NONCE} are allowed")
    return nonce


def _bad_token(text: str) -> NotAuthenticated:
    return NotAuthenticated(text, locator="identity_token")


def password_digest(nonce: bytes, created: str, password: str) -> str:
    """Return a PasswordDigest: base64 of SHA-1 of nonce, creation time and password (profile 1.0, 3.1)."""
    made = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)
    return base64.b64encode(made.digest()).decode("ascii")


def digest_token(username: str, password: str) -> UsernameToken:
    """Return a fresh token that proves a password without sending it."""
    nonce, created = secrets.token_bytes(16), timestamp(datetime.now(UTC).replace(microsecond=0))
    digest = Secret(password_digest(nonce, created, password))
    return UsernameToken(username=username, password=digest, is_digest=True, nonce=nonce, created=created)


def write_token(token: UsernameToken | None) -> str:
    """Write a ``wsse:Security`` header; nothing without a token."""
    if token is None:
        return ""
    kind = "PasswordDigest" if token.is_digest else "PasswordText"
    nonce = created = ""
    if token.nonce is not None:
        encoded = base64.b64encode(token.nonce).decode("ascii")
        nonce = f'<wsse:Nonce EncodingType="{_BASE64}">{encoded}</wsse:Nonce>'
    if token.created is not None:
        created = f'<wsu:Created xmlns:wsu="{WSU}">{escape(token.created)}</wsu:Created>'
    return (
        f'<wsse:Security xmlns:wsse="{WSSE}"><wsse:UsernameToken>'
        f"<wsse:Username>{escape(token.username)}</wsse:Username>"
        f'<wsse:Password Type="{_PROFILE}#{kind}">{escape(token.password.reveal())}</wsse:Password>'
        f"{nonce}{created}</wsse:UsernameToken></wsse:Security>"
    )
