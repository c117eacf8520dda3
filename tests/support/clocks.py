"""A clock that tests move. Import the fixture where it is used: `from tests.support.clocks import moved_clock`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from idp import clock


class MovedClock:
    """Runs like the machine's clock, some time ahead of it or behind."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Return the time that `idp.clock` tells."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Let `by` pass at once; a negative value sets the clock back."""
        self._ahead += by


@pytest.fixture
def moved_clock() -> Iterator[MovedClock]:
    """The clock of `idp`, to be moved; it goes back to the machine's after the test."""
    moved = MovedClock()
    clock.replace(moved)
    yield moved
    clock.replace(None)
