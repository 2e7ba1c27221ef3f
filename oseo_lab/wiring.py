"""The one composition root: settings in, running services out. Who knows everybody.

`build` opens the order store, reads the collections, and makes executor, dispatcher and sweeper; nothing
heavy starts before `Services.start`.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from oseo_lab.dispatch.calendar import Calendar
from oseo_lab.dispatch.clockwork import Clockwork
from oseo_lab.dispatch.dispatcher import Dispatcher, Leases
from oseo_lab.dispatch.forwarding import Forwarding
from oseo_lab.dispatch.jobs import Places
from oseo_lab.dispatch.massive import MassiveOrders
from oseo_lab.dispatch.planner import Policy
from oseo_lab.dispatch.presence import Presence
from oseo_lab.dispatch.quoting import Quoting, Seams
from oseo_lab.dispatch.relay import Patience, Relay
from oseo_lab.dispatch.sweeper import Sweeper
from oseo_lab.dispatch.tasking import TaskingDesk
from oseo_lab.encoding.json_form import complete, read_collection
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import ConfigurationError, Problem
from oseo_lab.model.job import Progress
from oseo_lab.model.order import CallbackKind, order_uuid
from oseo_lab.model.quotation import ItemGroupPrice, ProviderName
from oseo_lab.operations import Context, Service
from oseo_lab.operations.order_types import collection_for
from oseo_lab.plugins import load
from oseo_lab.ports import (
    Catalogue,
    Executor,
    Notifier,
    OrderStore,
    Provider,
    Quoter,
    QuoteRequest,
    Tasking,
)
from oseo_lab.settings import Settings
from oseo_lab.store import open_store

__all__ = ["Services", "build", "database_url", "read_collections", "read_key"]

log = logging.getLogger("oseo_lab")

ProgressListener = Callable[[str, int, Progress], None]


@dataclass
class Services:
    """Everything a running service consists of.

    Parameters
    ----------
    settings : Settings
        What it was built from.
    store : OrderStore
        The order store.
    collections : mapping of str to Collection
        By id.
    executor : Executor
        Where items are made.
    dispatcher : Dispatcher
        Moves items on.
    sweeper : Sweeper
        Removes what must go.
    key : bytes
        Signs URLs of results.
    """

    settings: Settings
    store: OrderStore
    collections: Mapping[str, Collection]
    executor: Executor
    dispatcher: Dispatcher
    sweeper: Sweeper
    key: bytes = field(repr=False)
    progress_listeners: list[ProgressListener] = field(default_factory=list)
    _catalogues: dict[str, Catalogue] = field(default_factory=dict)
    _quoters: dict[str, Quoter] = field(default_factory=dict)
    _providers: dict[str, Provider] = field(default_factory=dict)
    _notifiers: dict[str, Notifier] = field(default_factory=dict)
    _taskings: dict[str, Tasking] = field(default_factory=dict)

    def start(self) -> None:
        """Begin working on orders, those left by an earlier life first."""
        if self.settings.dispatch:
            self.dispatcher.start()
            self.sweeper.start()
            self.quoting.start()
            self.forwarding.start()
            self.clockwork.start()
            if self.settings.callbacks:
                self.relay.start()

    def close(self) -> None:
        """Stop working, give back what is held, let go of the store."""
        if self.settings.dispatch:
            self.relay.close()
            self.clockwork.close()
            self.forwarding.close()
            self.quoting.close()
            self.sweeper.close()
            self.dispatcher.close()
            self.executor.close()
        self.store.close()

    def catalogue(self, collection_id: str) -> Catalogue:
        """Return a collection's catalogue.

        Raises
        ------
        KeyError
            If there is no such collection.
        """
        found = self._catalogues.get(collection_id)
        if found is None:
            collection = self.collections[collection_id]
            plugin = load("catalogue", collection.catalogue)
            found = self._catalogues[collection_id] = plugin(collection_id, collection.catalogue_settings)
        return found

    def quoter(self, collection_id: str) -> Quoter | None:
        """Return a collection's quoter; None where nothing is quoted.

        Raises
        ------
        KeyError
            If there is no such collection.
        """
        collection = self.collections[collection_id]
        if not collection.quoter:
            return None
        found = self._quoters.get(collection_id)
        if found is None:
            plugin = load("quoter", collection.quoter)
            found = self._quoters[collection_id] = plugin(collection_id, collection.quoter_settings)
        return found

    def provider(self, collection_id: str) -> Provider | None:
        """Return the provider a collection's orders are passed on to; None where they are made here.

        Raises
        ------
        KeyError
            If there is no such collection.
        """
        collection = self.collections[collection_id]
        if not collection.provider_plugin:
            return None
        found = self._providers.get(collection_id)
        if found is None:
            plugin = load("provider", collection.provider_plugin)
            found = self._providers[collection_id] = plugin(collection_id, collection.provider_settings)
        return found

    def tasking(self, collection_id: str) -> Tasking:
        """Return who knows what became of a collection's tasking requests.

        Raises
        ------
        KeyError
            If there is no such collection, or it takes no tasking orders.
        """
        rule = self.collections[collection_id].tasking
        if rule is None:
            raise KeyError(collection_id)
        found = self._taskings.get(collection_id)
        if found is None:
            found = self._taskings[collection_id] = load("tasking", rule.use)(collection_id, rule.settings)
        return found

    @cached_property
    def calendar(self) -> Calendar:
        """What looks through catalogues for standing orders."""
        return Calendar(
            store=self.store,
            collections=self.collections,
            catalogue=self.catalogue,
            now=_now,
            wake=self.dispatcher.wake,
        )

    @cached_property
    def clockwork(self) -> Clockwork:
        """What lets those who wait for the world outside do what is due."""
        store, collections, wake = self.store, self.collections, self.dispatcher.wake
        massive = MassiveOrders(
            store=store, collections=collections, catalogue=self.catalogue, now=_now, wake=wake
        )
        tasking = TaskingDesk(store=store, collections=collections, tasking=self.tasking, now=_now, wake=wake)
        return Clockwork((self.calendar, massive, tasking))

    @cached_property
    def forwarding(self) -> Forwarding:
        """What passes items on to those who make them elsewhere, and follows them there."""
        settings = self.settings
        return Forwarding(
            name=self.dispatcher.name,
            store=self.store,
            providers=self.provider,
            policy=Policy(retry_delay=settings.retry_delay),
            collections=self.collections,
            now=_now,
            callback=f"{settings.public_url.rstrip('/')}/callback" if settings.public_url else None,
        )

    @cached_property
    def quoting(self) -> Quoting:
        """What makes quotations: in its own loop, and at once for those who ask."""
        settings = self.settings
        seams = Seams(
            collection_for=partial(collection_for, context=self.context(None, url="")),
            quote=self._quote,
            find=lambda collection_id, identifiers: self.catalogue(collection_id).find(identifiers),
            provider=ProviderName(service_name=settings.title[:40], organization=settings.provider_name[:40]),
        )
        return Quoting(store=self.store, seams=seams, now=_now)

    def _quote(self, request: QuoteRequest) -> list[ItemGroupPrice] | None:
        """Ask the collection's quoter; without one the provider that makes its items."""
        quoter = self.quoter(request.collection.id)
        if quoter is not None:
            return list(quoter(request))
        provider = self.provider(request.collection.id)
        return None if provider is None else list(provider.quote(request))

    @cached_property
    def relay(self) -> Relay:
        """What sends notices to users."""
        return Relay(
            store=self.store,
            send=lambda notice: self._notifier(notice.kind)(notice),
            patience=Patience(tries=self.settings.callback_tries),
            now=_now,
        )

    def _notifier(self, kind: str) -> Notifier:
        found = self._notifiers.get(kind)
        if found is None:
            found = self._notifiers[kind] = _notifier(self.settings, kind)
        return found

    def wake(self) -> None:
        """Tell everything that waits for work that there is some; what nothing is for here sleeps on."""
        self.dispatcher.wake()
        if any(each.quoter or each.provider_plugin for each in self.collections.values()):
            self.quoting.wake()
        if any(each.provider_plugin for each in self.collections.values()):
            self.forwarding.wake()
        self.calendar.stir()

    def is_operator(self, owner: str | None) -> bool:
        """Whether an owner may do what operators do."""
        return owner is not None and owner in (self.settings.operators or (self.settings.owner,))

    def context(
        self,
        owner: str | None,
        *,
        url: str,
        message_id: str | None = None,
        reply_to: str | None = None,
        soap_version: str = "1.2",
    ) -> Context:
        """Return the surroundings of one request.

        Parameters
        ----------
        owner : str or None
            Whose request it is.
        url : str
            Where this service is for whoever asks, ending in ``/oseo/``.
        message_id : str or None
            ``wsa:MessageID``, if it has one.
        reply_to : str or None
            ``wsa:ReplyTo/wsa:Address``, if it has one.
        soap_version : str
            ``1.1`` or ``1.2``: as the request came.
        """
        settings = self.settings
        return Context(
            owner=owner,
            store=self.store,
            collections=self.collections,
            service=self.service,
            wake=self.wake,
            now=_now,
            url=url,
            link=partial(self._link, url),
            message_id=message_id,
            reply_to=reply_to,
            soap_version=soap_version,
            callbacks=settings.callbacks,
            sps_url=settings.sps_url or None,
            is_operator=self.is_operator(owner),
            catalogue=self.catalogue,
            quoter=self.quoter,
            quote=lambda record: self.quoting.made(record, is_last=False),
            would_match=self.calendar.would_match,
            announce=self.calendar.announce,
            update_sequence=self._sequence,
        )

    @cached_property
    def service(self) -> Service:
        """What the capabilities document says of the service itself."""
        settings = self.settings
        return Service(
            title=settings.title,
            abstract=settings.abstract or None,
            keywords=_listed(settings.keywords),
            fees=settings.fees or None,
            access_constraints=_listed(settings.access_constraints),
            languages=_listed(settings.languages),
            provider_name=settings.provider_name,
            provider_site=settings.provider_site or None,
            contact_name=settings.contact_name or None,
            contact_position=settings.contact_position or None,
            contact_phone=settings.contact_phone or None,
        )

    @cached_property
    def _sequence(self) -> Sequence:
        return Sequence(self.settings.data_dir / "capabilities")

    def _link(self, url: str, order_id: str, number: int, name: str, expires: datetime | None) -> str:
        path = f"files/{order_uuid(order_id)}/{number}/{quote(name)}"
        if expires is None:
            return f"{url}{path}"
        until = int(expires.timestamp())
        return f"{url}{path}?expires={until}&signature={self.sign(path, until)}"

    def sign(self, path: str, expires: int) -> str:
        """Return the signature of a result's path (``files/…``) that holds until ``expires`` (Unix time)."""
        return hmac.new(self.key, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def verify(self, path: str, expires: int, signature: str) -> bool:
        """Whether a signature is ours and its time is not over."""
        good = hmac.compare_digest(self.sign(path, expires).encode(), signature.encode())
        return good and expires >= time.time()


class Sequence:
    """Numbers the versions of a document; the number is kept in a file, so that restarts do not reuse one.

    Parameters
    ----------
    path : Path
        Holds the number and the fingerprint of the newest version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._newest: tuple[str, str] | None = None

    def __call__(self, content: str) -> str:
        """Return the number of a version, by its fingerprint: the newest one's, or the next."""
        newest = self._newest
        if newest is None or newest[1] != content:
            with self._lock:
                newest = self._newest = self._number(content)
        return newest[0]

    def _number(self, content: str) -> tuple[str, str]:
        number, _, known = self._path.read_text().partition(" ") if self._path.exists() else ("0", "", "")
        if known == content:
            return number, content
        number = str(int(number) + 1)
        fresh = self._path.with_name(f".{self._path.name}-{uuid4().hex}")
        fresh.write_text(f"{number} {content}")
        fresh.replace(self._path)
        return number, content


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def build(settings: Settings) -> Services:
    """Build the services; starts nothing.

    Raises
    ------
    ConfigurationError
        If a collection file, a plugin or the store is not as it must be.
    """
    for folder in (settings.data_dir, settings.results_dir, settings.scratch_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # results are their owners' alone
    collections = read_collections(settings.collections)
    if settings.callback_hosts:
        _notifier(settings, CallbackKind.SUBMIT_RESPONSE)  # so that a wrong entry is heard of now
    store = open_store(database_url(settings))
    executor = _executor(settings)
    places = Places(results=settings.results_dir.as_uri(), scratch=settings.scratch_dir.as_uri())
    listeners: list[ProgressListener] = []

    def tell(order_id: str, number: int, progress: Progress) -> None:
        for listener in tuple(listeners):
            listener(order_id, number, progress)

    name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    dispatcher = Dispatcher(
        name=name,
        store=store,
        executor=executor,
        collections=collections,
        places=places,
        policy=Policy(max_attempts=settings.max_attempts, retry_delay=settings.retry_delay),
        leases=Leases(max_in_flight=settings.max_in_flight, lease=settings.lease, renew=settings.renew),
        now=_now,
        on_progress=tell,
        presence=Presence(settings.data_dir / "dispatchers" / socket.gethostname(), name),
    )
    return Services(
        settings=settings,
        store=store,
        collections=collections,
        executor=executor,
        dispatcher=dispatcher,
        sweeper=Sweeper(store=store, results=settings.results_dir, scratch=settings.scratch_dir, now=_now),
        key=read_key(settings.data_dir / "keys" / "urls"),
        progress_listeners=listeners,
    )


def _notifier(settings: Settings, kind: str) -> Notifier:
    found: Notifier = load("notifier", kind)({"hosts": settings.callback_hosts, "url": settings.public_url})
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def database_url(settings: Settings) -> str:
    """Return the store's URL: as set, or SQLite in the data folder."""
    return settings.database_url or f"sqlite:///{settings.data_dir / 'orders.sqlite'}"


def _executor(settings: Settings) -> Executor:
    if settings.executor == "inline":
        from oseo_lab.executors.inline import InlineExecutor

        return InlineExecutor()
    from oseo_lab.executors.dask import DaskExecutor

    return DaskExecutor(
        scheduler=settings.dask_scheduler,
        factory=settings.dask_factory,
        workers=settings.workers,
        threads_per_worker=settings.threads_per_worker,
        scratch=settings.scratch_dir,
        trust_network=settings.trust_network,
    )


def read_collections(folder: Path | None) -> dict[str, Collection]:
    """Read every collection file (``*.toml``) of a folder, by collection id.

    Raises
    ------
    ConfigurationError
        With every problem of every file, each naming file and key.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder of collections at {folder}")
    found: dict[str, Collection] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            file = read_collection(path.read_text(encoding="utf-8"), folder=folder)
            processor = load("processor", file.processor)
            load("catalogue", file.catalogue)
            collection = complete(file, processor.options, processor.scene_options)
            _try_quoter(collection)
            _try_provider(collection, found)
            _try_tasking(collection)
        except ConfigurationError as wrong:
            problems += [
                Problem(code=each.code, locator=each.locator, text=f"{path.name}: {each.text}")
                for each in wrong.problems
            ]
            continue
        if collection.id in found:
            problems.append(
                Problem(
                    code="NoApplicableCode", locator="id", text=f"{path.name}: id {collection.id} is taken"
                )
            )
        found[collection.id] = collection
    if problems:
        raise ConfigurationError("\n".join(each.text for each in problems), problems=problems)
    return found


def _try_tasking(collection: Collection) -> None:
    """Make a collection's tasking plugin once, so that what is wrong with it is said at start.

    Raises
    ------
    ConfigurationError
        If there is none of that name, or its settings are wrong.
    """
    if collection.tasking is not None:
        load("tasking", collection.tasking.use)(collection.id, collection.tasking.settings)


def _try_quoter(collection: Collection) -> None:
    """Make a collection's quoter once, so that what is wrong with it is said at start.

    Raises
    ------
    ConfigurationError
        With everything wrong with its settings, and with what they say of the collection.
    """
    if not collection.quoter:
        return
    quoter = load("quoter", collection.quoter)(collection.id, collection.quoter_settings)
    check = getattr(quoter, "problems", None)  # what only some quoters have
    wrong = [] if check is None else list(check(collection))
    if wrong:
        problems = [Problem(code="NoApplicableCode", locator="quotation", text=each) for each in wrong]
        raise ConfigurationError("\n".join(wrong), problems=problems)


def _try_provider(collection: Collection, others: Mapping[str, Collection]) -> None:
    """Make a collection's provider once, so that what is wrong with it is said at start.

    Raises
    ------
    ConfigurationError
        If its settings are wrong, its name is another collection's provider too (an order is one provider
        order there), or it should fulfil standing orders.
    """
    if not collection.provider_plugin:
        return
    load("provider", collection.provider_plugin)(collection.id, collection.provider_settings)
    same = [each.id for each in others.values() if each.provider == collection.provider]
    if same:
        raise ConfigurationError(
            f"provider {collection.provider!r} is that of {same[0]} already: a mounted collection has its own"
        )
    if collection.subscription is not None or collection.tasking is not None:
        raise ConfigurationError(
            "a mounted collection takes product orders only: leave [subscription] and [tasking] out"
        )


def read_key(path: Path) -> bytes:
    """Return the secret of a key file, made on first use and readable by its owner alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f".{path.name}-{uuid4().hex}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        with suppress(FileExistsError):  # another process was first: its key holds
            os.link(fresh, path)
        fresh.unlink()
    return path.read_bytes()
