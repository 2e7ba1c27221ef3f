"""Hypothesis strategies of components, of values that travel, and of values a component takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from oseo_lab.model import options as model

#: Of characters that XML can carry.
words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
).map(lambda text: "".join(text.split()) or "x")
names = st.text("abcdefgh", min_size=1, max_size=5)

#: Anything that can stand below ParameterData: text, or named values.
travelling = st.recursive(
    st.text(max_size=40)
    | st.sampled_from(["1", "1 2", "true", "2024-01-01T00:00:00Z", "nan", "1e999", "1_0"]),
    lambda inner: st.lists(
        st.tuples(names | st.sampled_from(["min", "max", "element"]), inner), max_size=4
    ).map(tuple),
    max_leaves=12,
)

_numbers = st.floats(-1e12, 1e12).map(repr)
_whole = st.integers(-(10**12), 10**12).map(str)
_times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.isoformat() + "Z")


def _sorted(pair: tuple[str, str], read: Any) -> tuple[str, str]:
    low, high = sorted(pair, key=read)
    return low, high


def _intervals(lexical: Any, read: Any) -> Any:
    return st.lists(st.tuples(lexical, lexical).map(lambda pair: _sorted(pair, read)), max_size=2).map(tuple)


#: Values that stand for none, with their reason; no number, so that no value is mistaken for one.
_nils = st.just(()) | st.just((("urn:nil:unknown", "-?-"),))


def _tokens(cls: Any) -> Any:
    return st.builds(
        cls,
        allowed=st.lists(words, max_size=4, unique=True).map(tuple),
        pattern=st.none() | st.just(r"EPSG:\d{4,6}"),
        optional=st.booleans(),
        nil_values=_nils,
    )


def _ordered(cls: Any, lexical: Any, read: Any) -> Any:
    return st.builds(
        cls,
        allowed=st.lists(lexical, max_size=3).map(tuple),
        intervals=_intervals(lexical, read),
        optional=st.booleans(),
        nil_values=_nils,
        axis_id=st.none() | st.just("Lat"),
    )


_time = datetime.fromisoformat
simple = st.one_of(
    _tokens(model.Category),
    _tokens(model.Text),
    st.builds(model.Boolean, optional=st.booleans()),
    _ordered(model.Count, _whole, int),
    _ordered(model.Quantity, _numbers, float),
    _ordered(model.Time, _times, _time),
)
ranges = st.one_of(
    _tokens(model.CategoryRange),
    _ordered(model.CountRange, _whole, int),
    _ordered(model.QuantityRange, _numbers, float),
    _ordered(model.TimeRange, _times, _time),
)


def _fields(inner: Any, least: int = 1) -> Any:
    return st.lists(
        st.builds(model.Field, name=names, component=inner),
        min_size=least,
        max_size=3,
        unique_by=lambda f: f.name,
    ).map(tuple)


def _compound(inner: Any) -> Any:
    element = st.builds(model.Field, name=names, component=inner)
    separators = st.none() | st.builds(
        model.TextSeparators,
        token=st.sampled_from([",", ";", "|", " "]),
        block=st.sampled_from(["\n", "@@"]),
        decimal=st.sampled_from([".", "!"]),
    )
    return st.one_of(
        st.builds(model.DataRecord, fields=_fields(inner), optional=st.booleans()),
        st.builds(model.Vector, fields=_fields(inner)),
        st.builds(model.DataChoice, items=_fields(inner)),
        st.builds(
            model.DataArray,
            element=element,
            element_count=st.none() | st.integers(0, 3),
            encoding=separators,
            optional=st.booleans(),
        ),
        st.builds(model.Matrix, element=element),
    )


components = st.recursive(simple | ranges, _compound, max_leaves=5)


def _ordered_value(component: Any) -> Any:
    """A value the component allows: one listed, an interval's end, or anything where nothing is listed."""
    listed = [component.number(each) for each in component.allowed]
    listed += [component.number(low) for low, _ in component.intervals]
    if listed:
        return st.sampled_from(listed)
    if isinstance(component, model.Time):
        return st.datetimes().map(lambda t: t.replace(tzinfo=UTC)) | st.just(
            datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=1)
        )
    return (
        st.integers(-(10**29), 10**29)
        if isinstance(component, model.Count)
        else st.floats(allow_nan=False, allow_infinity=False)
    )


def values_of(component: Any) -> Any:
    """Python values that ``component.parse`` could return."""
    if isinstance(component, model.Boolean):
        return st.booleans()
    if isinstance(component, model.Category | model.Text):
        choices = [*component.allowed, *(["EPSG:32632"] if component.pattern else [])]
        return st.sampled_from(choices) if choices else words
    if isinstance(component, model.Count | model.Quantity | model.Time):
        return _ordered_value(component)
    if isinstance(component, model.DataRecord):
        return st.fixed_dictionaries({each.name: values_of(each.component) for each in component.fields})
    if isinstance(component, model.DataChoice):
        return st.one_of(
            [values_of(each.component).map(lambda v, name=each.name: {name: v}) for each in component.items]
        )
    if isinstance(component, model.DataArray):
        count = component.element_count
        least, most = (0, 3) if count is None else (count, count)
        return st.lists(values_of(component.element.component), min_size=least, max_size=most)
    end = values_of(component.scalar_component())
    pair = st.tuples(end, end)
    return pair if isinstance(component, model.CategoryRange) else pair.map(lambda p: tuple(sorted(p)))


@st.composite
def components_with_values(draw: Any) -> tuple[Any, Any]:
    """A component and a Python value it takes."""
    component = draw(components)
    return component, draw(values_of(component))
