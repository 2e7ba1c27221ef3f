"""What the doors share."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.auth import IdentityProvider, PasswordIdentityProvider, User

from oseo_lab.model.errors import NotAuthenticated, Unavailable
from oseo_lab.settings import Settings
from oseo_lab.web import state as state_module
from oseo_lab.web.base import BaseOseoHandler
from oseo_lab.web.identity import owner_of
from oseo_lab.web.state import KeptAnswers, State


def test_an_answer_is_kept_for_its_revision_alone():
    kept = KeptAnswers()
    kept.put(("zoe", "o", "full"), 3, b"three")
    assert kept.get(("zoe", "o", "full"), 3) == b"three"
    assert kept.get(("zoe", "o", "full"), 4) is None
    assert kept.get(("eve", "o", "full"), 3) is None


def test_the_least_used_answer_goes_first():
    kept = KeptAnswers(limit=10, longest=6)
    kept.put(("a",), 1, b"aaaa")
    kept.put(("b",), 1, b"bbbb")
    kept.get(("a",), 1)
    kept.put(("c",), 1, b"cccc")
    assert [kept.get((each,), 1) for each in "abc"] == [b"aaaa", None, b"cccc"]
    kept.put(("d",), 1, b"d" * 7)
    assert kept.get(("d",), 1) is None


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 3), st.binary(max_size=12))))
def test_never_more_is_kept_than_allowed(puts: list[tuple[str, int, bytes]]):
    kept = KeptAnswers(limit=20, longest=10)
    for key, revision, answer in puts:
        kept.put((key,), revision, answer)
        assert kept._size == sum(len(each[1]) for each in kept._answers.values()) <= 20


def test_bodies_held_at_once_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state_module, "MOST_HELD", 100)
    state = State(Settings(data_dir=tmp_path))
    assert state.hold(60) and state.hold(40) and not state.hold(1)
    state.let_go(60)
    assert state.hold(60) and not state.hold(1)


def test_long_messages_wait_their_turn_and_short_ones_pass(tmp_path: Path):
    async def several() -> list[str]:
        state = State(Settings(data_dir=tmp_path))
        done: list[str] = []
        leave = asyncio.Event()

        async def work(name: str, size: int) -> None:
            async with state.turn(size):
                done.append(name)
                if size > 10:
                    await leave.wait()

        long = [asyncio.create_task(work(f"long {number}", 2**21)) for number in range(4)]
        await asyncio.sleep(0)
        await asyncio.gather(*(work("short", 10) for _ in range(20)))
        assert sorted(done) == ["long 0", "long 1", *["short"] * 20]
        leave.set()
        await asyncio.gather(*long)
        return done

    assert len(asyncio.run(several())) == 24


def test_too_many_passwords_at_once_are_put_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state_module, "WAITING_PASSWORDS", 2)

    async def ask() -> list[Any]:
        state = State(Settings(data_dir=tmp_path))
        released = asyncio.Event()
        loop = asyncio.get_running_loop()

        def check(name: str, password: str) -> str:
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result(30)
            return name

        credentials: Any = SimpleNamespace(remembered=lambda name, password: None, check_password=check)
        hub: Any = SimpleNamespace(close=released.wait)
        services: Any = SimpleNamespace()
        state.arrive(services, credentials, hub)
        asked = [asyncio.ensure_future(state.check_password(f"a{n}", "p")) for n in range(4)]
        while sum(each.done() for each in asked) < 2:
            await asyncio.sleep(0)
        released.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        await state.close()
        return answers

    answers = asyncio.run(ask())
    assert sum(isinstance(each, Unavailable) for each in answers) == 2
    assert sum(isinstance(each, str) for each in answers) == 2


HEXADECIMAL = "0123456789abcdef" * 2
MADE_UP = User(username=HEXADECIMAL, display_name="Anonymous Io")


@pytest.mark.parametrize(
    ("provider", "user", "owner"),
    [
        (IdentityProvider, MADE_UP, "local"),
        (PasswordIdentityProvider, User(username="whatever a cookie says"), "local"),
        (type("Hub", (IdentityProvider,), {}), User(username="zoe"), "zoe"),
        (type("Hub", (IdentityProvider,), {}), MADE_UP, "local"),
        (
            type("Hub", (IdentityProvider,), {}),
            User(username=MADE_UP.username, display_name="Zoe"),
            MADE_UP.username,
        ),
    ],
)
def test_whose_orders_a_jupyter_user_sees(provider: Any, user: User, owner: str):
    assert owner_of(provider(), user, "local") == owner


@pytest.mark.parametrize(
    ("protocol", "address", "insecure", "refused"),
    [
        ("http", "127.0.0.1", False, False),
        ("http", "::1", False, False),
        ("http", "", False, False),
        ("https", "203.0.113.7", False, False),
        ("http", "203.0.113.7", True, False),
        ("http", "203.0.113.7", False, True),
        ("http", "::ffff:203.0.113.7", False, True),
    ],
)
def test_a_password_does_not_travel_openly(
    tmp_path: Path, protocol: str, address: str, insecure: bool, refused: bool
):
    handler: Any = SimpleNamespace(
        request=SimpleNamespace(protocol=protocol, remote_ip=address),
        state=SimpleNamespace(settings=Settings(data_dir=tmp_path, insecure_passwords=insecure)),
    )
    if refused:
        with pytest.raises(NotAuthenticated, match="use https, a token or PasswordDigest"):
            BaseOseoHandler.refuse_open_network(handler, "HTTP Basic")
    else:
        BaseOseoHandler.refuse_open_network(handler, "HTTP Basic")
