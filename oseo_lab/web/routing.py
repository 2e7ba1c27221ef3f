"""Which path is answered by which door, loaded with the first request.

Jupyter Server starts with one rule for everything below ``oseo``; the doors, and with them the encodings,
are imported when somebody knocks or by the thread that starts the services, whichever is first.
"""

from __future__ import annotations

import re
from typing import Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import PathMatches, Router, Rule
from tornado.web import Application

__all__ = ["Doors", "load_doors", "rule"]


class Doors(Router):
    """Finds the door of a path below ``oseo``.

    Parameters
    ----------
    application : tornado.web.Application
        The server's.
    prefix : str
        Path of the service, without a slash at the end.
    name : str
        The extension's, as its handlers are told.
    """

    #: Read by Jupyter Server when a handler is added; each door marks its own methods.
    SUPPORTED_METHODS: tuple[str, ...] = ()

    def __init__(self, application: Application, prefix: str, name: str) -> None:
        self._application = application
        self._prefix = prefix
        self._name = name
        self._rules: list[tuple[re.Pattern[str], type[Any]]] = []

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> HTTPMessageDelegate | None:
        """Return what answers a request; there is always somebody."""
        if not self._rules:
            self._rules = [(re.compile(self._prefix + pattern), handler) for pattern, handler in load_doors()]
        for pattern, handler in self._rules:
            match = pattern.fullmatch(request.path)
            if match is not None:
                arguments = [each.encode() for each in match.groups()]
                return self._application.get_handler_delegate(
                    request, handler, {"name": self._name}, path_args=_unquoted(arguments)
                )
        return None


def _unquoted(arguments: list[bytes]) -> list[bytes]:
    from urllib.parse import unquote_to_bytes

    return [unquote_to_bytes(each) for each in arguments]


def rule(application: Application, base_url: str, name: str) -> Rule:
    """Return the one rule that Jupyter Server is given."""
    # some clients name the whole URL (RFC 9112, 3.2.2), or join two slashes: they are to hear a door too
    path = re.escape(base_url.rstrip("/") + "/oseo").replace("/", "/{1,9}")
    prefix = r"(?:https?://[^/?#]*)?" + path
    return Rule(PathMatches(prefix + r"(?:/.*)?$"), Doors(application, prefix, name))


def load_doors() -> list[tuple[str, type[Any]]]:
    """Import the doors; return the pattern below the service's path and the handler of each."""
    from oseo_lab.web.routes import ROUTES

    return ROUTES
