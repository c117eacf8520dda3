"""The endpoints that clients call directly: token, introspection, revocation. What they take is listed here."""

from typing import Any

from flask import Request, request

from idp.oidc.blueprint import blueprint
from idp.oidc.client_requests import Answer, for_clients
from idp.oidc.introspection import IntrospectionEndpoint
from idp.oidc.revocation import RevocationEndpoint
from idp.oidc.server import Server
from idp.oidc.token_endpoint.authorization_code import AuthorizationCodeGrant
from idp.oidc.token_endpoint.client_credentials import ClientCredentialsGrant
from idp.oidc.token_endpoint.device_code import DeviceCodeGrant
from idp.oidc.token_endpoint.jwt_bearer import JwtBearerGrant
from idp.oidc.token_endpoint.refresh_token import RefreshTokenGrant
from idp.oidc.token_endpoint.token_exchange import TokenExchangeGrant
from idp.web import Access, access

GRANTS = (
    AuthorizationCodeGrant,
    RefreshTokenGrant,
    ClientCredentialsGrant,
    DeviceCodeGrant,
    TokenExchangeGrant,
    JwtBearerGrant,
)

server: Any = Server()  # Any: what it answers is a Response, whatever Authlib's published types say
for grant in GRANTS:
    server.register_grant(grant)
server.register_endpoint(IntrospectionEndpoint)
server.register_endpoint(RevocationEndpoint)


@for_clients
def answer_token(asked: Request) -> Answer:
    """RFC 6749 §3.2."""
    answer: Answer = server.create_token_response(asked)
    return answer


@for_clients
def answer_introspect(asked: Request) -> Answer:
    """RFC 7662 §2."""
    answer: Answer = server.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME, asked)
    return answer


@for_clients
def answer_revoke(asked: Request) -> Answer:
    """RFC 7009 §2."""
    answer: Answer = server.create_endpoint_response(RevocationEndpoint.ENDPOINT_NAME, asked)
    return answer


@blueprint.post("/oidc/token")
@access(Access.CLIENT)
def token() -> Answer:
    """See `answer_token`; `fast_paths` calls that without Flask."""
    return answer_token(request)


@blueprint.post("/oidc/introspect")
@access(Access.CLIENT)
def introspect() -> Answer:
    """See `answer_introspect`; `fast_paths` calls that without Flask."""
    return answer_introspect(request)


@blueprint.post("/oidc/revoke")
@access(Access.CLIENT)
def revoke() -> Answer:
    """See `answer_revoke`; `fast_paths` calls that without Flask."""
    return answer_revoke(request)
