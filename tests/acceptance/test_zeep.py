"""A foreign SOAP client (zeep), fed with our WSDL and the official schemas, does everything there is."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken
from zeep.xsd.types.collection import ListType
from zeep.xsd.types.unresolved import UnresolvedCustomType

from tests.acceptance.serving import Server, wait_until
from tests.acceptance.test_walk import COLLECTION, write_scene

PASSWORD = "a long enough password"


class OfflineTransport(Transport):
    """Answers schema addresses from the official files; everything else goes to the server."""

    def __init__(self, schemas: Path) -> None:
        super().__init__()
        self.schemas = schemas

    def load(self, url: str) -> bytes:
        path = self.schemas / url.partition("://")[2]
        if path.is_file():
            return path.read_bytes()
        return super().load(url)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zeep")
    (folder / "collections" / "scenes").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "collections" / "scenes.toml").write_text(COLLECTION.format(scope="item"))
    write_scene(folder / "collections" / "scenes" / "SCENE_A.tif")
    server = Server(folder / "data", collections=folder / "collections").start()
    add_account(server)
    yield server
    server.stop()


def add_account(server: Server) -> None:
    import subprocess
    import sys

    subprocess.run(
        [sys.executable, "-m", "oseo_lab", "users", "add", "anna", "--digest", "--data-dir", server.data_dir],
        input=f"{PASSWORD}\n{PASSWORD}\n",
        text=True,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def client(server, shared, monkeypatch):
    resolve = UnresolvedCustomType.resolve

    def with_lists(self):
        """Mend zeep for ``swe:RealPair``: a restriction of a list has the list's item type."""
        base = self.base_type.resolve()
        if isinstance(base, ListType):
            return type(self.name, (base.__class__,), {})(base.item_type)
        return resolve(self)

    monkeypatch.setattr(UnresolvedCustomType, "resolve", with_lists)
    return zeep.Client(
        f"{server.soap}?wsdl",
        transport=OfflineTransport(shared / "schemas"),
        wsse=UsernameToken("anna", PASSWORD, use_digest=True),
        settings=zeep.Settings(strict=False),  # zeep knows no substitution groups: swe:Category in an option
    )


def submit(service, count: int):
    product = {"identifier": "SCENE_A", "collectionId": "scenes"}
    return service.Submit(
        service="OS",
        version="1.0.0",
        orderSpecification={
            "orderType": "PRODUCT_ORDER",
            "orderItem": [{"itemId": f"item {number}", "productId": product} for number in range(count)],
        },
        statusNotification="None",
    )


def test_zeep_orders_and_fetches_by_the_url_it_was_given(client, server):
    service = client.service
    capabilities = service.GetCapabilities(service="OS")
    assert capabilities.Contents.ProductOrders.supported
    options = service.GetOptions(service="OS", version="1.0.0", collectionId="scenes")
    assert options.orderOptions[0].productOrderOptionsId
    ack = submit(service, 1)
    assert ack.status == "success"

    def completed():
        answer = service.GetStatus(service="OS", version="1.0.0", orderId=ack.orderId, presentation="full")
        status = answer.orderMonitorSpecification[0].orderStatusInfo.status
        assert status != "Failed", answer
        return status == "Completed"

    wait_until(completed)
    access = service.DescribeResultAccess(
        service="OS", version="1.0.0", orderId=ack.orderId, subFunction="allReady"
    )
    url = access.URLs[0].itemAddress.ResourceAddress.URL
    assert httpx.get(url).content[:4] in (b"II*\0", b"MM\0*", b"II+\0")
    long = submit(service, 60)
    cancelled = service.Cancel(service="OS", version="1.0.0", orderId=long.orderId, statusNotification="None")
    assert cancelled.status in ("success", "partial")
    with pytest.raises(zeep.exceptions.Fault) as fault:
        service.Cancel(service="OS", version="1.0.0", orderId=ack.orderId, statusNotification="None")
    assert "InvalidParameterValue" in etree.tostring(fault.value.detail).decode()


def test_a_wrong_password_is_a_fault_zeep_can_read(server, shared, client):
    client.wsse = UsernameToken("anna", "wrong", use_digest=True)
    with pytest.raises(zeep.exceptions.Fault) as fault:
        client.service.GetOptions(service="OS", version="1.0.0", collectionId="scenes")
    assert "AuthenticationFailed" in etree.tostring(fault.value.detail).decode()
