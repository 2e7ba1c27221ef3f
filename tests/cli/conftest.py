"""A service in a process of its own, and the command line in this one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oseo_lab.cli import main
from tests.acceptance.serving import TOKEN, Server
from tests.client.scenes import make_collections

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_collections(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, collections: Path) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("served"), collections=collections, executor="inline").start()
    yield started
    started.stop()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a runner of one command: exit code, stdout, stderr."""
    monkeypatch.setenv("OSEO_LAB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)

    def command(*words: object, stdin: str = "") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["oseo-lab", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", _Stdin(stdin))
        try:
            main()
            code: object = 0
        except SystemExit as ended:
            code = ended.code or 0
        out, err = capsys.readouterr()
        assert isinstance(code, int)
        return code, out, err

    return command


class _Stdin:
    """What a pipe hands over."""

    def __init__(self, text: str) -> None:
        self._lines = iter(text.splitlines(keepends=True))

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def readline(self) -> str:
        return next(self._lines, "")

    def isatty(self) -> bool:
        return False


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, server: Server) -> Server:
    """The service, named by the environment as a user would."""
    monkeypatch.setenv("OSEO_LAB_URL", server.url)
    monkeypatch.setenv("OSEO_LAB_TOKEN", TOKEN)
    return server
