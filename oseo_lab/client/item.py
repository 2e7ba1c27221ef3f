"""The handle of one item: where it stands, why, and what it delivered.

It can be opened and downloaded by itself, also by a Dask worker that it was sent to: a pickled handle takes
its delivery along, and no token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from oseo_lab.client import display
from oseo_lab.client.deliveries import made
from oseo_lab.client.given import folder_at
from oseo_lab.client.names import folder_name
from oseo_lab.client.standing import named
from oseo_lab.model.errors import ConfigurationError, DeliveryError
from oseo_lab.model.identifiers import ProductId, SubscriptionId
from oseo_lab.model.order import ItemSpecification, OrderItem
from oseo_lab.model.order import Order as Record
from oseo_lab.model.status import DELIVERED, Status

if TYPE_CHECKING:
    from oseo_lab.client.drawing import Plot
    from oseo_lab.client.parcels import Checksum, ItemFile, Parcel
    from oseo_lab.client.session import Session
    from oseo_lab.client.transport import Transport
    from oseo_lab.client.verifying import Verification

__all__ = ["Item", "Owner"]


class Owner(Protocol):
    """What an item needs of the handle of its order."""

    @property
    def session(self) -> Session:
        """Where it was submitted."""

    @property
    def record(self) -> Record:
        """What the service said last."""

    @property
    def downloaded(self) -> Path | None:
        """Where its results were downloaded to last."""

    def refresh(self) -> Self:
        """Ask where the order stands."""

    def parcels(self, item_ids: Iterable[str]) -> list[Parcel]:
        """Return what opens the deliveries of items."""


class Item:
    """One item of an order, as it stood when it was asked for.

    Parameters
    ----------
    order : Order
        What it belongs to.
    record : OrderItem
        What the service said of it.
    """

    def __init__(self, order: Owner, record: OrderItem) -> None:
        self._order: Owner | None = order
        self._record = record
        self._parcel: Parcel | None = None
        self._place: Path | None = None

    @property
    def id(self) -> str:
        """What you called it: the ``itemId``."""
        return self._record.specification.item_id

    @property
    def number(self) -> int:
        """Its position in the order, from 1."""
        return self._record.number

    @property
    def identifier(self) -> str:
        """The product it is made from; of what stands for products to come, the collection or request."""
        found = self._record.product or self._record.specification.identifier
        if isinstance(found, ProductId):
            return found.identifier
        return found.collection_id if isinstance(found, SubscriptionId) else found.id

    @property
    def status(self) -> Status:
        """Where it stands."""
        return self._record.status.status

    @property
    def info(self) -> str | None:
        """What the service says about its status."""
        return self._record.status.additional

    @property
    def reason(self) -> str:
        """Why it stands where it stands: `info`, else the status."""
        return self.info or str(self.status)

    @property
    def specification(self) -> ItemSpecification:
        """What was ordered."""
        return self._record.specification

    @property
    def record(self) -> OrderItem:
        """What the service said of it, as the model's own record."""
        return self._record

    @property
    def is_delivered(self) -> bool:
        """Whether its files can be had."""
        return self.status in DELIVERED

    @property
    def is_failed(self) -> bool:
        """Whether it is final and was not delivered."""
        return self.status.is_final and not self.is_delivered

    # --------------------------------------------------------------------------------- what was delivered

    def parcel(self) -> Parcel:
        """Return what opens its delivery; asked for once.

        Raises
        ------
        DeliveryError
            If it was not delivered; the text says why.
        ResultExpired
            If its files are not kept any more.
        """
        if not self.is_delivered:
            what = "was not delivered" if self.is_failed else "is not delivered yet"
            raise DeliveryError(f"{self.id} {what}: {self.reason}")
        if self._order is None:
            assert self._parcel is not None  # __getstate__ took it along
            return self._parcel
        (found,) = self._order.parcels([self.id])
        return found

    @property
    def place(self) -> Path | None:
        """The folder its files were downloaded to, by this handle or with its order; None if not."""
        if self._place is None and self._order is not None and self._order.downloaded is not None:
            there = self._order.downloaded / folder_name(self.id)
            return there if there.is_dir() else None
        return self._place

    @property
    def files(self) -> tuple[ItemFile, ...]:
        """Its data files: name, URL, path once downloaded, size, checksum, media type."""
        return self.parcel().files(self.place)

    @property
    def path(self) -> Path | str:
        """Where its first data file lies: on this machine once downloaded, else its URL."""
        first = self._first()
        return first.path or first.url

    @property
    def checksum(self) -> Checksum | None:
        """SHA-256 of its first data file: ``.short``, ``.sha256``."""
        return self._first().checksum

    @property
    def size(self) -> int:
        """Bytes of its data files, as far as the service told them."""
        return sum(each.size or 0 for each in self.files)

    def _first(self) -> ItemFile:
        files = self.files
        kinds = ("image/tiff", "application/x-netcdf", "application/netcdf", "image/png")
        return next((each for kind in kinds for each in files if each.media_type.startswith(kind)), files[0])

    def open(self, chunks: Any = "auto", masked: bool = True, bands: Sequence[str] | None = None) -> Any:
        """Open what was delivered as an `xarray.Dataset`, from where it lies; read when values are asked for.

        A file on this machine is opened there, others by ranges over HTTP or S3. NetCDF and pictures, which
        can only be read whole, are fetched first and checked.

        Parameters
        ----------
        chunks : any
            Dask chunks; None for no Dask.
        masked : bool
            Whether nodata becomes NaN (integers then become floats).
        bands : sequence of str, optional
            Only these.

        Returns
        -------
        xarray.Dataset
            Bands as variables, CRS in ``spatial_ref``, ``time`` as a coordinate; its attributes say order,
            item, collection, licence and processing.

        Raises
        ------
        ConfigurationError
            If xarray and rioxarray are missing: ``pip install 'oseo-lab[xarray]'``.
        DeliveryError
            If it was not delivered, or cannot be opened.
        """
        from oseo_lab.client.opening import How, open_item

        parcel = self.parcel()
        how = How(chunks=chunks, masked=masked, bands=bands, transport=self._transport())
        found = open_item(*parcel.stac(self.place), how)
        return found.assign_attrs(order=parcel.order_id, order_name=parcel.order_name, item=self.id)

    def plot(self, bands: str | Sequence[str] | None = None, **how: Any) -> Plot:
        """Draw what was delivered (`oseo_lab.client.plots.plot`): natural colours, or what suits its band."""
        from oseo_lab.client.plots import plot_all

        return plot_all([self.open], bands, **how)

    def download(self, folder: str | Path = ".", **how: Any) -> list[Path]:
        """Download its files to ``<folder>/<order name>/<item id>``, as `Results.download` does."""
        from oseo_lab.client.transport import HttpTransport

        parcel = self.parcel()
        place = parcel.place(made(folder_at(folder)))
        paths = parcel.fetch(place, self._transport() or HttpTransport(parcel.delivery.base), **how)
        self._place = place
        return paths

    def verify(self) -> Verification:
        """Check its downloaded files against what was promised: sizes and SHA-256."""
        from oseo_lab.client.verifying import verify

        if self.place is None:
            raise DeliveryError(f"{self.id} was not downloaded here yet: item.download(folder)")
        return verify(self.place)

    def _transport(self) -> Transport | None:
        return None if self._order is None else self._order.session.transport

    def refresh(self) -> Item:
        """Ask where it stands now.

        Raises
        ------
        ConfigurationError
            If this handle was sent here from elsewhere: it has no way to its service.
        """
        if self._order is None:
            raise ConfigurationError(f"{self.id} came from elsewhere; lab.orders[...].items has it anew")
        records = self._order.refresh().record.items
        self._record = next(each for each in records if each.specification.item_id == self.id)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Take the delivery along instead of the session; what an order says in confidence stays."""
        specification = replace(self.specification, delivery_options=None, payment=None)
        return {
            "_order": None,
            "_record": replace(self._record, specification=specification),
            "_parcel": self.parcel() if self.is_delivered else None,
            "_place": self.place,
        }

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [
            ("status", f"{display.mark(self.status)} {self.status}"),
            ("product", self.identifier),
            ("why", self.info or ""),
            ("downloaded to", self.place or "not yet, or elsewhere" if self.is_delivered else ""),
        ]
        return display.card(self.id, display.facts([each for each in rows if each[1]]))

    def __repr__(self) -> str:
        info = f": {self.info}" if self.info else ""
        return f"Item({named(self._record)!r}, {self.status}{info})"
