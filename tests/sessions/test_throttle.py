"""The throttle (P9): it counts before it checks, five in a row lock for an hour, and parallel guesses are five too."""

from datetime import timedelta
from functools import partial

import pytest
from flask import Flask

from idp.sessions import throttle
from idp.sessions.throttle import TooManyFailures
from idp.store.db import transaction
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture
from tests.support.parallel import all_at_once

KEY = "person:p_1"


def minutes_locked() -> int:
    with pytest.raises(TooManyFailures) as caught:
        throttle.count(KEY)
    return int(caught.value.facts["minutes"])


def test_five_are_counted_and_the_sixth_is_refused(app: Flask) -> None:
    """P9: the fifth sets the lock at once, before anybody knows whether it was right."""
    assert [throttle.count(KEY) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert minutes_locked() == 60


def test_other_keys_are_counted_apart(app: Flask) -> None:
    for _ in range(5):
        throttle.count(KEY)
    assert throttle.count("person:p_2") == 1


def test_what_was_right_ends_the_row(app: Flask) -> None:
    """P9: five wrong in a row, not five wrong ones."""
    for _ in range(5):
        throttle.count(KEY)
    with transaction() as session:
        throttle.forget(session, KEY)
    assert throttle.count(KEY) == 1


def test_after_the_hour_counting_begins_anew(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    for _ in range(5):
        throttle.count(KEY)
    moved_clock.advance(timedelta(minutes=29, seconds=30))
    assert minutes_locked() == 31
    moved_clock.advance(timedelta(minutes=30, seconds=20))
    assert minutes_locked() == 1
    moved_clock.advance(timedelta(seconds=11))
    assert throttle.count(KEY) == 1


def test_trying_on_does_not_lengthen_the_lock(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    for _ in range(5):
        throttle.count(KEY)
    for _ in range(6):
        moved_clock.advance(timedelta(minutes=9))
        assert minutes_locked() <= 51
    moved_clock.advance(timedelta(minutes=7))
    assert throttle.count(KEY) == 1


def test_parallel_guesses_never_exceed_the_limit(app: Flask) -> None:
    """DESIGN 8: of forty at once five are let through."""
    results = all_at_once(app, [partial(throttle.count, KEY)] * 40)
    assert sorted(result for result in results if isinstance(result, int)) == [1, 2, 3, 4, 5]
    assert sum(isinstance(result, TooManyFailures) for result in results) == 35


def test_parallel_guesses_after_the_hour_are_five_again(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    for _ in range(5):
        throttle.count(KEY)
    moved_clock.advance(timedelta(hours=1, seconds=1))
    results = all_at_once(app, [partial(throttle.count, KEY)] * 20)
    assert sorted(result for result in results if isinstance(result, int)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("failures", "left"), [(1, 4), (4, 1), (5, 0), (9, 0)])
def test_tries_left(failures: int, left: int) -> None:
    assert throttle.tries_left(failures) == left
