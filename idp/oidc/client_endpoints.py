"""The endpoints that clients call directly: token, introspection, revocation. What they take is listed here."""

from typing import Any

from flask import Response, request

from idp.oidc.blueprint import blueprint
from idp.oidc.client_requests import for_clients
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


@blueprint.post("/oidc/token")
@access(Access.CLIENT)
@for_clients
def token() -> Response:
    """RFC 6749 §3.2."""
    response: Response = server.create_token_response(request)
    return response


@blueprint.post("/oidc/introspect")
@access(Access.CLIENT)
@for_clients
def introspect() -> Response:
    """RFC 7662 §2."""
    response: Response = server.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME, request)
    return response


@blueprint.post("/oidc/revoke")
@access(Access.CLIENT)
@for_clients
def revoke() -> Response:
    """RFC 7009 §2."""
    response: Response = server.create_endpoint_response(RevocationEndpoint.ENDPOINT_NAME, request)
    return response
