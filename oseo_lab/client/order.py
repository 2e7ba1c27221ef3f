"""The handle of a submitted order: where it stands, its items and results, and what can be done with it.

What it shows is at most a second old when an attribute is read; ``repr`` and the notebook display say what
was last known and never ask. Step 18 of the walk.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from oseo_lab.client import display
from oseo_lab.client.counts import counts_of, in_short, of_items
from oseo_lab.client.given import seconds
from oseo_lab.client.items import Item, Items
from oseo_lab.client.order_told import ToldOrder
from oseo_lab.client.parcels import Parcel, Parcels
from oseo_lab.client.progress import Progress
from oseo_lab.client.showing import ORDER, keepable, order_data, settle, show_order
from oseo_lab.client.standing import matching
from oseo_lab.client.steering import pause, resume, retry
from oseo_lab.client.views import ask_view, view_of
from oseo_lab.client.waiting import WaitInterrupted, as_completed, raise_failures, wait
from oseo_lab.encoding.order_html import order_html
from oseo_lab.model.errors import DeliveryError, NotFound
from oseo_lab.model.identifiers import SubscriptionId
from oseo_lab.model.messages import (
    Cancel,
    DescribeResultAccess,
    GetStatus,
    Presentation,
)
from oseo_lab.model.names import name_of, short_id
from oseo_lab.model.order import Attempt, StatusChange
from oseo_lab.model.order import Order as Record
from oseo_lab.model.plain import plain_line
from oseo_lab.model.status import Status

if TYPE_CHECKING:
    from pathlib import Path

    from oseo_lab.client.as_code import Draft
    from oseo_lab.client.drawing import Plot
    from oseo_lab.client.found import Found
    from oseo_lab.client.results import Results
    from oseo_lab.client.session import Session
    from oseo_lab.client.verifying import Verification
    from oseo_lab.model.quotation import Price
    from oseo_lab.model.view import OrderView

__all__ = ["Item", "Items", "Order", "WaitInterrupted"]

#: Seconds that an attribute may be old.
FRESH = 1.0


class Order(ToldOrder):
    """A submitted order.

    Parameters
    ----------
    session : Session
        Where it was submitted.
    record : Order
        What the service said of it last.
    full : bool
        Whether the record holds the items.
    """

    def __init__(self, session: Session, record: Record, full: bool = False) -> None:
        self._session = session
        self._record = record
        self._full = full
        self._asked = time.monotonic()
        self._as_of = datetime.now(UTC)
        self._downloaded: Path | None = None
        self._view: OrderView | None = None
        self._parcels = Parcels()

    @classmethod
    def of_id(cls, session: Session, order_id: str) -> Order:
        """Return the handle of an order by its id.

        Raises
        ------
        NotFound
            If it is unknown or another owner's.
        """
        return cls(session, _ask(session, order_id), full=True)

    # ------------------------------------------------------------------------------------ what never asks

    @property
    def id(self) -> str:
        """The service's id: ``urn:uuid:``."""
        return self._record.order_id

    @property
    def short_id(self) -> str:
        """The first eight digits of the id."""
        return short_id(self.id)

    @property
    def name(self) -> str:
        """What you called it, else its short id."""
        return name_of(self._record)

    @property
    def created(self) -> datetime | None:
        """When it was accepted, UTC."""
        return self._record.created

    @property
    def last_status(self) -> Status:
        """The status last heard of."""
        return self._record.status.status

    @property
    def record(self) -> Record:
        """What the service said last, as the model's own record."""
        return self._record

    @property
    def known_items(self) -> Items:
        """The items as last heard of; nothing is asked."""
        return Items(self, self._record.items)

    @property
    def downloaded(self) -> Path | None:
        """Where its results were downloaded to last, by this handle; None if they were not."""
        return self._downloaded

    @property
    def is_full(self) -> bool:
        """Whether what was last heard held the items."""
        return self._full

    @property
    def session(self) -> Session:
        """Where it was submitted."""
        return self._session

    @property
    def last_view(self) -> OrderView:
        """The order at a glance, as last heard of."""
        if self._view is None or self._view.as_of < self._as_of:
            self._view = view_of(self._record, as_of=self._as_of)
        return self._view

    def saw(self, view: OrderView) -> None:
        """Keep what another thread heard of it."""
        self._view = view

    # --------------------------------------------------------------------------------- what may ask again

    def view(self) -> OrderView:
        """Ask for the order at a glance: counts, what matters most, time left, what can be done."""
        self._view = ask_view(self)
        return self._view

    def refresh(self) -> Order:
        """Ask the service where the order stands."""
        self._record = _ask(self._session, self.id)
        self._full = True
        self._asked = time.monotonic()
        self._as_of = datetime.now(UTC)
        return self

    def _fresh(self) -> Record:
        if not self._full or time.monotonic() - self._asked > FRESH:
            self.refresh()
        return self._record

    @property
    def status(self) -> Status:
        """Where the order stands."""
        return self._fresh().status.status

    @property
    def info(self) -> str | None:
        """What the service says about the status."""
        return self._fresh().status.additional

    @property
    def items(self) -> Items:
        """The items, each with its status."""
        return Items(self, self._fresh().items)

    @property
    def counts(self) -> dict[Status, int]:
        """Items by status."""
        return counts_of(self._fresh())

    @property
    def is_done(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.status.is_final

    @property
    def succeeded(self) -> Items:
        """The items that were delivered."""
        return self.items.succeeded

    @property
    def failed(self) -> Items:
        """The items that will not be delivered; ``.reasons`` says why."""
        return self.items.failed

    # ------------------------------------------------------------------------------------------ what acts

    def wait(
        self,
        timeout: float | timedelta | str | None = None,
        progress: Progress = None,
        check: bool = False,
    ) -> Order:
        """Wait until the order is final. Ctrl-C leaves the wait; nothing is cancelled by it.

        Parameters
        ----------
        timeout : float, timedelta or str, optional
            Longest wait: seconds, or ``"2h"``, ``"90 min"``.
        progress : bool or callable, optional
            None shows a bar in interactive sessions; a callable gets every `ProgressEvent`.
        check : bool
            Raise `OrderFailed` if an item was not delivered.

        Raises
        ------
        WaitTimeout
            If the order is still running then; ``.order`` is this handle.
        OrderFailed
            With ``check=True``, naming each item and why; ``.order`` is this handle.
        """
        wait(self, seconds(timeout, "timeout"), progress)
        settle(self)
        if check:
            raise_failures(self, self.failed)
        return self

    def as_completed(
        self,
        timeout: float | timedelta | str | None = None,
        raise_on_failure: bool = False,
        failed: bool = False,
    ) -> Iterator[Item]:
        """Yield items as they are delivered, each once, whichever is first; those that are there at once.

        An order may succeed in part, and that is no error: items that will not come are in `failed`, and are
        not yielded unless asked for, so that a loop's body may open whatever it is given.

        Parameters
        ----------
        timeout : float, timedelta or str, optional
            Longest time from the first item asked for to the last one told: seconds, or ``"2h"``.
        raise_on_failure : bool
            Raise `OrderFailed` after the last delivered item, if one was not delivered.
        failed : bool
            Yield those that were not delivered too, at the very end; ``item.is_failed`` tells them.

        Raises
        ------
        WaitTimeout
            If the order is still running then; ``.order`` is this handle.
        OrderFailed
            With ``raise_on_failure=True``, naming each item and why.
        """
        yield from as_completed(self, seconds(timeout, "timeout"), failed)
        if raise_on_failure:
            raise_failures(self, self.known_items.failed)

    def cancel(self) -> Order:
        """Ask the service to cancel what is not done yet; what was delivered stays. It takes seconds.

        Raises
        ------
        Conflict
            If everything is final already.
        """
        answer = self._session.transport.perform(Cancel(order_id=self.id))
        if answer.error_message:
            display.say(answer.error_message)
        return self.refresh()

    def history(self) -> list[StatusChange]:
        """Return every status change of the order and its items, oldest first."""
        return _history(self._session, self.id)[0]

    def attempts(self) -> list[Attempt]:
        """Return every try at making an item, oldest first."""
        return _history(self._session, self.id)[1]

    def pause(self) -> Order:
        """Let nothing more of the order begin until `resume`; what is being made is finished.

        Raises
        ------
        Conflict
            If it is final, or is being cancelled.
        """
        return pause(self)

    def resume(self) -> Order:
        """Let a paused order go on where it was; what a subscription missed comes."""
        return resume(self)

    def retry(self, items: Iterable[Item | str] | None = None) -> Order:
        """Try again what was not made: same order, same items, next attempt; what was delivered stays.

        Parameters
        ----------
        items : Items, or iterable of Item or item id, optional
            Which, whatever they failed of, cancelled ones too; by default all that trying again may help.

        Raises
        ------
        Conflict
            If trying again helps nothing, or cannot be paid; the text says what to do.
        """
        retry(self, items)
        return self

    def reorder(self, items: Iterable[Item | str] | None = None, **options: Any) -> Draft:
        """Return the draft of a new order of some of the items, with changes; nothing is sent yet.

        Parameters
        ----------
        items : Items, or iterable of Item or item id, optional
            Which; by default those that were not made, or all if all were.
        **options
            What shall be otherwise: options, and ``area``, ``name``, ``packaging``, ``priority``,
            ``group``, ``max_price``, ``max_bytes``; ``collection``, where another has the same products,
            such as a mirror's. Its remark says which order it follows.

        Raises
        ------
        ValidationError
            If an option is not offered, or the items are of several collections.
        """
        found: Draft = self._session.order_anew(self, items, options)
        return found

    def as_request(self, form: str = "json") -> str:
        """Say what submits this order once more: ``json``, ``soap``, ``curl``, ``python``, ``cli``.

        Neither the token is told, nor a password that the order holds.

        Raises
        ------
        NotSupported
            If the order cannot be said in that form, or another service does not read it.
        """
        from oseo_lab.client.recipes import recipe_of

        return recipe_of(self, form)

    def would_match(self) -> Found:
        """Return the products a subscription would order now; nothing is ordered by asking."""
        wishes = [each.specification.identifier for each in self.record.items]
        collections = [each.collection_id for each in wishes if isinstance(each, SubscriptionId)]
        return matching(self._session, self.id, ", ".join(collections))

    def cost(self) -> list[Price]:
        """Return what the order drew and did not give back, by currency; nothing where nothing is paid."""
        from oseo_lab.client.cost import cost_of

        return cost_of(self._session.transport.ask("GET", f"orders/{quote(self.id, safe='')}/charges"))

    def results(self) -> Results:
        """Return what has been delivered so far."""
        from oseo_lab.client.results import Results

        answer = self._session.transport.perform(DescribeResultAccess(order_id=self.id))
        return Results(self._session.transport, self.id, self.name, answer.urls, answer.error_message)

    def parcels(self, item_ids: Iterable[str]) -> list[Parcel]:
        """Return what opens the deliveries of items, without asking twice."""
        return self._parcels.of(self.results, item_ids)

    def download(self, folder: Any = ".", **how: Any) -> list[Path]:
        """Download what has been delivered so far (`Results.download`)."""
        results = self.results()
        try:
            return results.download(folder, **how)
        finally:  # what came before something failed can be checked and opened too
            self._downloaded = results.folder or self._downloaded

    def to_xarray(self, folder: Any = None, **how: Any) -> Any:
        """Wait for the order, then open its results, as downloaded by this handle (`Results.to_xarray`)."""
        if not self.is_done:
            self.wait()
        results = self.results()
        return results.to_xarray(folder or results.there(self._downloaded), **how)

    def to_stac(self) -> Any:
        """Return what has been delivered so far as a `pystac.ItemCollection` (`Results.to_stac`).

        Each item says its order (``order:id``), processing and licence; assets have sizes and checksums.
        """
        results = self.results()
        return results.to_stac(results.there(self._downloaded))

    def to_gdf(self) -> Any:
        """Return the items as a `geopandas.GeoDataFrame`: what, when, where, status, href, checksum."""
        return self.items.to_gdf()

    def plot(self, bands: Any = None, **how: Any) -> Plot:
        """Draw what has been delivered so far (`oseo_lab.client.plots.plot`), along time."""
        return self.items.plot(bands, **how)

    def verify(self, folder: Any = None) -> Verification:
        """Check this order's downloaded files, however old: sizes and SHA-256 of their manifests.

        Parameters
        ----------
        folder : str or Path, optional
            In or below which; without it, where this handle downloaded them to.

        Raises
        ------
        DeliveryError
            If nothing of this order was downloaded there.
        """
        from oseo_lab.client.verifying import verify

        where = self._downloaded if folder is None else folder
        if where is None:
            raise DeliveryError("nothing was downloaded by this handle yet: say which folder, verify('data')")
        return verify(where, self.id)

    # ------------------------------------------------------------------------------------------ how it looks

    def __repr__(self) -> str:
        done = f" {in_short(counts_of(self._record))}," if self._full else ""
        return f"Order({self.name!r}, id={self.short_id!r},{done} {self.last_status})"

    def __str__(self) -> str:
        lines = [
            f"order    {self.name} ({self.id})",
            f"status   {self.last_status}{_info(self._record)}",
            f"items    {of_items(self._record) if self._full else 'not asked yet'}",
            f"made     {display.when(self.created)}, as of {display.when(self._as_of)}",
        ]
        return "\n".join(map(plain_line, lines))

    def _repr_html_(self) -> str:
        return display.safely(self, lambda: order_html(keepable(self.last_view)))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.last_view
        return display.bundle(self, lambda: order_html(keepable(view)), {ORDER: order_data(self, view)})

    def _ipython_display_(self) -> None:
        """Show it live; what becomes of it is written into the cell. Nothing is waited for."""
        show_order(self)


def _ask(session: Session, order_id: str) -> Record:
    answer = session.transport.perform(GetStatus(order_id=order_id, presentation=Presentation.FULL))
    if not answer.orders:
        raise NotFound(f"there is no order {order_id[:100]!r} of yours", locator="orderId")
    record: Record = answer.orders[0]
    return record


def _history(session: Session, order_id: str) -> tuple[list[StatusChange], list[Attempt]]:
    from oseo_lab.encoding.json_form import from_plain

    answer = session.transport.history(order_id)
    changes = [from_plain(StatusChange, each) for each in answer.get("history", ())]
    return changes, [from_plain(Attempt, each) for each in answer.get("attempts", ())]


def _info(record: Record) -> str:
    return f": {record.status.additional}" if record.status.additional else ""
