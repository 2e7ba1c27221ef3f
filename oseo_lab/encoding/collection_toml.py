"""Collection files: an operator's TOML, one collection a file, read whole and said whole when wrong.

`read_collection` checks a file by itself (its shape is `collection_tables`); `complete` joins it with the
options its processor declares (`collection_options`), makes its option groups (`collection_groups`) and gives
the `Collection` that every operation reads. `collection_schema` is the same description as JSON Schema, for
editors.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from oseo_lab.encoding.collection_files import read_documented, resolved_settings, split_settings
from oseo_lab.encoding.collection_groups import check_groups, make_groups
from oseo_lab.encoding.collection_option_table import OptionTable
from oseo_lab.encoding.collection_options import check_options, merge_options, settle_fixed
from oseo_lab.encoding.collection_rules import RuleTable, check_presets, merge_rules
from oseo_lab.encoding.collection_tables import (
    OPEN_TABLES,
    CatalogueTable,
    CollectionTable,
    GroupTable,
    TaskingTable,
)
from oseo_lab.encoding.json_read import from_plain
from oseo_lab.model.collection import (
    Collection,
    DeliveryRule,
    OptionLevel,
    OrderOptions,
    PaymentOption,
    SubscriptionRule,
    TaskingRule,
)
from oseo_lab.model.errors import ConfigurationError, Problem, ValidationError
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.option_rules import OptionRule
from oseo_lab.model.options import OptionDefinition
from oseo_lab.model.order import LOCAL

__all__ = ["CollectionFile", "collection_schema", "complete", "read_collection"]


@dataclass(frozen=True, kw_only=True)
class CollectionFile:
    """A collection file that is right by itself, before its processor has had its say.

    Fields are those of `Collection`; ``tables`` are the operator's [[options]], ``rule_tables`` the
    [[rules]], ``group_tables`` the [[groups]], ``documented`` the option groups of a document handed in.
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
    payments: tuple[PaymentOption, ...] = ()
    product_orders: bool = True
    subscription: SubscriptionRule | None = None
    tasking: TaskingRule | None = None
    batch: int = 1000
    quoter: str = ""
    quoter_settings: Mapping[str, Any] = field(default_factory=dict)
    provider_plugin: str = ""
    provider_settings: Mapping[str, Any] = field(default_factory=dict)
    rule_tables: tuple[RuleTable, ...] = ()
    group_tables: tuple[GroupTable, ...] = ()
    documented: tuple[OrderOptions, ...] = ()


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
    settings, rest = split_settings(table)
    problems: list[Problem] = []
    resolved = {key: resolved_settings(key, given, folder, problems) for key, given in settings.items()}
    try:
        made = from_plain(CollectionTable, rest)
    except ValidationError as wrong:
        _raise_all([*problems, *wrong.problems])
        raise
    documented = read_documented(made.options_document, folder, problems)
    problems += check_options(made.options)
    problems += check_groups(made.groups, documented, _order_types(made))
    problems += [*_check_taken(made), *_check_provider(made), *_check_place(made)]
    _raise_all(problems)
    return _file(made, resolved, documented)


def _order_types(made: CollectionTable) -> dict[OrderType, bool]:
    """Say which order types a file switches on."""
    return {
        OrderType.PRODUCT_ORDER: made.orders.product,
        OrderType.SUBSCRIPTION_ORDER: made.subscription is not None,
        OrderType.TASKING_ORDER: made.tasking is not None,
    }


def _check_taken(made: CollectionTable) -> Iterator[Problem]:
    """Yield that nothing can be ordered, if so."""
    if not any(_order_types(made).values()):
        text = "orders.product: nothing can be ordered; take them, or add [subscription] or [tasking]"
        yield _problem("orders.product", text)


def _check_provider(made: CollectionTable) -> Iterator[Problem]:
    """Yield a provider's name without its service, or a service without a name."""
    is_here = made.provider == LOCAL
    if made.provider_service is not None and is_here:
        text = f"provider: {LOCAL} is this service itself; name the provider of [provider_service]"
        yield _problem("provider", text)
    if made.provider_service is None and not is_here:
        text = f"provider: {made.provider[:40]!r} has no [provider_service]; add it, or leave provider out"
        yield _problem("provider", text)


