"""The same order by other doors: what a draft says as JSON, SOAP, a curl command, Python or a command line.

No recipe holds the token: it is named as the variable it should come from. A password in the service's URL
is left out.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from xml.dom import minidom

from oseo_lab.client.as_code import Draft, code_of
from oseo_lab.client.transport import API
from oseo_lab.model.errors import NotSupported
from oseo_lab.model.identifiers import OrderType

__all__ = ["RECIPES", "without_secrets"]


def without_secrets(url: str) -> str:
    """Return a URL without the user, password, query and fragment it may hold."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _json(draft: Draft, url: str) -> str:
    from oseo_lab.encoding.json_form import to_plain

    return json.dumps(to_plain(draft.request()), indent=2, ensure_ascii=False)


def _soap(draft: Draft, url: str) -> str:
    from oseo_lab.encoding.oseo import encode_request
    from oseo_lab.encoding.soap import SoapVersion, request_envelope

    envelope = request_envelope(encode_request(draft.request()), SoapVersion.V11)
    return minidom.parseString(envelope).toprettyxml(indent="  ", encoding="UTF-8").decode()  # to be read


def _curl(draft: Draft, url: str) -> str:
    return "\n".join(
        [
            f"curl -X POST {shlex.quote(url + API + 'orders')} \\",
            '  -H "Authorization: token $OSEO_LAB_TOKEN" \\',
            "  -H 'Content-Type: application/json' \\",
            f"  --data-binary {shlex.quote(_json(draft, url))}",
        ]
    )


def _python(draft: Draft, url: str) -> str:
    return f"import oseo_lab as oseo\n\nlab = oseo.connect({url!r})\n{code_of(draft)}\norder = draft.submit()"


def _cli(draft: Draft, url: str) -> str:
    if draft.offer.order_type is OrderType.SUBSCRIPTION_ORDER:
        raise NotSupported("the command line composes no subscriptions; allowed: json, soap, curl, python")
    if any(each.own_options is not None or each.own_area is not None for each in draft.items):
        raise NotSupported(
            "the command line chooses the same for every item, this draft does not; allowed: json, soap, "
            "curl, python"
        )
    words = ["oseo-lab", "orders", "submit", draft.collection, *(each.identifier for each in draft.items)]
    lines = [shlex.join(each) for each in (words, *_cli_options(draft), ["--url", url])]
    return " \\\n  ".join(lines)


def _cli_options(draft: Draft) -> Iterator[list[str]]:
    """Yield the options of the command: each a flag and its value."""
    flags = {
        "--name": draft.name,
        "--group": draft.group if len(draft.groups) > 1 else None,
        "--packaging": draft.packaging,
        "--priority": draft.priority,
        "--remark": draft.remark,
        "--max-price": draft.limits.max_price,
        "--max-bytes": draft.limits.max_bytes,
    }
    for flag, value in flags.items():
        if value is not None:
            yield [f"{flag}={value}"] if str(value).startswith("-") else [flag, str(value)]
    if draft.area is not None:
        points = draft.area.points
        ring = ", ".join(f"{x!r} {y!r}" for x, y in points)
        box = ",".join(repr(each) for point in points for each in point)
        yield [f"--area={box}" if draft.area.is_box else f"--area=POLYGON (({ring}))"]
        if draft.area.crs:
            yield ["--area-crs", draft.area.crs]
    for name, value in draft.options.chosen.items():
        yield ["-o", f"{name}={_word(name, value)}"]


def _word(name: str, value: Any) -> str:
    """Return a value as it is typed."""
    parts = value if isinstance(value, list) else [value]
    words = [str(each).lower() if isinstance(each, bool) else str(each) for each in parts]
    is_typed = all(isinstance(each, str | int | float) for each in parts)
    if not is_typed or (isinstance(value, list) and any("," in each or " " in each for each in words)):
        raise NotSupported(f"{name} cannot be typed on a command line; allowed: json, soap, curl, python")
    return ",".join(words)


#: Recipes by name.
RECIPES: dict[str, Callable[[Draft, str], str]] = {
    "json": _json,
    "soap": _soap,
    "curl": _curl,
    "python": _python,
    "cli": _cli,
}
