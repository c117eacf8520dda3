"""What every recipe with Authlib does, whatever its framework: the same pages, so the same checks."""

import time
from typing import Any

import requests

from idp.oidc.tokens import jws
from tests.recipes.people import BUSINESS, Agent
from tests.recipes.recipe import Recipe
from tests.support.processes import until
from tests.support.stack import Stack

EVENT = "http://schemas.openid.net/event/backchannel-logout"
NOBODY = {"person": None, "name": None, "acting_for": None, "scope": None}


def known(recipe: Recipe, agent: Agent) -> dict[str, Any]:
    """Return what the portal knows of its visitor."""
    answer: dict[str, Any] = agent.browser.http.get(f"{recipe.portal}/", timeout=20).json()
    return answer


def press_logout(recipe: Recipe, agent: Agent) -> requests.Response:
    """Post to the portal's logout, with Django's token against foreign forms where there is one."""
    http = agent.browser.http
    token = {"X-CSRFToken": cookie} if (cookie := http.cookies.get("csrftoken")) else {}
    return http.post(f"{recipe.portal}/logout", headers=token, allow_redirects=False, timeout=20)


def a_person_signs_in(recipe: Recipe, agent: Agent) -> None:
    agent.visit(f"{recipe.portal}/login")
    assert agent.pages == ["password", "consent"], "no unit is spoken of"
    assert known(recipe, agent) == {
        "person": agent.person_id,
        "name": agent.who.name,
        "acting_for": None,
        "scope": ["openid", "profile"],
    }


def an_agent_acts_for_a_unit(recipe: Recipe, agent: Agent) -> None:
    agent.visit(f"{recipe.portal}/login/unit", choosing=agent.unit_id)
    assert agent.pages == ["password", "unit", "consent"]
    found = known(recipe, agent)
    assert found["person"] == agent.person_id
    assert found["scope"] == ["openid", "profile", BUSINESS]
    unit = found["acting_for"]
    assert (unit["sub"], unit["uscc"], unit["name"]) == (agent.unit_id, agent.unit.uscc, agent.unit.name)
    assert unit["capacity"] == "agent"


def who_refuses_is_not_signed_in(recipe: Recipe, agent: Agent) -> None:
    agent.visit(f"{recipe.portal}/login", consent="deny")
    assert (agent.browser.status, agent.browser.text.partition(":")[0]) == (403, "access_denied")
    assert known(recipe, agent) == NOBODY


def a_stranger_s_answer_is_refused(recipe: Recipe, agent: Agent) -> None:
    """The state is not one that this browser was sent away with."""
    agent.browser.get(f"{recipe.portal}/callback?code=stolen&state=made-up")
    assert (agent.browser.status, known(recipe, agent)) == (403, NOBODY)


def signing_out_ends_both_sessions(recipe: Recipe, agent: Agent) -> None:
    """The browser comes back to the portal, and the provider asks for the password again."""
    agent.visit(f"{recipe.portal}/login")
    agent.browser.follow(press_logout(recipe, agent))
    assert agent.browser.url.partition("?")[0] == f"{recipe.portal}/", "without a question: the ID token is the hint"
    assert known(recipe, agent) == NOBODY
    agent.visit(f"{recipe.portal}/login")
    assert agent.pages == ["password"], "the consent was remembered"


def the_portal_hears_of_a_withdrawal(recipe: Recipe, agent: Agent) -> None:
    """U13: what other people do goes on."""
    other = Agent(agent.world)
    for each in (agent, other):
        each.visit(f"{recipe.portal}/login/unit", choosing=each.unit_id)
    agent.loses_the_business()
    until(lambda: known(recipe, agent) == NOBODY)
    assert known(recipe, other)["acting_for"]["sub"] == other.unit_id


def only_logout_tokens_are_taken(recipe: Recipe, stack: Stack) -> None:
    """Back-Channel Logout 1.0 §2.6; each token but the first is wrong in one point."""
    now = int(time.time())
    right: dict[str, Any] = {
        "iss": stack.issuer,
        "aud": recipe.credentials["client_id"],
        "iat": now,
        "exp": now + 120,
        "jti": "n_1",
        "events": {EVENT: {}},
        "sub": "p_nobody",
        "sid": "s_nobody",
    }
    wrong: tuple[dict[str, Any], ...] = (
        {"iss": "https://elsewhere.example"},
        {"aud": "another-portal"},
        {"exp": now - 600},
        {"events": {"another": {}}},
        {"nonce": "of an ID token"},
    )
    with stack.app.app_context():
        tokens = [jws.sign(right | change, alg="RS256", typ="logout+jwt") for change in ({}, *wrong)]
    statuses = [_logout(recipe, token) for token in (*tokens, "garbage", f"{tokens[0][:-6]}AAAAAA")]
    assert statuses == [204, *[400] * (len(wrong) + 2)]


def _logout(recipe: Recipe, token: str) -> int:
    address = f"{recipe.portal}/backchannel-logout"
    return requests.post(address, data={"logout_token": token}, timeout=20).status_code
