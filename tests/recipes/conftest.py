"""Fixtures of the recipes: somebody who uses the portals."""

import pytest

from tests.journeys.world import World
from tests.recipes.people import Agent
from tests.support.stack import Stack


@pytest.fixture
def agent(empty_stack: Stack) -> Agent:
    """A person who may act for one unit, in a browser where nobody is signed in."""
    return Agent(World(empty_stack))
