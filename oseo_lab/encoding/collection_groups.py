"""Option groups of a collection file: the [[groups]] an operator writes.

Those of a document handed in are read by `collection_document` and checked here together with the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from oseo_lab.encoding.collection_options import merge_options
from oseo_lab.encoding.collection_tables import GroupTable
from oseo_lab.encoding.json_values import nearest
from oseo_lab.model.collection import OrderOptions, SceneSelectionOption
from oseo_lab.model.errors import Problem
from oseo_lab.model.identifiers import OrderType
from oseo_lab.model.options import OptionDefinition

__all__ = ["check_groups", "make_groups"]

#: Table of a collection file that switches an order type on.
_SWITCHES = {
    OrderType.PRODUCT_ORDER: "[orders] product = true",
    OrderType.SUBSCRIPTION_ORDER: "[subscription]",
    OrderType.TASKING_ORDER: "[tasking]",
}


def check_groups(
    tables: Sequence[GroupTable], documented: Sequence[OrderOptions], taken: Mapping[OrderType, bool]
) -> Iterator[Problem]:
    """Yield groups that are named twice, or are for orders that are not taken."""
    named = [(f"groups[{at}]", each.id, each.order_type) for at, each in enumerate(tables)]
    named += [("options_document", each.product_order_options_id, each.order_type) for each in documented]
    counts = Counter(name for _, name, _ in named)
    for key, name, order_type in named:
        if counts[name] > 1:
            yield _problem(f"{key}.id" if key != "options_document" else key, f"{name!r} is declared twice")
        if not taken[order_type]:
            text = f"group {name!r} is for a {order_type}, which is not taken; add {_SWITCHES[order_type]}"
            yield _problem(f"{key}.order_type" if key != "options_document" else key, text)


def make_groups(
    tables: Sequence[GroupTable],
    options: Sequence[OptionDefinition],
    scene: Sequence[OptionDefinition],
    problems: list[Problem],
) -> tuple[OrderOptions, ...]:
    """Return the groups an operator declares of a collection's options; adds problems.

    Deliveries and payments are left to the collection, which knows what is really offered.
    """
    return tuple(_group(f"groups[{at}]", each, options, scene, problems) for at, each in enumerate(tables))


def _group(
    key: str,
    table: GroupTable,
    options: Sequence[OptionDefinition],
    scene: Sequence[OptionDefinition],
    problems: list[Problem],
) -> OrderOptions:
    known = {each.name for each in (*options, *scene)}
    for name in dict.fromkeys((*(table.options or ()), *(each.name for each in table.narrow))):
        if name not in known:
            there = ", ".join(each.name for each in (*options, *scene)) or "none"
            said = f"there is no option {name[:60]!r}{nearest(name, known)}; options: {there}"
            problems.append(_problem(f"{key}.options", said))
    chosen = known if table.options is None else known & set(table.options)
    wrong: list[Problem] = []
    narrowing = [each for each in table.narrow if each.name in known]
    narrowed, narrowed_scene = merge_options(narrowing, options, scene, wrong)
    problems += [_problem(f"{key}.narrow", each.text) for each in wrong]
    parameters = tuple(each for each in narrowed_scene if each.name in chosen)
    return OrderOptions(
        product_order_options_id=table.id,
        order_type=table.order_type,
        description=table.description,
        options=tuple(each for each in narrowed if each.name in chosen),
        info_url=table.info,
        scene_selections=(SceneSelectionOption(name="area", parameters=parameters),) if parameters else (),
    )


def _problem(key: str, text: str) -> Problem:
    return Problem(code="NoApplicableCode", locator=key, text=f"{key}: {text}")
