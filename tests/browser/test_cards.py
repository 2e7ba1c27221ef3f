"""Live cards of orders in JupyterLab and Notebook 7: from submit to the end, and through what may happen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

CONNECT = "import oseo_lab as oseo\nlab = oseo.connect()"
ONE, TWO = "S1 Q1 Q2 D1 F1", "S1 S2 S3 S4"


def submit(name: str, products: str) -> str:
    """Return the cell that orders products and shows the order."""
    return f"lab.order({products.split()!r}, collection='watched', name={name!r}).submit()"


def order_of(lab, name: str, products: list[str]) -> str:
    """Order products beside the page, as another program would; return the order's id."""
    identifiers = [{"identifier": each, "collection_id": "watched"} for each in products]
    items = [
        {"item_id": f"{each['identifier']}-{n}", "identifier": each} for n, each in enumerate(identifiers)
    ]
    body = {"specification": {"order_reference": name, "items": items}}
    return str(lab.ask("POST", "orders", json=body)["order_id"])


def test_card_is_live_from_submit_to_the_end(lab, page):
    page.open(lab.write("live.ipynb", CONNECT, submit("live one", ONE))).run(0)
    page.run(1)
    card = page.cards.first
    expect(card.get_by_role("heading")).to_have_text("live one")
    expect(card).to_contain_text("live,")
    expect(card.get_by_role("progressbar").first).to_be_visible()
    page.picture("card_running")
    expect(card).to_contain_text("Completed, partly", timeout=60_000)
    expect(card.get_by_role("row")).to_have_count(6)
    expect(card).to_contain_text("1 item The source file is damaged at the provider: its checksum differs.")
    card.get_by_text("History").click()
    expect(card.locator(".oseo-log li").first).to_be_visible()
    page.picture("card_partly")
    card.get_by_role("button", name="Try it again").click()  # the balance of the day, not the damaged one
    expect(card).to_contain_text("4 of 5 delivered · 1 failed")
    with page.tab.expect_popup() as opened:
        card.get_by_role("link", name="Open data.bin").first.click()
    opened.value.close()
    assert not page.errors


def test_cancel_is_heard_while_a_cell_sleeps(lab, page):
    cells = (CONNECT, submit("cancelled one", TWO), "import time\ntime.sleep(600)")
    page.open(lab.write("cancel.ipynb", *cells)).run(0)
    page.run(1)
    page.run(2, wait=False)
    expect(page.cell(2).locator(".jp-InputPrompt")).to_have_text("[*]:")
    card = page.cards.first
    card.get_by_role("button", name="Cancel order").click()
    expect(card).to_contain_text("What is delivered stays.")
    expect(card.get_by_role("button", name="Yes, cancel")).to_be_focused()
    page.picture("cancel_asked")
    page.tab.keyboard.press("Enter")
    expect(card).to_contain_text("4 cancelled")
    expect(page.cell(2).locator(".jp-InputPrompt")).to_have_text("[*]:")  # it sleeps on
    assert not page.errors


def test_kernel_restarts_and_the_card_lives_on(lab, page):
    cells = (CONNECT, submit("survivor", TWO), f"{CONNECT}\nlab.orders['survivor']")
    page.open(lab.write("restart.ipynb", *cells)).run(0)
    page.run(1)
    page.restart_kernel()
    # nobody tells the card but the server
    expect(page.cards.first).to_contain_text(re.compile("[1-4] of 4 delivered"), timeout=60_000)
    page.run(2)
    expect(page.cards).to_have_count(2)
    expect(page.cards.last.get_by_role("heading")).to_have_text("survivor")
    page.picture("kernel_restarted")
    for card in page.cards.all():
        expect(card).to_contain_text("4 of 4 delivered", timeout=60_000)
    assert not page.errors


def test_saved_notebook_tells_how_it_ended_and_lives_where_its_server_is(lab, page):
    name = lab.write("saved.ipynb", CONNECT, submit("kept one", "Q1 Q2 D2"))
    page.open(name).run(0)
    page.run(1)
    expect(page.cards.first).to_contain_text("Completed, partly")
    # written back by the kernel's thread: what is kept is the end, without what needs a kernel
    output = page.saved_output(name, 1, until="Completed, partly")
    assert set(output["data"]) == {"application/vnd.oseo-lab.order+json", "text/html", "text/plain"}
    assert output["data"]["application/vnd.oseo-lab.order+json"]["view"]["summary"]["status"] == "Completed"
    page.open_without_kernel(name)
    expect(page.cards.first).to_contain_text("2 of 3 delivered")
    expect(page.cards.first).to_contain_text("as of")
    expect(page.cards.first.get_by_role("button", name="Share")).to_be_visible()
    assert not page.errors


def test_notebook_7_shows_the_card(lab, page):
    page.open(lab.write("seven.ipynb", CONNECT, submit("in notebook 7", ONE)), notebook7=True).run(0)
    page.run(1)
    expect(page.cards.first).to_contain_text("Completed, partly", timeout=60_000)
    assert not page.errors


def test_my_orders_are_a_panel_of_their_own(lab, page):
    order_of(lab, "for the panel", ["S5", "Q1"])
    page.open_lab()
    launcher = page.tab.locator(".jp-LauncherCard")
    expect(launcher.filter(has_text="Order products")).to_be_visible()
    page.picture("launcher")
    launcher.filter(has_text="My orders").click()
    table = page.tab.locator(".oseo-orders")
    row = table.get_by_role("row").filter(has_text="for the panel")
    expect(row).to_contain_text("2/2", timeout=60_000)  # live: no kernel, nobody reloads
    table.get_by_placeholder("name, * for any").fill("for the")
    expect(table.get_by_role("row")).to_have_count(2)
    page.picture("my_orders")
    row.get_by_role("button", name="for the panel").click()
    expect(page.tab.locator(".oseo-card:not(.oseo-orders)")).to_contain_text("2 of 2 delivered")
    assert not page.errors


