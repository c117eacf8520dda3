"""passport against the running provider: openid-client's strategy, and passport-openidconnect."""

from collections.abc import Iterator

import pytest

from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor
from idp.clients.registration import NewClient, add
from tests.recipes.javascript import SCRIPTS, node
from tests.recipes.people import BUSINESS, Agent
from tests.support.ports import free_port
from tests.support.processes import spawn
from tests.support.stack import Stack


@pytest.fixture(scope="module")
def portal(empty_stack: Stack) -> Iterator[str]:
    """The address of a portal that knows both strategies."""
    port = free_port()
    home = f"http://127.0.0.1:{port}"
    environment = {"ISSUER": empty_stack.issuer, "HOME": home, "PORT": str(port)}
    for name in ("new", "old"):
        new = NewClient(
            client_id=f"passport-{name}",
            client_name="我的门户",
            redirect_uris=(f"{home}/{name}/callback",),
            scopes=("openid", "profile", BUSINESS),
            acts_for=ActsFor.OPTIONAL,
            # passport-openidconnect sends the secret in the form, and no challenge
            token_endpoint_auth_method="client_secret_post" if name == "old" else "client_secret_basic",
            protocol=ProtocolMetadata(require_pkce=name == "new"),
        )
        with empty_stack.app.app_context():
            environment[f"{name.upper()}_SECRET"] = add(new) or ""
    with spawn([*node(), SCRIPTS / "passport.mjs"], env=environment, health=f"{home}/"):
        yield home


@pytest.mark.parametrize("strategy", ["new", "old"])
def test_a_person_signs_in_for_a_unit(portal: str, agent: Agent, strategy: str) -> None:
    """The new one pushes its request (RFC 9126) with rich details and PKCE; the old one asks by scope."""
    agent.visit(f"{portal}/{strategy}", choosing=agent.unit_id)
    assert agent.browser.url == f"{portal}/"
    user = agent.browser.http.get(f"{portal}/", timeout=10).json()
    assert user["person"] == agent.person_id
    assert user["actingFor"]["sub"] == agent.unit_id
    assert user.get("name") == (agent.who.name if strategy == "old" else None), "the old one asks UserInfo by itself"


@pytest.mark.parametrize("strategy", ["new", "old"])
def test_who_refuses_is_not_signed_in(portal: str, agent: Agent, strategy: str) -> None:
    agent.visit(f"{portal}/{strategy}", choosing=agent.unit_id, consent="deny")
    assert agent.browser.url.startswith(portal)
    assert agent.browser.http.get(f"{portal}/", timeout=10).json() == {}
