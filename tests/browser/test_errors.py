"""A refused cell in JupyterLab: one readable sentence, nothing of ours, and text that stays text."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_refused_cell_shows_one_sentence_and_the_users_own_line(lab, page):
    connect = "import oseo_lab as oseo\nlab = oseo.connect()"
    wrong = "def mine(name):\n    return lab.collections[name]\n\nmine('<img src=x onerror=alert(1)>')"
    page.open(lab.write("refused.ipynb", connect, wrong)).run(0)
    said = page.run(1)
    expect(said).to_contain_text("NoSuchKey: there is no collection '<img src=x onerror=alert(1)>'")
    expect(said).to_contain_text("collections: ")
    expect(said).to_contain_text("cell [2] line 4: mine('<img")
    expect(said).not_to_contain_text("Traceback")
    expect(said).not_to_contain_text("lab.py")
    expect(said.locator("img")).to_have_count(0)
    page.picture("refused")
