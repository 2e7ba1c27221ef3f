"""What an order operation means: plain functions (request, context) -> response.

Step 6 of the walk. Every door (SOAP, JSON, in process) enters by `perform`, which looks the message type
up in `OPERATIONS`. Operations write what is wanted; only `oseo_lab.dispatch` moves a status.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from oseo_lab.model import messages, notifications
from oseo_lab.operations.cancel import cancel
from oseo_lab.operations.context import Context, Link, Service
from oseo_lab.operations.describe_result_access import describe_result_access
from oseo_lab.operations.get_capabilities import get_capabilities
from oseo_lab.operations.get_options import get_options
from oseo_lab.operations.get_quotation import get_quotation
from oseo_lab.operations.get_status import get_status, status_in_parts
from oseo_lab.operations.submit import submit
from oseo_lab.operations.subscribe import subscribe, unsubscribe

__all__ = ["OPERATIONS", "Access", "Context", "Link", "Operation", "Service", "perform", "perform_in_parts"]

Access = Literal["open", "read", "write"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table: OSEO's name, the function, and the access it needs."""

    name: str
    function: Callable[[Any, Context], Any]
    access: Access


OPERATIONS: Mapping[type, Operation] = {
    messages.GetCapabilities: Operation("GetCapabilities", get_capabilities, "open"),
    messages.GetOptions: Operation("GetOptions", get_options, "read"),
    messages.GetQuotation: Operation("GetQuotation", get_quotation, "write"),
    messages.Submit: Operation("Submit", submit, "write"),
    messages.GetStatus: Operation("GetStatus", get_status, "read"),
    messages.DescribeResultAccess: Operation("DescribeResultAccess", describe_result_access, "read"),
    messages.Cancel: Operation("Cancel", cancel, "write"),
    notifications.Subscribe: Operation("Subscribe", subscribe, "write"),
    notifications.Unsubscribe: Operation("Unsubscribe", unsubscribe, "write"),
}


def perform_in_parts(
    request: messages.GetStatus, context: Context
) -> Generator[messages.OrderInParts, None, None]:
    """Carry out a GetStatus whose answer is not held whole; what it reads from is let go by closing it.

    Raises
    ------
    OseoError
        As `perform`, before the first part is yielded.
    """
    return status_in_parts(request, context)


def perform(request: Any, context: Context) -> Any:
    """Carry out one request and return its response.

    Raises
    ------
    OseoError
        As the operation's exception table says; nothing has been changed then.
    """
    operation = OPERATIONS[type(request)]
    if operation.access != "open":
        context.caller  # noqa: B018 - asked for its refusal, before anything is read
    return operation.function(request, context)
