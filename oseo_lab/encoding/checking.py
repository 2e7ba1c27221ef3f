"""Whether an element is a message: yes or no by libxml2, and by the table's own walk everything wrong.

Between `xmltree` and the codecs: `check` first asks libxml2, which holds the table of `grammar` compiled to
a schema and answers yes in hundredths of a millisecond. Only a message it refuses is walked in Python, by
the same table, to name everything wrong with it: code, element, allowed values. So a codec may trust what
it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from itertools import islice, takewhile
from typing import Any

from lxml import etree

from oseo_lab.encoding.grammar import ANY, CONTENTS, ROOTS, SIMPLE, Child, Content, Simple
from oseo_lab.encoding.xmltree import OSEO, OWS, XSI, local_name, text_of
from oseo_lab.model.errors import BadMessage, Problem

__all__ = ["check"]

#: Most problems listed of one message.
MAX_PROBLEMS = 50
#: Longest name or item id, and longest sentence, said back, characters.
_LONGEST_NAME = 80
_LONGEST_TEXT = 1000


def _xsd_simple(name: str, simple: Simple) -> str:
    facets = "".join(f'<xs:enumeration value="{value}"/>' for value in simple.values)
    facets += f'<xs:minLength value="{simple.low}"/>' if simple.low else ""
    facets += f'<xs:maxLength value="{simple.high}"/>' if simple.high is not None else ""
    facets += f'<xs:pattern value="{simple.pattern}"/>' if simple.pattern is not None else ""
    name = name.replace("ows:", "ows-")
    return (
        f'<xs:simpleType name="{name}"><xs:restriction base="xs:{simple.base}">'
        f"{facets}</xs:restriction></xs:simpleType>"
    )


def _xsd_element(child: Child, optional: bool) -> str:
    occurs = f'minOccurs="{0 if optional else 1}" maxOccurs="{"unbounded" if child.many else 1}"'
    if child.type in ANY and child.tag == child.type:
        return f'<xs:any namespace="{ANY[child.type]}" processContents="skip" {occurs}/>'
    if child.name.startswith("ows:"):
        return f'<xs:element ref="{child.name}" {occurs}/>'
    kind = "any" if child.type == "#any" else child.type
    nil = ' nillable="true"' if child.nillable else ""
    return f'<xs:element name="{child.name}" type="o:{kind}"{nil} {occurs}/>'


def _xsd_complex(name: str, content: Content) -> str:
    places = []
    for part in content.parts:
        inside = "".join(
            _xsd_element(child, part.optional and len(part.children) == 1) for child in part.children
        )
        if len(part.children) > 1:
            inside = f'<xs:choice minOccurs="{0 if part.optional else 1}">{inside}</xs:choice>'
        places.append(inside)
    attributes = "".join(
        f'<xs:attribute name="{each}" type="o:{kind}" use="{"optional" if optional else "required"}"/>'
        for each, kind, optional in content.attributes
    )
    name = name.replace("ows:", "ows-")
    sequence = "".join(places)
    return f'<xs:complexType name="{name}"><xs:sequence>{sequence}</xs:sequence>{attributes}</xs:complexType>'


_SCHEMA = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:o="{oseo}" xmlns:ows="{ows}"'
    ' targetNamespace="{target}" elementFormDefault="qualified" blockDefault="#all">'
    '<xs:import namespace="{other}" schemaLocation="{other}"/>{body}</xs:schema>'
)
_ANY_TYPE = (
    '<xs:complexType name="any" mixed="true"><xs:sequence><xs:any processContents="skip" minOccurs="0"'
    ' maxOccurs="unbounded"/></xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType>'
)


def _schema_texts() -> dict[str, str]:
    """Return the table as two XSD documents, by target namespace: libxml2 wants one document for each."""
    types = "".join(_xsd_simple(*each) for each in SIMPLE.items())
    types += "".join(_xsd_complex(*each) for each in CONTENTS.items()) + _ANY_TYPE
    roots = "".join(f'<xs:element name="{name}" type="o:{name}"/>' for name in ROOTS)
    foreign = "".join(
        f'<xs:element name="{name[4:]}" type="o:ows-{name[4:]}"/>'
        for name in (*SIMPLE, *CONTENTS)
        if name.startswith("ows:")
    )
    names = {"oseo": OSEO, "ows": OWS}
    return {
        OSEO: _SCHEMA.format(**names, target=OSEO, other=OWS, body=types + roots),
        OWS: _SCHEMA.format(**names, target=OWS, other=OSEO, body=foreign),
    }


class _Tables(etree.Resolver):
    """Hands libxml2 the table's documents from memory; nothing is read from anywhere else."""

    def resolve(self, system_url: str, _public_id: str, context: Any) -> Any:  # type: ignore[override]
        return self.resolve_string(_TEXTS[system_url], context)  # type: ignore[call-arg]


