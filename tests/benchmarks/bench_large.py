"""An order of ten thousand items: read and checked, accepted by a live service, and its status told.

Floors, in the same run: libxml2's bare parse of the same bytes, for the CPU of reading them; and for the
memory of the service the bounds that were promised. CPU is that of a process forked for each measurement,
so that ours and the floor both begin with an empty heap; medians, in turn. Memory is the highest resident
size (``VmHWM``) of ``oseo-lab serve`` while it works, beside what it is before.
"""

from __future__ import annotations

import os
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from lxml import etree

from oseo_lab.encoding import json_form, oseo, soap
from oseo_lab.encoding.json_form import complete, read_collection
from oseo_lab.model.collection import Collection
from oseo_lab.model.delivery import DeliveryOptions, OnlineDataAccess, Protocol
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import (
    DescribeResultAccess,
    FilteringCriteria,
    GetStatus,
    Presentation,
    Submit,
    SubmitAck,
)
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification, ResultFile
from oseo_lab.operations import Context, Service
from oseo_lab.operations.checking import check_specification
from oseo_lab.store import open_store
from tests.acceptance.serving import TOKEN, Server
from tests.benchmarks import Row
from tests.benchmarks.bench_messages import indented, official

COUNT = 10_000
ROUNDS = 7
#: Megabytes a service may have in memory while it accepts such an order; and more than before, to tell of it.
ACCEPTED_IN, TOLD_IN = 400.0, 32.0
#: What makes the order nearly as large as a service takes messages by default, 16 MiB.
LONG_REMARK = "for the comparison of the two harvests; " * 19
V12 = soap.SoapVersion.V12
COLLECTION = """
id = "large"
title = "Nothing at all"
[processor]
use = "floors_of_bench_http:NOTHING"
[catalogue]
use = "floors_of_bench_http:Everything"
href = "."
[products]
pattern = "EN1-[0-9]{20}\\\\.XI"
[[options]]
name = "processingLevel"
kind = "Category"
allowed = ["1A", "1B"]
[[options]]
name = "productType"
kind = "Category"
allowed = ["ASA_IMS_1P", "ASA_IMG_1P"]
[[options]]
name = "qualityOfService"
kind = "Category"
allowed = ["STANDARD", "NRT"]
default = "STANDARD"
"""


def item(number: int, remark: str = "for the comparison of the two harvests") -> ItemSpecification:
    """Return an item that the collection takes, with about as much in it as the official sample has."""
    return ItemSpecification(
        item_id=f"item_{number:05}",
        identifier=ProductId(identifier=f"EN1-{number:020}.XI", collection_id="large"),
        product_order_options_id="standard",
        remark=f"the scene of day {number}, {remark}",
        options=(
            ParameterData(
                values=(
                    ("processingLevel", "1B"),
                    ("productType", ("ASA_IMS_1P", "ASA_IMG_1P")[number % 2]),
                    ("qualityOfService", "STANDARD"),
                )
            ),
        ),
        delivery_options=DeliveryOptions(delivery=OnlineDataAccess(protocol=Protocol.HTTP)),
    )


def submit(*remark: str) -> Submit:
    """Return the order."""
    items = tuple(item(number, *remark) for number in range(1, COUNT + 1))
    return Submit(specification=OrderSpecification(order_reference="large", items=items))


# --- reading, checking ------------------------------------------------------------------------------------


def forked(function: Callable[[], object]) -> float:
    """Return the CPU time of a call in a process of its own, milliseconds, freeing what it made included."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            start = time.thread_time_ns()
            function()
            os.write(write, struct.pack("q", time.thread_time_ns() - start))
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    taken = os.read(read, 8)
    os.close(read)
    if len(taken) < 8:
        raise RuntimeError("what is measured failed")
    return struct.unpack("q", taken)[0] / 1e6


def medians(*functions: Callable[[], object]) -> list[float]:
    """Return the median CPU time of each, called in turn."""
    rounds = [[forked(each) for each in functions] for _ in range(ROUNDS)]
    return [statistics.median(taken) for taken in zip(*rounds, strict=True)]


def context_of(collection: Collection) -> Context:
    """Return surroundings in which an order is checked."""
    return Context(
        owner="bench",
        store=None,  # type: ignore[arg-type]  # checking an order reads nothing
        collections={collection.id: collection},
        service=Service(),
        wake=lambda: None,
        now=lambda: datetime.now(UTC),
        url="http://localhost/oseo/",
        link=lambda *_: "",
    )


def reading_rows() -> Iterator[Row]:
    """Measure the CPU of bytes to a checked order."""
    sys.path.insert(0, str(Path(__file__).parent))
    from floors_of_bench_http import NOTHING

    file = read_collection(COLLECTION, folder=Path(tempfile.gettempdir()))
    context = context_of(complete(file, NOTHING.options))
    ours = soap.request_envelope(indented(oseo.encode_request(submit())), V12)
    sample = official(COUNT)
    bodies = (
        {"our": ours} if sample is None else {"official": soap.request_envelope(sample, V12), "our": ours}
    )
    for whose, body in bodies.items():
        floor, read = medians(
            lambda body=body: etree.fromstring(body),
            lambda body=body: oseo.decode_request(soap.open_envelope(body).payload),
        )
        what = f"{whose} Submit x {COUNT}, {len(body) / 1e6:.1f} MB: bytes to checked message / bare parse"
        yield Row(what=what, ours=read, floor=floor, unit="ms CPU", target=3.0)
    floor, checked = medians(
        lambda: etree.fromstring(ours),
        lambda: check_specification(
            oseo.decode_request(soap.open_envelope(ours).payload).specification, context
        ),
    )
    what = f"our Submit x {COUNT}: the same, and against its collection"
    yield Row(what=what, ours=checked, floor=floor, unit="ms CPU", target=3.0, note="three options an item")


# --- a live service ---------------------------------------------------------------------------------------


class Memory:
    """The resident memory of a process, megabytes."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")

    def _said(self, name: str) -> float:
        lines = (self._folder / "status").read_text().splitlines()
        return next(int(each.split()[1]) for each in lines if each.startswith(name)) / 1024

    def now(self) -> float:
        """Return what it is now."""
        return self._said("VmRSS:")

    def highest(self) -> float:
        """Return the most it was since `begin`."""
        return self._said("VmHWM:")

    def begin(self) -> float:
        """Forget the most it was; return what it is now."""
        (self._folder / "clear_refs").write_text("5")
        return self.now()


