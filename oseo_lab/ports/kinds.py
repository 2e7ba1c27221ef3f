"""The seven kinds of plugin, found by entry point; the box uses the same groups as everyone else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import Problem
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import CatalogueItem, DeliveredFile, FailureClass, ItemJob, Product
from oseo_lab.model.options import OptionDefinition
from oseo_lab.model.order import ItemSpecification, Order, OrderItem, OrderSpecification, ProviderOrder
from oseo_lab.model.quotation import Finished, ItemGroupPrice, QuotationMode
from oseo_lab.model.status import Status
from oseo_lab.ports.notices import Notice
from oseo_lab.ports.work import Workspace

__all__ = [
    "Acquisition",
    "AcquisitionState",
    "Catalogue",
    "CatalogueQuery",
    "CheckingProcessor",
    "DeliveryChannel",
    "Forwarded",
    "ForwardedItem",
    "Inputs",
    "Notifier",
    "PicturedCatalogue",
    "ProcessingFailed",
    "Processor",
    "Provider",
    "QuoteRequest",
    "Quoter",
    "RestoringCatalogue",
    "Tasking",
    "Thumbnail",
]


class ProcessingFailed(Exception):
    """What plugins raise to say that an item cannot be made, and whether trying again may help.

    Parameters
    ----------
    reason : str
        One sentence for the user.
    retry : bool
        Whether the failure is transient.
    failure_class : FailureClass, optional
        More exactly why; TRANSIENT or PERMANENT by ``retry`` if not given.
    detail : str, optional
        For the operator.
    usually : float, optional
        With ``FailureClass.WAITING``: seconds that the product usually takes to be there.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = False,
        failure_class: FailureClass | None = None,
        detail: str | None = None,
        usually: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        default = FailureClass.TRANSIENT if retry else FailureClass.PERMANENT
        self.failure_class = failure_class or default
        self.detail = detail
        self.usually = usually

    def __reduce__(self) -> Any:
        return _failed, (self.reason, self.failure_class, self.detail, self.usually)


def _failed(
    reason: str, failure_class: FailureClass, detail: str | None, usually: float | None
) -> ProcessingFailed:
    return ProcessingFailed(reason, failure_class=failure_class, detail=detail, usually=usually)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The product to work from: what the catalogue says of it, and where its assets lie.

    ``paths`` holds, by asset name, what to open: a local path, or a URL of a scheme that the collection
    allows.
    """

    item: CatalogueItem
    paths: Mapping[str, str]


@runtime_checkable
class Processor(Protocol):
    """Makes products from inputs. Knows neither Dask, nor store, nor delivery.

    A processor that cannot make every combination of its options has ``rules`` too: a sequence of
    `oseo_lab.model.option_rules.OptionRule`. What they exclude is refused when it is ordered, and never
    reaches a worker. One that can tell from the values alone that a choice is sure to fail is a
    `CheckingProcessor`.
    """

    options: Sequence[OptionDefinition]
    scene_options: Sequence[OptionDefinition]

    def __call__(self, item: ItemJob, inputs: Inputs, workspace: Workspace) -> list[Product]:
        """Make the item's files in the workspace.

        Raises
        ------
        ProcessingFailed
            If it cannot be made.
        """


@runtime_checkable
class CheckingProcessor(Protocol):
    """A processor that looks at what was chosen when it is ordered, quoted or drafted, on the server."""

    def check(self, options: Mapping[str, Any], scene: Mapping[str, Any]) -> Iterable[Problem]:
        """Return what would fail whatever the product.

        It is asked in the middle of a request: no network, no file, and what takes time is kept by value.

        Parameters
        ----------
        options, scene : mapping
            Python values by option name, each allowed by its own definition, as `ItemJob` has them.
        """


@runtime_checkable
class DeliveryChannel(Protocol):
    """Puts an item's finished products where its user gets them."""

    def __call__(
        self, item: ItemJob, products: Sequence[Product], workspace: Workspace
    ) -> list[DeliveredFile]:
        """Deliver all products as one: complete under their final names, or not at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueQuery:
    """What to search for; everything given must hold.

    Parameters
    ----------
    geometry : mapping or None
        GeoJSON geometry the footprint intersects; EPSG:4326.
    bbox : tuple of float or None
        West, south, east, north; EPSG:4326, degrees.
    start, end : datetime or None
        Acquisition between, both inclusive, UTC.
    text : str or None
        Words found in the identifier, title, description or keywords.
    filters : mapping
        Property name to wanted value, or to ``{"lt": …, "lte": …, "gt": …, "gte": …, "eq": …}``.
    limit : int
        Most products in one answer.
    cursor : str or None
        Where the last answer ended.
    """

    geometry: Mapping[str, Any] | None = None
    bbox: tuple[float, float, float, float] | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Thumbnail:
    """A small picture of a product: PNG, JPEG or WebP of at most 2 MiB, and its media type."""

    content: bytes
    media_type: str


class Catalogue(Protocol):
    """Says what can be ordered and where it lies.

    Made once per collection, as ``Plugin(collection_id, settings)``. One that has pictures of its products
    is a `PicturedCatalogue` too.
    """

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        """Return the products that exist, by identifier."""

    def search(self, query: CatalogueQuery) -> tuple[list[CatalogueItem], str | None]:
        """Return matching products, newest first, and a cursor for more (None at the end)."""


@runtime_checkable
class PicturedCatalogue(Protocol):
    """A catalogue that can show its products."""

    def thumbnail(self, identifier: str) -> Thumbnail | None:
        """Return a product's small picture; None where there is none.

        Raises
        ------
        ProcessingFailed
            If the catalogue cannot be asked now.
        """


@runtime_checkable
class RestoringCatalogue(Protocol):
    """A catalogue some of whose products lie in an archive that can be asked for them."""

    def restore(self, item: CatalogueItem) -> bool:
        """Ask for a product that is offline; True if it is there after all.

        Asked again it changes nothing: an archive that is at it goes on.

        Raises
        ------
        ProcessingFailed
            If the archive cannot be asked now, or refuses.
        """


class Notifier(Protocol):
    """Sends one notice to its user. Made once, as ``Plugin(settings)``."""

    def __call__(self, notice: Notice) -> None:
        """Send it, or raise: it is tried again later.

        Raises
        ------
        ProcessingFailed
            If it was not taken; with ``retry=False`` it is given up at once.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class QuoteRequest:
    """What a quoter is asked: the items of one collection of one order.

    Parameters
    ----------
    owner : str
        Who asks.
    specification : OrderSpecification
        Of the whole order, without its items.
    items : sequence of ItemSpecification
        Those of this collection.
    collection : Collection
        What they are ordered from.
    now : datetime
        UTC.
    past : sequence of Finished
        What delivered items of the collection took, newest first.
    find : callable
        Asks the collection's catalogue for products by identifier; may take its time.
    """

    owner: str
    specification: OrderSpecification
    items: Sequence[ItemSpecification]
    collection: Collection
    now: datetime
    past: Sequence[Finished]
    find: Callable[[Sequence[str]], Mapping[str, CatalogueItem]]


