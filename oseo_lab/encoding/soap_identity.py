"""Who calls a foreign server, and how that is said: WS-Security, HTTP Basic, or a bearer token.

Beside `soap_client`, for whoever calls other OSEO servers. Sources: OASIS UsernameToken Profile 1.0,
RFC 7617, RFC 6750.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum

from oseo_lab.encoding.soap import UsernameToken, digest_token
from oseo_lab.model.delivery import Secret

__all__ = ["Credentials", "Identity"]


class Identity(StrEnum):
    """How a caller says who it is."""

    TEXT = "text"
    DIGEST = "digest"
    BASIC = "basic"
    TOKEN = "token"


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Who calls, and how that is said.

    Parameters
    ----------
    username : str
        Empty for a token.
    secret : Secret
        The password, or the token.
    identity : Identity
        WS-Security UsernameToken as text or digest, HTTP Basic, or a bearer token.
    """

    username: str = ""
    secret: Secret
    identity: Identity = Identity.TEXT

    def username_token(self) -> UsernameToken | None:
        """Return a fresh UsernameToken, where that is how it is said."""
        if self.identity is Identity.DIGEST:
            return digest_token(self.username, self.secret.reveal())
        if self.identity is Identity.TEXT:
            return UsernameToken(username=self.username, password=self.secret)
        return None

    def headers(self, *, fetching: bool = False) -> dict[str, str]:
        """Return the HTTP headers that say who calls.

        Parameters
        ----------
        fetching : bool
            A file is fetched, not a message sent: then a password goes as HTTP Basic, for there is no
            envelope to put it in.
        """
        if self.identity is Identity.TOKEN:
            return {"Authorization": f"Bearer {self.secret.reveal()}"}
        if self.identity is Identity.BASIC or fetching:
            pair = f"{self.username}:{self.secret.reveal()}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}
        return {}
