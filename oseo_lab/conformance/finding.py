"""Products to order, where nobody named any: a server of this project says which there are."""

from __future__ import annotations

from urllib.parse import quote

import httpx

from oseo_lab.conformance.probe import Probe

__all__ = ["find_products"]


def find_products(probe: Probe, collection: str) -> tuple[str, ...]:
    """Return a few products of a collection; none where the server has no JSON door beside its SOAP one."""
    url = (
        f"{probe.url.partition('?')[0].rstrip('/')}/api/v1/collections/{quote(collection, safe='')}/products"
    )
    headers = probe.credentials.headers(fetching=True) if probe.credentials else {}
    try:
        answer = probe.http.get(url, params={"limit": 3}, headers=headers)
        products = answer.raise_for_status().json()["products"]
        return tuple(str(each["identifier"]) for each in products)
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ()
