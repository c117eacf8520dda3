"""oauth4webapi, the most exacting client library that we know, against the running provider."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor
from idp.clients.registration import NewClient, add
from tests.recipes.javascript import run_script
from tests.recipes.people import BUSINESS, MYSELF, Agent
from tests.support.stack import Stack

PORTAL = "https://portal.example/"
"""Nobody is there: the browser stops before it."""
API = "https://api.example/positions"
KEYS: dict[str, Callable[[], ECKey | OKPKey | RSAKey]] = {
    "ES256": partial(ECKey.generate_key, "P-256", {"kid": "es"}),
    "PS256": partial(RSAKey.generate_key, 2048, {"kid": "ps"}),
    "Ed25519": partial(OKPKey.generate_key, "Ed25519", {"kid": "ed"}),
}


def _register(stack: Stack, client_id: str, **changes: Any) -> dict[str, Any]:
    """Register a client whose users may act for units, and return what its script is given."""
    new = NewClient(
        **{
            "client_id": client_id,
            "client_name": "我的门户",
            "redirect_uris": (f"{PORTAL}callback",),
            "scopes": ("openid", "profile", BUSINESS),
            "acts_for": ActsFor.OPTIONAL,
            "resource": API,
        }
        | changes
    )
    with stack.app.app_context():
        secret = add(new)
    given = {"issuer": stack.issuer, "client_id": client_id, "client_secret": secret, "resource": API}
    return given | {"redirect_uri": f"{PORTAL}callback"}


def _visits(agent: Agent, choosing: str = MYSELF) -> Callable[[str], str]:
    agent.browser.outside = (PORTAL,)
    return lambda address: agent.visit(address, choosing).url


@pytest.mark.parametrize(
    ("alg", "id_token_alg"), [("ES256", "ES256"), ("PS256", "PS256"), ("Ed25519", "EdDSA")], ids=list(KEYS)
)
def test_a_fapi_client_acts_for_a_unit(empty_stack: Stack, agent: Agent, alg: str, id_token_alg: str) -> None:
    """FAPI 2.0 Security Profile, RFC 9126, RFC 9207, RFC 9396, RFC 9449 with nonces, RFC 9068, RFC 7662, RFC 7009."""
    key = KEYS[alg]()
    given = _register(
        empty_stack,
        f"fapi-{alg.lower()}",
        token_endpoint_auth_method="private_key_jwt",
        id_token_alg=id_token_alg,
        access_token_alg=id_token_alg,
        protocol=ProtocolMetadata(profile="fapi2", jwks={"keys": [key.as_dict(private=False)]}),
    )
    given |= {"key": {"alg": alg, "jwk": key.as_dict(private=True)}, "dpop_alg": alg, "unit": agent.unit_id}
    said = run_script("fapi.mjs", given, _visits(agent, agent.unit_id))
    assert said["claims"]["sub"] == said["userinfo"]["sub"] == agent.person_id
    assert said["claims"]["acting_for"]["sub"] == said["userinfo"]["acting_for"]["sub"] == agent.unit_id
    assert (said["seen"]["sub"], said["seen"]["act"]["sub"]) == (agent.unit_id, agent.person_id)
    assert BUSINESS in said["seen"]["scope"].split()
    [detail] = said["tokens"]["authorization_details"]
    assert (detail["identifier"], detail["actions"]) == (agent.unit_id, [BUSINESS])
    assert said["before"]["active"] is True
    assert said["before"]["cnf"] == said["seen"]["cnf"]
    assert said["after"] == {"active": False}
    assert said["nonces"] > 0, "clients of this profile are asked for our nonces"


def test_a_device_of_a_public_client(empty_stack: Stack, agent: Agent) -> None:
    """RFC 8628; RFC 9449 §5: without the key a public client's refresh token is worth nothing."""
    grant_types = ("urn:ietf:params:oauth:grant-type:device_code", "refresh_token")
    given = _register(
        empty_stack,
        "hall-screen",
        token_endpoint_auth_method="none",
        grant_types=grant_types,
        redirect_uris=(),
    )
    said = run_script("device.mjs", given, lambda address: _enters_the_code(agent, address))
    assert said["claims"]["sub"] == agent.person_id
    assert said["claims"]["acting_for"]["sub"] == agent.unit_id
    assert BUSINESS in said["refreshed"]["scope"].split()
    assert said["tokens"]["token_type"] == said["refreshed"]["token_type"] == "dpop", "the library writes it small"
    assert said["stolen"] == "invalid_grant"


def _enters_the_code(agent: Agent, address: str) -> str:
    agent.browser.get(address).submit("user_code")
    return agent.visit(agent.browser.url, agent.unit_id).url


def test_a_service_without_a_user(empty_stack: Stack) -> None:
    """RFC 6749 §4.4 with `client_secret_jwt`; its token acts for nobody, and is for one audience (RFC 9068)."""
    given = _register(
        empty_stack,
        "nightly",
        token_endpoint_auth_method="client_secret_jwt",
        grant_types=("client_credentials",),
        redirect_uris=(),
        scopes=(BUSINESS,),
        acts_for=ActsFor.NEVER,
    )
    said = run_script("service.mjs", given, str)
    assert (said["seen"]["sub"], said["seen"]["scope"]) == ("nightly", BUSINESS)
    assert "act" not in said["seen"]
    assert said["refused"] == "OAUTH_JWT_CLAIM_COMPARISON_FAILED"
    assert said["challenged"]["scheme"] == "bearer"
    assert said["challenged"]["parameters"]["error"] == "insufficient_scope"
    assert (said["before"]["active"], said["before"]["client_id"]) == (True, "nightly")
    assert said["after"] == {"active": False}


def test_switching_to_a_unit_without_a_new_sign_in(empty_stack: Stack, agent: Agent) -> None:
    """RFC 8693: the person's token becomes one that acts for the unit, and no more than that."""
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    given = _register(empty_stack, "switching", grant_types=("authorization_code", "refresh_token", exchange)) | {
        "unit": agent.unit_id
    }
    said = run_script("exchange.mjs", given, _visits(agent, agent.unit_id))
    assert said["agreed"]["acting_for"]["sub"] == agent.unit_id
    assert said["person"]["sub"] == agent.person_id
    assert "acting_for" not in said["person"]
    assert (said["seen"]["sub"], said["seen"]["act"]["sub"]) == (agent.unit_id, agent.person_id)
    assert said["userinfo"]["acting_for"]["uscc"] == agent.unit.uscc
    assert said["tooMuch"] == "invalid_scope"


def test_software_registers_itself(empty_stack: Stack, agent: Agent) -> None:
    """RFC 7591, RFC 9101 by value, UserInfo as a JWT (Core §5.3.2)."""
    key = KEYS["ES256"]()
    token = json.loads(empty_stack.jingban("client", "token", "实验室", "--redirect-host", "portal.example"))
    given = {
        "issuer": empty_stack.issuer,
        "initial_access_token": token["initial_access_token"],
        "redirect_uri": f"{PORTAL}callback",
        "public_jwk": key.as_dict(private=False),
        "key": {"alg": "ES256", "jwk": key.as_dict(private=True)},
    }
    said = run_script("register.mjs", given, _visits(agent))
    assert said["client"]["client_name"] == "我的门户"
    assert said["claims"]["sub"] == said["userinfo"]["sub"] == agent.person_id
    assert said["userinfo"]["name"] == agent.who.name
