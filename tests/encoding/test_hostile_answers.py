"""Answers of servers that are broken or mean ill: read, or refused with one sentence; nothing else ever."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from oseo_lab.encoding import oseo, soap
from oseo_lab.encoding.soap_client import read_answer, read_callback
from oseo_lab.model.errors import OseoError
from tests.encoding.golden import RESPONSES

BODIES = {name: oseo.encode_response(message) for name, message in RESPONSES.items()}
REQUESTS = {codec.response: codec.request for codec in oseo.CODECS.values()}
NAMES = ["status", "orderId", "URLs", "x", "{urn:x}y", "{http://www.opengis.net/oseo/1.0}status", "itemId"]


def _delete(element, others, text):
    if element.getparent() is not None:
        element.getparent().remove(element)


def _rename(element, others, text):
    element.tag = text if text in NAMES else "{http://www.opengis.net/oseo/1.0/}" + "renamed"


def _say(element, others, text):
    element.text = text


def _tail(element, others, text):
    if element.getparent() is not None:
        element.tail = text


def _double(element, others, text):
    if element.getparent() is not None:
        element.getparent().append(etree.fromstring(etree.tostring(element, with_tail=False)))


def _move(element, others, text):
    if element.getparent() is not None and element not in (others, *others.iterancestors()):
        others.append(element)


def _attribute(element, others, text):
    element.set("odd", text)
    element.set("supported", text)


def _bare(element, others, text):
    for each in list(element.attrib):
        del element.attrib[each]


MUTATIONS = [_delete, _rename, _say, _tail, _double, _move, _attribute, _bare]
TEXTS = st.sampled_from(
    ["", " ", "success", "9" * 400, "2024-06-01T10:00:00", "http://[", "-1", "\u202e", *NAMES]
)
STEPS = st.lists(st.tuples(st.sampled_from(MUTATIONS), st.integers(0), st.integers(0), TEXTS), max_size=6)


def mutated(body: bytes, steps) -> bytes:
    root = etree.fromstring(body)
    for mutate, one, other, text in steps:
        elements = list(root.iter())
        mutate(elements[one % len(elements)], elements[other % len(elements)], text)
    return etree.tostring(root)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(BODIES)), STEPS, st.sampled_from([200, 400, 500]))
def test_a_mutilated_answer_is_read_or_refused(name, steps, status):
    body = mutated(BODIES[name], steps)
    try:
        found = read_answer(body, status=status, url="http://x/", request=REQUESTS[type(RESPONSES[name])])
    except OseoError as refused:
        assert str(refused)
    else:
        assert isinstance(found, type(RESPONSES[name]))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([200, 401, 503]))
def test_any_bytes_are_refused(body, status):
    for prefix in (b"", BODIES[min(BODIES)][:60]):
        try:
            read_answer(prefix + body, status=status, url="http://x/", request=oseo.CODECS["Submit"].request)
        except OseoError as refused:
            assert str(refused)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_a_mutilated_callback_is_read_or_refused(steps):
    from oseo_lab.encoding.callbacks_xml import encode_callback
    from oseo_lab.model.messages import SubmitResponse
    from tests.encoding.golden import ORDER

    whole = soap.request_envelope(encode_callback(SubmitResponse(order=ORDER)), soap.SoapVersion.V12)
    try:
        assert isinstance(read_callback(soap.open_envelope(mutated(whole, steps))), SubmitResponse)
    except OseoError as refused:
        assert str(refused)
