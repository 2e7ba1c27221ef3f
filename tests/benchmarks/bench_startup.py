"""What a start costs: `import oseo_lab` over bare Python, the extension in a Jupyter Server's cold start.

The fastest of interleaved runs count: whatever else a machine does can only add.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import Row

ROUNDS = int(os.environ.get("OSEO_LAB_BENCH_ROUNDS", "9"))
#: Milliseconds that may be added.
IMPORT_ALLOWED, EXTENSION_ALLOWED = 60.0, 80.0


def timed_python(code: str) -> float:
    """Return the milliseconds of a Python that does this and ends."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - start) * 1000


def timed_server(folder: Path, *, with_extension: bool) -> float:
    """Return the milliseconds from starting a Jupyter Server to its first 200."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "OSEO_LAB_DATA_DIR": str(folder / "data"),
    }
    extensions = {
        "oseo_lab": with_extension,
        "jupyterlab": False,
        "jupyter_lsp": False,
        "notebook_shim": False,
    }
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", f"--ServerApp.jpserver_extensions={extensions}"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        while not answers(port):
            if process.poll() is not None or time.perf_counter() - start > 60:
                raise RuntimeError("the Jupyter Server did not start")
            time.sleep(0.002)
        return (time.perf_counter() - start) * 1000
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/api")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def run() -> list[Row]:
    imports, servers = [], []
    for _ in range(ROUNDS * 2):
        bare, ours = timed_python("pass"), timed_python("import oseo_lab")
        imports.append((ours, bare))
    with tempfile.TemporaryDirectory(prefix="oseo-bench-") as folder:
        timed_server(Path(folder), with_extension=True)
        for _ in range(ROUNDS):
            ours = timed_server(Path(folder), with_extension=True)
            servers.append((ours, timed_server(Path(folder), with_extension=False)))
    return [
        row("import oseo_lab, added to bare Python / allowed", imports, IMPORT_ALLOWED),
        row("extension, added to a cold start to the first 200 / allowed", servers, EXTENSION_ALLOWED),
    ]


def row(what: str, pairs: list[tuple[float, float]], allowed: float) -> Row:
    bare = min(bare for _, bare in pairs)
    added = min(ours for ours, _ in pairs) - bare
    return Row(what=what, ours=added, floor=allowed, unit="ms", target=1.0, note=f"without: {bare:.0f} ms")
