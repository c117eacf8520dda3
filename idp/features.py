"""Parts of the protocol that an operator may switch off.

What is off is neither advertised in discovery nor answered: its address is unknown, its grant type unsupported, its
parameters are refused as any that we do not know. `settings().is_on(Feature.PAR)` tells.
"""

from collections.abc import Mapping
from enum import StrEnum


class Feature(StrEnum):
    """A part that can be off. The values are what the setting `features_off` takes."""

    REQUEST_OBJECT = "request_object"  # RFC 9101, by value and by reference
    PAR = "par"  # RFC 9126
    DPOP = "dpop"  # RFC 9449
    DEVICE = "device"  # RFC 8628
    CLIENT_CREDENTIALS = "client_credentials"  # RFC 6749 §4.4
    JWT_BEARER = "jwt_bearer"  # RFC 7523 §2.1
    TOKEN_EXCHANGE = "token_exchange"  # noqa: S105 - RFC 8693
    REGISTRATION = "registration"  # RFC 7591, RFC 7592
    FRONTCHANNEL_LOGOUT = "frontchannel_logout"
    SESSION_MANAGEMENT = "session_management"


JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the name of a grant type
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

GRANT_TYPES: Mapping[str, Feature | None] = {
    "authorization_code": None,
    "refresh_token": None,
    "client_credentials": Feature.CLIENT_CREDENTIALS,
    DEVICE_CODE: Feature.DEVICE,
    JWT_BEARER: Feature.JWT_BEARER,
    TOKEN_EXCHANGE: Feature.TOKEN_EXCHANGE,
}
"""Every grant type that the token endpoint knows, and the part that it goes on and off with."""
