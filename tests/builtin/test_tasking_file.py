"""The tasking file: what it says, when it is read again, what is refused at start."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.plugins import load
from oseo_lab.ports import Acquisition, AcquisitionState
from oseo_lab.wiring import read_collections

FILE = load("tasking", "file")
SAID = """
[requests."urn:1"]
state = "Acquired"
product = "SAR_1"
text = "at last"
[requests."urn:2"]
state = "failed"
"""


def ask(plugin):
    return plugin(["urn:1", "urn:2", "urn:3"])


def test_each_request_is_answered_and_others_still_wait(tmp_path):
    (tmp_path / "tasks.toml").write_text(SAID)
    assert ask(FILE("radar", {"href": str(tmp_path / "tasks.toml")})) == {
        "urn:1": Acquisition(
            state=AcquisitionState.ACQUIRED,
            product=ProductId(identifier="SAR_1", collection_id="radar"),
            text="at last",
        ),
        "urn:2": Acquisition(state=AcquisitionState.FAILED),
    }


def test_it_is_read_again_when_it_has_changed_only(tmp_path, monkeypatch):
    path = tmp_path / "tasks.json"
    plugin = FILE("radar", {"href": str(path)})
    assert ask(plugin) == {}
    path.write_text('{"urn:2": {"state": "waiting"}}')
    os.utime(path, ns=(1, 1))
    assert set(ask(plugin)) == {"urn:2"}
    read = []
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: read.append(1) or "{}")
    ask(plugin)
    assert not read
    os.utime(path, ns=(2, 2))
    assert ask(plugin) == {} and read


@pytest.mark.parametrize("key", ["product", "text"])
def test_an_entry_that_nobody_can_write_down_keeps_nobody_from_the_others(tmp_path, caplog, key):
    entry = {"state": "acquired", "product": "SAR_1", "text": "at last"} | {key: "half a pair \ud800"}
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps({"urn:1": entry, "urn:2": {"state": "failed"}}))
    assert set(ask(FILE("radar", {"href": str(path)}))) == {"urn:2"} and "'urn:1'" in caplog.text


def test_garbage_keeps_what_was_said(tmp_path, caplog):
    path = tmp_path / "tasks.json"
    path.write_text('{"urn:2": {"state": "failed"}}')
    plugin = FILE("radar", {"href": str(path)})
    ask(plugin)
    path.write_text('{"urn:2": ')
    assert set(ask(plugin)) == {"urn:2"} and "cannot be read" in caplog.text


def test_a_file_that_is_gone_leaves_everybody_waiting(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text('{"urn:2": {"state": "failed"}}')
    plugin = FILE("radar", {"href": str(path)})
    ask(plugin)
    path.unlink()
    assert ask(plugin) == {}


@pytest.mark.parametrize(
    ("tables", "text"),
    [
        (
            '[tasking]\npattern = "urn:.*"\nuse = "file"\nhref = "tasks.xml"\n',
            "must name a .json or .toml file",
        ),
        ('[tasking]\npattern = "urn:.*"\nuse = "none"\nhref = "tasks.json"\n', "there is no tasking 'none'"),
        ("[subscription]\n[provider_service]\nhref = 'https://example.org/oseo'\n", "product orders only"),
    ],
)
def test_what_is_wrong_is_said_at_start(tmp_path, tables, text):
    provider = 'provider = "AWAY"\n' if "provider_service" in tables else ""
    head = f'id = "radar"\n{provider}[catalogue]\nuse = "folder"\nhref = "."\n'
    (tmp_path / "radar.toml").write_text(head + tables)
    with pytest.raises(ConfigurationError, match=text):
        read_collections(tmp_path)
