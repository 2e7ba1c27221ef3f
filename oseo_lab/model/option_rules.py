"""Option rules: choices that narrow each other, as data; 06-141r6 says as much by one group a combination.

``when`` these options have one of these values, ``then`` those may only have one of these. Rules hold on the
effective values of an item: its own over the order's over the preset ones. The service refuses what breaks
one, and a client that reads them (JSON) refuses it before, with the same sentence. OSEO has no element for
them: XML leaves them out, the service still refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from oseo_lab.model.components import Component, Simple
from oseo_lab.model.definitions import OptionDefinition
from oseo_lab.model.errors import Problem
from oseo_lab.model.text_selections import Offered, by_name, listed

__all__ = ["OptionRule", "broken", "broken_by", "faults_of", "settled"]

#: What one side of a rule says: values by option name; an empty list stands for "whatever value it has"
#: under ``when``, and for "it is left out" under ``then``.
Side = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionRule:
    """One rule between options.

    Parameters
    ----------
    when : mapping of str to tuple of str
        All of these options have one of these values (an array: at least one such element); an empty tuple
        is any value at all.
    then : mapping of str to tuple of str
        Then these options, where they have a value, have one of these (an array: every element); an empty
        tuple means that the option is left out.
    reason : str
        Why, for people: one clause without a full stop, 1 to 300 characters.
    """

    when: Mapping[str, tuple[str, ...]]
    then: Mapping[str, tuple[str, ...]]
    reason: str


# ------------------------------------------------------------------------------------------------ judging


def broken(rules: Iterable[OptionRule], offered: Offered, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what effective values break: one sentence each, with the reason and what is allowed.

    Parameters
    ----------
    rules : iterable of OptionRule
        What holds.
    offered : iterable of OptionDefinition, or mapping
        What the values are of.
    values : mapping
        Python values by option name, preset ones too; an option without a value is left out or None.
    """
    known = by_name(listed(offered))
    for rule in rules:
        if all(_holds(known, values, *each) for each in rule.when.items()):
            for name, allowed in rule.then.items():
                value = values.get(name)
                if name in known and value is not None and not _goes(known[name], value, allowed):
                    yield _problem(rule, known, values, name)


def broken_by(
    rules: Iterable[OptionRule], offered: Offered, values: Mapping[str, Any], name: str, value: Any
) -> str | None:
    """Return why an option cannot take a value beside the others' values; None where it can."""
    wrong = next(broken(rules, offered, {**values, name: value}), None)
    return None if wrong is None else wrong.text


def _holds(
    known: Mapping[str, Sequence[OptionDefinition]],
    values: Mapping[str, Any],
    name: str,
    wanted: tuple[str, ...],
) -> bool:
    value = values.get(name)
    if name not in known or value is None:
        return False
    parts = value if isinstance(value, list) else [value]
    return not wanted or any(_is_one_of(known[name], each, wanted) for each in parts)


def _goes(alternatives: Sequence[OptionDefinition], value: Any, allowed: tuple[str, ...]) -> bool:
    parts = value if isinstance(value, list) else [value]
    return bool(allowed) and all(_is_one_of(alternatives, each, allowed) for each in parts)


def _is_one_of(alternatives: Sequence[OptionDefinition], value: Any, texts: tuple[str, ...]) -> bool:
    for definition in alternatives:
        scalar = _scalar(definition.component)
        if scalar is not None and any(_parsed(scalar, each) == value for each in texts):
            return True
    return False


def _scalar(component: Component) -> Simple | None:
    """Return what a rule's texts are values of: the component itself, or the elements of an array."""
    element = getattr(component, "element", None)
    found = component if element is None else element.component
    return found if isinstance(found, Simple) else None


def _parsed(scalar: Simple, text: str) -> Any:
    try:
        return scalar.parse(text)
    except ValueError:  # narrowed away by an operator, so no value can be it
        return scalar  # equal to no value


def _problem(
    rule: OptionRule, known: Mapping[str, Sequence[OptionDefinition]], values: Mapping[str, Any], name: str
) -> Problem:
    others = " and ".join(_said(each, values[each]) for each in rule.when if each != name)
    because = f"does not go with {others}" if others else "is not offered"
    allowed = ", ".join(rule.then[name]) or f"leave {name} out"
    text = f"{_said(name, values[name])} {because}: {rule.reason}; allowed: {allowed}"
    return Problem(code="InvalidParameterValue", locator=name, text=text)


