"""What bad JSON gets: every problem at once, where it stands, what would be right."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oseo_lab.encoding.json_form import decode, from_plain, problem_document, read_error, read_problems
from oseo_lab.model import errors
from oseo_lab.model.errors import (
    BadMessage,
    NotFound,
    OseoError,
    Problem,
    TooLarge,
    ValidationError,
    error_of,
)
from oseo_lab.model.messages import Cancel, GetOptions, GetStatus, Submit, SubmitAck
from oseo_lab.model.order import OrderItem


def wrong(cls: type, plain: Any) -> dict[str | None, Problem]:
    with pytest.raises(ValidationError) as refused:
        from_plain(cls, plain)
    assert type(refused.value) is ValidationError
    return {each.locator: each for each in refused.value.problems}


def submit(**item: Any) -> dict[str, Any]:
    whole = {"item_id": "a", "identifier": {"identifier": "p"}, **item}
    return {"specification": {"items": [{"item_id": "0", "identifier": {"identifier": "q"}}, whole]}}


def test_everything_wrong_with_a_message_is_said_at_once() -> None:
    found = wrong(
        Submit,
        {
            "version": 1,
            "time_stamp": "yesterday",
            "specification": {
                "items": [
                    {"item_id": "x" * 81, "identifer": {"identifier": "p"}},
                    {"item_id": "b", "identifier": {"name": "p"}, "options": [{"values": {"format": None}}]},
                ],
                "packaging": "zipp",
                "delivery_options": {"delivery": {"kind": "onlineDataAcces"}, "number_of_copies": 1.5},
            },
            "statusNotification": "None",
        },
    )
    said = {locator: (each.code, each.item_id) for locator, each in found.items()}
    invalid, missing = "InvalidParameterValue", "MissingParameterValue"
    long = "x" * 80
    assert said == {
        "version": (invalid, None),
        "time_stamp": (invalid, None),
        "specification.items[0].item_id": (invalid, long),
        "specification.items[0].identifier": (missing, long),
        "specification.items[0].identifer": (invalid, long),
        "specification.items[1].identifier": (invalid, "b"),
        "specification.items[1].options[0].values": (invalid, "b"),
        "specification.packaging": (invalid, None),
        "specification.delivery_options.delivery": (invalid, None),
        "specification.delivery_options.number_of_copies": (invalid, None),
        "statusNotification": (invalid, None),
    }
    assert "did you mean 'identifier'" in found["specification.items[0].identifer"].text
    assert "did you mean 'status_notification'" in found["statusNotification"].text
    assert "at most 80 characters" in found["specification.items[0].item_id"].text
    assert "'zip', 'tar'" in found["specification.packaging"].text
    assert "identifier, id, collection_id" in found["specification.items[1].identifier"].text
    assert "onlineDataAccess" in found["specification.delivery_options.delivery"].text


@pytest.mark.parametrize(
    ("item", "locator", "said"),
    [
        ({"identifier": {"identifier": "p", "id": "t"}}, "identifier.id", "not known here"),
        ({"identifier": {"identifier": 7}}, "identifier.identifier", "must be text"),
        ({"identifier": "p"}, "identifier", "must be an object with one of"),
        (
            {"delivery_options": {"delivery": {"protocol": "http"}}},
            "delivery_options.delivery",
            "with a kind",
        ),
        (
            {"delivery_options": {"delivery": {"kind": "onlineDataAccess", "protocol": "gopher"}}},
            "delivery_options.delivery.protocol",
            "'http' or 'https'",
        ),
        ({"remark": "\u0000"}, "remark", "control characters"),
        ({"remark": "bell\u0007"}, "remark", "control characters"),
        ({"remark": "\ufffe"}, "remark", "control characters"),
        ({"remark": "x" * 4001}, "remark", "at most 4000"),
        ({"options": [{"values": {"a": "\u0001"}}]}, "options[0].values", "no value"),
        ({"options": [{"values": {"a\u0001": "1"}}]}, "options[0].values", "no option name"),
        ({"options": [{"values": "format=COG"}]}, "options[0].values", "object of values"),
        ({"options": {}}, "options", "must be a list"),
        ({"payment": {"payment_method": ""}}, "payment.payment_method", "at least 1"),
    ],
)
def test_one_wrong_part_of_an_item(item: dict[str, Any], locator: str, said: str) -> None:
    found = wrong(Submit, submit(**item))
    problem = found[f"specification.items[1].{locator}"]
    assert said in problem.text
    assert problem.item_id == "a"
    assert len(problem.text) < 600


@pytest.mark.parametrize(
    ("cls", "plain", "code", "said"),
    [
        (GetStatus, {}, "MissingParameterValue", "order_id, filtering_criteria"),
        (GetStatus, {"order_id": "a", "filtering_criteria": {}}, "InvalidParameterValue", "only one"),
        (GetOptions, {"identifiers": []}, "MissingParameterValue", "collection_id, identifiers"),
        (Submit, {"quotation_id": "q", "specification": {}}, "InvalidParameterValue", "only one"),
        (Cancel, {}, "MissingParameterValue", "order_id: is missing"),
        (Cancel, [], "InvalidParameterValue", "must be an object"),
        (Cancel, "x", "InvalidParameterValue", "must be an object"),
        (OrderItem, {}, "MissingParameterValue", "specification: is missing"),
    ],
)
def test_choices_and_missing_parts(cls: type, plain: Any, code: str, said: str) -> None:
    first = next(iter(wrong(cls, plain).values()))
    assert first.code == code
    assert said in first.text


def test_a_wrong_password_is_not_repeated() -> None:
    address = {"protocol": "ftp", "server_address": "a", "user_password": "hunter2" * 9}
    found = wrong(Submit, {"specification": {"delivery_information": {"online_addresses": [address]}}})
    assert not any("hunter2" in each.text for each in found.values())
    assert len(found) == 1


def test_ten_thousand_wrong_items_get_a_short_answer() -> None:
    with pytest.raises(ValidationError) as refused:
        from_plain(Submit, {"specification": {"items": [{"item_id": ""}] * 10_000}})
    assert len(refused.value.problems) == 201
    assert "more problems" in refused.value.problems[-1].text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"order",
        b"\xff\xfe{}",
        b'{"order_id": NaN}',
        b'{"order_id": "\\ud800"}',
        b'{"order_id": "a" "b"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5000,
        '{"order_id": "ü"}'.encode("latin-1"),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_bytes_that_are_no_json_are_a_bad_message(body: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        decode(Cancel, body)
    assert len(str(refused.value)) < 500
    assert isinstance(refused.value, BadMessage) or body.isdigit()


def test_values_nested_without_end_are_refused() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = {"a": deep}
    assert "nested deeper" in next(iter(wrong(Submit, submit(options=[{"values": deep}])).values())).text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["specification", "items", "values", "kind", "delivery_options", "identifier", "options"]
                )
                | st.text(),
                inner,
            )
        ),
        max_leaves=20,
    )
)
def test_no_plain_value_raises_anything_but_our_errors(plain: Any) -> None:
    try:
        from_plain(Submit, plain)
    except ValidationError as refused:
        json.loads(problem_document(refused))


# ----------------------------------------------------------------------------------------- problem documents


def test_a_problem_document_says_what_rfc_9457_asks_and_every_problem() -> None:
    error = ValidationError.of(
        [
            Problem(code="InvalidParameterValue", locator="format", text="no JPEG", item_id="7"),
            Problem(code="MissingParameterValue", locator="band", text="no band"),
        ]
    )
    assert json.loads(problem_document(error, request_id="r1")) == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "item 7: no JPEG; no band",
        "code": "InvalidParameterValue",
        "locator": "format",
        "problems": [
            {"code": "InvalidParameterValue", "locator": "format", "text": "no JPEG", "item_id": "7"},
            {"code": "MissingParameterValue", "locator": "band", "text": "no band", "item_id": None},
        ],
        "kind": "ValidationError",
        "request_id": "r1",
    }


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_goes_out_and_comes_back(name: str) -> None:
    cls = getattr(errors, name)
    if not (isinstance(cls, type) and issubclass(cls, OseoError)):
        return
    error = cls("it is wrong", locator="here")
    body = problem_document(error)
    assert json.loads(body)["status"] == cls.http_status
    assert read_problems(body) == error.problems
    assert error_of(read_problems(body)).code == error.code
    assert type(read_error(body, None)) is cls or not issubclass(cls, type(error_of(error.problems)))


def test_what_an_error_knows_travels_with_it() -> None:
    missing = NotFound("there is no 'mien'", close_matches=("mine", "main"), hint="see lab.orders")
    found = read_error(problem_document(missing), NotFound)
    assert isinstance(found, NotFound)
    assert (found.close_matches, found.hint) == (("mine", "main"), "see lab.orders")
    late = errors.InvalidState("done already", status="Completed", allowed_actions=("reorder",))
    state = read_error(problem_document(late, request_id="r1"), errors.Conflict)
    assert isinstance(state, errors.InvalidState)
    assert (state.status, state.allowed_actions, state.request_id) == ("Completed", ("reorder",), "r1")
    over = errors.QuotaExceeded("too much", limit=10, used=9.5, requested=1)
    full = read_error(problem_document(over), errors.QuotaExceeded)
    assert isinstance(full, errors.QuotaExceeded)
    assert (full.limit, full.used, full.requested, full.resets_at) == (10, 9.5, 1, None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind": "InvalidState", "facts": {"status": "Completed", "http_status": 1, "code": 2}}',
        b'{"kind": "__name__", "facts": []}',
        b'{"kind": "Exception", "facts": {"args": 1}, "hint": 3}',
        b'{"kind": ["Conflict"]}',
        b"[]",
        b"",
    ],
)
def test_a_strange_document_makes_no_strange_error(body: bytes) -> None:
    found = read_error(body, errors.Conflict)
    assert isinstance(found, errors.Conflict)
    assert (found.http_status, found.code, found.hint) == (409, "NoApplicableCode", None)


def test_an_error_about_half_a_character_is_still_an_answer() -> None:
    body = problem_document(NotFound("there is no order '\ud800'"))
    assert b"no order" in body
    body.decode("utf-8")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the server answered: nothing"),
        (b"<html><h1>502\n  Bad Gateway", "the server answered: <html><h1>502 Bad Gateway"),
        (b"[1]", "the server answered: [1]"),
        (b"{}", "the server gave no reason"),
        (b'{"title": "Not Found", "status": 404}', "Not Found"),
        (b'{"message": "Forbidden", "reason": null}', "Forbidden"),
        (b'{"detail": "x", "problems": "y"}', "x"),
        (b'{"detail": "x", "problems": [1, 2]}', "x"),
        (b'{"detail": 7, "title": ["z"]}', "the server gave no reason"),
        (b"[" * 100_000, "the server answered: [[["),
        (b"\xff\xff", "the server answered: "),
    ],
    ids=lambda value: repr(value[:15]),
)
def test_whatever_a_server_answers_there_is_one_problem_to_show(body: bytes, text: str) -> None:
    (problem,) = read_problems(body)
    assert problem.code == "NoApplicableCode"
    assert problem.text.startswith(text)
    assert len(problem.text) < 300


@given(
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda t: json.dumps({"problems": [{"text": t}]}).encode())
)
def test_no_answer_makes_reading_problems_fail(body: bytes) -> None:
    assert read_problems(body)


def test_a_body_over_the_limit_is_said_in_the_json_doors_way() -> None:
    assert json.loads(problem_document(TooLarge("send less")))["title"] == "Request Entity Too Large"


def test_unknown_keys_of_an_answer_are_refused_too() -> None:
    assert "did you mean 'order_id'" in wrong(SubmitAck, {"order_id": "a", "orderid": "b"})["orderid"].text


def test_the_notebook_side_does_not_pay_for_pydantic_before_it_reads_or_writes() -> None:
    probe = "import sys, oseo_lab.encoding.json_form; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0