def _check_place(made: CollectionTable) -> Iterator[Problem]:
    """Yield a catalogue without its place, or none where the products' files must be found."""
    if made.catalogue.use != "none":
        if not made.catalogue.href:
            yield _problem("catalogue.href", "catalogue.href: is missing; only none has no place")
    elif made.provider == LOCAL:
        text = "catalogue.use: none finds no files to make products of; it is for a [provider_service]"
        yield _problem("catalogue.use", text)


def _problem(key: str, text: str) -> Problem:
    return Problem(code="NoApplicableCode", locator=key, text=text)


def _raise_all(problems: Iterable[Problem]) -> None:
    found = tuple(problems)
    if found:
        raise ConfigurationError("\n".join(each.text for each in found), problems=found)


def _file(
    made: CollectionTable, settings: Mapping[str, Mapping[str, Any]], documented: tuple[OrderOptions, ...]
) -> CollectionFile:
    return CollectionFile(
        id=made.id,
        title=made.title,
        description=made.description,
        provider=made.provider,
        processor=made.processor.use,
        fixed=made.processor.fixed,
        catalogue=made.catalogue.use,
        catalogue_settings=settings["catalogue"],
        pattern=made.products.pattern,
        delivery=_like(DeliveryRule, made.delivery),
        tables=made.options,
        max_items=made.limits.items,
        max_bytes=made.limits.bytes,
        automatic=made.approval.automatic,
        payments=tuple(
            PaymentOption(payment_method=each.method, info_url=each.info) for each in made.payment
        ),
        product_orders=made.orders.product,
        subscription=None if made.subscription is None else _like(SubscriptionRule, made.subscription),
        tasking=None if made.tasking is None else _tasking(made.tasking, settings["tasking"]),
        batch=made.limits.batch,
        quoter="" if made.quotation is None else made.quotation.use,
        quoter_settings=settings.get("quotation", {}),
        provider_plugin="" if made.provider_service is None else made.provider_service.use,
        provider_settings=settings.get("provider_service", {}),
        rule_tables=made.rules,
        group_tables=made.groups,
        documented=documented,
    )


def _like(cls: Any, table: Any) -> Any:
    """Return a rule of the model from the table whose keys have its fields' names."""
    return cls(**{each.name: getattr(table, each.name) for each in fields(table)})


def _tasking(table: TaskingTable, settings: Mapping[str, Any]) -> TaskingRule:
    own = {key: value for key, value in settings.items() if key not in ("pattern", "every")}
    return TaskingRule(pattern=table.pattern, use=table.use, settings=own, every=table.every)


# ---------------------------------------------------------------------------------------------- completing


def complete(
    file: CollectionFile,
    processor_options: Iterable[OptionDefinition],
    processor_scene_options: Iterable[OptionDefinition] = (),
    processor_rules: Iterable[OptionRule] = (),
) -> Collection:
    """Return the collection: the file's settings and the processor's options, narrowed by the operator's.

    Options that ``fixed`` settles are checked and left out of what is offered; what the rules say of them
    becomes what they say of the others.

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
    rules = merge_rules(file.rule_tables, tuple(processor_rules), (*options, *scene), fixed, problems)
    options = tuple(each for each in options if each.name not in fixed)
    scene = tuple(each for each in scene if each.name not in fixed)
    groups = make_groups(file.group_tables, options, scene, problems)
    _raise_all(problems)
    collection = Collection(
        **{each.name: getattr(file, each.name) for each in _shared_fields()},
        fixed=fixed,
        options=options,
        scene_options=scene,
        groups=(*groups, *file.documented),
        rules=rules,
        levels={each.name: each.level for each in file.tables if each.level is not OptionLevel.BOTH},
    )
    _raise_all(check_presets(collection))
    return collection


def _shared_fields() -> Iterator[Any]:
    theirs = {each.name for each in fields(Collection)} - {"fixed"}
    return (each for each in fields(CollectionFile) if each.name in theirs)


def collection_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a collection file."""
    from oseo_lab.encoding.collection_catalogue_keys import CATALOGUE_KEYS
    from oseo_lab.encoding.json_types import definitions_of

    schemas, shared = definitions_of({"file": CollectionTable}, "#/$defs/{model}")
    shared[CatalogueTable.__name__]["properties"] |= {key: dict(said) for key, said in CATALOGUE_KEYS.items()}
    for cls in OPEN_TABLES.values():
        shared[cls.__name__]["additionalProperties"] = True
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schemas["file"], "$defs": shared}
