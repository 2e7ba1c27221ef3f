"""Every seam of the house, as a Protocol: what the pillars ask of the doors, and doors of plugins.

`store` holds the order store's, `views`, `notices` and `prices` members of it; `work` the executor's and the
workspace's; `kinds` the seven kinds of plugin (processor, delivery channel, catalogue, notifier, quoter,
provider, tasking), which are found by entry point. Nothing here does anything.
"""

from __future__ import annotations

from oseo_lab.ports.desk import Desk, Held
from oseo_lab.ports.kinds import (
    Acquisition,
    AcquisitionState,
    Catalogue,
    CatalogueQuery,
    CheckingProcessor,
    DeliveryChannel,
    Forwarded,
    ForwardedItem,
    Inputs,
    Notifier,
    PicturedCatalogue,
    ProcessingFailed,
    Processor,
    Provider,
    Quoter,
    QuoteRequest,
    RestoringCatalogue,
    Tasking,
    Thumbnail,
)
from oseo_lab.ports.notices import (
    MOST_SKIPPED,
    Callbacks,
    Notice,
    Notifications,
    Outbox,
    Sending,
    Sendings,
    Subscribers,
)
from oseo_lab.ports.prices import Balances, Past, Quotations
from oseo_lab.ports.store import (
    Account,
    Accounts,
    Events,
    Items,
    Matches,
    Orders,
    OrderStore,
    ProviderOrders,
    Results,
    UnitOfWork,
)
from oseo_lab.ports.views import Shares, Views
from oseo_lab.ports.work import Executor, Workspace

__all__ = [
    "MOST_SKIPPED",
    "Account",
    "Accounts",
    "Acquisition",
    "AcquisitionState",
    "Balances",
    "Callbacks",
    "Catalogue",
    "CatalogueQuery",
    "CheckingProcessor",
    "DeliveryChannel",
    "Desk",
    "Events",
    "Executor",
    "Forwarded",
    "ForwardedItem",
    "Held",
    "Inputs",
    "Items",
    "Matches",
    "Notice",
    "Notifications",
    "Notifier",
    "OrderStore",
    "Orders",
    "Outbox",
    "Past",
    "PicturedCatalogue",
    "ProcessingFailed",
    "Processor",
    "Provider",
    "ProviderOrders",
    "Quotations",
    "QuoteRequest",
    "Quoter",
    "RestoringCatalogue",
    "Results",
    "Sending",
    "Sendings",
    "Shares",
    "Subscribers",
    "Tasking",
    "Thumbnail",
    "UnitOfWork",
    "Views",
    "Workspace",
]
