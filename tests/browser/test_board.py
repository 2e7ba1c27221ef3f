"""The operators' board in JupyterLab: what waits, what is decided there, and what users are told."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from oseo_lab.widgets.assets import module, style
from tests.browser.conftest import ARTEFACTS

EVIL = "<img src=x onerror='window.pwned=1'>"
#: Draws a board on an empty page; what its buttons ask for is kept.
_DRAW = """async ([source, style, board, mayAct]) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { Board } = await import(url);
  window.asked = [];
  const act = async (...asked) => {
    window.asked.push(asked);
    if (asked[0] === "GET") return window.found;
    if (window.refuses) throw new Error(window.refuses);
  };
  const draw = (host, view) => {
    const node = host.appendChild(document.createElement("i"));
    node.textContent = view.summary.name;
    return { dispose: () => node.remove() };
  };
  window.board = new Board(document.body, mayAct ? { act, draw } : {});
  window.board.update(board);
}"""


def waiting(number: int, **more: object) -> dict[str, object]:
    known = {"order_id": f"urn:uuid:{number:08}-0", "owner": "ana", "name": f"wish {number}", "items": 12}
    known |= {"order_type": "PRODUCT_ORDER", "collections": ["demo-s2"], "since": "2026-11-22T10:00:00Z"}
    return {**known, **more}


STUCK = {"order_id": "urn:uuid:9-0", "owner": "ben", "name": "po-valley-2023", "status": "InProduction"}
BOARD = {
    "title": "demo-hub",
    "as_of": "2026-11-22T12:00:00Z",
    "waiting": [waiting(1, remark="for the flood maps"), waiting(2, name=EVIL, owner=EVIL, remark=EVIL)],
    "waiting_count": 70,
    "stuck": [
        STUCK | {"number": n, "item_id": f"S2-{n}", "since": "2026-11-22T11:00:00Z", "info": "fetching"}
        for n in (1, 2)
    ],
    "stuck_count": 2,
    "queue": {"items": 41, "oldest": "2026-11-22T11:48:00Z"},
    "workers": {"busy": 8, "total": 8},
    "disk_free": 0.06,
    "failures": {"quota": 2, "transient": 1},
    "collections": [
        {
            "collection_id": "archive",
            "provider": "archive",
            "is_ok": False,
            "reason": "429: too many requests",
        },
        {"collection_id": "demo-s2", "provider": "LOCAL", "is_ok": True},
    ],
    "quotations_waiting": 2,
    "announcement": {"text": "Archive restores are slow until 18:00"},
}


@pytest.fixture
def draw(browser):
    """Draw the board of above, with buttons or without, on a page of a width."""
    tabs = []

    def drawn(may_act=True, width=900):
        tab = browser.new_page(viewport={"width": width, "height": 760})
        tabs.append(tab)
        source = module("dom.js", "board.js", last="export { Board };")
        tab.evaluate(_DRAW, [source, style(), BOARD, may_act])
        return tab

    yield drawn
    for each in tabs:
        each.close()


def test_board_tells_all_that_is_so(draw):
    tab = draw()
    board = tab.locator(".oseo-board")
    for words in ("Waiting for approval (70)", "and 68 others", "41 items · oldest 12 min", "8 of 8 busy"):
        expect(board).to_contain_text(words)
    for words in ("3 (2 quota, 1 transient)", "⚠ 94 % used", "2 to be answered", "429: too many requests"):
        expect(board).to_contain_text(words)
    expect(board.get_by_role("button", name="Run the stuck items of po-valley-2023 again")).to_have_count(1)
    expect(board.get_by_label("Announcement to users")).to_have_value("Archive restores are slow until 18:00")
    assert tab.evaluate("window.pwned") is None
    tab.screenshot(path=str(ARTEFACTS / "board.png"))


@pytest.mark.parametrize("width", [400, 620])
def test_board_fits_where_it_is_narrow(draw, width):
    tab = draw(width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.screenshot(path=str(ARTEFACTS / f"board_{width}.png"), full_page=True)


def test_buttons_ask_the_desk_and_say_what_it_refused(draw):
    tab = draw()
    board = tab.locator(".oseo-board")
    board.get_by_role("button", name="Approve wish 1").click()
    board.get_by_role("button", name="Reject wish 1").click()
    expect(board.get_by_label("because")).to_be_focused()
    tab.keyboard.press("Enter")  # without a reason nothing is rejected
    tab.keyboard.type("Too much at once.")
    tab.keyboard.press("Enter")
    tab.evaluate("window.refuses = 'the order was approved before'")
    board.get_by_role("button", name="Run the stuck items").click()
    expect(board.get_by_role("status")).to_have_text("the order was approved before")
    board.get_by_role("button", name="Withdraw").click()
    order = "orders/urn%3Auuid%3A00000001-0"
    assert tab.evaluate("window.asked") == [
        ["POST", f"{order}/approve", {}],
        ["POST", f"{order}/reject", {"reason": "Too much at once."}],
        ["POST", "orders/urn%3Auuid%3A9-0/run-again", {}],
        ["DELETE", "announcement", None],
    ]


def test_an_order_is_looked_at_before_it_is_decided_of(draw):
    tab = draw()
    items = [{"item_id": f"i{n}", "identifier": {"identifier": f"S2-{n}"}} for n in range(7)]
    asked = {"items": items, "options": [{"values": {"crs": "EPSG:32632", "area": {"bbox": [1, 2, 3, 4]}}}]}
    tab.evaluate("(found) => (window.found = found)", {"view": {"summary": {"name": EVIL}}, "asked": asked})
    board = tab.locator(".oseo-board")
    board.get_by_role("button", name="Look at wish 1").click()
    looked = board.locator(".oseo-looked")
    expect(looked).to_contain_text("S2-0, S2-1, S2-2, S2-3, S2-4 and 2 more · with crs EPSG:32632, area")
    expect(looked.locator("i")).to_have_text(EVIL)
    assert tab.evaluate("window.asked") == [["GET", "orders/urn%3Auuid%3A00000001-0", None]]
    looked.get_by_role("button", name="Put it back").click()
    expect(looked).to_be_hidden()
    assert looked.locator("i").count() == 0


def test_board_of_a_notebook_has_no_buttons(draw):
    board = draw(may_act=False).locator(".oseo-board")
    expect(board).to_contain_text("wish 1")
    expect(board.get_by_role("button")).to_have_count(0)


def test_operators_decide_at_the_desk_and_users_read_the_announcement(lab, page):
    for name in ("approved one", "rejected one"):
        identifier = {"identifier": "Q1", "collection_id": "weighed"}
        items = [{"item_id": "a", "identifier": identifier}]
        lab.ask("POST", "orders", json={"specification": {"order_reference": name, "items": items}})
    page.open_lab()
    page.tab.locator(".jp-LauncherCard").filter(has_text="Order desk").click()
    board = page.tab.locator(".oseo-board")
    board.get_by_role("button", name="Look at approved one").click()
    expect(board.locator(".oseo-looked .oseo-card").get_by_role("heading")).to_have_text("approved one")
    expect(board.locator(".oseo-looked")).to_contain_text("Asked for: Q1")
    page.picture("desk_looked")
    board.get_by_role("button", name="Approve approved one").click()
    board.get_by_role("button", name="Reject rejected one").click()
    page.tab.keyboard.type("No clouds wanted.")
    page.tab.keyboard.press("Enter")
    expect(board).to_contain_text("Nothing waits for you.")
    board.get_by_label("Announcement to users").fill("Restores are slow until 18:00")
    board.get_by_role("button", name="Publish").click()
    expect(board).to_contain_text("Published")
    page.tab.get_by_role("tab", name="Launcher").click()
    page.tab.locator(".jp-LauncherCard").filter(has_text="My orders").click()
    table = page.tab.locator(".oseo-orders")
    expect(table.get_by_role("note")).to_have_text("Announcement: Restores are slow until 18:00")
    expect(table.get_by_role("row").filter(has_text="approved one")).to_contain_text("1/1")
    expect(table.get_by_role("row").filter(has_text="rejected one")).to_contain_text("Cancelled")
    lab.ask("DELETE", "desk/announcement")
    assert not page.errors
