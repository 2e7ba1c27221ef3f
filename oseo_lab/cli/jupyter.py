"""Jupyter Server as commands need it, for its configuration or headless: without the grammar of IRIs.

jsonschema, which Jupyter's events bring, compiles that grammar whenever it is imported: more than a second of
work, most of what a command would take. It checks nothing but the formats ``iri`` and ``iri-reference``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_iris"]

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def without_iris() -> Iterator[None]:
    """While this lasts, imports do without the grammar; they provide for that."""
    if _GRAMMAR in sys.modules:
        yield
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # None: what is not there, to `import`
    try:
        yield
    finally:
        del sys.modules[_GRAMMAR]
