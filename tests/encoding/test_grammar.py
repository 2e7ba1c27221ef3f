"""What is no message is refused: by name, all at once, and never less strictly than the official schema."""

from __future__ import annotations

import copy
import random
import time
from pathlib import Path

import pytest
from lxml import etree

from oseo_lab.encoding.oseo import decode_request, decode_response, encode_request
from oseo_lab.encoding.xmltree import OSEO, parse
from oseo_lab.model.errors import BadMessage, OseoError
from tests.at_length import end_of
from tests.encoding.golden import DATA, REQUESTS, RESPONSES
from tests.official import schema_for

_O = f"{{{OSEO}}}"
LEAST = (DATA / "Submit_least.xml").read_bytes()
FULL = (DATA / "Submit_everything.xml").read_bytes()
SEARCH = (DATA / "GetStatus_search.xml").read_bytes()


def problems(body: bytes) -> list[tuple[str, str | None, str | None]]:
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(body))
    return [(each.code, each.locator, each.item_id) for each in caught.value.problems]


MISSING, INVALID = "MissingParameterValue", "InvalidParameterValue"

CASES = [
    ("no order type", LEAST, b"<orderType>PRODUCT_ORDER</orderType>", b"", (MISSING, "orderType", None)),
    (
        "no notification",
        LEAST,
        b"<statusNotification>None</statusNotification>",
        b"",
        (MISSING, "statusNotification", None),
    ),
    ("no item id", LEAST, b"<itemId>a</itemId>", b"", (MISSING, "itemId", None)),
    ("no version", LEAST, b' version="1.0.0"', b"", (MISSING, "version", None)),
    ("long version", LEAST, b'version="1.0.0"', b'version="1.0.00"', (INVALID, "version", None)),
    ("other service", LEAST, b'service="OS"', b'service="WMS"', (INVALID, "service", None)),
    ("unknown attribute", LEAST, b'service="OS"', b'service="OS" a="b"', (INVALID, "a", None)),
    ("long item id", LEAST, b">a<", b">" + b"a" * 81 + b"<", (INVALID, "itemId", "a" * 80)),
    ("empty item id", LEAST, b">a<", b"><", (INVALID, "itemId", None)),
    ("unknown element", LEAST, b"<orderItem>", b"<colour/><orderItem>", (INVALID, "colour", None)),
    ("bad enumeration", LEAST, b"None</status", b"Some</status", (INVALID, "statusNotification", None)),
    ("case of enumeration", LEAST, b"PRODUCT_ORDER", b"product_order", (INVALID, "orderType", None)),
    (
        "wrong order",
        FULL,
        b"<itemId>2</itemId>",
        b"<payment><paymentMethod>q</paymentMethod></payment><itemId>2</itemId>",
        (INVALID, "itemId", "2"),
    ),
    (
        "two references",
        FULL,
        b"<orderRemark>",
        b"<orderReference>x</orderReference><orderRemark>",
        (INVALID, "orderReference", None),
    ),
    ("child in text", LEAST, b">a<", b"><b/><", (INVALID, "itemId", None)),
    (
        "text among elements",
        LEAST,
        b"<orderItem>",
        b"hello<orderItem>",
        (INVALID, "orderSpecification", None),
    ),
    ("long password", FULL, b"cobol&amp;&lt;59&gt;", b"x" * 21, (INVALID, "userPassword", None)),
    (
        "copies that are no number",
        FULL,
        b"<numberOfCopies>1",
        b"<numberOfCopies>one",
        (INVALID, "numberOfCopies", None),
    ),
    (
        "copies of 33 bits",
        FULL,
        b"<numberOfCopies>1",
        b"<numberOfCopies>4294967296",
        (INVALID, "numberOfCopies", None),
    ),
    ("no such time", SEARCH, b"2024-06-01T12:00:00Z", b"2024-06-31T12:00:00Z", (INVALID, "lastUpdate", None)),
    ("a date for a time", SEARCH, b"2024-06-01T12:00:00Z", b"2024-06-01", (INVALID, "lastUpdate", None)),
    (
        "year ten thousand",
        SEARCH,
        b"2024-06-01T12:00:00Z",
        b"12024-06-01T12:00:00Z",
        (INVALID, "lastUpdate", None),
    ),
    (
        "time before time",
        SEARCH,
        b"2024-06-01T12:00:00Z",
        b"0001-01-01T00:00:00+14:00",
        (INVALID, "lastUpdate", None),
    ),
    (
        "a year of five digits",
        SEARCH,
        b"2024-06-01T12:00:00Z",
        b"20240-06-01T12:00:00Z",
        (INVALID, "lastUpdate", None),
    ),
]


