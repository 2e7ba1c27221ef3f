"""How a product gets to its user (OGC 06-141r6, 7.3.6 and Table 15-4): three kinds of delivery.

Passwords are a `Secret`, whose ``repr`` is stars: it may be stored, never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from oseo_lab.model.identifiers import ProductId

__all__ = [
    "REFUSED_PACKAGING",
    "DeliveredFile",
    "DeliveryAddress",
    "DeliveryInformation",
    "DeliveryOptions",
    "ItemURL",
    "MediaDelivery",
    "OnlineAddress",
    "OnlineDataAccess",
    "OnlineDataDelivery",
    "PackageMedium",
    "Packaging",
    "PostalAddress",
    "Protocol",
    "Secret",
    "ShippingInstructions",
]


class Protocol(StrEnum):
    """``ProtocolType`` of the schema."""

    FTP = "ftp"
    FTPS = "ftps"
    SFTP = "sftp"
    P2P = "P2P"
    WCS = "wcs"
    WMS = "wms"
    E_MAIL = "e-mail"
    DDS = "dds"
    HTTP = "http"
    HTTPS = "https"


class PackageMedium(StrEnum):
    """``PackageMedium`` of the schema."""

    NTP = "NTP"
    DAT = "DAT"
    EXABYTE = "Exabyte"
    CD_ROM = "CD-ROM"
    DLT = "DLT"
    D1 = "D1"
    DVD = "DVD"
    BD = "BD"
    LTO = "LTO"
    LTO2 = "LTO2"
    LTO4 = "LTO4"


class ShippingInstructions(StrEnum):
    """When a parcel is sent."""

    EACH = "as each product is ready"
    ALL = "once all products are ready"
    OTHER = "other"


class Packaging(StrEnum):
    """``EnumPackagingType`` of the schema: the container products travel in."""

    ZIP = "zip"
    TAR = "tar"
    TGZ = "tgz"
    COMPRESS = "compress"
    BZIP = "bzip"
    BZIP2 = "bzip2"
    GZIP = "gzip"
    RAR = "rar"
    SEVEN_ZIP = "7z"


#: Schema-valid packagings nobody should write any more: proprietary or obsolete.
REFUSED_PACKAGING = frozenset({Packaging.RAR, Packaging.COMPRESS, Packaging.BZIP})


class Secret:
    """Text that never shows: ``repr``, ``str``, f-strings and logs are stars; `reveal` is explicit.

    It is no ``str``, so no JSON writer takes it for one, and it cannot be pickled, so it cannot become part
    of a task.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "'***'"

    def __str__(self) -> str:
        return "***"

    def __format__(self, _: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled: it must not travel to a worker; pass a reference to it")

    def reveal(self) -> str:
        """Return the secret itself, for the one place that must use it."""
        return self._text


@dataclass(frozen=True, kw_only=True, slots=True)
class OnlineDataAccess:
    """The server publishes a URL; the client fetches it after DescribeResultAccess."""

    kind: ClassVar[str] = "onlineDataAccess"

    protocol: Protocol = Protocol.HTTP


@dataclass(frozen=True, kw_only=True, slots=True)
class OnlineDataDelivery:
    """The server pushes to the client's on-line address."""

    kind: ClassVar[str] = "onlineDataDelivery"

    protocol: Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaDelivery:
    """A parcel to the client's postal address."""

    kind: ClassVar[str] = "mediaDelivery"

    package_medium: PackageMedium
    shipping_instructions: ShippingInstructions | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryOptions:
    """``DeliveryOptionsType``: one of the three kinds, and notes for whoever handles it."""

    delivery: OnlineDataAccess | OnlineDataDelivery | MediaDelivery
    number_of_copies: int | None = None
    product_annotation: str | None = None
    special_instructions: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OnlineAddress:
    """``OnlineAddressType``: where to push to."""

    protocol: Protocol
    server_address: str
    user_name: str | None = None
    user_password: Secret | None = None
    path: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PostalAddress:
    """``postalAddress``: every part but the box is mandatory in the schema and may be ``-``."""

    street_address: str
    city: str
    state: str
    postal_code: str
    country: str
    post_box: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryAddress:
    """``DeliveryAddressType``: a person or company, and where they live."""

    first_name: str | None = None
    last_name: str | None = None
    company_ref: str | None = None
    postal_address: PostalAddress | None = None
    telephone_number: str | None = None
    facsimile_telephone_number: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryInformation:
    """``DeliveryInformationType``: push targets and the postal address."""

    online_addresses: tuple[OnlineAddress, ...] = ()
    mail_address: DeliveryAddress | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemURL:
    """``ItemURLType`` of DescribeResultAccess: where one delivered file lies.

    Parameters
    ----------
    item_id : str
        The client's ``itemId``.
    url : str
        ``itemAddress/ResourceAddress/URL``.
    product_id : ProductId or None
        Which product it was made from.
    expiration : datetime or None
        Until when the URL answers, UTC.
    service_url, service_type, service_info_url : str or None
        ``itemAddress/ServiceAddress`` of results behind a service such as WCS.
    """

    item_id: str
    url: str
    product_id: ProductId | None = None
    expiration: datetime | None = None
    service_url: str | None = None
    service_type: str | None = None
    service_info_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveredFile:
    """One file as it lies in the delivery."""

    name: str
    size: int
    sha256: str
    media_type: str
    is_data: bool = True
