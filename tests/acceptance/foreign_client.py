"""A client that is not ours: zeep, told by a WSDL what OSEO is, and its own listener for callbacks."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.xsd.types.collection import ListType
from zeep.xsd.types.unresolved import UnresolvedCustomType

OSEO = "http://www.opengis.net/oseo/1.0"
WSA = "http://www.w3.org/2005/08/addressing"


class OfflineTransport(Transport):
    """Answers schema addresses from the official files; everything else goes to the server."""

    def __init__(self, schemas: Path) -> None:
        super().__init__()
        self.schemas = schemas

    def load(self, url: str) -> bytes:
        path = self.schemas / url.partition("://")[2]
        if path.is_file():
            return path.read_bytes()
        return super().load(url)


def mend_zeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend zeep for ``swe:RealPair``: a restriction of a list has the list's item type."""
    resolve = UnresolvedCustomType.resolve

    def with_lists(self: UnresolvedCustomType) -> object:
        base = self.base_type.resolve()
        if isinstance(base, ListType):
            return type(self.name, (base.__class__,), {})(base.item_type)
        return resolve(self)

    monkeypatch.setattr(UnresolvedCustomType, "resolve", with_lists)


def zeep_client(wsdl: str, shared: Path, **more: Any) -> zeep.Client:
    """Return zeep fed with a WSDL and the official schemas."""
    client = zeep.Client(
        wsdl,
        transport=OfflineTransport(shared / "schemas"),
        settings=zeep.Settings(strict=False),  # zeep knows no substitution groups: swe:Category in an option
        **more,
    )
    # zeep overlooks maxOccurs of a sequence: it would order the first item and drop the others
    for _, element in client.get_type(f"{{{OSEO}}}OrderSpecification").elements:
        if element.name == "orderItem":
            element.max_occurs = "unbounded"
    return client


def official(shared: Path, **more: Any) -> zeep.Client:
    """Return zeep fed with the standard's own WSDL."""
    return zeep_client(str(shared / "schemas/schemas.opengis.net/oseo/1.0/oseo.wsdl"), shared, **more)


@dataclass(frozen=True)
class Call:
    """A callback as zeep read it, and as it came."""

    operation: str
    message: Any
    relates_to: str | None
    envelope: etree._Element


class AsyncClient:
    """The standard's port type for clients, implemented with zeep's reading of the official WSDL."""

    def __init__(self, client: zeep.Client) -> None:
        port = client.wsdl.services["OSEO_V100_AsyncClient"].ports["OSEO_V1.0.0_AsyncClientPort"]
        self.operations = port.binding._operations
        self.calls: list[Call] = []
        self.news = threading.Condition()
        handler = type("Handler", (_Handler,), {"owner": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/orders"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def receive(self, body: bytes, action: str) -> bytes:
        """Read a call by its SOAPAction and return the acknowledgement."""
        operation = self.operations[action.strip('"')]
        envelope = etree.fromstring(body)
        message = operation.input.deserialize(envelope)
        relates_to = envelope.findtext(f".//{{{WSA}}}RelatesTo")
        with self.news:
            self.calls.append(Call(operation.name, message.body, relates_to, envelope))
            self.news.notify_all()
        return etree.tostring(operation.output.serialize(status="success").content)

    def wait(self, operation: str, relates_to: str, seconds: float = 60) -> Call:
        """Return the newest call of an operation about a message, once there is one that is the last."""
        with self.news:
            found = self.news.wait_for(lambda: self._last(operation, relates_to), seconds)
        assert found, [(each.operation, each.relates_to) for each in self.calls]
        return found

    def _last(self, operation: str, relates_to: str) -> Call | None:
        for each in self.calls:
            if (each.operation, each.relates_to) == (operation, relates_to):
                order = getattr(each.message, "orderMonitorSpecification", None)
                if order is None or order.orderStatusInfo.status in ("Completed", "Cancelled", "Failed"):
                    return each
        return None

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: AsyncClient
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.owner.receive(body, self.headers.get("SOAPAction", ""))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
