"""The conformance suite's static clients, on the running stack."""

import pytest

from idp.clients.metadata import ProtocolMetadata
from idp.clients.registration import STANDARD_SCOPES, NewClient, add
from tests.conformance.suite import Registration, Suite
from tests.support.stack import Stack

CALLBACK = "https://conformance.example/{}/callback"


def _registered(stack: Stack, client_id: str, auth_method: str = "client_secret_basic") -> Registration:
    """Register a client as an administrator does who follows the plan's instructions: without PKCE."""
    new = NewClient(
        client_id=client_id,
        client_name="一致性测试",
        redirect_uris=(CALLBACK.format(client_id),),
        scopes=STANDARD_SCOPES,
        token_endpoint_auth_method=auth_method,
        post_logout_redirect_uris=(f"https://conformance.example/{client_id}/signed-out",),
        protocol=ProtocolMetadata(require_pkce=False),
    )
    with stack.app.app_context():
        secret = add(new)
    assert secret is not None
    return Registration(client_id, secret, new.redirect_uris[0], auth_method)


@pytest.fixture(scope="session")
def clients(stack: Stack) -> dict[str, Registration]:
    """The two clients of the plan and the one for `client_secret_post`."""
    return {
        "first": _registered(stack, "conformance-1"),
        "second": _registered(stack, "conformance-2"),
        "post": _registered(stack, "conformance-3", "client_secret_post"),
    }


@pytest.fixture
def suite(stack: Stack, clients: dict[str, Registration]) -> Suite:
    """The suite with the first client and a user who is not signed in."""
    user = next(each for each in stack.described["accounts"] if each["kind"] == "person")
    return Suite(stack.issuer, clients["first"], user["login"], user["password"])