def live_rows(folder: Path) -> Iterator[Row]:
    """Measure a service of its own: accepting the order, telling of it at both doors."""
    (folder / "collections").mkdir()
    (folder / "collections" / "large.toml").write_text(COLLECTION)
    (folder / "data").mkdir()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    server = Server(
        folder / "data", collections=folder / "collections", executor="inline", dispatch="false"
    ).start()
    try:
        client = httpx.Client(headers={"Authorization": f"token {TOKEN}"}, timeout=120)
        memory = Memory(server.process.pid)
        large = oseo.encode_request(submit(LONG_REMARK))
        ask = soap.request_envelope(indented(large), V12, message_id="urn:uuid:large")
        few = Submit(specification=OrderSpecification(items=(item(1),)))
        post(client, server.soap, soap.request_envelope(oseo.encode_request(few), V12))
        order_id, accepted = accepting(client, server, memory, ask)
        yield accepted
        server.stop()  # so that no memory is there already, freed, when the order is told of
        server.start()
        memory = Memory(server.process.pid)
        post(
            client, server.soap, soap.request_envelope(oseo.encode_request(GetStatus(order_id=order_id)), V12)
        )
        yield from telling(client, server, memory, order_id)
    finally:
        server.stop()


def post(client: httpx.Client, url: str, body: bytes) -> bytes:
    """Send a SOAP message; return the answer."""
    answer = client.post(url, content=body, headers={"Content-Type": "application/soap+xml"})
    return answer.raise_for_status().content


def accepting(client: httpx.Client, server: Server, memory: Memory, body: bytes) -> tuple[str, Row]:
    """Submit the order."""
    before = memory.begin()
    start = time.perf_counter()
    answer = oseo.decode_response(soap.open_envelope(post(client, server.soap, body)).payload)
    taken = time.perf_counter() - start
    assert isinstance(answer, SubmitAck)
    return answer.order_id, Row(
        what=f"Submit x {COUNT}, {len(body) / 1e6:.1f} MB, accepted: highest RSS / what was promised",
        ours=memory.highest(),
        floor=ACCEPTED_IN,
        unit="MB",
        target=1.0,
        note=f"{before:.0f} MB before; in {taken:.1f} s",
    )


def telling(client: httpx.Client, server: Server, memory: Memory, order_id: str) -> Iterator[Row]:
    """Ask for its full status at both doors."""
    message = GetStatus(order_id=order_id, presentation=Presentation.FULL)
    search = GetStatus(filtering_criteria=FilteringCriteria(), presentation=Presentation.FULL)
    asked: list[tuple[str, Callable[[], Any]]] = [
        (
            f"{door}, {how}",
            lambda url=url, content=content, kind=kind: client.stream(
                "POST", url, content=content, headers={"Content-Type": kind}
            ),
        )
        for how, each in (("by id", message), ("by search", search))
        for door, url, kind, content in (
            (
                "SOAP",
                server.soap,
                "application/soap+xml",
                soap.request_envelope(oseo.encode_request(each), V12),
            ),
            (
                "JSON",
                f"{server.url}oseo/api/v1/operations/GetStatus",
                "application/json",
                json_form.encode(each),
            ),
        )
    ]
    for door, call in asked:
        yield told(f"GetStatus full x {COUNT}, {door}", call, memory)
    deliver(server, order_id)
    where = soap.request_envelope(oseo.encode_request(DescribeResultAccess(order_id=order_id)), V12)
    headers = {"Content-Type": "application/soap+xml"}
    yield told(
        f"DescribeResultAccess x {COUNT}",
        lambda: client.stream("POST", server.soap, content=where, headers=headers),
        memory,
    )


def deliver(server: Server, order_id: str) -> None:
    """Let each item have a file, as far as the store knows."""
    files = [
        ResultFile(
            order_id=order_id,
            number=number,
            attempt=1,
            name=f"scene_{number}.tif",
            size=1000,
            sha256="ab" * 32,
            media_type="image/tiff",
            is_data=True,
        )
        for number in range(1, COUNT + 1)
    ]
    store = open_store(f"sqlite:///{server.data_dir / 'orders.sqlite'}")
    store.write(lambda work: work.results.add(files))
    store.close()


def told(what: str, call: Callable[[], Any], memory: Memory) -> Row:
    """Read one answer as it comes."""
    before = memory.begin()
    start = time.perf_counter()
    with call() as answer:
        size = sum(len(each) for each in answer.raise_for_status().iter_raw())
    taken = time.perf_counter() - start
    return Row(
        what=f"{what}, {size / 1e6:.1f} MB: RSS beyond what was before / promised",
        ours=memory.highest() - before,
        floor=TOLD_IN,
        unit="MB",
        target=1.0,
        note=f"{before:.0f} MB before; {size / 1e6 / taken:.1f} MB/s",
    )


def run() -> list[Row]:
    """Measure reading, accepting and telling."""
    with tempfile.TemporaryDirectory(prefix="oseo-bench-") as folder:
        return [*reading_rows(), *live_rows(Path(folder))]
