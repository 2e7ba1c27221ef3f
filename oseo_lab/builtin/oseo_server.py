"""Asking another OSEO server, in this service's name: one address, one identity, bounded answers.

Below `provider_oseo`. Nothing follows a redirect; what the network or the server says against a request
becomes `ProcessingFailed`, with ``retry`` where asking later may help. Secrets are read once, from files or
the environment, and never shown.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from oseo_lab.encoding.soap import SoapVersion
from oseo_lab.encoding.soap_client import negotiate, read_answer, write_request
from oseo_lab.encoding.soap_identity import Credentials, Identity
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import (
    ConfigurationError,
    NotAuthenticated,
    NotAuthorized,
    OseoError,
    TransportError,
    Unavailable,
)
from oseo_lab.model.messages import Capabilities, GetCapabilities
from oseo_lab.ports import ProcessingFailed

__all__ = ["SETTINGS", "OseoServer"]

log = logging.getLogger("oseo_lab.builtin")

#: Most bytes of one answer.
LONGEST = 64 * 1024 * 1024
#: Seconds within which a whole answer must be there: one that drips would be waited for for ever.
LONGEST_SECONDS = 120.0
#: Settings that say where the server is and who this service is there.
SETTINGS = frozenset(
    {
        "href",
        "user",
        "identity",
        "soap_version",
        "timeout",
        *(f"{secret}_{place}" for secret in ("password", "token") for place in ("file", "env")),
    }
)


class OseoServer:
    """An OSEO server elsewhere.

    Parameters
    ----------
    settings : mapping
        ``href``: its SOAP endpoint. ``user`` with ``password_file`` or ``password_env``, or ``token_file`` or
        ``token_env``; ``identity``: text, digest, basic; ``soap_version``: 1.1 or 1.2; ``timeout``: seconds.

    Raises
    ------
    ConfigurationError
        If a setting is wrong, or a secret is not where it should be.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._href = str(settings.get("href") or "")
        if urlsplit(self._href).scheme not in ("http", "https"):
            raise ConfigurationError("provider_service.href: the SOAP endpoint, http://... or https://...")
        if "@" in urlsplit(self._href).netloc:
            raise ConfigurationError(
                "provider_service.href: no name or password in the address; user and password_file, or "
                "token_file, say who this service is there"
            )
        self._credentials = _credentials(settings)
        version = settings.get("soap_version")
        self._wanted = None if version is None else str(version)
        if self._wanted not in (None, "1.1", "1.2"):
            raise ConfigurationError("provider_service.soap_version: allowed: 1.1, 1.2")
        self._timeout = float(settings.get("timeout") or 30.0)
        self._lock = threading.Lock()
        self._version: SoapVersion | None = None
        self._capabilities: Capabilities | None = None
        self._client: httpx.Client | None = None

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return urlsplit(self._href).scheme

    @property
    def shown(self) -> str:
        """Its address, without anything secret."""
        parts = urlsplit(self._href)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def capabilities(self) -> Capabilities:
        """Return what the server can do, asked once; which SOAP it speaks is found out with it."""
        with self._lock:
            if self._capabilities is None:
                try:
                    self._version, answer = negotiate(self._ask_capabilities, self._wanted)
                except (OseoError, httpx.HTTPError) as wrong:
                    raise _failed(wrong) from wrong
                self._capabilities = answer
            return self._capabilities

    def _ask_capabilities(self, version: SoapVersion) -> Capabilities:
        answer: Capabilities = self._sent(GetCapabilities(), version)
        return answer

    def ask(self, request: Any, *, message_id: str | None = None, reply_to: str | None = None) -> Any:
        """Send a request; what the server or the network says against it becomes `ProcessingFailed`."""
        self.capabilities()
        assert self._version is not None
        try:
            return self._sent(request, self._version, message_id, reply_to)
        except (OseoError, httpx.HTTPError) as wrong:
            raise _failed(wrong) from wrong

    def _sent(
        self,
        request: Any,
        version: SoapVersion,
        message_id: str | None = None,
        reply_to: str | None = None,
    ) -> Any:
        posted = write_request(
            request, version, credentials=self._credentials, message_id=message_id, reply_to=reply_to
        )
        body, end = bytearray(), time.monotonic() + LONGEST_SECONDS
        with self._http().stream(
            "POST", self._href, content=posted.body, headers=dict(posted.headers)
        ) as response:
            if response.is_redirect:
                raise TransportError("it sends on to another address, which is not followed")
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LONGEST:
                    raise TransportError(f"it answered more than {LONGEST >> 20} MiB")
                if time.monotonic() > end:
                    raise TransportError(f"its answer was not there within {LONGEST_SECONDS:g} s")
        log.debug("%s at %s: HTTP %d", type(request).__name__, self.shown, response.status_code)
        return read_answer(bytes(body), status=response.status_code, url=self.shown, request=type(request))

    def _http(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(timeout=self._timeout, follow_redirects=False)
            weakref.finalize(self, self._client.close)
        return self._client


def _failed(wrong: OseoError | httpx.HTTPError) -> ProcessingFailed:
    """Return what went wrong as the loop wants it: later again, or refused."""
    if isinstance(wrong, NotAuthenticated | NotAuthorized):
        return ProcessingFailed(
            "it does not accept this service's credentials; the operator is asked to look",
            retry=True,
            detail=wrong.text,
        )
    if isinstance(wrong, httpx.HTTPError | TransportError | Unavailable) or type(wrong) is OseoError:
        return ProcessingFailed("it cannot be asked now", retry=True, detail=str(wrong) or repr(wrong))
    return ProcessingFailed(str(wrong)[:1000])


def _credentials(settings: Mapping[str, Any]) -> Credentials | None:
    """Return who this service is there; the secret is read once, from where the operator put it."""
    token, password = _secret(settings, "token"), _secret(settings, "password")
    user = str(settings.get("user") or "")
    if token is not None:
        return Credentials(secret=token, identity=Identity.TOKEN)
    if not user and password is None:
        return None
    if not user or password is None:
        raise ConfigurationError(
            "provider_service: user belongs with password_file or password_env; a token with neither"
        )
    try:
        identity = Identity(str(settings.get("identity") or "text"))
    except ValueError:
        raise ConfigurationError("provider_service.identity: allowed: text, digest, basic") from None
    return Credentials(username=user, secret=password, identity=identity)


def _secret(settings: Mapping[str, Any], name: str) -> Secret | None:
    path, variable = settings.get(f"{name}_file"), settings.get(f"{name}_env")
    if path:
        try:
            text = Path(str(path)).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"provider_service.{name}_file: {path} cannot be read") from None
        where = f"{name}_file: {path}"
    elif variable:
        text, where = os.environ.get(str(variable), ""), f"{name}_env: {variable}"
    else:
        return None
    if not text:
        raise ConfigurationError(f"provider_service.{where} is empty")
    return Secret(text)
