"""The WSDL: published names, this server's address, and a foreign client that understands it."""

from __future__ import annotations

from lxml import etree

from oseo_lab.encoding.oseo import CODECS
from oseo_lab.encoding.wsdl import wsdl

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
