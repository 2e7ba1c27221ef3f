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
from oseo_lab.encoding.wsdl import ASYNC_CLIENT, SERVICE, wsdl
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


def official(shared: Path, path: str) -> list[str]:
    location = shared / "schemas/schemas.opengis.net/oseo/1.0/oseo.wsdl"
    return [str(each) for each in etree.parse(location).xpath(path, namespaces=NAMES)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "path",
    [
        "/w:definitions/@name",
        "/w:definitions/@targetNamespace",
        "//w:portType/@name",
        "//w:portType[1]/w:operation/@name",
        "//w:portType[2]/w:operation/@name",
        "//w:service/@name",
    ],
)
def test_names_are_those_the_standard_published(path: str, shared: Path) -> None:
    assert found(path) == official(shared, path)


@pytest.mark.parametrize("path", ["//w:binding/@name", "//w:port/@name"])
def test_bindings_and_ports_of_the_standard_are_there_beside_those_of_soap_1_2(
    path: str, shared: Path
) -> None:
    own = [each for each in found(path) if each not in official(shared, path)]
    assert set(official(shared, path)) <= set(found(path))
    assert own and all("Soap12" in each for each in own)


@pytest.mark.parametrize("prefix", ["s11", "s12"])
def test_both_soap_versions_bind_the_headers_and_actions_of_the_standard(prefix: str, shared: Path) -> None:
    for binding in official(shared, "//w:binding/@name"):
        ours = binding if prefix == "s11" else binding.replace("PortBinding", "Soap12Binding")
        operations = official(shared, f"//w:binding[@name='{binding}']/w:operation/@name")
        assert found(f"//w:binding[@name='{ours}']//{prefix}:operation/@soapAction") == operations
        for operation in operations:
            path = "//w:binding[@name='{}']/w:operation[@name='{}']//{}:header/@{}"
            for kind in ("part", "message"):
                said = official(shared, path.format(binding, operation, "s11", kind))
                written = found(path.format(ours, operation, prefix, kind))
                assert [each.partition(":")[2] or each for each in written] == [
                    each.partition(":")[2] or each for each in said
                ]


def test_every_operation_that_works_has_the_reply_it_says() -> None:
    replies = {each.name: each.reply for each in (*SERVICE, *ASYNC_CLIENT)}
    worded = {name: codec.response_name for name, codec in CODECS.items() if name in replies}
    assert len(worded) >= 6
    assert worded.items() <= replies.items()


def test_address_is_this_servers_and_that_of_clients_is_left_open() -> None:
    assert found("//w:service[1]//@location") == [URL, URL]
    assert found("//w:service[2]//@location") == ["No Target Address", "No Target Address"]


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
