"""Checks of GetCapabilities (06-141r6 clause 8; OWS Common 2.0): T-CAP-1 to 5 and what B.1 adds."""

from __future__ import annotations

from oseo_lab.conformance.subject import Subject
from oseo_lab.conformance.verdicts import Check, NotApplicable, demand
from oseo_lab.encoding.soap import SoapVersion
from oseo_lab.encoding.xmltree import OSEO
from oseo_lab.model.messages import Capabilities, GetCapabilities

__all__ = ["CHECKS"]

_CORE = ("GetCapabilities", "GetOptions", "Submit", "GetStatus")
#: Optional operations, and the flag of Contents that announces each.
_OPTIONAL = {
    "GetQuotation": "quotation",
    "DescribeResultAccess": "describe_result_access",
    "Cancel": "cancel",
}
_MODES = ("synchronous", "asynchronous", "monitoring", "off_line")


def _answers(subject: Subject) -> str:
    for version in SoapVersion:
        found = subject.probe.ask(GetCapabilities(), version).message()
        demand(found.contents is not None, f"over SOAP {version.number} there is no Contents")
    return f"version {found.version}, {len(found.contents.collections)} collections"


def _service(subject: Subject) -> str:
    for attributes in ('service="WMS"', ""):
        payload = f'<GetCapabilities xmlns="{OSEO}" {attributes}/>'
        subject.probe.send(payload, "GetCapabilities").fault()
    return "another service, or none, is refused"


def _operations(subject: Subject) -> str:
    operations = subject.capabilities.operations or ()
    names = [each.name for each in operations]
    lacking = [name for name in _CORE if name not in names]
    demand(not lacking, f"OperationsMetadata lacks {', '.join(lacking)}")
    unreachable = [each.name for each in operations if not each.post]
    demand(not unreachable, f"no Post URL of {', '.join(unreachable)}")
    for name, flag in _OPTIONAL.items():
        is_offered = bool(getattr(subject.contents, flag))
        demand((name in names) == is_offered, f"Contents says {name} {is_offered}, OperationsMetadata not")
    return ", ".join(names)


def _status_flags(subject: Subject) -> None:
    contents = subject.contents
    flags = {
        "orderSearch": contents.order_search,
        "orderRetrieve": contents.order_retrieve,
        "full": contents.full,
    }
    wrong = [name for name, value in flags.items() if not value]
    demand(not wrong, f"GetStatusCapabilities says {', '.join(wrong)} false")


def _encoding(subject: Subject) -> str:
    encodings = subject.contents.encodings
    demand("XMLEncoding" in encodings, f"ContentsType lists {', '.join(encodings) or 'nothing'}")
    return ", ".join(encodings)


def _versions(subject: Subject) -> None:
    asked = GetCapabilities(accept_versions=("9.9.9",))
    subject.probe.ask(asked).fault("VersionNegotiationFailed")
    subject.probe.ask(GetCapabilities(accept_versions=("9.9.9", "1.0.0"))).message()


def _sections(subject: Subject) -> str:
    whole = subject.capabilities
    found = subject.probe.ask(GetCapabilities(sections=("Contents",))).message()
    demand(found.contents is not None, "asked for Contents, got none")
    if found.operations is not None and found.identification == whole.identification:
        return "sections are not implemented: everything comes, as OWS Common allows"
    others = [
        name for name in ("identification", "provider", "operations") if getattr(found, name) is not None
    ]
    demand(not others, f"asked for Contents alone, got {', '.join(others)} too")
    return "sections are implemented"


def _update_sequence(subject: Subject) -> str:
    current = subject.capabilities.update_sequence
    if current is None:
        raise NotApplicable("the server gives no updateSequence")
    found = subject.probe.ask(GetCapabilities(update_sequence=current)).message()
    empty = Capabilities(version=found.version, update_sequence=current)
    demand(found == empty, "asked with the current updateSequence, got more than version and updateSequence")
    return f"updateSequence {current}"


def _flags(subject: Subject) -> str:
    contents = subject.contents
    modes = [mode for mode in _MODES if getattr(contents, f"quotation_{mode}")]
    demand(bool(modes) == contents.quotation, f"quotation is {contents.quotation}, its modes: {modes}")
    tasked = contents.programming_orders
    demand(not tasked or contents.sps_url, "ProgrammingOrders is supported, and no SPS_URL is said")
    demand(not contents.cancel_asynchronous or contents.cancel, "Cancel is asynchronous, and not supported")
    limit = contents.max_number_of_products
    demand(limit is None or limit > 0, f"maxNumberOfProducts is {limit}")
    ids = [each.collection_id for each in contents.collections]
    demand(len(ids) == len(set(ids)), "a collection is listed twice")
    return f"quotation: {', '.join(modes) or 'none'}; {len(ids)} collections"


def _languages(subject: Subject) -> str:
    found = subject.probe.ask(GetCapabilities(accept_languages=("x-none",))).message()
    demand(found.contents is not None, "a language that is not spoken got no document")
    return f"languages: {', '.join(subject.capabilities.languages or ()) or 'not said'}"


CHECKS = (
    Check(
        "T-CAP-1",
        "Req 1, 3, 4: /req/Core/GetCapabilities, …/req, …/resp",
        "GetCapabilities over SOAP 1.1 and 1.2: a schema-valid Capabilities",
        _answers,
    ),
    Check(
        "T-CAP-2",
        "Req 5: …/metadata",
        "OperationsMetadata names every operation that is implemented, each with its Post URL",
        _operations,
    ),
    Check("T-CAP-3", "Req 6: …/order_status", "orderSearch, orderRetrieve and full are true", _status_flags),
    Check("T-CAP-4", "Req 7: …/encoding", "ContentsType lists at least XMLEncoding", _encoding),
    Check("T-CAP-5", "OWS Common 2.0, 7.3.2", "AcceptVersions 9.9.9: VersionNegotiationFailed", _versions),
    Check("B1-2", "Req 2: …/service", "service other than OS: a fault", _service),
    Check("B1-sections", "OWS Common 2.0, 7.3.3", "Sections: Contents alone, or everything", _sections),
    Check(
        "B1-sequence",
        "OWS Common 2.0, 7.3.4",
        "the current updateSequence: version and updateSequence alone",
        _update_sequence,
    ),
    Check("B1-languages", "OWS Common 2.0, 7.3.5", "AcceptLanguages nobody speaks: a document", _languages),
    Check("B1-flags", "Table 8-10", "the flags of Contents agree with each other", _flags),
)
