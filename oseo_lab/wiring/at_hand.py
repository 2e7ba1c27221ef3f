"""Plugins at hand: each made once per collection, on first use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import Problem
from oseo_lab.operations.context import Check
from oseo_lab.plugins import load
from oseo_lab.ports import Catalogue, CheckingProcessor, Notifier, Provider, Quoter, Tasking
from oseo_lab.settings import SMTP, Settings

__all__ = ["Plugins", "notifier"]

_LOG = logging.getLogger(__name__)


class Plugins:
    """What the collections' files name, made as it is asked for.

    Parameters
    ----------
    settings : Settings
        What notifiers need to know.
    collections : mapping of str to Collection
        By id. An unknown id raises KeyError in each of the methods.
    """

    def __init__(self, settings: Settings, collections: Mapping[str, Collection]) -> None:
        self._settings = settings
        self._collections = collections
        self._made: dict[tuple[str, str], Any] = {}
        self._checkers: dict[str, Check | None] = {}

    def catalogue(self, collection_id: str) -> Catalogue:
        """Return a collection's catalogue."""
        one = self._collections[collection_id]
        found: Catalogue = self._plugin("catalogue", one.catalogue, collection_id, one.catalogue_settings)
        return found

    def checker(self, collection_id: str) -> Check | None:
        """Return what says what a collection's processor has against values; None where it does not look.

        A processor that breaks over them is logged, and the item goes to a worker, who tells its user more.
        """
        if collection_id not in self._checkers:
            self._checkers[collection_id] = self._new_checker(self._collections[collection_id])
        return self._checkers[collection_id]

    def checks_values(self, collection_id: str) -> bool:
        """Whether a collection's processor looks at values when they are ordered."""
        return self.checker(collection_id) is not None

    @staticmethod
    def _new_checker(one: Collection) -> Check | None:
        found = load("processor", one.processor)
        processor = found() if isinstance(found, type) else found
        if not isinstance(processor, CheckingProcessor):
            return None

        def check(options: Mapping[str, Any], scene: Mapping[str, Any]) -> Iterable[Problem]:
            try:
                return tuple(processor.check(options, scene))
            except Exception:  # somebody else's code: what it cannot tell is no reason to refuse an order
                _LOG.exception("processor %s could not check what was chosen of %s", one.processor, one.id)
                return ()

        return check

    def quoter(self, collection_id: str) -> Quoter | None:
        """Return a collection's quoter; None where nothing is quoted."""
        one = self._collections[collection_id]
        return self._plugin("quoter", one.quoter, collection_id, one.quoter_settings) if one.quoter else None

    def provider(self, collection_id: str) -> Provider | None:
        """Return the provider a collection's orders are passed on to; None where they are made here."""
        one = self._collections[collection_id]
        if not one.provider_plugin:
            return None
        found: Provider = self._plugin("provider", one.provider_plugin, collection_id, one.provider_settings)
        return found

    def tasking(self, collection_id: str) -> Tasking:
        """Return who knows what became of a collection's tasking requests; KeyError where it takes none."""
        rule = self._collections[collection_id].tasking
        if rule is None:
            raise KeyError(collection_id)
        found: Tasking = self._plugin("tasking", rule.use, collection_id, rule.settings)
        return found

    def notifier(self, kind: str) -> Notifier:
        """Return who sends notices of a kind."""
        found: Notifier = self._once("notifier", kind, lambda: notifier(self._settings, kind))
        return found

    def _plugin(self, kind: str, name: str, collection_id: str, settings: Mapping[str, Any]) -> Any:
        return self._once(kind, collection_id, lambda: load(kind, name)(collection_id, settings))

    def _once(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        found = self._made.get((kind, name))
        if found is None:
            found = self._made[kind, name] = make()
        return found


def notifier(settings: Settings, kind: str) -> Notifier:
    """Make who sends notices of a kind.

    Raises
    ------
    ConfigurationError
        If the operator's ``callback_hosts`` are not what they must be.
    """
    said = {name: getattr(settings, name) for name in ("title", "mail_domains", *SMTP)}
    known = {"hosts": settings.callback_hosts, "url": settings.public_url, **said}
    found: Notifier = load("notifier", kind)(known)
    return found
