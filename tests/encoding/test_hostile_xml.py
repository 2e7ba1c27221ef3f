"""Bytes nobody vouches for: each refused with one sentence, quickly, and never with another exception."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from oseo_lab.encoding.oseo import decode_request, decode_response, encode_request
from oseo_lab.encoding.soap import SoapVersion, open_envelope, request_envelope
from oseo_lab.encoding.xmltree import MAX_ATTRIBUTES, parse
from oseo_lab.model.errors import BadMessage, OseoError, TooLarge
from oseo_lab.model.messages import Cancel
from tests.encoding.golden import DATA, REQUESTS

LEAST = (DATA / "Submit_least.xml").read_bytes()
CANCEL = encode_request(Cancel(order_id="urn:uuid:1"))
ENVELOPE = request_envelope(CANCEL, SoapVersion.V12, message_id="urn:m:1")


def lots(size: int = 10) -> bytes:
    lines = [b'<!ENTITY a0 "ha">'] + [
        b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, size)
    ]
    return b"<!DOCTYPE r [" + b"".join(lines) + b"]>"


def external(url: bytes) -> bytes:
    return b'<!DOCTYPE r [<!ENTITY x SYSTEM "' + url + b'">]>'


def with_id(text: bytes, prolog: bytes = b"") -> bytes:
    return prolog + CANCEL.replace(b"urn:uuid:1", text)


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "blank": b"  \n",
    "garbage": b"\x00\x01\x02",
    "html": b"<!doctype html><p>hello",
    "billion laughs": with_id(b"&a9;", lots()),
    "quadratic blow-up": with_id(b"&x;" * 10_000, b'<!DOCTYPE r [<!ENTITY x "' + b"x" * 50_000 + b'">]>'),
    "external entity": with_id(b"&x;", external(b"file:///etc/passwd")),
    "external DTD": with_id(b"x", b'<!DOCTYPE r SYSTEM "file:///etc/passwd">'),
    "parameter entity": with_id(b"x", b'<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>'),
    "DTD behind a comment": with_id(b"x", b"<!-- <a> --><?p?>\n<!-- --> <!DOCTYPE r [<!ENTITY x 'y'>]>"),
    "DTD behind a declaration": with_id(b"&x;", b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY x 'y'>]>"),
    "DTD behind a byte order mark": b"\xef\xbb\xbf" + with_id(b"&x;", b"<!DOCTYPE r [<!ENTITY x 'y'>]>"),
    "DTD in UTF-16": with_id(b"&x;", b"<!DOCTYPE r [<!ENTITY x 'y'>]>").decode().encode("utf-16"),
    "default attributes by DTD": with_id(b"x", b"<!DOCTYPE r [<!ATTLIST Cancel version CDATA '9'>]>"),
    "undeclared entity": with_id(b"&nbsp;"),
    "deep nesting": b"<a>" * 100_000,
    "deep nesting, closed": b"<a>" * 5000 + b"</a>" * 5000,
    "deep values": LEAST.replace(
        b"<productId>",
        b"<option><ParameterData><encoding>XMLEncoding</encoding><values>"
        + b"<v>" * 3000
        + b"</v>" * 3000
        + b"</values></ParameterData></option><productId>",
    ),
    "attribute bomb": b"<Cancel " + b" ".join(b'a%d=""' % n for n in range(120_000)) + b"/>",
    "attribute bomb in values": b"<a " + b" ".join(b'a%d=""' % n for n in range(20_000)) + b"/>",
    "namespace bomb": b"<a " + b" ".join(b'xmlns:a%d="u"' % n for n in range(20_000)) + b"/>",
    "attribute twice": CANCEL.replace(b'version="1.0.0"', b'version="1.0.0" version="1.0.0"'),
    "huge text": with_id(b"x" * 11_000_000),
    "long id": with_id(b"x" * 100_000),
    "huge name": b"<" + b"n" * 200_000 + b"/>",
    "huge comment": b"<!--" + b"c" * 11_000_000 + b"--><a/>",
    "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>' + CANCEL,
    "UTF-7 smuggling": b'<?xml version="1.0" encoding="utf-7"?>+ADw-!DOCTYPE r SYSTEM +ACI-file:///x+ACI-+AD4-<a/>',
    "UTF-32": CANCEL.decode().encode("utf-32"),
    "UTF-32 without mark": CANCEL.decode().encode("utf-32-le"),
    "UTF-16 without mark": CANCEL.decode().encode("utf-16-le"),
    "UTF-16 cut in half": CANCEL.decode().encode("utf-16")[:-1],
    "EBCDIC": b'<?xml version="1.0" encoding="cp037"?>' + CANCEL,
    "latin 1 declared": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + CANCEL,
    "latin 1 bytes": CANCEL.replace(b"urn:uuid:1", b"caf\xe9"),
    "says UTF-16, is UTF-8": b'<?xml version="1.0" encoding="UTF-16"?>' + CANCEL,
    "overlong UTF-8": CANCEL.replace(b"urn", b"\xc0\xbc"),
    "surrogates in UTF-8": CANCEL.replace(b"urn", b"\xed\xa0\x80"),
    "NUL": CANCEL.replace(b"urn", b"\x00"),
    "NUL as reference": CANCEL.replace(b"urn", b"&#0;"),
    "two roots": CANCEL + CANCEL,
    "XInclude": b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>',
    "XML 1.1": b'<?xml version="1.1"?><a>\x01</a>',
}


def no_reader(body: bytes) -> None:
    """Ask every reader there is; each must refuse."""
    for reader in (
        lambda: decode_request(parse(body)),
        lambda: decode_response(parse(body)),
        lambda: open_envelope(body),
    ):
        with pytest.raises(OseoError) as caught:
            reader()
        assert caught.value.is_callers_fault
        assert len(caught.value.text) < 20_000


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_refused(body: bytes) -> None:
    no_reader(body)


@pytest.mark.parametrize(
    "name", ["billion laughs", "quadratic blow-up", "attribute bomb", "deep nesting", "huge text"]
)
def test_hostile_bytes_cost_about_as_much_as_their_size(name: str) -> None:
    body = HOSTILE[name]
    plain = CANCEL.replace(b"urn:uuid:1", b"x" * 9_000_000)
    floor = cost(lambda: parse(plain))
    assert cost(lambda: no_reader(body)) < 100 * floor


def test_a_crowd_of_namespaces_around_the_payload_is_refused_before_it_is_checked() -> None:
    crowd = " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(200_000))
    for element in (b"<s:Envelope ", b"<s:Body"):
        body = ENVELOPE.replace(element, element + b" " + crowd.encode() + b" ", 1)
        floor = cost(lambda body=body: parse(body))

        def refuse(body: bytes = body) -> None:
            with pytest.raises(BadMessage, match="namespaces"):
                open_envelope(body)

        assert cost(refuse) < 20 * floor


def cost(work: Callable[[], object]) -> int:
    start = time.thread_time_ns()
    work()
    return time.thread_time_ns() - start


def test_values_nested_deeper_than_any_option_are_refused() -> None:
    for depth, is_fine in ((32, True), (33, False), (200, False)):
        values = b"<v>" * depth + b"</v>" * depth
        option = b"<encoding>XMLEncoding</encoding><values>" + values + b"</values>"
        option = b"<option><ParameterData>" + option + b"</ParameterData></option><productId>"
        body = LEAST.replace(b"<productId>", option)
        if is_fine:
            decode_request(parse(body))
            continue
        with pytest.raises(BadMessage, match="nested") as caught:
            decode_request(parse(body))
        assert caught.value.locator == "v"


def test_too_many_attributes_are_too_large_before_a_tree_is_made() -> None:
    with pytest.raises(TooLarge, match="attributes"):
        parse(b"<r>" + b'<a b=""/>' * (MAX_ATTRIBUTES + 1) + b"</r>")


def test_too_many_elements_are_too_large_before_a_tree_is_made() -> None:
    with pytest.raises(TooLarge, match="elements"):
        parse(b"<r>" + b"<a/>" * 2_000_001 + b"</r>")


def test_nothing_is_fetched_for_a_schema_location_or_an_include() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.3)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        hints = (
            f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{url}"'
            f' xsi:schemaLocation="http://www.opengis.net/oseo/1.0 {url} urn:other {url}" service='
        )
        decode_request(parse(CANCEL.replace(b" service=", hints.encode(), 1)))
        no_reader(with_id(b"&x;", external(url.encode())))
        include = f'<i xmlns="http://www.w3.org/2001/XInclude" href="{url}"/>'
        no_reader(f'<?xml-stylesheet href="{url}"?>{include}'.encode())
        with pytest.raises(TimeoutError):
            listener.accept()


def test_file_named_by_a_schema_location_is_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "schema.xsd"
    os.mkfifo(pipe)  # opening it for reading would block for ever
    hint = (
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:schemaLocation="http://www.opengis.net/oseo/1.0 {pipe.as_uri()}" service='
    )
    assert decode_request(parse(CANCEL.replace(b" service=", hint.encode(), 1))).order_id == "urn:uuid:1"


@pytest.mark.parametrize("kind", ["xs:string", "CommonOrderSpecification", "GetStatusRequestType", "urn:x"])
@pytest.mark.parametrize("element", [b"<orderSpecification", b"<orderItem", b"<orderType", b"<productId"])
def test_xsi_type_is_refused(kind: str, element: bytes) -> None:
    names = (
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' xsi:type="{kind}"'
    )
    with pytest.raises(BadMessage):
        decode_request(parse(LEAST.replace(element, element + names.encode(), 1)))


def test_doctype_in_a_text_is_only_text() -> None:
    body = with_id(b"<![CDATA[<!DOCTYPE r>]]>")
    assert decode_request(parse(body)).order_id == "<!DOCTYPE r>"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_accepted_encodings_say_the_same(encoding: str, quote: str) -> None:
    named = encoding.replace("-sig", "")
    text = f"<?xml version={quote}1.0{quote} encoding={quote}{named}{quote}?>\n" + CANCEL.decode()
    assert decode_request(parse(text.encode(encoding))) == Cancel(order_id="urn:uuid:1")


def test_parsers_of_many_threads_do_not_disturb_each_other() -> None:
    bodies = [encode_request(each) for each in REQUESTS.values()] + [b"<a>", b"<!DOCTYPE a><a/>"]
    ready = threading.Barrier(8)

    def work(_: int) -> list[object]:
        ready.wait()
        return [outcome(body) for body in bodies * 5]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert all(each == results[0] for each in results)
    assert results[0][: len(REQUESTS)] == list(REQUESTS.values())


def outcome(body: bytes) -> object:
    try:
        return decode_request(parse(body))
    except OseoError as refused:
        return type(refused)


READERS: list[Callable[[bytes], object]] = [
    lambda body: decode_request(parse(body)),
    lambda body: decode_response(parse(body)),
    lambda body: decode_request(open_envelope(body, content_type="text/xml").payload),
]


def harmless(body: bytes) -> None:
    for reader in READERS:
        try:
            reader(body)
        except OseoError as refused:
            assert refused.is_callers_fault


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
@example(b"\xff\xfe")
@example(b"\xfe\xff\x00")
@example(b"<?xml encoding=''?>")
def test_arbitrary_bytes_raise_only_our_errors(body: bytes) -> None:
    harmless(body)


SAMPLES = [*sorted(each.read_bytes() for each in DATA.glob("*.xml")), ENVELOPE]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SAMPLES),
    st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(0, 30),
            st.sampled_from(
                [b"", b"<", b">", b"&", b"]]>", b"<!--", b"<![CDATA[", b"\xff", b"\x00", b'"', b"xsi:"]
            )
            | st.binary(max_size=8),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_damaged_messages_raise_only_our_errors(body: bytes, damages: list[tuple[float, int, bytes]]) -> None:
    for where, cut, put in damages:
        at = int(where * len(body))
        body = body[:at] + put + body[at + cut :]
    harmless(body)


@pytest.mark.parametrize(
    "junk",
    [
        b"<orderItem/>",
        b"<orderItem><itemId/></orderItem>",
        b'<orderItem a="1"/>',
        b"<extension><b/></extension>",
    ],
)
def test_problems_of_a_crowd_cost_about_as_much_as_its_size(junk: bytes) -> None:
    """libxml2 says where each problem lies by counting siblings: a square of them, were it asked first."""
    place = b"<orderItem>" if junk.startswith(b"<orderItem") else b"<orderType>"
    fine = b"<orderItem><itemId>%d</itemId><productId><identifier>p</identifier></productId></orderItem>"
    plain = LEAST.replace(
        b"<orderItem>", b"".join(fine % number for number in range(100_000)) + b"<orderItem>", 1
    )
    floor = cost(lambda: parse(plain))
    body = LEAST.replace(place, junk * 200_000 + place, 1)
    with pytest.raises(BadMessage) as caught:
        decode_request(parse(body))
    assert 1 <= len(caught.value.problems) <= 60
    assert cost(lambda: outcome(body)) < 20 * floor
