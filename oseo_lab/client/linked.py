"""An order that somebody shared by a link: where it stands and what it delivered, to read only.

The link is a secret of whoever made it: it is in no display, no text of an error and no log.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oseo_lab.client import display
from oseo_lab.client.given import text
from oseo_lab.client.refusals import mapping_of, not_ours, refusal, said_of, stays_here
from oseo_lab.client.showing import keepable
from oseo_lab.encoding.order_html import order_html, order_text
from oseo_lab.model.delivery import Secret
from oseo_lab.model.errors import TransportError, ValidationError
from oseo_lab.model.status import Status
from oseo_lab.model.view import OrderView

if TYPE_CHECKING:
    from oseo_lab.client.results import Results

__all__ = ["LinkedOrder"]

#: What stands before the secret in a link.
_PLACE = "/oseo/shared/"


class LinkedOrder:
    """An order behind a link.

    Parameters
    ----------
    link : str
        As its owner passed it on.

    Raises
    ------
    ValidationError
        If it is no such link.
    NotFound
        If it opens nothing, or not any more.
    TransportError
        If the service does not answer.
    """

    def __init__(self, link: str) -> None:
        text(link, "link", "https://.../oseo/shared/...")
        parts = urlsplit(link.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or _PLACE not in parts.path:
            raise ValidationError(
                "this is no link to an order; it looks like https://.../oseo/shared/... and is made by "
                "order.share().link",
                locator="link",
            )
        before, _, secret = parts.path.partition(_PLACE)
        self._server = f"{parts.scheme}://{parts.netloc}{before}/"
        self._secret = Secret(secret.partition("/")[0])
        self._view = self.view()

    def view(self) -> OrderView:
        """Ask for the order at a glance."""
        from oseo_lab.encoding.json_form import from_plain

        self._view = from_plain(OrderView, self._ask("view"))
        return self._view

    @property
    def last_view(self) -> OrderView:
        """The order at a glance, as last heard of."""
        return self._view

    @property
    def id(self) -> str:
        """The service's id."""
        return self._view.summary.order_id

    @property
    def name(self) -> str:
        """What its owner called it."""
        return self._view.summary.name

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self._view.summary.owner

    @property
    def status(self) -> Status:
        """Where the order stands."""
        return self.view().summary.status

    @property
    def counts(self) -> dict[Status, int]:
        """Items by status."""
        return dict(self.view().summary.counts)

    @property
    def is_done(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.status.is_final

    def results(self) -> Results:
        """Return what has been delivered so far."""
        from oseo_lab.client.results import Results
        from oseo_lab.client.transport import HttpTransport
        from oseo_lab.encoding.json_form import from_plain
        from oseo_lab.model.messages import DescribeResultAccessResponse

        found = from_plain(DescribeResultAccessResponse, self._ask("results"))
        transport = HttpTransport(self._server)
        return Results(transport, self.id, self.name, found.urls, found.error_message)

    def download(self, folder: Any = ".", **how: Any) -> list[Path]:
        """Download what has been delivered so far (`Results.download`)."""
        return self.results().download(folder, **how)

    def to_xarray(self, folder: Any = None, **how: Any) -> Any:
        """Open what has been delivered so far (`Results.to_xarray`)."""
        return self.results().to_xarray(folder, **how)

    def _ask(self, part: str) -> dict[str, Any]:
        import httpx

        url = f"{self._server}oseo/shared/{self._secret.reveal()}/{part}"
        try:
            with httpx.Client(timeout=30.0, trust_env=not stays_here(url)) as client:
                response = client.get(url, headers={"Accept": "application/json"})
        except httpx.HTTPError as lost:
            raise TransportError(f"{self._server} could not be reached ({said_of(lost)})") from None
        is_ours = "json" in response.headers.get("content-type", "")
        if not is_ours or response.is_redirect:
            raise TransportError(
                f"{self._server} answered {response.status_code}: no oseo_lab shares orders there"
            )
        if not response.is_success:
            raise refusal(response)
        try:
            return dict(mapping_of(response.json()))
        except (ValueError, RecursionError):
            raise not_ours(response) from None

    def __repr__(self) -> str:
        return f"LinkedOrder({self.name!r} of {self.owner!r}, {self._view.summary.status})"

    def __str__(self) -> str:
        return order_text(self._view)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        html = display.safely(self, lambda: order_html(keepable(self._view)))
        return {"text/plain": str(self), "text/html": html}
