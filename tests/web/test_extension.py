"""The extension as Jupyter Server loads, configures, starts and stops it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import PasswordIdentityProvider, User
from pytest_jupyter.jupyter_server import *  # noqa: F403 - its fixtures and hooks, for this module alone
from serving import V11, V12, envelope, order, write_collections
from tornado.httpclient import HTTPClientError
from traitlets.config import Config

from oseo_lab.encoding import json_form
from oseo_lab.extension import OseoLab
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.messages import Cancel, GetCapabilities, GetOptions, GetStatus
from oseo_lab.web import state as state_module

SOAP = {V11: "text/xml; charset=utf-8", V12: "application/soap+xml; charset=utf-8"}


@pytest.fixture
def jp_server_config(tmp_path: Path) -> Config:
    traits = {
        "data_dir": str(tmp_path / "oseo"),
        "collections": str(write_collections(tmp_path / "collections", "things")),
        "executor": "inline",
        "dispatch": False,
    }
    return Config({"ServerApp": {"jpserver_extensions": {"oseo_lab": True}}, "OseoLab": traits})


async def start(app: Any) -> OseoLab:
    """Do what Jupyter Server does when its loop runs, and wait for the end of it."""
    [extension] = app.extension_manager.extension_apps["oseo_lab"]
    await extension._start_jupyter_server_extension(app)
    await asyncio.to_thread(extension._starting.join)
    return extension


async def refusal(fetch: Any, *path: str, **request: Any) -> Any:
    with pytest.raises(HTTPClientError) as refused:
        await fetch(*path, **request)
    return refused.value.response


async def test_it_starts_answers_and_stops(jp_serverapp, jp_fetch):
    extension = await start(jp_serverapp)
    answer = await jp_fetch("oseo", "api", "v1", "collections")
    assert [each["id"] for each in json.loads(answer.body)["collections"]] == ["things"]
    await extension.stop_extension()
    assert (await refusal(jp_fetch, "oseo", "api", "v1", "collections")).code == 503
    await extension.stop_extension()


@pytest.mark.parametrize("version", [V11, V12])
async def test_while_it_starts_it_answers_503(jp_serverapp, jp_fetch, monkeypatch, version):
    monkeypatch.setattr(state_module, "PATIENCE", 0.01)
    problem = await refusal(jp_fetch, "oseo", "api", "v1", "")
    assert problem.code == 503 and problem.headers["Retry-After"]
    assert problem.headers["Content-Type"] == "application/problem+json"
    kind = {"Content-Type": SOAP[version]}
    message = envelope(GetCapabilities(), version)
    fault = await refusal(jp_fetch, "oseo", "", method="POST", body=message, headers=kind)
    assert fault.code == 503 and fault.headers["Retry-After"]
    assert fault.headers["Content-Type"] == SOAP[version] and b"starting" in fault.body


async def test_a_request_waits_for_a_start_that_is_quick_enough(jp_serverapp, jp_fetch, monkeypatch):
    monkeypatch.setattr(state_module, "PATIENCE", 60.0)
    asked = asyncio.ensure_future(jp_fetch("oseo", "api", "v1", ""))
    await start(jp_serverapp)
    assert (await asked).code == 200


async def test_a_failing_start_leaves_the_server_and_says_why(jp_serverapp, jp_fetch, tmp_path, caplog):
    (tmp_path / "collections" / "broken.toml").write_text("id = 1")
    await start(jp_serverapp)
    assert (await jp_fetch("api", "status")).code == 200
    problem = await refusal(jp_fetch, "oseo", "api", "v1", "")
    assert problem.code == 503 and "ConfigurationError" in json.loads(problem.body)["detail"]
    assert str(tmp_path) not in problem.body.decode() and "broken.toml" in caplog.text


async def test_the_authorizer_is_asked_for_the_owner(jp_serverapp, jp_fetch):
    await start(jp_serverapp)
    asked = []

    def deny(handler, user, action, resource):
        asked.append((user.username, action, resource))
        return False

    jp_serverapp.web_app.settings["authorizer"].is_authorized = deny
    problem = await refusal(jp_fetch, "oseo", "api", "v1", "orders")
    assert problem.code == 403 and json.loads(problem.body)["code"] == "AuthorizationFailed"
    body = json_form.encode(order())
    kind = {"Content-Type": "application/json"}
    await refusal(jp_fetch, "oseo", "api", "v1", "orders", method="POST", body=body, headers=kind)
    assert asked == [("local", "read", "oseo_lab:orders"), ("local", "write", "oseo_lab:orders")]
    open_one = await jp_fetch(
        "oseo", "", method="POST", body=envelope(GetCapabilities()), headers={"Content-Type": SOAP[V12]}
    )
    assert open_one.code == 200 and len(asked) == 2
    for message in (GetStatus(order_id="urn:1"), Cancel(order_id="urn:1")):
        kind = {"Content-Type": SOAP[V12]}
        fault = await refusal(jp_fetch, "oseo", "", method="POST", body=envelope(message), headers=kind)
        assert b'exceptionCode="AuthorizationFailed" locator="orderId"' in fault.body


async def test_a_bug_is_logged_with_its_trace_and_answered_with_an_id(jp_serverapp, jp_fetch, caplog):
    extension = await start(jp_serverapp)
    extension._services.context = None
    kind = {"Content-Type": SOAP[V12]}
    fault = await refusal(jp_fetch, "oseo", "", method="POST", body=envelope(GetCapabilities()), headers=kind)
    assert fault.code == 500 and fault.headers["Content-Type"] == SOAP[V12]
    assert b"Traceback" not in fault.body and b"NoneType" not in fault.body
    [incident] = [each for each in caplog.messages if "internal error" in each]
    assert incident.split()[-1].encode() in fault.body
    assert "TypeError" in caplog.text


# ------------------------------------------------------------------------------------------- other identities


class HeaderIdentity(PasswordIdentityProvider):
    """A proxy in front says who it is; whoever has the token is somebody without a name."""

    async def _get_user(self, handler):
        name = handler.request.headers.get("X-Remote-User")
        return User(username=name) if name else await super()._get_user(handler)


class TestHeaderIdentity:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: Config) -> Config:
        return jp_server_config | {
            "ServerApp": {**jp_server_config.ServerApp, "identity_provider_class": HeaderIdentity}
        }

    async def test_the_name_in_the_header_is_the_owner(self, jp_serverapp, http_server_client, jp_base_url):
        await start(jp_serverapp)
        url = f"{jp_base_url}oseo/api/v1/"
        said = await http_server_client.fetch(url, headers={"X-Remote-User": "zoe"})
        assert json.loads(said.body)["owner"] == "zoe"
        nobody = await refusal(http_server_client.fetch, url)
        assert nobody.code == 401

    async def test_a_user_without_a_name_is_the_servers_owner(self, jp_serverapp, jp_fetch):
        await start(jp_serverapp)
        assert json.loads((await jp_fetch("oseo", "api", "v1", "")).body)["owner"] == "local"

    async def test_the_header_does_for_soap_and_a_page_elsewhere_does_not(
        self, jp_serverapp, http_server_client, jp_base_url
    ):
        await start(jp_serverapp)
        ask = {"method": "POST", "body": envelope(GetOptions(collection_id="things"))}
        headers = {"Content-Type": SOAP[V12], "X-Remote-User": "zoe"}
        assert (await http_server_client.fetch(f"{jp_base_url}oseo/", headers=headers, **ask)).code == 200
        elsewhere = headers | {"Origin": "http://evil.example"}
        fault = await refusal(http_server_client.fetch, f"{jp_base_url}oseo/", headers=elsewhere, **ask)
        assert fault.code == 400 and b"another site" in fault.body


# ------------------------------------------------------------------------------------------- configuration


def test_every_setting_is_a_trait_with_help():
    app = OseoLab()
    for name in app.to_settings().__dataclass_fields__:
        trait = app.traits(config=True)[name]
        assert f"OSEO_LAB_{name.upper()}" in trait.help


def test_the_environment_stands_below_configuration(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OSEO_LAB_OWNER", "env")
    monkeypatch.setenv("OSEO_LAB_MAX_BODY", "1000")
    monkeypatch.setenv("OSEO_LAB_DISPATCH", "false")
    app = OseoLab(config=Config({"OseoLab": {"owner": "file"}}))
    settings = app.to_settings()
    assert (settings.owner, settings.max_body, settings.dispatch) == ("file", 1000, False)


def test_a_bad_value_is_named():
    with pytest.raises(ConfigurationError, match="lease must be above 0"):
        OseoLab(lease=0.0, renew=-1.0).to_settings()


def test_jupyter_lists_it_as_ok(tmp_path: Path):
    config = tmp_path / "jupyter_server_config.d"
    config.mkdir()
    (config / "oseo_lab.json").write_text('{"ServerApp": {"jpserver_extensions": {"oseo_lab": true}}}')
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path)}
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    said = listed.stdout + listed.stderr
    line = next(each for each in said.splitlines() if "oseo_lab" in each and "OK" in each)
    assert "0.1.0" in line
