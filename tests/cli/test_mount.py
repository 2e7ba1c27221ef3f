"""Mounting a collection of another server from the command line."""

from __future__ import annotations

import pytest
import typer

from oseo_lab.cli.mount import _product_orders
from oseo_lab.model.collection import OrderOptions
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.messages import GetOptionsResponse
from oseo_lab.wiring import read_collections
from tests.acceptance.serving import TOKEN
from tests.foreign import foreign_server


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "mounted"
    folder.mkdir()
    return folder


def test_a_collection_of_a_server_of_ours_is_offered_with_its_own_options(run, server, into, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    words = (server.soap, "scenes", "--into", into, "--provider", "MAKER", "--id", "far")
    code, _, err = run("collections", "mount", *words, "--token-file", tmp_path / "token")
    assert code == 0, err
    assert TOKEN not in err + (into / "far.toml").read_text()
    found = read_collections(into)["far"]
    assert (found.provider, found.provider_settings["collection"]) == ("MAKER", "scenes")
    (group,) = found.groups
    assert "format" in {each.name for each in group.options}
    assert run("collections", "check", into)[0] == 0


def test_a_collection_of_anybodys_server_is_mounted(run, into, tmp_path):
    (tmp_path / "password").write_text("hunter 2")
    with foreign_server() as foreign:
        words = (foreign.url, "urn:old:landsat", "--into", into, "--provider", 'Old "archive"')
        who = ("--user", "anna", "--password-file", tmp_path / "password")
        code, _, err = run("collections", "mount", *words, *who, "--pattern", r"LC8\w+")
    assert code == 0, err
    found = read_collections(into)["urn:old:landsat"]
    assert (found.provider, found.pattern) == ('Old "archive"', r"LC8\w+")
    assert found.groups[0].product_order_options_id == "grp7"
    assert found.provider_settings["password_file"] == str(tmp_path / "password")


def test_only_groups_of_product_orders_are_mounted():
    groups = tuple(
        OrderOptions(product_order_options_id=kind.value, order_type=kind, options=()) for kind in OrderType
    )
    (kept,) = _product_orders(GetOptionsResponse(order_options=groups), "far").order_options
    assert kept.order_type is OrderType.PRODUCT_ORDER
    with pytest.raises(typer.BadParameter, match="'far' takes no product orders there"):
        _product_orders(GetOptionsResponse(order_options=groups[1:]), "far")


def test_nothing_that_is_there_is_overwritten(run, into):
    (into / "far.toml").write_text("mine")
    code, _, err = run(
        "collections", "mount", "http://127.0.0.1:9/", "x", "--into", into, "--provider", "P", "--id", "far"
    )
    assert code == 2 and "is there already" in err
    assert (into / "far.toml").read_text() == "mine"
    code, _, err = run(
        "collections", "mount", "http://127.0.0.1:9/", "x", "--into", into / "no", "--provider", "P"
    )
    assert code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--token-file", "{into}/none"), "cannot be read: No such file or directory"),
        (("--token-file", "{into}/empty"), "is empty"),
        (("--pattern", "("), "is no regular expression"),
    ],
)
def test_what_is_said_wrongly_is_told_before_the_server_is_asked(run, into, words, said):
    (into / "empty").write_text("\n")
    given = [each.format(into=into) for each in words]
    where = ("http://127.0.0.1:9/", "x", "--into", into, "--provider", "P")
    code, _, err = run("collections", "mount", *where, *given)
    assert code == 2 and said in " ".join(err.split()), err
    assert "Traceback" not in err and not list(into.glob("*.toml"))


def test_a_server_that_does_not_answer_leaves_nothing_behind(run, into, monkeypatch):
    from oseo_lab.client import soap_calls

    monkeypatch.setattr(soap_calls.time, "sleep", lambda seconds: None)
    code, _, err = run("collections", "mount", "http://127.0.0.1:9/", "x", "--into", into, "--provider", "P")
    assert code == 1 and "could not be reached" in err
    assert list(into.iterdir()) == []


def test_two_collections_may_not_share_a_provider_and_standing_orders_are_not_passed_on(into):
    (into / "nothing").mkdir()
    text = (
        'id = "{id}"\nprovider = "P"\n[catalogue]\nuse = "folder"\nhref = "nothing"\n'
        '[provider_service]\nhref = "http://127.0.0.1:9/"\n'
    )
    from oseo_lab.model.errors import ConfigurationError

    (into / "a.toml").write_text(text.format(id="a"))
    (into / "b.toml").write_text(text.format(id="b"))
    with pytest.raises(ConfigurationError, match=r"b\.toml: provider 'P' is that of a already"):
        read_collections(into)
    (into / "b.toml").write_text(text.format(id="b").replace('"P"', '"Q"') + "[subscription]\n")
    with pytest.raises(ConfigurationError, match="product orders only"):
        read_collections(into)
    (into / "b.toml").write_text(text.format(id="b").replace('"P"', '"Q"') + 'pasword_file = "x"\n')
    with pytest.raises(ConfigurationError, match="pasword_file is unknown"):
        read_collections(into)
