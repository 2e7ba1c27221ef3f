"""A server that does one thing wrong: it stands before a right one and changes what goes through it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from oseo_lab.encoding import soap, xmltree
from oseo_lab.model.errors import OseoError


@dataclass(frozen=True)
class Passing:
    """A message on its way: what it is called, its bytes, and how it travels."""

    name: str
    body: bytes
    content_type: str
    status: int = 0

    @property
    def is_fault(self) -> bool:
        return self.name == "Fault"


Change = Callable[[Passing], Passing]
#: A change of an answer knows what was asked.
AnswerChange = Callable[[Passing, Passing], Passing]


def same(passing: Passing) -> Passing:
    return passing


def same_answer(asked: Passing, answer: Passing) -> Passing:
    return answer


@dataclass(frozen=True)
class Wrong:
    """What is wrong: with requests as the server gets them, its answers, its calls, and their order."""

    request: Change = same
    answer: AnswerChange = same_answer
    call: Change = same
    are_calls_reversed: bool = False


def name_of(body: bytes) -> str:
    try:
        return xmltree.local_name(soap.open_envelope(body).payload)
    except OseoError:
        return ""


class WrongServer:
    """Passes requests on to a server and its calls on to a client, both changed.

    ``listener`` is the URL that the client gives as its own: the server is told ours instead.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.wrong = Wrong()
        self.listener = ""
        self.held: list[Passing] = []
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.url, self.calls = f"{base}/oseo/", f"{base}/calls"
        self.http = httpx.Client(timeout=60)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def request(self, passing: Passing, headers: dict[str, str]) -> Passing:
        changed = self.wrong.request(passing)
        body = (
            changed.body.replace(self.listener.encode(), self.calls.encode())
            if self.listener
            else changed.body
        )
        answer = self.http.post(
            self.target, content=body, headers=headers | {"Content-Type": changed.content_type}
        )
        came = Passing(
            name_of(answer.content), answer.content, answer.headers["Content-Type"], answer.status_code
        )
        return self.wrong.answer(passing, came)

    def call(self, passing: Passing) -> Passing:
        changed = self.wrong.call(passing)
        with self.lock:
            self.held.append(changed)
            going: list[Passing] = []
            if not self.wrong.are_calls_reversed or b"<orderStatusInfo><status>Completed" in changed.body:
                going, self.held = self.held[::-1], []
        for each in going:
            answer = self.http.post(
                self.listener, content=each.body, headers={"Content-Type": each.content_type}
            )
        if not going:
            return replace(passing, body=b"", status=202)
        return Passing("", answer.content, answer.headers["Content-Type"], answer.status_code)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.http.close()


class _Handler(BaseHTTPRequestHandler):
    owner: WrongServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        passing = Passing(name_of(body), body, self.headers.get("Content-Type", ""))
        if self.path.startswith("/calls"):
            answer = self.owner.call(passing)
        else:
            kept = {
                name: self.headers[name] for name in ("SOAPAction", "Authorization") if name in self.headers
            }
            answer = self.owner.request(passing, kept)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def do_GET(self) -> None:
        """Pass on what lies beside the SOAP endpoint, as it is."""
        url = self.owner.target.removesuffix("/oseo/") + self.path
        answer = self.owner.http.get(url, headers={"Authorization": self.headers.get("Authorization", "")})
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
