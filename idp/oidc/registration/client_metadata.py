"""Client metadata as it travels (RFC 7591 §2): JSON read into a description of a client, and written back.

What we do not know is ignored (§2); what we know and do not offer is refused, so that no client believes that it will
be served as it asked.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from idp.clients.description import NewClient
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.clients.registration_policy import RegistrationPolicy
from idp.store import keyring

SELF_ASSERTED = frozenset(
    (
        *("application_type", "profile", "logo_uri", "policy_uri", "tos_uri", "contacts", "software_id"),
        *("software_version", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg", "request_object_signing_alg"),
        *("require_signed_request_object", "require_pushed_authorization_requests", "request_uris"),
        *("default_max_age", "require_auth_time", "default_acr_values", "authorization_details_types"),
        *("dpop_bound_access_tokens", "subject_type", "sector_identifier_uri", "userinfo_signed_response_alg"),
        *("frontchannel_logout_uri", "frontchannel_logout_session_required", "backchannel_logout_session_required"),
    )
)
"""Metadata of `ProtocolMetadata` that a client may say of itself; the rest is the policy's or an administrator's."""

RESERVED = frozenset({"require_pkce", "resources"})

ENCRYPTION = tuple(
    f"{what}_{part}"
    for what in ("id_token_encrypted_response", "userinfo_encrypted_response", "request_object_encryption")
    for part in ("alg", "enc")
)
"""We encrypt nothing and take nothing encrypted."""

Kind = TypeVar("Kind")
_TEXT: TypeAdapter[str] = TypeAdapter(str)
_TEXTS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])


def read(body: Mapping[str, Any], base: NewClient, policy: RegistrationPolicy) -> NewClient:
    """Return the client that `body` describes; what clients do not decide is as `base` has it.

    Left out, and null (RFC 7591 §2, RFC 7592 §2.2), mean the default. Raises ClientMetadataInvalid.
    """
    said = {name: value for name, value in body.items() if value is not None}
    for name in ENCRYPTION:
        if name in said:
            raise ClientMetadataInvalid(what=name)
    redirect_uris = _texts(said, "redirect_uris", ())
    grant_types = _texts(said, "grant_types", ("authorization_code",))
    _check_response_types(said, grant_types)
    scope = _one(said, "scope", None)
    return replace(
        base,
        client_name=_one(said, "client_name", None) or _name_for(base, redirect_uris),
        redirect_uris=redirect_uris,
        scopes=policy.scopes if scope is None else tuple(dict.fromkeys(scope.split())),
        token_endpoint_auth_method=_one(said, "token_endpoint_auth_method", "client_secret_basic"),
        grant_types=grant_types,
        client_uri=_one(said, "client_uri", None),
        initiate_login_uri=_one(said, "initiate_login_uri", None),
        backchannel_logout_uri=_one(said, "backchannel_logout_uri", None),
        post_logout_redirect_uris=_texts(said, "post_logout_redirect_uris", ()),
        id_token_alg=_id_token_alg(said),
        protocol=_protocol(said, base),
    )


def write(client: NewClient) -> dict[str, Any]:
    """Return all metadata registered about the client (RFC 7591 §3.2.1)."""
    own = client.protocol.model_dump(mode="json")
    said = {
        "client_id": client.client_id,
        "client_name": client.client_name,
        "client_uri": client.client_uri,
        "redirect_uris": list(client.redirect_uris),
        "post_logout_redirect_uris": list(client.post_logout_redirect_uris),
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "initiate_login_uri": client.initiate_login_uri,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "grant_types": list(client.grant_types),
        "response_types": list(_response_types(client.grant_types)),
        "scope": " ".join(client.scopes),
        "id_token_signed_response_alg": client.id_token_alg,
        **{name: own[name] for name in sorted(SELF_ASSERTED)},
    }
    return {name: value for name, value in said.items() if value is not None and value not in ([], "")}


def _protocol(said: Mapping[str, Any], base: NewClient) -> ProtocolMetadata:
    kept = {name: getattr(base.protocol, name) for name in ProtocolMetadata.model_fields if name not in SELF_ASSERTED}
    return ProtocolMetadata.read_json({name: said[name] for name in SELF_ASSERTED & said.keys()}, kept)


def _check_response_types(said: Mapping[str, Any], grant_types: tuple[str, ...]) -> None:
    """RFC 7591 §2.1: response types and grant types must go together; `code` is all that we answer."""
    known = _response_types(grant_types)
    if set(_texts(said, "response_types", known)) != set(known):
        raise ClientMetadataInvalid(what="response_types")


def _response_types(grant_types: tuple[str, ...]) -> tuple[str, ...]:
    return ("code",) if "authorization_code" in grant_types else ()


def _id_token_alg(said: Mapping[str, Any]) -> str:
    """OpenID Connect Registration §2: RS256 unless asked otherwise; never `none`."""
    alg: str = _one(said, "id_token_signed_response_alg", "RS256")
    if alg not in keyring.ALGORITHMS:
        raise ClientMetadataInvalid(what="id_token_signed_response_alg")
    return alg


def _name_for(base: NewClient, redirect_uris: tuple[str, ...]) -> str:
    """A client without a name is shown by the place that it leads to (RFC 7591 §2 would show its id)."""
    try:
        host = urlsplit(redirect_uris[0]).hostname if redirect_uris else None
    except ValueError:
        host = None
    return host or base.client_id


def _one(said: Mapping[str, Any], name: str, default: Any) -> Any:
    return _typed(_TEXT, said, name, default)


def _texts(said: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    return _typed(_TEXTS, said, name, default)


def _typed(kind: TypeAdapter[Kind], said: Mapping[str, Any], name: str, default: Kind) -> Kind:
    if name not in said:
        return default
    value = tuple(said[name]) if isinstance(said[name], list) else said[name]
    try:
        return kind.validate_python(value, strict=True)
    except ValidationError as error:
        raise ClientMetadataInvalid(what=name) from error
