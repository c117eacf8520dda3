"""What a client's metadata must satisfy, whichever door it comes through (RFC 7591 §2, OpenID Registration §2)."""

from dataclasses import replace
from typing import Any

import pytest

from idp.clients.combinations import check
from idp.clients.description import NewClient
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.clients.model import ActsFor

CALLBACK = "https://portal.example/callback"
GOOD = NewClient("portal", "门户", (CALLBACK,))


def described(**changes: Any) -> NewClient:
    """Return a good client with changes, those of the protocol by their names."""
    own = {name: changes.pop(name) for name in set(changes) & set(ProtocolMetadata.model_fields)}
    return replace(GOOD, **changes, protocol=ProtocolMetadata.read(own))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"token_endpoint_auth_method": "none"},
        {"redirect_uris": ("http://127.0.0.1:8011/cb", "http://[::1]/cb", "http://localhost/cb")},
        {"application_type": "native", "redirect_uris": ("org.example.app:/cb", "http://127.0.0.1/cb")},
        {"redirect_uris": (), "grant_types": ("client_credentials",)},
        {"require_pkce": False},
        {"frontchannel_logout_uri": "https://portal.example:443/out"},
        {"subject_type": "pairwise"},
        {"subject_type": "pairwise", "redirect_uris": (CALLBACK, "https://portal.example/other")},
        {
            "subject_type": "pairwise",
            "redirect_uris": (CALLBACK, "https://b.example/cb"),
            "sector_identifier_uri": "https://portal.example/sector.json",
        },
        {"default_max_age": 0},
        {"jwks_uri": "https://portal.example/jwks"},
        # Libraries send the algorithm of a way that they do not use (idpyoidc).
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"token_endpoint_auth_signing_alg": "HS256", "token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_signing_alg": "HS256", "token_endpoint_auth_method": "client_secret_jwt"},
        {"logo_uri": "https://portal.example/logo.png"},
        {"resource": "https://api.example/v1", "resources": ["https://b.example", "urn:example:api"]},
        {"acts_for": ActsFor.OPTIONAL, "authorization_details_types": ["unit_delegation"]},
    ],
    ids=str,
)
def test_accepted(changes: dict[str, Any]) -> None:
    check(described(**changes))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"client_id": ""}, "client_id"),
        ({"client_id": "x" * 65}, "client_id"),
        ({"client_id": "门户"}, "client_id"),
        ({"client_id": "a\nb"}, "client_id"),
        ({"client_id": "p_1"}, "client_id"),
        ({"resource": "https://api.example/#x"}, "resource"),
        ({"resource": "api"}, "resource"),
        ({"grant_types": ("urn:ietf:params:oauth:grant-type:jwt-bearer",)}, "jwks"),
        ({"resources": ["https://a.example https://b.example"]}, "resources"),
        ({"authorization_details_types": ["unit_delegation"]}, "authorization_details_types"),
        ({"acts_for": ActsFor.OPTIONAL, "authorization_details_types": ["payment"]}, "authorization_details_types"),
        ({"client_id": "u_1"}, "client_id"),
        ({"client_name": " "}, "client_name"),
        ({"client_name": "x" * 101}, "client_name"),
        ({"client_name": "a\u202eb"}, "client_name"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
        ({"grant_types": ("implicit",)}, "grant_types"),
        ({"grant_types": ()}, "grant_types"),
        ({"grant_types": ("client_credentials",), "token_endpoint_auth_method": "none"}, "grant_types"),
        ({"redirect_uris": ()}, "redirect_uris"),
        ({"redirect_uris": ("http://portal.example/cb",)}, "redirect_uris"),
        ({"redirect_uris": (CALLBACK + "#a",)}, "redirect_uris"),
        ({"redirect_uris": (CALLBACK + "#",)}, "redirect_uris"),
        ({"redirect_uris": ("https://",)}, "redirect_uris"),
        ({"redirect_uris": ("/callback",)}, "redirect_uris"),
        ({"redirect_uris": ("https://user@portal.example/cb",)}, "redirect_uris"),
        ({"redirect_uris": ("https://portal.example:x/cb",)}, "redirect_uris"),
        ({"redirect_uris": ("https://portal.example/c b",)}, "redirect_uris"),
        ({"redirect_uris": ("https://portal.example\\@evil.example/",)}, "redirect_uris"),
        ({"redirect_uris": ("javascript:alert(1)",)}, "redirect_uris"),
        ({"redirect_uris": ("org.example.app:/cb",)}, "redirect_uris"),
        ({"redirect_uris": ("app:/cb",), "application_type": "native"}, "redirect_uris"),
        ({"redirect_uris": ("javascript:alert(1)",), "application_type": "native"}, "redirect_uris"),
        ({"redirect_uris": ("http://portal.example/cb",), "application_type": "native"}, "redirect_uris"),
        ({"post_logout_redirect_uris": ("http://portal.example/",)}, "post_logout_redirect_uris"),
        ({"backchannel_logout_uri": "http://portal.example/"}, "backchannel_logout_uri"),
        ({"initiate_login_uri": "http://portal.example/"}, "initiate_login_uri"),
        ({"frontchannel_logout_uri": "https://other.example/out"}, "frontchannel_logout_uri"),
        ({"client_uri": "javascript:alert(1)"}, "client_uri"),
        ({"logo_uri": "http://portal.example/logo.png"}, "logo_uri"),
        ({"policy_uri": "data:text/html,x"}, "policy_uri"),
        ({"tos_uri": "ftp://portal.example/"}, "tos_uri"),
        ({"require_pkce": False, "token_endpoint_auth_method": "none"}, "require_pkce"),
        ({"require_pkce": False, "profile": "fapi2"}, "require_pkce"),
        ({"jwks": {"keys": []}, "jwks_uri": "https://portal.example/jwks"}, "jwks"),
        ({"token_endpoint_auth_signing_alg": "none"}, "token_endpoint_auth_signing_alg"),
        ({"token_endpoint_auth_signing_alg": "ES512"}, "token_endpoint_auth_signing_alg"),
        (
            {"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "RS256"},
            "token_endpoint_auth_signing_alg",
        ),
        ({"default_max_age": -1}, "default_max_age"),
        ({"sector_identifier_uri": "http://portal.example/s"}, "sector_identifier_uri"),
        ({"subject_type": "pairwise", "redirect_uris": (CALLBACK, "https://b.example/cb")}, "sector_identifier_uri"),
        (
            {"subject_type": "pairwise", "application_type": "native", "redirect_uris": ("http://127.0.0.1/cb",)},
            "sector_identifier_uri",
        ),
        (
            {"subject_type": "pairwise", "redirect_uris": (), "grant_types": ("client_credentials",)},
            "sector_identifier_uri",
        ),
    ],
    ids=str,
)
def test_refused_by_name(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ClientMetadataInvalid) as caught:
        check(described(**changes))
    assert caught.value.facts["what"] == what


