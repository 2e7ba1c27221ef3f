"""Secrets stay secret, whatever is done to them."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle

import pytest

from oseo_lab.model.delivery import OnlineAddress, Protocol, Secret
from oseo_lab.model.order import Payment

WORD = "correct horse"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        "{}".format,
        "{!r:>20}".format,
        lambda secret: f"{secret:>30}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - what logging does
        lambda secret: repr([secret]),
        lambda secret: repr(OnlineAddress(protocol=Protocol.FTP, server_address="a", user_password=secret)),
        lambda secret: repr(ValueError("bad", secret)),
    ],
)
def test_a_secret_shows_as_stars(show) -> None:
    shown = show(Secret(WORD))
    assert WORD not in shown
    assert "***" in shown


def test_a_secret_in_a_log_record_is_stars(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("oseo_lab.test").info("password %s of %r", Secret(WORD), {"p": Secret(WORD)})
    assert WORD not in caplog.text


def test_a_secret_is_no_text_that_a_json_writer_takes() -> None:
    with pytest.raises(TypeError):
        json.dumps({"password": Secret(WORD)})


def test_a_secret_is_not_pickled_into_a_task() -> None:
    address = OnlineAddress(protocol=Protocol.FTP, server_address="a", user_password=Secret(WORD))
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(address)


def test_a_secret_is_copied_compared_and_revealed() -> None:
    address = OnlineAddress(protocol=Protocol.FTP, server_address="a", user_password=Secret(WORD))
    assert copy.deepcopy(address) == address == dataclasses.replace(address) == copy.copy(address)
    assert Secret(WORD) == Secret(WORD) != Secret("other")
    assert Secret(WORD) != WORD
    assert hash(Secret(WORD)) == hash(Secret(WORD))
    assert Secret(WORD).reveal() == WORD
    assert not Secret("")


def test_card_data_is_not_in_a_repr() -> None:
    assert WORD not in repr(Payment(payment_method="credit card", credit_card_info=WORD))
