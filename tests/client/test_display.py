"""Displays: offline, escaped, self-contained, and never the cause of an error."""

from __future__ import annotations

import re

import pytest

from oseo_lab.client import display
from oseo_lab.client.lab import Lab
from oseo_lab.client.progress import ProgressEvent, _bar, reporter
from oseo_lab.model.errors import TransportError
from oseo_lab.model.status import Status


class NoNetwork:
    """A transport that must not be used."""

    url = "http://nowhere/<script>"

    def __getattr__(self, name):
        raise AssertionError(f"a display asked the network: {name}")


@pytest.fixture
def shown(lab):
    """Everything that has a display, made first, then cut off from the service."""
    products = lab.search("scenes")
    draft = products.order(name="<b>&'\"")
    order = draft.submit().wait(60)
    objects = [lab, products, draft, draft.options, order, order.items, order.results()]
    objects += [lab.collections, lab.orders.filter(), lab.orders.filter()[0]]
    _ = lab.about
    lab.transport = NoNetwork()
    return objects


def test_displays_need_no_network_and_escape_what_users_wrote(shown):
    for each in shown:
        html = each._repr_html_()
        assert 'class="oseo"' in html, repr(each)
        assert "<b>&'" not in html and "<script" not in html
        assert not re.search(r"(src|href)=|@import|url\(", html), "self-contained"
        assert "http://" not in html or "nowhere" in html or "in.process" in html


def test_repr_is_one_line_without_network(shown):
    for each in shown:
        if type(each).__name__ != "Options":
            assert "\n" not in repr(each)


def test_tags_are_balanced(shown):
    for each in shown:
        html = each._repr_html_()
        for tag in ("div", "table", "span", "tr", "td", "style"):
            assert len(re.findall(f"<{tag}[ >]", html)) == html.count(f"</{tag}>"), (repr(each), tag)


def test_a_display_that_fails_becomes_its_repr():
    def fail() -> str:
        raise TransportError("away")

    assert display.safely("<x>", fail) == "<pre>&#x27;&lt;x&gt;&#x27;</pre>"


def test_a_lab_whose_server_is_away_is_still_shown():
    lab = Lab(NoNetwork())
    assert "Lab" in lab._repr_html_()


def test_long_tables_say_how_many_more():
    html = display.table(("a",), [(number,) for number in range(120)])
    assert html.count("<tr>") == 51 and "and 70 more" in html


def test_every_status_has_its_shape():
    assert all(display.mark(each) and display.colour(each) for each in Status)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e12, "2.5 TB")]
)
def test_sizes_are_readable(number, text):
    assert display.size(number) == text


def event(**facts) -> ProgressEvent:
    return ProgressEvent(**{"name": "lake <garda>", "text": "1 of 2", "done": 1, "total": 2} | facts)


def test_bar_says_in_words_what_it_shows():
    html = _bar(event(counts={Status.COMPLETED: 1, Status.ACCEPTED: 1}))
    assert 'aria-label="1 Accepted · 1 Completed"' in html and "lake &lt;garda&gt;" in html
    assert 'aria-label="50%"' in _bar(event())
    half = _bar(event(counts={Status.COMPLETED: 1, Status.IN_PRODUCTION: 1}, running=0.5))
    assert "width:50.00%" in half and "width:25.00%" in half


def test_scripts_are_silent_unless_told(capsys):
    with reporter(None) as report:
        report(event())
    with reporter(False) as report:
        report(event())
    assert capsys.readouterr() == ("", "")


def test_told_to_a_log_gets_a_line_for_each_change(capsys):
    with reporter(True) as report:
        report(event())
        report(event())
        report(event(text="2 of 2"))
    assert capsys.readouterr().err == "lake <garda>: 1 of 2\nlake <garda>: 2 of 2\n"


def test_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with reporter(True) as report:
        report(event())
        report(event(done=2, text="2 of 2"))
    assert "lake <garda>" in capsys.readouterr().err


def test_notebook_gets_one_output_updated_in_place(monkeypatch):
    pytest.importorskip("IPython", reason="the extra notebook is not installed")
    shown = []

    class Handle:
        def update(self, both, **_):
            shown.append(both)

    def show(both, **_):
        shown.append(both)
        return Handle()

    monkeypatch.setattr(display, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", show)
    with reporter(None) as report:
        report(event())
        report(event())
        report(event(done=2, text="2 of 2"))
    assert len(shown) == 2 and "2 of 2" in shown[1]["text/html"]
    assert shown[1]["text/plain"] == "lake <garda>: 2 of 2"  # where no HTML is drawn
