"""idpyoidc: registers itself, signs people in, and hears of the sign-out; it checks what it is sent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from idpyoidc.client.defaults import DEFAULT_CLIENT_CONFIGS, DEFAULT_OIDC_SERVICES
from idpyoidc.client.oauth2.stand_alone_client import backchannel_logout
from idpyoidc.client.rp_handler import RPHandler

from tests.oidc import servers
from tests.recipes.people import Agent
from tests.recipes.self_registering import CALLBACK, HOME, SCOPE, SIGNED_OUT, initial_access_token
from tests.support.processes import until
from tests.support.stack import Stack

SERVICES = DEFAULT_OIDC_SERVICES | {"end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"}}


@pytest.fixture
def listening() -> Iterator[servers.Portal]:
    """Where the client hears of logouts."""
    with servers.portal() as portal:
        yield portal


@dataclass
class Library:
    """The library, told of one provider. `token` is for its registration: it knows no such thing itself."""

    issuer: str
    config: dict[str, Any]
    token: str = ""
    handler: RPHandler = field(init=False)

    def __post_init__(self) -> None:
        usual = {
            "client_type": "oidc",
            "issuer": self.issuer,
            "redirect_uris": [CALLBACK],
            "preference": {"response_types": ["code"], "token_endpoint_auth_method": "client_secret_basic"},
            "add_ons": DEFAULT_CLIENT_CONFIGS[""]["add_ons"],  # PKCE
        }
        keys = {"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]}
        configs = {self.issuer: usual | self.config}
        self.handler = RPHandler(HOME, configs, services=SERVICES, httpc=self._call, key_conf=keys)

    def _call(self, method: str, url: str, **given: Any) -> requests.Response:
        if url.endswith("/register"):
            given["headers"] = {**given["headers"], "Authorization": f"Bearer {self.token}"}
        return requests.request(method, url, timeout=given.pop("timeout", 20), **given)

    def signs_in(self, agent: Agent, scope: list[str]) -> dict[str, Any]:
        """Discover, register unless that is done, and go through the code flow; the library checks each answer."""
        agent.browser.outside = (HOME,)
        agent.visit(self.handler.begin(self.issuer, req_args={"scope": scope}), choosing=agent.unit_id)
        query = parse_qs(urlsplit(agent.browser.url).query)
        done: dict[str, Any] = self.handler.finalize(self.issuer, {name: value for name, [value] in query.items()})
        assert "error" not in done, done
        return done


def test_a_client_that_registers_itself(empty_stack: Stack, agent: Agent, listening: servers.Portal) -> None:
    """It takes no scope but `openid` from a registration; so its users sign in for themselves."""
    uri = f"http://127.0.0.1:{listening.port}/logout"
    token = initial_access_token(empty_stack, "openid")
    library = Library(empty_stack.issuer, {"backchannel_logout_uri": uri}, token)
    done = library.signs_in(agent, ["openid"])
    assert done["id_token"]["sub"] == agent.person_id
    assert done["userinfo"]["sub"] == agent.person_id, "a signed answer: the library asks for one"
    agent.browser.get(library.handler.logout(done["state"])["url"])
    until(lambda: listening.received)
    [(_, _, _, body)] = listening.received
    client = library.handler.get_client_from_session_key(done["state"])
    assert backchannel_logout(client, request=body.decode()) == done["state"]


def test_an_agent_acts_for_a_unit(empty_stack: Stack, agent: Agent) -> None:
    addresses = ("--redirect-uri", CALLBACK, "--post-logout-redirect-uri", SIGNED_OUT)
    options = (*addresses, "--acts-for", "optional", "--scope", " ".join(SCOPE))
    registered = json.loads(empty_stack.jingban("client", "add", "idpyoidc", "--name", "程序库", *options))
    library = Library(empty_stack.issuer, registered)
    done = library.signs_in(agent, SCOPE)
    assert (done["id_token"]["sub"], done["id_token"]["acting_for"]["sub"]) == (agent.person_id, agent.unit_id)
    assert done["userinfo"]["name"] == agent.who.name
    agent.browser.get(library.handler.logout(done["state"], post_logout_redirect_uri=SIGNED_OUT)["url"])
    assert agent.browser.url.partition("?")[0] == SIGNED_OUT
