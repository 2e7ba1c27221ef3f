"""The same order by other doors: what submits it as JSON, SOAP, a curl command, Python or a command line.

No recipe holds the token: it is named as the variable it should come from. A password in the service's URL
is left out, and so are those that an order holds.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from xml.dom import minidom

from oseo_lab.client.as_code import Draft, code_of
from oseo_lab.client.promises import Transport
from oseo_lab.client.transport import API
from oseo_lab.model.errors import NotSupported, ValidationError
from oseo_lab.model.identifiers import OrderType, ProductId
from oseo_lab.model.limits import limits_of
from oseo_lab.model.messages import Submit
from oseo_lab.model.options import selected
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.reuse import wants_reuse

if TYPE_CHECKING:
    from oseo_lab.client.items import Handle

__all__ = ["recipe", "recipe_of", "without_secrets", "wsdl_of"]


def recipe(form: str, transport: Transport, request: Submit, draft: Callable[[], Draft]) -> str:
    """Return how an order is submitted by another door.

    Parameters
    ----------
    form : str
        ``json``, ``soap``, ``curl``, ``python`` or ``cli``.
    transport : Transport
        How its service is reached.
    request : Submit
        The message that submits it.
    draft : callable
        Returns the draft that says the same, for doors that compose one.

    Raises
    ------
    ValidationError
        If there is no such door.
    NotSupported
        If the order cannot be said there, or another service does not read it.
    """
    if form not in _FORMS:
        raise ValidationError(f"form {form!r:.60} is not known; allowed: {', '.join(_FORMS)}", locator="form")
    known = getattr(transport, "recipes", None)  # what means something to another service
    if known is not None and form not in known:
        raise NotSupported(f"another OSEO service takes no {form}; allowed: {', '.join(known)}")
    url = without_secrets(transport.url)
    if form in _MESSAGES:
        return _MESSAGES[form](request, url)
    said = _CODES[form](draft(), url)
    return said if known is None else said.replace("oseo.connect(", "oseo.connect(soap=", 1)


def recipe_of(order: Handle, form: str) -> str:
    """Return how an order would be submitted once more, with all it says (`Order.as_request`)."""
    from oseo_lab.encoding.json_form import from_plain, to_plain

    record = order.refresh().record
    wishes = replace(record.specification, items=tuple(each.specification for each in record.items))
    # passwords and card numbers are read from a message, never written into one
    request: Submit = from_plain(Submit, to_plain(Submit(specification=wishes)))
    return recipe(form, order.session.transport, request, lambda: _draft_of(order, wishes))


def _draft_of(order: Handle, wishes: OrderSpecification) -> Draft:
    """Return the draft that says the same as an order.

    Raises
    ------
    NotSupported
        If an order says what no draft can, such as where to send a disk.
    """
    limits = limits_of(wishes)
    draft: Draft | None = None
    if wishes.order_type is OrderType.PRODUCT_ORDER:
        same = {
            "name": order.name if wishes.order_reference else None,
            "remark": wishes.order_remark,
            "max_price": limits.max_price,
            "max_bytes": limits.max_bytes,
            "reuse": wants_reuse(wishes),
        }
        draft = order.session.order_anew(order, order.known_items, same)
    made = None if draft is None else draft.request().specification
    if draft is None or made is None or _meaning(made, draft) != _meaning(wishes, draft):
        raise NotSupported("this order says more than a draft can; allowed: json, soap, curl")
    return draft


def without_secrets(url: str) -> str:
    """Return a URL without the user, password, query and fragment it may hold."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _meaning(wishes: OrderSpecification, draft: Draft) -> tuple[Any, ...]:
    """Return what an order asks for, wherever its options are said: for all items, or for each."""
    items = [
        (
            each.item_id,
            each.identifier.identifier if isinstance(each.identifier, ProductId) else each.identifier,
            each.product_order_options_id or draft.offer.product_order_options_id,
            selected(draft.offer.options, wishes.options, each.options),
            selected(draft.scene_options.values(), each.scene_selections),
        )
        for each in wishes.items
    ]
    beside = [(each.remark, each.delivery_options, each.payment, each.extensions) for each in wishes.items]
    return replace(wishes, items=(), options=()), items, beside


def wsdl_of(transport: Transport) -> str:
    """Return where a service's WSDL lies: below the SOAP endpoint, as they all have it."""
    is_endpoint = hasattr(transport, "recipes")  # reached over SOAP
    url = without_secrets(transport.url)
    return f"{url if is_endpoint else url + 'oseo/'}?wsdl"


def _json(request: Submit, url: str) -> str:
    from oseo_lab.encoding.json_form import to_plain

    return json.dumps(to_plain(request), indent=2, ensure_ascii=False)


def _soap(request: Submit, url: str) -> str:
    from oseo_lab.encoding.oseo import encode_request
    from oseo_lab.encoding.soap import SoapVersion, request_envelope

    envelope = request_envelope(encode_request(request), SoapVersion.V11)
    return minidom.parseString(envelope).toprettyxml(indent="  ", encoding="UTF-8").decode()  # to be read


def _curl(request: Submit, url: str) -> str:
    return "\n".join(
        [
            f"curl -X POST {shlex.quote(url + API + 'orders')} \\",
            '  -H "Authorization: token $OSEO_LAB_TOKEN" \\',
            "  -H 'Content-Type: application/json' \\",
            f"  --data-binary {shlex.quote(_json(request, url))}",
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
    if any(draft.items.is_named(each) for each in draft.items):
        raise NotSupported(
            "the command line gives items no names of their own; allowed: json, soap, curl, python"
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
    if draft.reuse:
        yield ["--reuse"]
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


#: What says the order itself, by form; and what composes it.
_MESSAGES: dict[str, Callable[[Submit, str], str]] = {"json": _json, "soap": _soap, "curl": _curl}
_CODES: dict[str, Callable[[Draft, str], str]] = {"python": _python, "cli": _cli}
_FORMS = (*_MESSAGES, *_CODES)
