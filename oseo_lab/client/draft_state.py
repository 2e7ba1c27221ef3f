"""What an order will say while it can still be changed: the state of a draft, which is always one to submit.

Each change is judged by the rules of what is offered before it holds, and told after. Changes made
`together` are judged and told as one. What is done with a draft is in `draft`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oseo_lab.client.area import Area, as_area, as_selection
from oseo_lab.client.changes import Changes, copied
from oseo_lab.client.draft_items import DraftItem, DraftItems
from oseo_lab.client.given import text, word_of
from oseo_lab.client.limits import as_limits
from oseo_lab.client.options import Options
from oseo_lab.client.session import Session
from oseo_lab.model.delivery import REFUSED_PACKAGING, Packaging
from oseo_lab.model.errors import Problem, ValidationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.limits import Limits
from oseo_lab.model.offers import OptionLevel
from oseo_lab.model.option_groups import broken_in, scene_values
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification, Priority

if TYPE_CHECKING:
    from typing import Self

__all__ = ["DraftState"]


class DraftState:
    """What was chosen for an order so far.

    Parameters
    ----------
    session : Session
        Where it will be submitted.
    collection : str
        What it orders from.
    name : str, optional
        What you will find it by.
    """

    def __init__(self, session: Session, collection: str, name: str | None = None) -> None:
        self._session = session
        self.changes = Changes(self)
        self.collection = collection
        self.offer = session.offer(collection)
        self.scene_options = session.scene_options(collection)
        self.items = DraftItems(self)
        self.options = self.fresh_options(OptionLevel.ORDER)
        self._remark: str | None = None
        self._limits = Limits()
        self._reuse = False
        self.sought: Area | None = None  # the area its products were searched by
        self._name: str | None = None
        self._area: Area | None = None
        self._packaging: Packaging | None = None
        self._priority: Priority | None = None
        self._is_open = False  # changes are being made together
        self.name = name

    # ------------------------------------------------------------------------------------------- changes

    def on_change(self, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call ``callback(draft)`` after every change that holds, from the thread that made it.

        Options, items, their own options and areas, group, area, packaging, priority, name, remark, limits
        and reuse; what is refused is no change. What a callback raises is logged and breaks nothing.

        Returns
        -------
        callable
            What stops it.
        """
        return self.changes.tell(callback)

    @contextmanager
    def together(self) -> Iterator[Self]:
        """Judge the changes of a ``with`` block at its end, and tell them as one.

        Raises
        ------
        ValidationError
            With the rules that the whole would break; nothing has changed then, nor if the block raises.
        """
        if self._is_open:
            yield self
            return
        kept = self._kept()
        self._is_open = True
        try:
            with self.changes.together():
                try:
                    yield self
                finally:
                    self._is_open = False
                if problems := list(dict.fromkeys(self.rule_problems())) or list(self.value_problems()):
                    raise ValidationError.of(problems)
        except BaseException:
            for state, was in kept:
                state.clear()
                state.update(was)
            raise

    def _kept(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Return everything that can change, with what it is now."""
        options = [self.options, *(each.options for each in self.items if each.own_options is not None)]
        things = [self, self.items, *self.items, *options]
        return [(vars(each), copied(vars(each))) for each in things]

    def let(self, thing: Any, name: str, value: Any) -> None:
        """Let an attribute of the draft or one of its parts be something else, if no rule is broken by it.

        Raises
        ------
        ValidationError
            With the rules that would be; nothing has changed then.
        """
        before = getattr(thing, name)
        if before == value:
            return
        setattr(thing, name, value)
        judged = self.problems_of(thing) if isinstance(thing, DraftItem) else self.rule_problems()
        if problems := list(dict.fromkeys(judged)) or list(self.value_problems()):
            setattr(thing, name, before)
            raise ValidationError.of(problems)
        self.changes.made()

    def options_changed(self) -> None:
        """Tell that another choice holds (`Options` calls it)."""
        self.changes.made()

    def fresh_options(self, level: OptionLevel, item: DraftItem | None = None) -> Options:
        """Return the group's options with nothing chosen yet: the order's, or an item's that rest on them."""
        levels = self.offer.levels.items()
        elsewhere = {name: str(each) for name, each in levels if each not in (level, OptionLevel.BOTH)}
        base = None if item is None else self.options
        return Options(self.offer.options, self.collection, base, self.offer.rules, item or self, elsewhere)

    # --------------------------------------------------------------------------------------------- rules

    def rule_problems(self) -> Iterator[Problem]:
        """Yield the option rules that an item's values break, as they stand; the order's without items."""
        if not self.offer.rules or self._is_open:
            return
        if not self.items:
            yield from broken_in(self.offer, self.options.values | self._scene_values(self.area))
        judged = set()  # items of which the same was chosen are alike
        for item in self.items:
            own = item.own_options
            kind = (own and own.alike, item.own_area and id(item.own_area))
            if kind not in judged:
                judged.add(kind)
                yield from self.problems_of(item)

    def problems_of(self, item: DraftItem) -> Iterator[Problem]:
        """Yield the option rules that one item's values break."""
        if self.offer.rules and not self._is_open:
            values = (item.own_options or self.options).values
            yield from broken_in(self.offer, values | self._scene_values(item.area))

    def value_problems(self) -> Iterator[Problem]:
        """Yield what the service has against the values as they stand, where its processor looks at them."""
        if self._is_open or not self._session.facts(self.collection).get("checks_values"):
            return
        for each in self._session.check(self.collection, self._choices()):
            known = self.known_values(each.locator or "")
            hint = f"; hint: the products have {', '.join(known)}" if known else ""
            yield replace(each, text=f"{each.text}{hint}", item_id=None)

    def _choices(self) -> OrderSpecification:
        """Return what is chosen, without what it is chosen for: of items of which the same was, one."""
        kinds: dict[object, ItemSpecification] = {}
        for item in self.items:
            own = item.own_options
            kind = (own and own.alike, item.own_area and id(item.own_area))
            if kind not in kinds:
                kinds[kind] = self._choice(own, item.area)
        found = list(kinds.values()) or [self._choice(None, self.area)]
        items = tuple(replace(each, item_id=str(number)) for number, each in enumerate(found, 1))
        return OrderSpecification(
            order_type=self.offer.order_type, items=items, options=self.options.parameters()
        )

    def _choice(self, own: Options | None, area: Area | None) -> ItemSpecification:
        return ItemSpecification(
            item_id="1",
            identifier=ProductId(identifier="any", collection_id=self.collection),
            product_order_options_id=self.group,
            options=() if own is None else own.parameters(),
            scene_selections=self.scene_selection(area),
        )

    def known_values(self, name: str) -> tuple[str, ...]:
        """Return what the products chosen have of an option themselves: of a CRS their own, as told."""
        if name.lower() != "crs":
            return ()
        found = [each.product.properties.get("proj:code") for each in self.items if each.product is not None]
        return tuple(dict.fromkeys(each for each in found if isinstance(each, str)))[:5]

    def scene_selection(self, area: Area | None) -> tuple[ParameterData, ...]:
        """Return an area as the collection's scene selection, as it travels."""
        scene = Options(self.scene_options.values(), self.collection)
        if area is not None:
            scene.update(**as_selection(area, self.scene_options))
        return scene.parameters()

    def _scene_values(self, area: Area | None) -> dict[str, Any]:
        """Return the scene selection's values, as far as a rule asks for them."""
        asked = {name for rule in self.offer.rules for name in (*rule.when, *rule.then)}
        if asked.isdisjoint(self.scene_options):
            return {}
        return scene_values(self.offer, self.scene_selection(area))

    # ------------------------------------------------------------------------------------- what is chosen

    @property
    def session(self) -> Session:
        """Where it will be submitted."""
        return self._session

    @property
    def name(self) -> str | None:
        """What you will find the order by; may be longer than OSEO's 30 characters."""
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not (
            1 <= len(text(name, "name", "1 to 200 characters")) <= 200
            and name.isprintable()
            and name.strip() == name
        ):
            raise ValidationError(
                f"name {name[:60]!r} is not allowed; allowed: 1 to 200 printable characters without "
                "blanks around them",
                locator="orderReference",
            )
        self._set("_name", name)

    @property
    def area(self) -> Area | None:
        """What is cut out of every product; None for whole scenes. Set it to anything `Lab.search` takes."""
        return self._area

    @area.setter
    def area(self, area: Any) -> None:
        self.set_area(area)

    def set_area(self, area: Any, crs: Any = None) -> None:
        """Set the area, in another CRS than degrees if need be."""
        place = None if area is None else as_area(area, crs)
        if place is not None:
            as_selection(place, self.scene_options)
        self.let(self, "_area", place)

    @property
    def groups(self) -> tuple[str, ...]:
        """The option groups that products can be ordered by: each is one valid combination of options."""
        offers = self._session.offers(self.collection)
        return tuple(
            each.product_order_options_id for each in offers if each.order_type is self.offer.order_type
        )

    @property
    def group(self) -> str:
        """The option group ordered by; set it to another of `groups` that offers what was chosen."""
        return self.offer.product_order_options_id

    @group.setter
    def group(self, group: str) -> None:
        offer = self._session.offer(self.collection, group)
        with self.together():
            self.offer = offer
            self.scene_options = self._session.scene_options(self.collection, group)
            self.options.regroup(self.fresh_options(OptionLevel.ORDER))
            for item in self.items:
                item.regroup()
            self.changes.made()

    @property
    def packaging(self) -> Packaging | None:
        """The container products travel in; None for files as they are."""
        return self._packaging

    @packaging.setter
    def packaging(self, packaging: str | None) -> None:
        self._set("_packaging", word_of(self.packagings, packaging, "packaging"))

    @property
    def packagings(self) -> tuple[Packaging, ...]:
        """The containers the collection offers, as far as the service tells."""
        told = self._session.facts(self.collection).get("delivery", {}).get("packaging")
        offered = tuple(each for each in Packaging if each not in REFUSED_PACKAGING)
        return offered if told is None else tuple(each for each in offered if each in told)

    @property
    def priority(self) -> Priority | None:
        """``STANDARD`` or ``FAST_TRACK``; None leaves it to the service."""
        return self._priority

    @priority.setter
    def priority(self, priority: str | None) -> None:
        self._set("_priority", word_of(list(Priority), priority, "priority"))

    @property
    def remark(self) -> str | None:
        """What the operators should know; None for nothing."""
        return self._remark

    @remark.setter
    def remark(self, remark: str | None) -> None:
        given = None if remark is None else text(remark, "remark", "a text, or None")
        self._set("_remark", given or None)

    @property
    def limits(self) -> Limits:
        """The most the order may cost and deliver: ``draft.limits = dict(max_price=12, max_bytes="1GB")``."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits | Mapping[str, Any] | None) -> None:
        self._set("_limits", as_limits(limits))

    @property
    def reuse(self) -> bool:
        """Whether what was delivered to you already, and is kept, is delivered from that: at no price."""
        return self._reuse

    @reuse.setter
    def reuse(self, reuse: bool) -> None:
        if not isinstance(reuse, bool):
            raise ValidationError(f"reuse {reuse!r:.40} is not known; allowed: True, False", locator="reuse")
        self._set("_reuse", reuse)

    def _set(self, name: str, value: Any) -> None:
        """Set what no rule is about."""
        if getattr(self, name) != value:
            setattr(self, name, value)
            self.changes.made()
