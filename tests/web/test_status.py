"""Answers longer than memory should hold: sent while they are read, to readers of every kind."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import V11, V12, Server, envelope, opened, running

from oseo_lab.encoding import json_form, oseo, soap
from oseo_lab.model.errors import Unavailable
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import FilteringCriteria, GetStatus, GetStatusResponse, Presentation, Submit
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.settings import Settings
from oseo_lab.store import open_store
from oseo_lab.web.state import LONG_ANSWERS, LONG_ANSWERS_OF_ONE, LONGEST, State

#: Items with so long remarks that no kernel's buffers hold the answer.
COUNT = 10_000
REMARK = "what a long answer is made of " * 40
IMPATIENT = """
import oseo_lab.web.status
oseo_lab.web.status.StatusHandler.patience = 0.3
"""


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits a moment only for readers that take nothing."""
    with running(tmp_path_factory.mktemp("long"), config=IMPATIENT) as started:
        yield started


@pytest.fixture(scope="module")
def order_id(long_server: Server) -> str:
    """A large order."""
    items = tuple(
        ItemSpecification(
            item_id=str(number),
            identifier=ProductId(identifier=f"P{number}", collection_id="things"),
            remark=REMARK,
        )
        for number in range(1, COUNT + 1)
    )
    message = Submit(specification=OrderSpecification(order_reference="large", items=items))
    answer = httpx.post(
        f"{long_server.api}/orders", content=json_form.encode(message), headers=long_server.token, timeout=60
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["order_id"]


@pytest.fixture(scope="module")
def whole(long_server: Server, order_id: str) -> GetStatusResponse:
    """The order as the store has it."""
    store = open_store(f"sqlite:///{long_server.data_dir / 'orders.sqlite'}")
    with store.read() as snapshot:
        order = snapshot.orders.get(order_id)
        items = tuple(snapshot.items.of(order_id))
    store.close()
    assert order is not None
    return GetStatusResponse(orders=(replace(order, items=items),))


def full(order_id: str) -> GetStatus:
    return GetStatus(order_id=order_id, presentation=Presentation.FULL)


@pytest.mark.parametrize("version", [V11, V12])
def test_a_long_answer_is_the_whole_one_in_its_envelope(
    long_server: Server, order_id: str, whole: GetStatusResponse, version: Any
) -> None:
    answer = httpx.post(
        long_server.soap,
        content=envelope(full(order_id), version, message_id="urn:m:1"),
        headers={"Content-Type": soap.content_type(version), **long_server.token},
        timeout=60,
    )
    expected = soap.close_envelope(oseo.encode_response(whole), version, relates_to="urn:m:1")
    assert answer.headers["Content-Type"] == soap.content_type(version)
    assert "Content-Length" not in answer.headers
    assert len(answer.content) > LONGEST
    assert answer.content == expected
    assert opened(answer).orders[0].order_id == order_id


@pytest.mark.parametrize("path", ["orders/{}?presentation=full", "operations/GetStatus"])
def test_a_long_answer_as_json_is_the_whole_one(
    long_server: Server, order_id: str, whole: GetStatusResponse, path: str
) -> None:
    url = f"{long_server.api}/{path.format(order_id)}"
    if "{}" in path:
        answer, expected = httpx.get(url, headers=long_server.token, timeout=60), whole.orders[0]
    else:
        answer = httpx.post(
            url, content=json_form.encode(full(order_id)), headers=long_server.token, timeout=60
        )
        expected = whole
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content) == json_form.to_plain(expected)
    assert answer.content == json_form.encode(expected)


def test_a_search_for_all_orders_with_their_items_is_answered_in_parts(
    long_server: Server, order_id: str
) -> None:
    search = GetStatus(filtering_criteria=FilteringCriteria(), presentation=Presentation.FULL)
    answer = httpx.post(
        long_server.soap,
        content=envelope(search),
        headers={"Content-Type": soap.content_type(V12), **long_server.token},
        timeout=60,
    )
    assert "Content-Length" not in answer.headers
    [found] = [each for each in opened(answer).orders if each.order_id == order_id]
    assert len(found.items) == COUNT


def ask(server: Server, order_id: str, version: str = "1.1", takes: int = 4096) -> socket.socket:
    """Ask for the long answer on a connection that takes so many bytes at a time."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
    connection.connect(server.address)
    path = httpx.URL(f"{server.api}/orders/{order_id}?presentation=full")
    head = f"GET {path.raw_path.decode()} HTTP/{version}\r\nHost: {path.netloc.decode()}\r\n"
    more = f"Authorization: {server.token['Authorization']}\r\nConnection: keep-alive\r\n\r\n"
    connection.sendall(f"{head}{more}".encode())
    return connection


def test_who_knows_no_parts_is_told_the_end_by_closing(
    long_server: Server, order_id: str, whole: GetStatusResponse
) -> None:
    with ask(long_server, order_id, version="1.0", takes=1 << 20) as reader, reader.makefile("rb") as stream:
        head, _, body = stream.read().partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == json_form.encode(whole.orders[0])


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_read(folder: Path) -> bool:
    """Whether somebody reads an older moment of the store: then its log cannot be emptied."""
    with closing(sqlite3.connect(folder / "orders.sqlite", timeout=0, isolation_level=None)) as connection:
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


def submit_one(server: Server) -> None:
    """Write something, so that what is read meanwhile is an older moment."""
    item = ItemSpecification(item_id="1", identifier=ProductId(identifier="P1", collection_id="things"))
    message = Submit(specification=OrderSpecification(items=(item,)))
    answer = httpx.post(f"{server.api}/orders", content=json_form.encode(message), headers=server.token)
    assert answer.status_code == 201


def test_a_reader_that_leaves_lets_the_snapshot_go(long_server: Server, order_id: str) -> None:
    with ask(long_server, order_id) as reader:
        assert reader.recv(1000).startswith(b"HTTP/1.1 200")
        submit_one(long_server)
        assert is_read(long_server.data_dir)
    wait_for(lambda: not is_read(long_server.data_dir))


def test_a_reader_that_takes_nothing_is_left_and_others_are_answered_meanwhile(
    long_server: Server, order_id: str
) -> None:
    readers = [ask(long_server, order_id) for _ in range(6)]
    heads = [reader.recv(1000) for reader in readers]
    submit_one(long_server)
    refused = [each for each in heads if each.startswith(b"HTTP/1.1 503")]
    assert len(refused) <= 2
    assert all(each.startswith(b"HTTP/1.1 200") or each in refused for each in heads)
    wait_for(lambda: not is_read(long_server.data_dir))
    for head, reader in zip(heads, readers, strict=True):
        with reader:
            if head not in refused:
                assert not rest_of(reader).endswith(b"0\r\n\r\n"), "a part is not taken for the whole"


def rest_of(reader: socket.socket) -> bytes:
    reader.settimeout(30)
    taken = b""
    with suppress(ConnectionResetError):
        while chunk := reader.recv(1 << 16):
            taken = (taken + chunk)[-100:]
    return taken


def test_one_owner_has_a_few_long_answers_at_a_time() -> None:
    state = State(Settings(data_dir=Path("unused")))
    with ExitStack() as reading:
        for _ in range(LONG_ANSWERS_OF_ONE):
            reading.enter_context(state.reading_long("anna"))
        with pytest.raises(Unavailable), state.reading_long("anna"):
            pass
        for number in range(LONG_ANSWERS - LONG_ANSWERS_OF_ONE):
            reading.enter_context(state.reading_long(f"owner {number}"))
        with pytest.raises(Unavailable), state.reading_long("zoe"):
            pass
    with state.reading_long("anna"):
        pass
