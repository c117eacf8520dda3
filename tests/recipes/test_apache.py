"""docs/integrate/mod-auth-openidc.md: Debian's Apache with the module, before an application that knows no OIDC."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import requests

from tests.oidc import servers
from tests.recipes.people import Agent
from tests.recipes.recipe import Recipe
from tests.support import services
from tests.support.processes import spawn, until
from tests.support.stack import Stack

APPLICATION = "http://127.0.0.1:8000"
MODULES = (
    *("mpm_event", "authn_core", "authz_core", "authz_user", "env", "headers", "alias", "proxy", "proxy_http"),
    *("rewrite", "auth_openidc"),
)
SERVER = """
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
{modules}
User www-data
Group www-data
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog /dev/stderr
LogLevel auth_openidc:info
ThreadsPerChild 5
StartServers 1
MaxRequestWorkers 5
MinSpareThreads 1
MaxSpareThreads 5
"""
"""What Debian's own configuration would say."""


@pytest.fixture(scope="module")
def application() -> Iterator[servers.Portal]:
    """The application behind Apache: it keeps what it is sent."""
    with servers.portal() as running:
        yield running


@pytest.fixture(scope="module")
def recipe(
    empty_stack: Stack, application: servers.Portal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recipe]:
    """Apache with the configuration of the recipe, running."""
    services.skip_without("Apache with mod_auth_openidc")
    recipe, folder = Recipe.of("mod-auth-openidc", empty_stack), tmp_path_factory.mktemp("apache")
    modules = "\n".join(f"LoadModule {name}_module {services.APACHE_MODULES}/mod_{name}.so" for name in MODULES)
    block = recipe.block("apache").replace(APPLICATION, f"http://127.0.0.1:{application.port}")
    config = folder / "apache.conf"
    config.write_text(SERVER.format(port=recipe.port, folder=folder, modules=modules) + block)
    environment = {"PORTAL_SECRET": recipe.secret, "PORTAL_KEY": "a key for cookies"}
    command = [str(services.apache()), "-D", "FOREGROUND", "-f", config]
    with spawn(command, env=environment, health=f"{recipe.portal}/signed-out"):
        yield recipe


def told(application: servers.Portal) -> dict[str, Any]:
    """Return what the last request told the application: path, and the headers about who it is."""
    _, path, headers, _ = application.received[-1]
    sent = {name.lower(): value.encode("latin-1").decode() for name, value in headers.items()}
    about = {name: sent[name] for name in ("person", "personname", "actingfor") if name in sent}
    return {"path": path} | about


def test_a_person_signs_in_for_themselves(recipe: Recipe, application: servers.Portal, agent: Agent) -> None:
    agent.visit(f"{recipe.portal}/page?of=mine")
    assert agent.pages == ["password", "consent"], "no unit is spoken of"
    assert told(application) == {
        "path": "/page?of=mine",
        "person": agent.person_id,
        "personname": agent.who.name,
    }


def test_an_agent_acts_for_a_unit(recipe: Recipe, application: servers.Portal, agent: Agent) -> None:
    agent.visit(f"{recipe.portal}/unit/jobs", choosing=agent.unit_id)
    assert agent.pages == ["password", "unit", "consent"]
    found = told(application)
    assert (found["path"], found["person"]) == ("/unit/jobs", agent.person_id)
    unit = json.loads(found["actingfor"])
    assert (unit["sub"], unit["uscc"], unit["name"]) == (agent.unit_id, agent.unit.uscc, agent.unit.name)


def test_who_is_signed_in_for_themselves_is_asked_for_a_unit(
    recipe: Recipe, application: servers.Portal, agent: Agent
) -> None:
    """And needs no second password. In between nothing reaches what belongs to units."""
    agent.visit(f"{recipe.portal}/page")
    agent.browser.get(f"{recipe.portal}/unit/jobs")
    [onwards] = re.findall(r'http-equiv="refresh" content="0; url=([^"]*)"', agent.browser.text)
    agent.visit(unescape(onwards), choosing=agent.unit_id)
    assert agent.pages == ["unit", "consent"]
    assert [path for _, path, _, _ in application.received[-2:]] == ["/page", "/unit/jobs"]
    assert json.loads(told(application)["actingfor"])["sub"] == agent.unit_id


def test_who_refuses_does_not_get_in(recipe: Recipe, application: servers.Portal, agent: Agent) -> None:
    before = len(application.received)
    agent.visit(f"{recipe.portal}/page", consent="deny")
    assert "access_denied" in agent.browser.text
    assert len(application.received) == before


def test_headers_of_a_stranger_are_thrown_away(recipe: Recipe, application: servers.Portal, agent: Agent) -> None:
    agent.visit(f"{recipe.portal}/page")
    made_up = {"Person": "p_other", "PersonName": "other", "ActingFor": '{"sub": "u_other"}'}
    made_up |= {f"OIDC_CLAIM_{name}": "other" for name in ("sub", "name", "acting_for")}
    agent.browser.http.get(f"{recipe.portal}/page", headers=made_up, timeout=20)
    assert told(application) == {"path": "/page", "person": agent.person_id, "personname": agent.who.name}
    requests.get(f"{recipe.portal}/signed-out", headers=made_up, timeout=20)
    assert told(application) == {"path": "/signed-out", "person": "(null)", "personname": "(null)"}


def test_signing_out_ends_both_sessions(recipe: Recipe, application: servers.Portal, agent: Agent) -> None:
    agent.visit(f"{recipe.portal}/page")
    agent.browser.get(f"{recipe.portal}/callback", logout=f"{recipe.portal}/signed-out")
    assert agent.browser.url.partition("?")[0] == f"{recipe.portal}/signed-out"
    assert not is_signed_in(recipe, agent)
    agent.visit(f"{recipe.portal}/page")
    assert agent.pages == ["password"], "the consent was remembered"


def test_apache_hears_of_a_withdrawal(recipe: Recipe, agent: Agent) -> None:
    """U13: what other people do goes on."""
    other = Agent(agent.world)
    for each in (agent, other):
        each.visit(f"{recipe.portal}/unit/jobs", choosing=each.unit_id)
        assert is_signed_in(recipe, each)
    agent.loses_the_business()
    until(lambda: not is_signed_in(recipe, agent))
    assert is_signed_in(recipe, other)


def is_signed_in(recipe: Recipe, agent: Agent) -> bool:
    """Tell whether Apache lets the browser in without sending it away."""
    answer = agent.browser.http.get(f"{recipe.portal}/page", allow_redirects=False, timeout=20)
    assert answer.status_code in {200, 302}, answer.text
    return answer.status_code == 200
