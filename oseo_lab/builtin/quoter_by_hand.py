"""The quoter for what only a person can price: `oseo-lab quotations answer` gives its quotations.

GetQuotation asks it for its mode alone; the order then waits for the person (06-141r6's off-line mode).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.quotation import ItemGroupPrice, QuotationMode
from oseo_lab.ports import ProcessingFailed, QuoteRequest

__all__ = ["ByHand"]


class ByHand:
    """Prices nothing by itself.

    Parameters
    ----------
    collection_id : str
        Whose items.
    settings : mapping
        Nothing.

    Raises
    ------
    ConfigurationError
        If there are settings.
    """

    mode = QuotationMode.OFF_LINE

    def __init__(self, collection_id: str, settings: Mapping[str, Any]) -> None:
        if settings:
            raise ConfigurationError(
                f"quotation: {', '.join(settings)} is not known to by_hand; a person says prices and validity"
            )

    def __call__(self, request: QuoteRequest) -> Sequence[ItemGroupPrice]:
        """Say that nothing is priced without a person.

        Raises
        ------
        ProcessingFailed
            Always.
        """
        raise ProcessingFailed("a person gives this quotation")
