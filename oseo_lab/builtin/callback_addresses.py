"""Where a callback may go: nowhere inside, unless the operator has named it.

A user chooses the address and this server makes the connection, so a callback must not reach what only this
server can reach. A host is resolved once, at sending time, every address it has is judged, and the connection
is made to an address that was judged (`callback_http`): a name that changes its mind gains nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from oseo_lab.model.errors import ConfigurationError
from oseo_lab.ports import ProcessingFailed

__all__ = ["AllowList"]

Address = IPv4Address | IPv6Address

#: IPv6 addresses that lead to an IPv4 one (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
#: What IANA has given out for everybody, and special parts of it that some Pythons take for public: protocol
#: assignments (Teredo among them), documentation, 6to4 relays.
_UNICAST = IPv6Network("2000::/3")
_SPECIAL: tuple[IPv4Network | IPv6Network, ...] = (
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
)
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,252}", re.ASCII)
#: Most addresses of one name that are tried.
_MOST_ADDRESSES = 8


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the operator's list: a name or a network, on one port or on all."""

    name: str
    network: IPv4Network | IPv6Network | None
    port: int | None


class AllowList:
    """The hosts that may be called back though their addresses are not public.

    Parameters
    ----------
    hosts : sequence of str
        Each a ``name``, an address, a network such as ``10.1.0.0/16``, or one of the first two with ``:port``
        (an IPv6 address then in brackets).

    Raises
    ------
    ConfigurationError
        If one is none of these.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self._entries = [_entry(each) for each in hosts]

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host to connect to, all of them judged.

        Raises
        ------
        ProcessingFailed
            If it has none, or one that is not allowed: nothing is sent then.
        """
        addresses = _addresses(host, port)
        name = host.rstrip(".").lower()
        for address in addresses:
            if not (is_public(address) or self._is_named(name, address, port)):
                # its user is not told where: what names mean inside is nobody's to learn
                raise ProcessingFailed(
                    f"{host[:100]} is not called back: it leads to no public address; the operator can name "
                    "it in callback_hosts",
                    detail=f"it leads to {address}",
                )
        return [str(each) for each in addresses[:_MOST_ADDRESSES]]

    def _is_named(self, name: str, address: Address, port: int) -> bool:
        real = embedded(address) or address
        return any(
            each.port in (None, port)
            and (each.name == name if each.network is None else real in each.network)
            for each in self._entries
        )


def _entry(host: str) -> _Entry:
    text, port = host.strip().lower(), None
    name, colon, digits = text.rpartition(":")
    if colon and digits.isdecimal() and (":" not in name or name.endswith("]")):
        text, port = name, int(digits)
    text = text.removeprefix("[").removesuffix("]")
    try:
        return _Entry(text, ip_network(text, strict=False), port)
    except ValueError:
        if not _NAME.fullmatch(text):
            raise ConfigurationError(
                f"callback_hosts: {host!r} is no name, name:port, address or network"
            ) from None
        return _Entry(text.rstrip("."), None, port)


def _addresses(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as unknown:
        raise ProcessingFailed(f"{host[:100]} has no address: {unknown}", retry=True) from None
    texts: Iterable[str] = dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found)
    return [ip_address(each) for each in texts]


def embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to, if it does: mapped, 6to4, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def is_public(address: Address) -> bool:
    """Whether anybody could reach an address, so that reaching it from here tells nothing.

    Neither private, loopback, link-local (there clouds keep their secrets), multicast, reserved, unspecified,
    nor an IPv6 address that hides such an IPv4 one.
    """
    hidden = embedded(address)
    if hidden is not None:
        return is_public(hidden)
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not (
        any(address in network for network in _SPECIAL)
        or address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )
