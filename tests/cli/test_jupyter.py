"""Commands that ask Jupyter for its configuration do not compile a grammar for it."""

from __future__ import annotations

import sys

import pytest

from oseo_lab.cli.jupyter import without_iris


def test_the_grammar_is_left_out_for_as_long_as_it_is_asked(monkeypatch):
    monkeypatch.delitem(sys.modules, "rfc3987_syntax", raising=False)
    with without_iris(), pytest.raises(ImportError):
        import rfc3987_syntax  # noqa: F401
    assert "rfc3987_syntax" not in sys.modules


def test_who_has_it_already_keeps_it(monkeypatch):
    there = object()
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", there)
    with without_iris():
        assert sys.modules["rfc3987_syntax"] is there
    assert sys.modules["rfc3987_syntax"] is there
