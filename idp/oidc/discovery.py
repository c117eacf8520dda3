"""The provider's metadata (OpenID Connect Discovery 1.0 §3, RFC 8414): exactly what is on, nothing that is planned."""

from typing import Any

from idp.clients.registration import STANDARD_SCOPES
from idp.features import GRANT_TYPES, Feature
from idp.i18n import LOCALES
from idp.oidc import client_assertion, dpop
from idp.oidc.authorization_details import TYPE as UNIT_DELEGATION
from idp.oidc.authorize import request_object
from idp.oidc.authorize.checks import FORM_POST, PROMPTS, QUERY
from idp.oidc.client_auth import ALL_METHODS, CONFIDENTIAL_METHODS
from idp.oidc.tokens.claims import CLAIMS_SUPPORTED
from idp.rules.levels import ACR_VALUES
from idp.settings import Settings
from idp.store import keyring


def metadata(settings: Settings) -> dict[str, Any]:
    """Return the metadata. Businesses are scopes too, but each is its portal's: they are not listed."""
    return {
        **_endpoints(settings.issuer),
        **_authorization(settings),
        **_tokens(settings),
        **_device(settings),
        **_registration(settings),
        **_logout(settings),
    }


def _endpoints(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oidc/authorize",
        "token_endpoint": f"{issuer}/oidc/token",
        "userinfo_endpoint": f"{issuer}/oidc/userinfo",
        "jwks_uri": f"{issuer}/oidc/jwks",
        "introspection_endpoint": f"{issuer}/oidc/introspect",
        "revocation_endpoint": f"{issuer}/oidc/revoke",
        "end_session_endpoint": f"{issuer}/oidc/end_session",
        "op_policy_uri": f"{issuer}/privacy",
        "op_tos_uri": f"{issuer}/terms",
    }


def _authorization(settings: Settings) -> dict[str, Any]:
    return {
        "scopes_supported": list(STANDARD_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": [QUERY, FORM_POST],
        "code_challenge_methods_supported": ["S256"],  # RFC 8414 §2
        "authorization_response_iss_parameter_supported": True,  # RFC 9207 §3
        "authorization_details_types_supported": [UNIT_DELEGATION],  # RFC 9396 §10
        "prompt_values_supported": sorted(PROMPTS),
        "acr_values_supported": list(ACR_VALUES),
        "ui_locales_supported": [locale.replace("_", "-") for locale in LOCALES],  # BCP 47
        "claims_parameter_supported": True,
        **_requests(settings),
    }


def _requests(settings: Settings) -> dict[str, Any]:
    """RFC 9101 §10.5, RFC 9126 §5. `request_uri_parameter_supported` left out would mean true (Discovery §3)."""
    objects, pushed = settings.is_on(Feature.REQUEST_OBJECT), settings.is_on(Feature.PAR)
    found: dict[str, Any] = {"request_parameter_supported": objects, "request_uri_parameter_supported": objects}
    if objects:
        found["require_request_uri_registration"] = True
        found["request_object_signing_alg_values_supported"] = list(request_object.ALGORITHMS)
    if pushed:
        found["pushed_authorization_request_endpoint"] = f"{settings.issuer}/oidc/par"
        found["require_pushed_authorization_requests"] = False
    return found


def _tokens(settings: Settings) -> dict[str, Any]:
    return {
        "grant_types_supported": [
            name for name, feature in GRANT_TYPES.items() if feature is None or settings.is_on(feature)
        ],
        "token_endpoint_auth_methods_supported": list(ALL_METHODS),
        "introspection_endpoint_auth_methods_supported": list(CONFIDENTIAL_METHODS),
        "revocation_endpoint_auth_methods_supported": list(ALL_METHODS),
        # OpenID Connect Discovery §3, RFC 8414 §2: for client_secret_jwt and private_key_jwt
        **{
            f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(client_assertion.ALGORITHMS)
            for endpoint in ("token", "introspection", "revocation")
        },
        **({"dpop_signing_alg_values_supported": list(dpop.ALGORITHMS)} if settings.is_on(Feature.DPOP) else {}),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(keyring.ALGORITHMS),
        "userinfo_signing_alg_values_supported": list(keyring.ALGORITHMS),
        "claim_types_supported": ["normal"],
        "claims_supported": list(CLAIMS_SUPPORTED),
    }


def _device(settings: Settings) -> dict[str, Any]:
    """RFC 8628 §4."""
    if not settings.is_on(Feature.DEVICE):
        return {}
    return {"device_authorization_endpoint": f"{settings.issuer}/oidc/device_authorization"}


def _registration(settings: Settings) -> dict[str, Any]:
    """RFC 7591 §3, OpenID Connect Registration §3."""
    if not settings.is_on(Feature.REGISTRATION):
        return {}
    return {"registration_endpoint": f"{settings.issuer}/oidc/register"}


def _logout(settings: Settings) -> dict[str, Any]:
    session = {"check_session_iframe": f"{settings.issuer}/oidc/check_session"}
    frontchannel = {"frontchannel_logout_supported": True, "frontchannel_logout_session_supported": True}
    return {
        **(session if settings.is_on(Feature.SESSION_MANAGEMENT) else {}),  # Session Management 1.0 §3.3
        **(frontchannel if settings.is_on(Feature.FRONTCHANNEL_LOGOUT) else {}),  # Front-Channel Logout 1.0 §3
        "backchannel_logout_supported": True,  # Back-Channel Logout 1.0 §2.1
        "backchannel_logout_session_supported": True,
    }
