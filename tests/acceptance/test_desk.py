"""The order desk on a live service: by SOAP, at a prompt, in Python; what is decided is seen by GetStatus."""

from __future__ import annotations

import base64
from uuid import UUID

import httpx
import pytest
from typer.testing import CliRunner

import oseo_lab
from oseo_lab.cli import app
from oseo_lab.client.lab import Lab
from oseo_lab.client.transport import HttpTransport
from oseo_lab.encoding import oseo, soap, xmltree
from oseo_lab.encoding.json_form import to_plain
from oseo_lab.model.errors import InvalidState, NotAuthorized
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Cancel, GetStatus, Presentation, Submit
from oseo_lab.model.order import ItemSpecification, OrderSpecification
from oseo_lab.model.status import Status
from oseo_lab.store import open_store
from oseo_lab.web.credentials import KEY_FILE, make_account
from tests.acceptance.serving import TOKEN, Server, wait_until
from tests.client.scenes import COLLECTION, make_collections

BEN = ("ben", "ben's secret")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    collections = make_collections(tmp_path_factory.mktemp("collections"))
    moderated = COLLECTION.replace('id = "scenes"', 'id = "moderated"')
    (collections / "moderated.toml").write_text(f"{moderated}[approval]\nautomatic = false\n")
    started = Server(data, collections=collections, executor="inline").start()
    store = open_store(started.database)
    store.write(lambda work: work.accounts.save(make_account(*BEN, key_file=data / KEY_FILE)))
    store.close()
    yield started
    started.stop()


class _AsBen(HttpTransport):
    """Ben's way in: his account, by HTTP Basic."""

    def _identity(self, url):
        words = base64.b64encode(":".join(BEN).encode()).decode()
        return {"Authorization": f"Basic {words}"} if url.startswith(self.url) else {}


@pytest.fixture
def lab(server):
    with oseo_lab.connect(server.url, token=TOKEN) as lab:
        yield lab


@pytest.fixture
def ben(server):
    with Lab(_AsBen(server.url)) as lab:
        yield lab


@pytest.fixture
def call(server):
    """Send ben's message over SOAP."""

    def send(message):
        version = soap.SoapVersion.V12
        envelope = soap.request_envelope(oseo.encode_request(message), version)
        headers = {"Content-Type": soap.content_type(version)}
        answer = httpx.post(server.soap, content=envelope, headers=headers, auth=BEN, timeout=30)
        payload = xmltree.parse(answer.content)[-1][0]
        assert not soap.read_fault(payload), answer.text
        return oseo.decode_response(payload)

    return send


@pytest.fixture
def submitted(call):
    """Submit an order by SOAP that waits for approval."""

    def submit(name):
        product = ProductId(identifier="SCENE_A", collection_id="moderated")
        item = ItemSpecification(item_id="a", identifier=product)
        return call(Submit(specification=OrderSpecification(order_reference=name, items=(item,)))).order_id

    return submit


@pytest.fixture
def run(server, monkeypatch):
    """Run a command as an operator at a prompt."""
    monkeypatch.setenv("OSEO_LAB_URL", server.url)
    monkeypatch.setenv("OSEO_LAB_TOKEN", TOKEN)

    def command(*words):
        result = CliRunner().invoke(app, words)
        if isinstance(result.exception, Exception):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return command


def status_of(call, order_id):
    return call(GetStatus(order_id=order_id, presentation=Presentation.FULL)).orders[0]


def test_submitted_by_soap_approved_at_a_prompt_looked_at_in_python(submitted, run, lab, ben, call):
    order_id = submitted("lake-garda")
    assert status_of(call, order_id).status.additional == "waiting for an operator's approval"
    code, out, _ = run("desk")
    assert (code, "waiting for approval 1" in out, "lake-garda" in out) == (0, True, True)
    (waiting,) = lab.operator.board().waiting
    assert (waiting.order_id, waiting.owner, waiting.items) == (order_id, "ben", 1)
    code, _, err = run("desk", "approve", "lake-garda")
    assert (code, "is approved" in err) == (0, True)
    order = ben.orders["lake-garda"].wait(60)
    assert (order.status, order.id) == (Status.COMPLETED, order_id)
    assert lab.owner in {line.author for line in order.history()}
    assert lab.operator.board().waiting == ()
    with pytest.raises(InvalidState, match="was approved by"):
        run("desk", "reject", order_id, "--reason", "too late")


def test_rejected_with_a_reason_that_get_status_tells(submitted, run, call, ben):
    order_id = submitted("too-much")
    run("desk", "reject", str(UUID(order_id))[:8], "--reason", "Radar is down until May")
    found = wait_until(lambda: (one := status_of(call, order_id)).status.status is Status.CANCELLED and one)
    sentence = "rejected by an operator: Radar is down until May"
    assert found.status.additional == sentence
    assert [each.status.additional for each in found.items] == [sentence]
    order = ben.orders["too-much"]
    assert sentence in repr(order.view())
    with pytest.raises(InvalidState, match="order it anew"):
        order.retry(["a"])


def test_cancelled_by_its_user_before_the_operator_looks(submitted, call, lab):
    order_id = submitted("never-mind")
    call(Cancel(order_id=order_id))
    with pytest.raises(InvalidState, match=r"wait for approval any more|cancelled the order meanwhile"):
        lab.operator.approve(order_id)


def test_the_desk_is_for_operators(ben):
    with pytest.raises(NotAuthorized, match="only operators see the order desk"):
        ben.operator.board()


def test_an_announcement_is_read_in_python_at_a_prompt_and_by_soap_clients(run, lab, ben, server):
    code, _, err = run("desk", "announce", "Archive restores are slow", "--until", "6h")
    assert (code, "users read: Archive restores are slow (until" in err) == (0, True)
    assert ben.announcement.text == "Archive restores are slow"
    assert "announcement: Archive restores are slow (until" in repr(ben)
    assert "Archive restores are slow" in ben._repr_html_()
    assert "Archive restores are slow" in ben.capabilities().identification.abstract
    assert "announcement: Archive restores are slow" in run("orders", "list")[2]
    assert "Archive restores are slow" in run("desk", "show")[1]
    lab.operator.withdraw()
    assert ben.announcement is None
    assert "announcement" not in repr(ben)


def test_the_board_shows_itself(submitted, lab):
    order_id = submitted("shown & <seen>")
    board = lab.operator.board()
    bundle = board._repr_mimebundle_()
    data = bundle["application/vnd.oseo-lab.board+json"]
    assert data == {"instance": lab.about["instance"], "board": to_plain(board.board)}
    assert "shown &amp; &lt;seen&gt;" in bundle["text/html"]
    assert "shown & <seen> · ben · 1 item · moderated" in bundle["text/plain"]
    lab.operator.reject(board.waiting[0], reason="only a test")
    lab.operator.reject(order_id, reason="again")
