"""What notebooks show: the form of the largest official option document, made and drawn in Chromium.

Each row stands beside what is allowed. Without Chromium only what Python does is measured.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import oseo_lab.widgets
from oseo_lab.client.options import Options
from oseo_lab.encoding import oseo, xmltree
from oseo_lab.widgets.nodes import Node
from oseo_lab.widgets.option_fields import OptionFields
from oseo_lab.widgets.panel import Panel
from tests.benchmarks import Row

ROUNDS = int(os.environ.get("OSEO_LAB_BENCH_ROUNDS", "9"))
SHARED = Path(os.environ.get("OSEO_LAB_SHARED") or Path(__file__).resolve().parents[3] / "shared")
CHROMIUM = os.environ.get("OSEO_LAB_TEST_CHROMIUM", "/usr/bin/chromium")
#: Milliseconds in which a form is to be there.
ALLOWED = 1000.0
#: Draws a panel as the notebook does, and says the milliseconds until the page has laid it out.
DRAW = """async ([source, tree]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const model = { get: (name) => (name === "tree" ? tree : "form"), on() {}, off() {}, send() {} };
  const host = document.body.appendChild(document.createElement("div"));
  const start = performance.now();
  widget.render({ model, el: host });
  host.getBoundingClientRect();
  const taken = performance.now() - start;
  host.remove();
  return taken;
}"""


def made(groups: list[Any]) -> tuple[float, list[Node]]:
    """Return the milliseconds of making forms of all groups as they travel, and what is drawn."""
    start = time.perf_counter()
    trees = []
    for group in groups:
        form = OptionFields(Options(group.options, group.product_order_options_id))
        scene = [each for scene in group.scene_selections for each in scene.parameters]
        cut_out = OptionFields(Options(scene, "scene"))
        panel = Panel("form")
        panel.tree = [*form.nodes(), *cut_out.nodes()]
        trees.append(json.dumps(panel.tree))
    taken = (time.perf_counter() - start) * 1000
    return taken, [node for tree in trees for node in json.loads(tree)]


def drawn(tree: list[Node]) -> float:
    """Return the milliseconds Chromium takes to draw a panel; 0 where there is none."""
    if not Path(CHROMIUM).exists():
        return 0.0
    from playwright.sync_api import sync_playwright

    source = (Path(oseo_lab.widgets.__file__).parent / "panel.js").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.goto("about:blank")
        found = min(float(page.evaluate(DRAW, [source, tree])) for _ in range(ROUNDS))
        browser.close()
    return found


def run() -> list[Row]:
    document = (SHARED / "samples/oseo/GetOptionsResponse.xml").read_bytes()
    groups = list(oseo.decode_response(xmltree.parse(document)).order_options)
    rounds = [made(groups) for _ in range(ROUNDS)]
    ours, tree = min(taken for taken, _ in rounds), rounds[0][1]
    browser = drawn(tree)
    note = f"{ours:.0f} ms in Python, {browser:.0f} ms in the browser; {len(groups)} groups at once"
    return [
        Row(
            what="form of the largest official option document / allowed",
            ours=ours + browser,
            floor=ALLOWED,
            unit="ms",
            target=1.0,
            note=note,
        )
    ]
