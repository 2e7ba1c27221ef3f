"""The notebooks run from top to bottom, against a service with the demo scenes; nothing leaves loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.serving import TOKEN
from tests.notebooks import FOLDER, demo_server, notebooks
from tests.only_loopback import environment, tried

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: What the stories do at length, and how much of it does here.
SHORTER = {"03_watch_a_large_order": {"range(300)": "range(48)"}}
#: Seconds after which a cell counts as stuck; the whole of the first notebook is to be done in a minute.
STUCK, FIRST, A_MINUTE = 280, "01_first_order", 60


@pytest.fixture(scope="module")
def server(tmp_path_factory, demo):
    server = demo_server(tmp_path_factory.mktemp("notebooks"), demo)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def cache(tmp_path_factory, demo):
    """A cache folder in which the demo archive has been drawn already."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "oseo_lab").mkdir()
    (folder / "oseo_lab" / "demo").symlink_to(demo)
    return folder


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook, server, cache, tmp_path, record_property):
    text = notebook.read_text(encoding="utf-8")
    for long, short in SHORTER.get(notebook.stem, {}).items():
        assert long in text
        text = text.replace(long, short)
    copy = tmp_path / notebook.name
    copy.write_text(text, encoding="utf-8")
    alone = environment(tmp_path / "alone")
    surroundings = {
        "OSEO_LAB_URL": server.url,
        "OSEO_LAB_TOKEN": TOKEN,
        "XDG_CACHE_HOME": str(cache),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    stuck = A_MINUTE if notebook.stem == FIRST else STUCK
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbmake",
        f"--nbmake-timeout={stuck}",
        "-q",
        "-p",
        "no:xdist",
    ]
    began = time.monotonic()
    done = subprocess.run(
        [*command, copy, "--rootdir", tmp_path],
        cwd=tmp_path,
        env=os.environ | alone | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    record_property("seconds", seconds := round(time.monotonic() - began, 1))
    print(f"{notebook.stem} took {seconds} s, its kernel's and nbmake's starts included")
    assert done.returncode == 0, done.stdout[-3000:]
    assert tried(tmp_path / "alone") == []


@pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)
def test_a_notebook_as_it_is_kept_tells_its_story_and_names_no_machine(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [each for cell in cells for each in cell.get("outputs", ())]
    kinds = {kind for each in outputs for kind in each.get("data", ())}
    assert {"text/html", "image/png", "image/jpeg"} & kinds
    assert not [kind for kind in kinds if "widget-view" in kind]
    told = json.dumps(outputs)
    assert not re.search(r"/(home|root|Users|private|pytest-of)[/-]", told)
    assert not re.search(rf"{TOKEN}|whsec_|oseo/files/[^\"\s]*\?|oseo/shared/[\w-]", told)
    assert all(len(each.get("traceback", ())) <= 2 for each in outputs)
