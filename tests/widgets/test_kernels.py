"""Cards in real kernels, ipykernel 6 and 7: live from a thread, their end written back, nothing printed."""

from __future__ import annotations

import os
import queue
import sys
from pathlib import Path

import pytest

from oseo_lab.at_home import HomeService
from tests.browser.lab_server import make_collections

ROOT = Path(__file__).resolve().parents[2]
OF_KERNEL_6 = ROOT / ".peers" / "ipykernel6"
ORDER = "application/vnd.oseo-lab.order+json"
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    collections = tmp_path_factory.mktemp("watched") / "collections"
    make_collections(collections)
    home = HomeService(collections, settings={"threads_per_worker": 2})
    home.start()
    yield home
    home.close()


@pytest.fixture(params=[6, 7])
def kernel(request, service, tmp_path, monkeypatch):
    """A kernel of each generation, connected to the service."""
    from jupyter_client.manager import KernelManager

    path = [str(ROOT)]
    if request.param == 6:
        if not OF_KERNEL_6.is_dir():
            reason = f"no ipykernel 6 in {OF_KERNEL_6}; make test sets it up"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        path.insert(0, str(OF_KERNEL_6))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.setenv("OSEO_LAB_URL", service.url)
    monkeypatch.setenv("OSEO_LAB_TOKEN", service.token)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    manager = KernelManager(connection_file=str(tmp_path / "kernel.json"))
    manager.kernel_spec.argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield Kernel(client, request.param)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


class Kernel:
    """Runs cells and hears what they show."""

    def __init__(self, client, generation: int) -> None:
        self.client = client
        self.generation = generation
        self.heard: list[dict] = []

    def run(self, code: str) -> None:
        request = self.client.execute(code)
        self.hear(lambda each: _is_idle(each, request))

    def hear(self, until, timeout: float = 40.0) -> dict:
        """Take messages until one is as wanted; return it."""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=timeout)
            except queue.Empty:
                raise AssertionError(
                    f"not heard; heard {[each['msg_type'] for each in self.heard]}"
                ) from None
            self.heard.append(message)
            if until(message):
                return message

    def all(self, kind: str) -> list[dict]:
        return [each["content"] for each in self.heard if each["msg_type"] == kind]


def _is_idle(message, request) -> bool:
    return (
        message["msg_type"] == "status"
        and message["content"]["execution_state"] == "idle"
        and message["parent_header"].get("msg_id") == request
    )


def test_end_is_written_into_the_cell_by_a_thread_that_prints_nothing(kernel):
    kernel.run(
        "import ipykernel, oseo_lab as oseo\nlab = oseo.connect()\n"
        f"assert ipykernel.version_info[0] == {kernel.generation}"
    )
    name = f"kernel {kernel.generation}"
    kernel.run(f"order = lab.order(['S1', 'Q1', 'D1'], collection='watched', name='{name}').submit()\norder")
    assert not kernel.all("error")
    (shown,) = kernel.all("display_data")
    assert {ORDER, WIDGET, "text/html", "text/plain"} == set(shown["data"])
    written = kernel.hear(lambda each: each["msg_type"] == "update_display_data")["content"]
    assert written["transient"] == shown["transient"]
    assert set(written["data"]) == {ORDER, "text/html", "text/plain"}
    assert written["data"][ORDER]["view"]["summary"]["status"] == "Completed"
    assert "Completed, partly" in written["data"]["text/html"]
    assert "signature" not in str(written)
    kernel.run("'later'")
    assert not kernel.all("stream")
    moved = [each for each in kernel.all("comm_msg") if "view" in each["data"].get("state", {})]
    assert moved[-1]["data"]["state"]["view"]["summary"]["status"] == "Completed"


def test_notebook_keeps_the_end_of_what_it_waited_for_and_nbconvert_shows_it(service, monkeypatch, tmp_path):
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OSEO_LAB_URL", service.url)
    monkeypatch.setenv("OSEO_LAB_TOKEN", service.token)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    cells = (
        "import oseo_lab as oseo\nlab = oseo.connect()\n"
        "order = lab.order(['S2', 'Q1', 'D1'], collection='watched', name='exported').submit()\norder",
        "order.wait(progress=False);",
        "lab.orders.filter(name='exported')",
        "lab.order(['Q3'], collection='watched', name='a draft')",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in cells])
    notebook.cells.insert(3, nbformat.v4.new_markdown_cell("## Still to be ordered"))
    # as JupyterLab saves it: widgets are no part of a notebook unless somebody asks for that
    NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=False).execute()
    html, _ = HTMLExporter().from_notebook_node(notebook)
    assert "exported · " in html  # the order's card
    assert html.count("2 of 3 delivered · 1 failed") >= 1
    assert "The source file is damaged at the provider" in html
    assert 'aria-label="1 order"' in html  # the table
    assert "a draft" in html
    assert service.token not in str(notebook)
