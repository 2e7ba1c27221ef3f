"""GetCapabilities: says what works and nothing more."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import pytest

from oseo_lab.encoding.oseo import decode_response, encode_response
from oseo_lab.encoding.xmltree import parse
from oseo_lab.model.collection import Collection, DeliveryRule, OptionLevel, SubscriptionRule, TaskingRule
from oseo_lab.model.errors import ValidationError
from oseo_lab.model.messages import GetCapabilities
from oseo_lab.model.quotation import QuotationMode
from oseo_lab.operations import OPERATIONS, Service, perform
from oseo_lab.operations.get_capabilities import NAMES
from tests.official import complaints
from tests.operations.orders import OPTICAL


class Quoter:
    """Says how it quotes."""

    def __init__(self, mode: QuotationMode) -> None:
        self.mode = mode


def quoted(context, **modes: QuotationMode):
    quoters = {name: Quoter(mode) for name, mode in modes.items()}
    return replace(context, quoter=quoters.get)


def with_collections(context, *collections: Collection):
    return replace(context, collections={each.id: each for each in collections})


def test_it_is_open_to_everybody(context):
    assert perform(GetCapabilities(), context(None)) == perform(GetCapabilities(), context())


def test_the_operations_are_those_that_work(context):
    document = perform(GetCapabilities(), quoted(context(), radar=QuotationMode.SYNCHRONOUS))
    assert [each.name for each in document.operations] == list(NAMES)
    assert {each.name for each in OPERATIONS.values()} <= {*NAMES, "Subscribe", "Unsubscribe"}
    assert {each.post for each in document.operations} == {"http://localhost/oseo/"}


def test_quotation_is_an_operation_only_where_something_is_quoted(context):
    assert "GetQuotation" not in [each.name for each in perform(GetCapabilities(), context()).operations]


def test_what_does_not_work_is_not_announced(context):
    document = perform(GetCapabilities(), replace(context(), callbacks=False))
    contents = document.contents
    assert contents.product_orders
    assert contents.cancel
    assert contents.describe_result_access
    announced = (
        contents.subscription_orders,
        contents.programming_orders,
        contents.quotation,
        contents.quotation_asynchronous,
        contents.submit_asynchronous,
        contents.cancel_asynchronous,
    )
    assert not any(announced)
    assert document.notifications is None
    assert (contents.order_search, contents.order_retrieve, contents.full) == (True, True, True)


def test_callbacks_are_announced_where_they_are_on(context):
    document = perform(GetCapabilities(), context())
    assert document.contents.submit_asynchronous and document.contents.cancel_asynchronous
    assert document.notifications.endpoint == "http://localhost/oseo/"
    assert document.notifications.topics[0] == "OrderEvent"


@pytest.mark.parametrize(
    ("mode", "callbacks", "flags"),
    [
        (QuotationMode.SYNCHRONOUS, True, (True, True, False, False)),
        (QuotationMode.SYNCHRONOUS, False, (True, False, False, False)),
        (QuotationMode.MONITORING, True, (False, True, True, False)),
        (QuotationMode.OFF_LINE, True, (False, False, True, True)),
    ],
)
def test_quotation_flags_are_those_of_the_quoters(mode, callbacks, flags, context):
    contents = perform(
        GetCapabilities(), replace(quoted(context(), radar=mode), callbacks=callbacks)
    ).contents
    assert contents.quotation
    assert flags == (
        contents.quotation_synchronous,
        contents.quotation_asynchronous,
        contents.quotation_monitoring,
        contents.quotation_off_line,
    )


def test_a_collection_says_only_where_it_differs_from_the_service(context):
    given = with_collections(
        context(),
        Collection(id="plain"),
        Collection(id="standing", subscription=SubscriptionRule(), product_orders=False),
        Collection(id="elsewhere", delivery=DeliveryRule(access=())),
    )
    contents = perform(GetCapabilities(), given).contents
    assert contents.product_orders and contents.subscription_orders and contents.describe_result_access
    found = {
        each.collection_id: (each.product_orders, each.subscription_orders, each.describe_result_access)
        for each in contents.collections
    }
    assert found == {
        "plain": (None, False, None),
        "standing": (False, None, None),
        "elsewhere": (None, False, False),
    }
    assert {each.cancel for each in contents.collections} == {None}


def test_programming_orders_need_the_planning_service_and_a_collection_for_it(context):
    tasked = Collection(id="tasked", tasking=TaskingRule(pattern=".+", use="tasking"))
    for sps_url, collection, expected in (
        (None, tasked, (False, None)),
        ("https://sps.example.org/", Collection(id="plain"), (False, None)),
        ("https://sps.example.org/", tasked, (True, "https://sps.example.org/")),
    ):
        given = replace(with_collections(context(), collection), sps_url=sps_url)
        contents = perform(GetCapabilities(), given).contents
        assert (contents.programming_orders, contents.sps_url) == expected


def test_every_collection_is_listed(context):
    contents = perform(GetCapabilities(), context()).contents
    assert [each.collection_id for each in contents.collections] == ["optical", "radar", "any"]


def test_what_the_operator_says_of_the_service_is_said(context):
    service = Service(
        title="Orders",
        abstract="Made to order",
        keywords=("EO", "orders"),
        fees="none",
        access_constraints=("team",),
        languages=("en", "de"),
        provider_name="Lab",
        contact_name="Grace Hopper",
        contact_position="operator",
        contact_phone="0015551234",
    )
    document = perform(GetCapabilities(), replace(context(), service=service))
    assert document.languages == ("en", "de")
    assert (document.identification.keywords, document.identification.fees) == (("EO", "orders"), "none")
    assert document.identification.access_constraints == ("team",)
    assert (document.provider.individual_name, document.provider.voice) == ("Grace Hopper", "0015551234")


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ("ServiceIdentification", "identification"),
        ("ServiceProvider", "provider"),
        ("OperationsMetadata", "operations"),
        ("Languages", "languages"),
        ("Contents", "contents"),
        ("Notifications", "notifications"),
    ],
)
def test_only_the_section_asked_for(section, field, context):
    fields = ("identification", "provider", "operations", "languages", "contents", "notifications")
    document = perform(GetCapabilities(sections=(section,)), context())
    assert [each for each in fields if getattr(document, each) is not None] == [field]


@pytest.mark.parametrize("sections", [(), ("All",), ("",), ("Contents", "All")])
def test_all_sections(sections, context):
    document = perform(GetCapabilities(sections=sections), context())
    assert None not in (document.identification, document.provider, document.operations)
    assert None not in (document.languages, document.contents, document.notifications)


def test_the_current_update_sequence_gets_an_empty_document(context):
    sequence = perform(GetCapabilities(), context()).update_sequence
    unchanged = perform(GetCapabilities(update_sequence=sequence), context())
    assert (unchanged.contents, unchanged.update_sequence) == (None, sequence)


def test_a_lower_update_sequence_gets_the_whole_document(context):
    given = replace(context(), update_sequence=lambda content: "7")
    assert perform(GetCapabilities(update_sequence="6"), given) == perform(GetCapabilities(), given)


def test_every_change_is_another_document(context):
    seen = []
    given = replace(context(), update_sequence=lambda content: seen.append(content) or "1")
    for each in (
        given,
        replace(given, service=Service(title="another")),
        replace(given, callbacks=False),
        quoted(given, radar=QuotationMode.OFF_LINE),
        with_collections(given, Collection(id="new")),
        given,
    ):
        perform(GetCapabilities(), each)
    assert len(set(seen)) == 5 and seen[0] == seen[-1]


@pytest.mark.parametrize(
    "accepted",
    [
        GetCapabilities(accept_versions=("9.9.9", "1.0.0")),
        GetCapabilities(accept_formats=("application/json", "application/xml")),
        GetCapabilities(accept_formats=("text/xml; charset=utf-8",)),
        GetCapabilities(accept_languages=("zh",)),
    ],
)
def test_what_can_be_met_is(accepted, context):
    assert perform(accepted, context()) == perform(GetCapabilities(), context())


@pytest.mark.parametrize(
    ("request_", "code", "locator"),
    [
        (GetCapabilities(accept_versions=("9.9.9",)), "VersionNegotiationFailed", None),
        (GetCapabilities(sections=("Prices",)), "InvalidParameterValue", "sections"),
        (GetCapabilities(accept_formats=("image/png",)), "InvalidParameterValue", "AcceptFormats"),
        (GetCapabilities(update_sequence="2"), "InvalidUpdateSequence", None),
        (GetCapabilities(update_sequence="yesterday"), "InvalidUpdateSequence", None),
        (GetCapabilities(update_sequence="9" * 5000), "InvalidUpdateSequence", None),
    ],
)
def test_refusals(request_, code, locator, context):
    with pytest.raises(ValidationError) as refusal:
        perform(request_, context())
    assert (refusal.value.code, refusal.value.locator) == (code, locator)


def test_where_options_are_chosen_is_said_as_the_collections_have_it(context):
    levels = {each.name: OptionLevel.ORDER for each in OPTICAL.options}
    only = replace(context(), collections={"optical": replace(OPTICAL, levels=levels)})
    contents = perform(GetCapabilities(), only).contents
    assert (contents.global_order_options, contents.local_order_options) == (True, False)
    both = perform(GetCapabilities(), context()).contents
    assert (both.global_order_options, both.local_order_options) == (True, True)
    assert both.encodings == ("XMLEncoding", "TextEncoding")


MODES = (QuotationMode.SYNCHRONOUS, QuotationMode.MONITORING, QuotationMode.OFF_LINE)


def test_every_combination_that_can_be_announced_is_valid_and_survives_the_wire(context, shared):
    given = context()
    tasking = TaskingRule(pattern=".+", use="tasking")
    for callbacks, tasked, standing, products in product((False, True), repeat=4):
        for modes in (each for size in range(4) for each in combinations(MODES, size)):
            collections = {
                "all": Collection(id="all", delivery=DeliveryRule(access=())),
                "some": Collection(
                    id="some",
                    product_orders=products,
                    subscription=SubscriptionRule() if standing else None,
                    tasking=tasking if tasked else None,
                ),
                **{mode: Collection(id=mode) for mode in modes},
            }
            here = quoted(replace(given, collections=collections), **{mode.value: mode for mode in modes})
            here = replace(here, callbacks=callbacks, sps_url="https://sps.example.org/" if tasked else None)
            document = perform(GetCapabilities(), here)
            written = parse(encode_response(document))
            assert complaints(shared, written) == []
            read = decode_response(written)
            assert replace(read, contents=None) == replace(document, contents=None)
            assert replace(read.contents, collections=()) == replace(document.contents, collections=())
            assert [replace(each, cancel_asynchronous=False) for each in read.contents.collections] == [
                replace(each, cancel_asynchronous=False) for each in document.contents.collections
            ]
