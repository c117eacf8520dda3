"""docs/integrate/authlib-flask.md, and the ten lines of README.md, run by Flask and used by a person."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recipes import behaviour
from tests.recipes.people import Agent
from tests.recipes.recipe import Recipe
from tests.support.processes import Spawned, spawn
from tests.support.stack import Stack

AROUND_THE_TEN_LINES = """
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session

app = Flask(__name__)
app.secret_key = SECRET = os.environ["PORTAL_SECRET"]
{block}

@app.get("/login")
def login():
    return oauth.jingban.authorize_redirect("{portal}/callback")


@app.get("/")
def home():
    return {{"who": session.get("who"), "for": session.get("for")}}
"""
"""What README.md leaves out."""


@pytest.fixture(scope="module")
def recipe(empty_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    """The portal of the recipe, running."""
    recipe, folder = Recipe.of("authlib-flask", empty_stack), tmp_path_factory.mktemp("flask")
    (folder / "portal.py").write_text(recipe.block("python"))
    with serve(recipe, folder):
        yield recipe


def serve(recipe: Recipe, folder: Path) -> contextlib.AbstractContextManager[Spawned]:
    """Run `portal.py` in `folder`."""
    command = [sys.executable, "-W", "error", "-m", "flask", "--app", "portal", "run", "--port", str(recipe.port)]
    environment = {"PORTAL_KEY": "a key for cookies", "PORTAL_SECRET": recipe.secret}
    return spawn(command, env=environment, health=f"{recipe.portal}/", cwd=folder)


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


def test_the_ten_lines_of_the_readme(empty_stack: Stack, agent: Agent, tmp_path: Path) -> None:
    recipe = Recipe.of("../../README", empty_stack)
    text = AROUND_THE_TEN_LINES.format(block=recipe.block("python"), portal=recipe.portal)
    (tmp_path / "portal.py").write_text(text)
    with serve(recipe, tmp_path):
        agent.visit(f"{recipe.portal}/login", choosing=agent.unit_id)
        assert behaviour.known(recipe, agent) == {"who": agent.person_id, "for": agent.unit_id}
