"""Forms, quotations and maps in JupyterLab: the draft and its form are one object, seen by a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

CONNECT = 'import oseo_lab as oseo\nlab = oseo.connect()\nscenes = lab.search("demo-s2")'
DRAFT = 'draft = lab.order(scenes[:2], name="{}", area=(10.6, 45.6, 10.65, 45.65))\ndraft'


@pytest.fixture
def opened(lab, page, request):
    """Return how a notebook of these cells is opened, the first run."""

    def open_notebook(*cells: str):
        name = lab.write(f"{request.node.name}.ipynb", CONNECT, *cells)
        page.open(name).run(0)
        return page

    return open_notebook


def test_form_and_code_move_each_other_and_the_story_is_kept(opened, request) -> None:
    page = opened(
        DRAFT.format("moving"),
        'draft.options.format = "GeoTIFF"',
        "draft.options.chosen, draft.name",
        'draft.options.resampling = "nearest"',
    )
    form = page.run(1).locator(".oseo-panel").first
    expect(form.get_by_label("COG")).to_be_checked()
    page.run(2)
    expect(form.get_by_label("GeoTIFF")).to_be_checked()
    form.get_by_label("PNG").check()
    form.get_by_label("name", exact=True).fill("moved")
    form.get_by_label("resolution").fill("40")
    form.get_by_label("resolution").press("Enter")
    expect(form.get_by_label("resolution: back to: not set")).to_be_visible()
    expect(page.run(3)).to_contain_text("({'format': 'PNG', 'resolution': 40.0}, 'moved')")
    expect(form.get_by_label("SCL")).to_be_disabled()
    expect(form).to_contain_text("SCL holds codes of classes")
    page.run(4)
    expect(form.get_by_label("SCL")).to_be_enabled()
    page.picture("form_moved")
    name = f"{request.node.name}.ipynb"
    page.saved_output(name, 1, until="COG")
    page.open_without_kernel(name)  # the form needs its kernel: the story saved beside it is shown
    story = page.cell(1).locator(".jp-Cell-outputWrapper")
    expect(story).to_contain_text("moving")
    expect(story).not_to_contain_text("Error displaying widget")
    expect(story).not_to_contain_text("Loading widget")
    assert not page.errors


def test_what_is_refused_is_said_under_its_field_and_the_field_shows_what_holds(opened) -> None:
    page = opened(DRAFT.format("refused"))
    form = page.run(1).locator(".oseo-panel").first
    resolution = form.get_by_label("resolution")
    resolution.fill("0")
    resolution.press("Tab")
    expect(form.get_by_role("alert")).to_contain_text("resolution '0' is not offered by demo-s2")
    expect(resolution).to_have_value("")
    expect(resolution).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_label("resampling")).to_be_focused()  # drawing again took nobody's field away


def test_an_area_is_drawn_on_a_map_without_any_network(opened) -> None:
    page = opened(DRAFT.format("drawn"), "draft.area.bbox")
    outside = []
    page.tab.on("request", lambda asked: outside.append(asked.url) if asked.url.startswith("http") else None)
    output = page.run(1)
    output.get_by_role("button", name="Map").click()
    shown = output.locator(".leaflet-container").first
    expect(shown.locator(".oseo-degrees").first).to_be_visible()
    shown.scroll_into_view_if_needed()
    output.locator(".leaflet-draw-draw-rectangle").click()
    box = shown.bounding_box()
    page.tab.mouse.move(box["x"] + 350, box["y"] + 90)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + 450, box["y"] + 190, steps=4)
    page.tab.mouse.up()
    expect(output.get_by_role("textbox", name="area", exact=True)).not_to_have_value(
        "10.6, 45.6, 10.65, 45.65"
    )
    typed = output.get_by_role("textbox", name="area", exact=True).input_value()
    expect(page.run(2)).to_contain_text(typed)
    assert not [url for url in outside if "//127.0.0.1" not in url and "//localhost" not in url]


def test_from_form_to_quotation_to_a_live_card(opened) -> None:
    page = opened(DRAFT.format("quoted and ordered"))
    output = page.run(1)
    output.get_by_role("button", name="Quote").click()
    card = output.locator(".oseo-panel").nth(1)
    expect(card).to_contain_text("3.00 CREDIT")
    expect(card).to_contain_text("valid for")
    page.picture("quotation")
    card.get_by_role("button", name="Submit").click()
    expect(card).to_contain_text("submitted as quoted and ordered")
    expect(page.cards.first).to_contain_text("2 of 2 delivered", timeout=60_000)
    assert not page.errors


def test_form_is_used_by_keyboard_alone(opened) -> None:
    page = opened(DRAFT.format("by keys"), "draft.options.format")
    form = page.run(1).locator(".oseo-panel").first
    form.get_by_label("COG").focus()
    page.tab.keyboard.press("ArrowRight")
    expect(form.get_by_label("GeoTIFF")).to_be_checked()
    expect(form.get_by_label("GeoTIFF")).to_be_focused()
    page.tab.keyboard.press("ArrowRight")
    expect(form.get_by_label("NetCDF")).to_be_checked()
    form.get_by_role("button", name="Copy as code").focus()
    page.tab.keyboard.press("Enter")
    expect(form.locator("pre")).to_contain_text("format='NetCDF'")