@pytest.mark.parametrize(
    ("body", "old", "new", "expected"), [each[1:] for each in CASES], ids=[each[0] for each in CASES]
)
def test_what_is_wrong_is_named(
    body: bytes, old: bytes, new: bytes, expected: tuple[str, str | None, str | None]
) -> None:
    changed = body.replace(old, new, 1)
    assert changed != body
    assert expected in problems(changed)


def test_two_identifiers_of_one_item_are_refused() -> None:
    second = b"<subscriptionId><collectionId>c</collectionId></subscriptionId></orderItem>"
    assert (INVALID, "subscriptionId", "a") in problems(LEAST.replace(b"</orderItem>", second))


def test_no_identifier_of_an_item_is_a_missing_one() -> None:
    element = parse(LEAST)
    item = element.find(f".//{_O}orderItem")
    assert item is not None
    item.remove(item[-1])
    assert problems(etree.tostring(element)) == [(MISSING, "productId", "a")]


def test_all_problems_of_a_message_are_told_at_once() -> None:
    body = FULL.replace(b"CD-ROM", b"punched cards").replace(b"FAST_TRACK", b"AT_ONCE")
    body = body.replace(b"<itemId>2</itemId>", b"").replace(
        b"</statusNotification>", b"!</statusNotification>"
    )
    assert problems(body) == [
        (INVALID, "priority", None),
        (INVALID, "packageMedium", "1"),
        (MISSING, "itemId", None),
        (INVALID, "statusNotification", None),
    ]


def test_text_of_a_problem_says_what_is_allowed() -> None:
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(LEAST.replace(b"PRODUCT_ORDER", b"ORDER")))
    said = caught.value.problems[0].text
    assert said == (
        "orderType: 'ORDER' is not allowed; allowed: PRODUCT_ORDER, SUBSCRIPTION_ORDER, TASKING_ORDER"
    )


def test_problems_are_told_up_to_fifty() -> None:
    many = b"".join(b"<b%d/>" % number for number in range(1000))
    assert len(problems(LEAST.replace(b"<orderItem>", many + b"<orderItem>"))) == 50


def test_names_of_the_message_are_cut_before_they_are_said_back() -> None:
    name = b"n" * 40_000
    strange = b"".join(b"<%s%d/>" % (name, number) for number in range(40))
    body = LEAST.replace(b">a<", b">" + b"a" * 40_000 + b"<").replace(
        b"<productId>", strange + b"<productId>"
    )
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(body))
    assert len(caught.value.problems) == 41
    assert len(caught.value.text) < 41 * 1200


def test_password_is_not_in_what_is_said_about_it() -> None:
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(FULL.replace(b"cobol&amp;&lt;59&gt;", b"hunter2" * 5)))
    assert "hunter2" not in str(caught.value)


# --- mutations, judged by the official schema ------------------------------------------------------------

#: Where this service is more lenient than the schema: in these anything may stand (the schema checks the
#: elements it happens to know), and none of it is ever more than a selected value or a time.
LENIENT = frozenset({"values", "lastUpdateEnd"})
TEXTS = [
    "",
    " ",
    "x",
    "None",
    "brief",
    "2024-06-01T12:00:00Z",
    "2024-06-01",
    "1.0.0",
    "true",
    "-1",
    "a" * 5000,
    "ftp",
    "PRODUCT_ORDER",
    "Completed",
    "allReady",
    "XMLEncoding",
    "99999999999",
    "a" * 41,
    "%%%",
    "::",
]


