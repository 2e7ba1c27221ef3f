"""What failures say, as every store, message and screen can hold it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.encoding.json_form import from_plain, to_plain
from oseo_lab.model.job import Failure, FailureClass
from oseo_lab.model.status import Status
from oseo_lab.model.view import ItemRow


@given(st.text(max_size=60) | st.text(st.characters(max_codepoint=0x9F), max_size=60))
def test_whatever_a_server_elsewhere_says_its_user_can_read_the_order(said):
    failure = Failure(failure_class=FailureClass.PERMANENT, reason=f"the server answered 418 {said}")
    row = ItemRow(number=1, item_id="a", identifier="P1", status=Status.FAILED, info=failure.reason)
    assert from_plain(ItemRow, to_plain(row)) == row
    assert all(each.isprintable() or each in "\t\n\r" or each > "\x9f" for each in failure.reason)


def test_what_was_quoted_can_still_be_told():
    failure = Failure(
        failure_class=FailureClass.PERMANENT, reason="é \x1b[2J\x00\x9b\ud800\n", detail="a\tb\r\n"
    )
    assert (failure.reason, failure.detail) == ("é \\x1b[2J\\x00\\x9b\\ud800\n", "a\tb\r\n")
