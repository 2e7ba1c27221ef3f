"""Nothing but this machine: Python processes in which every other address is out of reach.

For notebooks and scripts that promise to need no network: start them with `environment`, and they and their
children refuse, and write down, whatever leaves loopback. Programs that use curl (GDAL) are sent to a proxy
that is not there.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from pathlib import Path

#: File that what was tried is written to.
TRIED = "ONLY_LOOPBACK_TRIED"
_START = """\
import importlib.util
spec = importlib.util.spec_from_file_location("only_loopback", {path!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.block()
"""


def environment(folder: Path) -> dict[str, str]:
    """Return the variables by which a Python process and its children stay on this machine.

    ``folder`` holds what starts the block, and ``tried``: one line for each address somebody asked for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_START.format(path=__file__))
    more = os.environ.get("PYTHONPATH")
    nobody = "http://127.0.0.1:9"
    return {
        "PYTHONPATH": f"{folder}{os.pathsep}{more}" if more else str(folder),
        TRIED: str(folder / "tried"),
        "http_proxy": nobody,
        "https_proxy": nobody,
        "no_proxy": "127.0.0.1,localhost,::1",
    }


def tried(folder: Path) -> list[str]:
    """Return the addresses that were asked for."""
    path = folder / "tried"
    return path.read_text().splitlines() if path.exists() else []


def block() -> None:
    """Refuse, in this process, to connect or send anywhere but to this machine, and to look up names."""
    for name in ("connect", "connect_ex", "sendto"):
        _guard(name)
    look_up = socket.getaddrinfo

    def local_names(host, *rest, **more):
        if not _is_here(host):
            raise socket.gaierror(socket.EAI_NONAME, _refused(host))
        return look_up(host, *rest, **more)

    socket.getaddrinfo = local_names


def _guard(name: str) -> None:
    open_ = getattr(socket.socket, name)

    def guarded(self, *arguments):
        address = arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise OSError(errno.ENETUNREACH, _refused(address[0]))
        return open_(self, *arguments)

    setattr(socket.socket, name, guarded)


def _is_here(host: str | bytes | None) -> bool:
    said = host.decode() if isinstance(host, bytes) else host
    if said in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refused(host: object) -> str:
    if TRIED in os.environ:
        with Path(os.environ[TRIED]).open("a") as file:
            file.write(f"{host}\n")
    return f"only loopback is allowed here, not {host}"
