"""The items of an order, to look at, slice, filter, tabulate, open and draw; each is an `Item`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

from oseo_lab.client import display
from oseo_lab.client.given import no_such_key
from oseo_lab.client.item import Item, Owner
from oseo_lab.client.standing import named
from oseo_lab.model.errors import DeliveryError, ValidationError
from oseo_lab.model.identifiers import SubscriptionId
from oseo_lab.model.job import can_retry
from oseo_lab.model.order import Attempt, OrderItem
from oseo_lab.model.status import Status

if TYPE_CHECKING:
    from oseo_lab.client.drawing import Plot

__all__ = ["Handle", "Item", "Items", "items_table"]


class Handle(Owner, Protocol):
    """What items, and who waits, need of the handle of their order (`oseo_lab.client.order.Order`)."""

    @property
    def id(self) -> str:
        """The service's id."""

    @property
    def name(self) -> str:
        """What you called it."""

    @property
    def last_status(self) -> Status:
        """The status last heard of."""

    @property
    def is_full(self) -> bool:
        """Whether what was last heard held the items."""

    @property
    def known_items(self) -> Items:
        """The items as last heard of."""

    def attempts(self) -> list[Attempt]:
        """Return every try at making an item, oldest first."""

    def retry(self, items: Iterable[Item | str] | None = None) -> Self:
        """Try again what was not made."""


