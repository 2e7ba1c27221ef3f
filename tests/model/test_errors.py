"""The tree of errors: every code has one class, every class one answer."""

from __future__ import annotations

import pickle

import pytest

from oseo_lab.model import errors
from oseo_lab.model.errors import (
    BadMessage,
    ConfigurationError,
    NotAuthenticated,
    NotFound,
    NotSupported,
    OseoError,
    Problem,
    Unavailable,
    ValidationError,
    error_of,
)


def problem(code: str, text: str = "it is wrong", item_id: str | None = None) -> Problem:
    return Problem(code=code, locator="format", text=text, item_id=item_id)


def test_one_error_holds_every_problem_and_speaks_with_the_first_ones_code() -> None:
    found = ValidationError.of(
        [problem("MissingParameterValue", "a"), problem("InvalidParameterValue", "b", "7")]
    )
    assert (found.code, found.locator) == ("MissingParameterValue", "format")
    assert [each.text for each in found.problems] == ["a", "b"]
    assert str(found) == "a; item 7: b"


def test_beyond_ten_thousand_problems_are_counted() -> None:
    error = ValidationError.of(problem("InvalidParameterValue") for _ in range(25_000))
    assert len(error.problems) == 10_001
    assert error.problems[-1].text == "and 15000 more problems; correct these first"


def test_an_error_without_problems_is_its_own_problem() -> None:
    found = NotFound("there is no such order", locator="orderId")
    assert found.problems == (
        Problem(code="InvalidOrderIdentifier", locator="orderId", text="there is no such order"),
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AuthenticationFailed", NotAuthenticated),
        ("InvalidOrderIdentifier", NotFound),
        ("InvalidParameterValue", ValidationError),
        ("MissingParameterValue", ValidationError),
        ("UnsupportedCollection", ValidationError),
        ("OperationNotSupported", NotSupported),
        ("SubscriptionNotSupported", NotSupported),
        ("NoApplicableCode", OseoError),
        ("SomethingElse", OseoError),
    ],
)
def test_a_received_code_becomes_the_class_a_caller_can_act_on(code: str, kind: type[OseoError]) -> None:
    received = error_of([problem(code), problem("InvalidParameterValue")])
    assert type(received) is kind
    assert received.code == code
    assert len(received.problems) == 2


def test_every_code_of_the_standards_tables_is_known() -> None:
    assert set(errors.CODE_TEXTS) - {"NoApplicableCode"} <= set(errors._CLASS_OF)


@pytest.mark.parametrize(
    ("kind", "is_callers"),
    [
        (ValidationError, True),
        (BadMessage, True),
        (NotSupported, True),
        (Unavailable, False),
        (OseoError, False),
    ],
)
def test_whose_fault_it_is(kind: type[OseoError], is_callers: bool) -> None:
    assert kind("x").is_callers_fault is is_callers


def test_every_public_error_is_in_the_tree() -> None:
    public = [getattr(errors, name) for name in errors.__all__]
    classes = [each for each in public if isinstance(each, type) and issubclass(each, Exception)]
    assert ConfigurationError in classes
    assert all(issubclass(each, OseoError) for each in classes)


def test_what_a_class_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="NotFound knows no colour"):
        NotFound("it is not there", colour="red")


@pytest.mark.parametrize("name", [each for each in errors.__all__ if each[0].isupper() and each != "Problem"])
def test_every_error_survives_pickling_and_is_one_readable_sentence(name: str) -> None:
    kind = getattr(errors, name)
    if not isinstance(kind, type):
        return
    again = pickle.loads(pickle.dumps(kind("it is wrong", hint="do this")))
    assert (type(again), str(again), again.hint) == (kind, "it is wrong", "do this")
    assert name in again._render_traceback_()[0] and "it is wrong" in again._render_traceback_()[0]
    assert kind.exit_code in (1, 2, 4)


def test_many_problems_are_listed_and_the_rest_counted() -> None:
    many = ValidationError.of([problem("InvalidParameterValue", f"wrong {number}") for number in range(14)])
    lines = many._render_traceback_()
    assert "14 things are wrong" in lines[0] and "wrong 0" in lines[1]
    assert lines[-1] == "  - and 4 more; .problems has all"


def test_the_failures_of_an_order_are_listed_under_what_is_said_of_it() -> None:
    failures = [problem("NoApplicableCode", "damaged", "a"), problem("NoApplicableCode", "damaged", "b")]
    failed = errors.OrderFailed(
        "2 of 4 items of 'x' were not delivered: item a: damaged; item b: damaged", problems=failures
    )
    assert "2 of 4 items of 'x' were not delivered:" in failed._render_traceback_()[0]
    assert [each.strip() for each in failed._render_traceback_()[1:3]] == [
        "- item a: damaged",
        "- item b: damaged",
    ]
