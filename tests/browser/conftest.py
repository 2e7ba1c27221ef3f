"""Real Chromium against a real JupyterLab: what the browser tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser.lab_server import LabServer
from tests.browser.pages import Page

CHROMIUM = os.environ.get("OSEO_LAB_TEST_CHROMIUM", "/usr/bin/chromium")
ARTEFACTS = Path(__file__).resolve().parents[2] / "test-artefacts" / "browser"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    """Chromium of this machine; nothing is downloaded for it.

    Not for the session: Playwright runs an event loop in this thread, and tests of other folders have theirs.
    """
    if not Path(CHROMIUM).exists():
        reason = f"no Chromium at {CHROMIUM}; install Debian's chromium, or set OSEO_LAB_TEST_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def lab(demo, tmp_path_factory):
    """JupyterLab with the service, the demo's collections and one to be watched."""
    server = LabServer(tmp_path_factory.mktemp("lab") / "root", demo)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def window(browser):
    """What the tabs of a module share, above all what is loaded of JupyterLab once."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    found = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    found.grant_permissions(["clipboard-read", "clipboard-write"])
    yield found
    found.close()


@pytest.fixture
def page(window, lab, request):
    """One tab and its kernel; what it shows when the test ends is kept as a picture."""
    found = Page(window.new_page(), lab, ARTEFACTS)
    yield found
    found.picture(request.node.name.removeprefix("test_"))
    found.close()
