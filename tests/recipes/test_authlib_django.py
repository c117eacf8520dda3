"""docs/integrate/authlib-django.md in a project that Django itself has made, used by a person."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes import behaviour
from tests.recipes.people import Agent
from tests.recipes.recipe import Recipe
from tests.support.processes import spawn
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def recipe(empty_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    """The portal of the recipe, running."""
    recipe, folder = Recipe.of("authlib-django", empty_stack), tmp_path_factory.mktemp("django")
    make_project(recipe, folder)
    environment = {"PORTAL_SECRET": recipe.secret}
    manage = [sys.executable, "-W", "error", "manage.py"]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], cwd=folder, env=environment, check=True)
    serve = [*manage, "runserver", "--noreload", str(recipe.port)]
    with spawn(serve, env=environment, health=f"{recipe.portal}/", cwd=folder):
        yield recipe


def make_project(recipe: Recipe, folder: Path) -> None:
    """Let Django make a project and put the blocks of the recipe where their first lines say."""
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", folder], check=True)
    with (folder / "mysite/settings.py").open("a") as settings:
        settings.write(recipe.block("python", "# at the end of mysite/settings.py"))
    for name in ("portal", "urls"):
        (folder / f"mysite/{name}.py").write_text(recipe.block("python", f"# mysite/{name}.py"))


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
