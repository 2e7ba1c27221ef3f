"""``oseo_lab.connect()``: from what a user says, or nothing at all, to a `Lab`.

A service in this process is found by name through the entry points ``oseo_lab.services``: what offers it
stands above the client.
"""

from __future__ import annotations

import difflib
import os
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from oseo_lab.client.discovery import find_server
from oseo_lab.client.given import address
from oseo_lab.client.lab import Lab
from oseo_lab.client.profiles import Profile, read_profile
from oseo_lab.client.transport import HttpTransport, Transport
from oseo_lab.model.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from oseo_lab.client.listener import CallbackListener

__all__ = ["connect"]

#: Entry points of services in the caller's own process, by what `connect` is told.
SERVICES = "oseo_lab.services"


def connect(
    url: str | None = None,
    token: str | None = None,
    *,
    profile: str | None = None,
    data_dir: str | Path | None = None,
    transport: Transport | None = None,
    soap: str | None = None,
    username: str | None = None,
    password: str | None = None,
    identity: str | None = None,
    soap_version: str | None = None,
    listen: bool | str | CallbackListener = False,
    catalogue: str | None = None,
) -> Lab:
    """Connect to an ordering service.

    Parameters
    ----------
    url : str, optional
        Base URL of its Jupyter Server, or the address Jupyter prints with ``?token=``. ``"demo"`` starts a
        service in this process: no account, no network. Without it: ``OSEO_LAB_URL``, your profile,
        JupyterHub, the server of this kernel, or the only one running; ``oseo-lab config show`` tells which.
    token : str, optional
        Jupyter token; ``OSEO_LAB_TOKEN`` or the server's runtime file otherwise.
    profile : str, optional
        A service by its name in ``~/.config/oseo_lab/config.toml``; ``OSEO_LAB_PROFILE`` or ``default``
        otherwise.
    data_dir : str or Path, optional
        Goes with ``"demo"``: where orders and results are kept for another time; a temporary folder, gone
        with this process, without it.
    transport : Transport, optional
        Another way to reach a service; then nothing is looked for.
    soap : str, optional
        SOAP endpoint of any OSEO 1.0 service, ours or not; what follows is for that alone.
    username, password : str, optional
        An account there; ``OSEO_LAB_PASSWORD`` where the password is not given. Or ``token``, sent as
        ``Authorization: Bearer``.
    identity : str, optional
        How the password is said: ``text`` (default) and ``digest`` in WS-Security, or ``basic`` in HTTP.
    soap_version : str, optional
        ``1.2`` or ``1.1``; without it 1.2, and 1.1 where the service refuses that.
    listen : bool or str, optional
        Take callbacks: True on this machine alone, or the URL the service reaches you at
        (``http://me.example.org:9000/``). Without it orders are asked after.
    catalogue : str, optional
        A STAC API that `Lab.search` asks: an OSEO service has no product search.

    Returns
    -------
    Lab
        From here on: ``lab.collections``, ``lab.search(...)``, ``lab.order(...)``, ``lab.orders``.

    Raises
    ------
    ConfigurationError
        If no server is found (every place looked at is listed), or several are; if something is said that
        belongs to the other way.
    NotAuthenticated
        If the server does not know the token.
    TransportError
        If it does not answer.

    Examples
    --------
    >>> import oseo_lab as oseo
    >>> lab = oseo.connect("demo")
    >>> lab.search("demo-s2", time="2024-06/2024-07")
    4 products of demo-s2, 2024-06-07 to 2024-07-22
    """
    way = {
        "token": token,
        "username": username,
        "password": password,
        "identity": identity,
        "soap_version": soap_version,
        "listen": listen,
        "catalogue": catalogue,
    }
    _check_way(url, soap, profile, [name for name in way if name != "token" and way[name]])
    if url is not None and (found := _named(url)) is not None:
        return _in_process(found, data_dir, token)
    if data_dir is not None:
        raise ConfigurationError("data_dir=... goes with oseo.connect('demo'): other services have their own")
    chosen = None if transport or soap or url else _profile(profile)
    if chosen is not None and chosen.get("soap"):
        soap = chosen.get("soap")
        way = {name: value or chosen.get(name) or value for name, value in way.items()}
    if soap is not None:
        transport = _soap(soap, way)
    if transport is None:
        place = find_server(url, token, chosen)
        transport = HttpTransport(place.url, place.token)
    lab = Lab(transport)
    _ = lab.about
    return lab


def _profile(name: str | None) -> Profile | None:
    """Return the profile that counts; none where ``OSEO_LAB_URL`` comes before it."""
    return None if name is None and os.environ.get("OSEO_LAB_URL") else read_profile(name)


def _named(url: str) -> EntryPoint | None:
    """Return the service in this process that a word names; None for an address.

    Raises
    ------
    ConfigurationError
        If the word is nearly one.
    """
    if not url.isidentifier():
        return None
    services = {each.name: each for each in entry_points(group=SERVICES)}
    near = difflib.get_close_matches(url, services, n=1)
    if near and url not in services:
        raise ConfigurationError(
            f"there is no service {url!r} in this process (nearest: {near[0]}); a server of that name is "
            f"written http://{url}/"
        )
    return services.get(url)


def _in_process(found: Any, data_dir: str | Path | None, token: str | None) -> Lab:
    """Start, or join, the service in this process that an entry point offers."""
    if token is not None:
        raise ConfigurationError(f"oseo.connect({found.name!r}) runs in this process and takes no token")
    service = found.load()(data_dir)
    try:
        lab = Lab(HttpTransport(service.url, service.token), service)
        _ = lab.about
    except BaseException:
        service.leave()
        raise
    return lab


def _check_way(url: str | None, soap: str | None, profile: str | None, elsewhere: list[str]) -> None:
    """Raise if what was given belongs to two ways at once: what is not looked at would surprise."""
    ways = [(name, place) for name, place in (("url", url), ("soap", soap)) if place is not None]
    for name, place in ways:
        address(place, name)
    if profile is not None:
        ways.append(("profile", profile))
    if len(ways) > 1:
        one, other = (name for name, _ in ways[:2])
        raise ConfigurationError(f"{one}=... is one way and {other}=... another: say one of them")
    if soap is None and profile is None and elsewhere:
        named = ", ".join(f"{each}=..." for each in elsewhere)
        raise ConfigurationError(f"{named} goes with soap=..., the SOAP endpoint of any OSEO service")


def _soap(url: str, way: dict[str, Any]) -> Transport:
    """Return the way to any OSEO service."""
    from oseo_lab.client.listener import CallbackListener
    from oseo_lab.client.soap_calls import credentials_of
    from oseo_lab.client.soap_transport import SoapTransport
    from oseo_lab.client.stac_search import StacSearch

    password = way["password"]
    if way["username"] and not password:
        password = os.environ.get("OSEO_LAB_PASSWORD")
    return SoapTransport(
        url,
        credentials_of(way["username"], password, way["token"], way["identity"]),
        soap_version=way["soap_version"],
        search=StacSearch(way["catalogue"]) if way["catalogue"] else None,
        listener=CallbackListener.of(way["listen"]),
    )
