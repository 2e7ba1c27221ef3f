"""Live events."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from serving import Server

from oseo_lab.encoding import json_form
from oseo_lab.model.job import Progress
from oseo_lab.model.order import StatusChange, new_order_id
from oseo_lab.model.share import Share
from oseo_lab.model.status import Status
from oseo_lab.web import hub as hub_module
from oseo_lab.web.hub import Hub, Listener, status_message
from oseo_lab.wiring import Services

Event = dict[str, Any]


@contextmanager
def listening(server: Server, client: httpx.Client, **headers: str) -> Iterator[Iterator[Event]]:
    with client.stream(
        "GET", f"{server.api}/events", headers={k.replace("_", "-"): v for k, v in headers.items()}
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Accel-Buffering"] == "no"
        yield events(answer)


def events(answer: httpx.Response) -> Iterator[Event]:
    said: Event = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if not line and "data" in said:
            yield said | {"data": json.loads(said["data"])}
        said = said | {name: value} if line else {}


def test_what_happens_to_an_order_is_heard(
    server: Server, http: httpx.Client, submit: Callable[..., str], finish: Callable[[], None]
):
    with listening(server, http) as heard:
        order_id = f"urn:uuid:{submit('P1')}"
        finish()
        statuses: list[str] = []
        ids: list[int] = []
        for event in heard:
            assert event["event"] == "status"
            ids.append(int(event["id"]))
            change = json_form.from_plain(StatusChange, event["data"])
            if change.order_id == order_id and change.number == 1:
                statuses.append(change.status)
            if statuses[-1:] == [Status.COMPLETED]:
                break
    assert statuses[-2:] == [Status.IN_PRODUCTION, Status.COMPLETED]
    assert ids == sorted(set(ids))


def test_a_listener_resumes_where_it_was(
    server: Server, http: httpx.Client, services: Services, submit: Callable[..., str]
):
    with services.store.read() as snapshot:
        before = snapshot.events.last_id()
    submitted = [f"urn:uuid:{submit()}" for _ in range(3)]
    with services.store.read() as snapshot:
        missed = [each.event_id for each in snapshot.events.after(before)]
    with listening(server, http, Last_Event_ID=str(before)) as heard:
        first = [int(next(heard)["id"]) for _ in missed]
        assert first == missed
        submitted.append(f"urn:uuid:{submit()}")
        assert next(heard)["data"]["order_id"] == submitted[-1]
    with listening(server, http, Last_Event_ID=str(missed[0])) as heard:
        assert int(next(heard)["id"]) == missed[1]


@pytest.mark.usefixtures("accounts")
def test_another_owner_hears_nothing_of_it(server: Server, submit: Callable[..., str], services: Services):
    with services.store.read() as snapshot:
        before = snapshot.events.last_id()
    submit()
    with (
        httpx.Client(auth=("alice", "alice's secret"), timeout=30) as alice,
        listening(server, alice, Last_Event_ID=str(before)) as heard,
    ):
        submit()
        mine = alice.post(
            f"{server.api}/orders",
            content=b'{"specification": {"items": [{"item_id": "a", "identifier": {"identifier": "P1",'
            b' "collection_id": "things"}}]}}',
        )
        assert mine.status_code == 201, mine.text
        assert next(heard)["data"]["order_id"] == mine.json()["order_id"]


@pytest.mark.parametrize("said", ["x", "-1", "1" * 30])
def test_a_strange_id_is_refused(server: Server, http: httpx.Client, said: str):
    answer = http.get(f"{server.api}/events", headers={"Last-Event-ID": said})
    assert answer.status_code == 422 and answer.headers["Content-Type"] == "application/problem+json"


# ---------------------------------------------------------------------------------- the hub by itself


def change(event_id: int, order_id: str, **more: Any) -> StatusChange:
    return StatusChange(
        order_id=order_id,
        number=1,
        status=Status.ACCEPTED,
        at=datetime.now(UTC),
        author="x",
        event_id=event_id,
        **more,
    )


def test_the_operators_detail_is_not_told():
    message = status_message(change(7, new_order_id(), info="for the user", detail="/secret/path"))
    assert message.startswith(b"id: 7\nevent: status\ndata: {") and message.endswith(b"}\n\n")
    assert b"for the user" in message and b"secret" not in message


def test_a_listener_that_does_not_keep_up_hears_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_module, "WAITING", 2)
    listener = Listener("zoe", 0)
    for text in (b"1", b"2", b"3"):
        listener.tell(text)
    assert listener.is_lost
    assert [listener.queue.get_nowait(), listener.queue.get_nowait()] == [b"1", b"2"]
    listener.tell(b"4")
    assert listener.queue.empty()


def test_progress_passes_to_the_orders_owner(services: Services, submit: Callable[..., str], tmp_path: Path):
    order_id = f"urn:uuid:{submit()}"

    async def work(function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.to_thread(function, *arguments)

    async def listen() -> bytes:
        hub = Hub(services.store, work)
        mine, others = await hub.join("local"), await hub.join("somebody")
        progress = Progress(key="k", fraction=0.5, stage="reading")
        await asyncio.to_thread(hub.progress, order_id, 1, progress)
        message = await asyncio.wait_for(mine.queue.get(), 30)
        assert others.queue.empty()
        await hub.close()
        assert mine.is_lost
        return message

    message = asyncio.run(listen())
    assert message.startswith(b"event: progress\ndata: ")
    said = json.loads(message.partition(b"data: ")[2])
    assert said == {"order_id": order_id, "number": 1, "fraction": 0.5, "stage": "reading"}


def test_a_history_that_cannot_be_read_is_read_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_module, "HEARTBEAT", 0.01)
    order_id = new_order_id()
    answers = [OSError("gone"), [change(1, order_id)]]

    class Store:
        def read(self) -> Any:
            return self

        def __enter__(self) -> Any:
            return SimpleNamespace(events=self, orders=self, shares=self)

        def __exit__(self, *_: object) -> None:
            return None

        def last_id(self) -> int:
            return 0

        def after(self, event_id: int, limit: int) -> list[StatusChange]:
            answer = answers.pop(0) if answers else []
            if isinstance(answer, OSError):
                raise answer
            return answer

        def when_news(self, told: Callable[[], None]) -> Callable[[], None]:
            return lambda: None

        def readers(self, order_ids: set[str], now: datetime) -> dict[str, set[str]]:
            return {}

        def get_many(self, order_ids: set[str]) -> dict[str, Any]:
            return {each: SimpleNamespace(owner="zoe") for each in order_ids}

    async def work(function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    async def listen() -> bytes:
        hub = Hub(Store(), work)  # type: ignore[arg-type]
        listener = await hub.join("zoe")
        message = await asyncio.wait_for(listener.queue.get(), 30)
        await hub.close()
        return message

    assert asyncio.run(listen()).startswith(b"id: 1\n")


async def in_a_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.to_thread(function, *arguments)


def test_what_this_process_writes_is_heard_before_the_history_is_looked_at_again(
    services: Services, submit: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_module, "POLL", 600)
    order_id = f"urn:uuid:{submit()}"

    async def listen() -> None:
        hub = Hub(services.store, in_a_thread)
        mine = await hub.join("local")
        for number in range(3):
            said = change(0, order_id, info=f"{number}")
            await asyncio.to_thread(services.store.write, lambda work, said=said: work.events.add([said]))
            message = await asyncio.wait_for(mine.queue.get(), 30)
            assert json.loads(message.partition(b"data: ")[2])["info"] == f"{number}"
        await hub.close()

    asyncio.run(listen())


def test_whom_an_order_is_shared_with_hears_of_it_until_that_is_taken_back(
    services: Services, submit: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hub_module, "KNOWN", 0)
    order_id = f"urn:uuid:{submit()}"
    now = datetime.now(UTC)
    share = Share(
        order_id=order_id, share_id=str(uuid.uuid4()), grantee="ben", created=now, until=now + timedelta(1)
    )

    async def tell(info: str) -> None:
        said = change(0, order_id, info=info)
        await asyncio.to_thread(services.store.write, lambda work: work.events.add([said]))

    async def listen() -> list[str]:
        hub = Hub(services.store, in_a_thread)
        mine, his = await hub.join("local"), await hub.join("ben")
        heard: list[str] = []

        async def hear(listener: Listener) -> str:
            message = await asyncio.wait_for(listener.queue.get(), 30)
            said = json.loads(message.partition(b"data: ")[2])
            return said.get("info") or said["stage"]

        await tell("before")
        assert await hear(mine) == "before"
        await asyncio.to_thread(services.store.write, lambda work: work.shares.add(share))
        await tell("shared")
        heard.append(await hear(his))
        hub.progress(order_id, 1, Progress(key="k", fraction=0.5, stage="reading"))
        heard.append(await hear(his))
        assert [await hear(mine), await hear(mine)] == ["shared", "reading"]
        await asyncio.to_thread(
            services.store.write, lambda work: work.shares.remove(order_id, share.share_id)
        )
        await tell("revoked")
        hub.progress(order_id, 1, Progress(key="k", fraction=0.6, stage="writing"))
        assert {await hear(mine), await hear(mine)} == {"revoked", "writing"}
        assert his.queue.empty()
        assert await hub.history("ben", 0) == []
        await hub.close()
        return heard

    assert asyncio.run(listen()) == ["shared", "reading"]
