"""The only XML parser of the house, hardened, and the small things all codecs share.

First step of every message: `parse` takes bytes nobody vouches for and gives a tree, or refuses with one
sentence (`BadMessage`). There is no DTD, so no entities; nothing is ever fetched; comments and processing
instructions are dropped while parsing, so that they cannot split a value in two. Bytes are UTF-8, or
UTF-16 with a byte order mark, and nothing else, whatever the XML declaration claims.

Answers never become trees: they are text, made of pieces that went through `escape`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from lxml import etree

from oseo_lab.model.errors import BadMessage, OseoError, Problem, TooLarge

__all__ = [
    "DATASET",
    "LOCAL_NAMES",
    "OSEO",
    "OWS",
    "SWE",
    "XLINK",
    "XSI",
    "Readers",
    "attribute",
    "escape",
    "instant",
    "local_name",
    "one",
    "option_name",
    "parse",
    "read",
    "read_time",
    "text_of",
    "timestamp",
]

OSEO = "http://www.opengis.net/oseo/1.0"
OWS = "http://www.opengis.net/ows/2.0"
SWE = "http://www.opengis.net/swe/2.0"
XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
#: Namespace of option values under XMLEncoding (06-141r6, Table 7-18 and the official samples).
DATASET = "http://www.opengis.net/oseo/1.0/dataset"

#: Most elements, attributes, and attributes of one element; deeper than 256 is refused by libxml2 itself.
MAX_ELEMENTS = 1_000_000
MAX_ATTRIBUTES = 250_000
MAX_ATTRIBUTES_OF_ONE = 100
#: Up to this size, in bytes, no crowd is worth counting; above, one attribute in so many bytes is looked at.
_HARMLESS = 1 << 16
_SPARSE = 40

_DECLARED = re.compile(rb"""^<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]*)["']""")
#: What may stand before a DOCTYPE.
_PROLOG = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_CROWDED = etree.XPath(f"boolean(//*[count(@*) > {MAX_ATTRIBUTES_OF_ONE}])")
#: What XML 1.0 cannot carry at all.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def parse(body: bytes) -> etree._Element:
    """Return the root element of an XML document from outside.

    Parameters
    ----------
    body : bytes
        UTF-8 (with or without byte order mark) or UTF-16 with one.

    Raises
    ------
    BadMessage
        Not well-formed, a DOCTYPE, an encoding not accepted, or nested deeper than 256.
    TooLarge
        More elements or attributes than any order needs.
    """
    text = _utf8(body)
    prolog = _PROLOG.match(text)
    if prolog and text.startswith(b"<!DOCTYPE", prolog.end()):
        raise BadMessage("a message has no DOCTYPE: remove it, and the entities it declares")
    attributes = _refuse_crowds(text) if len(text) > _HARMLESS else 0
    try:
        root = etree.fromstring(text, _PARSERS.parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise BadMessage(f"this is not well-formed XML: {wrong}"[:500]) from None
    if attributes * _SPARSE > len(text) and _CROWDED(root):
        raise BadMessage(f"an element has more than {MAX_ATTRIBUTES_OF_ONE} attributes")
    return root


def _refuse_crowds(text: bytes) -> int:
    """Refuse what would cost memory out of proportion before a tree is made of it.

    Returns
    -------
    int
        At least as many as there are attributes.
    """
    if len(text) > 8 * MAX_ELEMENTS and text.count(b"<") > 2 * MAX_ELEMENTS:
        raise TooLarge("the message has too many elements; send fewer items in one order")
    attributes = text.count(b"=")
    if len(text) > 5 * MAX_ATTRIBUTES and attributes > MAX_ATTRIBUTES:
        raise TooLarge("the message has too many attributes; send fewer items in one order")
    return attributes


class _Parsers(threading.local):
    """One parser a thread: making one costs a third of a small message."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_blank_text=True,
            remove_comments=True,
            remove_pis=True,
        )


_PARSERS = _Parsers()


def _utf8(body: bytes) -> bytes:
    """Return the document in UTF-8, or refuse what is in no encoding we take."""
    allowed = {b"utf-8", b"utf8", b"us-ascii"}
    if body.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise BadMessage("UTF-32 is not accepted; send UTF-8, or UTF-16 with a byte order mark")
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        allowed = {b"utf-16", b"utf-16le", b"utf-16be"}
        try:
            body = body.decode("utf-16").encode("utf-8")
        except UnicodeError:
            raise BadMessage("the byte order mark says UTF-16, and the bytes are not") from None
    body = body.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARED.match(body)
    if declared and declared[1].lower() not in allowed:
        raise BadMessage(
            f"the XML declaration says {declared[1].decode('ascii')[:40]!r}; "
            "send UTF-8, or UTF-16 with a byte order mark"
        )
    return body


class _LocalNames(dict[str, str]):
    """Local names of tags seen before; looking one up is twice as fast as cutting it out again."""

    def __missing__(self, tag: str) -> str:
        name = tag.rpartition("}")[2]
        if len(self) < 10_000 and len(tag) < 200:
            self[tag] = name
        return name


LOCAL_NAMES = _LocalNames()


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text_of(element: etree._Element) -> str:
    """Return the text that stands directly in an element, between its children too."""
    return "".join([element.text or "", *(child.tail or "" for child in element)])


def escape(text: str) -> str:
    """Return text that may stand in an element; what XML forbids becomes U+FFFD."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text if text.isprintable() else _FORBIDDEN.sub("\ufffd", text).replace("\r", "&#13;")


def attribute(text: str) -> str:
    """Return text that may stand between double quotes in an attribute."""
    return escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


@lru_cache(maxsize=4096)
def option_name(name: str) -> str:
    """Return an option's name unchanged where it can be the name of an element.

    Raises
    ------
    OseoError
        If it cannot; such a name was never offered by anybody.
    """
    if not _NAME.fullmatch(name):
        raise OseoError(
            f"{name[:80]!r} cannot be an option's name: letters, digits, '_', '-', '.', a letter first",
            code="InvalidParameterValue",
            locator="option",
        )
    return name


def timestamp(at: datetime) -> str:
    """Return ``xs:dateTime`` in UTC, ending in Z; a naive time is UTC already."""
    if at.tzinfo is None:
        return f"{at.isoformat()}Z"
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def instant(text: str) -> datetime:
    """Read ``xs:dateTime``, or ``xs:date`` as its first moment; without a zone it is UTC.

    Raises
    ------
    ValueError
        If it is no time, or one outside the years 1 to 9999.
    """
    day, separator, rest = text.strip().partition("T")
    later = rest.startswith("24:00:00")  # the midnight that ends the day, which Python does not know
    try:
        if not separator:
            at = datetime.fromisoformat(f"{day[:10]}T00:00:00{day[10:]}")
        elif later:
            at = datetime.fromisoformat(f"{day}T00{rest[2:]}")
        else:
            at = datetime.fromisoformat(f"{day}T{rest}")
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        return at + timedelta(days=later)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None


def read_time(element: etree._Element) -> datetime:
    """Read an ``xs:dateTime``; the schema knows years that Python does not."""
    try:
        return instant(element.text or "")
    except ValueError as wrong:
        name = local_name(element)
        text = f"{name}: {(element.text or '')[:100]!r} is no time that can be kept: {wrong}"
        raise BadMessage.of([Problem(code="InvalidParameterValue", locator=name, text=text)]) from None


#: What a child element becomes: its field, how it is read (None: its text), and whether it may repeat.
Readers = Mapping[str, tuple[str, Callable[[etree._Element], Any] | None, bool]]


def read(element: Iterable[etree._Element], readers: Readers) -> dict[str, Any]:
    """Return the fields that an element's children (or some of them) fill; all known, for it was checked."""
    values: dict[str, Any] = {}
    repeated: tuple[str, ...] = ()
    for child in element:
        field, reader, repeats = readers[child.tag]
        value = (child.text or "") if reader is None else reader(child)
        if not repeats:
            values[field] = value
        elif field not in values:
            values[field] = (value,)
        elif field not in repeated:
            values[field] = [*values[field], value]
            repeated += (field,)
        else:
            values[field].append(value)
    for field in repeated:
        values[field] = tuple(values[field])
    return values


def one(name: str, text: str | None) -> str:
    """Return an element holding text, or nothing where there is none."""
    return "" if text is None else f"<{name}>{escape(text)}</{name}>"
