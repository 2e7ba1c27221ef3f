"""``oseo-lab collections check --ask``: whether catalogues answer, and what is read where one does not."""

from __future__ import annotations

import json
from pathlib import Path

TOML = 'id = "{id}"\n[catalogue]\n{catalogue}\n'


def test_a_catalogue_that_answers_tells_its_newest_product(run, collections: Path) -> None:
    code, out, err = run("collections", "check", collections, "--ask")

    assert code == 0 and "as they must be" in err
    assert "ok   scenes: it answers;" in out and "can be ordered" in out


def test_a_csw_that_does_not_answer_is_named_with_what_was_tried(run, tmp_path: Path) -> None:
    text = TOML.format(id="away", catalogue='use = "csw"\nhref = "http://127.0.0.1:9/csw"')
    (tmp_path / "away.toml").write_text(text)

    assert run("collections", "check", tmp_path)[0] == 0  # the file is right
    code, out, _ = run("collections", "check", tmp_path, "--ask")
    assert code == 1 and "BAD  away: the catalogue of away at 127.0.0.1:9 does not answer" in out
    assert "Connection refused" in out
    code, out, _ = run("collections", "check", tmp_path, "--ask", "--json")
    assert code == 1 and "refused" in json.loads(out)["away"]["answers"]


def test_wrong_settings_of_a_catalogue_are_heard_of_at_start(run, tmp_path: Path) -> None:
    text = TOML.format(id="odd", catalogue='use = "csw"\nhref = "https://x.example/csw"\nschema = "marc"')
    (tmp_path / "odd.toml").write_text(text)
    (tmp_path / "less.toml").write_text(TOML.format(id="less", catalogue='use = "csw"'))

    code, _, err = run("collections", "check", tmp_path)
    assert code == 1 and "odd.toml: catalogue.schema: 'marc' is unknown; allowed: iso, dc" in err
    assert "less.toml: catalogue.href: is missing" in err
