"""Somebody who registers clients: requests to the registration endpoints, and what comes back."""

from datetime import timedelta
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from idp import clock
from idp.clients import self_registration
from idp.clients.registration_policy import RegistrationPolicy
from idp.clients.self_registration import NewToken
from tests.oidc.portal import body_of

CALLBACK = "https://client.example/callback"


def initial_token(uses: int | None = None, days: int = 7, **policy: Any) -> str:
    """Make an initial access token."""
    ends = clock.now() + timedelta(days=days)
    return self_registration.make_token(NewToken("test", RegistrationPolicy(**policy), uses, ends))


def bearer(token: str | None) -> dict[str, str]:
    """Return the header for a token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def post(app: Flask, body: Any, token: str | None) -> TestResponse:
    """Ask for a registration."""
    return app.test_client().post("/oidc/register", json=body, headers=bearer(token))


def registered(app: Flask, token: str, **body: Any) -> dict[str, Any]:
    """Register a client and return what is told of it."""
    response = post(app, {"redirect_uris": [CALLBACK]} | body, token)
    assert response.status_code == 201, response.text
    return body_of(response)


def manage(app: Flask, told: dict[str, Any], method: str, body: Any = None, token: str | None = None) -> TestResponse:
    """Call the client's configuration endpoint, with its own token unless another is given."""
    path = told["registration_client_uri"].removeprefix("http://localhost:8000")
    headers = bearer(token or told["registration_access_token"])
    return app.test_client().open(path, method=method, json=body, headers=headers)
