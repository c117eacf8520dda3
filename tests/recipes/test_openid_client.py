"""docs/integrate/openid-client.md, run by Node.js and used by a person."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.recipes import behaviour
from tests.recipes.javascript import lay_out, node
from tests.recipes.people import BUSINESS, Agent
from tests.recipes.recipe import Recipe
from tests.support.processes import spawn, until
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def recipe(empty_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recipe]:
    """The portal of the recipe, running, with its API."""
    command = [*node(), "portal.mjs"]
    recipe = Recipe.of("openid-client", empty_stack)
    folder = lay_out(recipe, tmp_path_factory.mktemp("openid-client"), "portal.mjs", "api.mjs")
    environment = {"PORT": str(recipe.port), "PORTAL_SECRET": recipe.secret, "SESSION_KEY": "a key for cookies"}
    with spawn(command, env=environment, health=f"{recipe.portal}/", cwd=folder):
        yield recipe


def _told(recipe: Recipe, agent: Agent) -> dict[str, Any]:
    answer: dict[str, Any] = agent.browser.http.get(f"{recipe.portal}/", timeout=10).json()
    return answer


def test_a_person_signs_in_for_themselves(recipe: Recipe, agent: Agent) -> None:
    told = agent.visit(f"{recipe.portal}/login")
    assert (told.url, told.status) == (f"{recipe.portal}/", 200), told.text
    assert _told(recipe, agent) == {
        "person": agent.person_id,
        "name": agent.who.name,
        "scope": ["openid", "profile"],
    }
    refused = agent.browser.http.get(f"{recipe.portal}/positions", timeout=10)
    assert refused.status_code == 403, "the API opens nothing for a person"


def test_a_person_signs_in_for_a_unit(recipe: Recipe, agent: Agent) -> None:
    """ID token: who; access token: for whom. The API believes the token alone (RFC 9068), openid-client calls it."""
    agent.visit(f"{recipe.portal}/login/unit", choosing=agent.unit_id)
    assert agent.pages == ["password", "unit", "consent"]
    told = _told(recipe, agent)
    assert (told["person"], told["actingFor"]["sub"]) == (agent.person_id, agent.unit_id)
    assert told["actingFor"]["uscc"] == agent.unit.uscc
    assert BUSINESS in told["scope"]
    positions = agent.browser.http.get(f"{recipe.portal}/positions", timeout=10)
    assert positions.json() == {"unit": agent.unit_id, "agent": agent.person_id, "positions": []}


def test_the_api_wants_a_token(recipe: Recipe) -> None:
    address = f"{recipe.portal}/api/positions"
    assert requests.get(address, timeout=10).status_code == 401
    headers = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
    assert requests.get(address, headers=headers, timeout=10).status_code == 401


def test_refresh_until_the_grant_is_withdrawn(recipe: Recipe, agent: Agent) -> None:
    """U13: the refresh token of the pair dies with the grant; before that each refresh brings the next token."""
    agent.visit(f"{recipe.portal}/login/unit", choosing=agent.unit_id)
    for _ in range(2):
        assert agent.browser.follow(_refresh(recipe, agent)).status == 200
        assert BUSINESS in _told(recipe, agent)["scope"]
    agent.loses_the_business()
    assert _refresh(recipe, agent).status_code == 401
    assert _told(recipe, agent) == {}


def _refresh(recipe: Recipe, agent: Agent) -> requests.Response:
    return agent.browser.http.post(f"{recipe.portal}/refresh", allow_redirects=False, timeout=10)


def test_the_portal_hears_of_a_withdrawal(recipe: Recipe, agent: Agent) -> None:
    """U13: back-channel logout, received with jose; nobody did anything in this browser."""
    agent.visit(f"{recipe.portal}/login/unit", choosing=agent.unit_id)
    assert _told(recipe, agent)["actingFor"]["sub"] == agent.unit_id
    agent.loses_the_business()
    until(lambda: _told(recipe, agent) == {})


def test_only_logout_tokens_are_taken(recipe: Recipe, empty_stack: Stack) -> None:
    behaviour.only_logout_tokens_are_taken(recipe, empty_stack)


def test_sign_out(recipe: Recipe, agent: Agent) -> None:
    """RP-initiated: the hint saves the question, and the sign-in at the provider is over."""
    agent.visit(f"{recipe.portal}/login")
    left = agent.browser.http.post(f"{recipe.portal}/logout", allow_redirects=False, timeout=10)
    assert agent.browser.follow(left).url == f"{recipe.portal}/"
    assert _told(recipe, agent) == {}
    agent.visit(f"{recipe.portal}/login")
    assert agent.pages == ["password"]


@pytest.mark.parametrize("answer", ["code=stolen&state=made-up", "code=stolen"])
def test_an_answer_that_nobody_asked_for_is_refused(recipe: Recipe, agent: Agent, answer: str) -> None:
    told = agent.browser.get(f"{recipe.portal}/callback?{answer}")
    assert told.status == 500
    assert _told(recipe, agent) == {}


def test_the_person_may_refuse(recipe: Recipe, agent: Agent) -> None:
    told = agent.visit(f"{recipe.portal}/login", consent="deny")
    assert (told.status, told.text) == (403, "access_denied")


def test_an_answer_of_another_issuer_is_refused(recipe: Recipe, agent: Agent) -> None:
    """RFC 9207: openid-client compares `iss`, since our metadata says that it is there."""
    agent.browser.outside = (f"{recipe.portal}/callback",)
    callback = agent.visit(f"{recipe.portal}/login").url
    assert "iss=http" in callback
    mixed_up = agent.browser.http.get(callback.replace("iss=http", "iss=https"), timeout=10)
    assert mixed_up.status_code == 500
    assert _told(recipe, agent) == {}
