"""Profiles: which service a name stands for, what comes before it, and files that others can read."""

from __future__ import annotations

import json
import os

import pytest

import oseo_lab
from oseo_lab.client.discovery import find_server
from oseo_lab.client.profiles import config_path, read_profile
from oseo_lab.model.errors import ConfigurationError


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("OSEO_LAB_", "JUPYTERHUB_", "JPY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def write():
    def written(text: str, mode: int = 0o600) -> None:
        config_path().parent.mkdir(exist_ok=True)
        config_path().write_text(text)
        config_path().chmod(mode)

    return written


TWO = """
[profile.default]
url = "http://lab.example/user/anna/"
[profile.archive]
soap = "https://archive.example/oseo"
username = "anna"
password = "very secret"
"""


def test_without_a_file_there_is_no_profile():
    assert read_profile() is None


def test_the_default_is_used_where_nothing_else_is_said(write, monkeypatch):
    write(TWO)
    place = find_server(profile=read_profile())
    assert place.url == "http://lab.example/user/anna/"
    assert "[profile.default]" in place.found_by
    monkeypatch.setenv("OSEO_LAB_URL", "http://environment/")
    assert find_server(profile=read_profile()).url == "http://environment/"


def test_a_profile_asked_for_by_name_comes_before_the_environment(write, monkeypatch):
    write('[profile.one]\nurl = "http://one/"\ntoken = "of one"')
    monkeypatch.setenv("OSEO_LAB_URL", "http://environment/")
    monkeypatch.setenv("OSEO_LAB_TOKEN", "of the environment")
    place = find_server(profile=read_profile("one"))
    assert (place.url, place.token) == ("http://one/", "of one")


def test_the_environment_may_name_a_profile(write, monkeypatch):
    write(TWO)
    monkeypatch.setenv("OSEO_LAB_PROFILE", "archive")
    assert read_profile().get("soap") == "https://archive.example/oseo"


def test_a_name_that_is_not_there_tells_the_nearest(write):
    write(TWO)
    with pytest.raises(
        ConfigurationError, match=r"'archve' \(nearest: archive\).*profiles: default, archive"
    ):
        read_profile("archve")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_with_secrets_that_others_can_read_is_refused(write, mode):
    write(TWO, mode)
    with pytest.raises(ConfigurationError, match="chmod 600") as refused:
        read_profile()
    assert "very secret" not in str(refused.value)


def test_a_file_without_secrets_may_be_read_by_others(write):
    write('[profile.default]\nurl = "http://one/"', 0o644)
    assert read_profile().get("url") == "http://one/"


def test_everything_wrong_with_a_profile_is_told_at_once(write):
    write('[profile.default]\nurll = "http://one/"\ntoken = 3')
    with pytest.raises(ConfigurationError) as wrong:
        read_profile()
    assert "urll is unknown (nearest: url)" in str(wrong.value)
    assert "token is no text" in str(wrong.value)


def test_a_broken_file_is_named(write):
    write("[profile")
    with pytest.raises(ConfigurationError, match=r"config\.toml cannot be read"):
        read_profile()


def test_no_secret_shows(write):
    write(TWO)
    assert "very secret" not in repr(read_profile("archive")) + str(read_profile("archive"))


def test_two_ways_at_once_are_refused():
    with pytest.raises(ConfigurationError, match="say one of them"):
        oseo_lab.connect("http://one/", profile="one")


def test_config_show_tells_where_each_value_comes_from(write, capsys, monkeypatch):
    from oseo_lab.cli import app

    write('[profile.default]\nurl = "http://one/"\ntoken = "very secret"')
    app(["config", "show", "--json"], standalone_mode=False)
    shown = capsys.readouterr().out
    found = json.loads(shown)
    assert found["url"]["value"] == "http://one/" and "profile.default" in found["url"]["from"]
    assert found["token"]["value"] == "set, not shown" and "config.toml" in found["token"]["from"]
    assert "very secret" not in shown
    monkeypatch.setenv("OSEO_LAB_URL", "http://environment/")
    app(["config", "show", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["url"] == {
        "value": "http://environment/",
        "from": "OSEO_LAB_URL",
    }


def test_config_show_lists_every_place_where_nothing_is_found(capsys):
    from oseo_lab.cli import app

    app(["config", "show"], standalone_mode=False)
    said = capsys.readouterr()
    for place in (
        "OSEO_LAB_URL",
        "profile.default",
        "JUPYTERHUB",
        "JPY_PARENT_PID",
        "running Jupyter Servers",
    ):
        assert place in said.out + said.err
