"""``oseo-lab doctor``: what is installed, configured and running here, and what to do where it is not."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import typer

from oseo_lab.cli.operator import DataDir, operator_settings
from oseo_lab.cli.output import FAILED, AsJson, Token, Url, print_json
from oseo_lab.model.errors import OseoError

if TYPE_CHECKING:
    from oseo_lab.settings import Settings

__all__ = ["doctor"]

#: Below this much free space a service will soon be in trouble, bytes.
_LITTLE = 2_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at: good, bad, or merely absent (None), and what there is to say."""

    what: str
    good: bool | None
    text: str


def doctor(data_dir: DataDir = None, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Look at installation, configuration and running servers; exit 1 if something is wrong."""
    found = list(_installed())
    settings = _settled(found, data_dir)
    if settings is not None:
        for look in (_data_dir, _database, _collections, _mail):
            found.append(_looked(look, settings))
    found.append(_server(url, token))
    if as_json:
        print_json([{"what": each.what, "good": each.good, "text": each.text} for each in found])
    else:
        marks = {True: "ok  ", False: "BAD ", None: "-   "}
        for each in found:
            print(f"{marks[each.good]} {each.what}: {each.text}")
    if any(each.good is False for each in found):
        raise typer.Exit(FAILED)


def _installed() -> Iterator[Finding]:
    yield Finding("oseo-lab", True, f"{version('oseo-lab')}, Python {sys.version.split()[0]}")
    for extra, module, gives in (
        ("xarray", "rioxarray", "to_xarray()"),
        ("notebook", "anywidget", "cards, forms and maps in notebooks"),
        ("s3", "s3fs", "results in object stores"),
        ("postgres", "psycopg", "PostgreSQL"),
    ):
        has = importlib.util.find_spec(module) is not None
        text = "installed" if has else f"not installed, so no {gives}: pip install 'oseo-lab[{extra}]'"
        yield Finding(f"extra {extra}", True if has else None, text)


def _settled(found: list[Finding], data_dir: DataDir) -> Settings | None:
    try:
        return operator_settings(data_dir)
    except (OseoError, ValueError) as wrong:
        found.append(Finding("configuration", False, str(wrong)))
        return None


def _looked(look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return look(settings)
    except (OseoError, OSError) as wrong:
        return Finding(look.__name__.strip("_").replace("_", " "), False, str(wrong))


def _data_dir(settings: Settings) -> Finding:
    place = settings.data_dir
    if not place.exists():
        return Finding("data folder", None, f"{place} is not there yet; the service makes it")
    if not os.access(place, os.W_OK):
        return Finding("data folder", False, f"{place} cannot be written by this user")
    free = shutil.disk_usage(place).free
    text = f"{place}, {free / 1e9:.1f} GB free"
    return Finding("data folder", free > _LITTLE, text if free > _LITTLE else f"{text}: too little")


def _database(settings: Settings) -> Finding:
    from oseo_lab.store import open_store
    from oseo_lab.wiring import database_url

    url = database_url(settings)
    if url.startswith("sqlite") and not (settings.data_dir / "orders.sqlite").exists():
        return Finding("order store", None, "not there yet; the service makes it")
    opened = open_store(url, migrate=False)
    try:
        with opened.read() as snapshot:
            return Finding("order store", True, f"answers; {snapshot.events.last_id()} status changes so far")
    finally:
        opened.close()


def _collections(settings: Settings) -> Finding:
    from oseo_lab.wiring import read_collections

    if settings.collections is None:
        return Finding("collections", None, "none configured: c.OseoLab.collections or OSEO_LAB_COLLECTIONS")
    found = read_collections(settings.collections)
    return Finding("collections", bool(found), f"{', '.join(found) or 'none'} in {settings.collections}")


def _mail(settings: Settings) -> Finding:
    from oseo_lab.plugins import load
    from oseo_lab.ports import ProcessingFailed
    from oseo_lab.settings import SMTP

    if not settings.smtp_host:
        return Finding("mail", None, "no mail server is named (c.OseoLab.smtp_host): nobody is told by mail")
    server = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        load("notifier", "email")({name: getattr(settings, name) for name in SMTP}).check()
    except ProcessingFailed as failed:
        return Finding("mail", False, f"{server}: {failed.detail or failed.reason}")
    return Finding("mail", True, f"{server} takes mail from {settings.smtp_from}")


def _server(url: str | None, token: str | None) -> Finding:
    from oseo_lab.client.connecting import connect
    from oseo_lab.model.errors import ConfigurationError

    try:
        with connect(url, token) as lab:
            names = ", ".join(lab.collections) or "no collections"
            return Finding("server", True, f"{lab.transport.url} answers, orders of {lab.owner}: {names}")
    except ConfigurationError as none:
        return Finding("server", None, str(none))
    except OseoError as wrong:
        return Finding("server", False, str(wrong))