FAPI: dict[str, Any] = {
    "profile": "fapi2",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks_uri": "https://portal.example/jwks",
    "id_token_alg": "PS256",
}


def test_a_client_of_the_fapi_profile_is_accepted() -> None:
    check(described(**FAPI))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"jwks_uri": None}, "jwks"),
        ({"jwks_uri": None, "jwks": {"keys": []}}, "jwks"),
        ({"jwks_uri": None, "jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "jwks"),
        ({"id_token_alg": "RS256"}, "id_token_signed_response_alg"),
        ({"access_token_alg": "RS256"}, "access_token_alg"),
        ({"userinfo_signed_response_alg": "RS256"}, "userinfo_signed_response_alg"),
        ({"token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg"),
        ({"token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
        ({"request_object_signing_alg": "HS256"}, "request_object_signing_alg"),
        ({"request_uris": ["http://portal.example/request"]}, "request_uris"),
        ({"redirect_uris": ("http://127.0.0.1/cb",)}, "redirect_uris"),
        ({"grant_types": ("authorization_code", "urn:ietf:params:oauth:grant-type:device_code")}, "grant_types"),
        ({"require_pkce": False}, "require_pkce"),
    ],
    ids=str,
)
def test_what_the_fapi_profile_forbids_cannot_be_registered(changes: dict[str, Any], what: str) -> None:
    """FAPI 2.0 Security Profile §5.3.2, §5.4.1."""
    with pytest.raises(ClientMetadataInvalid) as refused:
        check(described(**FAPI | changes))
    assert refused.value.facts["what"] == what
