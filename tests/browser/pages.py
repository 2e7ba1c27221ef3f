"""What people do in JupyterLab and Notebook 7, and what they see: open, run, restart, save, look."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.lab_server import TOKEN, LabServer

expect.set_options(timeout=15_000)

_NUMBERED = re.compile(r"\[\d+\]:")


class Page:
    """A tab of the browser."""

    def __init__(self, tab: Any, lab: LabServer, artefacts: Path) -> None:
        self.tab = tab
        self.lab = lab
        self.artefacts = artefacts
        self.errors: list[str] = []
        tab.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, notebook: str, notebook7: bool = False) -> Page:
        """Open a notebook and wait until its kernel is there."""
        place = f"notebooks/{notebook}" if notebook7 else f"doc/tree/{notebook}"
        self.tab.goto(f"{self.lab.url}{place}?token={TOKEN}&reset")
        self.tab.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        self.tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
        return self

    def open_lab(self) -> Page:
        """Open JupyterLab at its launcher."""
        self.tab.goto(f"{self.lab.url}lab?token={TOKEN}&reset")
        self.tab.locator(".jp-Launcher").wait_for()
        return self

    def cell(self, number: int) -> Locator:
        return self.tab.locator(".jp-Notebook .jp-CodeCell").nth(number)

    def run(self, number: int, wait: bool = True) -> Locator:
        """Run a cell; return its output."""
        cell = self.cell(number)
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        for _ in range(20):  # an application that is still starting takes the key for nothing
            cell.locator(".cm-content").click()
            self.tab.keyboard.press("Shift+Enter")
            try:
                expect(prompt).not_to_have_text(before, timeout=1000)
                break
            except AssertionError:
                continue
        if wait:
            self.idle(number)
        return cell.locator(".jp-Cell-outputWrapper")

    def idle(self, number: int, timeout: float = 20_000) -> None:
        """Wait until a cell has run."""
        prompt = self.cell(number).locator(".jp-InputPrompt")
        expect(prompt).to_have_text(_NUMBERED, timeout=timeout)

    def command(self, command: str) -> None:
        """Run a command of the application by name, through the palette."""
        self.tab.keyboard.press("Control+Shift+C")
        self.tab.get_by_placeholder("SEARCH").fill(command)
        self.tab.keyboard.press("Enter")

    def save(self) -> None:
        self.tab.keyboard.press("Control+s")
        self.tab.wait_for_timeout(300)

    @property
    def cards(self) -> Locator:
        return self.tab.locator(".oseo-card")

    def picture(self, name: str) -> Path:
        """Keep what is seen."""
        path = self.artefacts / f"{name}.png"
        self.tab.screenshot(path=str(path), animations="disabled")
        return path
