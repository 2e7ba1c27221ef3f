"""What is said of an item that waits for an archive, and what is read back from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.archive import about, expected, look_again, offline_in, said, waits

ASKED = datetime(2026, 7, 1, 14, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "≈ 20 s"),
        (110, "≈ 110 s"),
        (900, "≈ 15 min"),
        (7100, "≈ 120 min"),
        (14400, "≈ 4 h"),
        (3e5, "≈ 3.5 d"),
    ],
)
def test_how_long_a_restore_takes_in_words(seconds, words):
    assert about(seconds) == words


def test_since_when_it_waits_is_kept_from_look_to_look():
    first = said(ASKED, 14400)
    assert first == "waiting for the archive, asked 2026-07-01 14:01:00 UTC, usually ≈ 4 h"
    assert said(ASKED + timedelta(hours=1), 14400, before=first) == first
    assert (
        said(ASKED, None, before="try number 2") == "waiting for the archive, asked 2026-07-01 14:01:00 UTC"
    )


def test_nothing_is_expected_of_what_does_not_wait_or_nobody_knows():
    assert expected(None) is None and expected("try number 2") is None
    assert expected(said(ASKED, None)) is None
    assert not waits(None) and not waits("it rained")


@given(seconds=st.floats(1, 1e7))
def test_when_it_is_expected_is_what_was_said(seconds):
    text = said(ASKED, seconds)
    assert waits(text)
    found = expected(text)
    assert found is not None
    assert abs((found - ASKED).total_seconds() - seconds) <= 0.06 * seconds
    assert timedelta(seconds=2) <= look_again(seconds) <= timedelta(minutes=15)


@pytest.mark.parametrize(
    "nonsense", [1e999, 10**400, 1e300, -5, 0, True, "P" + "9" * 400 + "D", "PT0S", "soon", []]
)
def test_times_that_nobody_can_wait_for_are_not_told(nonsense):
    found = offline_in({"order:status": "orderable", "restore_time": nonsense}, ASKED)
    assert found is not None and found.usually is None


@given(
    told=st.floats(min_value=0, allow_infinity=True)
    | st.integers()
    | st.from_regex(r"P\d*D?", fullmatch=True)
)
def test_whatever_a_catalogue_tells_can_be_put_into_words(told):
    found = offline_in({"storage:tier": "tape", "restore_time": told}, ASKED)
    assert found is not None
    text = said(ASKED, found.usually)
    assert waits(text)
    assert found.usually is not None or expected(text) is None
    expected(text)  # and read again, however it was put


@pytest.mark.parametrize("usually", [float("inf"), float("nan"), -1.0, "4 h", True])
def test_what_a_plugin_says_that_is_no_time_is_as_if_it_said_nothing(usually):
    assert said(ASKED, usually) == said(ASKED, None)
    assert look_again(usually) == look_again(None)
