"""Starting the service in a process of its own, for the commands that need one beside them."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from oseo_lab.model.errors import ConfigurationError

__all__ = ["Served", "served"]


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running service: where it is and how to be let in."""

    url: str
    soap: str
    token: str


@contextmanager
def served(data_dir: Path, *, log: Path) -> Iterator[Served]:
    """Run the service with the demo collections until the block ends.

    Parameters
    ----------
    data_dir : Path
        Where it keeps orders and results.
    log : Path
        File its log goes to.

    Raises
    ------
    ConfigurationError
        If it does not come up; with the end of its log.
    """
    token = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "oseo_lab", "serve", "--demo", "--port", "0"]
    with log.open("w") as sink:
        process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir)],
            stdout=subprocess.PIPE,
            stderr=sink,
            env=os.environ | {"OSEO_LAB_TOKEN": token},
            text=True,
        )
    assert process.stdout is not None  # a pipe was asked for
    try:
        line = process.stdout.readline()
        if not line:
            raise ConfigurationError(f"the service did not start:\n{log.read_text()[-2000:]}")
        answer = json.loads(line)
        yield Served(url=answer["url"], soap=answer["soap"], token=token)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
