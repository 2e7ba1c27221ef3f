"""What people do in JupyterLab and Notebook 7, and what they see: open, run, restart, save, look."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Locator, expect

from tests.browser.lab_server import TOKEN, LabServer

expect.set_options(timeout=60_000)

#: A kernel seems idle before it is asked for: it must be so for a while.
_SETTLED = """() => new Promise((done) => {
  const began = performance.now();
  let since = began, longest = 4000;
  const look = setInterval(() => {
    const indicator = document.querySelector(".jp-Notebook-ExecutionIndicator");
    const isIdle = indicator?.dataset.status === "idle";
    if (indicator && !isIdle) longest = 500;
    if (!isIdle) since = performance.now();
    if (performance.now() - since > longest || performance.now() - began > 20000) {
      clearInterval(look);
      done();
    }
  }, 20);
})"""
_RUNS = re.compile(r"\[[\d*]+\]:")
_NUMBERED = re.compile(r"\[\d+\]:")


class Page:
    """A tab of the browser."""

    def __init__(self, tab: Any, lab: LabServer, artefacts: Path) -> None:
        self.tab = tab
        tab.set_default_timeout(60_000)
        self.lab = lab
        self.artefacts = artefacts
        self.errors: list[str] = []
        tab.on("pageerror", self._failed)

    def _failed(self, error: Any) -> None:
        if "oseo-lab" in (error.stack or ""):  # Notebook 7 has some of its own
            self.errors.append(str(error))

    def open(self, notebook: str, notebook7: bool = False) -> Page:
        """Open a notebook and wait until its kernel is there."""
        place = f"notebooks/{notebook}" if notebook7 else f"doc/tree/{notebook}"
        self.tab.goto(f"{self.lab.url}{place}?token={TOKEN}&reset")
        self.tab.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        self.tab.evaluate(_SETTLED)
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
        for _ in range(5):  # a page that is still busy with itself takes the key for nothing
            cell.locator(".cm-content").click()
            self.tab.keyboard.press("Shift+Enter")
            try:
                expect(cell.locator(".jp-InputPrompt")).to_have_text(_RUNS, timeout=3000)
                break
            except AssertionError:
                continue
        if wait:
            self.idle(number)
        return cell.locator(".jp-Cell-outputWrapper")

    def idle(self, number: int, timeout: float = 60_000) -> None:
        """Wait until a cell has run."""
        prompt = self.cell(number).locator(".jp-InputPrompt")
        expect(prompt).to_have_text(_NUMBERED, timeout=timeout)

    def restart_kernel(self) -> None:
        """Restart the kernel of the notebook, beside the page, as its menu would."""
        kernels = self._jupyter("GET", "kernels")
        own = [each for each in kernels if each["connections"]]
        self._jupyter("POST", f"kernels/{own[-1]['id']}/restart")

    def close(self) -> None:
        """Close the tab, and end the kernels that it leaves, whatever they do."""
        self.tab.close()
        for each in self._jupyter("GET", "sessions"):
            self._jupyter("POST", f"kernels/{each['kernel']['id']}/interrupt")
            self._jupyter("DELETE", f"sessions/{each['id']}")

    def open_without_kernel(self, notebook: str) -> Page:
        """Open a notebook whose kernel is not to be had, and go without one."""
        self.tab.goto("about:blank")
        for each in self._jupyter("GET", "sessions"):
            self._jupyter("DELETE", f"sessions/{each['id']}")
        saved = self.lab.read(notebook)
        saved["metadata"] = {"kernelspec": {"name": "gone", "display_name": "Gone", "language": "gone"}}
        (self.lab.notebooks / notebook).write_text(json.dumps(saved))
        self.tab.goto(f"{self.lab.url}doc/tree/{notebook}?reset")
        self.tab.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
        return self

    def saved_output(self, notebook: str, number: int, until: str) -> dict[str, Any]:
        """Save until the story of a cell's output says something; return the output."""
        for _ in range(80):
            self.tab.keyboard.press("Control+s")
            self.tab.wait_for_timeout(250)
            outputs = self.lab.read(notebook)["cells"][number]["outputs"]
            if outputs and re.search(until, "".join(outputs[0]["data"].get("text/html", ""))):
                return dict(outputs[0])
        raise AssertionError(f"never saved with {until!r}")

    def count_questions(self, milliseconds: int) -> int:
        """Count how often the page asks for a view meanwhile."""
        asked: list[str] = []
        self.tab.on("request", lambda each: asked.append(each.url) if each.url.endswith("/view") else None)
        self.tab.wait_for_timeout(milliseconds)
        return len(asked)

    def _jupyter(self, method: str, path: str) -> Any:
        headers = {"Authorization": f"token {TOKEN}"}
        answer = httpx.request(method, f"{self.lab.url}api/{path}", headers=headers, timeout=30)
        return answer.raise_for_status().json() if answer.content else None

    def look_at(self, thing: Locator) -> None:
        """Bring something to the middle of the page; what is far away is laid out only then, so twice."""
        for _ in range(2):
            thing.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
            self.tab.wait_for_timeout(200)

    @property
    def cards(self) -> Locator:
        return self.tab.locator(".oseo-card")

    def picture(self, name: str) -> Path:
        """Keep what is seen."""
        path = self.artefacts / f"{name}.png"
        self.tab.screenshot(path=str(path), animations="disabled")
        return path
