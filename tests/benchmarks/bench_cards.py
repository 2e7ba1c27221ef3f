"""The card of an order of ten thousand items in JupyterLab, in Chromium: opened, told, and kept up with.

Beside each figure stands what is allowed. An event is measured on a live service, from the end of an item to
the words on the page. A thousand items a second are finished by another process, as a dispatcher does it.
Without Chromium nothing is measured.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
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
#: Seconds in which JupyterLab has started, and in which it is watched at rest.
STARTED = 4
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
def _lab(**settings: object) -> Iterator[tuple[Page, OrderStore, LabServer]]:
    """Start JupyterLab and Chromium; open the store behind both."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder) / "root", **settings)
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


def _told(page: Page, server: LabServer) -> list[float]:
    """Return the milliseconds from the end of an item until the page says it, sorted."""
    identifiers = [{"identifier": f"T{n % 12 + 1}", "collection_id": "watched"} for n in range(COUNT)]
    items = [{"item_id": f"i{n}", "identifier": each} for n, each in enumerate(identifiers)]
    specification = {"order_reference": "one after the other", "items": items}
    order_id = server.ask("POST", "orders", json={"specification": specification})["order_id"]
    show = f"import oseo_lab as oseo\noseo.connect().orders[{order_id!r}]"
    page.open(server.write("told.ipynb", show)).run(0)
    page.cards.first.locator(".oseo-is-live").wait_for()
    page.tab.evaluate(_WATCH_COUNTS)
    page.tab.wait_for_function(f"() => Object.keys(window.said).length > {TOLD}", timeout=120_000)
    said: dict[str, float] = page.tab.evaluate("window.said")
    heard = {int(text.split(" ")[0]): moment for text, moment in said.items()}
    history = server.ask("GET", f"orders/{order_id}/history")["history"]
    ends = sorted(each["at"] for each in history if each["status"] == "Completed" and each["number"])
    done = {rank: 1000 * datetime.fromisoformat(at).timestamp() for rank, at in enumerate(ends, 1)}
    first = min(heard)
    return sorted(moment - done[rank] for rank, moment in heard.items() if rank > first and rank in done)


def _busy(page: Page, store: OrderStore, items: list[OrderItem]) -> tuple[float, float, float]:
    """Return how busy the page's main thread is while items finish, and while none do, in percent; and how
    many did a second. JupyterLab has started before: what that takes is not the card's."""

    def work() -> None:
        end = began
        for start in range(0, len(items), piece):
            bench_view._move(store, items[start : start + piece], Status.COMPLETED)
            end += piece / PER_SECOND
            time.sleep(max(0.0, end - time.monotonic()))

    session = page.tab.context.new_cdp_session(page.tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU, whoever else computes
    page.tab.wait_for_timeout(1000 * STARTED)
    before = _task_seconds(session)
    page.tab.wait_for_timeout(1000 * STARTED)
    idle = 100 * (_task_seconds(session) - before) / STARTED
    piece, began = PER_SECOND // 10, time.monotonic()
    before = _task_seconds(session)
    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        page.tab.wait_for_timeout(100)
    taken = time.monotonic() - began
    return 100 * (_task_seconds(session) - before) / taken, idle, len(items) / taken


def _task_seconds(session: Any) -> float:
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def run() -> list[Row]:
    """Return what the card of a large order takes."""
    if not Path(CHROMIUM).exists():
        return []
    with _lab(threads_per_worker=1) as (page, _, server):
        told = _told(page, server)
    with _lab(dispatch="false") as (page, store, server):
        order = replace(bench_view._order(COUNT), owner="local")
        store.write(lambda work: work.orders.add(order))
        show = f"import oseo_lab as oseo\noseo.connect().orders[{order.order_id!r}]"
        page.open(server.write("large.ipynb", *[show] * OPENED))
        opened = _opened(page, order.order_id)
    with _lab(dispatch="false") as (page, store, server):
        store.write(lambda work: work.orders.add(order))
        page.open(server.write("one.ipynb", show)).run(0)
        page.cards.first.locator(".oseo-is-live").wait_for()
        items = list(order.items)
        busy, idle, rate = _busy(page, store, items[: SECONDS * PER_SECOND])
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
            note=f"{rate:.0f} items/s; at rest {idle:.1f} %",
        ),
    ]
