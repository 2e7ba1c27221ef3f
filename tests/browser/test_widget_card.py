"""The card as a widget, for pages of another server: the same drawing, fed and asked by the kernel."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from oseo_lab.encoding.json_form import to_plain
from oseo_lab.model.status import Status
from oseo_lab.model.view import Action, ItemRow
from oseo_lab.widgets.card import OrderCard
from oseo_lab.widgets.orders import OrdersTable
from tests.browser.conftest import ARTEFACTS
from tests.encoding.test_order_html import NOW, SUMMARY, VIEW

#: A model as widget managers make it: traits, changes, messages.
_MODEL = """async ([source, style, traits]) => {
  const heard = {};
  const on = (name, call) => (heard[name] ??= []).push(call);
  const off = (name, call) => (heard[name] = heard[name].filter((each) => each !== call));
  const model = { get: (name) => traits[name], on, off, send: (message) => window.sent.push(message) };
  window.sent = [];
  window.change = (name, value) => {
    traits[name] = value;
    heard[`change:${name}`].forEach((each) => each());
  };
  window.tell = (message) => heard["msg:custom"].forEach((each) => each(message));
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  window.end = widget.render({ model, el: document.body });
}"""


@pytest.fixture
def tab(browser):
    found = browser.new_page(viewport={"width": 900, "height": 500})
    yield found
    found.close()


def test_card_of_a_widget_draws_asks_its_kernel_and_says_what_was_refused(tab):
    view = replace(VIEW, actions=(Action.CANCEL, Action.RETRY))
    traits = {"view": to_plain(view), "state": {"kind": "still"}}
    tab.evaluate(_MODEL, [OrderCard._esm, OrderCard._css, traits])
    card = tab.locator(".oseo-card")
    expect(card).to_contain_text("2 of 10 delivered · 1 failed · 1 running · 6 waiting")
    assert [each["kind"] for each in tab.evaluate("window.sent")] == ["drawn"]
    card.get_by_role("button", name="Try it again").click()
    asked = tab.evaluate("window.sent")[-1]
    assert (asked["kind"], asked["action"]) == ("act", "retry")
    tab.evaluate("(n) => window.tell({ kind: 'done', number: n, text: 'Not today.' })", asked["number"])
    expect(card.get_by_role("status")).to_have_text("Not today.")
    done = replace(view, summary=replace(SUMMARY, status=Status.CANCELLED), actions=(), remaining=None)
    tab.evaluate("(view) => window.change('view', view)", to_plain(done))
    expect(card).to_contain_text("Cancelled")
    expect(card.locator("footer").get_by_role("button")).to_have_count(0)
    tab.evaluate("window.change('state', { kind: 'lost', since: new Date().toISOString(), text: 'Gone' })")
    expect(card).to_contain_text("Gone since")
    tab.evaluate("window.end()")
    expect(card).to_have_count(0)
    first, *_, last = tab.evaluate("window.sent")
    assert last == {"kind": "gone", "view": first["view"]}


def test_card_tells_stages_and_who_is_waited_for(tab):
    running = ItemRow(
        number=1,
        item_id="S2-D-0707",
        identifier="S2-D-0707",
        status=Status.IN_PRODUCTION,
        stage="reproject",
        fraction=0.61,
        passed=("staging", "clip"),
        ahead=("packing", "delivering"),
    )
    asked = replace(running, number=2, item_id="S2-D-0722", provider="archive", since=NOW)
    waiting = replace(
        asked, number=3, item_id="S2-D-0723", status=Status.ACCEPTED, info="restoring from tape"
    )
    view = replace(VIEW, rows=(running, asked, waiting), dashboard="https://hub.example/dask/status")
    announcement = {"text": "Archive restores are slow until 18:00", "until": None}
    traits = {"view": to_plain(view), "state": {"kind": "live"}, "announcement": announcement}
    tab.evaluate(_MODEL, [OrderCard._esm, OrderCard._css, traits])
    card = tab.locator(".oseo-card")
    expect(card).to_contain_text("staging ✔ clip ✔ reproject 61 % → packing → delivering")
    expect(card).to_contain_text("archive works on it since")
    expect(card).to_contain_text(re.compile("waits for archive since .*: restoring from tape"))
    expect(card.get_by_role("note")).to_have_text("Announcement: Archive restores are slow until 18:00")
    expect(card.get_by_role("progressbar")).to_have_count(1)  # nobody tells how far others are
    link = card.get_by_role("link", name="Dask dashboard")
    expect(link).to_have_attribute("href", "https://hub.example/dask/status")
    tab.screenshot(path=str(ARTEFACTS / "card_stages.png"))


@pytest.mark.parametrize("width", [400, 620])
def test_table_of_orders_is_not_cut_where_it_is_narrow(tab, width):
    tab.set_viewport_size({"width": width, "height": 500})
    summary = replace(SUMMARY, size=310_000_000, expires=NOW, created=NOW)
    orders = [
        to_plain(replace(summary, order_id=f"urn:uuid:{n:08}", name="po-valley-2023")) for n in range(3)
    ]
    tab.evaluate(_MODEL, [OrdersTable._esm, OrdersTable._css, {"orders": orders}])
    scroll = tab.locator(".oseo-scroll")
    assert scroll.evaluate("(node) => node.scrollWidth <= node.clientWidth")
    expect(tab.locator(".oseo-orders")).to_contain_text("310 MB")
    tab.screenshot(path=str(ARTEFACTS / f"orders_{width}.png"))


def test_what_an_order_says_of_itself_never_becomes_markup(tab):
    bad = "<img src=x onerror='window.broken = true'>"
    summary = replace(SUMMARY, name=bad, info=bad)
    rows = tuple(replace(each, item_id=bad, info=bad, stage=bad, href="javascript:1") for each in VIEW.rows)
    groups = tuple(replace(each, reason=bad, item_ids=(bad,)) for each in VIEW.failures)
    view = replace(VIEW, summary=summary, rows=rows, failures=groups)
    tab.evaluate(
        _MODEL, [OrderCard._esm, OrderCard._css, {"view": to_plain(view), "state": {"kind": "live"}}]
    )
    expect(tab.get_by_role("heading")).to_have_text(bad)
    assert tab.locator("img").count() == 0
    assert tab.locator("a:visible").count() == 0
    assert tab.evaluate("window.broken") is None


def test_table_of_a_widget_draws_at_most_fifty(tab):
    orders = [to_plain(replace(SUMMARY, order_id=f"urn:uuid:{n:08}")) for n in range(60)]
    tab.evaluate(_MODEL, [OrdersTable._esm, OrdersTable._css, {"orders": orders}])
    expect(tab.locator("tbody tr")).to_have_count(50)
    expect(tab.locator(".oseo-orders")).to_contain_text("and older ones")


def test_names_that_mean_no_good_are_text_within_the_card(tab):
    evil = "<img src=x onerror='window.pwned=1'>\u202etxt.exe\x07\u0000" + "W" * 10_000
    rows = tuple(
        replace(
            each, item_id=evil, identifier=evil, info=evil, stage=evil, name=evil, href="javascript:alert(1)"
        )
        for each in VIEW.rows
    )
    failures = tuple(replace(each, reason=evil, item_ids=(evil,)) for each in VIEW.failures)
    log = tuple(replace(each, info=evil, item_id=evil) for each in VIEW.log)
    summary = replace(SUMMARY, name=evil, owner=evil, info=evil)
    view = replace(VIEW, summary=summary, rows=rows, failures=failures, log=log)
    tab.evaluate(
        _MODEL, [OrderCard._esm, OrderCard._css, {"view": to_plain(view), "state": {"kind": "still"}}]
    )
    card = tab.locator(".oseo-card")
    expect(card.get_by_role("heading")).to_contain_text("<img src=x")
    expect(card.get_by_role("link")).to_have_count(0)
    expect(card.locator("img")).to_have_count(0)
    card.get_by_text("History").click()
    box = card.bounding_box()
    assert box["width"] <= 900 and box["height"] < 3000
    assert card.get_by_role("columnheader", name="Result").bounding_box()["x"] < 900
    assert tab.evaluate("window.pwned") is None