class Quoter(Protocol):
    """Prices items. Made once per collection, as ``Plugin(collection_id, settings)``.

    ``mode`` is SYNCHRONOUS for one that answers within a request; MONITORING for one that takes its time;
    OFF_LINE for one whose answer a person gives.
    """

    mode: QuotationMode

    def __call__(self, request: QuoteRequest) -> Sequence[ItemGroupPrice]:
        """Return the priced items, in groups by payment method.

        Raises
        ------
        ProcessingFailed
            If they cannot be quoted; ``retry`` says whether asking again may help.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class ForwardedItem:
    """How one item stands at the provider that makes it.

    ``files`` holds the URLs of its results; ``expires`` until when they answer, UTC.
    """

    number: int
    status: Status
    info: str | None = None
    files: tuple[str, ...] = ()
    expires: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Forwarded:
    """How a provider order stands at its provider: items that are not named have not changed."""

    items: tuple[ForwardedItem, ...]


class Provider(Protocol):
    """Fulfils provider orders elsewhere; runs on the server, from the dispatch loop.

    Made once per collection, as ``Plugin(collection_id, settings)``. ``callback`` is where the provider may
    call back (None: nowhere): a call is a hint to poll, never believed.
    """

    def submit(
        self, order: Order, items: Sequence[OrderItem], *, message_id: str, callback: str | None
    ) -> str:
        """Pass the items on; return the provider's tracking id. The same ``message_id`` orders only once."""

    def cancel(self, provider_order: ProviderOrder, *, message_id: str, callback: str | None) -> None:
        """Ask for cancellation."""

    def poll(self, provider_order: ProviderOrder, items: Sequence[OrderItem]) -> Forwarded:
        """Return how the items stand there."""

    def quote(self, request: QuoteRequest) -> Sequence[ItemGroupPrice]:
        """Ask what the items would cost."""


class AcquisitionState(StrEnum):
    """Where a tasking request stands at its tasking service."""

    WAITING = "waiting"
    ACQUIRED = "acquired"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Acquisition:
    """What became of a tasking request: still waiting, the product it acquired, or why none came."""

    state: AcquisitionState
    product: ProductId | None = None
    text: str | None = None


class Tasking(Protocol):
    """Knows what tasking requests of a linked Sensor Planning Service have acquired.

    Made once per collection, as ``Plugin(collection_id, settings)``; runs on the server.
    """

    def __call__(self, request_ids: Sequence[str]) -> Mapping[str, Acquisition]:
        """Return what became of tasking requests; one that is not named is still waiting."""
