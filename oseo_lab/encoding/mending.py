"""Mending what foreign servers get slightly wrong, so that an answer can be read whose meaning is plain.

Beside `checking`, for answers alone: what a server of ours receives is refused instead. `mend` is called
only for an answer that the check refused, and the check has the last word. Mended are, by the table of
`grammar`: blanks around values, empty optional elements, elements in the wrong order, in no or a misspelt
namespace or of somebody else's, attributes that do not belong, a missing ``status`` (success) or the printed
standard's ``incomplete`` (partial), missing flags of the capabilities (false). Seen in pyoseo's answers and
in the official samples, or likely by them.
"""

from __future__ import annotations

from lxml import etree

from oseo_lab.encoding.grammar import ANY, CONTENTS, SIMPLE, Child, Content
from oseo_lab.encoding.xmltree import OSEO, XSI, local_name

__all__ = ["mend"]

#: Spellings of the namespace (06-141r6 examples and samples), and none at all.
_MISSPELT = ("", f"{OSEO}/", f"{OSEO}.0", "http://www.opengis.net/oseo/1.0.0/", "http://www.opengis.net/oseo")
_FLAGS = ("boolean",)


def mend(element: etree._Element, kind: str | None = None) -> None:
    """Change an answer in place where only its form is wrong.

    Parameters
    ----------
    element : lxml element
        A response or callback.
    kind : str or None
        Its type in the table; by default its own name.
    """
    namespace = str(element.tag).rpartition("}")[0].removeprefix("{")
    name = local_name(element)
    if namespace in _MISSPELT:
        element.tag = f"{{{OSEO}}}{name}"
    kind = kind or name
    if kind in SIMPLE:
        _mend_value(element, kind)
    elif kind in CONTENTS:
        _mend_attributes(element, CONTENTS[kind])
        _mend_children(element, CONTENTS[kind])


def _mend_value(element: etree._Element, kind: str) -> None:
    simple = SIMPLE[kind]
    if element.text and (simple.values or simple.base != "string" or simple.pattern):
        element.text = element.text.strip()
    if (
        kind == "ResponseStatus" and element.text == "incomplete"
    ):  # 06-141r6 16.1; its schema has no such status
        element.text = "partial"


def _mend_attributes(element: etree._Element, content: Content) -> None:
    known = {name for name, _, _ in content.attributes}
    for each in list(element.attrib):
        if each not in known and not str(each).startswith(f"{{{XSI}}}"):
            del element.attrib[each]
    for name, kind, is_optional in content.attributes:
        if not is_optional and kind in _FLAGS and name not in element.attrib:
            element.set(name, "false")


def _mend_children(element: etree._Element, content: Content) -> None:
    """Mend what stands in an element, and put it in the order of the table."""
    element.text = None
    places = {child.name: (at, child) for at, part in enumerate(content.parts) for child in part.children}
    kept: list[tuple[int, etree._Element]] = []
    for each in element:
        each.tail = None
        at, child = _place(each, places)
        if child is None:
            if _is_ours(each):  # a name that the table does not have: the check says so
                kept.append((len(content.parts), each))
            continue
        mend(each, None if child.type in ANY else child.type)
        if not (content.parts[at].optional and _is_empty(each, child)):
            kept.append((at, each))
    element[:] = [each for _, each in sorted(kept, key=lambda pair: pair[0])]
    first = content.parts[0].children[0] if content.parts else None
    if first is not None and first.type == "ResponseStatus" and element.find(first.tag) is None:
        status = etree.Element(first.tag)
        status.text = "success"
        element.insert(0, status)


def _place(element: etree._Element, places: dict[str, tuple[int, Child]]) -> tuple[int, Child | None]:
    """Return where an element belongs; elements of another namespace only in a place for anything of it."""
    namespace = str(element.tag).rpartition("}")[0].removeprefix("{")
    for mark, of in ANY.items():
        if namespace == of and mark in places:
            return places[mark]
    found = places.get(local_name(element)) if _is_ours(element) else None
    return found or (0, None)


def _is_ours(element: etree._Element) -> bool:
    namespace = str(element.tag).rpartition("}")[0].removeprefix("{")
    return namespace == OSEO or namespace in _MISSPELT


def _is_empty(element: etree._Element, child: Child) -> bool:
    """Whether an element holds nothing where its type wants something."""
    if len(element) or (element.text or "").strip():
        return False
    simple = SIMPLE.get(child.type)
    if simple is not None:
        return simple.low > 0 or bool(simple.values) or simple.base != "string"
    return child.type in CONTENTS and bool(CONTENTS[child.type].parts) and not element.attrib
