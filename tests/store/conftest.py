"""Fixtures for tests of the store."""

from tests.support.clocks import moved_clock

__all__ = ["moved_clock"]
