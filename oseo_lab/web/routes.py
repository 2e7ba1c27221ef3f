"""The table of paths below ``oseo``; patterns match the path as it travels, percent-encoded."""

from __future__ import annotations

from oseo_lab.encoding.soap import version_of
from oseo_lab.model.errors import NotFound, OseoError
from oseo_lab.web import desk, notices, notify, products, quotations, rest, shares, standing, steering, views
from oseo_lab.web.base import BaseOseoHandler, door
from oseo_lab.web.callback_door import CallbackHandler
from oseo_lab.web.events import EventsHandler
from oseo_lab.web.files import FileHandler
from oseo_lab.web.json_door import JsonHandler
from oseo_lab.web.soap import SoapHandler, answer_fault, speaks_soap

__all__ = ["ROUTES", "NowhereHandler"]


class NowhereHandler(JsonHandler):
    """Any other path: nothing is there, said to SOAP clients in their way."""

    @door
    async def get(self, *_: str) -> None:
        """Say that there is nothing."""
        raise NotFound(
            f"there is nothing at this path; the SOAP endpoint is {self.service_url}, the JSON API "
            f"{self.service_url}api/v1/",
            code="NoApplicableCode",
        )

    head = post = put = patch = delete = options = get

    def answer_error(self, error: OseoError) -> None:
        """Send a fault to whoever speaks SOAP, a problem document to others."""
        content_type = self.request.headers.get("Content-Type", "")
        if speaks_soap(content_type):
            answer_fault(self, error, version_of(content_type, bytes(self._body[:4096])))
        else:
            super().answer_error(error)


_API = "/api/v1"
_COLLECTION = f"{_API}/collections/([^/]+)"
_ORDER = f"{_API}/orders/([^/]+)"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

ROUTES: list[tuple[str, type[BaseOseoHandler]]] = [
    ("/?", SoapHandler),
    (f"{_API}/orders/summaries", views.SummariesHandler),
    (f"{_ORDER}/?", rest.OrderHandler),
    (f"/files/({_UUID})/(0|[1-9][0-9]{{0,8}})/([^/]+)", FileHandler),
    (r"/order-events\.xsd", notices.EventSchemaHandler),
    ("/callback", CallbackHandler),
    (f"{_API}/events", EventsHandler),
    (f"{_API}/orders/?", rest.OrdersHandler),
    (f"{_ORDER}/items", rest.ItemsHandler),
    (f"{_ORDER}/view", views.ViewHandler),
    (f"{_ORDER}/shares", shares.SharesHandler),
    (f"{_ORDER}/shares/([^/]+)", shares.ShareHandler),
    ("/shared/([^/]+)/?", shares.SharedPageHandler),
    ("/shared/([^/]+)/view", shares.SharedViewHandler),
    ("/shared/([^/]+)/results", shares.SharedResultsHandler),
    ("/shared/.*", shares.NoLinkHandler),
    (f"{_ORDER}/history", rest.HistoryHandler),
    (f"{_ORDER}/results", rest.ResultsHandler),
    (f"{_ORDER}/charges", quotations.ChargesHandler),
    (f"{_ORDER}/cancel", rest.CancelHandler),
    (f"{_ORDER}/notices", notices.NoticesHandler),
    (f"{_ORDER}/notices/([^/]+)/again", notify.AgainHandler),
    (f"{_ORDER}/notifications", notify.NotificationsHandler),
    (f"{_ORDER}/notifications/([^/]+)", notify.NotificationHandler),
    (f"{_ORDER}/pause", steering.PauseHandler),
    (f"{_ORDER}/resume", steering.ResumeHandler),
    (f"{_ORDER}/retry", steering.RetryHandler),
    (f"{_ORDER}/match", standing.MatchHandler),
    (f"{_COLLECTION}/announce", standing.AnnounceHandler),
    (f"{_API}/quotations/?", quotations.QuotationsHandler),
    (f"{_API}/quotations/({_UUID})", quotations.QuotationHandler),
    (f"{_API}/quotations/({_UUID})/answer", quotations.AnswerHandler),
    ("/desk/?", desk.DeskPageHandler),
    (f"{_API}/desk/?", desk.DeskHandler),
    (f"{_API}/desk/orders/([^/]+)", desk.LookHandler),
    (f"{_API}/desk/orders/([^/]+)/approve", desk.ApproveHandler),
    (f"{_API}/desk/orders/([^/]+)/reject", desk.RejectHandler),
    (f"{_API}/desk/orders/([^/]+)/run-again", desk.RunAgainHandler),
    (f"{_API}/desk/announcement", desk.AnnouncementHandler),
    (f"{_API}/balances/?", quotations.BalancesHandler),
    (f"{_API}/balances/([^/]+)/([^/]+)", quotations.BalanceHandler),
    (f"{_API}/operations/([^/]+)", rest.OperationHandler),
    (f"{_API}/?", rest.AboutHandler),
    (rf"{_API}/openapi\.json", rest.OpenApiHandler),
    (f"{_API}/capabilities", rest.CapabilitiesHandler),
    (f"{_API}/collections/?", products.CollectionsHandler),
    (f"{_COLLECTION}/?", products.CollectionHandler),
    (f"{_COLLECTION}/options", products.OptionsHandler),
    (f"{_COLLECTION}/schema", products.SchemaHandler),
    (f"{_COLLECTION}/check", products.CheckHandler),
    (f"{_COLLECTION}/products", products.ProductsHandler),
    (f"{_COLLECTION}/products/([^/]+)/thumbnail", products.ThumbnailHandler),
    ("(?:/.*)?", NowhereHandler),
]
