"""The first order in a real kernel that reaches nothing but this machine; and how errors look there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.only_loopback import environment, tried

CELLS = {
    "connect": "import oseo_lab as oseo\nlab = oseo.connect('demo')\nlab",
    "search": "scenes = lab.search('demo-s2', time='2024-06/2024-07')\nscenes",
    "submit": "order = lab.order(scenes[:2], name='lake', format='COG').submit()",
    "open": "data = order.wait(timeout=120, progress=False).to_xarray()\nfloat(data.B04.mean()) > 0",
    "wrong value": "draft = lab.order(scenes[:1], name='wrong',\n                  format='COGG')\n",
    "wrong name": "def mine():\n    return lab.collections['demo-s3']\n\nmine()",
    "markup": "lab.orders['<script>alert(1)</script>']",
    "shown whole": "with oseo.debug():\n    lab.collections['demo-s3']",
    "verbose": "%xmode Verbose\nlab.collections['demo-s3']",
    "outside": "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)",
    "close": "lab.close()",
}


@pytest.fixture(scope="module")
def shown(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """The outputs of each cell."""
    folder = tmp_path_factory.mktemp("kernel")
    more = environment(folder / "loopback") | {"XDG_CACHE_HOME": str(cache)}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in CELLS.values()])
    client = NotebookClient(notebook, timeout=240, allow_errors=True, kernel_name="python3")
    client.execute(env=os.environ | more)
    found = dict(zip(CELLS, (each.outputs for each in notebook.cells), strict=True))
    found["tried"] = tried(folder / "loopback")
    return found


def traceback(outputs: list) -> str:
    """What the front end shows, without its colours."""
    error = next(each for each in outputs if each.output_type == "error")
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))


def test_the_story_runs_and_nothing_leaves_this_machine(shown):
    for name in ("connect", "search", "submit", "open", "close"):
        wrong = [each for each in shown[name] if each.output_type in ("error", "stream")]
        assert not [each for each in wrong if each.get("name") != "stdout"], (name, wrong)
    assert "in this process" in shown["connect"][-1].data["text/html"]
    assert shown["open"][-1].data["text/plain"] == "True"
    assert "only loopback" in shown["outside"][-1].evalue  # the block holds
    assert shown["tried"] == ["192.0.2.1"]  # and nobody else asked for anything


def test_a_refused_value_is_one_sentence_and_the_users_own_line(shown):
    said = traceback(shown["wrong value"])
    assert said.startswith("ValidationError: ")
    for word in ("COGG", "nearest: COG", "cell [5] line 1: draft = lab.order(scenes[:1], name='wrong',"):
        assert word in said
    assert "oseo_lab/" not in said and "Traceback" not in said
    assert len(said.splitlines()) <= 3


def test_a_users_function_is_named_with_the_cell_that_called_it(shown):
    assert traceback(shown["wrong name"]).splitlines() == [
        "NoSuchKey: there is no collection 'demo-s3' (nearest: demo-s2); collections: demo-dem, demo-s2",
        "cell [6] line 4: mine()",
        "cell [6] line 2: return lab.collections['demo-s3']",
    ]


def test_what_an_error_repeats_is_text_in_an_exported_page(shown):
    from nbconvert import HTMLExporter

    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("", outputs=shown["markup"], execution_count=7)]
    )
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("name", ["shown whole", "verbose"])
def test_who_wants_it_gets_the_whole_traceback(shown, name):
    said = traceback(shown[name])
    assert "lab.py" in said and "NoSuchKey" in said
