"""Toasts in JupyterLab and Notebook 7: what ended or was delivered while the page was open, said once."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from oseo_lab.widgets.assets import module
from tests.browser.test_cards import order_of

#: Tells what happens to a service that answers what it is given, and what was said.
_SERVICE = """async ([source, orders]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { Toasts } = await import(url);
  const listeners = [];
  window.orders = orders;
  window.asked = [];
  const service = {
    api: "http://here/", events: { join: (listener) => listeners.push(listener) },
    ask: async () => ({ orders: Object.values(window.orders) }),
    view: async (id) => { window.asked.push(id); return { summary: window.orders[id] }; },
  };
  window.said = [];
  window.seen = [];
  const say = (text, kind) => window.said.push([text, kind]);
  const toasts = new Toasts(service, { say, isSeen: (id) => window.seen.includes(id) });
  await toasts.begin("ana");
  window.turn = (...turns) => listeners.forEach((each) => each(null, false, turns));
}"""
_EXPORT = "export { Toasts };"


def summary(order_id: str, **more: object) -> dict[str, object]:
    known = {"order_id": order_id, "name": order_id, "owner": "ana", "status": "Completed", "updated": "1"}
    return {**known, "counts": {"Completed": 2}, "order_type": "PRODUCT_ORDER", "wanted": "completed", **more}


@pytest.fixture
def tab(browser):
    found = browser.new_page()
    yield found
    found.close()


@pytest.fixture
def said(tab):
    """Let things happen to these orders; return what is said of them within two seconds."""

    def tell(orders, *turns, seen=()):
        tab.evaluate(_SERVICE, [module("dom.js", "toasts.js", last=_EXPORT), orders])
        tab.evaluate("(seen) => (window.seen = seen)", list(seen))
        for each in turns:
            tab.evaluate("(turns) => window.turn(...turns)", each)
        tab.wait_for_timeout(1500)
        return [tuple(each) for each in tab.evaluate("window.said")]

    return tell


def test_what_ended_is_said_once_in_a_sentence(said):
    orders = {
        "well": summary("well"),
        "partly": summary("partly", counts={"Completed": 1, "Failed": 1}),
        "badly": summary("badly", status="Failed", counts={"Failed": 2}),
    }
    turns = [[each, orders[each]["status"]] for each in orders]
    assert said(orders, turns, turns) == [
        ("well: Completed, 2 of 2 delivered", "success"),
        ("partly: Completed, partly, 1 of 2 delivered · 1 failed", "warning"),
        ("badly: Failed, 0 of 2 delivered · 2 failed", "error"),
    ]


def test_crowds_are_one_sentence_that_asks_for_nothing(said, tab):
    turns = [[f"o{number}", "Failed" if number < 30 else "Completed"] for number in range(5000)]
    assert said({}, turns) == [("5,000 orders have ended: 30 Failed, 4,970 Completed", "warning")]
    assert tab.evaluate("window.asked") == []


def test_nothing_is_said_of_what_is_looked_at_or_others_or_was_wished(said):
    gone = {"status": "Cancelled", "wanted": "cancelled"}
    orders = {
        "seen": summary("seen"),
        "ben's": summary("ben's", owner="ben"),
        "cancelled": summary("cancelled", **gone),
        "refused": summary("refused", **gone, info="rejected by an operator: too much"),
        "paused": summary("paused", status="Suspended"),
        "again": summary("again"),
    }
    first = [["seen", "Completed"], ["ben's", "Completed"], ["again", "Failed"], ["paused", "Suspended"]]
    then = [["again", "InProduction"], ["cancelled", "Cancelled"], ["refused", "Cancelled"]]
    heard = said(orders, first, then[:1], seen=["seen"])
    assert heard == []
    assert said(orders, then[1:]) == [("refused: Cancelled: rejected by an operator: too much", "info")]


def test_a_subscription_says_how_many_came(said, tab):
    weekly = summary("weekly", status="Suspended", order_type="SUBSCRIPTION_ORDER", counts={"Completed": 7})
    assert said({"weekly": weekly}, [["weekly", "Suspended"]]) == []  # nothing new
    more = json.dumps(weekly | {"counts": {"Completed": 9}, "updated": "2"})
    tab.evaluate(
        f"window.orders.weekly = {more}; window.turn(['weekly', 'InProduction'], ['weekly', 'Suspended'])"
    )
    tab.wait_for_timeout(1500)
    assert tab.evaluate("window.said") == [["weekly: 2 scenes delivered", "success"]]


def test_jupyterlab_tells_what_ended_and_opens_it(lab, page):
    with page.tab.expect_response("**/events?no_track_activity=1"):  # it listens from the beginning
        page.open_lab()
    order_of(lab, "ended elsewhere", ["Q1", "Q2"])
    toast = page.tab.locator(".Toastify__toast")
    expect(toast).to_contain_text("ended elsewhere: Completed, 2 of 2 delivered")
    toast.get_by_role("button", name="Open").click()
    card = page.tab.locator(".oseo-tab .oseo-card")
    expect(card.get_by_role("heading")).to_have_text("ended elsewhere")
    body = {"specification": subscription("garda-weekly")}
    lab.ask("POST", "orders", json=body)
    scene = lab.collections / "yet-to-come" / f"Q{datetime.now(UTC):%Y%m%dT%H%M%S}.tif"
    shutil.copy(lab.collections / "products" / "Q1.tif", scene)
    expect(toast.filter(has_text="garda-weekly: 1 scene delivered")).to_be_visible()
    page.tab.screenshot(path=str(page.artefacts / "toasts.png"))
    assert not page.errors


def subscription(name: str) -> dict[str, object]:
    """Return a subscription to what is yet to come, as the JSON API takes it."""
    now = datetime.now(UTC)
    period = {"min": f"{now:%Y-%m-%dT00:00:00Z}", "max": f"{now + timedelta(days=90):%Y-%m-%dT00:00:00Z}"}
    item = {"item_id": name, "identifier": {"collection_id": "yet-to-come"}}
    item |= {"product_order_options_id": "subscription"}
    item |= {"options": [{"encoding": "XMLEncoding", "values": {"dateRange": period}}]}
    return {"order_type": "SUBSCRIPTION_ORDER", "order_reference": name, "items": [item]}


def test_notebook_7_tells_and_shows_the_order_beside_the_notebook(lab, page):
    with page.tab.expect_response("**/events?no_track_activity=1"):
        page.open(lab.write("toast7.ipynb", "1"), notebook7=True)
    order_of(lab, "told in seven", ["Q1", "D1"])
    toast = page.tab.locator(".Toastify__toast").filter(has_text="told in seven")
    expect(toast).to_contain_text("told in seven: Completed, partly, 1 of 2 delivered · 1 failed")
    toast.get_by_role("button", name="Open").click()
    expect(page.tab.locator(".oseo-tab .oseo-card").get_by_role("heading")).to_have_text("told in seven")
    assert not page.errors
