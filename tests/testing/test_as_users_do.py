"""The examples of the documentation, run as a user's own tests: in a pytest of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import oseo_lab.testing

PREAMBLE = """
import oseo_lab as oseo

def my_report(order):
    return "\\n".join(f"{each.item_id}: {each.text}" for each in failures(order))

def failures(order):
    try:
        order.wait(check=True, progress=False)
    except oseo.OrderFailed as failed:
        return failed.problems
    return ()

def my_script():
    with oseo.connect() as lab:
        return lab.order(lab.search("test-scenes")[:3]).submit()

"""


def examples() -> str:
    """The tests in the documentation of the package."""
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", oseo_lab.testing.__doc__ or "")
    return "\n".join(dedent(each) for each in blocks if "def test_" in each)


def test_the_documented_examples_pass(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["oseo_lab.testing"]\n')
    (tmp_path / "test_mine.py").write_text(PREAMBLE + examples())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
