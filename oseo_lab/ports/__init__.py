"""Every seam of the house, as a Protocol: what the pillars ask of the doors, and doors of plugins.

`store` holds the order store's, `work` the executor's and the workspace's, `kinds` the seven kinds of plugin
(processor, delivery channel, catalogue, notifier, quoter, provider, tasking), which are found by entry point.
Nothing here does anything.
"""

from __future__ import annotations

from oseo_lab.ports.kinds import (
    Acquisition,
    AcquisitionState,
    Catalogue,
    CatalogueQuery,
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
    Tasking,
    Thumbnail,
)
from oseo_lab.ports.store import (
    MOST_SKIPPED,
    Account,
    Accounts,
    Balances,
    Callbacks,
    Events,
    Items,
    Matches,
    Notice,
    Orders,
    OrderStore,
    Outbox,
    Past,
    ProviderOrders,
    Quotations,
    Results,
    Sending,
    Sendings,
    Subscribers,
    UnitOfWork,
)
from oseo_lab.ports.views import Shares, Views
from oseo_lab.ports.work import (
    Executor,
    Workspace,
)

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
    "DeliveryChannel",
    "Events",
    "Executor",
    "Forwarded",
    "ForwardedItem",
    "Inputs",
    "Items",
    "Matches",
    "Notice",
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
