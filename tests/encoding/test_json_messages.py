"""Every message of the model goes through JSON and back unchanged, as its JSON Schema says."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

sys.path.insert(0, str(Path(__file__).parent))

from message_strategies import MESSAGES, instances

from oseo_lab.encoding.json_form import decode, encode, from_plain, openapi, to_plain
from oseo_lab.model.collection import Collection
from oseo_lab.model.delivery import (
    DeliveryInformation,
    DeliveryOptions,
    MediaDelivery,
    OnlineAddress,
    OnlineDataAccess,
    OnlineDataDelivery,
    PackageMedium,
    Protocol,
    Secret,
)
from oseo_lab.model.identifiers import ProductId, SubscriptionId, TaskingRequestId
from oseo_lab.model.job import Asset, CatalogueItem
from oseo_lab.model.messages import GetStatusResponse, Submit, SubmitAck
from oseo_lab.model.options import Encoding, ParameterData
from oseo_lab.model.order import (
    Attempt,
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    Payment,
    ResultFile,
    StatusChange,
)

SHOWN = [*MESSAGES, Order, OrderItem, StatusChange, Attempt, ResultFile, CatalogueItem]
slowly = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    return openapi("http://localhost/oseo/api/v1")


def validator(cls: type) -> Draft202012Validator:
    components = document()["components"]
    return Draft202012Validator({"$ref": f"#/components/schemas/{cls.__name__}", "components": components})


@pytest.mark.parametrize("cls", SHOWN, ids=lambda cls: cls.__name__)
@slowly
@given(data=st.data())
def test_a_message_survives_json(cls: type, data: Any) -> None:
    message = data.draw(instances(cls))
    plain = to_plain(message)
    assert from_plain(cls, plain) == message
    assert decode(cls, encode(message)) == message
    assert json.loads(encode(message)) == plain
    if cls.__name__ in document()["components"]["schemas"]:
        validator(cls).validate(plain)


def test_a_message_reads_as_documented() -> None:
    message = Submit(
        time_stamp=datetime(2024, 6, 1, 10, 0, tzinfo=UTC),
        specification=OrderSpecification(
            items=(
                ItemSpecification(
                    item_id="1",
                    identifier=ProductId(identifier="S2A_1", collection_id="demo-s2"),
                    options=(
                        ParameterData(
                            values=(("format", "COG"), ("bands", (("band", "B04"), ("band", "B03"))))
                        ),
                    ),
                ),
            ),
            delivery_options=DeliveryOptions(delivery=OnlineDataAccess()),
        ),
    )
    assert to_plain(message) == {
        "version": "1.0.0",
        "time_stamp": "2024-06-01T10:00:00Z",
        "specification": {
            "order_type": "PRODUCT_ORDER",
            "items": [
                {
                    "item_id": "1",
                    "identifier": {"identifier": "S2A_1", "collection_id": "demo-s2"},
                    "options": [
                        {
                            "encoding": "XMLEncoding",
                            "values": {"format": "COG", "bands": {"band": ["B04", "B03"]}},
                        }
                    ],
                    "scene_selections": [],
                    "extensions": [],
                }
            ],
            "options": [],
            "delivery_options": {"delivery": {"kind": "onlineDataAccess", "protocol": "http"}},
            "extensions": [],
        },
        "status_notification": "None",
    }


@pytest.mark.parametrize(
    "identifier", [ProductId(identifier="p"), SubscriptionId(collection_id="c"), TaskingRequestId(id="t")]
)
def test_an_identifier_is_known_by_its_keys(identifier: Any) -> None:
    item = ItemSpecification(item_id="1", identifier=identifier)
    assert from_plain(ItemSpecification, to_plain(item)) == item


@pytest.mark.parametrize(
    "delivery",
    [
        OnlineDataAccess(protocol=Protocol.HTTPS),
        OnlineDataDelivery(protocol=Protocol.HTTPS),
        MediaDelivery(package_medium=PackageMedium.LTO4),
    ],
)
def test_a_delivery_is_known_by_its_kind(delivery: Any) -> None:
    options = DeliveryOptions(delivery=delivery)
    assert from_plain(DeliveryOptions, to_plain(options)) == options


VALUES = [
    ({"format": "COG"}, (("format", "COG"),)),
    ({"scale": 20, "size": 2.5, "big": 1e300, "on": True}, None),
    ({"bands": {"band": ["B04"]}}, (("bands", (("band", "B04"),)),)),
    ({"bands": {"band": "B04"}}, (("bands", (("band", "B04"),)),)),
    ({"bands": {"band": []}}, (("bands", ()),)),
    ({"bands": {}}, (("bands", ()),)),
    ({"point": [{"x": 1}, {"x": 2}]}, (("point", (("x", "1"),)), ("point", (("x", "2"),)))),
    ([{"a": "1"}, {"b": "2"}, {"a": "3"}], (("a", "1"), ("b", "2"), ("a", "3"))),
    ({}, ()),
]


@pytest.mark.parametrize(("plain", "values"), VALUES)
def test_selected_values_are_a_json_object(plain: Any, values: Any) -> None:
    read = from_plain(ParameterData, {"values": plain})
    assert values is None or read.values == values
    assert from_plain(ParameterData, to_plain(read)) == read


def test_numbers_and_booleans_become_what_travels() -> None:
    read = from_plain(ParameterData, {"values": {"a": 20, "b": 20.0, "c": 0.1, "d": False}})
    assert read == ParameterData(
        encoding=Encoding.XML, values=(("a", "20"), ("b", "20"), ("c", "0.1"), ("d", "false"))
    )


def test_interleaved_names_keep_their_order() -> None:
    data = ParameterData(values=(("a", "1"), ("b", "2"), ("a", "3")))
    assert to_plain(data)["values"] == [{"a": "1"}, {"b": "2"}, {"a": "3"}]


def test_secrets_and_card_data_are_read_and_never_written() -> None:
    address = {"protocol": "ftp", "server_address": "example.org", "user_password": "hunter2"}
    read = from_plain(DeliveryInformation, {"online_addresses": [address]})
    assert read.online_addresses[0].user_password == Secret("hunter2")
    payment = Payment(payment_method="credit card", credit_card_info="4111 1111")
    nested = {"deep": [read, {"payment": payment, "bare": Secret("hunter2")}]}
    for written in (encode(read), encode(payment), encode(nested), encode(read.online_addresses[0])):
        assert b"hunter2" not in written
        assert b"4111" not in written


def test_secrets_in_free_mappings_are_not_written() -> None:
    item = CatalogueItem(identifier="p", collection_id="c", properties={"token": [Secret("hunter2")]})
    assert b"hunter2" not in encode(item)


def test_where_a_catalogue_lies_is_the_operators_business() -> None:
    assert b"/srv/secret" not in encode(Collection(id="c", catalogue_settings={"href": "/srv/secret"}))


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2024, 6, 1, 10, tzinfo=UTC), "2024-06-01T10:00:00Z"),
        (datetime(2024, 6, 1, 10), "2024-06-01T10:00:00Z"),
        (datetime(2024, 6, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2024-06-01T10:00:00Z"),
        (datetime(2024, 6, 1, 10, 0, 0, 500, tzinfo=UTC), "2024-06-01T10:00:00.000500Z"),
    ],
)
def test_instants_are_utc(moment: datetime, written: str) -> None:
    assert to_plain(Attempt(order_id="o", number=1, attempt=1, started=moment))["started"] == written
    assert to_plain({"at": moment}) == {"at": written}


def test_a_naive_instant_is_read_as_utc() -> None:
    read = from_plain(Submit, {"quotation_id": "q", "time_stamp": "2024-06-01T10:00:00"})
    assert read.time_stamp == datetime(2024, 6, 1, 10, tzinfo=UTC)


def test_lists_and_mappings_of_the_model_are_written() -> None:
    body = {"items": [SubmitAck(order_id="urn:uuid:1")], "after": None, "bbox": (1.0, float("nan"))}
    assert json.loads(encode(body)) == {
        "items": [{"status": "success", "order_id": "urn:uuid:1"}],
        "after": None,
        "bbox": [1.0, None],
    }
    with pytest.raises(TypeError, match="object cannot be written"):
        to_plain(object())


def test_free_properties_keep_their_nulls_and_lose_their_nans() -> None:
    item = CatalogueItem(
        identifier="p",
        collection_id="c",
        assets=(Asset(name="B04", href="https://example.org/b.tif"),),
        bbox=(1.0, 2.0, 3.0, 4.0),
        properties={"cloud": None, "gsd": float("nan"), "deep": {"at": datetime(2024, 1, 1)}},
    )
    plain = json.loads(encode(item))
    assert plain["properties"] == {"cloud": None, "gsd": None, "deep": {"at": "2024-01-01T00:00:00Z"}}
    assert from_plain(CatalogueItem, plain).bbox == item.bbox


def test_an_empty_answer_is_small() -> None:
    assert encode(GetStatusResponse()) == b'{"status":"success","orders":[]}'
    assert "user_name" not in to_plain(OnlineAddress(protocol=Protocol.FTP, server_address="a"))
