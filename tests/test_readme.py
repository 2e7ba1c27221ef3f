"""What README shows works as it stands there."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

import oseo_lab as oseo
from oseo_lab.cli import main
from oseo_lab.encoding.json_form import complete, read_collection
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import CatalogueItem, ItemJob
from oseo_lab.plugins import load
from oseo_lab.ports import Inputs
from oseo_lab.production.workspace import JobWorkspace
from tests.acceptance.serving import TOKEN, Server

ROOMS = ("client", "web", "encoding", "operations", "store", "dispatch", "executors", "production", "builtin")
README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def block(language: str, holding: str) -> str:
    """Return README's one code block of a language that holds a text."""
    (found,) = [each for each in re.findall(rf"```{language}\n(.*?)```", README, re.S) if holding in each]
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory, demo):
    """A service with the demo collections, as README starts it, and one whose orders a person approves."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(demo, folder / "made", copy_function=os.link)
    text = (folder / "made" / "demo-dem.toml").read_text().replace("automatic = true", "automatic = false")
    (folder / "made" / "asked-dem.toml").write_text(text.replace('id = "demo-dem"', 'id = "asked-dem"'))
    server = Server(folder, collections=folder / "made").start()
    yield server
    server.stop()


def test_the_examples_of_the_client_run_one_after_the_other(server, tmp_path, monkeypatch):
    monkeypatch.setenv("OSEO_LAB_URL", server.url)
    monkeypatch.setenv("OSEO_LAB_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(block("python", "lab = oseo.connect()"), names)
    assert names["cube"].sizes["time"] == len(names["scenes"]) - 1
    assert "damaged" in "".join(names["order"].failed.reasons.values())
    assert names["lab"].orders["lake"].id == names["order"].id
    exec(block("python", "lab.subscribe"), names)
    names["watch"].cancel()
    elsewhere = block("python", "far = oseo.connect").replace(
        "https://archive.example.org/oseo/", server.soap
    )
    exec(elsewhere.replace('username="anna", password="…"', f"token={TOKEN!r}"), names)
    assert names["far"].orders.latest().succeeded


def commands() -> list[list[str]]:
    """Return the operator's commands, without those that keep running."""
    lines = [
        line for line in block("console", "oseo-lab serve").splitlines() if line.startswith("$ oseo-lab")
    ]
    words = [shlex.split(line.removeprefix("$ oseo-lab"), comments=True) for line in lines]
    return [each for each in words if each[0] != "serve"]


def waiting_order() -> str:
    """Submit an order that waits for approval; return its id."""
    with oseo.connect() as lab:
        return lab.search("asked-dem").order().submit().id


@pytest.mark.parametrize("words", commands(), ids=lambda words: " ".join(words[:2]))
def test_the_operators_commands_run(words, server, tmp_path, monkeypatch):
    (tmp_path / "backup").mkdir()
    folder = tmp_path / "srv" / "collections"
    (folder / "landsat").mkdir(parents=True)
    (folder / "landsat.toml").write_text(block("toml", "Landsat"))
    (folder / "landsat" / "catalog.json").write_text("{}")
    (tmp_path / "elsewhere.token").write_text(TOKEN)
    places = {
        "https://elsewhere/oseo/": server.soap,
        "/srv/": f"{tmp_path}/srv/",
        "/backup": f"{tmp_path}/backup",
    }
    for said, here in places.items():
        words = [each.replace(said, here) for each in words]
    if words[0] == "conformance":
        words += ["--only", "T-CAP-1"]
    said = {"DATA_DIR": server.data_dir, "URL": server.url, "TOKEN": TOKEN}
    for name, value in said.items():
        monkeypatch.setenv(f"OSEO_LAB_{name}", str(value))
    if words[:2] == ["desk", "approve"]:
        words[2] = waiting_order()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["oseo-lab", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO("a long enough password\n"))
    try:
        main()
    except SystemExit as ended:
        assert not ended.code


def test_the_processor_of_readme_makes_its_product(tmp_path):
    names: dict[str, object] = {}
    exec(block("python", "class Shout"), names)
    job = ItemJob(
        key="k",
        order_id="urn:uuid:00000000-0000-4000-8000-000000000000",
        number=1,
        attempt=1,
        item_id="a",
        product=ProductId(identifier="P1"),
        collection_id="c",
        options={"tone": "LOUD"},
    )
    inputs = Inputs(item=CatalogueItem(identifier="P1", collection_id="c"), paths={})
    with JobWorkspace(str(tmp_path), "k", progress=lambda _: None, cancelled=lambda: False) as workspace:
        (product,) = names["SHOUT"](job, inputs, workspace)
        assert Path(product.path).read_text() == "P1, LOUD\n"


def test_the_collection_of_readme_is_one(tmp_path):
    text = block("toml", "Landsat")
    (tmp_path / "landsat").mkdir()
    (tmp_path / "landsat" / "catalog.json").write_text("{}")
    assert tomllib.loads(text)["id"] == "landsat"
    processor = load("processor", "raster")
    collection = complete(read_collection(text, folder=tmp_path), processor.options, processor.scene_options)
    (chosen,) = [each for each in collection.options if each.name == "format"]
    assert (chosen.component.allowed, chosen.default) == (("COG", "NetCDF"), "COG")


def test_every_file_that_readme_names_is_there():
    root = Path(__file__).resolve().parents[1]
    tests = re.findall(r"\btests/[\w/.]+", README)
    modules = re.findall(rf"`((?:{'|'.join(ROOMS)})/\w+\.py)`", README)
    assert tests and modules
    missing = [each for each in tests if not (root / each).exists()]
    missing += [each for each in modules if not (root / "oseo_lab" / each).exists()]
    assert missing == []
