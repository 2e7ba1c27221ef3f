"""The same order by other doors: what a draft says as JSON, SOAP, a curl command, or a Python cell.

No recipe holds the token: it is named as the variable it should come from.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from oseo_lab.client.transport import API

if TYPE_CHECKING:
    from oseo_lab.client.area import Area
    from oseo_lab.client.options import Options
    from oseo_lab.model.messages import Submit

__all__ = ["RECIPES", "Draft"]


class Item(Protocol):
    """What a recipe needs of a draft's item."""

    item_id: str
    identifier: str

    @property
    def options(self) -> Options:
        """Its own options."""


class Draft(Protocol):
    """What a recipe needs of a draft."""

    collection: str
    options: Options

    @property
    def name(self) -> str | None:
        """What it is called."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The option groups there are."""

    @property
    def group(self) -> str:
        """The option group ordered by."""

    @property
    def area(self) -> Area | None:
        """What is cut out."""

    @property
    def items(self) -> Iterable[Item]:
        """What is ordered."""

    def request(self) -> Submit:
        """Return the message that submits it."""


def _json(draft: Draft, url: str) -> str:
    from oseo_lab.encoding.json_form import to_plain

    return json.dumps(to_plain(draft.request()), indent=2, ensure_ascii=False)


def _soap(draft: Draft, url: str) -> str:
    from oseo_lab.encoding.oseo import encode_request
    from oseo_lab.encoding.soap import SoapVersion, request_envelope

    return request_envelope(encode_request(draft.request()), SoapVersion.V11).decode()


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
    given = [f"{[each.identifier for each in draft.items]!r}", f"collection={draft.collection!r}"]
    given += [f"{name}={value!r}" for name, value in (("name", draft.name),) if value]
    if draft.area is not None:
        given += _area(draft.area)
    if len(draft.groups) > 1:
        given.append(f"group={draft.group!r}")
    given += [
        f"{name}={str(value)!r}" for name in ("packaging", "priority") if (value := getattr(draft, name))
    ]
    given += [f"{name}={value!r}" for name, value in draft.options.chosen.items()]
    body = "".join(f"    {each},\n" for each in given)
    lines = [f"import oseo_lab as oseo\n\nlab = oseo.connect({url!r})\ndraft = lab.order(\n{body})"]
    for item in draft.items:
        own = item.options.chosen
        lines += [f"draft.items[{item.item_id!r}].options.{name} = {value!r}" for name, value in own.items()]
    return "\n".join([*lines, "order = draft.submit()"])


def _area(area: Area) -> list[str]:
    if not area.is_box:
        return [f"area={dict(area.geometry)!r}"]
    corners = tuple(each for point in area.points for each in point)
    return [f"area={corners!r}", *([f"area_crs={area.crs!r}"] if area.crs else [])]


#: Recipes by name.
RECIPES: dict[str, Callable[[Draft, str], str]] = {
    "json": _json,
    "soap": _soap,
    "curl": _curl,
    "python": _python,
}
