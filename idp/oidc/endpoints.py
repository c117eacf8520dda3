"""All endpoints of the protocol: importing a module is what hangs its routes on the blueprint."""

from idp.oidc import client_endpoints, end_session, userinfo
from idp.oidc.authorize import views
from idp.oidc.blueprint import blueprint

__all__ = ["blueprint", "client_endpoints", "end_session", "userinfo", "views"]
