"""The composition root: what it makes of settings for the capabilities document."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.messages import GetCapabilities
from oseo_lab.operations import perform
from oseo_lab.plugins import load
from oseo_lab.settings import Settings
from oseo_lab.wiring import Sequence, build


def test_a_document_keeps_its_number_and_a_new_one_gets_the_next(tmp_path):
    path = tmp_path / "capabilities"
    numbers = Sequence(path)
    assert [numbers("a"), numbers("a"), numbers("b")] == ["1", "1", "2"]


def test_a_restart_uses_no_number_twice(tmp_path):
    path = tmp_path / "capabilities"
    assert Sequence(path)("a") == "1"
    assert Sequence(path)("a") == "1"
    assert Sequence(path)("b") == "2"
    assert Sequence(path)("a") == "3", "an old document again is a newer one: numbers only rise"


def test_threads_agree_on_the_number(tmp_path):
    numbers = Sequence(tmp_path / "capabilities")
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(numbers, ["a"] * 50)) == {"1"}


@pytest.fixture
def services(tmp_path):
    settings = {
        "data_dir": tmp_path,
        "executor": "inline",
        "dispatch": False,
        "abstract": "For tests",
        "keywords": "orders, Earth observation,",
        "languages": "en, de",
        "contact_name": "Grace Hopper",
        "fees": "none",
    }
    services = build(Settings.parse(settings))
    yield services
    services.close()


def test_what_the_operator_sets_is_in_the_document(services):
    document = perform(GetCapabilities(), services.context(None, url="http://localhost/oseo/"))
    assert document.identification.keywords == ("orders", "Earth observation")
    assert (document.identification.abstract, document.identification.fees) == ("For tests", "none")
    assert document.languages == ("en", "de")
    assert document.provider.individual_name == "Grace Hopper"
    assert document.provider.position_name is None
    assert document.update_sequence == "1"


def test_a_callback_host_that_means_nothing_is_heard_of_before_anything_is_opened(tmp_path):
    wrong = Settings(data_dir=tmp_path, executor="inline", callback_hosts=("fine.example", "http://wrong/"))
    with pytest.raises(ConfigurationError, match=r"callback_hosts: 'http://wrong/'"):
        build(wrong)
    assert not (tmp_path / "orders.sqlite").exists()


def test_every_kind_of_notice_has_a_notifier():
    for kind in ("SubmitResponse", "CancelResponse", "GetQuotationResponse", "Notify"):
        assert load("notifier", kind)({"hosts": (), "url": ""})
