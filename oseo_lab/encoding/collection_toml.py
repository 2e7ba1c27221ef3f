"""Collection files: an operator's TOML, one collection a file, read whole and said whole when wrong.

`read_collection` checks a file by itself; `complete` joins it with the options its processor declares
(`collection_options`) and gives the `Collection` that every operation reads. `collection_schema` is the same
description as JSON Schema, for editors.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from oseo_lab.encoding.collection_options import OptionTable, check_options, merge_options, settle_fixed
from oseo_lab.encoding.collection_patterns import check_pattern
from oseo_lab.encoding.json_read import from_plain
from oseo_lab.model.collection import Collection, DeliveryRule, OptionLevel, Scope
from oseo_lab.model.delivery import REFUSED_PACKAGING, Packaging, Protocol
from oseo_lab.model.errors import ConfigurationError, Problem, ValidationError
from oseo_lab.model.options import OptionDefinition
from oseo_lab.model.order import LOCAL

__all__ = ["CollectionFile", "collection_schema", "complete", "read_collection"]

#: Protocols that on-line data access is served by.
ACCESS = (Protocol.HTTP, Protocol.HTTPS)
_PACKAGING = tuple(each for each in Packaging if each not in REFUSED_PACKAGING)
_PLUGIN = re.compile(r"[A-Za-z0-9_.-]{1,100}(:[A-Za-z0-9_.]{1,100})?")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: Keys of [catalogue] that name a file or folder.
_PATHS = ("href", "root")


@dataclass(frozen=True, kw_only=True)
class CollectionFile:
    """A collection file that is right by itself, before its processor has had its say.

    Fields are those of `Collection`; ``tables`` are the operator's [[options]].
    """

    id: str
    title: str = ""
    description: str = ""
    provider: str = LOCAL
    processor: str = "copy"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    catalogue: str = "folder"
    catalogue_settings: Mapping[str, Any] = field(default_factory=dict)
    pattern: str = ".+"
    delivery: DeliveryRule = field(default_factory=DeliveryRule)
    tables: tuple[OptionTable, ...] = ()
    max_items: int = 10_000
    max_bytes: int | None = None
    automatic: bool = True


# ------------------------------------------------------------------------------- the shape of a file: checks


def _plugin(name: str) -> str:
    if not _PLUGIN.fullmatch(name):
        raise ValueError(f"{name[:100]!r} is no plugin; allowed: an entry-point name, or module:attr")
    return name


def _access(protocols: tuple[Protocol, ...]) -> tuple[Protocol, ...]:
    wrong = [each for each in protocols if each not in ACCESS]
    if wrong or not protocols:
        shown = ", ".join(wrong) or "an empty list"
        raise ValueError(f"{shown} is not served; allowed: {', '.join(ACCESS)}")
    return protocols


def _packaging(containers: tuple[Packaging, ...]) -> tuple[Packaging, ...]:
    wrong = [each for each in containers if each in REFUSED_PACKAGING]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} is never written; allowed: {', '.join(_PACKAGING)}")
    return containers


def _above_zero(number: float) -> float:
    if number <= 0:
        raise ValueError(f"{number} is not allowed; allowed: above 0")
    return number


def _any_limit(number: int | None) -> int | None:
    return None if number is None else int(_above_zero(number))


def _said(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


@dataclass(frozen=True, kw_only=True)
class ProcessorTable:
    """[processor]: what makes the products."""

    use: str = field(
        default="copy", metadata=_said("Entry-point name or module:attr of the processor.", check=_plugin)
    )
    fixed: Mapping[str, Any] = field(
        default_factory=dict, metadata=_said("Options settled here; users are not asked for them.")
    )


@dataclass(frozen=True, kw_only=True)
class CatalogueTable:
    """[catalogue]: where products are found; more keys are the catalogue's own settings."""

    use: str = field(metadata=_said("Entry-point name or module:attr of the catalogue.", check=_plugin))
    href: str = field(
        metadata=_said(
            "URL, or a path; a relative one starts at this file's folder and stays in it.", length=(1, 2000)
        )
    )


@dataclass(frozen=True, kw_only=True)
class ProductsTable:
    """[products]: which identifiers belong to the collection."""

    pattern: str = field(
        default=".+",
        metadata=_said("Regular expression that whole product identifiers match.", check=check_pattern),
    )


@dataclass(frozen=True, kw_only=True)
class DeliveryTable:
    """[delivery]: how results reach their users."""

    access: tuple[Protocol, ...] = field(
        default=ACCESS, metadata=_said("Protocols of on-line data access: http, https.", check=_access)
    )
    days: float = field(default=10.0, metadata=_said("Days a result stays, above 0.", check=_above_zero))
    packaging: tuple[Packaging, ...] = field(
        default=_PACKAGING,
        metadata=_said(
            f"Containers offered: {', '.join(_PACKAGING)}; [] for files as they are.", check=_packaging
        ),
    )
    scope: Scope = field(
        default=Scope.ITEM, metadata=_said("Whether a package holds one item or the whole order.")
    )


@dataclass(frozen=True, kw_only=True)
class LimitsTable:
    """[limits]: how much may be ordered at once."""

    items: int = field(default=10_000, metadata=_said("Most items of one order.", check=_above_zero))
    bytes: int | None = field(
        default=None, metadata=_said("Most bytes of one item's input; without it no limit.", check=_any_limit)
    )


@dataclass(frozen=True, kw_only=True)
class ApprovalTable:
    """[approval]: whether a person looks at orders first."""

    automatic: bool = field(default=True, metadata=_said("Accept orders without a person's approval."))


