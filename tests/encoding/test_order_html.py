"""The story of an order without a kernel: what is said, in which words, and nothing unescaped."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.encoding.order_html import in_words, order_html, order_text, orders_html, status_words
from oseo_lab.model.estimates import Estimate
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.quotation import Price
from oseo_lab.model.status import Status, Wanted
from oseo_lab.model.view import FailureGroup, ItemRow, LogLine, OrderSummary, OrderView

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SUMMARY = OrderSummary(
    order_id="urn:uuid:7f3c0000-0000-4000-8000-000000000000",
    name="lake",
    owner="ana",
    status=Status.IN_PRODUCTION,
    counts={Status.COMPLETED: 2, Status.FAILED: 1, Status.IN_PRODUCTION: 1, Status.ACCEPTED: 6},
    created=NOW - timedelta(minutes=5),
    size=78_000_000,
)
VIEW = OrderView(
    summary=SUMMARY,
    revision=4,
    as_of=NOW,
    rows=(
        ItemRow(number=3, item_id="c", identifier="P3", status=Status.FAILED, info="it is damaged"),
        ItemRow(
            number=1,
            item_id="a",
            identifier="P1",
            status=Status.IN_PRODUCTION,
            stage="reproject",
            fraction=0.61,
        ),
        ItemRow(
            number=2,
            item_id="b",
            identifier="P2",
            status=Status.COMPLETED,
            size=39_000_000,
            name="b.tif",
            href="https://lab.example/b.tif",
        ),
    ),
    failures=(
        FailureGroup(failure="quota", reason="No more today.", count=1, item_ids=("c",), can_retry=True),
    ),
    remaining=Estimate(low=240.0, typical=360.0, high=540.0),
    log=(LogLine(at=NOW, status=Status.FAILED, author="worker", item_id="c", info="it is damaged"),),
    log_length=9,
    cost=(Price(value=12.5, currency="EUR"),),
)


def test_card_tells_status_counts_time_rows_failures_cost_and_history():
    html = order_html(VIEW)
    for said in (
        "InProduction",
        "2 of 10 delivered · 1 failed · 1 running · 6 waiting",
        "ready ≈ 12:06 UTC (12:04 to 12:09)",
        "reproject 61%",
        "and 7 more",
        "No more today.",
        "12.5 EUR",
        "history (9 lines)",
        '<a href="https://lab.example/b.tif" rel="noopener">39.0 MB b.tif</a>',
    ):
        assert said in html


def test_words_are_the_same_as_text():
    text = order_text(VIEW)
    assert "lake · 7f3c0000 · ▶ InProduction" in text
    assert "✖ c  it is damaged" in text
    assert "1 item: No more today." in text


def test_completed_without_some_is_partly():
    summary = replace(SUMMARY, status=Status.COMPLETED, counts={Status.COMPLETED: 2, Status.FAILED: 1})
    assert status_words(summary) == "Completed, partly"
    assert status_words(replace(summary, counts={Status.COMPLETED: 3})) == "Completed"


def test_a_subscription_that_nobody_paused_waits_for_products():
    standing = replace(SUMMARY, status=Status.SUSPENDED, order_type=OrderType.SUBSCRIPTION_ORDER)
    assert status_words(standing) == "Suspended, waiting for products"
    assert status_words(replace(standing, wanted=Wanted.SUSPENDED)) == "Suspended"


def test_a_crowd_of_failures_and_addresses_that_are_none_are_drawn_within_bounds():
    view = replace(
        VIEW,
        rows=tuple(replace(each, href="http://[half/x") for each in VIEW.rows),
        failures=VIEW.failures * 1000,
        log=VIEW.log * 1000,
    )
    drawn = order_html(view)
    assert "href" not in drawn and drawn.count("No more today.") == 50
    assert drawn.count("it is damaged") == 51


def test_no_link_leads_into_scripts():
    row = replace(VIEW.rows[2], href="javascript:alert(1)")
    assert "<a " not in order_html(replace(VIEW, rows=(row,)))


def test_tables_of_orders_count_what_they_leave_out():
    html = orders_html([SUMMARY] * 60)
    assert html.count("<tr>") == 51
    assert "and 10 more" in html
    assert "60 orders" in html
    assert "no orders" in orders_html([])
    assert in_words({}) == "no products yet"


@given(st.text(alphabet="<>&\"'ab \n", min_size=1, max_size=12))
def test_nothing_of_an_order_is_markup(said):
    view = replace(
        VIEW,
        summary=replace(SUMMARY, name=f"<em>{said}", info=f"<em>{said}"),
        rows=(replace(VIEW.rows[0], item_id=f"<em>{said}", info=f"<em>{said}"),),
        failures=(replace(VIEW.failures[0], reason=f"<em>{said}", item_ids=(f"<em>{said}",)),),
        log=(replace(VIEW.log[0], info=f"<em>{said}"),),
    )
    made = order_html(view) + orders_html([view.summary])
    assert "<em" not in made


@given(text=st.text(max_size=40) | st.sampled_from(["\x1b]0;owned\x07", "\x9b2J", "a\nCompleted", "\u2066"]))
def test_nothing_of_an_order_is_obeyed_by_a_terminal_or_is_a_line_of_its_own(text):
    rows = (ItemRow(number=1, item_id=text, identifier=text, status=Status.FAILED, info=text),)
    group = FailureGroup(failure="quota", reason=text, count=1, item_ids=(text,), can_retry=True)
    view = replace(VIEW, summary=replace(SUMMARY, name=text), rows=rows, failures=(group,))
    lines = order_text(view).split("\n")
    assert len(lines) == 5
    assert all(each.isprintable() for each in lines)
