"""What was delivered as a `pystac.ItemCollection`; and libraries that only an extra installs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import urljoin

from oseo_lab.model.errors import ConfigurationError

__all__ = ["absolute", "all_needed", "entries", "item_collection", "mapping", "needed"]


def needed(name: str, what: str, extra: str) -> Any:
    """Return a library that an extra of this package installs.

    Raises
    ------
    ConfigurationError
        If it is not installed; the text names the extra.
    """
    try:
        return import_module(name)
    except ImportError as lacking:
        missing = lacking.name or name
        raise ConfigurationError(f"{what} needs {missing}: pip install 'oseo-lab[{extra}]'") from None


def all_needed(what: str, extras: Mapping[str, str]) -> None:
    """Look whether all libraries of some extras are installed, so that they need not be met one by one.

    Parameters
    ----------
    what : str
        What was called.
    extras : mapping of str to str
        The extra that installs each library.

    Raises
    ------
    ConfigurationError
        If some are not; the text names them all.
    """
    gone = [name for name in extras if not _is_there(name)]
    if gone:
        wanted = ",".join(dict.fromkeys(extras[name] for name in gone))
        raise ConfigurationError(f"{what} needs {' and '.join(gone)}: pip install 'oseo-lab[{wanted}]'")


def _is_there(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def mapping(said: Any) -> Mapping[str, Any]:
    """Return what a server said if it is an object; an empty one if it is anything else."""
    return said if isinstance(said, Mapping) else {}


def entries(said: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list that a server said; others are left out."""
    return [each for each in said if isinstance(each, Mapping)] if isinstance(said, list | tuple) else []


def absolute(href: str, base: str) -> str:
    """Return where an asset lies, whose link may be relative to its item's folder."""
    if "://" in href or href.startswith("/"):
        return href
    return urljoin(base, href) if base.startswith(("http://", "https://")) else base + href.removeprefix("./")


def item_collection(items: Sequence[tuple[dict[str, Any], str]]) -> Any:
    """Return a `pystac.ItemCollection` whose asset links are absolute.

    Each item says which order it is of (``order:id``, as the STAC extension Order has it, and
    ``oseo:order``); sizes and checksums are those of the file extension.
    """
    import pystac

    found = []
    for plain, base in items:
        item = {**plain, "links": []}  # links of the delivery folder lead nowhere from here
        item["properties"] = dict(plain.get("properties", {}))
        if "oseo:order" in item["properties"]:
            item["properties"].setdefault("order:id", item["properties"]["oseo:order"])
            item["properties"].setdefault("order:status", "succeeded")
        item["assets"] = {
            name: {**asset, "href": absolute(str(asset["href"]), base)}
            for name, asset in plain.get("assets", {}).items()
        }
        found.append(pystac.Item.from_dict(item))
    return pystac.ItemCollection(found)