EVIL = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
ORDER = "application/vnd.oseo-lab.order+json"
FORM = "application/vnd.oseo-lab.widget+json"
WIDGET = "application/vnd.jupyter.widget-view+json"


def forged(order_id: str, **more: object) -> list[dict[str, object]]:
    """Return an output that shows another order than the one its buttons would act on."""
    counts = {"Completed": 1, "Failed": 2}
    summary = {"order_id": order_id, "name": f"harmless {EVIL}", "owner": EVIL, "status": "Completed"}
    rows = [
        {
            "number": number,
            "item_id": EVIL,
            "identifier": EVIL,
            "status": "Completed",
            "size": 5,
            "href": href,
        }
        for number, href in enumerate(["javascript:window.pwned=1", "https://outside.example/x", "//x\u202e"])
    ]
    failures = [{"failure": None, "reason": EVIL, "count": 2, "item_ids": [EVIL], "can_retry": True}]
    actions = ["cancel", "pause", "resume", "retry", "share"]
    view = {"summary": summary | {"counts": counts}, "revision": 9, "as_of": "2999-01-01T00:00:00Z"}
    view |= {"rows": rows, "failures": failures, "actions": actions}
    return display({ORDER: {"order_id": order_id, "view": view} | more})


def display(data: dict[str, object]) -> list[dict[str, object]]:
    widget = {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": "m" * 32}}
    story = {"text/html": f"<b>the story</b>{EVIL}", "text/plain": "the story"}
    return [{"output_type": "display_data", "data": data | widget | story, "metadata": {}}]


def test_notebook_somebody_else_wrote_acts_on_nothing_and_shows_what_is_so(lab, page):
    order_id = order_of(lab, "the real one", ["S1", "Q1"])
    instance = lab.ask("GET", "")["instance"]
    outputs = [
        forged(order_id, instance=instance),
        forged(order_id, instance="another", url="https://outside.example/"),
        display({FORM: {}}),
        display({ORDER: {"order_id": "..", "instance": instance, "view": {"summary": 7}}}),
    ]
    asked: list[str] = []
    page.tab.on("request", lambda each: asked.append(f"{each.method} {each.url}"))
    held: list[str] = []
    page.tab.route(
        "**/orders/*/view", lambda route: held.append(route.request.url)
    )  # the server is slow to tell
    page.open(lab.write("evil.ipynb", *["1"] * len(outputs), outputs=outputs))
    first, other = (page.cell(n).locator(".oseo-card") for n in (0, 1))
    expect(first).to_contain_text("harmless <img")
    for card in (first, other):
        expect(card.locator("footer").get_by_role("button")).to_have_count(0)
        expect(card.get_by_role("link")).to_have_count(0)
    assert held
    page.tab.unroute("**/orders/*/view")  # what is held goes on
    expect(first.get_by_role("heading")).to_have_text("the real one")
    expect(first).not_to_contain_text("harmless")
    expect(first.get_by_role("button", name="Share")).to_be_visible()
    expect(other).to_contain_text("Saved with this notebook")
    expect(other.locator("footer").get_by_role("button")).to_have_count(0)
    expect(page.cell(2)).to_contain_text("the story")
    expect(page.cell(2)).not_to_contain_text("Error displaying widget")
    expect(page.cell(3)).to_contain_text("This server has no such order")
    assert page.tab.evaluate("window.pwned") is None
    assert not [each for each in asked if "/oseo/" in each and each.startswith("POST")]
    assert not [each for each in asked if "outside.example" in each]
    assert not page.errors


@pytest.mark.parametrize(("theme", "width"), [("JupyterLab Dark", 1280), ("JupyterLab Light", 420)])
def test_card_suits_theme_and_width(lab, page, theme, width):
    lab.theme(theme)
    name = "large " + re.sub(r"\W", "", theme)
    order_id = order_of(lab, name, [f"Q{n % 12 + 1}" for n in range(400)] + ["S1", "D1", "F1"] * 6)
    page.tab.set_viewport_size({"width": width, "height": 900})
    page.open(lab.write("theme.ipynb", f"{CONNECT}\nlab.orders[{name!r}]"), notebook7=width < 500).run(0)
    card = page.cards.first
    expect(card).to_contain_text("of 418 delivered")
    rows = card.locator("tbody tr")
    expect(rows).to_have_count(8)
    card.get_by_role("button", name="show 42 more").click()
    expect(rows).to_have_count(50)
    card.get_by_role("button", name="show fewer").click()
    asked = page.count_questions(2000)
    assert asked <= 9, "at most four questions a second"
    expect(card.get_by_role("heading")).to_be_in_viewport()
    lab.theme("JupyterLab Light")
    lab.ask("POST", f"orders/{order_id}/cancel")


def test_server_restarts_and_the_card_comes_back(lab, page):
    page.open(lab.write("server.ipynb", CONNECT, submit("through it", TWO))).run(0)
    page.run(1)
    card = page.cards.first
    expect(card).to_contain_text("In production")
    lab.stop()
    expect(card).to_contain_text("The server does not answer since")
    page.picture("server_lost")
    lab.start()
    expect(card).to_contain_text("4 of 4 delivered", timeout=60_000)
    assert not page.errors
