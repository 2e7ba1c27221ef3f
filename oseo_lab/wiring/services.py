"""The running services: everything made of one another, on first use, and the surroundings of a request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial

from oseo_lab.dispatch.calendar import Calendar
from oseo_lab.dispatch.clockwork import Clockwork
from oseo_lab.dispatch.dispatcher import Dispatcher
from oseo_lab.dispatch.expiring import Warner
from oseo_lab.dispatch.forwarding import Forwarding
from oseo_lab.dispatch.massive import MassiveOrders
from oseo_lab.dispatch.planner import Policy
from oseo_lab.dispatch.quoting import Quoting, Seams
from oseo_lab.dispatch.relay import Patience, Relay
from oseo_lab.dispatch.sweeper import Sweeper
from oseo_lab.dispatch.tasking import TaskingDesk
from oseo_lab.model.collection import Collection
from oseo_lab.model.job import Progress
from oseo_lab.model.quotation import ItemGroupPrice, ProviderName
from oseo_lab.operations import Context, Service
from oseo_lab.operations.order_types import collection_for
from oseo_lab.ports import Catalogue, Executor, OrderStore, QuoteRequest
from oseo_lab.settings import Settings
from oseo_lab.wiring.at_hand import Plugins
from oseo_lab.wiring.links import Links
from oseo_lab.wiring.running import Running
from oseo_lab.wiring.sequence import Sequence

__all__ = ["ProgressListener", "Services", "now"]

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
    links : Links
        Signs URLs of results.
    now : callable
        The clock, UTC.
    """

    settings: Settings
    store: OrderStore
    collections: Mapping[str, Collection]
    executor: Executor
    dispatcher: Dispatcher
    sweeper: Sweeper
    links: Links = field(repr=False)
    progress_listeners: list[ProgressListener] = field(default_factory=list)
    running: Running = field(default_factory=Running)
    now: Callable[[], datetime] = field(default_factory=lambda: now, repr=False)

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
        return self.plugins.catalogue(collection_id)

    def checks_values(self, collection_id: str) -> bool:
        """Whether a collection's processor looks at values when they are ordered."""
        return self.plugins.checks_values(collection_id)

    @cached_property
    def plugins(self) -> Plugins:
        """What the collections' files name, each made once."""
        return Plugins(self.settings, self.collections)

    @cached_property
    def calendar(self) -> Calendar:
        """What looks through catalogues for standing orders."""
        return Calendar(
            store=self.store,
            collections=self.collections,
            catalogue=self.plugins.catalogue,
            now=self.now,
            wake=self.dispatcher.wake,
        )

    @cached_property
    def clockwork(self) -> Clockwork:
        """What lets those who wait for the world outside do what is due."""
        store, collections, wake = self.store, self.collections, self.dispatcher.wake
        massive = MassiveOrders(
            store=store, collections=collections, catalogue=self.plugins.catalogue, now=self.now, wake=wake
        )
        tasking = TaskingDesk(
            store=store, collections=collections, tasking=self.plugins.tasking, now=self.now, wake=wake
        )
        return Clockwork((self.calendar, massive, tasking, Warner(store=store, now=self.now)))

    @cached_property
    def forwarding(self) -> Forwarding:
        """What passes items on to those who make them elsewhere, and follows them there."""
        settings = self.settings
        return Forwarding(
            name=self.dispatcher.name,
            store=self.store,
            providers=self.plugins.provider,
            policy=Policy(retry_delay=settings.retry_delay),
            collections=self.collections,
            now=self.now,
            callback=f"{settings.public_url.rstrip('/')}/callback" if settings.public_url else None,
        )

    @cached_property
    def quoting(self) -> Quoting:
        """What makes quotations: in its own loop, and at once for those who ask."""
        settings = self.settings
        seams = Seams(
            collection_for=partial(collection_for, context=self.context(None, url="")),
            quote=self._quote,
            find=lambda collection_id, identifiers: self.plugins.catalogue(collection_id).find(identifiers),
            provider=ProviderName(service_name=settings.title[:40], organization=settings.provider_name[:40]),
        )
        return Quoting(store=self.store, seams=seams, now=self.now)

    def _quote(self, request: QuoteRequest) -> list[ItemGroupPrice] | None:
        """Ask the collection's quoter; without one the provider that makes its items."""
        quoter = self.plugins.quoter(request.collection.id)
        if quoter is not None:
            return list(quoter(request))
        provider = self.plugins.provider(request.collection.id)
        return None if provider is None else list(provider.quote(request))

    @cached_property
    def relay(self) -> Relay:
        """What sends notices to users."""
        return Relay(
            store=self.store,
            send=lambda notice: self.plugins.notifier(notice.kind)(notice),
            patience=Patience(tries=self.settings.callback_tries),
            now=self.now,
        )

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
            now=self.now,
            url=url,
            link=partial(self.links.link, url),
            message_id=message_id,
            reply_to=reply_to,
            soap_version=soap_version,
            callbacks=settings.callbacks,
            mail=bool(settings.smtp_host),
            mail_domains=settings.mail_domains,
            sps_url=settings.sps_url or None,
            is_operator=self.is_operator(owner),
            catalogue=self.plugins.catalogue,
            quoter=self.plugins.quoter,
            quote=lambda record: self.quoting.at_once(record),
            checker=self.plugins.checker,
            would_match=self.calendar.would_match,
            announce=self.calendar.announce,
            update_sequence=self._sequence,
            progress=self.running.of,
            workers=self.workers,
            heard=self.dispatcher.heard,
            disk=self.disk_free,
            dashboard=lambda: getattr(self.executor, "dashboard", None),
        )

    @property
    def instance(self) -> str:
        """A name of this service that is the same after a restart, and no other service's."""
        return self.links.instance

    def disk_free(self) -> float | None:
        """Return which part of the disk that holds data and results is free; None where it cannot be said."""
        with suppress(OSError):
            usage = shutil.disk_usage(self.settings.data_dir)
            return usage.free / usage.total
        return None

    @property
    def workers(self) -> int:
        """How many items can be made at a time; 0 where somebody else's cluster makes them."""
        settings = self.settings
        if settings.executor == "inline":
            return settings.threads_per_worker
        if settings.dask_scheduler or settings.dask_factory:
            return 0
        return (settings.workers or os.cpu_count() or 1) * settings.threads_per_worker

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

    def sign(self, path: str, expires: int) -> str:
        """Return the signature of a result's path (``files/…``) that holds until ``expires`` (Unix time)."""
        return self.links.sign(path, expires)

    def verify(self, path: str, expires: int, signature: str) -> bool:
        """Whether a signature is ours and its time is not over."""
        return self.links.verify(path, expires, signature)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)