class Items(Sequence[Item]):
    """Items of an order, by position or item id.

    Parameters
    ----------
    order : Order
        Whose items they are.
    records : iterable of OrderItem or Item
        The items.
    """

    def __init__(self, order: Handle, records: Iterable[OrderItem | Item]) -> None:
        self._order = order
        self._items = tuple(each if isinstance(each, Item) else Item(order, each) for each in records)

    @overload
    def __getitem__(self, key: int | str) -> Item: ...

    @overload
    def __getitem__(self, key: slice) -> Items: ...

    def __getitem__(self, key: int | str | slice) -> Item | Items:
        if isinstance(key, slice):
            return Items(self._order, self._items[key])
        if isinstance(key, int):
            return self._items[key]
        for each in self._items:
            if key in (each.id, each.identifier):
                return each
        raise no_such_key(key, (each.id for each in self._items), "one of these items")

    def __len__(self) -> int:
        return len(self._items)

    @property
    def succeeded(self) -> Items:
        """Those that were delivered."""
        return Items(self._order, (each for each in self if each.is_delivered))

    @property
    def failed(self) -> Items:
        """Those that will not be delivered; ``.reasons`` says why."""
        products = (each for each in self if not isinstance(each.specification.identifier, SubscriptionId))
        return Items(self._order, (each for each in products if each.is_failed))

    @property
    def retryable(self) -> Items:
        """Those that failed and that trying again may help: ``order.failed.retryable.submit()``."""
        from oseo_lab.client.tabulating import past_of

        _, attempts = past_of(self._order)
        failed = (each for each in self.failed if each.status is Status.FAILED)
        return Items(self._order, (each for each in failed if can_retry(_outcome(each, attempts))))

    def submit(self) -> Any:
        """Have these items tried again (`Order.retry`); returns their order.

        Raises
        ------
        ValidationError
            If there are none.
        Conflict
            If they cannot be tried again; the text says why.
        """
        if not self:
            raise ValidationError(
                "there is nothing to try again: no item failed of what another try may help; "
                "order.failed.table() says why each did",
                locator="item_ids",
            )
        return self._order.retry(self)

    @property
    def reasons(self) -> dict[str, str]:
        """What there is to say about each item, by item id."""
        return {each.id: each.info or "" for each in self}

    def table(self) -> Any:
        """Return them as a `pandas.DataFrame`: where each item stands, why, and what may help.

        Columns: product, status, why; failure, the kind of the last one (`FailureClass`); who, from whom the
        status comes: ``dispatcher`` (the service itself), ``user``, ``provider``, ...; can_retry, attempts,
        next_try. The index is the item's id.

        Raises
        ------
        ConfigurationError
            If pandas is missing: ``pip install 'oseo-lab[notebook]'``.
        """
        from oseo_lab.client.tabulating import frame, past_of

        changes, attempts = past_of(self._order)
        rows = [
            {
                "item": each.id,
                "product": each.identifier,
                "status": str(each.status),
                "why": each.info or "",
                "failure": None if each.is_delivered else _outcome(each, attempts),
                "who": changes[each.number].author if each.number in changes else None,
                "can_retry": each.is_failed and can_retry(_outcome(each, attempts)),
                "attempts": each.record.attempt,
                "next_try": each.record.retry_at,
            }
            for each in self
        ]
        columns = ("item", "product", "status", "why", "failure", "who", "can_retry", "attempts", "next_try")
        return frame(rows, columns, ("next_try",), "items.table()")

    def to_xarray(self, **how: Any) -> Any:
        """Open those that were delivered as one `xarray.Dataset` along ``time`` (`Order.to_xarray`).

        Parameters
        ----------
        **how
            ``chunks``, ``masked``, ``bands``, as in `Item.open`; ``mosaic=True`` makes tiles of one day one
            moment.

        Raises
        ------
        DeliveryError
            If none was delivered, or they differ in grid or bands; the text says how, and what to do.
        """
        from oseo_lab.client.opening import How, open_dataset

        given = How.given(self._order.session.transport, how)
        dataset = open_dataset(self._described(), given)
        return dataset.assign_attrs(order=self._order.id, order_name=self._order.name)

    def to_stac(self) -> Any:
        """Return a `pystac.ItemCollection` of those that were delivered (`Order.to_stac`)."""
        from oseo_lab.client.describing import item_collection

        return item_collection(self._described())

    def to_gdf(self) -> Any:
        """Return them as a `geopandas.GeoDataFrame`, EPSG:4326: what, when, where, status, where it lies.

        The footprint is the delivered one: an item that was not delivered has none, nor has one of a service
        that describes nothing.

        Raises
        ------
        ConfigurationError
            If geopandas is missing: ``pip install 'oseo-lab[notebook]'``.
        """
        from oseo_lab.client.tabulating import geo_frame

        there = self.succeeded
        stac = dict(zip((each.id for each in there), self._described(), strict=True)) if there else {}
        rows = []
        for each in self:
            about: dict[str, Any] = stac[each.id][0] if each.id in stac else {}
            properties = about.get("properties", {})
            rows.append(
                {
                    "item": each.id,
                    "product": each.identifier,
                    "datetime": properties.get("datetime") or properties.get("start_datetime"),
                    "status": str(each.status),
                    "why": each.info or "",
                    "href": str(each.path) if each.is_delivered else None,
                    "size": each.size if each.is_delivered else None,
                    "checksum": str(each.checksum or "") if each.is_delivered else None,
                    "geometry": about.get("geometry"),
                }
            )
        return geo_frame(rows, ("datetime",), "items.to_gdf()")

    def plot(self, bands: str | Sequence[str] | None = None, **how: Any) -> Plot:
        """Draw those that were delivered, in the order of their times, on whatever grids they lie.

        Parameters
        ----------
        bands, **how
            As in `oseo_lab.client.plots.plot`.
        """
        from oseo_lab.client.plots import plot_all

        if not (there := self.succeeded):
            raise DeliveryError(f"none of these {len(self)} items was delivered: there is nothing to draw")
        return plot_all([each.open for each in there], bands, **how)

    def _described(self) -> list[tuple[dict[str, Any], str]]:
        """Return the STAC items of those that were delivered, and where they lie."""
        there = self.succeeded
        if not there:
            said = "; ".join(f"{each.id}: {each.reason}" for each in self[:3]) or "there are no items"
            raise DeliveryError(f"none of these items was delivered ({said})")
        parcels = self._order.parcels([each.id for each in there])
        return [parcel.stac(each.place) for parcel, each in zip(parcels, there, strict=True)]

    def __repr__(self) -> str:
        counts = Counter(each.status for each in self)
        what = "1 item" if len(self) == 1 else f"{len(self)} items"
        return f"{what}: {display.counted(counts)}" if self else "no items"

    def _repr_html_(self) -> str:
        return display.safely(
            self, lambda: display.card(repr(self), items_table([each.record for each in self]))
        )


def _outcome(item: Item, attempts: Mapping[int, Attempt]) -> str | None:
    """Return the kind of failure that the last attempt at an item ended with, if that is known."""
    last = attempts.get(item.number)
    return None if last is None else last.outcome


def items_table(records: Sequence[OrderItem]) -> str:
    """Return items as an HTML table of the first `ROWS`."""
    rows = [
        (
            f"{display.mark(each.status.status)} {each.status.status}",
            named(each),
            each.status.additional or "",
        )
        for each in records[: display.ROWS]
    ]
    return display.table(("status", "item", ""), rows, total=len(records))
