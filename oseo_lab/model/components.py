"""What all SWE Common 2.0 data components have in common (OGC 08-094r1).

`Component.parse` turns a travelling value into a Python value, `Component.faults` says everything wrong with
it; `Component.render` is the inverse of `parse`. Components of one value are in `scalars`, of two in
`ranges`, of several parts in `compounds` and `arrays`; what an option makes of a component is in `options`,
which offers all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from oseo_lab.model.text_encoding import Tokens, TokenWriter

__all__ = ["Component", "Fault", "NilValues", "Simple", "shown"]

#: ``swe:nilValues``: pairs of a reason (URI) and the value that stands for it.
NilValues = tuple[tuple[str, str], ...]


class Fault(NamedTuple):
    """What is wrong with a part of a travelling value: where below the option, what, and OWS's code."""

    path: str
    text: str
    code: str = "InvalidParameterValue"


@dataclass(frozen=True, kw_only=True)
class Component:
    """What all SWE Common 2.0 data components share (OGC 08-094r1, 8.1).

    Parameters
    ----------
    definition : str or None
        URI of what the component means.
    identifier, label, description : str or None
        For people.
    optional : bool
        Whether the client may leave it out (``swe:optional``; the standard's default is False).
    updatable : bool or None
        ``swe:updatable``, kept as it came.
    """

    kind: ClassVar[str] = "AbstractDataComponent"

    definition: str | None = None
    identifier: str | None = None
    label: str | None = None
    description: str | None = None
    optional: bool = False
    updatable: bool | None = None

    def parse(self, value: Any) -> Any:
        """Return the Python value of a travelling one.

        Raises
        ------
        ValueError
            With one sentence that says what is wrong and what is allowed.
        """
        raise NotImplementedError

    def faults(self, value: Any) -> Iterator[Fault]:
        """Yield everything wrong with a travelling value, each with its place below the component."""
        try:
            self.parse(value)
        except ValueError as wrong:
            yield Fault("", str(wrong))

    def take(self, tokens: Tokens, path: str) -> Any:
        """Return the travelling value that the next tokens are; raises `TextFault` if they are none."""
        raise NotImplementedError

    def put(self, value: Any, writer: TokenWriter) -> None:
        """Write a travelling value, as `render` returns it, as tokens; raises ValueError if it cannot."""
        raise NotImplementedError

    def render(self, value: Any) -> Any:
        """Return the travelling form of a Python value; the inverse of `parse`.

        Raises
        ------
        ValueError
            If the value has another shape than `parse` returns.
        """
        raise NotImplementedError

    def narrowed(self, allowed: Sequence[str] = (), intervals: Sequence[tuple[str, str]] = ()) -> Component:
        """Return the component with fewer allowed values.

        Raises
        ------
        ValueError
            If a value is not allowed by the component itself, or it has no such list.
        """
        raise ValueError(f"a {self.kind} has no list of allowed values")

    def with_preset(self, value: str | Sequence[str]) -> Component:
        """Return the component with another preset value; raises ValueError if it is not allowed."""
        raise ValueError(f"a {self.kind} has no preset value of its own")

    @property
    def default(self) -> Any:
        """The preset value, parsed; None where there is none (06-141r6 7.3.9.3)."""
        return None

    @property
    def allowed_text(self) -> str:
        """What is allowed, for an error message or a form."""
        return f"a {self.kind}"


def shown(value: Any) -> str:
    """Return a value as a message shows it: short."""
    return repr(value)[:100]


@dataclass(frozen=True, kw_only=True)
class Simple(Component):
    """A component with one lexical value.

    Parameters
    ----------
    value : str or None
        The preset value.
    nil_values : NilValues
        Values that stand for "none", with the reason; they parse to None.
    axis_id, reference_frame : str or None
        For a coordinate: which axis, of which reference frame.
    """

    value: str | None = None
    nil_values: NilValues = ()
    axis_id: str | None = None
    reference_frame: str | None = None

    def parse(self, value: Any) -> Any:
        if isinstance(value, tuple):
            raise ValueError(
                f"one value is expected, not {len(value)} named ones; allowed: {self.allowed_text}"
            )
        text = str(value).strip()
        if self.nil_values and any(text == nil for _, nil in self.nil_values):
            return None
        return self.parse_text(text)

    def parse_text(self, text: str) -> Any:
        raise NotImplementedError

    def take(self, tokens: Tokens, path: str) -> Any:
        return tokens.take(path, self.allowed_text)

    def put(self, value: Any, writer: TokenWriter) -> None:
        writer.put(value)

    def render(self, value: Any) -> Any:
        if value is None and self.nil_values:
            return self.nil_values[0][1]
        if isinstance(value, Mapping | list | tuple | set):
            raise ValueError(f"one value is expected, not {shown(value)}; allowed: {self.allowed_text}")
        return self.render_one(value)

    def render_one(self, value: Any) -> str:
        """Return the lexical form of one Python value."""
        return str(value)

    def with_preset(self, value: str | Sequence[str]) -> Component:
        if not isinstance(value, str):
            raise ValueError(f"one value is expected, not {len(value)}; allowed: {self.allowed_text}")
        self.parse(value)
        return replace(self, value=value)

    @property
    def default(self) -> Any:
        return None if self.value is None else self.parse(self.value)
