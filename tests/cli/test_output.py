"""What commands print of what strangers wrote: programs get it whole, a terminal gets nothing to obey."""

from __future__ import annotations

import json
import sys

import pytest

from oseo_lab.cli.output import print_json, print_table, say

EVIL = "lake\x1b[2J\x9b1;31m\r\u202e\x7f\ngarda"


def test_a_table_has_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "status"), [(EVIL, "Completed")])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.replace("\t", " ").isprintable()
    assert line.startswith("lake [2J 1;31m")


@pytest.mark.parametrize("is_read", [True, False])
def test_json_is_the_same_whoever_reads_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_read: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_read)
    print_json({"name": EVIL, "land": "Österreich"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": EVIL, "land": "Österreich"}
    assert "Österreich" in out
    assert not is_read or all(each.isprintable() for each in out.splitlines())


def test_what_is_said_has_its_lines_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"first\n{EVIL}")
    assert [each.isprintable() for each in capsys.readouterr().err.split("\n")] == [True] * 4
