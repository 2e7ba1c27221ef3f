"""The command line for operators: serving, collections, accounts, the store."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.serving import Server
from tests.mail_server import taking_mail


def test_good_collections_are_named_and_bad_ones_with_every_problem(run, collections, tmp_path):
    code, out, err = run("collections", "check", collections)
    assert code == 0 and "scenes" in err
    code, out, err = run("collections", "check", collections / "scenes.toml", "--json")
    assert code == 0 and json.loads(out)["scenes"]["processor"] == "raster"
    (tmp_path / "bad.toml").write_text('title = 3\nfoo = 1\n[processor]\nuse = "nothing"\n')
    code, out, err = run("collections", "check", tmp_path / "bad.toml")
    assert code == 1 and "foo" in err and "id" in err
    code, out, err = run("collections", "check", tmp_path)
    assert code == 1 and "bad.toml" in err
    assert run("collections", "check", tmp_path / "none")[0] == 2


def test_schema_of_collection_files_is_json(run):
    code, out, _ = run("collections", "schema")
    assert code == 0 and "catalogue" in json.dumps(json.loads(out))


def test_accounts_come_are_listed_and_are_disabled(run):
    code, out, err = run("users", "add", "ada", "--owner", "team", "--digest", stdin="a secret\n")
    assert code == 0 and "team" in err and "a secret" not in out + err
    code, out, err = run("users", "add", "ada", stdin="other\n")
    assert code == 2 and "--replace" in err
    assert run("users", "add", "ada", "--replace", stdin="other\n")[0] == 0
    _, out, _ = run("users", "list", "--json")
    (found,) = json.loads(out)
    assert (found["name"], found["owner"], found["digest"], found["disabled"]) == ("ada", "ada", False, False)
    assert run("users", "disable", "ada")[0] == 0
    assert json.loads(run("users", "list", "--json")[1])[0]["disabled"] is True
    assert run("users", "disable", "ada", "--undo")[0] == 0
    assert run("users", "disable", "nobody")[0] == 1
    assert run("users", "add", "empty", stdin="\n")[0] == 2


def test_the_store_is_made_and_copied(run, tmp_path):
    code, _, err = run("db", "upgrade")
    assert code == 0 and "up to date" in err
    code, out, _ = run("db", "backup", "--to", tmp_path / "copy.sqlite")
    assert code == 0 and Path(out.strip()) == tmp_path / "copy.sqlite"
    assert stat.S_IMODE((tmp_path / "copy.sqlite").stat().st_mode) == 0o600
    code, _, err = run("db", "backup", "--to", tmp_path / "copy.sqlite")
    assert code == 1 and "there already" in err


def test_doctor_looks_at_everything(run, known, tmp_path):
    code, out, _ = run("doctor", "--json")
    found = {each["what"]: each for each in json.loads(out)}
    assert code == 0, out
    assert found["server"]["good"] is True and "scenes" in found["server"]["text"]
    assert found["data folder"]["good"] is None
    run("db", "upgrade")
    assert "ok   order store: answers" in run("doctor")[1]


def test_doctor_says_what_is_wrong(run, known, monkeypatch, tmp_path):
    (tmp_path / "bad.toml").write_text("foo = 1")
    monkeypatch.setenv("OSEO_LAB_COLLECTIONS", str(tmp_path))
    code, out, _ = run("doctor")
    assert code == 1 and "BAD  collections: bad.toml" in out
    monkeypatch.setenv("OSEO_LAB_LEASE", "1")
    code, out, _ = run("doctor")
    assert code == 1 and "BAD  configuration" in out and "renew must be shorter" in out


@pytest.mark.parametrize("name", ["OSEO_LAB_TOKEN", "JUPYTER_TOKEN"])
def test_an_empty_token_is_refused(run, monkeypatch, name):
    monkeypatch.delenv("OSEO_LAB_TOKEN", raising=False)
    monkeypatch.setenv(name, "")
    code, out, err = run("serve", "--port", "0")
    assert (code, out) == (2, "") and "let everybody in" in " ".join(err.split())


def test_serve_offers_the_service_alone(known):
    with known.client as http:
        assert http.get(f"{known.url}oseo/api/v1/").json()["service"] == "oseo_lab"
        for path in ("api/kernels", "api/contents", "api/terminals", "api/sessions", "files/x", "lab"):
            assert http.get(f"{known.url}{path}").status_code == 404, path
    assert httpx.get(f"{known.url}oseo/api/v1/collections").status_code == 401


def test_serve_makes_up_a_token_that_only_the_runtime_file_knows(tmp_path, collections):
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_TOKEN")}
    environment |= {"JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"), "OSEO_LAB_EXECUTOR": "inline"}
    words = ["serve", "--port", "0", "--data-dir", str(tmp_path), "--collections", str(collections)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "oseo_lab", *words],
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            text=True,
        )
    try:
        line = process.stdout.readline()
        answer = json.loads(line)
        assert set(answer) == {"url", "soap"} and answer["soap"] == f"{answer['url']}oseo/"
        (file,) = (tmp_path / "runtime").glob("jpserver-*.json")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        token = json.loads(file.read_text())["token"]
        assert len(token) > 30
        found = httpx.get(f"{answer['url']}oseo/api/v1/", headers={"Authorization": f"token {token}"})
        assert found.json()["owner"] == "local"
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and rest == ""
    assert token not in (tmp_path / "log").read_text()


def test_serve_that_cannot_start_says_why_and_ends(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.toml").write_text("foo = 1")
    server = Server(tmp_path, collections=tmp_path / "bad")
    with pytest.raises(RuntimeError, match=r"bad\.toml"):
        server.start()
    assert server.process.wait(30) == 1
    server.process.stdout.close()


def test_help_starts_without_anything_heavy():
    heavy = ["httpx", "pydantic", "numpy", "sqlalchemy", "distributed", "jupyter_server", "rasterio", "lxml"]
    said = f"import oseo_lab.cli, sys; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_doctor_tries_the_mail_server(run, known, monkeypatch):
    assert "-    mail: no mail server is named" in run("doctor")[1]
    monkeypatch.setenv("OSEO_LAB_SMTP_FROM", "orders@service.example")
    monkeypatch.setenv("OSEO_LAB_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("OSEO_LAB_SMTP_TLS", "none")
    with taking_mail() as mail:
        monkeypatch.setenv("OSEO_LAB_SMTP_PORT", str(mail.port))
        assert f"ok   mail: 127.0.0.1:{mail.port} takes mail from orders@service.example" in run("doctor")[1]
    code, out, _ = run("doctor")
    assert code == 1 and f"BAD  mail: 127.0.0.1:{mail.port}: " in out
