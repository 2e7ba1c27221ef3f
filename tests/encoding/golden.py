"""The golden list: every message with the XML it is, in ``tests/data``; walked both ways."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oseo_lab.model.collection import (
    CollectionCapability,
    OrderOptions,
    PaymentOption,
    ProductDelivery,
    SceneSelectionOption,
)
from oseo_lab.model.delivery import (
    DeliveryAddress,
    DeliveryInformation,
    DeliveryOptions,
    ItemURL,
    MediaDelivery,
    OnlineAddress,
    OnlineDataAccess,
    OnlineDataDelivery,
    PackageMedium,
    Packaging,
    PostalAddress,
    Protocol,
    Secret,
    ShippingInstructions,
)
from oseo_lab.model.identifiers import OrderType, ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.messages import (
    Cancel,
    CancelAck,
    Capabilities,
    Contents,
    DescribeResultAccess,
    DescribeResultAccessResponse,
    FilteringCriteria,
    GetCapabilities,
    GetOptions,
    GetOptionsResponse,
    GetQuotation,
    GetQuotationAck,
    GetStatus,
    GetStatusResponse,
    NotificationProducer,
    OperationMetadata,
    Presentation,
    ResponseStatus,
    ServiceIdentification,
    ServiceProvider,
    SubFunction,
    Submit,
    SubmitAck,
)
from oseo_lab.model.options import (
    Boolean,
    Category,
    CategoryRange,
    Count,
    CountRange,
    DataArray,
    DataChoice,
    DataRecord,
    Encoding,
    Field,
    Matrix,
    OptionDefinition,
    ParameterData,
    Quantity,
    QuantityRange,
    Text,
    TextSeparators,
    Time,
    TimeRange,
    Vector,
)
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    Payment,
    Priority,
    StatusInfo,
    StatusNotification,
)
from oseo_lab.model.quotation import ItemGroupPrice, ItemPrice, Price, ProviderName, Quotation
from oseo_lab.model.status import Status

DATA = Path(__file__).parents[1] / "data"
NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
FRACTION = datetime(2024, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
ORDER_ID = "urn:uuid:6d6c2a3e-4f6b-4a65-9a0c-0f5e3b1c9d11"
COLLECTION = "http://www.example.org/collections/sentinel-2?level=2A&tile=T32"

POINT = Vector(
    fields=(
        Field(name="latitude", component=Quantity(uom="deg")),
        Field(name="longitude", component=Quantity(uom="deg")),
    )
)
ADDRESS = DeliveryAddress(
    first_name="Grace",
    last_name="Hopper",
    company_ref="Navy",
    postal_address=PostalAddress(
        street_address="1 Harbour Road",
        city="Arlington",
        state="VA",
        postal_code="22201",
        country="US",
        post_box="7",
    ),
    telephone_number="0015551234",
    facsimile_telephone_number="0015551235",
)
RECTANGLE = (
    "sceneBoundingRectangle",
    (
        ("point", (("latitude", "45.0"), ("longitude", "7.0"))),
        ("point", (("latitude", "46.5"), ("longitude", "8.5"))),
    ),
)

EVERYTHING = OrderSpecification(
    order_reference="Alps, <June> & July",
    order_remark='Two scenes; "quick" please — žluťoučký',
    delivery_information=DeliveryInformation(
        online_addresses=(
            OnlineAddress(
                protocol=Protocol.SFTP,
                server_address="sftp.example.org",
                user_name="grace",
                user_password=Secret("cobol&<59>"),
                path="/incoming",
            ),
            OnlineAddress(protocol=Protocol.FTP, server_address="ftp.example.org"),
        ),
        mail_address=ADDRESS,
    ),
    invoice_address=DeliveryAddress(company_ref="Accounts"),
    packaging=Packaging.ZIP,
    options=(ParameterData(values=(("format", "COG"), ("bands", (("band", "B04"), ("band", "B03"))))),),
    delivery_options=DeliveryOptions(
        delivery=OnlineDataAccess(protocol=Protocol.HTTPS),
        number_of_copies=1,
        product_annotation="for the archive",
        special_instructions="none",
    ),
    priority=Priority.FAST_TRACK,
    order_type=OrderType.PRODUCT_ORDER,
    extensions=("campaign=alps", ""),
    items=(
        ItemSpecification(
            item_id="1",
            product_order_options_id="standard",
            remark="",
            options=(ParameterData(values=(("crs", "EPSG:32632"), ("resolution", "20"))),),
            scene_selections=(ParameterData(values=(RECTANGLE,)),),
            delivery_options=DeliveryOptions(
                delivery=MediaDelivery(
                    package_medium=PackageMedium.CD_ROM, shipping_instructions=ShippingInstructions.EACH
                )
            ),
            payment=Payment(payment_method="credit card", credit_card_info="4111 1111"),
            extensions=("x",),
            identifier=ProductId(identifier="S2A_MSIL2A_20240601", collection_id=COLLECTION),
        ),
        ItemSpecification(
            item_id="2",
            options=(ParameterData(encoding=Encoding.TEXT, text="COG,20,B04;B03"),),
            delivery_options=DeliveryOptions(delivery=OnlineDataDelivery(protocol=Protocol.SFTP)),
            payment=Payment(payment_method="quota", order_account="alps"),
            identifier=ProductId(identifier="S2B_MSIL2A_20240603"),
        ),
    ),
)

STANDARD_OPTIONS = (
    OptionDefinition(
        name="format",
        grouping="Processing Option",
        component=Category(
            definition="http://www.example.org/def/format",
            label="Format",
            description="container of the pixels",
            allowed=("COG", "NetCDF"),
            code_space="http://www.example.org/formats",
            value="COG",
            optional=True,
            updatable=False,
        ),
    ),
    OptionDefinition(name="crs", component=Text(pattern=r"EPSG:\d{4,5}", value="EPSG:32632")),
    OptionDefinition(name="cut", component=Boolean(value="true", optional=True)),
    OptionDefinition(name="tries", component=Count(allowed=("1", "3"), intervals=(("5", "9"),))),
    OptionDefinition(
        name="resolution",
        component=Quantity(uom="m", intervals=(("10", "100"),), significant_figures=3, value="10"),
    ),
    OptionDefinition(
        name="when", component=Time(intervals=(("2015-06-23T00:00:00Z", "2030-01-01T00:00:00Z"),))
    ),
    OptionDefinition(name="grades", component=CategoryRange(allowed=("A", "B", "C"), value=("A", "C"))),
    OptionDefinition(name="columns", component=CountRange(intervals=(("0", "10979"),), value=("0", "9"))),
    OptionDefinition(name="look", component=QuantityRange(uom="deg", value=("20", "45.5"))),
    OptionDefinition(
        name="dateRange",
        component=TimeRange(uom="s", value=("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z")),
    ),
    OptionDefinition(
        name="bands",
        component=DataArray(
            element=Field(name="band", component=Category(allowed=("B02", "B03", "B04"))),
            encoding=TextSeparators(),
            preset=("B04", "B03"),
        ),
    ),
    OptionDefinition(
        name="observations",
        component=DataRecord(
            fields=(
                Field(name="number", component=Count(value="20")),
                Field(name="gap", component=Count(value="2")),
            )
        ),
    ),
    OptionDefinition(
        name="auxiliary",
        component=DataChoice(
            choice_value=Category(value="mdf"),
            items=(Field(name="mdf", component=Text()), Field(name="adf", component=Boolean())),
        ),
    ),
    OptionDefinition(
        name="kernel",
        component=Matrix(
            element=Field(name="row", component=DataRecord(fields=(Field(name="x", component=Count()),))),
            element_count=2,
            reference_frame="http://www.example.org/frame",
            encoding=TextSeparators(token=" ", block="\n", collapse_white_spaces=False),
            values="1\n2",
        ),
    ),
)

GROUP = OrderOptions(
    product_order_options_id="standard",
    identifier="S2A_MSIL2A_20240601",
    description="Sentinel-2 <L2A> & more",
    deliveries=(
        ProductDelivery(online_access=(Protocol.HTTP, Protocol.HTTPS)),
        ProductDelivery(online_delivery=(Protocol.SFTP,)),
        ProductDelivery(media=(PackageMedium.DVD, PackageMedium.LTO4)),
    ),
    options=STANDARD_OPTIONS,
    info_url="https://www.example.org/options?a=1&b=2",
    payments=(
        PaymentOption(payment_method="quota"),
        PaymentOption(payment_method="invoice", info_url="https://www.example.org/pay"),
    ),
    scene_selections=(
        SceneSelectionOption(name="as it is"),
        SceneSelectionOption(
            name="area",
            description="cut out of the scene",
            parameters=(
                OptionDefinition(
                    name="sceneBoundingRectangle",
                    component=DataArray(element=Field(name="point", component=POINT), element_count=2),
                    restrictions=(QuantityRange(uom="km", value=("5", "500")),),
                ),
            ),
        ),
    ),
)

ORDER = Order(
    order_id=ORDER_ID,
    specification=OrderSpecification(order_reference="Alps", options=EVERYTHING.options),
    status=StatusInfo(status=Status.COMPLETED, additional="1 of 2 items failed", mission_specific="orbit 42"),
    created=FRACTION,
    items=(
        OrderItem(specification=EVERYTHING.items[1], status=StatusInfo(status=Status.COMPLETED)),
        OrderItem(
            specification=ItemSpecification(item_id="3", identifier=TaskingRequestId(id="urn:task:1")),
            status=StatusInfo(status=Status.FAILED, additional="no such product"),
        ),
    ),
)

CAPABILITIES = Capabilities(
    update_sequence="7",
    identification=ServiceIdentification(
        title="Orders & more",
        abstract="Earth observation products made to order",
        keywords=("ordering", "EO"),
        fees="none",
        access_constraints=("team",),
    ),
    provider=ServiceProvider(
        name="Lab",
        site="https://www.example.org/",
        individual_name="Grace Hopper",
        position_name="operator",
        voice="0015551234",
        role="pointOfContact",
    ),
    operations=tuple(
        OperationMetadata(name=name, post="https://www.example.org/oseo/?a=1&b=2")
        for name in ("GetCapabilities", "Submit")
    ),
    languages=("en", "de-AT"),
    contents=Contents(
        product_orders=True,
        sps_url="https://www.example.org/sps",
        max_number_of_products=500,
        global_delivery_options=True,
        local_order_options=True,
        describe_result_access=True,
        cancel=True,
        cancel_asynchronous=True,
        collections=(
            CollectionCapability(collection_id=COLLECTION),
            CollectionCapability(
                collection_id="b",
                product_orders=True,
                subscription_orders=False,
                describe_result_access=False,
                cancel=True,
                cancel_asynchronous=True,
            ),
        ),
        encodings=("XMLEncoding",),
    ),
    notifications=NotificationProducer(
        endpoint="https://www.example.org/oseo/?a=1&b=2", topics=("OrderEvent", "OrderFailure")
    ),
)

QUOTATION = Quotation(
    quotation_id="urn:uuid:0b0e6f3c-98a8-4a2b-8a57-d7f2d4c0a001",
    validity_time=NOON,
    price=Price(value=12.5, currency="EUR"),
    groups=(
        ItemGroupPrice(
            provider=ProviderName(service_name="Lab & more", organization="Lab"),
            quotation_id="urn:other:1",
            validity_time=FRACTION,
            price=Price(value=12.5, currency="EUR"),
            balance=Price(value=-2.5, currency="EUR"),
            items=(
                ItemPrice(
                    item_id="1",
                    identifier=ProductId(identifier="S2A", collection_id="c"),
                    price=Price(value=12.0, currency="EUR"),
                    price_information="12 an item",
                    contract_information="for research",
                ),
                ItemPrice(item_id="2", identifier=SubscriptionId(collection_id="c")),
                ItemPrice(item_id="3", identifier=TaskingRequestId(id="urn:task:1")),
            ),
            contract_information="one year",
        ),
    ),
    contract_information="no resale",
)

REQUESTS: dict[str, Any] = {
    "GetCapabilities": GetCapabilities(
        accept_versions=("1.0.0", "2.0.0"),
        sections=("Contents", "All"),
        accept_formats=("text/xml",),
        accept_languages=("en",),
        update_sequence="6",
    ),
    "GetCapabilities_bare": GetCapabilities(),
    "GetOptions_collection": GetOptions(collection_id=COLLECTION, time_stamp=NOON),
    "GetOptions_products": GetOptions(identifiers=("S2A_1", "S2A_2")),
    "GetOptions_tasking": GetOptions(tasking_request_id=TaskingRequestId(id="urn:task:1")),
    "Submit_everything": Submit(
        time_stamp=FRACTION, specification=EVERYTHING, status_notification=StatusNotification.ALL
    ),
    "Submit_least": Submit(
        specification=OrderSpecification(
            items=(ItemSpecification(item_id="a", identifier=ProductId(identifier="p")),)
        )
    ),
    "Submit_subscription": Submit(
        specification=OrderSpecification(
            order_type=OrderType.SUBSCRIPTION_ORDER,
            items=(ItemSpecification(item_id="a", identifier=SubscriptionId(collection_id="c")),),
        ),
        status_notification=StatusNotification.FINAL,
    ),
    "Submit_quotation": Submit(quotation_id="urn:quotation:1"),
    "GetQuotation": GetQuotation(time_stamp=FRACTION, specification=EVERYTHING),
    "GetQuotation_again": GetQuotation(quotation_id="urn:quotation:1"),
    "GetStatus_order": GetStatus(order_id=ORDER_ID, presentation=Presentation.FULL),
    "GetStatus_search": GetStatus(
        filtering_criteria=FilteringCriteria(
            last_update=NOON,
            last_update_end=FRACTION,
            order_statuses=(Status.COMPLETED, Status.IN_PRODUCTION),
            order_reference="Alps",
            extensions=("x",),
        )
    ),
    "GetStatus_all": GetStatus(filtering_criteria=FilteringCriteria()),
    "DescribeResultAccess": DescribeResultAccess(order_id=ORDER_ID, sub_function=SubFunction.NEXT_READY),
    "Cancel": Cancel(order_id=ORDER_ID, status_notification=StatusNotification.FINAL),
}

RESPONSES: dict[str, Any] = {
    "Capabilities": CAPABILITIES,
    "Capabilities_bare": Capabilities(update_sequence="7"),
    "GetOptionsResponse": GetOptionsResponse(order_options=(GROUP,)),
    "GetQuotationAck": GetQuotationAck(
        quotation=QUOTATION, status=ResponseStatus.PARTIAL, error_message="item 4 cannot be quoted"
    ),
    "GetQuotationAck_later": GetQuotationAck(quotation_id="urn:quotation:1"),
    "SubmitAck": SubmitAck(order_id=ORDER_ID, order_reference="Alps"),
    "SubmitAck_partial": SubmitAck(
        order_id=ORDER_ID, status=ResponseStatus.PARTIAL, error_message="FAST_TRACK is treated as STANDARD"
    ),
    "GetStatusResponse": GetStatusResponse(orders=(ORDER,)),
    "GetStatusResponse_none": GetStatusResponse(),
    "DescribeResultAccessResponse": DescribeResultAccessResponse(
        urls=(
            ItemURL(item_id="1", url="https://www.example.org/oseo/files/1/a.tif?e=1&s=2"),
            ItemURL(
                item_id="2",
                url="https://www.example.org/oseo/files/2/b.tif",
                product_id=ProductId(identifier="S2B", collection_id="c"),
                expiration=NOON,
                service_url="https://www.example.org/wcs",
                service_type="WCS",
                service_info_url="https://www.example.org/wcs?request=GetCapabilities",
            ),
        )
    ),
    "CancelAck": CancelAck(),
}
