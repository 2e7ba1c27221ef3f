"""The [[rules]] of a collection file: which choices go together, with the processor's own.

Used by `collection_toml`, which knows the options as the operator left them. A rule that can never be kept,
or that the preset values break, is said at start rather than in a user's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oseo_lab.encoding.json_values import lexical
from oseo_lab.model.collection import Collection
from oseo_lab.model.errors import Problem
from oseo_lab.model.option_groups import broken_in, scene_values
from oseo_lab.model.option_rules import OptionRule, faults_of, settled
from oseo_lab.model.options import OptionDefinition, selected

__all__ = ["RuleTable", "check_presets", "merge_rules"]


def _side(value: Any) -> dict[str, tuple[str, ...]]:
    """Return one side of a rule: lists of values by option, a single value being a list of one."""
    if not isinstance(value, Mapping) or not value:
        raise ValueError('must be a table of values by option, such as { format = ["PNG"] }')
    return {str(name): _texts(each) for name, each in value.items()}


def _texts(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list | tuple) else [value]
    texts = tuple(each for each in (lexical(one) for one in listed) if each is not None)
    if len(texts) < len(listed):
        raise ValueError("must hold values: text, numbers, booleans or times")
    return texts


@dataclass(frozen=True, kw_only=True)
class RuleTable:
    """One table of [[rules]]: choices that narrow each other."""

    when: Any = field(
        metadata={
            "description": "Values by option: all of these options have one of these; [] is any value.",
            "check": _side,
        }
    )
    then: Any = field(
        metadata={
            "description": "Values by option: then these have one of those only; [] is left out.",
            "check": _side,
        }
    )
    reason: str = field(
        metadata={"description": "Why, for users: one clause without a full stop.", "length": (1, 300)}
    )


def merge_rules(
    tables: Sequence[RuleTable],
    declared: Sequence[OptionRule],
    offered: Sequence[OptionDefinition],
    fixed: Mapping[str, Any],
    problems: list[Problem],
) -> tuple[OptionRule, ...]:
    """Return the processor's rules and the operator's as they hold for what is left to choose.

    Parameters
    ----------
    tables : sequence of RuleTable
        The operator's.
    declared : sequence of OptionRule
        The processor's; those of options that are not offered say nothing.
    offered : sequence of OptionDefinition
        Options and scene selection, those that ``fixed`` settles among them.
    fixed : mapping
        Python values of the options that the operator has settled.
    problems : list of Problem
        Gets what is wrong.
    """
    rules = list(declared)
    for at, table in enumerate(tables):
        rule = OptionRule(when=table.when, then=table.then, reason=table.reason)
        wrong = list(faults_of(rule, offered))
        problems += [_problem(f"rules[{at}]", each) for each in wrong]
        if not wrong:
            rules.append(rule)
    left = [each.name for each in offered if each.name not in fixed]
    try:
        return settled(rules, offered, fixed, left)
    except ValueError as wrong:
        problems.append(_problem("processor.fixed", str(wrong)))
        return ()


def check_presets(collection: Collection) -> Iterator[Problem]:
    """Yield rules that cannot hold in an option group, or that its preset values break."""
    try:
        groups = collection.option_groups()
    except ValueError as wrong:
        yield _problem("groups", str(wrong))
        return
    for group in groups:
        presets = selected(group.options, ()) | scene_values(group, ())
        for each in broken_in(group, presets):
            yield _problem("rules", f"the preset values of {group.product_order_options_id}: {each.text}")


def _problem(key: str, text: str) -> Problem:
    return Problem(code="NoApplicableCode", locator=key, text=f"{key}: {text}")
