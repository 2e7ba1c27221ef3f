"""Live cards of orders in JupyterLab."""

from __future__ import annotations

from playwright.sync_api import expect

CONNECT = "import oseo_lab as oseo\nlab = oseo.connect()"


def order(lab, name, *products):
    """Order products beside the notebook, as another program would."""
    items = [
        {"item_id": each, "identifier": {"identifier": each, "collection_id": "watched"}} for each in products
    ]
    specification = {"order_reference": name, "items": items}
    return lab.ask("POST", "orders", json={"specification": specification})


def test_card_is_live_from_submit_to_the_end(lab, page):
    name = lab.write(
        "live.ipynb",
        CONNECT,
        "products = ['S1', 'Q1', 'Q2', 'D1', 'F1']\n"
        "order = lab.order(products, collection='watched', name='live one').submit()\norder",
    )
    page.open(name).run(0)
    page.run(1)
    card = page.cards.first
    expect(card.get_by_role("heading")).to_have_text("live one")
    expect(card).to_contain_text("In production")
    page.picture("card_running")
    expect(card).to_contain_text("Completed, partly", timeout=30_000)
    assert not page.errors
