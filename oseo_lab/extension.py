"""The Jupyter Server extension: traits become settings, one rule becomes the doors, a thread starts the rest.

Jupyter Server loads this at every start, so nothing heavy is imported here. When the server's loop runs, a
thread builds the services (store, collections, dispatcher) and opens the doors; until then, and where that
fails, they answer 503 with the reason.
"""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Enum, Float, Integer, List, Unicode, default
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigList, DeferredConfigString

from oseo_lab.model.errors import OseoError
from oseo_lab.settings import Settings
from oseo_lab.web.routing import load_doors, rule
from oseo_lab.web.state import STATE, State

if TYPE_CHECKING:
    from oseo_lab.wiring import Services

__all__ = ["OseoLab"]


class OseoLab(ExtensionApp):
    """OGC OSEO ordering service in Jupyter Server."""

    name = "oseo_lab"
    description = "Order Earth-observation products: an OGC OSEO 1.0 endpoint, its JSON API and its workers."
    extension_url = "/oseo/"
    load_other_extensions = True

    data_dir = Unicode(
        help="Folder of orders, results, scratch and keys; by default oseo_lab in Jupyter's data folder."
    ).tag(config=True)
    database_url = Unicode(help="SQLAlchemy URL of the order store; SQLite in data_dir where empty.").tag(
        config=True
    )
    collections = Unicode(
        help="Folder of collection files (TOML); without one there is nothing to order from."
    ).tag(config=True)
    owner = Unicode(
        "local", help="Whose orders they are on a server that knows its users by one token or password."
    ).tag(config=True)
    title = Unicode(
        "oseo_lab ordering service", help="Title of the service in its capabilities document."
    ).tag(config=True)
    provider_name = Unicode("oseo_lab", help="Who provides the service.").tag(config=True)
    provider_site = Unicode(help="Web site of who provides it.").tag(config=True)
    dask_scheduler = Unicode(
        help="Address of a Dask scheduler, or file: and a scheduler file's path; a LocalCluster where empty."
    ).tag(config=True)
    dask_factory = Dict(
        help="Factory of a Dask cluster: module, class, args, kwargs, as dask-labextension names them."
    ).tag(config=True)
    dask_dashboard = Unicode(
        help="Address of the LocalCluster's dashboard (127.0.0.1:8787), shown to operators; none where empty."
    ).tag(config=True)
    workers = Integer(0, help="Workers of the LocalCluster; 0 for this machine's cores.").tag(config=True)
    threads_per_worker = Integer(1, help="Threads of each worker of the LocalCluster.").tag(config=True)
    trust_network = Bool(False, help="Allow a Dask scheduler outside this machine without TLS.").tag(
        config=True
    )
    executor = Enum(
        ["dask", "inline"], "dask", help="Where items are made: on Dask workers, or inline in this process."
    ).tag(config=True)
    dispatch = Bool(
        True, help="Whether this server works on orders; off for one that only answers requests."
    ).tag(config=True)
    max_in_flight = Integer(200, help="Most items this server has in work at a time.").tag(config=True)
    lease = Float(60.0, help="Seconds for which an item in work is claimed.").tag(config=True)
    renew = Float(20.0, help="Seconds between renewals of claims; shorter than lease.").tag(config=True)
    max_attempts = Integer(4, help="Tries at an item whose failures may pass.").tag(config=True)
    retry_delay = Float(5.0, help="Seconds before the second try; doubled for each further one.").tag(
        config=True
    )
    max_body = Integer(
        16 * 1024 * 1024,
        help="Most bytes of a request; 64 kB where no header (token, HTTP Basic) says who is asking.",
    ).tag(config=True)
    insecure_passwords = Bool(
        False, help="Accept passwords over plain http from other machines. They can be read on the way."
    ).tag(config=True)

    abstract = Unicode(help="What the service is for; said in the capabilities document.").tag(config=True)
    keywords = Unicode(help="Keywords of the service, parted by commas.").tag(config=True)
    fees = Unicode(help="What ordering costs, in words.").tag(config=True)
    access_constraints = Unicode(help="Who may order, in words, parted by commas.").tag(config=True)
    contact_name = Unicode(help="Whom users of the service write to.").tag(config=True)
    contact_position = Unicode(help="What that person does.").tag(config=True)
    contact_phone = Unicode(help="Their telephone number.").tag(config=True)
    languages = Unicode("en", help="Languages of the service's texts, parted by commas.").tag(config=True)
    operators = List(
        Unicode(), help="Owners who may do what operators do; the trait owner, where none is named."
    ).tag(config=True)
    sps_url = Unicode(
        help="Address of the linked Sensor Planning Service; without it tasking orders are refused."
    ).tag(config=True)
    callbacks = Bool(True, help="Whether users are called back about their orders.").tag(config=True)
    callback_hosts = List(
        Unicode(),
        help="Hosts (name, name:port, address or network) that may be called back though they are private.",
    ).tag(config=True)
    callback_tries = Integer(12, help="Tries at sending a message before it is given up.").tag(config=True)
    public_url = Unicode(
        help="Where this service is for programs elsewhere, ending in /oseo/: providers that call back, and "
        "consumers of notifications."
    ).tag(config=True)
    smtp_host = Unicode(help="Mail server that notifications go by; no mail is sent without one.").tag(
        config=True
    )
    smtp_port = Integer(587, help="Port of the mail server.").tag(config=True)
    smtp_user = Unicode(help="By which name the mail server knows this service.").tag(config=True)
    smtp_password_file = Unicode(help="File that holds the password; read at each message.").tag(config=True)
    smtp_from = Unicode(help="Whom mail comes from, name@host.").tag(config=True)
    smtp_tls = Enum(
        ["starttls", "tls", "none"], "starttls", help="How the connection to the mail server is secured."
    ).tag(config=True)
    mail_domains = List(
        Unicode(), help="Where mail may go (lab.example); anywhere, where none is named."
    ).tag(config=True)

    @default("data_dir")
    def _data_dir_default(self) -> str:
        return str(Path(jupyter_data_dir()) / "oseo_lab")

    def __init__(self, **values: Any) -> None:
        config = _said_by_environment()
        config.merge(values.pop("config", None) or {})
        super().__init__(config=config, **values)

    _state: State | None = None
    _starting: threading.Thread | None = None
    _services: Services | None = None

    # --------------------------------------------------------------------------------- into the server

    def initialize_settings(self) -> None:
        """Leave what the doors share in the web application's settings."""
        self._state = State(self.to_settings())
        self.settings[STATE] = self._state
        # signed links open files: no log has them, however mistyped
        hidden = self.settings.get("extra_log_scrub_param_keys", ())
        self.settings["extra_log_scrub_param_keys"] = [*hidden, "signature"]

    def initialize_handlers(self) -> None:
        """Give the web application its rule; doors are loaded with the first request."""
        assert self.serverapp is not None
        application: Any = self.serverapp.web_app
        application.add_handlers(".*$", [rule(application, self.serverapp.base_url, self.name)])

    def to_settings(self) -> Settings:
        """Return the settings that the traits say.

        Raises
        ------
        ConfigurationError
            If a value is out of range.
        """
        values = {each.name: getattr(self, each.name) for each in fields(Settings)}
        values["data_dir"] = Path(values["data_dir"]).expanduser().absolute()
        values |= {name: tuple(values[name]) for name in _LISTS}
        folder = values["collections"]
        values["collections"] = Path(folder).expanduser().absolute() if folder else None
        return Settings.parse(values)

    # ------------------------------------------------------------------------------------ start and stop

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Begin to start the services; called when the loop runs."""
        loop = asyncio.get_running_loop()
        self._starting = threading.Thread(
            target=self._start, args=(loop,), name="oseo_lab start", daemon=True
        )
        self._starting.start()

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Build the services in a thread; what goes wrong is logged and answered, and the server goes on."""
        assert self._state is not None
        try:
            from oseo_lab.web.credentials import KEY_FILE, Credentials
            from oseo_lab.wiring import build

            load_doors()
            services = build(self._state.settings)
            self._services = services
            credentials = Credentials(services.store, services.settings.data_dir / KEY_FILE)
            services.start()
            loop.call_soon_threadsafe(self._arrive, services, credentials)
        except Exception as failure:
            is_known = isinstance(failure, OseoError)
            self.log.error(
                "oseo_lab could not be started and answers 503: %s", failure, exc_info=not is_known
            )
            loop.call_soon_threadsafe(self._state.fail, type(failure).__name__)

    def _arrive(self, services: Any, credentials: Any) -> None:
        from oseo_lab.web.hub import Hub

        assert self._state is not None
        hub = Hub(services.store, self._state.work, services.now)
        services.progress_listeners.append(hub.progress)
        self._state.arrive(services, credentials, hub)
        self.log.info("oseo_lab: %d collections, orders in %s", len(services.collections), self.data_dir)

    async def stop_extension(self) -> None:
        """Finish what is being written, give back what is held, close the store."""
        starting, self._starting = self._starting, None
        if starting is not None:
            await asyncio.to_thread(starting.join)
        if self._state is not None:
            await self._state.close()
        services, self._services = self._services, None
        if services is not None:
            await asyncio.to_thread(services.close)


#: Settings that are lists of names.
_LISTS = ("operators", "callback_hosts", "mail_domains")


def _said_by_environment() -> Config:
    """Return what ``OSEO_LAB_…`` variables say, as configuration below files and the command line.

    Commas part the entries of a list.
    """
    names = [each.name for each in fields(Settings)]
    said = {name: os.environ.get(f"OSEO_LAB_{name.upper()}") for name in names}
    given = {
        name: DeferredConfigList([each for each in text.split(",") if each.strip()])
        if name in _LISTS
        else DeferredConfigString(text)
        for name, text in said.items()
        if text is not None
    }
    return Config({"OseoLab": given} if given else {})


for _field in fields(Settings):
    getattr(OseoLab, _field.name).help += f" Environment: OSEO_LAB_{_field.name.upper()}."
