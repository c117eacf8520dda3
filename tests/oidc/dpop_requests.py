"""Requests with DPoP proofs: for tokens, and with the tokens that are bound by them."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.oidc.portal import (
    VERIFIER,
    Portal,
    basic,
    body_of,
)
from tests.oidc.proofs import Key, ath
from tests.support import rows

KEY, OTHER = Key(), Key()
USERINFO = "/oidc/userinfo"


def send(portal: Portal, form: dict[str, str], proof: str | None) -> TestResponse:
    """POST a form to the token endpoint with a proof."""
    headers = {} if proof is None else {"DPoP": proof}
    if portal.secret is None:
        form = form | {"client_id": portal.client_id}
    else:
        headers["Authorization"] = basic(portal.client_id, portal.secret)
    return portal.app.test_client().post("/oidc/token", data=form, headers=headers)


def redeem(portal: Portal, grant_id: str, proof: str | None, **changes: Any) -> TestResponse:
    """Redeem a code for the grant."""
    form = {
        "grant_type": "authorization_code",
        "code": portal.code_for(grant_id, **changes),
        "redirect_uri": portal.redirect_uri,
        "code_verifier": VERIFIER,
    }
    return send(portal, form, proof)


def tokens(portal: Portal, proof: str | None, grant_id: str | None = None) -> dict[str, Any]:
    """Return the answer for a new code."""
    response = redeem(portal, grant_id or portal.granted(rows.person()), proof)
    assert response.status_code == 200, response.text
    return body_of(response)


def userinfo(portal: Portal, token: str, proof: str | None, scheme: str = "DPoP") -> TestResponse:
    """Ask UserInfo with a bound token."""
    headers = {"Authorization": f"{scheme} {token}"} | ({} if proof is None else {"DPoP": proof})
    return portal.app.test_client().get(USERINFO, headers=headers)


def for_userinfo(token: str, key: Key = KEY, **changes: Any) -> str:
    """Return a proof for UserInfo."""
    return key.proof(USERINFO, **{"htm": "GET", "ath": ath(token)} | changes)


@pytest.fixture
def service(sqlite_portal: Portal) -> Portal:
    """A client with client credentials: the shortest way to the token endpoint."""
    return Portal.registered(sqlite_portal.app, "service", grant_types=["client_credentials"])


def ask(service: Portal, proof: str | None) -> TestResponse:
    """Ask for a token of the client's own."""
    return send(service, {"grant_type": "client_credentials"}, proof)
