"""The card of an order of ten thousand items in JupyterLab, in Chromium: opened, told, and kept up with.

Beside each figure stands what is allowed. A second process moves the items as a dispatcher does, so that
what is measured is the way of a change: store, event, view, page. Without Chromium nothing is measured.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from oseo_lab.model.order import OrderItem
from oseo_lab.model.status import Status
from oseo_lab.ports import OrderStore
from oseo_lab.store import open_store
from tests.benchmarks import Row, bench_view
from tests.browser.conftest import _ARGUMENTS, ARTEFACTS, CHROMIUM
from tests.browser.lab_server import LabServer
from tests.browser.pages import Page

COUNT, OPENED, TOLD, SECONDS, PER_SECOND = 10_000, 7, 40, 6, 1000
#: Milliseconds in which a card is drawn, and in which an event reaches the page; percent of the main thread.
DRAWN, HEARD, BUSY = 500.0, 250.0, 5.0

#: Notes when an output appears and when its card holds rows from the server.
_WATCH_OPENING = """(before) => {
  window.opened = null;
  let began = null;
  new MutationObserver((_, observer) => {
    const card = document.querySelectorAll(".oseo-output")[before];
    if (card && began === null) began = performance.now();
    if (card?.querySelector(".oseo-is-live") && card.querySelector("tbody tr")) {
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => { window.opened = performance.now() - began; }));
    }
  }).observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
}"""
#: Notes at which moment the counts of the card said what.
_WATCH_COUNTS = """() => {
  window.said = {};
  const counts = document.querySelector(".oseo-counts");
  new MutationObserver(() => { window.said[counts.textContent] ??= Date.now(); })
    .observe(counts, { childList: true, characterData: true, subtree: true });
}"""


@contextmanager
def _lab() -> Iterator[tuple[Page, OrderStore, LabServer]]:
    """Start JupyterLab, Chromium, and the store behind both; the server itself works on nothing."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder) / "root", dispatch="false")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            server.start()
            store = open_store(f"sqlite:///{server.folder / 'data' / 'orders.sqlite'}")
            tab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            yield Page(tab, server, ARTEFACTS), store, server
            store.close()
        finally:
            browser.close()
            server.stop()


def _opened(page: Page, name: str) -> float:
    """Return the median milliseconds from an output to its card, drawn with what the server says."""
    taken = []
    for number in range(OPENED):
        page.tab.evaluate(_WATCH_OPENING, number)
        page.run(number)
        page.tab.wait_for_function("() => window.opened !== null")
        taken.append(float(page.tab.evaluate("window.opened")))
        page.tab.wait_for_timeout(300)
    return statistics.median(taken)


def _told(page: Page, store: OrderStore, items: list[OrderItem]) -> list[float]:
    """Return the milliseconds from the commit of a change until the page says it, sorted."""
    page.tab.evaluate(_WATCH_COUNTS)
    sent = {}
    for done, item in enumerate(items, 1):
        bench_view._move(store, [item], Status.COMPLETED)
        sent[f"{done} of {COUNT:,} delivered"] = 1000 * time.time()
        page.tab.wait_for_timeout(700)
    said: dict[str, Any] = page.tab.evaluate("window.said")
    heard = {text.split(" · ")[0]: moment for text, moment in said.items()}
    return sorted(heard[text] - moment for text, moment in sent.items())


def _busy(page: Page, store: OrderStore, items: list[OrderItem]) -> tuple[float, float]:
    """Return how busy the page's main thread is while items finish, and how many did a second."""

    def work() -> None:
        end = began
        for start in range(0, len(items), piece):
            bench_view._move(store, items[start : start + piece], Status.COMPLETED)
            end += piece / PER_SECOND
            time.sleep(max(0.0, end - time.monotonic()))

    session = page.tab.context.new_cdp_session(page.tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU, whoever else computes
    piece, began = PER_SECOND // 10, time.monotonic()
    before = _task_seconds(session)
    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        page.tab.wait_for_timeout(100)
    taken = time.monotonic() - began
    return 100 * (_task_seconds(session) - before) / taken, len(items) / taken


def _task_seconds(session: Any) -> float:
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def run() -> list[Row]:
    """Return what the card of a large order takes."""
    if not Path(CHROMIUM).exists():
        return []
    with _lab() as (page, store, server):
        order = replace(bench_view._order(COUNT), owner="local")
        store.write(lambda work: work.orders.add(order))
        show = f"import oseo_lab as oseo\noseo.connect().orders[{order.order_id!r}]"
        page.open(server.write("large.ipynb", *[show] * OPENED))
        opened = _opened(page, order.order_id)
        page.open(server.write("one.ipynb", show)).run(0)
        page.cards.first.locator(".oseo-is-live").wait_for()
        items = list(order.items)
        told = _told(page, store, items[:TOLD])
        busy, rate = _busy(page, store, items[TOLD : TOLD + SECONDS * PER_SECOND])
    return [
        Row(what=f"card of {COUNT:,} items, opened", ours=opened, floor=DRAWN, unit="ms", target=1.0),
        Row(
            what="one event to the page, p95",
            ours=told[int(0.95 * len(told))],
            floor=HEARD,
            unit="ms",
            target=1.0,
            note=f"median {statistics.median(told):.0f} ms",
        ),
        Row(
            what="main thread while items finish",
            ours=busy,
            floor=BUSY,
            unit="%",
            target=1.0,
            note=f"{rate:.0f} items/s",
        ),
    ]
