"""The client against an OSEO server that is not ours and has habits of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import oseo_lab as oseo
from oseo_lab.client import soap_calls as module
from oseo_lab.client.lab import Lab
from oseo_lab.encoding.soap import SoapVersion
from oseo_lab.model.errors import (
    NotAuthenticated,
    NotSupported,
    OseoError,
    TransportError,
    Unavailable,
    ValidationError,
)
from oseo_lab.model.status import Status
from tests.foreign import DATA, S11, Foreign, fault, foreign_server


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    with foreign_server() as found:
        yield found


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """Pauses that are asked for, and not made."""
    made: list[float] = []
    monkeypatch.setattr(module.time, "sleep", made.append)
    return made


@pytest.fixture
def lab(foreign) -> Iterator[Lab]:
    with oseo.connect(soap=foreign.url, username="anna", password="secret") as found:
        yield found


@pytest.mark.parametrize("how", ["415", "fault", "page"])
def test_a_server_that_refuses_soap_1_2_is_spoken_to_in_1_1(foreign, how):
    foreign.refuses_12 = how
    with oseo.connect(soap=foreign.url) as lab:
        assert lab.transport._version is SoapVersion.V11
        lab.orders.filter()
    assert foreign.names() == ["GetCapabilities", "GetCapabilities", "GetStatus"]
    headers = foreign.seen[-1][1]
    assert headers["SOAPAction"] == '"GetStatus"' and headers["Content-Type"].startswith("text/xml")


def test_an_order_goes_through_whatever_the_server_gets_slightly_wrong(foreign, lab, tmp_path: Path):
    draft = lab.order(["LC8 A", "LC8 B"], collection="urn:old:landsat", name="old", processingLevel="1A")
    order = draft.submit().wait(10, check=True)
    assert order.status is Status.COMPLETED
    assert order.created == datetime(2024, 6, 1, 10, tzinfo=UTC)
    assert order.id == "http://archive.example/orders/1"
    assert lab.orders[order.id].id == lab.orders["old"].id == order.id
    assert "orders/1" in repr(order)
    paths = order.download(tmp_path)
    assert [path.read_bytes() for path in paths] == [DATA, DATA]


def test_what_a_server_must_be_told_is_told(foreign, lab):
    lab.order("LC8 A", collection="urn:old:landsat").submit()
    name, _, body = foreign.seen[-2]
    assert name == "Submit"
    assert "<onlineDataAccess><protocol>http</protocol></onlineDataAccess>" in body
    assert "<statusNotification>None</statusNotification>" in body
    assert "addressing/anonymous</wsa:Address>" in body and "MessageID>urn:uuid:" in body
    assert "<productOrderOptionsId>grp7</productOrderOptionsId>" in body
    assert "#PasswordText" in body


def test_what_is_missing_is_said_in_one_sentence_before_anything_is_sent(foreign, lab):
    order = lab.order("LC8 A", collection="urn:old:landsat", name="old").submit()
    asked = len(foreign.seen)
    with pytest.raises(NotSupported, match="Old archive does not offer Cancel: ask its operator"):
        order.cancel()
    with pytest.raises(NotSupported, match="does not offer GetQuotation: submit without"):
        lab.order("LC8 A", collection="urn:old:landsat").quote()
    with pytest.raises(NotSupported, match="no product search"):
        lab.search("urn:old:landsat")
    with pytest.raises(NotSupported, match="no history"):
        order.history()
    with pytest.raises(NotSupported, match="OSEO has no operation for 'notices'"):
        order.notices()
    assert len(foreign.seen) == asked
    assert lab.order("LC8 A", collection="urn:old:landsat").validate() == []


def test_recipes_speak_of_the_other_service(foreign, lab):
    draft = lab.order("LC8 A", collection="urn:old:landsat")
    assert f"oseo.connect(soap='{foreign.url}')" in draft.as_request("python")
    assert "<Submit" in draft.as_request("soap")
    with pytest.raises(NotSupported, match="allowed: soap, python"):
        draft.as_request("curl")


def test_without_result_access_the_user_is_told_where_results_are(foreign, lab):
    foreign.flags = {"results": "false"}
    order = lab.order("LC8 A", collection="urn:old:landsat").submit()
    lab.capabilities()
    with pytest.raises(NotSupported, match="its results come another way"):
        order.results()


def test_items_of_it_are_handles_though_it_describes_nothing(foreign, lab, tmp_path):
    order = lab.order(["LC8 A", "LC8 B"], collection="urn:old:landsat").submit()
    items = list(order.as_completed(timeout=60))
    assert [each.id for each in items] == ["LC8 A", "LC8 B"]
    (file,) = items[0].files
    assert file.size is None and file.checksum is None and items[0].size == 0
    (path,) = items[0].download(tmp_path)
    assert items[0].path == path and path.read_bytes()
    assert items[1].path == items[1].files[0].url


def test_credentials_are_never_sent_to_another_host(foreign, lab, tmp_path):
    with foreign_server() as elsewhere:
        elsewhere.files = "anywhere"
        foreign.files = elsewhere.url.replace("127.0.0.1", "localhost")
        order = lab.order("LC8 A", collection="urn:old:landsat").submit()
        order.download(tmp_path)
        assert elsewhere.names() and all("Authorization" not in each for _, each, _ in elsewhere.seen)


def test_own_files_get_the_credentials_only_where_they_are_asked_for(foreign, lab, tmp_path):
    lab.order("LC8 A", collection="urn:old:landsat").submit().download(tmp_path)
    gets = ["Authorization" in headers for name, headers, _ in foreign.seen if name == "GET"]
    assert gets[0] is False and gets[-1] is True


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_fault_is_a_fault_whatever_its_http_status(foreign, lab, status):
    foreign.fault = (status, fault("InvalidParameterValue", "format X is not offered", "format"))
    with pytest.raises(ValidationError) as wrong:
        lab.orders.filter()
    assert (wrong.value.code, wrong.value.locator) == ("InvalidParameterValue", "format")
    assert "format X is not offered" in str(wrong.value)


@pytest.mark.parametrize(
    ("status", "inside", "kind"),
    [
        (400, fault("AuthenticationFailed", "who are you"), NotAuthenticated),
        (401, fault("NoApplicableCode", "who are you"), NotAuthenticated),
        (200, fault("SomethingOfItsOwn", "strange"), ValidationError),
        (500, "<s:Fault xmlns:s='x'/>", TransportError),
        (200, f'<s:Fault xmlns:s="{S11}"><faultcode>s:Server</faultcode></s:Fault>', OseoError),
        (503, fault("NoApplicableCode", "later"), Unavailable),
        (200, "<GetStatusResponse xmlns='urn:other'/>", TransportError),
        (200, "<Capabilities xmlns='http://www.opengis.net/oseo/1.0' version='1.0.0'/>", TransportError),
        (200, "", TransportError),
    ],
)
def test_every_refusal_is_what_it_was(foreign, lab, status, inside, kind):
    foreign.fault = (status, inside)
    with pytest.raises(kind):
        lab.orders.filter()


def test_what_cannot_be_read_is_named(foreign, lab):
    foreign.references, foreign.items = ["r"], [["a"]]
    foreign.status = "Done"
    with pytest.raises(TransportError, match=r"GetStatus with what 06-141r6 does not allow.*'Done'"):
        lab.orders.filter()


@pytest.mark.parametrize(
    "body", ["<html>login</html>", "", "\x00\x01", "<?xml version='1.0'?><!DOCTYPE a>" + "<a/>"]
)
def test_what_is_no_soap_is_said_to_be_none(foreign, lab, body):
    foreign.instead = {"GetStatus": (200, body, "text/html")}
    with pytest.raises(TransportError, match="no SOAP message"):
        lab.orders.filter()


def test_a_login_page_is_a_missing_identity(foreign, lab):
    foreign.instead = {"GetStatus": (403, "<html>login</html>", "text/html")}
    with pytest.raises(NotAuthenticated, match="identity="):
        lab.orders.filter()


def test_a_bare_exception_report_is_read_too(foreign, lab):
    report = fault("InvalidOrderIdentifier", "gone").split("<detail>")[1].split("</detail>")[0]
    foreign.instead = {"GetStatus": (400, report, "application/xml")}
    with pytest.raises(OseoError, match="gone") as wrong:
        lab.orders.filter()
    assert wrong.value.code == "InvalidOrderIdentifier"


def test_a_submit_whose_answer_is_lost_is_not_sent_again(foreign, lab):
    foreign.instead = {"Submit": None}
    with pytest.raises(TransportError, match="whether the order was taken is not known"):
        lab.order("LC8 A", collection="urn:old:landsat").submit()
    assert foreign.names().count("Submit") == 1
    foreign.instead = {"Submit": (502, "bad gateway", "text/plain")}
    with pytest.raises(TransportError, match="not known"):
        lab.order("LC8 A", collection="urn:old:landsat").submit()
    assert foreign.names().count("Submit") == 2


def test_a_question_whose_answer_is_lost_is_asked_again(foreign, lab, pauses):
    foreign.instead = {"GetStatus": None}
    with pytest.raises(TransportError, match="could not be reached"):
        lab.orders.filter()
    assert foreign.names().count("GetStatus") == 4 and len(pauses) == 3


def test_a_busy_server_is_asked_again_also_to_take_an_order(foreign, lab, pauses):
    foreign.instead = {"Submit": (503, "busy", "text/plain")}
    with pytest.raises(Unavailable):
        lab.order("LC8 A", collection="urn:old:landsat").submit()
    assert foreign.names().count("Submit") == 4 and len(pauses) == 3


def test_nothing_is_followed_to_another_address(foreign):
    with foreign_server() as elsewhere:
        foreign.refuses_12 = ""
        foreign.instead = {"GetCapabilities": (302, "", "text/html")}
        with pytest.raises(TransportError):
            oseo.connect(soap=foreign.url)
        assert elsewhere.seen == []


def test_subscriptions_that_are_not_taken_are_refused_before_they_are_sent(foreign, lab):
    from oseo_lab.model.identifiers import OrderType, SubscriptionId
    from oseo_lab.model.messages import Submit
    from oseo_lab.model.order import ItemSpecification, OrderSpecification

    item = ItemSpecification(item_id="s", identifier=SubscriptionId(collection_id="urn:old:landsat"))
    request = Submit(specification=OrderSpecification(order_type=OrderType.SUBSCRIPTION_ORDER, items=(item,)))
    with pytest.raises(NotSupported, match="takes no SUBSCRIPTION_ORDER; it takes: PRODUCT_ORDER") as wrong:
        lab.transport.perform(request)
    assert wrong.value.code == "SubscriptionNotSupported"
