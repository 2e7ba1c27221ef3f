"""Pages for people without scripts: one document each, light or dark as the reader's system asks."""

from __future__ import annotations

from html import escape

__all__ = ["POLICY", "page"]

#: Nothing is loaded, run, sent or framed; the page's own style is all.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_STYLE = (
    ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;"
    "padding:0 1rem}footer{opacity:.7;font-size:.85em;margin-top:1rem}"
)


def page(title: str, body: str) -> bytes:
    """Return a document; ``body`` is HTML, of which everything is escaped already."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>\n"
    ).encode()
