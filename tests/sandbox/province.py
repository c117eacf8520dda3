"""Accounts at the stand-in for the province, and the trips that its clients make with them."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.sandbox.client import KEY, Client
from tests.support import fictional

CALLBACK = "http://localhost:9/upstream/callback?state=ours"
CLIENT_ID = "jingban"
SSO_AUTHORIZE = "/sso/connect/page/oauth2/authorize"
PERSON = {
    "useridcode": "p-0001",
    "login": "jiazi",
    "password": "Over-There-1",
    "name": fictional.person_name(),
    "document_number": fictional.resident_id(),
    "phone": fictional.mobile(),
    "level": "L2",
    "level_way": "face",
    "level_at": "2026-03-01T09:30:00+08:00",
}
UNIT = {
    "useridcode": "u-0001",
    "login": "keji",
    "password": "Over-There-2",
    "name": fictional.unit_name(),
    "uscc": fictional.uscc(),
    "phone": fictional.mobile(1),
    "level": "L3",
    "level_way": "certificate",
    "level_at": "2026-03-02T00:00:00Z",
    "legal_representative": {"name": fictional.person_name(1), "document_number": fictional.resident_id(1)},
    "contact": {"name": fictional.person_name(2), "document_number": fictional.resident_id(2)},
}
DISABLED = {**PERSON, "useridcode": "p-0002", "login": "disabled", "disabled": True}
SEED: dict[str, Any] = {"persons": [PERSON, DISABLED], "legal_entities": [UNIT]}
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-says-43"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def query_of(response: requests.Response) -> dict[str, str]:
    """Return the query to which `response` redirects."""
    assert response.status_code == 302, response.text
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def sso_query(**changes: str) -> dict[str, str]:
    """Return the parameters of an authorization request by the province's own protocol."""
    return {
        "client_id": CLIENT_ID,
        "service": "initService",
        "scope": "all",
        "response_type": "code",
        "redirect_uri": CALLBACK,
    } | changes


def sso_authorize(client: Client, account: dict[str, Any] = PERSON, **changes: str) -> requests.Response:
    """Sign in on the page of the province's own protocol and return the answer."""
    return _sign_in(client, SSO_AUTHORIZE, sso_query(**changes), account)


def access_token(client: Client, code: str, **changes: str) -> dict[str, Any]:
    query = {
        "client_id": CLIENT_ID,
        "client_secret": KEY,
        "code": code,
        "scope": "all",
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
    } | changes
    answer: dict[str, Any] = client.get("/sso/oauth2/access_token", params=query).json()
    return answer


def token_info(client: Client, token: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/sso/oauth2/tokeninfo", params={"access_token": token}).json()
    return answer


def user_object(client: Client, account: dict[str, Any] = PERSON) -> dict[str, Any]:
    """Make the whole trip by the province's own protocol."""
    token = access_token(client, query_of(sso_authorize(client, account))["code"])["access_token"]
    found: dict[str, Any] = token_info(client, token)["userobj"]
    return found


def oidc_authorize(client: Client, account: dict[str, Any] = PERSON, **changes: str) -> requests.Response:
    """Sign in on the page of OpenID Connect and return the answer."""
    query = {
        "client_id": CLIENT_ID,
        "scope": "openid",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return _sign_in(client, "/oidc/authorize", query, account)


def tokens(client: Client, code: str, secret: str = KEY, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    } | changes
    return client.request("POST", "/oidc/token", None, data=form, auth=(CLIENT_ID, secret))


def _sign_in(client: Client, path: str, query: dict[str, str], account: dict[str, Any]) -> requests.Response:
    form = {
        "tab": "person" if "document_number" in account else "legal",
        "username": account["login"],
        "password": account["password"],
    }
    return client.request("POST", path, None, params=query, data=form, allow_redirects=False)
