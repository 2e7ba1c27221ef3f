"""Where is the server? The places a notebook looks, in order, and what each one said.

Jupyter's runtime files are read by jupyter_core alone: importing jupyter_server would cost a second.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oseo_lab.client.transport import API, HttpTransport
from oseo_lab.model.errors import ConfigurationError, NotAuthenticated, OseoError

__all__ = ["Place", "find_server", "running_servers"]


@dataclass(frozen=True)
class Place:
    """A server that might be ours: base URL, token, process id, and how it was found."""

    url: str
    token: str | None
    pid: int = 0
    found_by: str = ""

    def __repr__(self) -> str:
        return f"Place({self.url!r}, found_by={self.found_by!r})"


def find_server(url: str | None = None, token: str | None = None) -> Place:
    """Return the server to talk to.

    Order: the arguments; ``OSEO_LAB_URL`` and ``OSEO_LAB_TOKEN``; JupyterHub's variables; the Jupyter
    Server that started this kernel (``JPY_PARENT_PID``); any running server that answers.

    Raises
    ------
    ConfigurationError
        If there is none (every place looked at is listed) or several (they are listed).
    """
    looked: list[str] = []
    token = token or os.environ.get("OSEO_LAB_TOKEN")
    if url:
        return _with_token(Place(url, token, found_by="the argument url"))
    looked.append("the argument url: not given")
    if os.environ.get("OSEO_LAB_URL"):
        return _with_token(Place(os.environ["OSEO_LAB_URL"], token, found_by="OSEO_LAB_URL"))
    looked.append("OSEO_LAB_URL: not set")
    if hub := _hub(token):
        return hub
    looked.append("JupyterHub (JUPYTERHUB_SERVICE_PREFIX): not set")
    servers = list(running_servers())
    if mine := _parent(servers):
        return Place(mine.url, token or mine.token, mine.pid, "the server of this kernel")
    looked.append(
        f"the server of this kernel (JPY_PARENT_PID): {os.environ.get('JPY_PARENT_PID', 'not set')}"
    )
    return _only_one(servers, token, looked)


def running_servers() -> Iterator[Place]:
    """Yield the Jupyter Servers of this user whose runtime file names a living process."""
    from jupyter_core.paths import jupyter_runtime_dir

    for path in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            place = Place(_reachable(facts), facts.get("token") or None, int(facts["pid"]), path.name)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a file half written, or of another kind
        if _lives(place.pid):
            yield place


def _reachable(facts: dict[str, Any]) -> str:
    """Return a URL that this machine can open: 0.0.0.0 is where a server listens, not where it is."""
    return str(facts["url"]).replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://127.0.0.1:")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _with_token(place: Place) -> Place:
    """Complete a URL that came without a token from the runtime file of the server it names."""
    from oseo_lab.client.transport import server_url

    base, found = server_url(place.url)
    if place.token or found:
        return Place(base, place.token or found, place.pid, place.found_by)
    for server in running_servers():
        if _same(server.url, base):
            return Place(base, server.token, server.pid, place.found_by)
    return Place(base, None, place.pid, place.found_by)


def _same(one: str, other: str) -> bool:
    def plain(url: str) -> str:
        return url.replace("://localhost:", "://127.0.0.1:").rstrip("/")

    return plain(one) == plain(other)


def _hub(token: str | None) -> Place | None:
    """Return the single-user server this kernel belongs to, behind a JupyterHub."""
    if url := os.environ.get("JUPYTERHUB_SERVICE_URL"):
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
        host = url.partition("://")[2].partition("/")[0].replace("0.0.0.0", "127.0.0.1")
        base = f"{url.partition('://')[0]}://{host}{prefix}"
        return Place(base, token or os.environ.get("JUPYTERHUB_API_TOKEN"), found_by="JupyterHub")
    return None


def _parent(servers: list[Place]) -> Place | None:
    pid = os.environ.get("JPY_PARENT_PID", "")
    return next((each for each in servers if pid.isdigit() and each.pid == int(pid)), None)


def _only_one(servers: list[Place], token: str | None, looked: list[str]) -> Place:
    answering = []
    for server in servers:
        place = Place(server.url, token or server.token, server.pid, server.found_by)
        said = _asked(place)
        looked.append(f"{place.url} ({place.found_by}): {said or 'answers'}")
        if not said:
            answering.append(place)
    if len(answering) == 1:
        return answering[0]
    if answering:
        listed = "\n".join(f"  oseo.connect({each.url!r})" for each in answering)
        raise ConfigurationError(f"{len(answering)} servers answer; say which one you mean:\n{listed}")
    if not servers:
        looked.append("running Jupyter Servers: none")
    listed = "\n".join(f"  - {each}" for each in looked)
    raise ConfigurationError(
        f"no oseo_lab server was found. Looked at:\n{listed}\n"
        "Start one with `oseo-lab serve --demo`, or pass oseo.connect(url, token)."
    )


def _asked(place: Place) -> str:
    """Return why a server is not ours; empty where it answers the API."""
    transport = HttpTransport(place.url, place.token, timeout=3.0, tries=1)
    try:
        about = transport.about()
    except NotAuthenticated:
        return "refuses the token in its runtime file"
    except OseoError:
        return f"does not answer {API}"
    finally:
        transport.close()
    return "" if about.get("service") == "oseo_lab" else "is another service"
