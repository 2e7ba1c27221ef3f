"""WS-BaseNotification's own words for a refusal, beside the standard's exception report in a fault's detail.

Sources: OASIS wsn-ws_base_notification-1.3, its faults; WS-BaseFaults 1.2, which they extend.
"""

from __future__ import annotations

from datetime import UTC, datetime

from oseo_lab.encoding.xmltree import attribute, escape, timestamp
from oseo_lab.model.errors import OseoError
from oseo_lab.model.notifications import SubscriptionRefused

__all__ = ["write_fault"]

_NAMESPACE = "http://docs.oasis-open.org/wsn/b-2"
_FAULTS = "http://docs.oasis-open.org/wsrf/bf-2"

#: The element by which a fault names what is wrong, where it has one.
_NAMED = {
    "InvalidFilterFault": "UnknownFilter",
    "UnrecognizedPolicyRequestFault": "UnrecognizedPolicy",
    "UnsupportedPolicyRequestFault": "UnsupportedPolicy",
    "UnacceptableInitialTerminationTimeFault": "MinimumTime",
}


def write_fault(error: OseoError) -> str:
    """Return the fault that a refusal is called, for a fault's detail; nothing for other errors."""
    if not isinstance(error, SubscriptionRefused):
        return ""
    name = _NAMED.get(error.fault)
    named = "".join([_write_named(name, each) for each in error.names]) if name else ""
    return (
        f'<wsnt:{error.fault} xmlns:wsnt="{_NAMESPACE}" xmlns:bf="{_FAULTS}">'
        f"<bf:Timestamp>{timestamp(datetime.now(UTC))}</bf:Timestamp>"
        f'<bf:Description xml:lang="en">{escape(error.text)}</bf:Description>{named}</wsnt:{error.fault}>'
    )


def _write_named(name: str, text: str) -> str:
    namespace, brace, local = text.removeprefix("{").rpartition("}")
    if not brace:
        return f"<wsnt:{name}>{escape(text)}</wsnt:{name}>"
    declared = f' xmlns:q="{attribute(namespace)}"' if namespace else ""
    return f"<wsnt:{name}{declared}>{'q:' if namespace else ''}{escape(local)}</wsnt:{name}>"
