"""The conformance suite's static clients, on the running stack."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from idp.clients.metadata import ProtocolMetadata
from idp.clients.registration import STANDARD_SCOPES, NewClient, add
from tests.conformance.dynamic import Registrar
from tests.conformance.suite import HOME, Registration, Suite
from tests.support.stack import Stack


def register(stack: Stack, client_id: str, **changes: Any) -> Registration:
    """Register a client as an administrator does who follows the plan's instructions: without PKCE."""
    new = NewClient(
        **{
            "client_id": client_id,
            "client_name": "一致性测试",
            "redirect_uris": (f"{HOME}{client_id}/callback",),
            "scopes": STANDARD_SCOPES,
            "post_logout_redirect_uris": (f"{HOME}{client_id}/signed-out",),
            "protocol": ProtocolMetadata(require_pkce=False),
        }
        | changes
    )
    with stack.app.app_context():
        secret = add(new)
    return Registration(
        client_id, secret or "", new.redirect_uris[0], new.token_endpoint_auth_method, new.id_token_alg
    )


@pytest.fixture(scope="session")
def clients(stack: Stack) -> dict[str, Registration]:
    """The two clients of the plan and the one for `client_secret_post`."""
    return {
        "first": register(stack, "conformance-1"),
        "second": register(stack, "conformance-2"),
        "post": register(stack, "conformance-3", token_endpoint_auth_method="client_secret_post"),
    }


@pytest.fixture(scope="session")
def initial_token(stack: Stack) -> str:
    """What the operator gives to a suite whose clients register themselves; they know no PKCE."""
    return str(json.loads(stack.jingban("client", "token", "conformance", "--pkce-optional"))["initial_access_token"])


@pytest.fixture
def registrar(suite: Suite, initial_token: str) -> Iterator[Registrar]:
    """Whoever registers clients; they are gone afterwards."""
    found = Registrar(suite, initial_token)
    yield found
    found.unregister()


@pytest.fixture
def suite(stack: Stack, clients: dict[str, Registration]) -> Suite:
    """The suite with the first client and a user who is not signed in."""
    user = next(each for each in stack.described["accounts"] if each["kind"] == "person")
    return Suite(stack.issuer, clients["first"], user["login"], user["password"])
