"""The provider that is another OSEO server, against one that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from oseo_lab.builtin import provider_oseo as module
from oseo_lab.builtin.provider_oseo import OseoProvider
from oseo_lab.model.collection import Collection
from oseo_lab.model.delivery import (
    DeliveryInformation,
    DeliveryOptions,
    MediaDelivery,
    OnlineAddress,
    PackageMedium,
    Protocol,
    Secret,
)
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import FailureClass
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import (
    ItemSpecification,
    Order,
    OrderItem,
    OrderSpecification,
    Payment,
    Priority,
    ProviderOrder,
    StatusInfo,
)
from oseo_lab.model.status import Status
from oseo_lab.ports import ProcessingFailed, QuoteRequest
from tests.foreign import S11, Foreign, fault, foreign_server

ID = "urn:uuid:00000000-0000-4000-8000-000000000001"
MESSAGE = "urn:uuid:00000000-0000-5000-8000-000000000002"


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    with foreign_server() as found:
        yield found


@pytest.fixture
def settings(foreign, tmp_path) -> dict[str, object]:
    (tmp_path / "password").write_text("hunter 2\n")
    return {
        "href": foreign.url,
        "collection": "urn:old:landsat",
        "user": "anna",
        "password_file": str(tmp_path / "password"),
    }


@pytest.fixture
def provider(settings) -> OseoProvider:
    return OseoProvider("far", settings)


def item(number: int, status: Status = Status.ACCEPTED, **more) -> OrderItem:
    specification = ItemSpecification(
        item_id=f"mine {number}",
        identifier=ProductId(identifier=f"P{number}", collection_id="far"),
        **more,
    )
    return OrderItem(
        specification=specification,
        status=StatusInfo(status=status),
        order_id=ID,
        number=number,
        collection_id="far",
        provider="OLD",
    )


ITEMS = (item(1), item(2))
ORDER = Order(order_id=ID, specification=OrderSpecification(), status=StatusInfo(status=Status.ACCEPTED))


def part(tracking_id: str | None = "http://archive.example/orders/1") -> ProviderOrder:
    return ProviderOrder(order_id=ID, provider="OLD", tracking_id=tracking_id)


def submit(provider: OseoProvider, order: Order = ORDER, items=ITEMS, message_id: str = MESSAGE) -> str:
    return provider.submit(order, items, message_id=message_id, callback="http://here.example/callback")


def test_nothing_secret_shows(provider):
    assert "hunter" not in repr(provider) + repr(vars(provider)) + repr(vars(provider._server))


def test_items_go_out_under_our_numbers_to_their_collection_and_nothing_of_our_users(foreign, provider):
    rich = OrderSpecification(
        order_reference="mine",
        order_remark="please",
        priority=Priority.FAST_TRACK,
        options=(ParameterData(values=(("format", "COG"),)),),
        delivery_information=DeliveryInformation(
            online_addresses=(
                OnlineAddress(
                    protocol=Protocol.FTP, server_address="me.example", user_password=Secret("hush")
                ),
            )
        ),
        delivery_options=DeliveryOptions(delivery=MediaDelivery(package_medium=PackageMedium.DVD)),
        extensions=("name=of mine",),
    )
    paid = item(
        1, payment=Payment(payment_method="card", credit_card_info="4111"), product_order_options_id="g"
    )
    order = Order(order_id=ID, specification=rich, status=StatusInfo(status=Status.ACCEPTED))
    assert submit(provider, order, (paid,)) == "http://archive.example/orders/1"
    body = next(body for name, _, body in foreign.seen if name == "Submit")
    for said in (
        "<itemId>1</itemId>",
        "<identifier>P1</identifier><collectionId>urn:old:landsat</collectionId>",
        "<productOrderOptionsId>g</productOrderOptionsId>",
        "<onlineDataAccess><protocol>http</protocol></onlineDataAccess>",
        "<priority>FAST_TRACK</priority>",
        "COG",
        "<orderRemark>please</orderRemark>",
        f"MessageID>{MESSAGE}<",
        "<statusNotification>None</statusNotification>",
    ):
        assert said in body
    for secret in ("4111", "hush", "me.example", "mine", "DVD"):
        assert secret not in body


def test_the_same_message_is_ordered_once_though_the_server_does_not_heed_message_ids(foreign, provider):
    first = submit(provider)
    assert submit(provider) == first
    assert foreign.names().count("Submit") == 1
    other = submit(provider, message_id="urn:uuid:00000000-0000-5000-8000-000000000003")
    assert other != first
    assert all(len(each) <= 30 for each in foreign.references)


def test_a_lost_answer_to_a_submit_is_made_up_for_by_the_reference(foreign, provider):
    foreign.instead = {"Submit": None}
    with pytest.raises(ProcessingFailed) as lost:
        submit(provider)
    assert lost.value.failure_class is FailureClass.TRANSIENT
    foreign.instead = {}
    foreign._Submit(next(body for name, _, body in foreign.seen if name == "Submit"))  # it had arrived
    assert submit(provider) == "http://archive.example/orders/1"
    assert len(foreign.references) == 1


def test_a_server_without_search_is_trusted_with_the_message_id(foreign, provider):
    refused = fault("OperationNotSupported", "no search")
    body = f"<e:Envelope xmlns:e='{S11}'><e:Body>{refused}</e:Body></e:Envelope>"
    foreign.instead = {"GetStatus": (400, body, "text/xml")}
    assert submit(provider) == "http://archive.example/orders/1"


def test_callbacks_are_asked_for_where_the_server_gives_them(foreign, provider):
    foreign.flags = {"asynchronous": "true"}
    submit(provider)
    body = next(body for name, _, body in foreign.seen if name == "Submit")
    assert "<statusNotification>All</statusNotification>" in body
    assert "<wsa:ReplyTo><wsa:Address>http://here.example/callback</wsa:Address></wsa:ReplyTo>" in body


def test_what_is_in_work_is_told_without_asking_for_results(foreign, provider):
    submit(provider)
    foreign.status = "InProduction"
    forwarded = provider.poll(part(), ITEMS)
    assert {(each.number, each.status) for each in forwarded.items} == {
        (1, Status.IN_PRODUCTION),
        (2, Status.IN_PRODUCTION),
    }
    assert "DescribeResultAccess" not in foreign.names()


def test_what_was_delivered_comes_with_its_links(foreign, provider):
    submit(provider)
    told = {each.number: each for each in provider.poll(part(), ITEMS).items}
    assert told[2].files == (f"{foreign.url}files/1/2.dat",)
    assert told[1].expires == datetime(2099, 1, 1, tzinfo=UTC)
    again = provider.poll(part(), (item(1, Status.COMPLETED), item(2, Status.COMPLETED)))
    assert foreign.names().count("DescribeResultAccess") == 1, "what is final here is not asked for again"
    assert all(not each.files for each in again.items)


def test_a_link_under_another_name_is_the_first_items(foreign, provider):
    submit(provider)
    foreign.items = [["order"]]
    told = {each.number: each for each in provider.poll(part(), ITEMS).items}
    assert told[1].files == (f"{foreign.url}files/1/order.dat",)


def test_an_order_whose_items_are_not_told_stands_as_a_whole(foreign, provider):
    submit(provider)
    foreign.items, foreign.status = [[]], "Suspended"
    assert {each.status for each in provider.poll(part(), ITEMS).items} == {Status.SUSPENDED}


def test_a_delivered_item_without_a_link_is_waited_for_a_while(foreign, provider):
    submit(provider)
    foreign.instead = {
        "DescribeResultAccess": (
            200,
            "<DescribeResultAccessResponse xmlns='http://www.opengis.net/oseo/1.0'><status>success</status>"
            "</DescribeResultAccessResponse>",
            "text/xml",
        )
    }
    said = [provider.poll(part(), (item(1),)).items[0].status for _ in range(module.PATIENCE)]
    assert said == [Status.IN_PRODUCTION] * (module.PATIENCE - 1) + [Status.COMPLETED]


def test_a_server_without_result_access_delivers_without_links(foreign, provider):
    foreign.flags = {"results": "false"}
    submit(provider)
    told = provider.poll(part(), ITEMS).items
    assert {(each.status, each.files) for each in told} == {(Status.COMPLETED, ())}


def test_an_order_that_is_not_known_any_more_is_over(foreign, provider):
    submit(provider)
    foreign.fault = (400, fault("InvalidOrderIdentifier", "gone"))
    with pytest.raises(ProcessingFailed, match="gone") as over:
        provider.poll(part(), ITEMS)
    assert over.value.failure_class is FailureClass.PERMANENT


def test_a_server_that_does_not_cancel_says_so_and_one_that_does_is_asked(foreign, provider, settings):
    submit(provider)
    with pytest.raises(ProcessingFailed, match="does not cancel") as refused:
        provider.cancel(part(), message_id=MESSAGE, callback=None)
    assert refused.value.failure_class is FailureClass.PERMANENT
    foreign.flags = {"cancel": "true"}
    other = OseoProvider("far", settings)
    other.cancel(part(), message_id=MESSAGE, callback=None)
    assert foreign.names()[-1] == "Cancel"
    assert other.poll(part(), ITEMS).items[0].status is Status.CANCELLED


@pytest.mark.parametrize(
    ("status", "inside", "kind"),
    [
        (400, fault("InvalidParameterValue", "no such product"), FailureClass.PERMANENT),
        (400, fault("NoApplicableCode", "no packaging"), FailureClass.PERMANENT),
        (401, fault("AuthenticationFailed", "who"), FailureClass.TRANSIENT),
        (503, fault("NoApplicableCode", "later"), FailureClass.TRANSIENT),
        (500, fault("NoApplicableCode", "bug").replace("s:Sender", "s:Server"), FailureClass.TRANSIENT),
        (200, "<nothing/>", FailureClass.TRANSIENT),
    ],
)
def test_a_refusal_is_for_good_and_an_outage_is_not(foreign, provider, status, inside, kind):
    provider._server.capabilities()
    foreign.fault = (status, inside)
    with pytest.raises(ProcessingFailed) as failed:
        submit(provider)
    assert failed.value.failure_class is kind


def test_a_server_that_is_away_is_an_outage(tmp_path):
    provider = OseoProvider("far", {"href": "http://127.0.0.1:9/"})
    with pytest.raises(ProcessingFailed) as failed:
        submit(provider)
    assert failed.value.failure_class is FailureClass.TRANSIENT


def test_an_answer_that_drips_is_not_waited_for_to_its_end(monkeypatch):
    monkeypatch.setattr("oseo_lab.builtin.oseo_server.LONGEST_SECONDS", 0.05)

    class Drips(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while not over.wait(0.01):
                    self.wfile.write(b" ")

        def log_message(self, *_):
            """Say nothing."""

    over = Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Drips) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        provider = OseoProvider(
            "far", {"href": f"http://127.0.0.1:{server.server_port}/", "soap_version": "1.2"}
        )
        with pytest.raises(ProcessingFailed) as failed:
            submit(provider)
        over.set()
        server.shutdown()
    assert "not there within" in failed.value.detail
    assert failed.value.failure_class is FailureClass.TRANSIENT


def test_nothing_is_followed_to_another_address(foreign, provider):
    foreign.refuses_12 = ""
    foreign.instead = {"GetCapabilities": (302, "", "text/html")}
    with pytest.raises(ProcessingFailed):
        submit(provider)
    assert foreign.names() == ["GetCapabilities"]


def test_what_gives_no_quotations_is_not_asked(foreign, provider):
    request = QuoteRequest(
        owner="anna",
        specification=OrderSpecification(),
        items=[each.specification for each in ITEMS],
        collection=Collection(id="far"),
        now=datetime.now(UTC),
        past=(),
        find=lambda ids: {},
    )
    with pytest.raises(ProcessingFailed, match="gives no quotations"):
        provider.quote(request)
    assert "GetQuotation" not in foreign.names()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"href": "ftp://x"}, "SOAP endpoint"),
        ({"href": "https://anna:hunter2@archive.example/"}, "no name or password"),
        ({"password": "x"}, "secrets lie in files"),
        ({"password_file": "/no/such/file"}, "cannot be read"),
        ({"password_file": None}, "user belongs with"),
        ({"password_file": None, "password_env": "OSEO_LAB_NOT_SET"}, "is empty"),
        ({"soap_version": "3"}, "1.1, 1.2"),
        ({"identity": "saml"}, "text, digest, basic"),
        ({"protocol": "pigeon"}, "protocol"),
        ({"colection": "x"}, "colection is unknown"),
    ],
)
def test_wrong_settings_are_said_at_start(settings, changed, said):
    with pytest.raises(ConfigurationError, match=said):
        OseoProvider("far", settings | changed)


def test_a_token_may_come_from_the_environment(foreign, monkeypatch):
    monkeypatch.setenv("OLD_ARCHIVE", "abc")
    provider = OseoProvider("far", {"href": foreign.url, "token_env": "OLD_ARCHIVE"})
    submit(provider)
    assert foreign.seen[-1][1]["Authorization"] == "Bearer abc"
