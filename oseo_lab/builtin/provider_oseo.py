"""A provider that is another OSEO server: items are ordered there, over SOAP, in this service's name.

``[provider_service] use = "oseo"``. The operator's file names the server, so its address is not judged;
but nothing follows a redirect, answers are bounded, and passwords come from files or the environment. What
is sent twice is ordered once: by its MessageID where the server heeds that, and because every order carries
a reference of its own, by which it is looked for first (06-141r6 requires the search).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from oseo_lab.builtin.oseo_server import SETTINGS, OseoServer
from oseo_lab.model.delivery import DeliveryOptions, ItemURL, OnlineDataAccess, Protocol
from oseo_lab.model.errors import ConfigurationError, NotSupported
from oseo_lab.model.identifiers import ItemIdentifier, ProductId, SubscriptionId
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    FilteringCriteria,
    GetQuotation,
    GetStatus,
    Presentation,
    Submit,
)
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    ProviderOrder,
    StatusInfo,
    StatusNotification,
)
from oseo_lab.model.quotation import ItemGroupPrice, ItemPrice, Quotation
from oseo_lab.model.status import DELIVERED, Status
from oseo_lab.ports import Forwarded, ForwardedItem, ProcessingFailed, QuoteRequest

__all__ = ["OseoProvider"]

#: Questions after which a delivered item is taken as delivered though no URL of it is listed.
PATIENCE = 5
#: Seconds between questions after a quotation, and how long one is waited for at a time.
ASK_AGAIN = 2.0
QUOTE_WITHIN = 60.0
_KNOWN = SETTINGS | {"collection", "options_id", "protocol"}


class OseoProvider:
    """One collection of another OSEO server.

    Parameters
    ----------
    collection_id : str
        The collection here.
    settings : mapping
        Those of `OseoServer`, and ``collection``: its id of the collection, if another. ``options_id``: its
        productOrderOptionsId, empty to leave it out. ``protocol``: how results are fetched.

    Raises
    ------
    ConfigurationError
        If a setting is unknown or wrong, or a secret is not where it should be.
    """

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        unknown = sorted(set(settings) - _KNOWN)
        if unknown:
            raise ConfigurationError(
                f"provider_service.{unknown[0]} is unknown; allowed: {', '.join(sorted(_KNOWN))}; "
                "secrets lie in files or the environment, never here"
            )
        self._server = OseoServer(settings)
        self._collection_id = collection_id
        self._collection = str(settings.get("collection") or collection_id)
        self._options_id = settings.get("options_id")
        try:
            self._protocol = Protocol(settings.get("protocol") or self._server.scheme)
        except ValueError:
            raise ConfigurationError(f"provider_service.protocol: allowed: {', '.join(Protocol)}") from None
        self._unlisted: dict[tuple[str, int], int] = {}
        self._quoted: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"OseoProvider({self._collection_id!r}, {self._server.shown!r})"

    # ------------------------------------------------------------------------------------- the four verbs

    def submit(
        self, order: Order, items: Sequence[OrderItem], *, message_id: str, callback: str | None
    ) -> str:
        """Pass items on; return the server's order id. The same ``message_id`` orders only once.

        Raises
        ------
        ProcessingFailed
            With ``retry`` where the server cannot be asked now, without where it refuses.
        """
        reference = _reference(message_id)
        known = self._already(reference)
        if known is not None:
            return known
        contents = self._server.capabilities().contents
        is_called_back = bool(callback and contents is not None and contents.submit_asynchronous)
        policy = StatusNotification.ALL if is_called_back else StatusNotification.NONE
        specification = self._specification(order.specification, items, reference)
        answer = self._server.ask(
            Submit(specification=specification, status_notification=policy),
            message_id=message_id,
            reply_to=callback if is_called_back else None,
        )
        return str(answer.order_id)

    def cancel(self, provider_order: ProviderOrder, *, message_id: str, callback: str | None) -> None:
        """Ask for cancellation.

        Raises
        ------
        ProcessingFailed
            Without ``retry`` where the server does not cancel.
        """
        contents = self._server.capabilities().contents
        if contents is not None and not contents.cancel:
            raise ProcessingFailed("it does not cancel orders")
        is_called_back = bool(callback and contents is not None and contents.cancel_asynchronous)
        policy = StatusNotification.FINAL if is_called_back else StatusNotification.NONE
        self._server.ask(
            Cancel(order_id=_tracking(provider_order), status_notification=policy),
            message_id=message_id,
            reply_to=callback if is_called_back else None,
        )

    def poll(self, provider_order: ProviderOrder, items: Sequence[OrderItem]) -> Forwarded:
        """Return how the items stand there, with the URLs of those that were delivered since.

        Raises
        ------
        ProcessingFailed
            Without ``retry`` where the server does not know the order any more.
        """
        order_id = _tracking(provider_order)
        answer = self._server.ask(GetStatus(order_id=order_id, presentation=Presentation.FULL))
        if not answer.orders:
            raise ProcessingFailed("it does not know the order any more")
        order: Order = answer.orders[0]
        by_id = {each.specification.item_id: each.status for each in order.items}
        stand = {each.number: by_id.get(str(each.number), order.status) for each in items}
        arrived = [
            each
            for each in items
            if stand[each.number].status in DELIVERED and not each.status.status.is_final
        ]
        urls = self._urls(order_id, arrived) if arrived else {}
        told = []
        for item in items:
            status, info = stand[item.number].status, stand[item.number].additional
            found = urls.get(item.number, [])
            if item in arrived and not found and self._may_come(item):
                status, info = Status.IN_PRODUCTION, None
            ends = [each.expiration for each in found if each.expiration is not None]
            told.append(
                ForwardedItem(
                    number=item.number,
                    status=status,
                    info=info,
                    files=tuple(each.url for each in found),
                    expires=min(ends, default=None),
                )
            )
        return Forwarded(items=tuple(told))

    def quote(self, request: QuoteRequest) -> Sequence[ItemGroupPrice]:
        """Ask what the items would cost; waits a while where the server takes its time.

        Raises
        ------
        ProcessingFailed
            With ``retry`` where there is no quotation yet; the next call asks after the same one.
        """
        contents = self._server.capabilities().contents
        if contents is not None and not contents.quotation:
            raise ProcessingFailed(f"{self._server.shown} gives no quotations")
        items = [
            OrderItem(specification=each, status=StatusInfo(status=Status.SUBMITTED), number=number)
            for number, each in enumerate(request.items, start=1)
        ]
        specification = self._specification(request.specification, items, None)
        key = hashlib.sha256(repr(specification).encode()).hexdigest()
        quotation = self._quotation(specification, key)
        self._quoted.pop(key, None)
        return [_of_ours(each, quotation, request.items) for each in quotation.groups]

    # ------------------------------------------------------------------------------------------- parts

    def _specification(
        self, asked: OrderSpecification, items: Sequence[OrderItem], reference: str | None
    ) -> OrderSpecification:
        """Return the order as it is passed on: our numbers as item ids, their collection, fetched on-line.

        Addresses, accounts and cards of our user stay here: what is paid there is this service's affair.
        """
        access = OnlineDataAccess(protocol=self._protocol)
        delivery = asked.delivery_options or DeliveryOptions(delivery=access)
        if not isinstance(delivery.delivery, OnlineDataAccess):
            delivery = DeliveryOptions(delivery=access)
        return replace(
            asked,
            items=tuple(self._item(each) for each in items),
            order_reference=reference,
            delivery_information=None,
            invoice_address=None,
            delivery_options=delivery,
            extensions=(),
        )

    def _item(self, item: OrderItem) -> ItemSpecification:
        own = item.specification
        options_id = own.product_order_options_id if self._options_id is None else str(self._options_id)
        return replace(
            own,
            item_id=str(item.number),
            identifier=self._identifier(own.identifier),
            product_order_options_id=options_id or None,
            delivery_options=None,
            payment=None,
            extensions=(),
        )

    def _identifier(self, identifier: ItemIdentifier) -> ItemIdentifier:
        if isinstance(identifier, ProductId | SubscriptionId):
            return replace(identifier, collection_id=self._collection)
        return identifier

    def _already(self, reference: str) -> str | None:
        """Return the id of the order that was passed on under this reference, if one was."""
        criteria = FilteringCriteria(order_reference=reference)
        try:
            answer = self._server.ask(GetStatus(filtering_criteria=criteria))
        except ProcessingFailed as failed:
            if not isinstance(failed.__cause__, NotSupported):
                raise
            return None
        found = [each for each in answer.orders if each.specification.order_reference == reference]
        return found[0].order_id if found else None

    def _urls(self, order_id: str, arrived: Sequence[OrderItem]) -> dict[int, list[ItemURL]]:
        """Return where the results lie, by our number; what names no item of ours is the first one's."""
        contents = self._server.capabilities().contents
        if contents is not None and not contents.describe_result_access:
            return {}
        found: dict[int, list[ItemURL]] = {}
        numbers = {str(each.number): each.number for each in arrived}
        for each in self._server.ask(DescribeResultAccess(order_id=order_id)).urls:
            is_other = each.item_id.isdecimal() and each.item_id not in numbers
            if not is_other:
                found.setdefault(numbers.get(each.item_id, arrived[0].number), []).append(each)
        return found

    def _may_come(self, item: OrderItem) -> bool:
        """Whether the URL of a delivered item is worth another question: some servers list it later."""
        contents = self._server.capabilities().contents
        if contents is not None and not contents.describe_result_access:
            return False
        times = self._unlisted[item.key] = self._unlisted.get(item.key, 0) + 1
        if times < PATIENCE:
            return True
        del self._unlisted[item.key]
        return False

    def _quotation(self, specification: OrderSpecification, key: str) -> Quotation:
        end = time.monotonic() + QUOTE_WITHIN
        while True:
            known = self._quoted.get(key)
            request = GetQuotation(quotation_id=known) if known else GetQuotation(specification=specification)
            answer = self._server.ask(request)
            if answer.quotation is not None:
                found: Quotation = answer.quotation
                return found
            self._quoted[key] = str(answer.quotation_id)
            if time.monotonic() + ASK_AGAIN > end:
                raise ProcessingFailed(f"{self._server.shown} is still making the quotation", retry=True)
            time.sleep(ASK_AGAIN)


def _tracking(provider_order: ProviderOrder) -> str:
    if provider_order.tracking_id is None:
        raise ProcessingFailed("it does not have the order yet", retry=True)
    return provider_order.tracking_id


def _reference(message_id: str) -> str:
    """Return the order reference of a MessageID: at most 30 characters, the same for the same."""
    return f"oseo-lab-{hashlib.sha256(message_id.encode()).hexdigest()[:20]}"


def _of_ours(
    group: ItemGroupPrice, quotation: Quotation, items: Sequence[ItemSpecification]
) -> ItemGroupPrice:
    """Return a group with our users' item ids in place of the numbers it was asked with."""
    by_number = {str(number): each for number, each in enumerate(items, start=1)}
    prices: list[ItemPrice] = []
    for price in group.items:
        own = by_number.get(price.item_id)
        if own is not None:
            prices.append(replace(price, item_id=own.item_id, identifier=own.identifier))
    return replace(
        group,
        items=tuple(prices),
        quotation_id=group.quotation_id or quotation.quotation_id,
        validity_time=group.validity_time or quotation.validity_time,
    )
