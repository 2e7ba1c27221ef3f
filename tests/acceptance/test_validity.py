"""Everything our own parts say to each other is valid by the official schemas: a witness stands between."""

from __future__ import annotations

import socket

import pytest
from lxml import etree

import oseo_lab as oseo
from tests.acceptance.everything import PASSWORD
from tests.acceptance.serving import TOKEN, Server, wait_until
from tests.acceptance.wrong_server import Passing, Wrong, WrongServer
from tests.official import complaints

MOUNTED = """
id = "far"
title = "Made elsewhere"
provider = "MAKER"
[processor]
use = "copy"
[catalogue]
use = "folder"
href = "nothing"
[products]
pattern = "SCENE_.+"
[provider_service]
use = "oseo"
href = "{href}"
collection = "scenes"
token_file = "token"
"""


class Witness(WrongServer):
    """Changes nothing, and remembers what was said and what the schemas have against it."""

    def __init__(self, target: str, shared) -> None:
        super().__init__(target)
        self.shared = shared
        self.said: list[str] = []
        self.invalid: list[tuple[str, list[str]]] = []
        self.wrong = Wrong(request=self.seen, answer=lambda asked, answer: self.seen(answer), call=self.seen)

    def seen(self, passing: Passing) -> Passing:
        self.said.append(passing.name)
        found = complaints(self.shared, etree.fromstring(passing.body))
        if found:
            self.invalid.append((passing.name, found))
        return passing


@pytest.fixture
def witness(everything, shared):
    witness = Witness(everything.soap, shared)
    yield witness
    witness.close()


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_what_our_client_says_and_hears(witness, version, tmp_path):
    with oseo.connect(
        soap=witness.url, username="anna", password=PASSWORD, soap_version=version, listen=True
    ) as lab:
        witness.listener = lab.transport.listener.url
        lab.capabilities()
        draft = lab.order(["SCENE_A", "SCENE_B"], collection="scenes", name=f"valid {version}", format="PNG")
        quotation = draft.quote()
        order = quotation.submit().wait(60)
        assert order.is_done
        order.download(tmp_path)
        lab.orders.filter()
        again = lab.order("SCENE_A", collection="scenes", name=f"cancelled {version}").submit()
        try:
            again.cancel()
        except oseo.OseoError:
            again.wait(60)  # it was made already
        wait_until(lambda: "SubmitResponse" in witness.said)
    expected = {"GetCapabilities", "GetOptions", "GetQuotation", "Submit", "GetStatus"}
    assert expected | {"DescribeResultAccess", "Cancel", "SubmitResponse"} <= set(witness.said)
    assert witness.invalid == []


def test_what_two_servers_of_ours_say_to_each_other(witness, tmp_path):
    collections = tmp_path / "collections"
    (collections / "nothing").mkdir(parents=True)
    (collections / "token").write_text(f"{TOKEN}\n")
    (collections / "far.toml").write_text(MOUNTED.format(href=witness.url))
    (tmp_path / "data").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    public = f"http://127.0.0.1:{port}/oseo/"
    witness.listener = f"{public}callback"
    here = Server(
        tmp_path / "data",
        collections=collections,
        port=port,
        executor="inline",
        public_url=public,
        callback_hosts="127.0.0.1",
    ).start()
    try:
        with oseo.connect(here.url, TOKEN) as lab:
            order = lab.order(["SCENE_A", "SCENE_B"], collection="far", name="passed on").submit().wait(90)
            assert order.status.value in ("Completed", "Downloaded"), order.items
            wait_until(lambda: "SubmitResponse" in witness.said)
            cancelled = lab.order(
                [f"SCENE_{letter}" for letter in "ABC"] * 10, collection="far", name="passed on too"
            ).submit()
            cancelled.cancel()
            cancelled.wait(90)
    finally:
        here.stop()
    assert {"Submit", "SubmitAck", "GetStatus", "DescribeResultAccess", "SubmitResponse"} <= set(witness.said)
    assert witness.invalid == []
