"""Two servers of ours, one mounted as the other's provider: what is ordered here is made there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import oseo_lab as oseo
from oseo_lab.client.lab import Lab
from oseo_lab.client.order import Order
from oseo_lab.model.errors import DeliveryError, ValidationError
from oseo_lab.model.status import Status
from tests.acceptance.serving import TOKEN, Server, wait_until
from tests.client.scenes import make_collections
from tests.ports import free_port

SLOW = """
id = "slow"
[processor]
use = "copy"
[catalogue]
use = "folder"
href = "scenes"
[products]
pattern = "SCENE_[A-Z0-9_]+"
[approval]
automatic = false
"""
MOUNTED = """
id = "{id}"
title = "Made elsewhere"
provider = "{provider}"
[processor]
use = "copy"
[catalogue]
use = "none"
[products]
pattern = "SCENE_.+"
[[options]]
name = "format"
kind = "Category"
allowed = ["COG", "PNG", "GeoTIFF"]
default = "COG"
[provider_service]
use = "oseo"
href = "{href}"
collection = "{theirs}"
options_id = ""
token_file = "token"
"""


class Pair:
    """Here and there."""

    def __init__(self, folder: Path) -> None:
        (folder / "there").mkdir()
        (folder / "here").mkdir()
        (folder / "offered").mkdir()
        theirs = make_collections(folder / "offered")
        (theirs / "slow.toml").write_text(SLOW)
        with (theirs / "scenes.toml").open("a") as file:
            file.write('[quotation]\ncurrency = "EUR"\nitem = 1.5\norder = 5\n')
        self.there = Server(
            folder / "there",
            collections=theirs,
            port=free_port(),
            executor="inline",
            callback_hosts="127.0.0.1",
        )
        self.there.start()
        ours = folder / "mounted"
        ours.mkdir()
        (ours / "token").write_text(TOKEN + "\n")
        for name, id in (("scenes", "far"), ("slow", "far-slow")):
            text = MOUNTED.format(id=id, provider=f"MAKER-{name}", href=self.there.soap, theirs=name)
            (ours / f"{name}.toml").write_text(text)
        port = free_port()
        self.here = Server(
            folder / "here",
            collections=ours,
            port=port,
            executor="inline",
            retry_delay=0.3,
            callback_hosts="127.0.0.1",
            public_url=f"http://127.0.0.1:{port}/oseo/",
        )
        try:
            self.here.start()
        except RuntimeError:
            self.there.stop()
            raise

    def stop(self) -> None:
        self.here.stop()
        self.there.stop()


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Iterator[Pair]:
    found = Pair(tmp_path_factory.mktemp("elsewhere"))
    yield found
    found.stop()


@pytest.fixture
def lab(pair) -> Iterator[Lab]:
    with oseo.connect(pair.here.url, TOKEN) as found:
        yield found


@pytest.fixture
def maker(pair) -> Iterator[Lab]:
    with oseo.connect(pair.there.url, TOKEN) as found:
        yield found


def made_there(maker: Lab, order) -> Order:
    """Return the order that an order here has become there: its id is in what the items say."""
    said = wait_until(lambda: [each.info for each in order.history() if "passed on to" in (each.info or "")])
    return maker.orders[said[0].rpartition(" ")[2]]


def test_what_no_catalogue_knows_is_no_doubt_of_an_order(lab):
    assert lab.order(["SCENE_A", "SCENE_B"], collection="far").validate() == []
    with pytest.raises(oseo.errors.NotSupported, match="far has no catalogue here: its products are ordered"):
        lab.search("far")


def test_two_servers_of_ours_one_mounted_as_the_others_provider_complete_an_order(pair, lab, tmp_path):
    order = lab.order(["SCENE_A", "SCENE_B"], collection="far", name="made there", format="PNG").submit()
    order.wait(60, check=True)
    assert order.status in (Status.COMPLETED, Status.DOWNLOADED)
    results = order.results()
    assert {each.item_id for each in results} == {"SCENE_A", "SCENE_B"}
    assert all(each.url.startswith(pair.there.url) for each in results)
    heads = [path.read_bytes()[:4] for path in results.download(tmp_path)]
    assert heads.count(b"\x89PNG") == 2
    with pair.here.client as client:
        uuid, name = order.id.removeprefix("urn:uuid:"), results[0].url.partition("?")[0].rpartition("/")[2]
        answer = client.get(f"{pair.here.url}oseo/files/{uuid}/1/{name}")
    assert (answer.status_code, answer.headers["Location"]) == (307, results[0].url)


def test_a_user_over_soap_is_called_back_about_what_is_made_two_servers_away(pair):
    with oseo.connect(soap=pair.here.soap, token=TOKEN, listen=True) as far:
        heard = far.transport.events()
        order = far.order("SCENE_B", collection="far", name="two away").submit()
        statuses = []
        for name, said in heard:
            assert (name, said["order_id"]) == ("SubmitResponse", order.id)
            statuses.append(said["status"])
            if said["status"] in ("Completed", "Downloaded"):
                break
        assert order.wait(10, check=True).is_done
        assert far.order("SCENE_B", collection="far").quote().wait(60).price.value == 6.5
        assert len(order.results()) >= 1
    assert statuses == sorted(statuses, key=("Accepted", "InProduction", "Completed").index)


def test_what_was_made_elsewhere_is_opened_like_anything_else(lab, tmp_path):
    order = lab.order(["SCENE_A", "SCENE_B"], collection="far", name="opened").submit().wait(60, check=True)
    over_http = order.to_xarray()
    order.download(tmp_path)
    here = order.to_xarray()
    assert here.sizes == over_http.sizes and here.sizes["time"] == 2
    assert float(here["B02"].mean()) == float(over_http["B02"].mean())
    with pytest.raises(DeliveryError, match="STAC"):
        order.to_stac()


def test_what_the_provider_calls_back_is_heard_at_once_and_acknowledged(pair, lab, maker):
    order = lab.order("SCENE_A", collection="far", name="heard").submit().wait(60, check=True)
    there = made_there(maker, order)
    told = wait_until(lambda: [each for each in _notices(pair, there.id) if each["outcome"] == "sent"])
    assert {each["kind"] for each in told} == {"SubmitResponse"}
    assert {each["address"] for each in told} == {f"{pair.here.url}oseo/callback"}


def _notices(pair: Pair, order_id: str) -> list[dict]:
    uuid = order_id.removeprefix("urn:uuid:")
    with pair.there.client as client:
        return client.get(f"{pair.there.url}oseo/api/v1/orders/{uuid}/notices").json()["sendings"]


def test_a_quotation_comes_back_from_the_provider_and_is_ordered_by(lab):
    quotation = lab.order(["SCENE_A", "SCENE_B"], collection="far", name="quoted").quote().wait(60)
    assert (quotation.price.value, quotation.price.currency) == (8.0, "EUR")
    assert {each.item_id for each in quotation.items} == {"SCENE_A", "SCENE_B"}
    assert quotation.groups[0].quotation_id, "the provider's own"
    order = quotation.submit().wait(60, check=True)
    assert order.status in (Status.COMPLETED, Status.DOWNLOADED)


def test_a_cancel_is_passed_on_and_what_comes_of_it_comes_back(lab, maker):
    order = lab.order(["SCENE_A", "SCENE_B"], collection="far-slow", name="not wanted").submit()
    there = made_there(maker, order)
    order.cancel()
    order.wait(60)
    assert order.status is Status.CANCELLED
    assert there.refresh().status is Status.CANCELLED


def test_what_the_provider_refuses_fails_with_its_reason(pair, lab):
    order = lab.order(["SCENE_A", "SCENE_of nobody"], collection="far", name="refused").submit().wait(60)
    assert order.status is Status.FAILED
    assert all("SCENE_of nobody" in reason for reason in order.failed.reasons.values())
    assert all(reason.startswith("MAKER-scenes: ") for reason in order.failed.reasons.values())


def test_the_provider_is_out_of_reach_in_the_middle_of_an_order(pair, lab, maker):
    pair.there.stop()
    order = lab.order("SCENE_B", collection="far", name="later").submit()
    wait_until(lambda: "tried again" in (order.refresh().items[0].info or ""))
    assert order.last_status is Status.ACCEPTED
    pair.there.start()
    assert order.wait(60, check=True).status in (Status.COMPLETED, Status.DOWNLOADED)
    assert len(_named(maker, order)) == 1


def test_the_server_here_dies_between_passing_on_and_the_end(pair, lab, maker):
    order = lab.order(["SCENE_A", "SCENE_B"], collection="far-slow", name="lives on").submit()
    there = made_there(maker, order)
    pair.here.kill()
    there.cancel()
    pair.here.start()
    assert order.wait(60).status is Status.CANCELLED
    assert len(_named(maker, order)) == 1


def _named(maker: Lab, order) -> list[Order]:
    """Return the orders there that were made for an order here."""
    reference = made_there(maker, order).record.specification.order_reference
    return [each for each in maker.orders if each.record.specification.order_reference == reference]


def test_options_that_are_not_offered_are_refused_here(lab):
    with pytest.raises(ValidationError, match="format"):
        lab.order("SCENE_A", collection="far", format="JPEG")


def test_nobody_can_call_back_about_what_was_never_asked(pair):
    with pair.here.client as client:
        answer = client.post(
            f"{pair.here.url}oseo/callback", content=b"<no/>", headers={"Content-Type": "text/xml"}
        )
    assert answer.status_code == 500 and b"Fault" in answer.content
