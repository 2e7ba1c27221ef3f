"""What an order delivered: download it, check it again later, open it, describe it as STAC.

The manifest beside each delivery says which files there are and what their bytes must be; it is fetched
first and written last, so that a folder with a manifest is a whole delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from oseo_lab.client import display
from oseo_lab.client.deliveries import (
    ITEM,
    MANIFEST,
    Delivery,
    beside,
    folder_of,
    local_items,
    made,
    name_of,
    object_of,
    place_of,
    tasks_of,
    with_links,
    write,
)
from oseo_lab.client.given import folder_at, whole
from oseo_lab.client.names import folder_name
from oseo_lab.client.verifying import Verification, verify
from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.errors import DeliveryError, ResultExpired

if TYPE_CHECKING:
    from oseo_lab.client.part import FileTask
    from oseo_lab.client.progress import Progress
    from oseo_lab.client.transport import Transport

__all__ = ["Results", "Verification", "verify"]


@dataclass(frozen=True)
class _Plan:
    """What a download will fetch: data first, each delivery's own description last."""

    tasks: tuple[FileTask, ...] = ()
    manifests: dict[Path, bytes] = field(default_factory=dict)


class Results(Sequence[ItemURL]):
    """The delivered files of an order, as its DescribeResultAccess listed them.

    Parameters
    ----------
    transport : Transport
        How to fetch them.
    order_id, name : str
        Whose they are.
    urls : sequence of ItemURL
        The data files.
    note : str or None
        What the service had to say, such as files that have expired.

    Attributes
    ----------
    folder : Path or None
        Where the last `download` put them.
    """

    def __init__(
        self,
        transport: Transport,
        order_id: str,
        name: str,
        urls: Sequence[ItemURL],
        note: str | None = None,
    ) -> None:
        self.transport = transport
        self.order_id = order_id
        self.name = name
        self.note = note
        self._urls = tuple(urls)
        self.folder: Path | None = None

    @overload
    def __getitem__(self, index: int) -> ItemURL: ...

    @overload
    def __getitem__(self, index: slice) -> Results: ...

    def __getitem__(self, index: int | slice) -> ItemURL | Results:
        if isinstance(index, slice):
            return Results(self.transport, self.order_id, self.name, self._urls[index], self.note)
        return self._urls[index]

    def __len__(self) -> int:
        return len(self._urls)

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the data files lie: fetch them with your token, or as signed until they expire."""
        return tuple(each.url for each in self._urls)

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The files by item."""
        found: dict[tuple[str, str], list[str]] = {}
        for each in self._urls:
            # a file's path holds its order; what another service made for ours lies there, under its own
            is_here = self.order_id.removeprefix("urn:uuid:") in each.url
            own = self.transport.own(each.url)
            url = own if is_here else each.url
            found.setdefault((each.item_id, folder_of(url)), []).append(url)
        return tuple(
            Delivery(item_id=item_id, base=base, urls=tuple(urls)) for (item_id, base), urls in found.items()
        )

    # ------------------------------------------------------------------------------------------- download

    def download(self, folder: str | Path = ".", workers: int = 4, progress: Progress = None) -> list[Path]:
        """Download to ``<folder>/<order name>/<item id>/<file>``; run again, it goes on where it stopped.

        A file has its final name only when all its bytes are there and are those promised; one that is
        there already and right is not fetched again, one that is not right is replaced.

        Parameters
        ----------
        folder : str or Path
            Where to; made if need be.
        workers : int
            Files at a time.
        progress : bool or callable, optional
            As in `Order.wait`; bytes instead of items.

        Returns
        -------
        list of Path
            The data files.

        Raises
        ------
        DeliveryError
            If a file could not be had (`IntegrityError`, `ResultExpired`), after all others were tried;
            its ``problems`` name each.
        """
        from oseo_lab.client.downloads import fetch_all

        if not self._urls:
            raise _nothing(self)
        whole(workers, "workers")
        root = place_of(made(folder_at(folder)), self.name, self.order_id)
        self.folder = root
        plan = self._plan(root)
        here: set[Path] = set()
        try:
            fetch_all(self.transport, plan.tasks, self.name, workers=workers, progress=progress, here=here)
        finally:  # items that are whole are this order's: another of its name goes elsewhere
            for path, body in plan.manifests.items():
                if here.issuperset(each.path for each in plan.tasks if each.path.parent == path.parent):
                    write(path, body)
        return [each.path for each in plan.tasks if each.is_data]

    def _plan(self, root: Path) -> _Plan:
        tasks: list[FileTask] = []
        manifests: dict[Path, bytes] = {}
        for delivery in self.deliveries:
            place = root / folder_name(delivery.item_id)
            body = beside(self.transport, delivery, MANIFEST)
            tasks += tasks_of(delivery, place, body)
            if body is not None:
                manifests[place / MANIFEST] = body
        return _Plan(tuple(tasks), manifests)

    def there(self, folder: Path | None) -> Path | None:
        """Return a folder if everything lies there that has been delivered; None if anything is missing."""
        if folder is None:
            return None
        places = ((folder / folder_name(each.item_id), each.urls) for each in self.deliveries)
        names = (place / folder_name(name_of(url)) for place, urls in places for url in urls)
        return folder if all(each.is_file() for each in names) else None

    def verify(self, folder: str | Path | None = None) -> Verification:
        """Check downloaded files against their manifests (`verify`)."""
        where = self.folder if folder is None else folder_at(folder)
        if where is None:
            raise DeliveryError("nothing was downloaded here yet: say which folder, verify('data')")
        return verify(where)

    # -------------------------------------------------------------------------------------------- opening

    def to_xarray(self, folder: str | Path | None = None, **how: Any) -> Any:
        """Open everything as one `xarray.Dataset`: bands as variables, items along ``time``.

        Parameters
        ----------
        folder : str or Path, optional
            Where the files were downloaded to; without it, where the last `download` put them, else they
            are opened where they lie, by ranges over HTTP.
        **how
            ``chunks`` (Dask chunks, default ``"auto"``), ``masked`` (nodata becomes NaN, default True),
            ``bands`` (only these), ``mosaic`` (tiles of one day become one moment, default False).

        Raises
        ------
        ConfigurationError
            If xarray and rioxarray are missing: ``pip install 'oseo-lab[xarray]'``.
        DeliveryError
            If the results differ in grid or bands; the text says how, and what to do.
        """
        from oseo_lab.client.opening import How, open_dataset

        given = How.given(self.transport, how)
        dataset = open_dataset(self._items(folder) or self._undescribed(folder), given)
        return dataset.assign_attrs(order=self.order_id, order_name=self.name)

    def to_stac(self, folder: str | Path | None = None) -> Any:
        """Return a `pystac.ItemCollection` whose assets point to the downloaded files, else to the server."""
        from oseo_lab.client.describing import item_collection

        items = self._items(folder)
        if not items:
            raise DeliveryError(f"{self.name!r} came without a STAC description; to_xarray() opens it")
        return item_collection(items)

    def _undescribed(self, folder: str | Path | None) -> list[tuple[dict[str, Any], str]]:
        """Return the deliveries of a service that describes nothing: the files, and no more."""
        from oseo_lab.client.undescribed import plain_files, plain_links

        where = self.folder if folder is None else folder_at(folder)
        deliveries = self.deliveries
        return [plain_links(each) for each in deliveries] if where is None else plain_files(deliveries, where)

    def _items(self, folder: str | Path | None) -> list[tuple[dict[str, Any], str]]:
        """Return each delivery's STAC item and the place its assets are relative to; none if none has any."""
        where = self.folder if folder is None else folder_at(folder)
        if where is not None:
            try:
                return list(local_items(where, self.order_id))
            except DeliveryError:
                if not self._undescribed(where):
                    raise
                return []
        if not self._urls:
            raise _nothing(self)
        found = []
        for delivery in self.deliveries:
            body = beside(self.transport, delivery, ITEM)
            if body is not None:
                found.append((object_of(body, f"{ITEM} of item {delivery.item_id!r}"), delivery))
        return [(with_links(item, delivery), delivery.base) for item, delivery in found]

    # -------------------------------------------------------------------------------------- how it looks

    def __repr__(self) -> str:
        items = len({each.item_id for each in self._urls})
        note = f"; {self.note}" if self.note else ""
        return f"Results({self.name!r}: {len(self)} files of {items} items{note})"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [(each.item_id, name_of(each.url), display.when(each.expiration)) for each in self._urls]
        body = display.table(("item", "file", "kept until"), rows)
        return display.card(f"results of {self.name}", body, self.note or "")


def _nothing(results: Results) -> DeliveryError:
    if results.note:
        return ResultExpired(results.note)
    return DeliveryError(
        f"order {results.name!r} has delivered nothing (yet): order.wait() waits, order.failed says "
        "what went wrong"
    )
