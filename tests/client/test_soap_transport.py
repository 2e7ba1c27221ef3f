"""The client over SOAP against a running server of ours: every operation, both versions, all identities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import oseo_lab as oseo
from oseo_lab.client.lab import Lab
from oseo_lab.client.order import Order
from oseo_lab.client.soap_transport import SoapTransport
from oseo_lab.encoding.soap import SoapVersion
from oseo_lab.model.delivery import OnlineDataAccess
from oseo_lab.model.errors import (
    ConfigurationError,
    Conflict,
    NotAuthenticated,
    NotFound,
    NotSupported,
    OseoError,
    TransportError,
    ValidationError,
)
from oseo_lab.model.status import Status
from oseo_lab.settings import Settings
from oseo_lab.store import open_store
from oseo_lab.web.credentials import KEY_FILE, make_account
from oseo_lab.wiring import database_url
from tests.acceptance.serving import TOKEN, Server
from tests.client.scenes import make_collections

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("soap")
    started = Server(
        folder,
        collections=make_collections(tmp_path_factory.mktemp("collections")),
        executor="inline",
        callback_hosts="127.0.0.1",
    ).start()
    settings = Settings(data_dir=folder)
    store = open_store(database_url(settings))
    account = make_account("anna", PASSWORD, owner="local", digest=True, key_file=folder / KEY_FILE)
    store.write(lambda work: work.accounts.save(account))
    store.close()
    yield started
    started.stop()


@pytest.fixture(params=["1.1", "1.2"])
def lab(server, request) -> Iterator[Lab]:
    with oseo.connect(soap=server.soap, token=TOKEN, soap_version=request.param) as found:
        yield found


def test_capabilities_say_what_the_service_is_and_what_can_be_ordered(lab):
    assert lab.about["service"] == "oseo_lab ordering service"
    assert "scenes" in lab.collections
    assert lab.capabilities().contents.product_orders


def test_an_order_is_composed_submitted_waited_for_and_downloaded_as_with_our_own_server(lab, tmp_path):
    draft = lab.order(["SCENE_A"], name=f"far {lab.transport._wanted}", collection="scenes", format="PNG")
    order = draft.submit().wait(60, check=True)
    assert order.status in (Status.COMPLETED, Status.DOWNLOADED)
    heads = [path.read_bytes()[:4] for path in order.download(tmp_path)]
    assert b"\x89PNG" in heads
    assert lab.orders[order.name].id == order.id == lab.orders[order.id].id


def test_delivery_is_said_where_the_draft_says_nothing(lab):
    order = lab.order("SCENE_A", collection="scenes", name=f"said {lab.transport._wanted}").submit()
    assert isinstance(order.record.specification.delivery_options.delivery, OnlineDataAccess)


def test_the_same_draft_again_is_the_same_order(lab):
    name = f"twice {lab.transport._wanted}"
    first = lab.order("SCENE_A", collection="scenes", name=name).submit()
    assert lab.order("SCENE_A", collection="scenes", name=name).submit().id == first.id


def test_a_final_order_cannot_be_cancelled_and_an_unknown_one_is_not_found(lab):
    order = lab.order("SCENE_B", collection="scenes", name=f"over {lab.transport._wanted}").submit().wait(60)
    with pytest.raises((Conflict, ValidationError), match="nothing to cancel"):
        order.cancel()
    with pytest.raises(NotFound):
        Order.of_id(lab, "urn:uuid:00000000-0000-4000-8000-000000000000")
    with pytest.raises(NotFound):
        lab.orders["http://elsewhere.example/orders/7"]


def test_what_is_wrong_with_an_order_is_said_all_at_once(lab):
    with pytest.raises(ValidationError) as wrong:
        lab.order(["SCENE_A", "no such thing", "nor this"], collection="scenes").submit()
    assert len(wrong.value.problems) == 2
    with pytest.raises(ValidationError, match="nowhere"):
        lab.order("X", collection="nowhere")


@pytest.mark.parametrize("identity", ["text", "digest", "basic"])
def test_an_account_is_known_by_every_identity(server, identity):
    with oseo.connect(soap=server.soap, username="anna", password=PASSWORD, identity=identity) as lab:
        assert lab.owner == "anna"
        order = lab.order("SCENE_A", collection="scenes", name=f"anna's by {identity}").submit()
        assert order.id in {each.id for each in lab.orders.filter()}


def test_the_password_may_come_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("OSEO_LAB_PASSWORD", PASSWORD)
    with oseo.connect(soap=server.soap, username="anna") as lab:
        order = lab.order("SCENE_A", collection="scenes", name="anna's of the environment").submit()
        assert lab.orders[order.id].name == order.name


@pytest.mark.parametrize("identity", ["text", "digest", "basic"])
def test_a_wrong_password_is_refused(server, identity):
    with (
        pytest.raises(NotAuthenticated),
        oseo.connect(soap=server.soap, username="anna", password="wrong", identity=identity) as lab,
    ):
        lab.orders.filter()


def test_nobody_in_particular_may_ask_for_capabilities_alone(server):
    with oseo.connect(soap=server.soap) as lab, pytest.raises(NotAuthenticated):
        lab.orders.filter()


def test_version_1_2_is_tried_first(server):
    with oseo.connect(soap=server.soap, token=TOKEN) as lab:
        assert lab.transport._version is SoapVersion.V12


def test_callbacks_wake_whoever_waits(server):
    with oseo.connect(soap=server.soap, token=TOKEN, listen=True) as lab:
        heard = lab.transport.events()
        order = lab.order("SCENE_A", collection="scenes", name="called back").submit()
        names = {name for name, said in _until_final(heard, order.id)}
        assert names == {"SubmitResponse"}
        assert order.wait(30).is_done


def _until_final(stream, order_id):
    """Yield what is heard of an order until it is final: the last callback says so to `heard_status`."""
    for name, said in stream:
        if said.get("order_id") == order_id:
            yield name, said
            if said.get("status") in ("Completed", "Failed", "Cancelled"):
                return


def test_what_osea_lacks_is_one_sentence(lab):
    with pytest.raises(NotSupported, match="no product search"):
        lab.search("scenes")
    order = lab.order("SCENE_A", collection="scenes", name="no history").submit()
    with pytest.raises(NotSupported, match="no history"):
        order.history()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"soap": "ftp://x/"}, "http://"),
        ({"soap": "http://anna:hunter2@x/"}, "no name or password"),
        ({"soap": "http://x/", "soap_version": "2.0"}, "1.1, 1.2"),
        ({"soap": "http://x/", "token": "t", "username": "u"}, "once"),
        ({"soap": "http://x/", "password": "p"}, "belong together"),
        ({"soap": "http://x/", "username": "u", "password": "p", "identity": "saml"}, "text, digest, basic"),
        ({"soap": "http://x/", "listen": "nowhere"}, "True, http://name:port/"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(given, said):
    with pytest.raises(ConfigurationError, match=said):
        oseo.connect(**given)


def test_a_server_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(TransportError, match="could not be reached"):
        oseo.connect(transport=SoapTransport("http://127.0.0.1:9/", tries=1))


def test_no_secret_shows(server):
    transport = oseo.connect(soap=server.soap, username="anna", password=PASSWORD).transport
    assert PASSWORD not in repr(vars(transport)) + repr(transport)
    transport.close()
    assert issubclass(NotSupported, OseoError)
