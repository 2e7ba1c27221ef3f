"""What callers hand over in the wrong type or to the wrong way: one sentence and nothing is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

import oseo_lab as oseo
from oseo_lab.client.given import seconds
from oseo_lab.client.lab import Lab
from oseo_lab.client.limits import as_limits
from oseo_lab.client.quotations import QuotationList, Quotations
from oseo_lab.client.quote import Quotation
from oseo_lab.client.subscription import _days
from oseo_lab.model.errors import ConfigurationError, ValidationError
from oseo_lab.model.messages import GetQuotationAck
from oseo_lab.model.order import OrderSpecification
from oseo_lab.model.quotation import Price, QuotationRecord, QuotationState
from oseo_lab.model.quotation import Quotation as Record
from tests.client.test_quote import SOON


class Silent:
    """A transport that must not be used."""

    url = "http://nowhere/"

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked for")


LAB = Lab(Silent())
QUOTED = Quotation(
    LAB, GetQuotationAck(quotation=Record(quotation_id="q", groups=(), price=Price(value=3, currency="EUR")))
)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: LAB.order(5), "5 is no product; allowed: what lab.search"),
        (lambda: LAB.order(None), "None is no product"),
        (lambda: LAB.order(["a", 7], collection="c"), "7 is no product"),
        (lambda: LAB.order("a", collection=5), "collection 5 is no text; allowed: a collection id"),
        (lambda: LAB.subscribe(5), "collection 5 is no text"),
        (lambda: LAB.orders[5], "name 5 is no text; allowed: an order's name or id"),
        (lambda: LAB.quotations[0], "quotation 0 is no text; allowed: its id"),
        (lambda: QUOTED.submit(max_price="9"), "max_price '9' is not allowed; allowed: numbers from 0 on"),
        (lambda: QUOTED.submit(max_price=float("nan")), "max_price nan is not allowed"),
        (lambda: _days("x"), "every 'x' is not allowed; allowed: whole days"),
        (lambda: _days(float("nan")), "every nan is not allowed"),
        (lambda: _days(0.5), "every 0.5 is not allowed"),
    ],
)
def test_a_wrong_type_is_told_in_one_sentence_and_nothing_is_asked(call, named):
    with pytest.raises(ValidationError) as refused:
        call()
    assert named in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"url": 5}, "url=5 is no address"),
        ({"soap": 5}, "soap=5 is no address"),
        ({"url": "htp://me:secret@here/"}, "url=htp://... is no address; allowed: 'http://...', 'https://"),
        (
            {"soap": "http://127.0.0.1:1/", "listen": 5},
            "listen=5 is not allowed; allowed: True, http://name:port/",
        ),
        ({"soap": "http://127.0.0.1:1/", "catalogue": 5}, "catalogue=5 is no address"),
        ({"url": "http://127.0.0.1:1/", "soap": "http://127.0.0.1:1/"}, "say one of them"),
        (
            {"url": "http://127.0.0.1:1/", "username": "u", "password": "p"},
            "username=..., password=... goes with",
        ),
        ({"listen": True}, "listen=... goes with soap=..."),
    ],
)
def test_what_belongs_to_another_way_to_connect_is_not_passed_over(how, named):
    with pytest.raises(ConfigurationError) as refused:
        oseo.connect(**how)
    assert named in str(refused.value)


def test_quotations_show_themselves_as_a_table_of_states_and_prices():
    made = QuotationRecord(
        quotation_id="urn:q",
        owner="o",
        specification=OrderSpecification(order_type="PRODUCT_ORDER", items=()),
        state=QuotationState.FAILED,
        requested=SOON,
        problem="<no price>",
    )
    shown = QuotationList([made])._repr_html_()
    assert "1 quotation" in shown and "&lt;no price&gt;" in shown and "<no price>" not in shown
    assert repr(QuotationList([made])).endswith("failed, <no price>, urn:q")
    assert repr(QuotationList()) == "no quotations"
    assert "lab.quotations[id]" in repr(Quotations(LAB))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (None, None),
        (90, 90.0),
        (timedelta(minutes=2), 120.0),
        ("2h", 7200.0),
        ("90 min", 5400.0),
        ("1.5 hours", 5400.0),
        ("30s", 30.0),
        ("1 day", 86400.0),
    ],
)
def test_a_duration_is_said_as_people_say_it(said, meant):
    assert seconds(said, "timeout") == meant


@pytest.mark.parametrize("wrong", ["soon", "2 weeks", "-1 s", -1, float("nan"), "", [], True])
def test_what_is_no_duration_is_told(wrong):
    with pytest.raises(ValidationError, match=r"timeout .* is not allowed; allowed: seconds from 0 on"):
        seconds(wrong, "timeout")


@pytest.mark.parametrize(
    "given", ["9" * 400, 10**400, float("nan"), float("inf")], ids=lambda each: f"{each!r:.12}"
)
def test_limits_beyond_all_numbers_are_refused_in_one_sentence(given):
    with pytest.raises(ValidationError, match="allowed: numbers of bytes"):
        as_limits({"max_bytes": given})
