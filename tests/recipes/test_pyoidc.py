"""pyoidc (PyPI `oic`) registers itself, signs an agent in, and hears of the sign-out; it checks what it is sent."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from oic.oic import Client
from oic.oic.message import AuthorizationResponse, BackChannelLogoutRequest, IdToken
from oic.utils.authn.client import CLIENT_AUTHN_METHOD
from oic.utils.keyio import build_keyjar

from tests.oidc import servers
from tests.recipes.people import Agent
from tests.recipes.registered import CALLBACK, HOME, SCOPE, SIGNED_OUT, initial_access_token
from tests.support.processes import until
from tests.support.stack import Stack

PUBLIC_KEYS, KEYS, _ = build_keyjar([{"type": "RSA", "key": "", "use": ["sig"]}])
STATE, NONCE = "a-state-of-its-own", "a-nonce-of-its-own"


@pytest.fixture
def listening() -> Iterator[servers.Portal]:
    """Where the client hears of logouts."""
    with servers.portal() as portal:
        yield portal


def registered(stack: Stack, **metadata: Any) -> Client:
    """Return a client that knew the issuer alone, and has discovered it and registered."""
    config = {"code_challenge": {"method": "S256"}}
    client = Client(client_authn_method=CLIENT_AUTHN_METHOD, config=config, keyjar=KEYS.copy())
    client.redirect_uris, client.base_url = [CALLBACK], HOME
    provider = client.provider_config(stack.issuer)
    wanted = client.create_registration_request(
        grant_types=["refresh_token"], post_logout_redirect_uris=[SIGNED_OUT], jwks=PUBLIC_KEYS, **metadata
    )
    # Not client.register(): it sends a token that is no JWT in base64, which RFC 6750 §2.1 does not know.
    token = initial_access_token(stack, *SCOPE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = client.http_request(provider["registration_endpoint"], "POST", data=wanted.to_json(), headers=headers)
    client.handle_registration_info(answer)
    return client


def sign_in(client: Client, agent: Agent) -> IdToken:
    """Go through the code flow for the agent's unit; the library checks each answer."""
    challenge, verifier = client.add_code_challenge()
    asked = client.construct_AuthorizationRequest(
        request_args={
            "client_id": client.client_id,
            "response_type": "code",
            "scope": list(SCOPE),
            "redirect_uri": CALLBACK,
            "state": STATE,
            "nonce": NONCE,
            **challenge,
        }
    )
    agent.browser.outside = (HOME,)
    agent.visit(asked.request(client.authorization_endpoint), choosing=agent.unit_id)
    query = urlsplit(agent.browser.url).query
    answer = client.parse_response(AuthorizationResponse, info=query, sformat="urlencoded")
    tokens = client.do_access_token_request(
        state=answer["state"],
        request_args={"code": answer["code"], "redirect_uri": CALLBACK, "code_verifier": verifier},
        authn_method=client.registration_response["token_endpoint_auth_method"],
    )
    client.verify_id_token(tokens["id_token"], asked)
    return tokens["id_token"]


@pytest.mark.parametrize(
    "method", ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
)
def test_an_agent_signs_in(empty_stack: Stack, agent: Agent, method: str) -> None:
    client = registered(empty_stack, token_endpoint_auth_method=method)
    id_token = sign_in(client, agent)
    assert (id_token["sub"], id_token["nonce"]) == (agent.person_id, NONCE)
    assert id_token["acting_for"]["sub"] == agent.unit_id
    info = client.do_user_info_request(state=STATE)
    assert (info["sub"], info["name"]) == (agent.person_id, agent.who.name)


def test_it_refreshes(empty_stack: Stack, agent: Agent) -> None:
    client = registered(empty_stack)
    sign_in(client, agent)
    refreshed = client.do_access_token_refresh(state=STATE, authn_method="client_secret_basic")
    assert refreshed["scope"] == list(SCOPE)
    assert client.do_user_info_request(state=STATE)["acting_for"]["sub"] == agent.unit_id


def test_the_client_hears_of_the_sign_out(empty_stack: Stack, agent: Agent, listening: servers.Portal) -> None:
    client = registered(empty_stack, backchannel_logout_uri=f"http://127.0.0.1:{listening.port}/logout")
    id_token = sign_in(client, agent)
    asked = client.construct_EndSessionRequest(
        state=STATE, request_args={"state": STATE, "post_logout_redirect_uri": SIGNED_OUT}
    )
    agent.browser.get(asked.request(client.end_session_endpoint))
    assert agent.browser.url == f"{SIGNED_OUT}?state={STATE}"
    until(lambda: listening.received)
    [(_, _, _, body)] = listening.received
    [logout_token] = parse_qs(body.decode())["logout_token"]
    told = BackChannelLogoutRequest(logout_token=logout_token)
    assert told.verify(keyjar=client.keyjar, iss=client.provider_info["issuer"], aud=client.client_id, sigalg="RS256")
    assert told["logout_token"]["sid"] == id_token["sid"]