def _said(name: str, value: Any) -> str:
    parts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(each, Mapping) for each in parts):
        return name  # an area, a record: long, and its name says it
    return f"{name} {', '.join(_text(each) for each in parts)[:100]}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---------------------------------------------------------------------------------------------- declaring


def faults_of(rule: OptionRule, offered: Offered) -> Iterator[str]:
    """Yield what is wrong with a rule as it is declared: options that are not there, values not allowed."""
    known = by_name(listed(offered))
    if not rule.when or not rule.then:
        yield "when and then each name an option at least"
    for name in sorted(rule.when.keys() & rule.then.keys()):
        yield f"{name} is on both sides"
    for side, given in (("when", rule.when), ("then", rule.then)):
        for name, texts in given.items():
            if name not in known:
                yield f"{side}: there is no option {name!r}; options: {', '.join(known) or 'none'}"
            else:
                yield from (f"{side}.{name}: {each}" for each in _faults(known[name][0].component, texts))


def _faults(component: Component, texts: tuple[str, ...]) -> Iterator[str]:
    scalar = _scalar(component)
    if texts and scalar is None:
        yield f"a {component.kind} has no single values; allowed: [], for whether it is chosen at all"
        return
    for text in texts:
        try:
            assert scalar is not None
            scalar.parse(text)
        except ValueError as wrong:
            yield str(wrong)


def settled(
    rules: Iterable[OptionRule], offered: Offered, values: Mapping[str, Any], remaining: Iterable[str]
) -> tuple[OptionRule, ...]:
    """Return what rules mean for the options that remain to be chosen when others are settled.

    Parameters
    ----------
    rules : iterable of OptionRule
        Over everything offered before.
    offered : iterable of OptionDefinition, or mapping
        Everything offered before.
    values : mapping
        Python values of those that are settled; one without a value is left out for good.
    remaining : iterable of str
        Names that can still be chosen.

    Raises
    ------
    ValueError
        If a settled value leaves an option nothing to be.
    """
    known, left = by_name(listed(offered)), frozenset(remaining)
    found: list[OptionRule] = []
    for rule in rules:
        when = {name: _still(known.get(name, ()), texts) for name, texts in rule.when.items()}
        gone = [name for name in when if name not in left]
        if None in when.values() or not all(_holds(known, values, each, rule.when[each]) for each in gone):
            continue  # it never comes to that
        met = {name: texts for name, texts in when.items() if name in left and texts is not None}
        refused = [each for each in rule.then if not _can_be(known, values, rule, each, each in left)]
        then = {name: _still(known[name], texts) or () for name, texts in rule.then.items() if name in left}
        if refused:
            found.append(_without(rule, known, met, refused))
        elif then and met:
            found.append(replace(rule, when=met, then=then))
        else:  # what it asks for holds always: of whatever value
            found += [replace(rule, when={name: ()}, then={name: texts}) for name, texts in then.items()]
    return tuple(found)


def _still(alternatives: Sequence[OptionDefinition], texts: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return those of a rule's values that an option still has; None where it had some and has none."""
    scalars = [each for each in (_scalar(one.component) for one in alternatives) if each is not None]
    kept = tuple(text for text in texts if any(_parsed(each, text) is not each for each in scalars))
    return kept if kept or not texts else None


def _can_be(
    known: Mapping[str, Sequence[OptionDefinition]],
    values: Mapping[str, Any],
    rule: OptionRule,
    name: str,
    is_left: bool,
) -> bool:
    """Whether an option can be as a rule asks: one that is settled is; another may, or can be left out."""
    if is_left:
        preset = known[name][0].default
        return _still(known[name], rule.then[name]) is not None or preset is None
    return values.get(name) is None or _goes(known[name], values[name], rule.then[name])


def _without(
    rule: OptionRule, known: Mapping[str, Sequence[OptionDefinition]], when: Side, refused: Sequence[str]
) -> OptionRule:
    """Return the rule that its condition cannot be, for what it asks of a settled option is not so."""
    if not when:
        raise ValueError(f"{', '.join(refused)} is settled otherwise: {rule.reason}")
    last = [*when][-1]
    component = _scalar(known[last][0].component)
    is_listed = not (getattr(component, "pattern", None) or getattr(component, "intervals", ()))
    listed = getattr(component, "allowed", ())
    if when[last] and not (is_listed and listed):
        raise ValueError(f"{', '.join(refused)} is settled, and {last} may not be so then: {rule.reason}")
    kept = tuple(each for each in listed if each not in when[last]) if when[last] else ()
    others = {name: texts for name, texts in when.items() if name != last}
    return replace(rule, when=others or {last: ()}, then={last: kept})
