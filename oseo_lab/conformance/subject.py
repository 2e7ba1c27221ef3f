"""The server under examination: what it said of itself, what can be ordered, and the orders made so far.

Everything is asked once and kept, so that checks may share an order, and nothing is asked that no check
needs.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any

from oseo_lab.conformance import choices
from oseo_lab.conformance.finding import find_products
from oseo_lab.conformance.listener import Listener
from oseo_lab.conformance.plan import Plan
from oseo_lab.conformance.probe import Probe
from oseo_lab.conformance.verdicts import Failed, NotApplicable, NotRun
from oseo_lab.model.collection import CollectionCapability, OrderOptions
from oseo_lab.model.identifiers import ItemIdentifier, OrderType, ProductId
from oseo_lab.model.messages import (
    Cancel,
    Capabilities,
    Contents,
    FilteringCriteria,
    GetCapabilities,
    GetOptions,
    GetStatus,
    Presentation,
    Submit,
)
from oseo_lab.model.order import ItemSpecification, Order, OrderSpecification, StatusNotification

__all__ = ["Subject", "new_message_id"]


class Subject:
    """One server, asked by one caller.

    Parameters
    ----------
    probe : Probe
        Speaks to it.
    plan : Plan
        What to order.
    stranger : Probe or None
        The same server, asked by somebody else; None where there are no second credentials.
    """

    def __init__(
        self,
        probe: Probe,
        plan: Plan,
        *,
        stranger: Probe | None = None,
    ) -> None:
        self.probe = probe
        self.plan = plan
        self.stranger = stranger
        self._options: dict[str, tuple[OrderOptions, ...]] = {}
        self._products: dict[str, tuple[str, ...]] = {}
        self._number = 0
        self._run = secrets.token_hex(4)
        self._open: list[str] = []

    # ---------------------------------------------------------------------------- what it says of itself

    @cached_property
    def capabilities(self) -> Capabilities:
        """The whole capabilities document.

        Raises
        ------
        NotRun
            If it could not be had: T-CAP-1 says why.
        """
        try:
            found: Capabilities = self.probe.ask(GetCapabilities()).message()
        except Failed as none:
            raise NotRun(f"needs the capabilities document: {none}") from None
        return found

    @property
    def contents(self) -> Contents:
        """What it says it does."""
        contents = self.capabilities.contents
        if contents is None:
            raise NotRun("needs the section Contents of the capabilities document, which has none")
        return contents

    def need(self, flag: str, text: str) -> None:
        """Leave a check that is about a capability the server does not announce.

        Raises
        ------
        NotApplicable
            If the flag (a field of Contents) is not set.
        """
        if not getattr(self.contents, flag):
            raise NotApplicable(f"the server does not announce {text}")

    def _of_collection(self, takes: Callable[[CollectionCapability], bool], named: str | None) -> str | None:
        if named is not None:
            return named
        return next((each.collection_id for each in self.contents.collections if takes(each)), None)

    @cached_property
    def collection(self) -> str:
        """What is ordered from."""
        said = self.contents.product_orders
        found = self._of_collection(
            lambda each: said if each.product_orders is None else each.product_orders, self.plan.collection
        )
        if found is None:
            raise NotRun("needs a collection that takes product orders: --collection")
        return found

    @cached_property
    def subscription(self) -> str:
        """What is subscribed to."""
        said = self.contents.subscription_orders
        found = self._of_collection(
            lambda each: said if each.subscription_orders is None else each.subscription_orders,
            self.plan.subscription,
        )
        if found is None:
            raise NotRun("needs a collection that takes subscriptions: --subscription")
        return found

    @property
    def products(self) -> tuple[str, ...]:
        """Products that can be ordered and made."""
        return self.products_of(self.collection)

    def products_of(self, collection: str) -> tuple[str, ...]:
        """Return products of a collection: those the plan names, or what the server says there is."""
        if collection not in self._products:
            named = self.plan.products if collection == self.collection else ()
            found = named or find_products(self.probe, collection) or self._offered(collection)
            self._products[collection] = found or self.plan.products
        if not self._products[collection]:
            raise NotRun(f"needs a product of {collection} that can be ordered: --product")
        return self._products[collection]

    def _offered(self, collection: str) -> tuple[str, ...]:
        """Return the products that a collection's option groups name, where they do."""
        named = (each.identifier for each in self.options(collection))
        return tuple(dict.fromkeys(each for each in named if each is not None))

    def options(self, collection: str) -> tuple[OrderOptions, ...]:
        """Return the option groups of a collection."""
        if collection not in self._options:
            try:
                answer = self.probe.ask(GetOptions(collection_id=collection)).message()
            except Failed as none:
                raise NotRun(f"needs the options of {collection}: {none}") from None
            self._options[collection] = answer.order_options
        return self._options[collection]

    def group(self, collection: str, order_type: OrderType = OrderType.PRODUCT_ORDER) -> OrderOptions:
        """Return a collection's first option group for an order type."""
        for each in self.options(collection):
            if each.order_type is order_type:
                return each
        raise NotRun(
            f"needs an option group of {collection} for {order_type}, which GetOptions does not have"
        )

    @cached_property
    def listener(self) -> Listener:
        """Who hears callbacks."""
        if self.plan.listen is None:
            raise NotRun("needs a place to be called back at: --listen HOST:PORT")
        return Listener(*self.plan.listen, self.probe.validity, self.plan.callback_url)

    # ------------------------------------------------------------------------------------ what is ordered

    def reference(self) -> str:
        """Return an order reference that nobody used before, at most 30 characters."""
        self._number += 1
        return f"conf-{self._run}-{self._number}"

    def item(self, number: int = 1, collection: str | None = None, **parts: Any) -> ItemSpecification:
        """Return an item that asks for a product in its simplest form."""
        collection = collection or self.collection
        group = self.group(collection)
        products = self.products_of(collection)
        identifier = ProductId(identifier=products[(number - 1) % len(products)], collection_id=collection)
        values = choices.needed(group.options)
        given: dict[str, Any] = {
            "item_id": f"item {number}",
            "identifier": identifier,
            "product_order_options_id": group.product_order_options_id,
            "options": choices.selection(**values),
            "payment": choices.payment_of(group),
        }
        return ItemSpecification(**(given | parts))

    def specification(self, *items: ItemSpecification, **parts: Any) -> OrderSpecification:
        """Return an order of some items (one, where none are given), to be delivered as the group offers."""
        given: dict[str, Any] = {
            "order_reference": self.reference(),
            "items": items or (self.item(),),
            "delivery_options": choices.delivery_of(self.group(self.collection)),
        }
        return OrderSpecification(**(given | parts))

    def of_type(self, order_type: OrderType, identifier: ItemIdentifier, **parts: Any) -> OrderSpecification:
        """Return an order of one item of any type, as plain as it may be."""
        item = ItemSpecification(item_id="item 1", identifier=identifier, **parts)
        return OrderSpecification(order_type=order_type, items=(item,), order_reference=self.reference())

    def place(
        self,
        specification: OrderSpecification | None = None,
        notification: StatusNotification = StatusNotification.NONE,
        *,
        reply_to: str | None = None,
        message_id: str | None = None,
    ) -> str:
        """Order something; return the order's id.

        Raises
        ------
        Failed
            If it is not acknowledged with success.
        """
        message = Submit(
            specification=specification or self.specification(), status_notification=notification
        )
        ack = self.probe.ask(message, reply_to=reply_to, message_id=message_id).message()
        self.remember(ack.order_id)
        return str(ack.order_id)

    def remember(self, order_id: str) -> None:
        """Keep an order in mind, to be cancelled at the end."""
        self._open.append(order_id)

    def order(self, order_id: str, presentation: Presentation = Presentation.FULL) -> Order:
        """Return an order as GetStatus says it is."""
        orders = self.probe.ask(GetStatus(order_id=order_id, presentation=presentation)).message().orders
        if len(orders) != 1:
            raise Failed(f"GetStatus by orderId says {len(orders)} orders, not one")
        return orders[0]  # type: ignore[no-any-return]

    def until(self, order_id: str, holds: Callable[[Order], bool], what: str) -> Order:
        """Return an order once something holds of it.

        Raises
        ------
        Failed
            If it does not within the time the plan gives.
        """
        end = time.monotonic() + self.plan.wait
        pause = 0.05
        while True:
            found = self.order(order_id)
            if holds(found):
                return found
            if time.monotonic() > end:
                status = found.status.status
                raise Failed(f"the order is not {what} within {self.plan.wait:.0f} s: it is {status}")
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)

    def finished(self, order_id: str) -> Order:
        """Return an order once it is final."""
        return self.until(order_id, lambda order: order.status.status.is_final, "final")

    @cached_property
    def completed(self) -> Order:
        """An order of two items that was made, shared by the checks that read results.

        Raises
        ------
        NotRun
            If it could not be made: T-SUB-1 says why.
        """
        try:
            specification = self.specification(self.item(1), self.item(2))
            found = self.finished(self.place(specification))
        except Failed as none:
            raise NotRun(f"needs an order that completes: {none}") from None
        if found.status.status.value not in ("Completed", "Downloaded"):
            raise NotRun(f"needs an order that completes; this one is {found.status.status}: {found.status}")
        return found

    def search(self, **criteria: Any) -> tuple[Order, ...]:
        """Return what GetStatus finds by criteria, in brief."""
        answer = self.probe.ask(GetStatus(filtering_criteria=FilteringCriteria(**criteria)))
        return answer.message().orders  # type: ignore[no-any-return]

    def cancel_what_is_open(self) -> None:
        """Ask for the cancelling of what the checks ordered and did not wait for."""
        for order_id in self._open:
            try:
                if not self.order(order_id).status.status.is_final:
                    self.probe.ask(Cancel(order_id=order_id))
            except Failed:
                continue

    def close(self) -> None:
        """Leave the server as it was, and stop listening."""
        self.cancel_what_is_open()
        if "listener" in self.__dict__:
            self.listener.close()
        self.probe.close()
        if self.stranger is not None:
            self.stranger.close()


def new_message_id() -> str:
    """Return a fresh ``wsa:MessageID``."""
    return uuid.uuid4().urn
