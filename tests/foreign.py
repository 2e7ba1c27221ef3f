"""An OSEO server that is not ours, in a thread: its own habits, answers of our own writing.

SOAP 1.1 alone, times without zone, acknowledgements with attributes they must not have, blanks around values,
faults with whatever HTTP status, no idempotency. What it does differently is set by a test.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

S11 = "http://schemas.xmlsoap.org/soap/envelope/"
S12 = "http://www.w3.org/2003/05/soap-envelope"
OSEO = "http://www.opengis.net/oseo/1.0"
OWS = "http://www.opengis.net/ows/2.0"
DATA = b"four bytes and a few more"


def capabilities(url: str, operations: tuple[str, ...], flags: dict[str, str]) -> str:
    flag = {"quotation": "false", "cancel": "false", "results": "true", "asynchronous": "false"} | flags
    listed = "".join(
        f'<w:Operation name="{each}"><w:DCP><w:HTTP><w:Post x:href="{url}"/></w:HTTP></w:DCP></w:Operation>'
        for each in operations
    )
    return f"""<o:Capabilities xmlns:o="{OSEO}" xmlns:w="{OWS}" xmlns:x="http://www.w3.org/1999/xlink"
  version="1.0.0"><w:ServiceIdentification><w:Title>Old archive</w:Title><w:ServiceType>OS</w:ServiceType>
  <w:ServiceTypeVersion>1.0.0</w:ServiceTypeVersion></w:ServiceIdentification>
  <w:OperationsMetadata>{listed}</w:OperationsMetadata>
  <o:Contents><o:ProductOrders supported="true"/><o:SubscriptionOrders supported="0"/>
  <o:ProgrammingOrders supported="false"/>
  <o:GetQuotationCapabilities supported="{flag["quotation"]}" synchronous="false" asynchronous="false"
    monitoring="false"/>
  <o:SubmitCapabilities asynchronous="{flag["asynchronous"]}" globalDeliveryOptions="true"
    localDeliveryOptions="true" globalOrderOptions="true" localOrderOptions="true"/>
  <o:GetStatusCapabilities orderSearch="true" orderRetrieve="true" full="true"/>
  <o:DescribeResultAccessCapabilities supported="{flag["results"]}"/>
  <o:CancelCapabilities supported="{flag["cancel"]}" asynchronous="false"/>
  <o:SupportedCollection><o:collectionId>urn:old:landsat</o:collectionId></o:SupportedCollection>
  <o:ContentsType><o:supportedEncoding>XMLEncoding</o:supportedEncoding></o:ContentsType>
  </o:Contents></o:Capabilities>"""


OPTIONS = f"""<GetOptionsResponse xmlns="{OSEO}" xmlns:swe="http://www.opengis.net/swe/2.0">
  <status>success</status><orderOptions><productOrderOptionsId>grp7</productOrderOptionsId>
  <orderType>PRODUCT_ORDER</orderType><option><swe:DataRecord><swe:field name="processingLevel">
  <swe:Category optional="true">
  <swe:constraint><swe:AllowedTokens><swe:value>1</swe:value><swe:value>1A</swe:value></swe:AllowedTokens>
  </swe:constraint></swe:Category></swe:field></swe:DataRecord></option>
  <productDeliveryOptions><onlineDataAccess><protocol>ftp</protocol><protocol>http</protocol>
  </onlineDataAccess></productDeliveryOptions></orderOptions></GetOptionsResponse>"""


class Foreign:
    """What the server does, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.refuses_12 = "415"
        self.operations = ("GetCapabilities", "GetOptions", "Submit", "GetStatus", "DescribeResultAccess")
        self.flags: dict[str, str] = {}
        self.status = "Completed"
        self.item_status = ""
        self.references: list[str] = []
        self.seen: list[tuple[str, dict[str, str], str]] = []
        self.fault: tuple[int, str] | None = None
        self.instead: dict[str, tuple[int, str, str] | None] = {}
        self.files = "own"
        self.items: list[list[str]] = []

    def names(self) -> list[str]:
        return [name for name, _, _ in self.seen]

    def answer(self, name: str, body: str) -> str:
        return getattr(self, f"_{name}")(body)

    def _GetCapabilities(self, body: str) -> str:
        return capabilities(self.url, self.operations, self.flags)

    def _GetOptions(self, body: str) -> str:
        return OPTIONS

    def _Submit(self, body: str) -> str:
        found = re.search("<orderReference>(.*?)</orderReference>", body)
        self.references.append(found[1] if found else "")
        self.items.append(re.findall("<itemId>(.*?)</itemId>", body))
        number = len(self.references)
        return (
            f'<SubmitAck xmlns="{OSEO}" service="OS" version="1.0.0">\n'
            f"<orderId>\n http://archive.example/orders/{number}\n</orderId></SubmitAck>"
        )

    def _GetStatus(self, body: str) -> str:
        wanted = re.search("<orderReference>(.*?)</orderReference>", body)
        one = re.search("<orderId>.*?/(\\d+)</orderId>", body)
        numbers = [int(one[1])] if one else range(1, len(self.references) + 1)
        orders = [
            self._order(number)
            for number in numbers
            if not wanted or self.references[number - 1] == wanted[1]
        ]
        found = "".join(orders)
        return f'<GetStatusResponse xmlns="{OSEO}"><status> success </status>{found}</GetStatusResponse>'

    def _order(self, number: int) -> str:
        reference = self.references[number - 1]
        named = f"<orderReference>{reference}</orderReference>" if reference else "<orderReference/>"
        items = "".join(
            f"<orderItem><itemId>{each}</itemId><productId><identifier>X</identifier></productId>"
            f"<orderItemStatusInfo><status>{self.item_status or self.status}</status><additionalStatusInfo/>"
            "</orderItemStatusInfo></orderItem>"
            for each in self.items[number - 1]
        )
        return (
            f"<orderMonitorSpecification>{named}<deliveryOptions><mediaDelivery>"
            "<packageMedium>DVD</packageMedium>"
            "<shippingInstructions> as each product is ready</shippingInstructions></mediaDelivery>"
            f"</deliveryOptions><orderType>PRODUCT_ORDER</orderType>"
            f"<orderId>http://archive.example/orders/{number}</orderId>"
            f"<orderStatusInfo><status>{self.status}</status></orderStatusInfo>"
            f"<orderDateTime>2024-06-01T10:00:00</orderDateTime>{items}</orderMonitorSpecification>"
        )

    def _DescribeResultAccess(self, body: str) -> str:
        number = int(re.search("<orderId>.*?/(\\d+)</orderId>", body)[1])
        base = self.url if self.files == "own" else self.files
        urls = "".join(
            f"<URLs><itemId>{each}</itemId><itemAddress><ResourceAddress>"
            f"<URL> {base}files/{number}/{each}.dat </URL></ResourceAddress></itemAddress>"
            f"<expirationDate>2099-01-01T00:00:00</expirationDate></URLs>"
            for each in self.items[number - 1]
        )
        name = "DescribeResultAccessResponse"
        return f'<o:{name} xmlns:o="{OSEO}" xmlns="{OSEO}"><status>success</status>{urls}</o:{name}>'

    def _Cancel(self, body: str) -> str:
        self.status = "Cancelled"
        return f'<CancelAck xmlns="{OSEO}"><status>success</status></CancelAck>'


