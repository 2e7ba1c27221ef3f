"""``lab.operator``: the board as it shows itself, and what callers hand over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.client import Lab
from oseo_lab.client.announcing import announcement_of
from oseo_lab.client.operator import BOARD_TYPE
from oseo_lab.encoding.desk_html import board_html, board_text
from oseo_lab.encoding.json_form import from_plain, to_plain
from oseo_lab.model.desk import (
    Announcement,
    Board,
    CollectionState,
    Queue,
    StuckItem,
    WaitingOrder,
    Workers,
)
from oseo_lab.model.errors import ValidationError

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ID = "urn:uuid:7f3ka000-0000-4000-8000-000000000001".replace("k", "a")
BOARD = Board(
    title="demo-hub",
    as_of=NOW,
    waiting=(
        WaitingOrder(
            order_id=ID,
            owner="ana",
            name="lake <garda>",
            collections=("s2",),
            items=2,
            since=NOW - timedelta(hours=1),
        ),
    ),
    waiting_count=2,
    stuck=(
        StuckItem(
            order_id=ID, owner="ben", name="peaks", number=3, item_id="S2_3", since=NOW - timedelta(hours=2)
        ),
    ),
    stuck_count=1,
    queue=Queue(items=41, oldest=NOW - timedelta(minutes=12)),
    workers=Workers(busy=8, total=8),
    disk_free=0.39,
    failures={"quota": 2, "internal": 1},
    collections=(
        CollectionState(
            collection_id="archive", provider="ARCHIVE", is_ok=False, reason="429 Too Many", at=NOW
        ),
        CollectionState(collection_id="demo", provider="LOCAL"),
    ),
    quotations_waiting=3,
    announcement=Announcement(text="Archive restores are slow", until=NOW + timedelta(hours=6)),
)


class Desk:
    """What of a transport the desk needs; it remembers what was asked."""

    url = "http://desk.example/"

    def __init__(self) -> None:
        self.asked = []

    def about(self):
        return {"service": "oseo_lab", "owner": "olga", "instance": "i"}

    def ask(self, method, path, *, params=None, body=None):
        self.asked.append((method, path, body))
        return to_plain(BOARD) if path == "desk" else (body or {})


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def operator(desk):
    lab = Lab(desk)
    assert lab.owner == "olga"
    return lab.operator


def test_the_board_reads_like_a_card(operator):
    shown = operator.board()
    assert shown.board == BOARD
    assert shown.waiting == BOARD.waiting
    assert repr(shown).splitlines() == [
        "operators · demo-hub",
        "waiting for approval 2 · stuck > 30 min 1",
        "  lake <garda> · ana · 2 items · s2 · 2026-07-01 11:00:00 UTC · 7f3aa000",
        "  peaks · S2_3 · InProduction · 2 h ago · 7f3aa000",
        "queue 41 items · oldest 12 min · workers 8/8 · disk 61 % full · "
        "failures today 3 (2 quota, 1 internal)",
        "quotations that wait for an answer 3",
        "announcement to users: Archive restores are slow (until 2026-07-01 18:00 UTC)",
        "collections: archive ⚠ 429 Too Many  demo ✔",
        "as of 2026-07-01 12:00:00 UTC",
    ]


def test_a_cell_gets_what_browsers_draw_html_and_text(operator):
    bundle = operator.board()._repr_mimebundle_()
    assert bundle[BOARD_TYPE] == {"instance": "i", "board": to_plain(BOARD)}
    assert "lake &lt;garda&gt;" in bundle["text/html"]
    assert "<garda>" not in bundle["text/html"]
    assert bundle["text/plain"] == board_text(BOARD)


def test_an_empty_board_says_so():
    text = board_text(Board(title="hub", as_of=NOW))
    assert "waiting for approval 0 · stuck > 30 min 0" in text
    assert "queue 0 items · workers busy 0 · failures today 0" in text
    assert "announcement to users: none" in text
    assert "collections: none" in text


@given(
    text=st.text(max_size=40) | st.sampled_from(["\x1b[2J", "\x9b8m", "a\n  b · olga · 1 item", "\u202eevil"])
)
def test_nothing_on_the_board_is_obeyed_by_a_terminal_or_is_a_line_of_its_own(text):
    waiting = replace(BOARD.waiting[0], name=text, owner=text, collections=(text,))
    stuck = replace(BOARD.stuck[0], name=text, info=text)
    failing = replace(BOARD.collections[0], reason=text)
    board = replace(BOARD, title=text, waiting=(waiting,), stuck=(stuck,), collections=(failing,))
    lines = board_text(board).split("\n")
    assert len(lines) == 9
    assert all(each.isprintable() for each in lines)


@given(text=st.text(max_size=40))
def test_nothing_on_the_board_becomes_markup(text):
    poisoned = f"<script>{text}</script>"
    board = replace(
        BOARD,
        title=poisoned,
        waiting=(replace(BOARD.waiting[0], name=poisoned, owner=poisoned),),
        stuck=(replace(BOARD.stuck[0], info=poisoned),),
        collections=(replace(BOARD.collections[0], reason=poisoned),),
        announcement=Announcement(text=poisoned),
    )
    assert "<script" not in board_html(board)


def test_the_board_travels_whole():
    assert from_plain(Board, to_plain(BOARD)) == BOARD


def test_decisions_name_orders_as_they_are_at_hand(operator, desk):
    operator.approve(SimpleNamespace(id=ID), BOARD.waiting[0])
    operator.reject(BOARD.waiting[0], reason="no")
    operator.run_again(BOARD.stuck[0], BOARD.stuck[0])
    uuid = ID.removeprefix("urn:uuid:")
    assert desk.asked == [
        ("POST", f"desk/orders/{uuid}/approve", {}),
        ("POST", f"desk/orders/{uuid}/approve", {}),
        ("POST", f"desk/orders/{uuid}/reject", {"reason": "no"}),
        ("POST", f"desk/orders/{uuid}/run-again", {}),
    ]


@pytest.mark.parametrize("orders", [(), (7,), (None,), ("",)])
def test_what_is_no_order_is_told_and_nothing_is_sent(operator, desk, orders):
    with pytest.raises(ValidationError, match="board\\(\\)\\.waiting"):
        operator.approve(*orders)
    with pytest.raises(ValidationError):
        operator.reject(*orders, reason="no")
    with pytest.raises(ValidationError, match="reason"):
        operator.reject(ID, reason=None)
    assert desk.asked == []


@pytest.mark.parametrize(
    ("until", "meant"),
    [
        ("2026-07-01T18:00", datetime(2026, 7, 1, 18, tzinfo=UTC)),
        ("2026-07-01T18:00+02:00", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        (
            datetime(2026, 7, 1, 18, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 7, 1, 16, tzinfo=UTC),
        ),
        (date(2026, 7, 1), datetime(2026, 7, 2, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 7, 2, tzinfo=UTC)),
        (None, None),
    ],
)
def test_until_when_is_said_in_many_ways(operator, until, meant):
    assert operator.announce("slow", until=until) == Announcement(text="slow", until=meant)


@pytest.mark.parametrize("until", ["noon", 7, "2026-13-01", "9999-12-31", timedelta(days=10**8)])
def test_a_moment_that_is_none_is_told(operator, desk, until):
    with pytest.raises(ValidationError, match="until") as refused:
        operator.announce("slow", until=until)
    assert refused.value.locator == "until"
    assert desk.asked == []


def test_what_was_announced_is_known_at_once(operator):
    lab = operator._session
    operator.announce("slow", until=timedelta(hours=1))
    assert "announcement: slow (until" in repr(lab)
    operator.withdraw()
    assert "announcement" not in repr(lab)


@pytest.mark.parametrize(
    "said",
    [
        None,
        "text",
        {},
        {"text": ""},
        {"text": 7},
        {"text": ["x"]},
        {"text": "over", "until": "2020-01-01T00:00:00Z"},
    ],
)
def test_what_a_strange_server_announces_is_nothing(said):
    assert announcement_of({"announcement": said}) is None


def test_a_long_announcement_of_a_strange_server_is_cut_to_one_line():
    found = announcement_of({"announcement": {"text": "x\n" * 5000, "until": 7}})
    assert len(found.text) <= 500
    assert "\n" not in found.text
