"""GetCapabilities (OGC 06-141r6 clause 8): what this service does, computed from what it is made of.

Nothing here is a list of promises: every flag is read from the collections, their plugins and the settings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from oseo_lab.model.collection import Collection, CollectionCapability, OptionLevel
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.messages import (
    VERSION,
    Capabilities,
    Contents,
    GetCapabilities,
    NotificationProducer,
    OperationMetadata,
    ServiceIdentification,
    ServiceProvider,
)
from oseo_lab.model.notifications import Topic
from oseo_lab.model.options import ENCODINGS
from oseo_lab.model.quotation import QuotationMode
from oseo_lab.operations.context import Context, Service
from oseo_lab.operations.desk import announcement
from oseo_lab.operations.get_quotation import mode_of

__all__ = ["FORMATS", "NAMES", "SECTIONS", "get_capabilities"]

#: Sections that can be asked for one by one, in the order of the document.
SECTIONS = (
    "ServiceIdentification",
    "ServiceProvider",
    "OperationsMetadata",
    "Languages",
    "Contents",
    "Notifications",
)
#: Operations that work, in the order of the standard's clauses.
NAMES = (
    "GetCapabilities",
    "GetOptions",
    "GetQuotation",
    "Submit",
    "GetStatus",
    "DescribeResultAccess",
    "Cancel",
)
#: Formats of the document.
FORMATS = ("text/xml", "application/xml")


def get_capabilities(request: GetCapabilities, context: Context) -> Capabilities:
    """Return the capabilities document, or the sections of it that were asked for.

    Raises
    ------
    ValidationError
        If no version or no format asked for is spoken, a section is unknown, or ``updateSequence`` is none
        that was ever given out (OWS Common 2.0, 7.3).
    """
    _negotiate(request)
    contents = _contents(context)
    service = _announcing(context)
    sequence = context.update_sequence(_fingerprint(service, contents))
    if request.update_sequence == sequence:
        return Capabilities(update_sequence=sequence)
    _check_sequence(request.update_sequence, sequence)
    wanted = _sections(request.sections)
    made: dict[str, tuple[str, Callable[[], Any]]] = {
        "ServiceIdentification": ("identification", lambda: _identification(service)),
        "ServiceProvider": ("provider", lambda: _provider(service)),
        "OperationsMetadata": ("operations", lambda: _operations(contents, context.url)),
        "Languages": ("languages", lambda: service.languages or None),
        "Contents": ("contents", lambda: contents),
        "Notifications": ("notifications", lambda: _notifications(context)),
    }
    parts: dict[str, Any] = {field: make() for section, (field, make) in made.items() if section in wanted}
    return Capabilities(update_sequence=sequence, **parts)


# --- what is asked ----------------------------------------------------------------------------------------


def _negotiate(request: GetCapabilities) -> None:
    """Refuse a version or a format that is not spoken; a language that is not falls back to the first."""
    if request.accept_versions and VERSION not in request.accept_versions:
        raise ValidationError(
            f"none of the versions {', '.join(request.accept_versions)[:200]} is spoken here; use {VERSION}",
            code="VersionNegotiationFailed",
        )
    formats = {each.partition(";")[0].strip().lower() for each in request.accept_formats}
    if formats and not formats & {*FORMATS, "*/*", "text/*", "application/*"}:
        raise ValidationError(
            f"none of the formats {', '.join(request.accept_formats)[:200]} is written here; "
            f"formats: {', '.join(FORMATS)}",
            locator="AcceptFormats",
        )


def _check_sequence(asked: str | None, sequence: str) -> None:
    """Refuse an ``updateSequence`` that is not lower: it was never given out (OWS Common 2.0, 7.3.4)."""
    if asked is None or (asked.isascii() and asked.isdecimal() and int(asked[:20]) < int(sequence)):
        return
    raise ValidationError(
        f"updateSequence {asked[:50]!r} was never given out here; the current one is {sequence}; leave it "
        "out for the whole document",
        code="InvalidUpdateSequence",
    )


def _sections(asked: Iterable[str]) -> set[str]:
    wanted = set(asked) - {""}
    unknown = wanted - {*SECTIONS, "All"}
    if unknown:
        raise ValidationError(
            f"there is no section {', '.join(sorted(unknown))[:200]}; sections: {', '.join(SECTIONS)}, All",
            locator="sections",
        )
    return set(SECTIONS) if not wanted or "All" in wanted else wanted


def _announcing(context: Context) -> Service:
    """Return the service as described, with what its operators tell users just now behind its abstract."""
    service, told = context.service, announcement(context)
    if told is None:
        return service
    said = f"Announcement: {told.sentence}"
    return replace(service, abstract=" ".join(filter(None, (service.abstract, said))))


# --- what there is ----------------------------------------------------------------------------------------


def _identification(service: Service) -> ServiceIdentification:
    return ServiceIdentification(
        title=service.title,
        abstract=service.abstract,
        keywords=service.keywords,
        fees=service.fees,
        access_constraints=service.access_constraints,
    )


def _provider(service: Service) -> ServiceProvider:
    return ServiceProvider(
        name=service.provider_name,
        site=service.provider_site,
        individual_name=service.contact_name,
        position_name=service.contact_position,
        voice=service.contact_phone,
    )


def _operations(contents: Contents, url: str) -> tuple[OperationMetadata, ...]:
    offered = {
        "GetQuotation": contents.quotation,
        "DescribeResultAccess": contents.describe_result_access,
        "Cancel": contents.cancel,
    }
    return tuple(OperationMetadata(name=name, post=url) for name in NAMES if offered.get(name, True))


def _notifications(context: Context) -> NotificationProducer | None:
    if not context.callbacks:
        return None
    return NotificationProducer(endpoint=context.url, topics=tuple(each.value for each in Topic))


def _contents(context: Context) -> Contents:
    collections = context.collections.values()
    own = [_capability(each, context.callbacks) for each in collections]
    said = {
        field: any(getattr(each, field) for each in own) if own else default
        for field, default in _OF_COLLECTIONS.items()
    }
    modes = {mode_of(each, context) for each in collections} - {None}
    is_tasked = bool(context.sps_url) and any(each.tasking is not None for each in collections)
    return Contents(
        **said,
        programming_orders=is_tasked,
        sps_url=context.sps_url if is_tasked else None,
        quotation=bool(modes),
        quotation_synchronous=QuotationMode.SYNCHRONOUS in modes,
        quotation_asynchronous=bool(modes - {QuotationMode.OFF_LINE}) and context.callbacks,
        quotation_monitoring=bool(modes - {QuotationMode.SYNCHRONOUS}),
        quotation_off_line=QuotationMode.OFF_LINE in modes,
        submit_asynchronous=context.callbacks,
        max_number_of_products=max((each.max_items for each in collections), default=None),
        global_delivery_options=True,
        local_delivery_options=True,
        global_order_options=_is_chosen_at(OptionLevel.ORDER, collections),
        local_order_options=_is_chosen_at(OptionLevel.ITEM, collections),
        cancel=True,
        cancel_asynchronous=context.callbacks,
        collections=tuple(_difference(each, said) for each in own),
        encodings=tuple(each.value for each in ENCODINGS),
    )


def _is_chosen_at(level: OptionLevel, collections: Iterable[Collection]) -> bool:
    """Whether any option may be chosen at a level; one of which nothing is said may be at both."""
    allowed = [
        collection.levels.get(option.name, OptionLevel.BOTH) in (OptionLevel.BOTH, level)
        for collection in collections
        for group in collection.option_groups()
        for option in group.options
    ]
    return any(allowed) or not allowed


#: What is said of the service and, where it differs, of a collection; and of a service without collections.
_OF_COLLECTIONS = {
    "product_orders": True,
    "subscription_orders": False,
    "describe_result_access": True,
}


def _capability(collection: Collection, is_asynchronous: bool) -> CollectionCapability:
    return CollectionCapability(
        collection_id=collection.id,
        product_orders=collection.product_orders,
        subscription_orders=collection.subscription is not None,
        describe_result_access=bool(collection.delivery.access),
        cancel_asynchronous=is_asynchronous,
    )


def _difference(own: CollectionCapability, said: Mapping[str, bool]) -> CollectionCapability:
    """Return what is to be said of a collection: only what differs from the service."""
    same: dict[str, Any] = {field: None for field, value in said.items() if getattr(own, field) == value}
    return replace(own, **same)


@lru_cache(maxsize=16)
def _fingerprint(*parts: Hashable) -> str:
    """Return a string that changes whenever the document does, wherever it is asked for."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
