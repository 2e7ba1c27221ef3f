"""The threads of the timetable: who fails or hangs holds up nobody, and all end when it is closed."""

from __future__ import annotations

import threading

from oseo_lab.dispatch.clockwork import Clockwork
from oseo_lab.model.errors import Unavailable


class Stepper:
    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.is_closed = failure, False
        self.stepped = threading.Event()

    def step(self) -> int:
        self.stepped.set()
        if self.failure:
            raise self.failure
        return 0

    def close(self) -> None:
        self.is_closed = True


def test_one_that_fails_holds_up_nobody(caplog):
    steppers = [Stepper(Unavailable("no database")), Stepper(ValueError("a bug")), Stepper()]
    clockwork = Clockwork(steppers)
    clockwork.start()
    assert all(each.stepped.wait(10) for each in steppers)
    clockwork.close()
    assert all(each.is_closed for each in steppers)
    assert "no database" in caplog.text and "a bug" in caplog.text


def test_one_whose_catalogue_hangs_holds_up_nobody():
    class Hangs(Stepper):
        def step(self):
            super().step()
            assert self.released.wait(30)
            return 0

        def close(self):
            super().close()
            self.released.set()

        released = threading.Event()

    hangs, other = Hangs(), Stepper()
    clockwork = Clockwork([hangs, other])
    clockwork.start()
    assert hangs.stepped.wait(10) and other.stepped.wait(10)
    clockwork.close()


def test_it_may_be_closed_without_having_begun():
    stepper = Stepper()
    Clockwork([stepper]).close()
    assert stepper.is_closed and not stepper.stepped.is_set()
