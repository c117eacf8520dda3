"""idpyoidc: registers itself, signs people in, and hears of the sign-out; it checks what it is sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptojwt.key_jar import init_key_jar
from idpyoidc.client.defaults import DEFAULT_CLIENT_CONFIGS, DEFAULT_OIDC_SERVICES
from idpyoidc.client.oauth2.stand_alone_client import backchannel_logout
from idpyoidc.client.rp_handler import RPHandler

from tests.oidc import servers
from tests.recipes.people import Agent
from tests.recipes.registered import CALLBACK, HOME, SCOPE, SIGNED_OUT, add_by_hand, initial_access_token
from tests.support.processes import until
from tests.support.stack import Stack

SERVICES = DEFAULT_OIDC_SERVICES | {"end_session": {"class": "idpyoidc.client.oidc.end_session.EndSession"}}

KEYS = init_key_jar(key_defs=[{"type": "EC", "crv": "P-256", "use": ["sig"]}])
PUBLIC_KEYS = KEYS.export_jwks(issuer_id="")


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
    sent: dict[str, str] = field(default_factory=dict)
    """The body of the last request to each address."""
    handler: RPHandler = field(init=False)

    def __post_init__(self) -> None:
        usual = {
            "client_type": "oidc",
            "issuer": self.issuer,
            "redirect_uris": [CALLBACK],
            "preference": {"response_types": ["code"]},
            "add_ons": DEFAULT_CLIENT_CONFIGS[""]["add_ons"],  # PKCE
        }
        configs = {self.issuer: usual | self.config}
        self.handler = RPHandler(HOME, configs, services=SERVICES, httpc=self._call, keyjar=KEYS.copy())

    def _call(self, method: str, url: str, **given: Any) -> requests.Response:
        if url.endswith("/register"):
            given["headers"] = {**given["headers"], "Authorization": f"Bearer {self.token}"}
        self.sent[url] = given.get("data") or ""
        return requests.request(method, url, timeout=given.pop("timeout", 20), **given)

    def signs_in(self, agent: Agent, scope: Sequence[str]) -> dict[str, Any]:
        """Discover, register unless that is done, and go through the code flow; the library checks each answer."""
        agent.browser.outside = (HOME,)
        agent.visit(self.handler.begin(self.issuer, req_args={"scope": list(scope)}), choosing=agent.unit_id)
        query = parse_qs(urlsplit(agent.browser.url).query)
        done: dict[str, Any] = self.handler.finalize(self.issuer, {name: value for name, [value] in query.items()})
        assert "error" not in done, done
        return done


def test_a_client_that_registers_itself(empty_stack: Stack, agent: Agent, listening: servers.Portal) -> None:
    """It takes no scope but `openid` from a registration; so its users sign in for themselves."""
    uri = f"http://127.0.0.1:{listening.port}/logout"
    token = initial_access_token(empty_stack, "openid")
    library = Library(empty_stack.issuer, {"backchannel_logout_uri": uri}, token)
    done = library.signs_in(agent, ("openid",))
    assert done["id_token"]["sub"] == agent.person_id
    assert done["userinfo"]["sub"] == agent.person_id, "a signed answer: the library asks for one"
    agent.browser.get(library.handler.logout(done["state"])["url"])
    until(lambda: listening.received)
    [(_, _, _, body)] = listening.received
    client = library.handler.get_client_from_session_key(done["state"])
    assert backchannel_logout(client, request=body.decode()) == done["state"]


def test_an_agent_acts_for_a_unit(empty_stack: Stack, agent: Agent) -> None:
    library = Library(empty_stack.issuer, add_by_hand(empty_stack, "idpyoidc", "client_secret_basic", PUBLIC_KEYS))
    done = library.signs_in(agent, SCOPE)
    assert (done["id_token"]["sub"], done["id_token"]["acting_for"]["sub"]) == (agent.person_id, agent.unit_id)
    assert done["userinfo"]["name"] == agent.who.name
    agent.browser.get(library.handler.logout(done["state"], post_logout_redirect_uri=SIGNED_OUT)["url"])
    assert agent.browser.url.partition("?")[0] == SIGNED_OUT


@pytest.mark.parametrize(
    ("method", "way", "alg", "sent"),
    [
        ("client_secret_post", "ClientSecretPost", None, "client_secret"),
        ("client_secret_jwt", "ClientSecretJWT", "HS256", "client_assertion"),
        ("private_key_jwt", "PrivateKeyJWT", "ES256", "client_assertion"),
    ],
)
def test_every_way_to_prove_itself(
    empty_stack: Stack, agent: Agent, method: str, way: str, alg: str | None, sent: str
) -> None:
    config = add_by_hand(empty_stack, f"idpyoidc-{method}", method, PUBLIC_KEYS)
    wanted: dict[str, Any] = {"response_types": ["code"], "token_endpoint_auth_methods_supported": [method]}
    if alg is not None:
        wanted["token_endpoint_auth_signing_alg_values_supported"] = [alg]
    methods = {method: {"class": f"idpyoidc.client.client_auth.{way}", "kwargs": {}}}
    library = Library(empty_stack.issuer, config | {"preference": wanted, "client_authn_methods": methods})
    assert library.signs_in(agent, SCOPE)["id_token"]["acting_for"]["sub"] == agent.unit_id
    assert sent in parse_qs(library.sent[f"{empty_stack.issuer}/oidc/token"])
