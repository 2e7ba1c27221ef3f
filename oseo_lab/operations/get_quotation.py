"""GetQuotation (OGC 06-141r6 clause 10): what an order would cost, in the four modes of its capabilities.

Step 6 of the walk. An order is checked exactly as Submit checks it. Who can be answered at once is: every
quoter answers within a request and nobody asked to be called back. Anything else is kept as pending and made
by `oseo_lab.dispatch.quoting`, or by a person: then the acknowledgement names the quotation to ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import (
    NotSupported,
    OseoError,
    Problem,
    QuotaExceeded,
    Unavailable,
    ValidationError,
)
from oseo_lab.model.messages import GetQuotation, GetQuotationAck, ResponseStatus
from oseo_lab.model.order import Callback, CallbackKind, OrderSpecification, StatusNotification
from oseo_lab.model.quotation import QuotationMode, QuotationRecord, QuotationState, new_quotation_id
from oseo_lab.operations.checking import check_specification
from oseo_lab.operations.context import Context
from oseo_lab.operations.order_types import check_order_type
from oseo_lab.operations.replying import callback_of
from oseo_lab.ports import ProcessingFailed, UnitOfWork

__all__ = ["MOST_UNANSWERED", "get_quotation", "mode_of", "quotation_of"]

#: Most quotations of one owner that are still to be made: nobody waits behind more of somebody else's.
MOST_UNANSWERED = 100

#: ``wsa:ReplyTo`` of somebody who wants the answer in the acknowledgement.
_NOBODY = (None, "", *(f"http://www.w3.org/2005/08/addressing/{each}" for each in ("anonymous", "none")))


def get_quotation(request: GetQuotation, context: Context) -> GetQuotationAck:
    """Answer with a quotation, or with the id to ask for it by.

    Raises
    ------
    ValidationError
        With every problem of the order, or because there is no such quotation.
    NotSupported
        If nothing of the order can be quoted.
    QuotaExceeded
        If too many of the caller's quotations are not answered yet.
    OseoError
        If a quotation could not be made at all (``NoApplicableCode``).
    """
    if request.quotation_id is not None:
        with context.store.read() as snapshot:
            record = quotation_of(snapshot.quotations.get(request.quotation_id, context.caller))
        return _answer(record)
    specification = request.specification
    if specification is None:
        raise ValidationError(
            "GetQuotation needs an orderSpecification or a quotationId",
            code="MissingParameterValue",
            locator="orderSpecification",
        )
    record = _asked(specification, context)
    if record.mode is QuotationMode.SYNCHRONOUS:
        record = _made(record, context)
        if record.state is QuotationState.FAILED:
            raise _failed(record)  # nothing is kept: asking again costs nothing
    context.store.write(lambda work: _add(work, record))
    if record.state is QuotationState.PENDING:
        context.wake()
    return _answer(record)


def _add(work: UnitOfWork, record: QuotationRecord) -> None:
    is_answered = record.state is QuotationState.READY
    if not is_answered and work.quotations.unanswered(record.owner) >= MOST_UNANSWERED:
        raise QuotaExceeded(
            f"{record.owner} has {MOST_UNANSWERED} quotations that are not answered yet; ask again when some "
            "are",
            locator="GetQuotation",
            limit=MOST_UNANSWERED,
            used=MOST_UNANSWERED,
            requested=1,
        )
    work.quotations.add(record)


def quotation_of(record: QuotationRecord | None) -> QuotationRecord:
    """Return the record that was found.

    Raises
    ------
    ValidationError
        If none was: unknown and another owner's are answered alike.
    """
    if record is None:
        raise ValidationError(
            "there is no such quotation of yours; GetQuotation with an orderSpecification makes one",
            locator="quotationId",
        )
    return record


def _asked(specification: OrderSpecification, context: Context) -> QuotationRecord:
    """Check what was asked and settle how its answer travels."""
    check_order_type(specification.order_type, context)
    callback = _callback(context)
    problems = (callback,) if isinstance(callback, Problem) else ()
    collections = check_specification(specification, context, problems)
    modes = _modes(collections, context)
    to_call = callback if isinstance(callback, Callback) else None
    if QuotationMode.OFF_LINE in modes:
        mode = QuotationMode.OFF_LINE
    elif to_call is not None:
        mode = QuotationMode.ASYNCHRONOUS
    else:
        at_once = modes == {QuotationMode.SYNCHRONOUS}
        mode = QuotationMode.SYNCHRONOUS if at_once else QuotationMode.MONITORING
    return QuotationRecord(
        quotation_id=new_quotation_id(),
        owner=context.caller,
        specification=specification,
        state=QuotationState.WAITING if mode is QuotationMode.OFF_LINE else QuotationState.PENDING,
        requested=context.now(),
        mode=mode,
        callback=to_call,
    )


def _callback(context: Context) -> Callback | Problem | None:
    """Return whom to tell: GetQuotation has no statusNotification, a real ReplyTo asks for it."""
    wants = context.reply_to not in _NOBODY
    policy = StatusNotification.FINAL if wants else StatusNotification.NONE
    found = callback_of(policy, CallbackKind.QUOTATION_RESPONSE, context)
    if isinstance(found, Problem):
        text = found.text.replace("statusNotification Final", "GetQuotationResponse").replace(
            "use None and ask GetStatus", "leave wsa:ReplyTo out and ask by the quotationId"
        )
        return replace(found, text=text)
    return found


def mode_of(collection: Collection, context: Context) -> QuotationMode | None:
    """Return how a collection is quoted; None where it is not.

    A foreign provider is asked over the network, which takes its time.
    """
    quoter = context.quoter(collection.id)
    if quoter is not None:
        return quoter.mode
    return QuotationMode.MONITORING if collection.provider_plugin else None


def _modes(collections: Iterable[Collection], context: Context) -> set[QuotationMode]:
    """Return the modes of an order's collections.

    Raises
    ------
    NotSupported
        If none of them is quoted.
    """
    several: Mapping[str, Collection] = {each.id: each for each in collections}
    found = {mode for each in several.values() if (mode := mode_of(each, context)) is not None}
    if not found:
        quoted = [each.id for each in context.collections.values() if mode_of(each, context) is not None]
        there = f"quoted are: {', '.join(quoted)}" if quoted else "nothing is quoted here"
        raise NotSupported(
            f"{', '.join(several)} has no quotations; {there}; Submit orders without one",
            locator="GetQuotation",
        )
    return found


def _made(record: QuotationRecord, context: Context) -> QuotationRecord:
    try:
        return context.quote(record)
    except ProcessingFailed as failed:
        raise Unavailable(f"the quotation could not be made now: {failed.reason}; ask again soon") from failed


def _failed(record: QuotationRecord) -> OseoError:
    """Return the fault of a quotation that could not be made: no message of the standard can say it."""
    return OseoError(
        f"this could not be quoted: {record.problem or 'no reason is known'}; "
        "change the order, or ask for a new quotation",
        locator=None,
    )


def _answer(record: QuotationRecord) -> GetQuotationAck:
    if record.state is QuotationState.FAILED:
        raise _failed(record)
    if record.quotation is None or record.state is not QuotationState.READY:
        return GetQuotationAck(quotation_id=record.quotation_id)
    status = ResponseStatus.SUCCESS if record.partial is None else ResponseStatus.PARTIAL
    return GetQuotationAck(quotation=record.quotation, status=status, error_message=record.partial)
