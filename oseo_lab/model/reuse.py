"""Results that are used again: what an item is made from and how, and how an order says that it may be.

A *recipe* is a digest of everything an item's result depends on, its owner included. Where an order says
``reuse=true`` (an extension of its specification, as limits travel) and a result of the same recipe is kept,
the item is delivered from that and costs nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from oseo_lab.model.errors import Problem, ValidationError

if TYPE_CHECKING:
    from oseo_lab.model.delivery import DeliveredFile, Packaging
    from oseo_lab.model.order import OrderSpecification

__all__ = [
    "REUSE",
    "Earlier",
    "Making",
    "recipe_of",
    "reuse_extensions",
    "reuse_problems",
    "wants_reuse",
    "with_reuse",
]

#: What the extension begins with, and what it says.
REUSE = "reuse="
_WORDS = {"true": True, "false": False}
#: Characters of an order's name that are told.
_NAME = 100
#: Made once: a recipe is made of every item.
_encode = json.JSONEncoder(sort_keys=True, default=str, separators=(",", ":")).encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """A kept result that an item can be delivered from.

    Parameters
    ----------
    order_id, number, attempt : str, int, int
        Whose delivery it is.
    name : str
        What its order is called.
    delivered : datetime or None
        When, UTC.
    size : int
        Bytes of its data files.
    files : tuple of DeliveredFile
        What lies there, where that was asked for.
    """

    order_id: str
    number: int
    attempt: int
    name: str
    delivered: datetime | None = None
    size: int = 0
    files: tuple[DeliveredFile, ...] = ()

    def words(self) -> str:
        """Return where it comes from: ``reused from lake-garda, delivered 2026-03-01 12:00 UTC``."""
        when = "" if self.delivered is None else f", delivered {self.delivered:%Y-%m-%d %H:%M} UTC"
        return f"reused from {self.name[:_NAME]}{when}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """How a collection makes its items: part of every recipe of it.

    Parameters
    ----------
    collection_id : str
        Which collection.
    processor, version : str
        The processor, and the version of what ships it.
    catalogue, settings : str, mapping
        Where its products come from.
    """

    collection_id: str
    processor: str
    version: str
    catalogue: str
    settings: Mapping[str, Any]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        said = [self.collection_id, self.processor, self.version, self.catalogue, self.settings]
        text = _encode(said).encode(errors="backslashreplace")
        object.__setattr__(self, "digest", hashlib.blake2b(text, digest_size=16).hexdigest())


def recipe_of(
    owner: str,
    making: Making,
    identifier: str,
    options: Mapping[str, Any],
    scene: Mapping[str, Any],
    packaging: Packaging | None,
) -> str:
    """Return the recipe of an item: 32 hexadecimal digits.

    Parameters
    ----------
    owner : str
        Whose result it is: nobody is given anybody else's.
    making : Making
        Of its collection.
    identifier : str
        Of the product it is made from.
    options, scene : mapping
        Every option's Python value, and what is cut out.
    packaging : Packaging or None
        The container of the item's own files.
    """
    text = _encode([owner, making.digest, identifier, options, scene, packaging])
    return hashlib.blake2b(text.encode(errors="backslashreplace"), digest_size=16).hexdigest()


def wants_reuse(specification: OrderSpecification) -> bool:
    """Whether an order may be delivered from results that are kept."""
    return any(_WORDS.get(each, False) for each in _said(specification.extensions))


def reuse_extensions(reuse: bool) -> tuple[str, ...]:
    """Return the wish as it travels."""
    return (f"{REUSE}true",) if reuse else ()


def with_reuse(specification: OrderSpecification, reuse: bool = True) -> OrderSpecification:
    """Return the same order as one that says so, or does not."""
    kept = tuple(each for each in specification.extensions if not each.startswith(REUSE))
    return replace(specification, extensions=(*kept, *reuse_extensions(reuse)))


def reuse_problems(specification: OrderSpecification) -> Iterator[Problem]:
    """Yield what is wrong with how an order says whether results may be used again."""
    said = list(_said(specification.extensions))
    if len(said) > 1:
        yield _problem(f"reuse is said {len(said)} times; say it once")
    elif said and said[0] not in _WORDS:
        yield _problem(f"{REUSE}{said[0][:40]} says nothing; allowed: {', '.join(_WORDS)}")


def _said(extensions: Sequence[str]) -> Iterator[str]:
    return (each.removeprefix(REUSE) for each in extensions if each.startswith(REUSE))


def _problem(text: str) -> Problem:
    return Problem(code=ValidationError.code, locator="reuse", text=text)
