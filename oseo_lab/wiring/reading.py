"""Collection files become collections: each with its plugins tried, every problem of every file said at once.

What is wrong with a plugin's settings is heard of at start, not in an order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from oseo_lab.encoding.json_form import CollectionFile, complete, read_collection
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import ConfigurationError, Problem
from oseo_lab.plugins import load
from oseo_lab.ports import Catalogue

__all__ = ["read_collections", "try_catalogue"]


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
            try_catalogue(file)
            collection = complete(
                file, processor.options, processor.scene_options, getattr(processor, "rules", ())
            )
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


def try_catalogue(file: CollectionFile) -> Catalogue:
    """Make a collection's catalogue once, so that what is wrong with its settings is said at start.

    Nobody is asked: a server that is away now may be there when its products are searched.

    Raises
    ------
    ConfigurationError
        If there is none of that name, or its settings are wrong.
    """
    make = load("catalogue", file.catalogue)
    try:
        made: Catalogue = make(file.id, file.catalogue_settings)
    except KeyError as missing:
        raise ConfigurationError(
            f"catalogue.{missing.args[0]} is missing; {file.catalogue} needs it"
        ) from None
    except (TypeError, ValueError) as wrong:
        raise ConfigurationError(f"catalogue: {file.catalogue} does not take this: {wrong}") from None
    return made


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