@dataclass(frozen=True, kw_only=True)
class CollectionTable:
    """A collection file of oseo_lab."""

    id: str = field(metadata=_said("collectionId, 1 to 255 characters.", length=(1, 255)))
    catalogue: CatalogueTable = field(metadata=_said("Where products are found."))
    title: str = field(default="", metadata=_said("For people.", length=(0, 255)))
    description: str = field(default="", metadata=_said("For people.", length=(0, 4000)))
    provider: str = field(default=LOCAL, metadata=_said("Who fulfils its items.", length=(1, 40)))
    processor: ProcessorTable = field(
        default_factory=ProcessorTable, metadata=_said("What makes the products.")
    )
    products: ProductsTable = field(
        default_factory=ProductsTable, metadata=_said("Which products belong to it.")
    )
    delivery: DeliveryTable = field(default_factory=DeliveryTable, metadata=_said("How results travel."))
    options: tuple[OptionTable, ...] = field(
        default=(),
        metadata=_said("Options narrowed (of the processor's) or added; kind is a SWE Common component."),
    )
    limits: LimitsTable = field(default_factory=LimitsTable, metadata=_said("How much at once."))
    approval: ApprovalTable = field(default_factory=ApprovalTable, metadata=_said("Who accepts orders."))


# ------------------------------------------------------------------------------------------------- reading


def read_collection(text: str, *, folder: Path) -> CollectionFile:
    """Read a collection file.

    Parameters
    ----------
    text : str
        TOML.
    folder : Path
        Where the file lies: relative paths start there and stay inside, symlinks resolved.

    Raises
    ------
    ConfigurationError
        With every problem; each names its key and says what is allowed.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigurationError(f"this is not TOML: {wrong}") from None
    settings, rest = _split_catalogue(table)
    problems: list[Problem] = []
    resolved = _resolved(settings, folder, problems)
    try:
        made = from_plain(CollectionTable, rest)
    except ValidationError as wrong:
        problems += wrong.problems
    else:
        problems += check_options(made.options)
    _raise_all(problems)
    return _file(made, resolved)


def _split_catalogue(table: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part what the catalogue alone understands from what every collection has."""
    catalogue = table.get("catalogue")
    if not isinstance(catalogue, dict):
        return {}, dict(table)
    known = {each.name for each in fields(CatalogueTable)}
    settings = {key: value for key, value in catalogue.items() if key != "use"}
    return settings, {**table, "catalogue": {k: v for k, v in catalogue.items() if k in known}}


def _resolved(settings: Mapping[str, Any], folder: Path, problems: list[Problem]) -> dict[str, Any]:
    """Return the catalogue's settings with paths made absolute; those that leave the folder are problems."""
    result = dict(settings)
    for key in _PATHS:
        value = settings.get(key)
        if not isinstance(value, str) or not value or _URL.match(value) or Path(value).is_absolute():
            continue
        home = folder.resolve()
        path = (home / value).resolve() if "\0" not in value else home.parent
        if not path.is_relative_to(home):
            text = (
                f"catalogue.{key}: {value[:200]!r} leads out of the collection file's folder; "
                "allowed: a path inside it, an absolute path, or a URL"
            )
            problems.append(_problem(f"catalogue.{key}", text))
        result[key] = str(path)
    return result


def _problem(key: str, text: str) -> Problem:
    return Problem(code="NoApplicableCode", locator=key, text=text)


def _raise_all(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise ConfigurationError("\n".join(each.text for each in found), problems=found)


def _file(made: CollectionTable, settings: Mapping[str, Any]) -> CollectionFile:
    delivery = made.delivery
    return CollectionFile(
        id=made.id,
        title=made.title,
        description=made.description,
        provider=made.provider,
        processor=made.processor.use,
        fixed=made.processor.fixed,
        catalogue=made.catalogue.use,
        catalogue_settings=settings,
        pattern=made.products.pattern,
        delivery=DeliveryRule(
            access=delivery.access, days=delivery.days, packaging=delivery.packaging, scope=delivery.scope
        ),
        tables=made.options,
        max_items=made.limits.items,
        max_bytes=made.limits.bytes,
        automatic=made.approval.automatic,
    )


# ---------------------------------------------------------------------------------------------- completing


def complete(
    file: CollectionFile,
    processor_options: Iterable[OptionDefinition],
    processor_scene_options: Iterable[OptionDefinition] = (),
) -> Collection:
    """Return the collection: the file's settings and the processor's options, narrowed by the operator's.

    Options that ``fixed`` settles are checked and left out of what is offered.

    Raises
    ------
    ConfigurationError
        With every option that contradicts the processor's.
    """
    declared = tuple(processor_options)
    scene_declared = tuple(processor_scene_options)
    problems: list[Problem] = []
    options, scene = merge_options(file.tables, declared, scene_declared, problems)
    fixed = settle_fixed(file.fixed, (*options, *scene), problems)
    _raise_all(problems)
    return Collection(
        **{each.name: getattr(file, each.name) for each in _shared_fields()},
        fixed=fixed,
        options=tuple(each for each in options if each.name not in fixed),
        scene_options=tuple(each for each in scene if each.name not in fixed),
        levels={each.name: each.level for each in file.tables if each.level is not OptionLevel.BOTH},
    )


def _shared_fields() -> Iterator[Any]:
    theirs = {each.name for each in fields(Collection)} - {"fixed"}
    return (each for each in fields(CollectionFile) if each.name in theirs)


def collection_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a collection file."""
    from oseo_lab.encoding.json_types import definitions_of

    schemas, shared = definitions_of({"file": CollectionTable}, "#/$defs/{model}")
    shared["CatalogueTable"]["additionalProperties"] = True
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schemas["file"], "$defs": shared}
