"""The WSDL this server publishes: the standard's names, the operations that work, this server's address.

Of our own writing. It names types by importing the official schema from its official address (06-141r6
Annex); a client that has no network keeps a copy of that schema. A second binding speaks SOAP 1.2, which
the text of the standard asks for and its WSDL does not have.
"""

from __future__ import annotations

from oseo_lab.encoding.oseo import CODECS, Codec
from oseo_lab.encoding.xmltree import OSEO, OWS, attribute

__all__ = ["wsdl"]

_SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/"
_SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
#: Operations whose request may carry WS-Addressing headers (06-141r6, WSDL).
_ADDRESSED = ("GetQuotation", "Submit", "Cancel")
_OSEO_XSD = "http://schemas.opengis.net/oseo/1.0/oseo.xsd"
_OWS_XSD = "http://schemas.opengis.net/ows/2.0/owsAll.xsd"
_ADDRESSING_XSD = "http://www.w3.org/2005/08/addressing/ws-addr.xsd"


def _message(name: str, *parts: tuple[str, str]) -> str:
    inside = "".join(f'<wsdl:part name="{part}" element="{element}"/>' for part, element in parts)
    return f'<wsdl:message name="{name}">{inside}</wsdl:message>'


def _messages() -> str:
    written = [_message("ServiceExceptionReport", ("fault", "ows:ExceptionReport"))]
    for codec in CODECS.values():
        written.append(_message(f"{codec.name}RequestParameter", ("parameters", f"oseo:{codec.name}")))
        written.append(
            _message(f"{codec.response_name}Parameter", ("parameters", f"oseo:{codec.response_name}"))
        )
    headers = (("MessageID", "wsa:MessageID"), ("ReplyTo", "wsa:ReplyTo"))
    return "".join([*written, _message("StartHeader", *headers)])


def _port_operation(codec: Codec) -> str:
    return (
        f'<wsdl:operation name="{codec.name}"><wsdl:input message="oseo:{codec.name}RequestParameter"/>'
        f'<wsdl:output message="oseo:{codec.response_name}Parameter"/>'
        '<wsdl:fault name="ServiceExceptionReport" message="oseo:ServiceExceptionReport"/></wsdl:operation>'
    )


def _bound_operation(codec: Codec, prefix: str) -> str:
    headers = ""
    if codec.name in _ADDRESSED:
        headers = "".join(
            f'<{prefix}:header message="oseo:StartHeader" part="{part}" use="literal"/>'
            for part in ("MessageID", "ReplyTo")
        )
    return (
        f'<wsdl:operation name="{codec.name}">'
        f'<{prefix}:operation soapAction="{codec.name}" style="document"/>'
        f'<wsdl:input>{headers}<{prefix}:body use="literal" parts="parameters"/></wsdl:input>'
        f'<wsdl:output><{prefix}:body use="literal" parts="parameters"/></wsdl:output>'
        '<wsdl:fault name="ServiceExceptionReport">'
        f'<{prefix}:fault name="ServiceExceptionReport" use="literal"/></wsdl:fault></wsdl:operation>'
    )


def _binding(name: str, prefix: str) -> str:
    operations = "".join(_bound_operation(codec, prefix) for codec in CODECS.values())
    return (
        f'<wsdl:binding name="{name}" type="oseo:OSEO_V100_Service">'
        f'<{prefix}:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{operations}</wsdl:binding>"
    )


def wsdl(url: str) -> bytes:
    """Return the WSDL of this server.

    Parameters
    ----------
    url : str
        Absolute URL of the SOAP endpoint.
    """
    imports = "".join(
        f'<xs:import namespace="{namespace}" schemaLocation="{location}"/>'
        for namespace, location in ((OSEO, _OSEO_XSD), (OWS, _OWS_XSD), (_ADDRESSING, _ADDRESSING_XSD))
    )
    ports = "".join(
        f'<wsdl:port name="{port}" binding="oseo:{binding}">'
        f'<{prefix}:address location="{attribute(url)}"/></wsdl:port>'
        for port, binding, prefix in (
            ("OSEO_V1.0.0_Port", "OSEO_V100_ServicePortBinding", "soap"),
            ("OSEO_V1.0.0_Soap12Port", "OSEO_V100_ServiceSoap12Binding", "soap12"),
        )
    )
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<wsdl:definitions name="OSEO_V100" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"'
        f' xmlns:soap="{_SOAP11}" xmlns:soap12="{_SOAP12}" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:oseo="{OSEO}" xmlns:ows="{OWS}" xmlns:wsa="{_ADDRESSING}" targetNamespace="{OSEO}">'
        f"<wsdl:types><xs:schema>{imports}</xs:schema></wsdl:types>{_messages()}"
        f'<wsdl:portType name="OSEO_V100_Service">{"".join(map(_port_operation, CODECS.values()))}'
        "</wsdl:portType>"
        f"{_binding('OSEO_V100_ServicePortBinding', 'soap')}"
        f"{_binding('OSEO_V100_ServiceSoap12Binding', 'soap12')}"
        f'<wsdl:service name="OSEO_V100">{ports}</wsdl:service></wsdl:definitions>\n'
    )
    return document.encode()
