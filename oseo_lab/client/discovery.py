"""Where is the server? The places a notebook looks, in order, and what each one said.

Jupyter's runtime files are read by jupyter_core alone: importing jupyter_server would cost a second.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from oseo_lab.client.profiles import Profile, config_path
from oseo_lab.client.transport import API, HttpTransport
from oseo_lab.model.errors import ConfigurationError, NotAuthenticated, OseoError

__all__ = ["Place", "find_server", "running_servers"]

#: What a service of oseo_lab is called at a JupyterHub, where ``OSEO_LAB_HUB_SERVICE`` says nothing else.
HUB_SERVICE = "oseo-lab"


@dataclass(frozen=True)
class Place:
    """A server that might be ours: base URL, token, process id, how it and its token were found."""

    url: str
    token: str | None
    pid: int = 0
    found_by: str = ""
    token_by: str = ""

    def __repr__(self) -> str:
        return f"Place({self.url!r}, found_by={self.found_by!r})"

    def with_token(self, token: str | None, token_by: str) -> Place:
        """Return the place with a token from elsewhere, if there is one."""
        return replace(self, token=token, token_by=token_by) if token else self


def find_server(url: str | None = None, token: str | None = None, profile: Profile | None = None) -> Place:
    """Return the server to talk to.

    Order: the arguments (a profile asked for by name is one); ``OSEO_LAB_URL`` and ``OSEO_LAB_TOKEN``; the
    profile; JupyterHub's variables; the Jupyter Server that started this kernel (``JPY_PARENT_PID``); any
    running server that answers.

    Raises
    ------
    ConfigurationError
        If there is none (``looked_in`` and the text list every place looked at) or several (they are listed).
    """
    given = token, "the argument token"
    if url:
        return _with_token(Place(url, None, found_by="the argument url").with_token(*given))
    if profile is not None and profile.named_by == "the argument profile":
        return _of_profile(profile, given)
    if not token:
        given = os.environ.get("OSEO_LAB_TOKEN"), "OSEO_LAB_TOKEN"
    if os.environ.get("OSEO_LAB_URL"):
        place = Place(os.environ["OSEO_LAB_URL"], None, found_by="OSEO_LAB_URL")
        return _with_token(place.with_token(*given))
    if profile is not None:
        return _of_profile(profile, given)
    looked = [
        "the argument url: not given",
        "OSEO_LAB_URL: not set",
        f"OSEO_LAB_PROFILE: not set, and no [profile.default] in {config_path()}",
    ]
    servers = [each.with_token(*given) for each in running_servers()]
    return _at_hub(looked, given) or _of_kernel(servers, looked) or _only_one(servers, looked)


def _of_profile(profile: Profile, given: tuple[str | None, str]) -> Place:
    """Return the server a profile names."""
    place = Place(profile.get("url") or "", None, found_by=f"{profile} ({profile.named_by})")
    return _with_token(place.with_token(profile.get("token"), str(profile)).with_token(*given))


# --------------------------------------------------------------------------------------------- runtime files


def running_servers() -> Iterator[Place]:
    """Yield the Jupyter Servers of this user whose runtime file names a living process."""
    from jupyter_core.paths import jupyter_runtime_dir

    for path in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            token = facts.get("token") or None
            place = Place(_reachable(facts), token, int(facts["pid"]), path.name, path.name)
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
        return replace(place, url=base, token=place.token or found, token_by=place.token_by or "the URL")
    for server in running_servers():
        if _same(server.url, base):
            return replace(place, url=base, token=server.token, pid=server.pid, token_by=server.token_by)
    return replace(place, url=base)


def _same(one: str, other: str) -> bool:
    def plain(url: str) -> str:
        return url.replace("://localhost:", "://127.0.0.1:").rstrip("/")

    return plain(one) == plain(other)


# ------------------------------------------------------------------------------------------------ JupyterHub


def _at_hub(looked: list[str], given: tuple[str | None, str]) -> Place | None:
    """Return what there is behind a JupyterHub: this user's server, or the Hub's service."""
    own = _single_user(given)
    shared = _hub_service(given)
    if own is None:
        looked.append("JupyterHub (JUPYTERHUB_SERVICE_PREFIX): not set")
    if own is not None and (shared is None or not (said := _asked(own))):
        return own
    for place in (own, shared):
        if place is None:
            continue
        said = _asked(place)
        looked.append(f"{place.url} ({place.found_by}): {said or 'answers'}")
        if not said:
            return place
    return None


def _single_user(given: tuple[str | None, str]) -> Place | None:
    """Return the server that a Hub's variables name: the one of this user, or the service this runs in."""
    url = os.environ.get("JUPYTERHUB_SERVICE_URL")
    if not url:
        return None
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    host = urlsplit(url).netloc.replace("0.0.0.0", "127.0.0.1").replace("[::]", "127.0.0.1")
    base = f"{urlsplit(url).scheme}://{host}/{prefix.strip('/')}".rstrip("/") + "/"
    name = os.environ.get("JUPYTERHUB_SERVICE_NAME")
    return _hub_place(base, f"JupyterHub's service {name}" if name else "JupyterHub", given)


