"""Sharing on a live service: two users and a link, in the Python client and at the command line."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from oseo_lab.cli import app
from oseo_lab.client.lab import Lab
from oseo_lab.client.transport import HttpTransport
from oseo_lab.model.errors import NotFound, TransportError, ValidationError
from oseo_lab.model.status import Status
from oseo_lab.model.view import Action
from oseo_lab.store import open_store
from oseo_lab.web.credentials import KEY_FILE, make_account
from tests.acceptance.serving import TOKEN, Server
from tests.client.scenes import make_collections


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data, collections = (
        tmp_path_factory.mktemp("data"),
        make_collections(tmp_path_factory.mktemp("collections")),
    )
    started = Server(data, collections=collections, executor="inline").start()
    store = open_store(started.database)
    account = make_account("ben", "ben's secret", key_file=data / KEY_FILE)
    store.write(lambda work: work.accounts.save(account))
    store.close()
    yield started
    started.stop()


class _AsBen(HttpTransport):
    """Ben's way in: his account, by HTTP Basic."""

    def _identity(self, url):
        words = base64.b64encode(b"ben:ben's secret").decode()
        return {"Authorization": f"Basic {words}"} if url.startswith(self.url) else {}


@pytest.fixture
def ana(server):
    with Lab(HttpTransport(server.url, TOKEN)) as lab:
        yield lab


@pytest.fixture
def ben(server):
    with Lab(_AsBen(server.url)) as lab:
        yield lab


@pytest.fixture
def order(ana, request):
    return ana.order(["SCENE_A"], request.node.name, "scenes").submit().wait(60)


def test_an_order_shared_with_a_user_is_used_by_both_and_changed_by_one(ana, ben, order, tmp_path):
    assert len(ben.orders.shared) == 0 and order.id not in ben.orders
    made = order.share("ben", can="read", until="30d")
    assert made.link is None and "lab.orders.shared" in repr(made)
    assert abs(made.until - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    key = f"{ana.owner}/{order.name}"
    assert list(ben.orders.shared) == [key] and key in ben.orders.shared
    his = ben.orders.shared[key]
    assert ben.orders.shared[order.name].id == his.id == order.id
    assert his.status.is_final and his.view().actions == ()
    assert order.view().actions == (Action.SHARE,)
    assert len(his.items) == 1 and his.history() and len(his.results()) == 1
    (path,) = his.download(tmp_path)
    assert path.stat().st_size > 0 and order.refresh().last_status is Status.COMPLETED
    assert len(ben.orders) == 0, "it is not his own"
    for change in (his.cancel, his.pause, his.retry, his.share, his.shares, his.unshare, his.cost):
        with pytest.raises(NotFound):
            change()
    assert [each.grantee for each in order.shares()] == ["ben"]
    assert order.unshare("ben") == ()
    with pytest.raises(NotFound, match="shared: none"):
        ben.orders.shared[key]
    assert ben.orders.shared.get(key) is None
    with pytest.raises(NotFound):
        his.refresh()
    with pytest.raises(NotFound, match="shared with: nobody"):
        order.unshare("ben")


def test_a_link_opens_the_order_until_it_is_taken_back_and_is_in_no_display(ana, order, tmp_path):
    made = order.share()
    secret = made.link.rpartition("/")[2]
    for shown in (
        repr(made),
        str(made),
        made._repr_html_(),
        repr(order.shares()),
        order.shares()._repr_html_(),
    ):
        assert secret not in shown and "whoever has the link" in shown
    found = ana.orders.open(made.link)
    bundle = found._repr_mimebundle_()
    for shown in (repr(found), str(found), *bundle.values()):
        assert secret not in shown and order.name in shown
    assert (found.id, found.name, found.owner, found.is_done) == (order.id, order.name, ana.owner, True)
    assert found.counts == {Status.COMPLETED: 1}
    (path,) = found.download(tmp_path)
    assert path.stat().st_size > 0
    order.unshare(made)
    for ask in (found.view, found.results, lambda: ana.orders.open(made.link)):
        with pytest.raises(NotFound) as gone:
            ask()
        assert secret not in str(gone.value)


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("", ValidationError),
        ("oseo/shared/x", ValidationError),
        ("ftp://example.org/oseo/shared/x", ValidationError),
        ("https://example.org/elsewhere", ValidationError),
        (7, ValidationError),
        ("http://127.0.0.1:9/oseo/shared/secret", TransportError),
    ],
)
def test_what_is_no_link_is_told_without_repeating_it(ana, link, kind):
    with pytest.raises(kind) as told:
        ana.orders.open(link)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("yesterday", "allowed"),
        ("-3d", "allowed"),
        ("0s", "later than now"),
        ("2020-01-01", "later than now"),
        (timedelta(days=900), "366 days"),
        (datetime(2030, 1, 1), "no time zone"),
        ("2026-99-01", "allowed"),
    ],
)
def test_a_time_that_cannot_be_is_told(order, until, says):
    with pytest.raises(ValidationError, match=says):
        order.share("ben", until=until)


def test_orders_are_found_by_time_collection_and_number(ana):
    first = ana.order(["SCENE_A"], "found-1", "scenes").submit()
    second = ana.order(["SCENE_B"], "found-2", "scenes").submit().wait(60)
    first.wait(60)
    assert [each.name for each in ana.orders.filter("found-*")] == ["found-2", "found-1"]
    assert [each.name for each in ana.orders.filter("found-*", limit=1)] == ["found-2"]
    assert len(ana.orders.filter("found-*", since="7d", collection="scenes")) == 2
    assert len(ana.orders.filter("found-*", until=timedelta(days=1))) == 0
    assert len(ana.orders.filter("found-*", collection="other")) == 0
    assert ana.orders.latest().id == second.id
    listed = ana.orders.filter("found-*")
    assert "✔ Completed" in str(listed) and "1/1" in str(listed) and "more days" in str(listed)
    assert listed.summaries[0].size > 0
    data = listed._repr_mimebundle_()["application/vnd.oseo-lab.orders+json"]
    assert data["instance"] == ana.about["instance"] and data["query"] == {"name": "found-*"}
    assert len(data["orders"]) == 2


def test_the_command_line_shares_and_takes_back(server, order):
    run, place = CliRunner(), ["--url", server.url, "--token", TOKEN]
    link = run.invoke(app, ["orders", "share", order.name, "--until", "2h", *place]).stdout.strip()
    assert link.startswith(f"{server.soap}shared/")
    assert run.invoke(app, ["orders", "share", order.name, "--with", "ben", *place]).exit_code == 0
    shares = json.loads(run.invoke(app, ["orders", "shares", order.name, "--json", *place]).stdout)
    assert [each.get("grantee") for each in shares] == [None, "ben"]
    assert run.invoke(app, ["orders", "unshare", order.name, "ben", *place]).exit_code == 0
    table = run.invoke(app, ["orders", "shares", order.name, *place]).stdout
    assert "(link)" in table and "ben" not in table
    assert run.invoke(app, ["orders", "unshare", order.name, *place]).exit_code == 0
    assert run.invoke(app, ["orders", "unshare", order.name, "ben", *place]).exit_code == 1
