"""Whole stories in JupyterLab: the first order from open to picture, a form that is the draft it shows."""

from __future__ import annotations

import shutil

from playwright.sync_api import expect

from tests.browser.lab_server import ROOT

#: The server has the demo collections too.
DEMO = True

DRAFT = (
    "import oseo_lab as oseo\nlab = oseo.connect()\n"
    "draft = lab.search('demo-s2', time='2024-07').order(name='one object')\ndraft"
)


def test_first_order_from_open_to_plotted_result(lab, page):
    shutil.copy(ROOT / "notebooks" / "01_first_order.ipynb", lab.notebooks)
    page.open("01_first_order.ipynb")
    page.tab.get_by_text("Run", exact=True).click()
    page.tab.get_by_text("Run All Cells", exact=True).click()
    code = page.tab.locator(".jp-Notebook .jp-CodeCell")
    page.idle(code.count() - 1, timeout=90_000)
    card = page.cards.filter(has=page.tab.get_by_role("heading", name="a year at the lake")).first
    expect(card).to_contain_text("12 of 13 delivered · 1 failed")
    page.look_at(card)
    page.picture("first_order_card")
    picture = page.tab.locator(".jp-RenderedImage img").first
    page.look_at(picture)
    expect(picture).to_be_visible()
    assert page.tab.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert not page.errors


def test_form_and_code_move_each_other(lab, page):
    cells = (DRAFT, "draft.options.format = 'NetCDF'", "print(draft.options.resampling)")
    name = lab.write("form.ipynb", *cells)
    page.open(name).run(0)
    form = page.cell(0).locator(".jp-Cell-outputWrapper")
    expect(form.get_by_role("radio", name="COG")).to_be_checked()
    page.run(1)
    expect(form.get_by_role("radio", name="NetCDF")).to_be_checked()
    form.get_by_role("combobox", name="resampling").select_option("nearest")
    expect(page.run(2)).to_contain_text("nearest")
    expect(form.get_by_role("checkbox", name="SCL")).to_be_enabled()  # what goes with what follows
    page.picture("form_moved")
    page.saved_output(name, 0, until="NetCDF|COG")
    page.open_without_kernel(name)  # the form needs its kernel: the story saved beside it is shown
    expect(form).to_contain_text("one object")
    expect(form).not_to_contain_text("Error displaying widget")
    expect(form).not_to_contain_text("Loading widget")
    assert not page.errors
