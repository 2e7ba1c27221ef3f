"""Products of a STAC catalogue that lie in an archive: what their items say of it, and asking for them.

Read: what `oseo_lab.model.archive` knows, of the item and of the assets that hold data. Asked: by POST where
the item links to (``order``, ``retrieve``), else by asking for its first data file, as archives begin to
restore what is fetched. 202 is an archive that has begun, 409 one that has begun before; a status in the
answer counts more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from oseo_lab.builtin.catalogue_assets import AssetRules, Refused, is_data
from oseo_lab.builtin.catalogue_items import read_item
from oseo_lab.builtin.remote import is_http, open_http
from oseo_lab.model.archive import Offline, offline_in
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.job import CatalogueItem, FailureClass
from oseo_lab.ports import ProcessingFailed

__all__ = ["ask_archive", "offline_of", "read_archived", "usual"]

_THERE = "succeeded"
_RELATIONS = ("order", "retrieve")
_PATIENCE = 30.0  # seconds without an answer
_TOGETHER = 30.0  # seconds that an answer may take, once it has begun
_MOST = 64 * 1024  # bytes of an answer that are read
_BEGUN_BEFORE = 409


def usual(settings: Mapping[str, Any]) -> float | None:
    """Return how long a restore takes, seconds, as a collection's ``[catalogue] restore`` says.

    Raises
    ------
    ConfigurationError
        If it is no number above 0.
    """
    given = settings.get("restore")
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 1e8:
        raise ConfigurationError(f"catalogue.restore: {given!r} is no time; allowed: seconds, more than 0")
    return float(given)


def read_archived(
    feature: Mapping[str, Any],
    collection_id: str,
    rules: AssetRules,
    base: Path | str | None,
    usually: float | None,
) -> CatalogueItem:
    """Return a STAC item as a catalogue item, with what it says of its archive."""
    item = read_item(feature, collection_id, rules, base)
    return replace(item, offline=offline_of(feature, rules, base, usually))


def offline_of(
    feature: Mapping[str, Any], rules: AssetRules, base: Path | str | None, usually: float | None
) -> Offline | None:
    """Return that a STAC item's files must be restored first; None where they are there.

    Parameters
    ----------
    feature : mapping
        The item's JSON.
    rules : AssetRules
        Where may be asked.
    base : Path, str or None
        Folder or URL of the item, for relative links.
    usually : float or None
        Seconds that a restore takes, as the operator knows.
    """
    now = datetime.now(UTC)
    said = [each for fields in _told(feature) if (each := offline_in(fields, now)) is not None]
    if not said or _was_restored(feature, now):
        return None
    times = [each.usually for each in said if each.usually is not None]
    return Offline(
        usually=max(times, default=usually),
        is_asked=all(each.is_asked for each in said),
        href=_link(feature, rules, base),
    )


def _was_restored(feature: Mapping[str, Any], now: datetime) -> bool:
    """Whether the item as a whole was restored, wherever its assets are stored."""
    properties = feature.get("properties")
    fields = properties if isinstance(properties, Mapping) else {}
    return str(fields.get("order:status")).lower() == _THERE and offline_in(fields, now) is None


def _told(feature: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what may speak of the archive: the properties, and every asset that holds data."""
    properties = feature.get("properties")
    if isinstance(properties, Mapping):
        yield properties
    assets = feature.get("assets")
    for asset in assets.values() if isinstance(assets, Mapping) else ():
        if isinstance(asset, Mapping) and is_data(asset):
            yield asset


def _link(feature: Mapping[str, Any], rules: AssetRules, base: Path | str | None) -> str | None:
    links = feature.get("links")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("rel") in _RELATIONS:
            try:
                href = rules.resolve(str(link.get("href") or ""), base)
            except Refused:
                continue
            if is_http(href):
                return href
    return None


def ask_archive(item: CatalogueItem, hosts: Sequence[str]) -> bool:
    """Ask for a product's restore; True if it is there after all.

    Parameters
    ----------
    item : CatalogueItem
        That is offline.
    hosts : sequence of str
        Where its server may lead on to, beside itself.

    Raises
    ------
    ProcessingFailed
        If the archive does not answer now, or refuses.
    """
    href = item.offline.href if item.offline else None
    data = next((each.href for each in item.assets if is_http(each.href)), None)
    if href is None and data is None:
        raise ProcessingFailed(
            f"the product {item.identifier!r} is offline, and nobody says how to ask for it"
        )
    try:
        if href is None:
            assert data is not None
            open_http(data, hosts, _PATIENCE, first=1).close()
            return True
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        with open_http(href, hosts, _PATIENCE, body=b"{}", headers=headers) as answer:
            return _says_there(_beginning(answer))
    except ProcessingFailed as waiting:
        if waiting.failure_class is FailureClass.WAITING:
            return False
        raise
    except HTTPError as refused:
        if refused.code == _BEGUN_BEFORE:
            return False
        raise _refused(item, refused) from refused
    except (OSError, HTTPException) as away:
        raise ProcessingFailed(
            "the archive of the product does not answer; this is tried again", retry=True, detail=str(away)
        ) from away


def _beginning(answer: Any) -> bytes:
    """Return what came of an answer in a while: whoever sends it byte by byte has begun all the same."""
    end, body = time.monotonic() + _TOGETHER, b""
    while len(body) < _MOST and time.monotonic() < end and (some := answer.read1(_MOST - len(body))):
        body += some
    return body


def _says_there(body: bytes) -> bool:
    """Whether an answer says that nothing has to be restored any more."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return False
    properties = said.get("properties") if isinstance(said, dict) else None
    fields = {**said, **properties} if isinstance(properties, dict) else said
    return isinstance(fields, dict) and str(fields.get("order:status")).lower() == _THERE


def _refused(item: CatalogueItem, refused: HTTPError) -> ProcessingFailed:
    passing = refused.code >= 500 or refused.code in (408, 425, 429)
    then = "this is tried again" if passing else "its operator can say why"
    return ProcessingFailed(
        f"the archive does not restore {item.identifier!r} (HTTP {refused.code}); {then}",
        retry=passing,
        detail=str(refused),
    )
