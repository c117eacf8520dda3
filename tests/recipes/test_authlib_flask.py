"""docs/integrate/authlib-flask.md, run by Flask and used by a person."""

import sys
from collections.abc import Iterator

import pytest

from tests.recipes import behaviour
from tests.recipes.people import Agent
from tests.recipes.recipe import Recipe
from tests.support.processes import spawn
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def recipe(empty_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    """The portal of the recipe, running."""
    recipe, folder = Recipe.of("authlib-flask", empty_stack), tmp_path_factory.mktemp("flask")
    (folder / "portal.py").write_text(recipe.block("python"))
    command = [sys.executable, "-W", "error", "-m", "flask", "--app", "portal", "run", "--port", str(recipe.port)]
    environment = {"PORTAL_KEY": "a key for cookies", "PORTAL_SECRET": recipe.secret}
    with spawn(command, env=environment, health=f"{recipe.portal}/", cwd=folder):
        yield recipe


def test_a_person_signs_in_for_themselves(recipe: Recipe, agent: Agent) -> None:
    behaviour.a_person_signs_in(recipe, agent)


def test_an_agent_acts_for_a_unit(recipe: Recipe, agent: Agent) -> None:
    behaviour.an_agent_acts_for_a_unit(recipe, agent)


def test_who_refuses_is_not_signed_in(recipe: Recipe, agent: Agent) -> None:
    behaviour.who_refuses_is_not_signed_in(recipe, agent)


def test_an_answer_that_nobody_asked_for_is_refused(recipe: Recipe, agent: Agent) -> None:
    behaviour.a_stranger_s_answer_is_refused(recipe, agent)


def test_signing_out_ends_both_sessions(recipe: Recipe, agent: Agent) -> None:
    behaviour.signing_out_ends_both_sessions(recipe, agent)


def test_the_portal_hears_of_a_withdrawal(recipe: Recipe, agent: Agent) -> None:
    behaviour.the_portal_hears_of_a_withdrawal(recipe, agent)


def test_only_logout_tokens_are_taken(recipe: Recipe, empty_stack: Stack) -> None:
    behaviour.only_logout_tokens_are_taken(recipe, empty_stack)
