"""A load generator in a process of its own: keep-alive connections on one epoll, a request each at a time.

``python load.py HOST PORT CLIENTS SECONDS`` with one whole HTTP request on stdin; prints one JSON line with
how many answers came, how many were no success, and in how many seconds.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client:
    """One connection and the answer it is waiting for."""

    def __init__(self, address: tuple[str, int], request: bytes) -> None:
        self.request = request
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""

    def ask(self) -> None:
        self.heard = b""
        self.socket.sendall(self.request)

    def hear(self) -> int | None:
        """Take what has come; return the status once the answer is whole, 0 if the connection broke."""
        chunk = self.socket.recv(1 << 16)
        if not chunk:
            return 0
        self.heard += chunk
        head, end, body = self.heard.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if end else None
        if length is None or len(body) < int(length[1]):
            return None
        return int(head[9:12])


def press(address: tuple[str, int], request: bytes, clients: int, seconds: float) -> dict[str, Any]:
    """Ask as fast as answers come."""
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        client = Client(address, request)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.ask()
    good = bad = 0
    start = time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        for key, _ in selector.select(1.0):
            client = key.data
            status = client.hear()
            if status is None:
                continue
            good, bad = (good + 1, bad) if 200 <= status < 300 else (good, bad + 1)
            if status == 0:
                selector.unregister(client.socket)
                client = Client(address, request)
                selector.register(client.socket, selectors.EVENT_READ, client)
            client.ask()
    return {"good": good, "bad": bad, "seconds": now - start}


if __name__ == "__main__":
    host, port, clients, seconds = sys.argv[1:]
    result = press((host, int(port)), sys.stdin.buffer.read(), int(clients), float(seconds))
    print(json.dumps(result))
