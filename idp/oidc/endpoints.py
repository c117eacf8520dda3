"""All endpoints of the protocol: importing a module is what hangs its routes on the blueprint."""

from idp.oidc import client_endpoints, device_authorization, end_session, par, session_management, userinfo
from idp.oidc.authorize import views
from idp.oidc.blueprint import blueprint
from idp.oidc.registration import endpoint as registration

__all__ = [
    "blueprint",
    "client_endpoints",
    "device_authorization",
    "end_session",
    "par",
    "registration",
    "session_management",
    "userinfo",
    "views",
]
