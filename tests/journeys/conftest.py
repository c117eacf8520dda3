"""Fixtures of the journeys: a stack that nobody has registered with, and browser windows on it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.journeys.window import Window
from tests.journeys.world import World
from tests.support.stack import Stack

OpenWindow = Callable[..., Window]


@pytest.fixture
def world(empty_stack: Stack) -> Iterator[World]:
    """People, units and the outside world, whole again after the test."""
    world = World(empty_stack)
    yield world
    for system in ("sms", "unionpay", "company_register"):
        world.set_fault(system, "none")


@pytest.fixture
def open_window(new_page: Callable[..., Page], world: World) -> OpenWindow:
    """Return a function that opens a window in a browser of its own; keywords are those of `new_page`."""

    def open_window(**options: object) -> Window:
        scripts = bool(options.get("java_script_enabled", True))
        return Window(new_page(**options), world, scripts=scripts)

    return open_window


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    """A desktop window."""
    return open_window()
