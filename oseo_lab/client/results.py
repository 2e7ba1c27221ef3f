"""What an order delivered: download it, check it again later, open it, describe it as STAC.

The manifest beside each delivery says which files there are and what their bytes must be; it is fetched
first and written last, so that a folder with a manifest is a whole delivery.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload
from urllib.parse import quote, unquote, urlsplit

from oseo_lab.client import display
from oseo_lab.client.names import folder_name
from oseo_lab.client.transport import FILES
from oseo_lab.model.delivery import ItemURL
from oseo_lab.model.errors import DeliveryError, ResultExpired
from oseo_lab.model.names import short_id

if TYPE_CHECKING:
    from oseo_lab.client.downloads import FileTask
    from oseo_lab.client.progress import Progress
    from oseo_lab.client.transport import Transport

__all__ = ["Delivery", "Results", "Verification", "verify"]

MANIFEST = "manifest.json"
ITEM = "item.json"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The files of one item.

    Parameters
    ----------
    item_id : str
        The item's name in the order; ``order`` for a package of the whole.
    base : str
        URL of the folder they lie in, with a slash at the end.
    urls : tuple of str
        Of the data files.
    """

    item_id: str
    base: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """What checking a folder found: files as promised, changed, missing."""

    ok: tuple[Path, ...] = ()
    changed: tuple[Path, ...] = ()
    missing: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ok) and not self.changed and not self.missing

    def __repr__(self) -> str:
        return f"{len(self.ok)} ok, {len(self.changed)} changed, {len(self.missing)} missing"


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
        self._transport = transport
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
            return Results(self._transport, self.order_id, self.name, self._urls[index], self.note)
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
            own = self._transport.own(each.url)
            url = own if is_here else each.url
            found.setdefault((each.item_id, _folder_of(url)), []).append(url)
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
        root = _root(Path(folder).expanduser(), self.name, self.order_id)
        plan = self._plan(root)
        fetch_all(self._transport, plan.tasks, self.name, workers=workers, progress=progress)
        for path, body in plan.manifests.items():
            _write(path, body)
        self.folder = root
        return [each.path for each in plan.tasks if each.is_data]

    def _plan(self, root: Path) -> _Plan:
        tasks: list[FileTask] = []
        manifests: dict[Path, bytes] = {}
        for delivery in self.deliveries:
            place = root / folder_name(delivery.item_id)
            body = self._beside(delivery, MANIFEST)
            if body is None:
                tasks += _tasks_of_urls(delivery, place)
            else:
                tasks += _tasks_of_manifest(delivery, place, body)
                manifests[place / MANIFEST] = body
        return _Plan(tuple(tasks), manifests)

    def _beside(self, delivery: Delivery, name: str) -> bytes | None:
        """Return a small file that lies beside a delivery's data; None where a server keeps none."""
        from oseo_lab.client.downloads import fetch_small

        if f"/{FILES}" not in delivery.base:
            return None  # no service of ours: whatever it answered there would be no manifest
        try:
            return fetch_small(self._transport, delivery.base + name)
        except ResultExpired:
            raise
        except DeliveryError:
            return None

    def verify(self, folder: str | Path | None = None) -> Verification:
        """Check downloaded files against their manifests (`verify`)."""
        where = self.folder if folder is None else Path(folder).expanduser()
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
            ``chunks`` (Dask chunks, default ``"auto"``), ``masked`` (nodata becomes NaN, default True).

        Raises
        ------
        ConfigurationError
            If xarray and rioxarray are missing: ``pip install 'oseo-lab[xarray]'``.
        DeliveryError
            If the results do not lie on one grid; the text says which and what to do.
        """
        from oseo_lab.client.opening import open_dataset

        dataset = open_dataset(self._items(folder) or self._undescribed(folder), **how)
        return dataset.assign_attrs(order=self.order_id, order_name=self.name)

    def to_stac(self, folder: str | Path | None = None) -> Any:
        """Return a `pystac.ItemCollection` whose assets point to the downloaded files, else to the server."""
        from oseo_lab.client.opening import item_collection

        items = self._items(folder)
        if not items:
            raise DeliveryError(f"{self.name!r} came without a STAC description; to_xarray() opens it")
        return item_collection(items)

    def _undescribed(self, folder: str | Path | None) -> list[tuple[dict[str, Any], str]]:
        """Return the deliveries of a service that describes nothing: the files, and no more."""
        from oseo_lab.client.undescribed import plain_files, plain_links

        where = self.folder if folder is None else Path(folder).expanduser()
        deliveries = self.deliveries
        return [plain_links(each) for each in deliveries] if where is None else plain_files(deliveries, where)

    def _items(self, folder: str | Path | None) -> list[tuple[dict[str, Any], str]]:
        """Return each delivery's STAC item and the place its assets are relative to; none if none has any."""
        where = self.folder if folder is None else Path(folder).expanduser()
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
            body = self._beside(delivery, ITEM)
            if body is not None:
                found.append((_object(body, f"{ITEM} of item {delivery.item_id!r}"), delivery))
        return [(_with_links(item, delivery), delivery.base) for item, delivery in found]

    # -------------------------------------------------------------------------------------- how it looks

    def __repr__(self) -> str:
        items = len({each.item_id for each in self._urls})
        note = f"; {self.note}" if self.note else ""
        return f"Results({self.name!r}: {len(self)} files of {items} items{note})"

    def _repr_html_(self) -> str:
        return display.safely(self, self._html)

    def _html(self) -> str:
        rows = [(each.item_id, _name_of(each.url), display.when(each.expiration)) for each in self._urls]
        body = display.table(("item", "file", "kept until"), rows)
        return display.card(f"results of {self.name}", body, self.note or "")


