"""Products that a catalogue has, as a sequence that shows itself: what a search found, what would match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from oseo_lab.client import display
from oseo_lab.model.job import CatalogueItem

__all__ = ["Found"]


class Found(Sequence[CatalogueItem]):
    """Products of one collection, in the catalogue's order.

    Parameters
    ----------
    collection_id : str
        What they belong to.
    items : sequence of CatalogueItem
        The products.
    """

    def __init__(self, collection_id: str, items: Sequence[CatalogueItem]) -> None:
        self.collection_id = collection_id
        self._items = tuple(items)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> CatalogueItem: ...

    @overload
    def __getitem__(self, index: slice) -> Found: ...

    def __getitem__(self, index: int | slice) -> CatalogueItem | Found:
        return (
            Found(self.collection_id, self._items[index]) if isinstance(index, slice) else self._items[index]
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """The products' identifiers."""
        return tuple(each.identifier for each in self._items)

    def __repr__(self) -> str:
        what = "1 product" if len(self) == 1 else f"{len(self)} products"
        return f"{what} of {self.collection_id}{_dates(self._items)}"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [
            (
                number,
                each.identifier,
                "" if each.datetime is None else f"{each.datetime:%Y-%m-%d %H:%M}",
                _cloud(each),
                "yes" if each.orderable else f"no: {each.reason or 'not now'}",
            )
            for number, each in enumerate(self._items[: display.ROWS])
        ]
        head = ("#", "id", "time (UTC)", "cloud", "can be ordered")
        return display.card(repr(self), display.table(head, rows, total=len(self)))


def _dates(items: Sequence[CatalogueItem]) -> str:
    days = sorted(each.datetime for each in items if each.datetime is not None)
    if not days:
        return ""
    first, last = f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}"
    return f", {first}" if first == last else f", {first} to {last}"


def _cloud(item: CatalogueItem) -> str:
    cover = item.properties.get("eo:cloud_cover", item.properties.get("cloud_cover"))
    return f"{cover:.0f} %" if isinstance(cover, int | float) else ""
