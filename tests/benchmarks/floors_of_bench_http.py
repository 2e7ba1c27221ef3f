"""What the HTTP benchmarks are measured against, as an extension of the very same Jupyter Server.

`ConstantHandler` answers bytes it has; `ComposedHandler` takes a Submit as directly as can be: lxml, a few
tuples, sqlite3 with grouped durable commits. Also a processor and a catalogue that cost nothing.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from lxml import etree
from tornado import web

from oseo_lab.model.job import CatalogueItem, ItemJob, Product

OSEO = "{http://www.opengis.net/oseo/1.0}"
SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
    '<s:Body><SubmitAck xmlns="http://www.opengis.net/oseo/1.0"><status>success</status><orderId>{}</orderId>'
    "</SubmitAck></s:Body></s:Envelope>"
)


class ConstantHandler(JupyterHandler):
    """As many bytes as the path says."""

    @web.authenticated
    async def post(self, size: str) -> None:
        self.set_header("Content-Type", "application/soap+xml; charset=utf-8")
        self.finish(self.settings["floor_bytes"].setdefault(size, b"x" * int(size)))


class Writer(threading.Thread):
    """The one writer: what is queued while it commits goes into the next commit together."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.queue: queue.SimpleQueue[tuple[Any, Any, Any]] = queue.SimpleQueue()
        self.path = path

    def run(self) -> None:
        database = sqlite3.connect(self.path, isolation_level=None)
        database.executescript(
            "pragma journal_mode=wal; pragma synchronous=full;"
            "create table orders (id text primary key, owner text, reference text, status text, made text);"
            "create table items (order_id text, number int, item_id text, product text, collection text,"
            " rest text, status text, primary key (order_id, number)) without rowid;"
            "create table events (id integer primary key, order_id text, number int, status text, at text);"
        )
        while True:
            batch = [self.queue.get()]
            while not self.queue.empty():
                batch.append(self.queue.get())
            database.execute("begin immediate")
            for order, items, _ in batch:
                database.execute("insert into orders values (?, ?, ?, ?, ?)", order)
                database.executemany("insert into items values (?, ?, ?, ?, ?, ?, ?)", items)
                rows = [(order[0], number, "Accepted", order[4]) for number in range(len(items) + 1)]
                database.executemany(
                    "insert into events (order_id, number, status, at) values (?, ?, ?, ?)", rows
                )
            database.execute("commit")
            for _, _, done in batch:
                done()


class ComposedHandler(JupyterHandler):
    """A Submit, parsed, kept and acknowledged."""

    @web.authenticated
    async def post(self) -> None:
        specification = (
            etree.fromstring(self.request.body).find(f"{SOAP}Body")[0].find(f"{OSEO}orderSpecification")
        )
        order_id, now = uuid.uuid4().urn, datetime.now(UTC).isoformat()
        reference = specification.findtext(f"{OSEO}orderReference")
        items = []
        for number, item in enumerate(specification.iterfind(f"{OSEO}orderItem"), start=1):
            product = item.find(f"{OSEO}productId")
            parts = [item.find(f"{OSEO}{name}") for name in ("orderItemRemark", "deliveryOptions")]
            items.append(
                (
                    order_id,
                    number,
                    item.findtext(f"{OSEO}itemId"),
                    product.findtext(f"{OSEO}identifier"),
                    product.findtext(f"{OSEO}collectionId"),
                    b"".join(etree.tostring(each) for each in parts if each is not None).decode(),
                    "Accepted",
                )
            )
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()
        self.settings["floor_writer"].queue.put(
            (
                (order_id, self.current_user.username, reference, "Accepted", now),
                items,
                lambda: loop.call_soon_threadsafe(durable.set_result, None),
            )
        )
        await durable
        self.set_header("Content-Type", "application/soap+xml; charset=utf-8")
        self.finish(ANSWER.format(order_id))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "floors_of_bench_http"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    application = serverapp.web_app
    writer = Writer(Path(serverapp.root_dir) / "floor.sqlite")
    writer.start()
    application.settings.update(floor_writer=writer, floor_bytes={})
    base = application.settings["base_url"]
    application.add_handlers(
        ".*$",
        [
            (url_path_join(base, r"floor/constant/(\d+)"), ConstantHandler),
            (url_path_join(base, "floor/submit"), ComposedHandler),
        ],
    )


class Nothing:
    """Makes a small file."""

    options = ()
    scene_options = ()

    def __call__(self, item: ItemJob, inputs: Any, workspace: Any) -> list[Product]:
        path = workspace.path("data.bin")
        path.write_bytes(b"done")
        return [Product(path=str(path), name="data.bin", media_type="application/octet-stream")]


NOTHING = Nothing()


class Everything:
    """Finds every identifier."""

    def __init__(self, collection_id: str, settings: object) -> None:
        self.collection_id = collection_id

    def find(self, identifiers: Sequence[str]) -> dict[str, CatalogueItem]:
        return {
            each: CatalogueItem(identifier=each, collection_id=self.collection_id) for each in identifiers
        }
