"""A real JupyterHub: a user's server that has the service, and a service of the Hub for those that have not.

JupyterHub is not among what the tests install: ``OSEO_LAB_TEST_JUPYTERHUB`` names a Python that has it
beside this package. No proxy runs: a kernel reaches its own server, and the Hub's service where it listens.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.acceptance.serving import wait_until
from tests.ports import free_port

HUB_PYTHON = os.environ.get("OSEO_LAB_TEST_JUPYTERHUB", "")
pytestmark = pytest.mark.skipif(
    not HUB_PYTHON, reason="OSEO_LAB_TEST_JUPYTERHUB names no Python with JupyterHub"
)

TOKEN = "a token of these tests, long enough"
CONFIG = """
import sys
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import SimpleLocalProcessSpawner

class NoProxy(Proxy):
    should_start = False
    routes = {{}}
    async def add_route(self, routespec, target, data):
        self.routes[routespec] = dict(routespec=routespec, target=target, data=data)
    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)
    async def get_all_routes(self):
        return dict(self.routes)
    async def check_routes(self, *_, **__):
        pass

class Spawner(SimpleLocalProcessSpawner):
    home_dir_template = "{folder}/home/{{username}}"
    def user_env(self, env):
        return env | dict(HOME=self.home_dir, JUPYTER_RUNTIME_DIR=self.home_dir + "/runtime")

SERVER = [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root", "--OseoLab.executor=inline"]
WITH, WITHOUT = ("--ServerApp.jpserver_extensions={{'oseo_lab': %s, 'jupyterlab': False}}" % each
                 for each in (True, False))
PLAIN = {{"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp"}}
c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = "http://127.0.0.1:{public}/"
c.JupyterHub.public_url = "http://127.0.0.1:{service}/"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = Spawner
c.Spawner.cmd = SERVER
c.Spawner.args = [WITH if {has_service} else WITHOUT]
c.Spawner.environment = PLAIN
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.JupyterHub.services = [
    {{"name": "tests", "api_token": "{token}"}},
    {{"name": "oseo-lab", "url": "http://127.0.0.1:{service}", "command": [*SERVER, WITH],
      "environment": PLAIN | dict(HOME="{folder}/service", JUPYTER_RUNTIME_DIR="{folder}/service/runtime")}},
]
MAY = "access:services!service=oseo-lab"
c.JupyterHub.load_roles = [
    {{"name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers"]}},
    {{"name": "server", "scopes": ["users:activity!user", "access:servers!server", MAY]}},
    {{"name": "user", "scopes": ["self", MAY]}},
]
"""

KERNEL = """
import json, oseo_lab as oseo
lab = oseo.connect()
print(json.dumps({"url": lab.transport.url, "owner": lab.owner, "orders": len(list(lab.orders))}))
"""


@pytest.fixture(params=[True, False], ids=["in the user's server", "as a service of the Hub"])
def hub(request, tmp_path: Path):
    """A Hub, and whether its users' own servers have the service."""
    ports = {each: free_port() for each in ("public", "service", "hub")}
    config = CONFIG.format(folder=tmp_path, token=TOKEN.replace(" ", "-"), has_service=request.param, **ports)
    (tmp_path / "config.py").write_text(config)
    (tmp_path / "home").mkdir()
    (tmp_path / "service").mkdir()
    command = [HUB_PYTHON, "-m", "jupyterhub", "-f", str(tmp_path / "config.py")]
    with (tmp_path / "hub.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    headers = {"Authorization": f"token {TOKEN.replace(' ', '-')}"}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{ports['hub']}/hub/api", headers=headers, timeout=90
    ) as client:
        try:
            yield client, process, request.param
        finally:
            children = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            process.wait(30)
            for each in children:
                if each.is_running():
                    each.terminate()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code == 200
    except httpx.TransportError:
        return False


def kernel_environment(process: subprocess.Popen) -> dict[str, str]:
    """What a kernel of the user's server inherits."""
    for child in psutil.Process(process.pid).children(recursive=True):
        found = child.environ()
        if found.get("JUPYTERHUB_USER") == "anna":
            return found
    raise AssertionError("no server of anna's runs")


def test_a_kernel_behind_a_hub_finds_the_service_and_orders_as_its_user(hub) -> None:
    client, process, has_service = hub
    wait_until(lambda: answers(client), timeout=120)
    client.post("/users/anna").raise_for_status()
    client.post("/users/anna/server").raise_for_status()
    wait_until(lambda: client.get("/users/anna").json()["servers"].get("", {}).get("ready"), timeout=120)
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env=kernel_environment(process),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["owner"] == "anna" and told["orders"] == 0
    assert ("/user/anna/" if has_service else "/services/oseo-lab/") in told["url"]
