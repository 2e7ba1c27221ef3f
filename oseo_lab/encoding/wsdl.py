"""The WSDL this server publishes: the standard's names, the standard's operations, this server's address.

Of our own writing. It names types by importing the official schema from its official address (06-141r6
Annex); a client that has no network keeps a copy of that schema. A second binding speaks SOAP 1.2, which
the text of the standard asks for and its WSDL does not have. The second port type is what clients implement
to be called back; it has no address here.
"""

from __future__ import annotations

from dataclasses import dataclass

from oseo_lab.encoding.xmltree import OSEO, OWS, attribute

__all__ = ["ASYNC_CLIENT", "SERVICE", "PortOperation", "wsdl"]

_SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/"
_SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"
_OSEO_XSD = "http://schemas.opengis.net/oseo/1.0/oseo.xsd"
_OWS_XSD = "http://schemas.opengis.net/ows/2.0/owsAll.xsd"
_ADDRESSING_XSD = "http://www.w3.org/2005/08/addressing/ws-addr.xsd"
#: WS-Addressing headers by the message that holds them (06-141r6, WSDL).
_HEADERS = {"StartHeader": ("ReplyTo", "MessageID"), "ContinueHeader": ("RelatesTo",)}


@dataclass(frozen=True, slots=True)
class PortOperation:
    """An operation of a port type: its request (also the SOAPAction), its reply, the headers it may have."""

    name: str
    reply: str
    header: str = ""


#: What a server does, in the order of the standard's WSDL.
SERVICE = (
    PortOperation("GetCapabilities", "Capabilities"),
    PortOperation("GetOptions", "GetOptionsResponse"),
    PortOperation("GetQuotation", "GetQuotationAck", "StartHeader"),
    PortOperation("Submit", "SubmitAck", "StartHeader"),
    PortOperation("GetStatus", "GetStatusResponse"),
    PortOperation("Cancel", "CancelAck", "StartHeader"),
    PortOperation("DescribeResultAccess", "DescribeResultAccessResponse"),
)
#: What a client does that is called back.
ASYNC_CLIENT = (
    PortOperation("GetQuotationResponse", "GetQuotationResponseAck", "ContinueHeader"),
    PortOperation("SubmitResponse", "SubmitResponseAck", "ContinueHeader"),
    PortOperation("CancelResponse", "CancelResponseAck", "ContinueHeader"),
)


@dataclass(frozen=True, slots=True)
class _Binding:
    """A port type bound to a SOAP version: names of the standard, and our own for SOAP 1.2."""

    name: str
    port_type: str
    service: str
    port: str
    soap: str
    operations: tuple[PortOperation, ...]


_BINDINGS = (
    _Binding(
        "OSEO_V100_ServicePortBinding",
        "OSEO_V100_Service",
        "OSEO_V100",
        "OSEO_V1.0.0_Port",
        "soap",
        SERVICE,
    ),
    _Binding(
        "OSEO_V100_ServiceSoap12Binding",
        "OSEO_V100_Service",
        "OSEO_V100",
        "OSEO_V1.0.0_Soap12Port",
        "soap12",
        SERVICE,
    ),
    _Binding(
        "OSEO_V100_AsyncClientPortBinding",
        "OSEO_V100_AsyncClient",
        "OSEO_V100_AsyncClient",
        "OSEO_V1.0.0_AsyncClientPort",
        "soap",
        ASYNC_CLIENT,
    ),
    _Binding(
        "OSEO_V100_AsyncClientSoap12Binding",
        "OSEO_V100_AsyncClient",
        "OSEO_V100_AsyncClient",
        "OSEO_V1.0.0_AsyncClientSoap12Port",
        "soap12",
        ASYNC_CLIENT,
    ),
)
#: What the standard's WSDL says of an address that its reader must fill in.
_NOWHERE = "No Target Address"


def _message(name: str, *parts: tuple[str, str]) -> str:
    inside = "".join(f'<wsdl:part name="{part}" element="{element}"/>' for part, element in parts)
    return f'<wsdl:message name="{name}">{inside}</wsdl:message>'


def _messages() -> str:
    names = [name for each in (*SERVICE, *ASYNC_CLIENT) for name in (each.name, each.reply)]
    written = [_message(f"{name}Parameter", ("parameters", f"oseo:{name}")) for name in names]
    written += [
        _message(name, *((part, f"wsa:{part}") for part in parts)) for name, parts in _HEADERS.items()
    ]
    return "".join([*written, _message("ServiceExceptionReport", ("fault", "ows:ExceptionReport"))])


def _port_types() -> str:
    found = {each.port_type: each.operations for each in _BINDINGS}
    return "".join(
        f'<wsdl:portType name="{name}">{"".join(map(_port_operation, operations))}</wsdl:portType>'
        for name, operations in found.items()
    )


def _port_operation(operation: PortOperation) -> str:
    return (
        f'<wsdl:operation name="{operation.name}"><wsdl:input message="oseo:{operation.name}Parameter"/>'
        f'<wsdl:output message="oseo:{operation.reply}Parameter"/>'
        '<wsdl:fault name="ServiceExceptionReport" message="oseo:ServiceExceptionReport"/></wsdl:operation>'
    )


def _bound_operation(operation: PortOperation, prefix: str) -> str:
    headers = "".join(
        f'<{prefix}:header message="oseo:{operation.header}" part="{part}" use="literal"/>'
        for part in _HEADERS.get(operation.header, ())
    )
    return (
        f'<wsdl:operation name="{operation.name}">'
        f'<{prefix}:operation soapAction="{operation.name}" style="document"/>'
        f'<wsdl:input>{headers}<{prefix}:body use="literal" parts="parameters"/></wsdl:input>'
        f'<wsdl:output><{prefix}:body use="literal" parts="parameters"/></wsdl:output>'
        '<wsdl:fault name="ServiceExceptionReport">'
        f'<{prefix}:fault name="ServiceExceptionReport" use="literal"/></wsdl:fault></wsdl:operation>'
    )


def _binding(binding: _Binding) -> str:
    operations = "".join(_bound_operation(each, binding.soap) for each in binding.operations)
    return (
        f'<wsdl:binding name="{binding.name}" type="oseo:{binding.port_type}">'
        f'<{binding.soap}:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{operations}</wsdl:binding>"
    )


def _services(url: str) -> str:
    ports: dict[str, str] = {}
    for each in _BINDINGS:
        address = attribute(url) if each.operations is SERVICE else _NOWHERE
        ports[each.service] = ports.get(each.service, "") + (
            f'<wsdl:port name="{each.port}" binding="oseo:{each.name}">'
            f'<{each.soap}:address location="{address}"/></wsdl:port>'
        )
    return "".join(f'<wsdl:service name="{name}">{inside}</wsdl:service>' for name, inside in ports.items())


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
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<wsdl:definitions name="OSEO_V100" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"'
        f' xmlns:soap="{_SOAP11}" xmlns:soap12="{_SOAP12}" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:oseo="{OSEO}" xmlns:ows="{OWS}" xmlns:wsa="{_ADDRESSING}" targetNamespace="{OSEO}">'
        f"<wsdl:types><xs:schema>{imports}</xs:schema></wsdl:types>{_messages()}{_port_types()}"
        f"{''.join(map(_binding, _BINDINGS))}{_services(url)}</wsdl:definitions>\n"
    )
    return document.encode()
