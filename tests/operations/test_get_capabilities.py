"""GetCapabilities: says what works and nothing more."""

from __future__ import annotations

import pytest

from oseo_lab.model.errors import ValidationError
from oseo_lab.model.messages import GetCapabilities
from oseo_lab.operations import OPERATIONS, perform


def test_it_is_open_to_everybody(context):
    assert perform(GetCapabilities(), context(None)).contents is not None


def test_the_operations_are_those_that_work(context):
    document = perform(GetCapabilities(), context())
    assert {each.name for each in document.operations} == {each.name for each in OPERATIONS.values()}
    assert {each.post for each in document.operations} == {"http://localhost/oseo/"}


def test_what_does_not_work_is_not_announced(context):
    contents = perform(GetCapabilities(), context()).contents
    assert contents.product_orders
    assert contents.cancel
    assert contents.describe_result_access
    announced = (
        contents.subscription_orders,
        contents.programming_orders,
        contents.quotation,
        contents.submit_asynchronous,
        contents.cancel_asynchronous,
    )
    assert not any(announced)
    assert (contents.order_search, contents.order_retrieve, contents.full) == (True, True, True)


def test_every_collection_is_listed(context):
    contents = perform(GetCapabilities(), context()).contents
    assert [each.collection_id for each in contents.collections] == ["optical", "radar", "any"]


def test_only_the_sections_asked_for(context):
    document = perform(GetCapabilities(sections=("Contents",)), context())
    assert (document.operations, document.identification, document.provider) == (None, None, None)
    assert document.contents is not None
    assert perform(GetCapabilities(sections=("All",)), context()).operations is not None


def test_the_current_update_sequence_gets_an_empty_document(context):
    sequence = perform(GetCapabilities(), context()).update_sequence
    unchanged = perform(GetCapabilities(update_sequence=sequence), context())
    assert (unchanged.contents, unchanged.update_sequence) == (None, sequence)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (GetCapabilities(accept_versions=("9.9.9",)), "VersionNegotiationFailed"),
        (GetCapabilities(sections=("Prices",)), "InvalidParameterValue"),
    ],
)
def test_refusals(request_, code, context):
    with pytest.raises(ValidationError) as refusal:
        perform(request_, context())
    assert refusal.value.code == code
