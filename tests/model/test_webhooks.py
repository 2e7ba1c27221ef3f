"""Making sure of a message: what a stranger sends is refused, and breaks nothing of who asks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.model.webhooks import PREFIX, TOLERANCE, secret_text, signed_headers, verify_webhook

KEY, NOW, BODY = b"k" * 32, 1_767_268_800, b'{"id":"m-1"}'
SECRET = secret_text(KEY)


def test_a_message_is_good_for_five_minutes_and_for_these_bytes_only():
    headers = signed_headers(KEY, "m-1", NOW, BODY)
    assert verify_webhook(SECRET, headers, BODY, NOW + TOLERANCE + 0.9)
    assert not verify_webhook(SECRET, headers, BODY, NOW + TOLERANCE + 1)
    assert not verify_webhook(SECRET, headers, BODY, NOW - TOLERANCE - 1)
    assert not verify_webhook(SECRET, headers | {"webhook-id": "m-2"}, BODY, NOW)
    assert not verify_webhook(SECRET, headers | {"webhook-timestamp": str(NOW + 1)}, BODY, NOW)


@pytest.mark.parametrize("secret", ["", PREFIX, "whsec", "whsec_é", "whsec_!!!!"])
def test_a_secret_that_is_none_makes_nothing_good(secret):
    assert not verify_webhook(secret, signed_headers(b"", "m-1", NOW, BODY), BODY, NOW)


_TEXT = st.text(max_size=20) | st.sampled_from(
    ["9" * 4000, "-" + "9" * 4000, "\udcff", "v1,\udcff", "v1,", "nan"]
)


@given(message_id=_TEXT, timestamp=_TEXT, signature=_TEXT)
def test_whatever_headers_say_is_refused_without_an_error(message_id, timestamp, signature):
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,x {signature}",
    }
    assert not verify_webhook(SECRET, headers, BODY, float(NOW))