def mutate(root: etree._Element, dice: random.Random) -> None:
    """Change one thing: drop, repeat, swap, rename, retype, move, or decorate an element."""
    elements = [each for each in root.iter() if not is_inside_values(each)]
    checked = [each for each in elements if str(each.tag).rpartition("}")[2] not in LENIENT]
    victim = dice.choice(elements)
    parent = victim.getparent()
    what = dice.randrange(10)
    if what == 0 and parent is not None:
        parent.remove(victim)
    elif what == 1 and parent is not None:
        parent.insert(dice.randrange(len(parent) + 1), copy.deepcopy(victim))
    elif what == 2 and len(victim) > 1:
        children = list(victim)
        dice.shuffle(children)
        victim[:] = children
    elif what == 3 and parent is not None:
        victim.tag = dice.choice(elements).tag
    elif what == 4 and not len(victim):
        victim.text = dice.choice(TEXTS)
    elif what == 5:
        victim.set(
            dice.choice(["a", "version", "service", f"{{{OSEO}}}b", "updateSequence"]), dice.choice(TEXTS)
        )
    elif what == 6 and victim.attrib:
        del victim.attrib[dice.choice(list(victim.attrib))]
    elif what == 7 and parent is not None:
        dice.choice(checked).append(copy.deepcopy(victim))
    elif what == 8:
        etree.SubElement(
            dice.choice(checked), dice.choice([f"{_O}itemId", f"{_O}orderType", "{urn:x}y", "z"])
        ).text = "x"
    else:
        dice.choice(checked).set(
            "{http://www.w3.org/2001/XMLSchema-instance}" + dice.choice(["nil", "type"]),
            dice.choice(["true", "false", "xs:string", "oseo:OrderSpecification", "oseo:ProductIdType"]),
        )


def is_inside_values(element: etree._Element) -> bool:
    return any(str(each.tag).rpartition("}")[2] in LENIENT for each in element.iterancestors())


def is_refused_as_it_should(original: etree._Element, schema: etree.XMLSchema, dice: random.Random) -> bool:
    """Mutate a message; say whether the official schema refuses it, having seen that we do too."""
    root = copy.deepcopy(original)
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        mutate(root, dice)
    body = etree.tostring(root)
    if schema.validate(etree.fromstring(body)):
        return False
    with pytest.raises(OseoError):
        assert decode_request(parse(body)) is None, body.decode()
    return True


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_whatever_the_official_schema_refuses_is_refused(name: str, shared: Path) -> None:
    schema = schema_for(shared)
    dice = random.Random(name)
    original = parse((DATA / f"{name}.xml").read_bytes())
    assert sum(is_refused_as_it_should(original, schema, dice) for _ in range(400)) > 50


@pytest.mark.long
@pytest.mark.timeout(0)
def test_whatever_the_official_schema_refuses_is_refused_at_length(shared: Path) -> None:
    schema, end = schema_for(shared), end_of(0.2)
    originals = [parse((DATA / f"{name}.xml").read_bytes()) for name in sorted(REQUESTS)]
    seed = random.SystemRandom().getrandbits(32)
    dice = random.Random(seed)
    tried = refused = 0
    print(f"mutations of seed {seed}")
    while time.monotonic() < end:
        tried += 1
        refused += is_refused_as_it_should(dice.choice(originals), schema, dice)
    print(f"{tried} mutants, {refused} of them refused by the official schema, and by us")
    assert refused > tried / 8


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_mutated_requests_are_read_or_refused_with_reasons(name: str) -> None:
    dice = random.Random(f"again {name}")
    original = parse((DATA / f"{name}.xml").read_bytes())
    for _ in range(200):
        root = copy.deepcopy(original)
        mutate(root, dice)
        try:
            message = decode_request(parse(etree.tostring(root)))
        except OseoError as refused:
            assert refused.problems and all(each.text for each in refused.problems)
        else:
            assert decode_request(parse(encode_request(message))) == message


@pytest.mark.parametrize("name", sorted(RESPONSES))
def test_mutated_responses_are_read_or_refused(name: str) -> None:
    dice = random.Random(f"response {name}")
    original = parse((DATA / f"{name}.xml").read_bytes())
    for _ in range(200):
        root = copy.deepcopy(original)
        mutate(root, dice)
        try:
            decode_response(parse(etree.tostring(root)))
        except OseoError as refused:
            assert refused.problems