def _compiled(more: str = "") -> etree.XMLSchema:
    """Compile the table; ``more`` declares elements that may stand alone beside its messages."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Tables())
    text = _TEXTS[OSEO].replace("</xs:schema>", f"{more}</xs:schema>")
    return etree.XMLSchema(etree.fromstring(text.encode(), parser, base_url=OSEO))


_TEXTS = _schema_texts()
_VALID = _compiled()
#: Each complaint of libxml2 costs the number of siblings, to say where it is, and it makes all of them: so
#: where more than this many stand side by side, they are shown to it one by one.
_CROWD = 2000
_NIL = f"{{{XSI}}}nil"
_NOT_OURS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation", _NIL, f"{{{XSI}}}type")


def check(element: etree._Element) -> None:
    """Refuse a message that is not as 06-141r6 says.

    Parameters
    ----------
    element : lxml element
        A request or response of the table, in the OSEO namespace.

    Raises
    ------
    BadMessage
        With every problem found (at most fifty): ``MissingParameterValue`` for what is not there,
        ``InvalidParameterValue`` for what is wrong; the locator is the element's or attribute's name.
    """
    refused_by = _refused_by(element)
    if refused_by is not None:
        raise BadMessage.of(_first_problems(element) or [_libxml2_says(element, refused_by)])


def _refused_by(element: etree._Element) -> etree.XMLSchema | None:
    """Return the schema that a message is not valid by; None where it is valid."""
    crowds = _crowds(element, _depth_of_repeats(local_name(element)))
    if not crowds:
        return None if _VALID.validate(element) else _VALID
    run = _run_of(crowds[0]) if len(crowds) == 1 else []
    child = _child_of(element, run[0]) if run else None
    if child is not None and child.many:
        return _refused_in_run_by(element, run, _valid_alone(child.name, child.type))
    # In any other crowd a walk finds what is wrong, and ends at the fiftieth problem.
    return None if not _first_problems(element) and _VALID.validate(element) else _VALID


def _refused_in_run_by(
    element: etree._Element, run: list[etree._Element], alone: etree.XMLSchema
) -> etree.XMLSchema | None:
    """Ask about each of a crowd by itself, and about the message with the first of them only."""
    above = takewhile(lambda each: each is not element, run[0].iterancestors())
    if not _VALID.validate(_as_far_as(element, [*above][::-1], run[0])):
        return _VALID
    return None if all(map(alone.validate, run)) else alone


def _run_of(crowd: etree._Element) -> list[etree._Element]:
    """Return the children that all have the name of the last; none where others crowd before them."""
    run = list(crowd.iterchildren(crowd[-1].tag))
    first = len(crowd) - len(run)
    return run if first <= _CROWD and crowd[first] is run[0] else []


def _child_of(element: etree._Element, below: etree._Element) -> Child | None:
    """Return what the table says of an element somewhere in a message; None where it may not stand there."""
    parent = below.getparent()
    kind = local_name(element)
    if parent is not element and parent is not None:
        above = _child_of(element, parent)
        kind = "" if above is None else above.type
    parts = CONTENTS[kind].parts if kind in CONTENTS else ()
    return next((each for part in parts for each in part.children if each.tag == below.tag), None)


def _as_far_as(element: etree._Element, way: list[etree._Element], last: etree._Element) -> etree._Element:
    """Copy an element, down a way of children as far as the last, without what follows that beside it."""
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    made = element.makeelement(element.tag, attributes)
    made.text = text_of(element)
    for child in element:
        is_on_the_way = bool(way) and child is way[0]
        made.append(_as_far_as(child, way[1:], last) if is_on_the_way else deepcopy(child))
        if child is last:
            break
    return made


@cache
def _valid_alone(name: str, kind: str) -> etree.XMLSchema:
    """Return the table with one more element that may stand alone."""
    return _compiled(f'<xs:element name="{name}" type="o:{kind}"/>')


def _crowds(element: etree._Element, depth: int) -> list[etree._Element]:
    """Return what has a crowd of children, so deep below an element and above.

    Deeper than the message's type lets elements repeat, a crowd gets one complaint at most: libxml2 passes
    over what follows a wrong element.
    """
    found = [element] if len(element) > _CROWD else []
    if depth > 1:
        for child in element:
            if len(child):  # most are leaves: a small message pays for the call
                found += _crowds(child, depth - 1)
    elif depth == 1:
        found += [child for child in element if len(child) > _CROWD]
    return found


@cache
def _depth_of_repeats(kind: str) -> int:
    """Return how deep below an element of a type its children may last repeat; -1 where they never do."""
    children = [child for part in CONTENTS[kind].parts for child in part.children]
    below = max((_depth_of_repeats(each.type) for each in children if each.type in CONTENTS), default=-1)
    if below >= 0:
        return below + 1
    return 0 if any(each.many for each in children) else -1


def _first_problems(element: etree._Element) -> list[Problem]:
    return list(islice(_problems(element, local_name(element), None), MAX_PROBLEMS))


def _libxml2_says(element: etree._Element, schema: etree.XMLSchema) -> Problem:
    """Turn the schema's own complaint into a problem, where the table's walk found nothing to add."""
    last: Any = schema.error_log.last_error  # type: ignore[attr-defined]
    said = last.message.replace(f"{{{OSEO}}}", "") if last is not None else "not as 06-141r6 says"
    name = re.match(r"Element '(?:\{[^}]*\})?([^']+)'", said)
    return Problem(
        code="InvalidParameterValue", locator=name[1] if name else local_name(element), text=said[:500]
    )


def _wrong(code: str, locator: str, text: str, item: str | None) -> Problem:
    """Make a problem; names come from the message, so they are cut before they are said back fifty times."""
    return Problem(code=code, locator=locator[:_LONGEST_NAME], text=text[:_LONGEST_TEXT], item_id=item)


def _problems(element: etree._Element, kind: str, item: str | None) -> Iterator[Problem]:
    """Yield what is wrong with an element of a type, and below it."""
    if kind == "#any" or kind in ANY:
        return
    if kind in SIMPLE:
        yield from _value_problems(element, SIMPLE[kind], item)
        return
    if kind in ("orderItem", "StatusItem"):
        item = (element.findtext(f"{{{OSEO}}}itemId") or "")[:_LONGEST_NAME] or item
    content = CONTENTS[kind]
    yield from _attribute_problems(element, content, item)
    if text_of(element).strip():
        name = local_name(element)
        yield _wrong("InvalidParameterValue", name, f"{name} holds elements, and no text beside them", item)
    yield from _place_problems(element, content, item)


def _value_problems(element: etree._Element, simple: Simple, item: str | None) -> Iterator[Problem]:
    name = local_name(element)
    if len(element):
        text = f"{name} holds text only, not {local_name(element[0])}"
        yield _wrong("InvalidParameterValue", name, text, item)
    elif element.get(_NIL, "").strip() in ("true", "1"):
        if element.text:
            yield _wrong("InvalidParameterValue", name, f"{name} says it is nil and has a value", item)
    elif wrong := simple.problem(element.text or ""):
        yield _wrong("InvalidParameterValue", name, f"{name}: {wrong}", item)


def _attribute_problems(element: etree._Element, content: Content, item: str | None) -> Iterator[Problem]:
    given: dict[str, str] = {str(name): str(value) for name, value in element.attrib.items()}
    name = local_name(element)
    for each, kind, optional in content.attributes:
        value = given.pop(each, None)
        if value is None and not optional:
            yield _wrong("MissingParameterValue", each, f"{name} must have the attribute {each}", item)
        elif value is not None and (wrong := SIMPLE[kind].problem(value)):
            yield _wrong("InvalidParameterValue", each, f"{each}: {wrong}", item)
    for strange in list(given)[:MAX_PROBLEMS]:
        if strange not in _NOT_OURS:
            bare = strange.rpartition("}")[2]
            yield _wrong("InvalidParameterValue", bare, f"{name} has no attribute {bare}", item)


def _place_problems(element: etree._Element, content: Content, item: str | None) -> Iterator[Problem]:
    """Yield what is missing, too much, strange or out of order among an element's children."""
    places = {child.tag: (at, child) for at, part in enumerate(content.parts) for child in part.children}
    filled: dict[int, str] = {}
    reached = 0
    parent = local_name(element)
    for each in element:
        name = local_name(each)
        at, child = places.get(_place_of(str(each.tag), places), (None, None))
        if at is None or child is None:
            names = ", ".join(child.name for _, child in places.values()) or "nothing"
            text = f"{name} does not belong in {parent}; allowed, in this order: {names}"
            yield _wrong("InvalidParameterValue", name, text, item)
            continue
        if at in filled and (filled[at] != each.tag or not child.many):
            others = " or ".join(other.name for other in content.parts[at].children)
            yield _wrong("InvalidParameterValue", name, f"{parent} has one {others} only", item)
        elif at < reached:
            text = f"{name} comes too late in {parent}: it goes before {_name_at(content, reached)}"
            yield _wrong("InvalidParameterValue", name, text, item)
        filled.setdefault(at, str(each.tag))
        reached = max(reached, at)
        yield from _problems(each, child.type, item)
    for at, part in enumerate(content.parts):
        if not part.optional and at not in filled:
            names = " or ".join(child.name for child in part.children)
            text = f"{parent} must have {names}"
            yield _wrong("MissingParameterValue", part.children[0].name, text, item)


def _place_of(tag: str, places: dict[str, tuple[int, Child]]) -> str:
    """Return the key of an element's place: its own name, or the wildcard of its namespace."""
    namespace = tag[1:].partition("}")[0]
    wildcard = next((mark for mark, of in ANY.items() if of == namespace), tag)
    return tag if tag in places else wildcard


def _name_at(content: Content, at: int) -> str:
    return " or ".join(child.name for child in content.parts[at].children)
