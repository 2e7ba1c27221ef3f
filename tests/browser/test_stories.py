"""Whole stories in JupyterLab: the first order from open to picture."""

from __future__ import annotations

import shutil

from playwright.sync_api import expect

from tests.browser.lab_server import ROOT


def test_first_order_from_open_to_plotted_result(lab, page):
    shutil.copy(ROOT / "notebooks" / "01_first_order.ipynb", lab.notebooks)
    page.open("01_first_order.ipynb")
    page.tab.get_by_text("Run", exact=True).click()
    page.tab.get_by_text("Run All Cells", exact=True).click()
    code = page.tab.locator(".jp-Notebook .jp-CodeCell")
    page.idle(code.count() - 1, timeout=90_000)
    card = page.cards.filter(has=page.tab.get_by_role("heading", name="a year at the lake")).first
    page.look_at(card)  # a card that nobody sees asks for nothing
    expect(card).to_contain_text("12 of 13 delivered · 1 failed")
    page.picture("first_order_card")
    picture = page.tab.locator(".jp-RenderedImage img").first
    page.look_at(picture)
    expect(picture).to_be_visible()
    assert page.tab.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert not page.errors
