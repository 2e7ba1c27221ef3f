"""The composer and the orders as an application: Voilà serves a notebook, a browser uses it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import expect

from tests.acceptance.serving import wait_until
from tests.browser.conftest import ARTEFACTS
from tests.browser.lab_server import TOKEN
from tests.ports import free_port

COMPOSER = "import oseo_lab as oseo\nlab = oseo.connect()\nlab.composer()"
ORDERS = "lab.orders"


@pytest.fixture(scope="module")
def application(lab):
    """The URL of Voilà, serving a notebook with the composer and the orders."""
    name = lab.write("app.ipynb", COMPOSER, ORDERS)
    port = free_port()
    command = [sys.executable, "-m", "voila", str(lab.notebooks / name), f"--port={port}", "--no-browser"]
    environment = lab.environment | {"OSEO_LAB_URL": lab.url, "OSEO_LAB_TOKEN": TOKEN}
    environment.pop("JUPYTER_TOKEN", None)
    with (lab.folder / "voila.log").open("a") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, cwd=lab.folder, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}/"

    def is_up() -> bool:
        try:
            return httpx.get(f"{url}voila/static/nothing", timeout=5).status_code < 500
        except httpx.HTTPError:
            return False

    wait_until(is_up)
    yield url
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)


def test_voila_serves_the_composer_and_the_orders(application, browser) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 1400})
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(application)
    search = tab.locator(".oseo-panel").first
    expect(search).to_contain_text("find products", timeout=90_000)
    search.get_by_label("collection").select_option("demo-s2")
    search.get_by_label("from", exact=True).fill("2024-06-01")
    search.get_by_label("to", exact=True).fill("2024-06-30")
    search.get_by_role("button", name="Search", exact=True).click()
    tab.get_by_role("checkbox", name="choose S2-DEMO_20240607").check(timeout=90_000)
    form = tab.locator(".oseo-panel", has_text="order from demo-s2")
    expect(form).to_contain_text("1 item")
    form.get_by_label("name", exact=True).fill("from an application")
    form.get_by_label("name", exact=True).press("Tab")
    form.get_by_role("button", name="Submit").click()
    expect(tab.locator(".oseo-card", has_text="from an application").first).to_contain_text(
        "1 of 1 delivered", timeout=60_000
    )
    expect(tab.locator(".oseo-card, .oseo-orders", has_text="My orders").last).to_contain_text(
        "from an application"
    )
    expect(tab.get_by_text("trying again")).to_have_count(0)
    tab.screenshot(path=str(ARTEFACTS / "voila.png"), animations="disabled", full_page=True)
    assert not errors
    tab.close()