def fault(code: str = "InvalidParameterValue", text: str = "no", locator: str = "x") -> str:
    return (
        f'<s:Fault xmlns:s="{S11}"><faultcode>s:Sender</faultcode><faultstring>refused</faultstring><detail>'
        f'<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0">'
        f'<ows:Exception exceptionCode="{code}" locator="{locator}"><ows:ExceptionText>{text}'
        "</ows:ExceptionText></ows:Exception></ows:ExceptionReport></detail></s:Fault>"
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        foreign: Foreign = self.server.foreign
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        name = re.search(r"Body>\s*<(?:\w+:)?(\w+)", body)[1]
        foreign.seen.append((name, dict(self.headers), body))
        if S12 in body and foreign.refuses_12:
            return self._refuse_12(foreign.refuses_12)
        if name in foreign.instead:
            instead = foreign.instead[name]
            if instead is None:
                self.close_connection = True
                return None
            return self._send(*instead)
        if foreign.fault:
            status, inside = foreign.fault
            return self._send(status, self._enveloped(inside, S11))
        return self._send(200, self._enveloped(foreign.answer(name, body), S12 if S12 in body else S11))

    def _refuse_12(self, how: str) -> None:
        code = "<faultcode>s:VersionMismatch</faultcode><faultstring>?</faultstring>"
        mismatch = f'<s:Fault xmlns:s="{S11}">{code}</s:Fault>'
        answers = {
            "415": (415, "", "text/plain"),
            "fault": (500, self._enveloped(mismatch, S11), "text/xml"),
            "page": (500, "<html><body><h1>Server Error</h1></body></html>", "text/html"),
        }
        self._send(*answers[how])

    def _enveloped(self, inside: str, version: str) -> str:
        start = f'<?xml version="1.0"?><!-- hi --><s:Envelope xmlns:s="{version}"><s:Header/>'
        return f"{start}<s:Body>\n{inside}\n</s:Body></s:Envelope>"

    def do_GET(self) -> None:
        foreign: Foreign = self.server.foreign
        foreign.seen.append(("GET", dict(self.headers), self.path))
        wanted = "Basic " + base64.b64encode(b"anna:secret").decode()
        if foreign.files == "own" and self.headers.get("Authorization") != wanted:
            return self._send(401, "who?", "text/plain")
        return self._send(200, DATA.decode(), "application/octet-stream")

    def _send(self, status: int, body: str, kind: str = "text/xml") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def foreign_server() -> Iterator[Foreign]:
    """Run a foreign server."""
    foreign = Foreign()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.foreign = foreign
    foreign.url = f"http://127.0.0.1:{server.server_address[1]}/ordering/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield foreign
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
