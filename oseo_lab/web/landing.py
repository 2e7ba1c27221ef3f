"""The page a browser gets at ``oseo/``: what this is, what can be ordered, how to connect.

One self-contained document, light or dark as the reader's system asks. It says nothing that the open
capabilities document does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from oseo_lab.model.collection import Collection
from oseo_lab.model.desk import Announcement
from oseo_lab.model.messages import Capabilities

__all__ = ["landing_page"]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line) }
pre { background: var(--soft); padding: .8rem; border-radius: .4rem; overflow-x: auto }
code { font: .9em ui-monospace, monospace }
"""


def landing_page(
    url: str,
    capabilities: Capabilities,
    collections: Iterable[Collection],
    announcement: Announcement | None = None,
) -> bytes:
    """Return the page.

    Parameters
    ----------
    url : str
        Where the service is for its reader, with a slash at the end.
    capabilities : Capabilities
        For the title, the provider and the operations.
    collections : iterable of Collection
        What can be ordered from.
    announcement : Announcement, optional
        What operators tell users now.
    """
    title = capabilities.identification.title if capabilities.identification else "oseo_lab"
    provider = capabilities.provider.name if capabilities.provider else ""
    server = url.removesuffix("oseo/")
    said = "" if announcement is None else escape(announcement.sentence)
    told = f'<p role="status"><strong>Announcement:</strong> {said}</p>' if said else ""
    python = f'import oseo_lab as oseo\nlab = oseo.connect("{server}", token="…")\nlab.collections'
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{_STYLE}</style></head><body>
<h1>{escape(title)}</h1><p>{escape(provider)}: ordering Earth-observation products (OGC OSEO 1.0).</p>{told}
<h2>Collections</h2>{_table(collections)}
<h2>What it does</h2>{_abilities(capabilities)}
<h2>Connect</h2>
<p>From a notebook or script:</p><pre><code>{escape(python)}</code></pre>
<p>From any OSEO client, SOAP 1.1 or 1.2 by POST to:</p><pre><code>{escape(url)}</code></pre>
<ul><li><a href="{escape(url)}?wsdl">WSDL</a></li>
<li><a href="{escape(url)}?service=OS&amp;request=GetCapabilities">Capabilities</a></li>
<li><a href="{escape(url)}api/v1/openapi.json">JSON API (OpenAPI)</a></li>
<li><a href="{escape(url)}desk">Order desk</a> (for operators)</li></ul></body></html>
""".encode()


def _table(collections: Iterable[Collection]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each.id)}</code></td><td>{escape(each.title)}</td></tr>"
        for each in collections
    )
    if not rows:
        return "<p>None yet: <code>c.OseoLab.collections</code> names a folder of collection files.</p>"
    return f"<table><tr><th>id</th><th>title</th></tr>{rows}</table>"


#: Words for the flags of the capabilities document.
_ORDERS = {
    "product_orders": "products",
    "subscription_orders": "subscriptions",
    "programming_orders": "future products (tasking)",
}
_QUOTATIONS = {
    "quotation_synchronous": "at once",
    "quotation_asynchronous": "by a call to you",
    "quotation_monitoring": "to be asked for",
    "quotation_off_line": "by a person",
}


def _abilities(capabilities: Capabilities) -> str:
    """Say in words what the capabilities document says in flags."""
    contents = capabilities.contents
    names = [each.name for each in capabilities.operations or ()]

    def told(words: dict[str, str]) -> str:
        return ", ".join(word for flag, word in words.items() if getattr(contents, flag, False)) or "none"

    rows = {
        "Operations": ", ".join(names),
        "Orders of": told(_ORDERS),
        "Quotations": told(_QUOTATIONS),
        "Calls back": "yes" if contents is not None and contents.submit_asynchronous else "no",
        "Notifications": ", ".join(capabilities.notifications.topics)
        if capabilities.notifications
        else "none",
    }
    cells = "".join(f"<tr><th>{name}</th><td>{escape(said)}</td></tr>" for name, said in rows.items())
    return f"<table>{cells}</table>"
