"""A foreign SOAP client (zeep) does everything there is: with our WSDL, and with the standard's own."""

from __future__ import annotations

import uuid

import httpx
import pytest
import zeep
from lxml import etree
from zeep.wsse.username import UsernameToken

from tests.acceptance.everything import PASSWORD
from tests.acceptance.foreign_client import OSEO, WSA, AsyncClient, mend_zeep, official, zeep_client
from tests.acceptance.serving import wait_until
from tests.official import complaints

HEAD = {"service": "OS", "version": "1.0.0"}
BINDING = f"{{{OSEO}}}OSEO_V100_ServicePortBinding"


@pytest.fixture(scope="module")
def server(everything):
    return everything


@pytest.fixture
def mended(monkeypatch):
    mend_zeep(monkeypatch)


@pytest.fixture
def client(server, shared, mended):
    """Return zeep fed with the WSDL that the server publishes."""
    token = UsernameToken("anna", PASSWORD, use_digest=True)
    return zeep_client(f"{server.soap}?wsdl", shared, wsse=token)


@pytest.fixture
def standard(shared, mended):
    """Return zeep fed with the standard's own WSDL, which has no address in it."""
    return official(shared, wsse=UsernameToken("anna", PASSWORD, use_digest=True))


@pytest.fixture
def listening(standard):
    listening = AsyncClient(standard)
    yield listening
    listening.close()


def order(count: int) -> dict:
    product = {"identifier": "SCENE_A", "collectionId": "scenes"}
    items = [
        {"itemId": f"item {number}", "productOrderOptionsId": "standard", "productId": product}
        for number in range(count)
    ]
    return {"orderType": "PRODUCT_ORDER", "orderItem": items}


def submit(service, count: int):
    return service.Submit(**HEAD, orderSpecification=order(count), statusNotification="None")


def completed(service, order_id: str) -> bool:
    answer = service.GetStatus(**HEAD, orderId=order_id, presentation="full")
    status = answer.orderMonitorSpecification[0].orderStatusInfo.status
    assert status != "Failed", answer
    return status == "Completed"


def walk(service) -> None:
    """Do what a client does, operation after operation."""
    capabilities = service.GetCapabilities(service="OS")
    assert capabilities.Contents.ProductOrders.supported
    assert capabilities.Contents.GetQuotationCapabilities.synchronous
    options = service.GetOptions(**HEAD, collectionId="scenes")
    assert "standard" in [each.productOrderOptionsId for each in options.orderOptions]
    quoted = service.GetQuotation(**HEAD, orderSpecification=order(1))
    assert quoted.quotation.price.currency == "EUR"
    ack = service.Submit(**HEAD, quotationId=quoted.quotation.quotationId, statusNotification="None")
    assert ack.status == "success"
    wait_until(lambda: completed(service, ack.orderId))
    access = service.DescribeResultAccess(**HEAD, orderId=ack.orderId, subFunction="allReady")
    url = access.URLs[0].itemAddress.ResourceAddress.URL
    assert httpx.get(url).content[:4] in (b"II*\0", b"MM\0*", b"II+\0")
    long = submit(service, 40)
    cancelled = service.Cancel(**HEAD, orderId=long.orderId, statusNotification="None")
    assert cancelled.status in ("success", "partial")
    with pytest.raises(zeep.exceptions.Fault) as fault:
        service.Cancel(**HEAD, orderId=ack.orderId, statusNotification="None")
    assert "InvalidParameterValue" in etree.tostring(fault.value.detail).decode()


def test_zeep_orders_and_fetches_by_our_wsdl(client):
    walk(client.service)


def test_zeep_orders_and_fetches_by_our_wsdl_over_soap_1_2(client, server):
    walk(client.create_service(BINDING.replace("PortBinding", "Soap12Binding"), server.soap))


def test_zeep_orders_and_fetches_by_the_standards_wsdl(standard, server):
    assert len(standard.wsdl.bindings[BINDING]._operations) == 7
    walk(standard.create_service(BINDING, server.soap))


def test_a_wrong_password_is_a_fault_zeep_can_read(client):
    client.wsse = UsernameToken("anna", "wrong", use_digest=True)
    with pytest.raises(zeep.exceptions.Fault) as fault:
        client.service.GetOptions(**HEAD, collectionId="scenes")
    assert "AuthenticationFailed" in etree.tostring(fault.value.detail).decode()


class TestCallbacks:
    """A client built on zeep and the standard's WSDL is called back."""

    @pytest.fixture
    def service(self, standard, server):
        return standard.create_service(BINDING, server.soap)

    def headers(self, standard, listening) -> tuple[str, list]:
        """Return a fresh MessageID, and it and ReplyTo as the WSDL's headers."""
        message_id = uuid.uuid4().urn
        addressed = standard.get_element(f"{{{WSA}}}ReplyTo")(Address=listening.url)
        return message_id, [standard.get_element(f"{{{WSA}}}MessageID")(message_id), addressed]

    def checked(self, call, shared):
        assert complaints(shared, call.envelope) == []
        return call.message

    def test_about_a_submitted_order(self, service, standard, listening, shared):
        message_id, headers = self.headers(standard, listening)
        ack = service.Submit(
            **HEAD, orderSpecification=order(2), statusNotification="All", _soapheaders=headers
        )
        told = self.checked(listening.wait("SubmitResponse", message_id), shared)
        said = told.orderMonitorSpecification
        assert (said.orderId, said.orderStatusInfo.status) == (ack.orderId, "Completed")
        assert [each.itemId for each in said.orderItem] == ["item 0", "item 1"]
        assert {each.orderItemStatusInfo.status for each in said.orderItem} == {"Completed"}

    def test_about_a_cancelled_order(self, service, standard, listening, shared):
        message_id, headers = self.headers(standard, listening)
        ack = submit(service, 40)
        service.Cancel(**HEAD, orderId=ack.orderId, statusNotification="Final", _soapheaders=headers)
        told = self.checked(listening.wait("CancelResponse", message_id), shared)
        assert told.orderMonitorSpecification.orderId == ack.orderId
        assert told.orderMonitorSpecification.orderStatusInfo.status in ("Cancelled", "Completed")

    def test_about_a_quotation(self, service, standard, listening, shared):
        message_id, headers = self.headers(standard, listening)
        ack = service.GetQuotation(**HEAD, orderSpecification=order(2), _soapheaders=headers)
        assert ack.quotation is None
        told = self.checked(listening.wait("GetQuotationResponse", message_id), shared)
        assert told.quotation.quotationId == ack.quotationId
        (group,) = told.quotation.orderItemGroupPrice
        assert [each.itemId for each in group.orderItemPrice] == ["item 0", "item 1"]
        ordered = service.Submit(**HEAD, quotationId=ack.quotationId, statusNotification="None")
        assert ordered.status == "success"
