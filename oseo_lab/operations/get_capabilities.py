"""GetCapabilities (OGC 06-141r6 clause 8): what this service does, computed from what it is made of."""

from __future__ import annotations

import hashlib

from oseo_lab.model.collection import Collection, CollectionCapability
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.messages import (
    VERSION,
    Capabilities,
    Contents,
    GetCapabilities,
    OperationMetadata,
    ServiceIdentification,
    ServiceProvider,
)
from oseo_lab.operations.context import Context

__all__ = ["SECTIONS", "get_capabilities"]

SECTIONS = ("ServiceIdentification", "ServiceProvider", "OperationsMetadata", "Contents")
#: Operations that work, in the order of the standard's clauses.
NAMES = ("GetCapabilities", "GetOptions", "Submit", "GetStatus", "DescribeResultAccess", "Cancel")


def get_capabilities(request: GetCapabilities, context: Context) -> Capabilities:
    """Return the capabilities document, or the sections of it that were asked for."""
    if request.accept_versions and VERSION not in request.accept_versions:
        raise ValidationError(
            f"none of the versions {', '.join(request.accept_versions)} is spoken here; use {VERSION}",
            code="VersionNegotiationFailed",
        )
    sequence = _update_sequence(context)
    if request.update_sequence == sequence:
        return Capabilities(update_sequence=sequence)
    unknown = set(request.sections) - {*SECTIONS, "Languages", "Notifications", "All", ""}
    if unknown:
        raise ValidationError(
            f"there is no section {', '.join(sorted(unknown))}; sections: {', '.join(SECTIONS)}, All",
            locator="sections",
        )
    wanted = set(request.sections) - {""}
    wanted = set(SECTIONS) if not wanted or "All" in wanted else wanted
    service = context.service
    return Capabilities(
        update_sequence=sequence,
        identification=ServiceIdentification(title=service.title, abstract=service.abstract)
        if "ServiceIdentification" in wanted
        else None,
        provider=ServiceProvider(name=service.provider_name, site=service.provider_site)
        if "ServiceProvider" in wanted
        else None,
        operations=tuple(OperationMetadata(name=name, post=context.url) for name in NAMES)
        if "OperationsMetadata" in wanted
        else None,
        contents=_contents(context) if "Contents" in wanted else None,
    )


def _contents(context: Context) -> Contents:
    collections = context.collections.values()
    return Contents(
        product_orders=True,
        max_number_of_products=max((each.max_items for each in collections), default=None),
        global_delivery_options=True,
        local_delivery_options=True,
        global_order_options=True,
        local_order_options=True,
        describe_result_access=True,
        cancel=True,
        collections=tuple(_capability(each) for each in collections),
        encodings=("XMLEncoding",),
    )


def _capability(collection: Collection) -> CollectionCapability:
    return CollectionCapability(collection_id=collection.id)


def _update_sequence(context: Context) -> str:
    """Return a string that changes whenever the document does."""
    content = repr((context.url, context.service, _contents(context)))
    return hashlib.sha256(content.encode()).hexdigest()[:16]
