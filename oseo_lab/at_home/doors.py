"""The doors without a Jupyter Server around them: a web application with what they need of its settings.

A real ``ServerApp`` is the one of its process: it reads the user's configuration files, takes over signals
and the singleton that a kernel is already. What the doors need of it is little: an identity provider, an
authorizer, and their own `State`.
"""

from __future__ import annotations

import logging
import secrets
from types import SimpleNamespace
from typing import Any

from jupyter_server.auth import AllowAllAuthorizer, IdentityProvider
from tornado.httpserver import HTTPServer
from tornado.web import Application

from oseo_lab.web.routing import load_doors, rule
from oseo_lab.web.state import STATE, State

__all__ = ["make_server"]

#: As the extension is named: the doors ask for its log under it.
NAME = "oseo_lab"
#: Bytes that Tornado lets in at all, as Jupyter Server does; the doors have their own limits.
MOST = 512 * 1024 * 1024


def make_server(state: State, token: str) -> HTTPServer:
    """Return an HTTP server whose doors know one token.

    Parameters
    ----------
    state : State
        What the doors share.
    token : str
        Who says it is the owner.
    """
    log = logging.getLogger("oseo_lab.at_home")
    provider = IdentityProvider(token=token)
    settings: dict[str, Any] = {
        "authorizer": AllowAllAuthorizer(identity_provider=provider),
        "base_url": "/",
        "cookie_secret": secrets.token_bytes(32),
        "identity_provider": provider,
        "local_hostnames": ["localhost"],
        "log_function": lambda handler: log.debug("%s %s", handler.request.method, handler.request.path),
        "serverapp": None,
        "xsrf_cookies": True,
        NAME: SimpleNamespace(log=log),
        STATE: state,
    }
    application = Application(**settings)
    application.add_handlers(".*$", [rule(application, "/", NAME)])
    load_doors()
    return HTTPServer(application, max_body_size=MOST, max_buffer_size=MOST)