def verify(folder: str | Path) -> Verification:
    """Check every delivery below a folder against its manifest: sizes and SHA-256.

    Raises
    ------
    DeliveryError
        If there is no manifest below it.
    """
    from oseo_lab.client.downloads import is_whole

    ok, changed, missing = [], [], []
    manifests = sorted(Path(folder).expanduser().rglob(MANIFEST))
    if not manifests:
        raise DeliveryError(f"there is no {MANIFEST} in or below {folder}: nothing was downloaded there")
    for manifest in manifests:
        for name, size, sha256, _ in _files(manifest.read_bytes(), str(manifest)):
            path = manifest.parent / folder_name(name)
            if not path.exists():
                missing.append(path)
            elif is_whole(path, size, sha256):
                ok.append(path)
            else:
                changed.append(path)
    return Verification(tuple(ok), tuple(changed), tuple(missing))


def local_items(folder: Path, order_id: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the STAC items of an order's deliveries below a folder, with the folder each lies in.

    Raises
    ------
    DeliveryError
        If there is none.
    """
    is_empty = True
    for path in sorted(folder.rglob(ITEM)):
        item = _object(path.read_bytes(), str(path))
        if _mapping(item.get("properties")).get("oseo:order", order_id) == order_id:
            is_empty = False
            yield _with_files(item), f"{path.parent.resolve()}/"
    if is_empty:
        raise DeliveryError(
            f"nothing of order {order_id} lies in or below {folder}: results.download({str(folder)!r}) first"
        )


def _nothing(results: Results) -> DeliveryError:
    if results.note:
        return ResultExpired(results.note)
    return DeliveryError(
        f"order {results.name!r} has delivered nothing (yet): order.wait() waits, order.failed says "
        "what went wrong"
    )


def _root(folder: Path, name: str, order_id: str) -> Path:
    """Return the order's own folder; a second order of the same name gets its id behind it."""
    root = folder / folder_name(name)
    for manifest in root.glob(f"*/{MANIFEST}"):
        try:
            other = json.loads(manifest.read_bytes()).get("order")
        except (OSError, ValueError, AttributeError):
            continue  # not a manifest: no other order's
        if other not in (None, order_id):
            return folder / f"{root.name}-{short_id(order_id)}"
    return root


def _folder_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[0] + "/"


def _name_of(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or "file"


def _tasks_of_urls(delivery: Delivery, place: Path) -> list[FileTask]:
    """Return what to fetch from a server that keeps no manifest."""
    from oseo_lab.client.downloads import FileTask

    return [FileTask(url=url, path=place / folder_name(_name_of(url))) for url in delivery.urls]


def _tasks_of_manifest(delivery: Delivery, place: Path, body: bytes) -> list[FileTask]:
    from oseo_lab.client.downloads import FileTask

    by_name = {_name_of(url): url for url in delivery.urls}
    return [
        FileTask(
            url=by_name.get(name, delivery.base + quote(name, safe="")),
            path=place / folder_name(name),
            size=size,
            sha256=sha256,
            media_type=media_type,
            is_data=name != ITEM,
        )
        for name, size, sha256, media_type in _files(body, f"the manifest of item {delivery.item_id!r}")
    ]


def _files(body: bytes, what: str) -> list[tuple[str, int, str, str]]:
    """Return name, size, SHA-256 and media type of each file a manifest promises; a name is no path."""
    try:
        found = [
            (str(each["name"]), int(each["size"]), str(each["sha256"]), str(each.get("media_type", "")))
            for each in _object(body, what)["files"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as wrong:
        raise DeliveryError(f"{what} cannot be read: {wrong!r}; download again") from None
    if any(name in ("", ".", "..") for name, *_ in found):
        raise DeliveryError(f"{what} lists a file without a name")
    return found


def _object(body: bytes, what: str) -> dict[str, Any]:
    """Return what a server's JSON says, or said when it was downloaded."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise DeliveryError(f"{what} cannot be read: it is no JSON object; download again")
    return said


def _mapping(said: Any) -> Mapping[str, Any]:
    return said if isinstance(said, Mapping) else {}


def _assets(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = _mapping(item.get("assets"))
    return {name: dict(asset) for name, asset in found.items() if isinstance(asset, Mapping)}


def _with_files(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item whose assets are the files beside it: its links may name any file of this machine."""
    assets = _assets(item)
    for asset in assets.values():
        asset["href"] = f"./{folder_name(_name_of(str(asset.get('href', ''))))}"
    return {**item, "assets": assets}


def _with_links(item: dict[str, Any], delivery: Delivery) -> dict[str, Any]:
    """Return an item whose assets are at the URLs that were given for them, signatures included."""
    by_name = {_name_of(url): url for url in delivery.urls}
    assets = _assets(item)
    for asset in assets.values():
        name = _name_of(str(asset.get("href", "")))
        asset["href"] = by_name.get(name, delivery.base + quote(name, safe=""))
    return {**item, "assets": assets}


def _write(path: Path, body: bytes) -> None:
    from oseo_lab.client.downloads import settle

    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.write_bytes(body)
        settle(part, path)
    except OSError as wrong:
        raise DeliveryError(f"{path} could not be written: {wrong}") from wrong
