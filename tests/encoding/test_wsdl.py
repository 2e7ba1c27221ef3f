"""The WSDL: published names, this server's address, and a foreign client that understands it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree
from zeep import Client, Transport
from zeep.xsd.types.collection import ListType
from zeep.xsd.types.unresolved import UnresolvedCustomType

from oseo_lab.encoding.oseo import CODECS, decode_request
from oseo_lab.encoding.soap import SoapVersion, open_envelope
from oseo_lab.encoding.wsdl import wsdl
from tests.encoding.golden import REQUESTS

NAMES = {
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "s11": "http://schemas.xmlsoap.org/wsdl/soap/",
    "s12": "http://schemas.xmlsoap.org/wsdl/soap12/",
    "xs": "http://www.w3.org/2001/XMLSchema",
}
URL = "https://lab.example.org/user/grace/oseo/?a=1&b=2"
ROOT = etree.fromstring(wsdl(URL))


def found(path: str) -> list[str]:
    return [str(each) for each in ROOT.xpath(path, namespaces=NAMES)]  # type: ignore[union-attr]


def test_names_are_those_the_standard_published() -> None:
    assert found("/w:definitions/@name") == ["OSEO_V100"]
    assert found("/w:definitions/@targetNamespace") == ["http://www.opengis.net/oseo/1.0"]
    assert found("//w:portType/@name") == ["OSEO_V100_Service"]
    assert found("//w:service/@name") == ["OSEO_V100"]
    assert "OSEO_V1.0.0_Port" in found("//w:port/@name")


def test_both_bindings_have_the_operations_that_work_and_no_other() -> None:
    assert found("//w:portType/w:operation/@name") == list(CODECS)
    for prefix in ("s11", "s12"):
        assert found(f"//w:binding[{prefix}:binding]/w:operation/@name") == list(CODECS)
        assert found(f"//{prefix}:operation/@soapAction") == list(CODECS)


def test_address_is_this_servers() -> None:
    assert found("//s11:address/@location") == found("//s12:address/@location") == [URL]


def test_types_come_from_the_official_schema() -> None:
    assert "http://schemas.opengis.net/oseo/1.0/oseo.xsd" in found("//xs:import/@schemaLocation")


def test_every_message_part_and_reference_is_defined() -> None:
    messages = {f"oseo:{name}" for name in found("//w:message/@name")}
    assert set(found("//@message")) <= messages
    bindings = {f"oseo:{name}" for name in found("//w:binding/@name")}
    assert set(found("//w:port/@binding")) == bindings


class FromDisk(Transport):
    """Answers every address from the official schemas on disk, and the WSDL's own from memory."""

    def __init__(self, shared: Path) -> None:
        super().__init__()
        self.folder = shared / "schemas"

    def load(self, url: str) -> bytes:
        parts = urlsplit(url)
        if url == URL:
            return wsdl(URL)
        assert parts.scheme in ("http", "https"), url
        return (self.folder / parts.netloc / parts.path.lstrip("/")).read_bytes()


@pytest.fixture
def mended_zeep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeep fails on ``swe:RealPair``, a restriction of a list: let that be the list itself."""
    as_it_is = UnresolvedCustomType.resolve

    def resolve(self: UnresolvedCustomType) -> object:
        base = self.base_type.resolve()
        return base if isinstance(base, ListType) else as_it_is(self)

    monkeypatch.setattr(UnresolvedCustomType, "resolve", resolve)


@pytest.mark.usefixtures("mended_zeep")
def test_foreign_client_writes_requests_from_it_that_are_read_here(shared: Path) -> None:
    client = Client(URL, transport=FromDisk(shared))
    for binding, version in (
        ("OSEO_V100_ServicePortBinding", SoapVersion.V11),
        ("OSEO_V100_ServiceSoap12Binding", SoapVersion.V12),
    ):
        service = client.create_service(f"{{http://www.opengis.net/oseo/1.0}}{binding}", URL)
        item = {"itemId": "a", "productId": {"identifier": "p"}}
        arguments = {
            "service": "OS",  # the reason for not calling create_message: it has a parameter of that name
            "version": "1.0.0",
            "orderSpecification": {"orderType": "PRODUCT_ORDER", "orderItem": [item]},
            "statusNotification": "None",
        }
        message, headers = service._binding._create("Submit", (), arguments, client=client)
        opened = open_envelope(
            etree.tostring(message),
            content_type=headers["Content-Type"],
            soap_action=headers.get("SOAPAction"),
        )
        assert opened.version is version
        assert decode_request(opened.payload) == REQUESTS["Submit_least"]
