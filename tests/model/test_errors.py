"""The tree of errors: every code has one class, every class one answer."""

from __future__ import annotations

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
