"""Results that come without a description: files of another service, whose time and bands are not told.

What is opened then is what there is: the files themselves, one item for each delivery. Used by `results`
where no STAC item lies beside the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from oseo_lab.client.names import folder_name

__all__ = ["Delivered", "plain_files", "plain_links"]


class Delivered(Protocol):
    """What is needed of a delivery: whose it is, and where its files lie."""

    @property
    def item_id(self) -> str:
        """The item's name in its order."""

    @property
    def base(self) -> str:
        """URL of the folder they lie in."""

    @property
    def urls(self) -> tuple[str, ...]:
        """URLs of the files."""


def plain_links(delivery: Delivered) -> tuple[dict[str, Any], str]:
    """Return a delivery as an item whose assets lie where they were delivered."""
    return _item(delivery.item_id, {_name_of(url): url for url in delivery.urls}), delivery.base


def plain_files(deliveries: Iterable[Delivered], folder: Path) -> list[tuple[dict[str, Any], str]]:
    """Return deliveries as items whose assets are the files downloaded below a folder, as far as they are."""
    found = []
    for delivery in deliveries:
        place = folder / folder_name(delivery.item_id)
        names = [folder_name(_name_of(url)) for url in delivery.urls]
        here = {name: f"./{name}" for name in names if (place / name).is_file()}
        if here:
            found.append((_item(delivery.item_id, here), f"{place.resolve()}/"))
    return found


def _item(item_id: str, assets: Mapping[str, str]) -> dict[str, Any]:
    listed = {name: {"href": href, "roles": ["data"]} for name, href in assets.items()}
    return {"type": "Feature", "id": item_id, "properties": {}, "assets": listed}


def _name_of(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or "file"
