"""Who is asking, by a request's headers: Jupyter's own identity, or HTTP Basic of an account.

Step 3 of the walk. One owner for one person behind all doors; what a browser sends by itself (cookies,
remembered passwords) counts only where it cannot have been tricked into sending it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from typing import Any, cast

from jupyter_core.utils import ensure_async
from jupyter_server.auth import IdentityProvider, PasswordIdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from oseo_lab.model.errors import NotAuthenticated, NotAuthorized
from oseo_lab.web.state import STATE, State

__all__ = ["IdentityHandler", "owner_of"]

#: Identity providers that know a token or a password but no names: all their users are one owner.
_NAMELESS = (IdentityProvider, PasswordIdentityProvider)


def owner_of(provider: IdentityProvider, user: User, nameless: str) -> str:
    """Return whose orders a Jupyter user sees.

    A server known by its token or one password gives each browser a random name: those are all ``nameless``.
    Elsewhere (a Hub, a header, a directory) the user's name is the owner.
    """
    if type(provider) in _NAMELESS:
        return nameless
    made_up = len(user.username) == 32 and str(user.display_name).startswith("Anonymous ")
    return nameless if made_up else user.username


class IdentityHandler(ExtensionHandlerMixin, JupyterHandler):
    """Knows its caller."""

    #: Whether a browser's cookie, or a token in the URL, says who is asking.
    knows_browsers = False
    owner: str | None = None

    def check_xsrf_cookie(self) -> None:
        """Do nothing yet: `_by_jupyter` asks once it is known that a cookie identified the caller."""

    def set_cookie(self, *_: Any, **__: Any) -> None:
        """Set no cookie: no door's answer carries one."""

    @property
    def state(self) -> State:
        """What the doors share."""
        return cast(State, self.settings[STATE])

    async def identify(self) -> str | None:
        """Return whose request it is by its headers; None where they say nothing.

        Raises
        ------
        NotAuthenticated
            If they say something that is not so.
        """
        authorization = self.request.headers.get("Authorization", "")
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "basic":
            return await self._by_basic(rest.strip())
        if not self.knows_browsers:
            self._forget_browser()
        user = await self._by_jupyter(scheme.lower(), rest.strip())
        if user is None:
            if authorization:
                raise NotAuthenticated("the token is not right", locator="identity_token")
            return None
        owner = owner_of(self.identity_provider, user, self.state.settings.owner)
        self.current_user = self._jupyter_current_user = User(username=owner)
        if not getattr(self, "_token_authenticated", False):
            self._check_browser()
        return owner

    async def _by_jupyter(self, scheme: str, token: str) -> User | None:
        provider = self.identity_provider
        if type(provider) in _NAMELESS and scheme in ("token", "bearer"):
            if not provider.token or not hmac.compare_digest(provider.token.encode(), token.encode()):
                return None
            self._token_authenticated = True
            return User(username=self.state.settings.owner)
        return cast("User | None", await ensure_async(provider.get_user(self)))

    async def _by_basic(self, credentials: str) -> str:
        self.refuse_open_network("HTTP Basic")
        try:
            name, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name, colon, password = "", "", ""
        if not colon:
            raise NotAuthenticated(
                "the Authorization header is not HTTP Basic in UTF-8", locator="identity_token"
            )
        owner = await self.state.check_password(name, password)
        self.current_user = self._jupyter_current_user = User(username=owner)
        if (
            not self.check_origin()
        ):  # a browser sends a password it was once told to other sites' requests too
            raise NotAuthorized("the request comes from another site")
        return owner

    def refuse_open_network(self, what: str) -> None:
        """Refuse a password that others on the way could have read.

        Raises
        ------
        NotAuthenticated
            If it came over plain http from another machine, unless ``insecure_passwords`` allows that.
        """
        if self.request.protocol == "https" or self.state.settings.insecure_passwords:
            return
        try:
            if ipaddress.ip_address(self.request.remote_ip or "").is_loopback:
                return
        except ValueError:  # a UNIX socket has no address: nobody on the way
            return
        raise NotAuthenticated(
            f"{what} is refused over plain http from another machine; use https, a token or PasswordDigest",
            locator="identity_token",
        )

    def _forget_browser(self) -> None:
        """Take cookies and URL tokens away before an identity provider sees them."""
        if "Cookie" in self.request.headers:
            del self.request.headers["Cookie"]
        self.request.arguments.pop("token", None)
        self.request.query_arguments.pop("token", None)

    def _check_browser(self) -> None:
        """Guard a request that a browser could have been tricked into.

        Raises
        ------
        NotAuthorized
            If it came from another site, or lacks Jupyter's XSRF token.
        """
        allowed = self.check_origin()
        if allowed and self.knows_browsers and self.request.method not in ("GET", "HEAD", "OPTIONS"):
            try:
                super().check_xsrf_cookie()
            except web.HTTPError as refusal:
                raise NotAuthorized(
                    f"{refusal.log_message}; send Jupyter's _xsrf cookie back in X-XSRFToken, or a token"
                ) from None
        if not allowed:
            raise NotAuthorized("the request comes from another site")
