"""The house itself: floors hold, and every operation has its message, its codec and its test."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from oseo_lab.encoding.notifications_xml import NAMESPACE, REQUESTS
from oseo_lab.encoding.oseo import CODECS
from oseo_lab.model import messages, notifications
from oseo_lab.operations import OPERATIONS
from oseo_lab.operations.get_capabilities import NAMES

ROOT = Path(__file__).resolve().parents[1]


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


#: WS-Notification's two operations: announced by the section Notifications, not among the operations.
NOTIFICATION = ("Subscribe", "Unsubscribe")


def lacks(operations, codecs, tests: Path, names=NAMES) -> list[str]:
    """Say what any operation lacks: a message, a codec row, a place in the capabilities, a test."""
    found = []
    for message, operation in operations.items():
        is_notification = operation.name in NOTIFICATION
        home = notifications if is_notification else messages
        if getattr(home, operation.name, None) is not message:
            found.append(f"{operation.name} has no message in {home.__name__}")
        codec = codecs.get(operation.name)
        is_read = f"{{{NAMESPACE}}}{operation.name}" in REQUESTS if is_notification else codec is not None
        if not is_read or (codec is not None and codec.request is not message):
            found.append(f"{operation.name} has no codec in encoding/oseo.py")
        if operation.name not in names and not is_notification:
            found.append(f"{operation.name} is not in the capabilities document")
        test = "subscribe" if is_notification else snake(operation.name)
        if not has_test(tests / "operations" / f"test_{test}.py"):
            found.append(f"{operation.name} has no test in tests/operations")
    known = {operation.name for operation in operations.values()}
    found += [f"{name} is announced but does nothing" for name in {*codecs, *names} - known]
    return found


def has_test(path: Path) -> bool:
    if not path.is_file():
        return False
    tree = ast.parse(path.read_text())
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and any(isinstance(inner, ast.Assert | ast.With) for inner in ast.walk(node))
        for node in ast.walk(tree)
    )


def test_every_operation_has_message_codec_and_test():
    assert lacks(OPERATIONS, CODECS, ROOT / "tests") == []


def test_a_planted_lack_of_each_kind_is_found(tmp_path):
    shutil.copytree(ROOT / "tests" / "operations", tmp_path / "operations")
    (tmp_path / "operations" / "test_cancel.py").write_text("def test_nothing():\n    pass\n")
    message, operation = next(
        (message, operation) for message, operation in OPERATIONS.items() if operation.name == "Submit"
    )
    without_message = {**OPERATIONS, message: replace(operation, name="Order")}
    without_codec = {name: codec for name, codec in CODECS.items() if name != "GetStatus"}
    assert lacks(OPERATIONS, CODECS, tmp_path) == ["Cancel has no test in tests/operations"]
    assert lacks(OPERATIONS, without_codec, ROOT / "tests") == [
        "GetStatus has no codec in encoding/oseo.py",
    ]
    assert "Order has no message in oseo_lab.model.messages" in lacks(without_message, CODECS, ROOT / "tests")
    announced = lacks(OPERATIONS, CODECS, ROOT / "tests", (*NAMES, "OrderPizza"))
    assert announced == ["OrderPizza is announced but does nothing"]


def test_the_floors_hold():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("operations/planted.py", "import oseo_lab.store", "The house is layered"),
        ("encoding/planted.py", "import oseo_lab.dispatch.planner", "The house is layered"),
        ("client/planted.py", "import oseo_lab.plugins", "The notebook side"),
        ("planted_wiring.py", "import oseo_lab.builtin.processor_copy", "What ships in the box"),
        ("builtin/planted.py", "import oseo_lab.settings", "A plugin sees only"),
        ("dispatch/planted.py", "import sqlalchemy", "sqlalchemy has one home"),
        ("web/planted.py", "import distributed", "distributed has one home"),
    ],
)
def test_a_planted_violation_is_caught(tmp_path, file, line, contract):
    shutil.copytree(ROOT / "oseo_lab", tmp_path / "oseo_lab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "oseo_lab" / file).write_text(f'"""Planted."""\n\n{line}\n')
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 1, done.stdout
    broken = [each for each in done.stdout.splitlines() if each.endswith("BROKEN")]
    assert any(each.startswith(contract) for each in broken), done.stdout


def walk_of_readme() -> list[tuple[int, str]]:
    """Return step and file of each row of the README's walk."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    return [(int(step), file) for step, files in rows for file in re.findall(r"`(\w+/\w+\.py)`", files)]


def steps_said(file: str) -> set[int]:
    """Return the steps that a module's docstring says it is."""
    said = ast.get_docstring(ast.parse((ROOT / "oseo_lab" / file).read_text())) or ""
    found = re.search(r"Steps? ([\d to,and]+) of the walk", said)
    steps: set[int] = set()
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", found[1] if found else ""):
        steps.update(range(int(first), int(last or first) + 1))
    return steps


def test_the_walk_can_be_walked():
    """A module that says which step it is says what the README says; the files of the walk are there."""
    walk = walk_of_readme()
    assert [step for step, _ in walk] == sorted(step for step, _ in walk) and len(walk) >= 18
    wrong = [f"step {step}: {file}" for step, file in walk if (said := steps_said(file)) and step not in said]
    assert wrong == []


def test_the_jupyterlab_extension_has_the_projects_version_and_files_that_are_there():
    """JupyterLab lists it by its package.json; what is loaded first must be where that says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folder = ROOT / "oseo_lab" / "widgets" / "labextension"
    package = json.loads((folder / "package.json").read_text())
    assert package["version"] == project["project"]["version"]
    assert package["license"] == project["project"]["license"]
    assert (folder / package["jupyterlab"]["_build"]["load"]).is_file()
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared["oseo_lab/widgets/labextension"] == f"share/jupyter/labextensions/{package['name']}"