def _hub_service(given: tuple[str | None, str]) -> Place | None:
    """Return the service of a Hub, as its public address names it (JupyterHub 5, *Spawner environment*)."""
    public = os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL", "")
    host = os.environ.get("JUPYTERHUB_HOST", "")
    base = public.rstrip("/").removesuffix("/hub")
    if not base and host:
        base = host.rstrip("/") + os.environ.get("JUPYTERHUB_BASE_URL", "/").rstrip("/")
    if not base:
        return None
    name = os.environ.get("OSEO_LAB_HUB_SERVICE") or HUB_SERVICE
    return _hub_place(f"{base}/services/{name}/", f"JupyterHub's service {name}", given)


def _hub_place(url: str, found_by: str, given: tuple[str | None, str]) -> Place:
    token = os.environ.get("JUPYTERHUB_API_TOKEN")
    return Place(url, token, found_by=found_by, token_by="JUPYTERHUB_API_TOKEN").with_token(*given)


# ------------------------------------------------------------------------------------------- who is running


def _of_kernel(servers: list[Place], looked: list[str]) -> Place | None:
    """Return the server that started this kernel, if the service is there."""
    pid = os.environ.get("JPY_PARENT_PID", "")
    mine = next((each for each in servers if pid.isdigit() and each.pid == int(pid)), None)
    if mine is None:
        looked.append(f"the server of this kernel (JPY_PARENT_PID): {pid or 'not set'}")
        return None
    place = replace(mine, found_by="the server of this kernel")
    if not (said := _asked(place)):
        return place
    looked.append(f"{place.url} (the server of this kernel): {said}")
    servers.remove(mine)
    return None


def _only_one(servers: list[Place], looked: list[str]) -> Place:
    answering = []
    for place in servers:
        said = _asked(place)
        looked.append(f"{place.url} ({place.found_by}): {said or 'answers'}")
        if not said:
            answering.append(place)
    if len(answering) == 1:
        return answering[0]
    if answering:
        listed = "\n".join(f"  {each.url}" for each in answering)
        raise ConfigurationError(
            f"{len(answering)} servers answer; say which one you mean, by oseo.connect(url), --url or "
            f"OSEO_LAB_URL:\n{listed}",
            looked_in=tuple(looked),
        )
    if not servers:
        looked.append("running Jupyter Servers: none")
    listed = "\n".join(f"  - {each}" for each in looked)
    raise ConfigurationError(
        f"no oseo_lab server was found. Looked at:\n{listed}\n"
        "Start one with `oseo-lab serve --demo`, pass oseo.connect(url, token), or try oseo.connect('demo').",
        looked_in=tuple(looked),
    )


def _asked(place: Place) -> str:
    """Return why a server is not ours; empty where it answers the API."""
    transport = HttpTransport(place.url, place.token, timeout=3.0, tries=1)
    try:
        about = transport.about()
    except NotAuthenticated:
        return f"refuses the token{f' of {place.token_by}' if place.token_by else ''}"
    except OseoError:
        return f"does not answer {API}"
    finally:
        transport.close()
    return "" if about.get("service") == "oseo_lab" else "is another service"
