"""One service in this process: its doors in a thread with a loop of its own, its workers in others.

The caller's loop, if it has one (a kernel has), is left alone; no signal is taken, no singleton made. The
doors listen on loopback alone, on a port that was free, and know one random token.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tornado.netutil import bind_sockets

from oseo_lab.at_home.clock import Clock
from oseo_lab.at_home.doors import make_server
from oseo_lab.model.errors import Unavailable
from oseo_lab.settings import Settings
from oseo_lab.web.credentials import KEY_FILE, Credentials
from oseo_lab.web.hub import Hub
from oseo_lab.web.state import State
from oseo_lab.wiring import Services, build

if TYPE_CHECKING:
    from oseo_lab.ports import Executor

__all__ = ["WORKERS", "HomeService"]

# in a notebook nobody reads a server's log: oseo_lab.debug() and logging's own means bring it back
logging.getLogger("oseo_lab").addHandler(logging.NullHandler())

#: Threads that make items.
WORKERS = 2
#: Seconds that a start, and goodbyes, may take.
PATIENCE = 60.0


class HomeService:
    """A service in this process, from `start` until `close` or the end of the process.

    Parameters
    ----------
    collections : Path or None
        Folder of collection files.
    data_dir : Path, optional
        Where orders and results are kept; a temporary folder, removed at the end, without one.
    settings : mapping, optional
        Further settings, by name (`oseo_lab.settings.Settings`).

    Raises
    ------
    ConfigurationError
        If a setting is unknown or out of range.

    Attributes
    ----------
    url, token : str
        Where it is once it is started, and who says it is the owner.
    clock : Clock
        Which time it is for it.
    """

    def __init__(
        self,
        collections: Path | None,
        *,
        data_dir: Path | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self._temporary = None if data_dir else Path(tempfile.mkdtemp(prefix="oseo_lab-"))
        folder = (data_dir or self._temporary or Path()).expanduser().absolute()
        usual = {"executor": "inline", "threads_per_worker": WORKERS, "title": "oseo_lab in this process"}
        self.settings = Settings.parse(
            {**usual, **(settings or {}), "data_dir": folder, "collections": collections}
        )
        self.clock = Clock()
        self.token = secrets.token_urlsafe(24)
        self.url = ""
        self._port = 0
        self._services: Services | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stopping = threading.Lock()
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    @property
    def services(self) -> Services:
        """The running services, for tests and experts.

        Raises
        ------
        Unavailable
            If it was not started, or is closed.
        """
        if self._services is None:
            raise Unavailable("the service in this process is not running: start it, or connect again")
        return self._services

    @property
    def facts(self) -> dict[str, str]:
        """What there is to say of it: where it is, who works, what can be ordered, which time it is."""
        if self._services is None:
            return {"server": "in this process, ended"}
        names = self._services.collections
        store = "temporary store" if self._temporary else f"store in {self.settings.data_dir}"
        return {
            "server": f"in this process, {store}",
            "workers": f"{self.settings.threads_per_worker} threads of this process",
            "collections": f"{len(names)}: {', '.join(names)}" if names else "none",
            "clock": str(self.clock),
        }

    # -------------------------------------------------------------------------------------- start and stop

    def start(self) -> Self:
        """Build everything and open the doors; returns when they answer.

        Raises
        ------
        ConfigurationError
            If a collection file or the store is not as it must be.
        """
        self._ready.clear()
        self._failure = None
        try:
            self._services = build(self.settings, clock=self.clock, executor=self._executor())
            self._begin(self._services)
            self._thread = threading.Thread(target=self._run, name="oseo_lab at home", daemon=True)
            self._thread.start()
            if not self._ready.wait(PATIENCE):
                raise Unavailable(f"the service in this process did not start within {PATIENCE:g} s")
            if self._failure is not None:
                raise self._failure
        except BaseException:
            self.close()
            raise
        atexit.register(self.close)
        return self

    @property
    def _is_copy(self) -> bool:
        """Whether this process was forked off the service's: the doors and files are not its own to close."""
        return os.getpid() != self._process

    def stop(self) -> None:
        """Close the doors and end the work; `start` goes on with what is stored, at the same address."""
        if self._is_copy:
            return
        with self._stopping:
            atexit.unregister(self.close)
            thread, self._thread = self._thread, None
            if thread is not None and self._loop is not None and self._over is not None:
                with suppress(RuntimeError):  # the loop has ended by itself
                    self._loop.call_soon_threadsafe(self._over.set)
                thread.join(PATIENCE)
            services, self._services = self._services, None
            if services is not None:
                services.close()

    def close(self) -> None:
        """Stop, and remove what was temporary; a second time does nothing."""
        self.stop()
        if self._temporary is not None and not self._is_copy:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _executor(self) -> Executor | None:
        """Return where items are made; None for where the settings say."""
        return None

    def _begin(self, services: Services) -> None:
        """Begin to work on orders."""
        services.start()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve(self.services))
        except BaseException as failure:  # raised again by whoever waits for the start
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self, services: Services) -> None:
        """Answer until it is over."""
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        state = State(self.settings)
        server = make_server(state, self.token)
        sockets = bind_sockets(self._port, "127.0.0.1")
        try:
            server.add_sockets(sockets)
            hub = Hub(services.store, state.work, services.now)
            services.progress_listeners.append(hub.progress)
            key_file = self.settings.data_dir / KEY_FILE
            state.arrive(services, Credentials(services.store, key_file, self.clock), hub)
            self._port = sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{self._port}/"
            self._ready.set()
            await self._over.wait()
        finally:
            server.stop()
            await state.close()
            await server.close_all_connections()
