"""Ports for servers that must know theirs before they start, or come back at it."""

from __future__ import annotations

import random
import socket

__all__ = ["free_port"]

#: Below those that systems give away by themselves (Linux from 32768, IANA from 49152): a port that was free
#: stays so until its server takes it, however many connections others open meanwhile.
LOW, HIGH = 20000, 32000


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(LOW, HIGH)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
