"""What the clients of other libraries need: to be registered, and addresses to come back to."""

from datetime import timedelta
from typing import Any

from idp import clock
from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor
from idp.clients.registration import NewClient, add
from idp.clients.registration_policy import RegistrationPolicy
from idp.clients.self_registration import NewToken, make_token
from tests.recipes.people import BUSINESS
from tests.support.stack import Stack

HOME = "http://127.0.0.1:1/"
"""Where these clients live. Nobody is there: the browser stops before it."""
CALLBACK, SIGNED_OUT = f"{HOME}callback", f"{HOME}signed-out"
SCOPE = ("openid", "profile", BUSINESS)


def initial_access_token(stack: Stack, *scope: str) -> str:
    """Return a token for clients whose users may act for units (RFC 7591 §1.2)."""
    policy = RegistrationPolicy(scopes=scope, acts_for=ActsFor.OPTIONAL)
    with stack.app.app_context():
        return make_token(NewToken("library", policy, None, clock.now() + timedelta(days=1)))


def add_by_hand(stack: Stack, client_id: str, method: str, jwks: dict[str, Any]) -> dict[str, str]:
    """Register a client as an administrator does; return its id, and its secret where it has one."""
    new = NewClient(
        client_id=client_id,
        client_name="程序库",
        redirect_uris=(CALLBACK,),
        post_logout_redirect_uris=(SIGNED_OUT,),
        scopes=SCOPE,
        acts_for=ActsFor.OPTIONAL,
        token_endpoint_auth_method=method,
        protocol=ProtocolMetadata(jwks=jwks),
    )
    with stack.app.app_context():
        secret = add(new)
    return {"client_id": client_id} | ({} if secret is None else {"client_secret": secret})
