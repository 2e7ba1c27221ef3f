"""Operators' patterns run on users' text: those that could take forever are refused."""

from __future__ import annotations

import pytest

from oseo_lab.encoding.collection_patterns import check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        ".+",
        "S2[AB]_.+",
        r"S2[AB]_MSIL2A_\d{8}T\d{6}_N\d{4}_R\d{3}_T\w{5}_.+",
        "(?:LC08|LC09)_L2SP_[0-9]+_[0-9_]+_T[12]",
        "(VV|VH)",
        "(a|b)?c",
        "([A-Z]{2}){1,3}",
        r"[(+*|)]+",
        r"\(a+\)+",
        "(?P<tile>T[0-9]+)_.*",
        r"EPSG:\d{4,6}",
        "S2[AB]_MSIL2A_[0-9T]+_N[0-9]+_R[0-9]+_T[A-Z0-9]+_[0-9T]+",
        ".+_.+_.+",
    ],
)
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a*)*b",
        "(?:a+b?)+",
        "((a+)b)*",
        "(a|a)+",
        "(a|b|ab)*c",
        "(?P<x>[a-z]+)*",
        "(a+){2,}",
        "(.{1,20}){20}",
    ],
)
def test_a_repetition_in_a_repetition_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="forever"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "0 characters"),
        ("a" * 501, "501 characters"),
        ("(", "no regular expression"),
        ("a{99999999999999999999}", "no regular expression"),
        (".*a.*b.*c.*", "4 repetitions in a row"),
        ("[A-Z0-9_]+_[A-Z0-9_]+_[A-Z0-9_]+_[A-Z0-9_]+", "4 repetitions in a row"),
        (r"\w*(\w*)\w*\w{1,50}x", "4 repetitions in a row"),
    ],
)
def test_other_patterns_that_are_refused(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_pattern(pattern)
