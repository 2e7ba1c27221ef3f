"""``oseo-lab serve``: the whole service headless, in a Jupyter Server that runs no notebooks.

Prints one JSON line when it answers, logs to stderr. Loopback unless told otherwise; the token comes from
the environment, or is made up and stands in the runtime file alone, which only its user can read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oseo_lab.cli.jupyter import without_iris
from oseo_lab.cli.output import FAILED, say, usage

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["serve"]

#: What of Jupyter Server is wanted: who is asking, and to be stopped. No kernels, contents, terminals.
_SERVICES = ("api", "auth", "security", "shutdown")


def serve(
    demo: Annotated[
        bool, typer.Option("--demo", help="With the demo collections, drawn on first use.")
    ] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Orders, results, scratch and keys; in Jupyter's data folder by default."),
    ] = None,
    collections: Annotated[Path | None, typer.Option(help="Folder of collection files (TOML).")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8888,
    ip: Annotated[str, typer.Option(help="Address to listen on; loopback alone by default.")] = "127.0.0.1",
    token: Annotated[
        str | None, typer.Option(help="Better in OSEO_LAB_TOKEN or JUPYTER_TOKEN, where ps does not show it.")
    ] = None,
) -> None:
    """Run the ordering service, without JupyterLab."""
    arguments = [f"--port={port}", f"--ip={ip}", "--no-browser", f"--IdentityProvider.token={_token(token)}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        say("oseo-lab: running as root, which a service need not")
        arguments.append("--allow-root")
    if data_dir is not None:
        arguments.append(f"--OseoLab.data_dir={data_dir.expanduser().absolute()}")
    if demo and collections is not None:
        raise usage("--demo brings its own collections; leave out one of --demo and --collections")
    if demo:
        collections = _demo(data_dir)
    if collections is not None:
        arguments.append(f"--OseoLab.collections={collections.expanduser().absolute()}")
    raise typer.Exit(_run(arguments))


def _token(given: str | None) -> str:
    """Return the token: the option, else a variable of the environment, else a random one.

    Raises
    ------
    typer.BadParameter
        If it is empty: that would let everybody in.
    """
    import secrets

    for name, value in (
        ("--token", given),
        ("OSEO_LAB_TOKEN", os.environ.get("OSEO_LAB_TOKEN")),
        ("JUPYTER_TOKEN", os.environ.get("JUPYTER_TOKEN")),
    ):
        if value is not None:
            if not value.strip():
                raise usage(f"{name} is empty, which would let everybody in; leave it out for a random token")
            return value
    return secrets.token_urlsafe(32)


def _demo(data_dir: Path | None) -> Path:
    """Return the folder of the demo collections, drawn if it is not there."""
    from oseo_lab.cli.operator import operator_settings
    from oseo_lab.demo import make_demo

    return make_demo(operator_settings(data_dir).data_dir / "demo", say=say)


def _run(arguments: list[str]) -> int:
    """Run a Jupyter Server with the extension alone; return the exit code."""
    with without_iris():
        from jupyter_server.serverapp import ServerApp

    class HeadlessServer(ServerApp):
        """A Jupyter Server for one service."""

        name = "jupyter-server"  # so that its configuration files are read
        default_services = _SERVICES  # type: ignore[assignment]

    server = HeadlessServer.instance(jpserver_extensions={"oseo_lab": True})
    server.initialize(argv=arguments, find_extensions=False)
    failed: list[str] = []
    server.io_loop.add_callback(_announce, server, failed)
    server.start()
    return FAILED if failed else 0


async def _announce(server: ServerApp, failed: list[str]) -> None:
    """Print where the service is when it answers; stop if it cannot be started."""
    import json

    from oseo_lab.model.errors import Unavailable
    from oseo_lab.web.state import STATE

    state = server.web_app.settings[STATE]
    while True:
        try:
            await state.services()
            break
        except Unavailable as not_yet:
            if "is starting" not in not_yet.text:
                failed.append(not_yet.text)
                say(f"oseo-lab: {not_yet.text}")
                server.stop()
                return
    base = server.connection_url
    print(json.dumps({"url": base, "soap": f"{base}oseo/"}), flush=True)
