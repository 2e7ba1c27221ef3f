"""A service on which everything is switched on: every order type, every way of quoting, callbacks."""

from __future__ import annotations

import json
from pathlib import Path

from oseo_lab.store import open_store
from oseo_lab.web.credentials import KEY_FILE, make_account
from tests.acceptance.serving import Server
from tests.acceptance.test_walk import write_scene

PASSWORD = "a long enough password"
TASK = "urn:task:everything:1"
SCENES = """
id = "scenes"
title = "Test scenes"
[processor]
use = "raster"
[catalogue]
use = "folder"
href = "scenes"
[products]
pattern = "SCENE_[A-Z]+"
[limits]
items = 40
[subscription]
every = 3600
[tasking]
use = "oseo_lab.builtin.tasking_file:FileTasking"
href = "tasks.json"
pattern = "urn:task:everything:.+"
[quotation]
use = "tariff"
currency = "EUR"
item = 1.5
order = 5
"""
#: Quoted by a program that takes its time, and by a person.
OTHERS = """
id = "{name}"
title = "Scenes quoted otherwise"
[processor]
use = "copy"
[catalogue]
use = "folder"
href = "{name}"
[products]
pattern = "{prefix}_[A-Z]+"
[limits]
items = 40
[quotation]
{quotation}
"""


def write_everything(folder: Path) -> None:
    """Write the collections and their products."""
    collections = folder / "collections"
    others = {
        "slow": ("SLOW", 'use = "tariff"\nitem = 2\nmode = "monitoring"'),
        "off_line": ("RARE", 'use = "by_hand"'),
    }
    for name, prefix in {"scenes": "SCENE", **{each: prefix for each, (prefix, _) in others.items()}}.items():
        (collections / name).mkdir(parents=True)
        for letter in "ABC":
            write_scene(collections / name / f"{prefix}_{letter}.tif", size=64)
    (collections / "scenes.toml").write_text(SCENES)
    (collections / "tasks.json").write_text(json.dumps({TASK: {"state": "waiting"}}))
    for name, (prefix, quotation) in others.items():
        text = OTHERS.format(name=name, prefix=prefix, quotation=quotation)
        (collections / f"{name}.toml").write_text(text)


def write_plain(folder: Path) -> None:
    """Write one collection of product orders alone, and an empty data folder."""
    collections = folder / "collections"
    (collections / "scenes").mkdir(parents=True)
    (folder / "data").mkdir()
    for letter in "ABC":
        write_scene(collections / "scenes" / f"SCENE_{letter}.tif", size=64)
    (collections / "scenes.toml").write_text(SCENES[: SCENES.index("[subscription]")])


def start_everything(folder: Path, **traits: object) -> Server:
    """Start the service in a folder; ``anna`` and ``bob`` have accounts on it."""
    write_everything(folder)
    (folder / "data").mkdir()
    server = Server(
        folder / "data",
        collections=folder / "collections",
        callback_hosts="127.0.0.1",
        sps_url="https://sps.example.org/",
        abstract="Everything there is",
        keywords="orders, tests",
        contact_name="Grace Hopper",
        languages="en",
        **{"executor": "inline", **traits},
    ).start()
    for name in ("anna", "bob"):
        add_account(server, name)
    return server


def add_account(server: Server, name: str) -> None:
    """Give somebody an account, as ``oseo-lab users add --digest`` does."""
    account = make_account(name, PASSWORD, digest=True, key_file=server.data_dir / KEY_FILE)
    store = open_store(server.database, migrate=False)
    store.write(lambda work: work.accounts.save(account))
    store.close()
