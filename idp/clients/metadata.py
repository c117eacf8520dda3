"""What a client's registration says of the protocol, beside what has a column of its own.

Names are those of RFC 7591 §2 and of the specification that defines each; `profile` is ours. A value of this type is
always complete: what was not said has its default.
"""

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import DomainError

SigningAlg = Literal["RS256", "PS256", "ES256", "EdDSA"]


class ClientMetadataInvalid(DomainError):
    """A client cannot be registered as described; `what` names the value that is wrong."""

    code = "client_metadata_invalid"


class ProtocolMetadata(BaseModel):
    """Metadata of one client, checked one by one; how they go together is checked at registration."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    application_type: Literal["web", "native"] = "web"
    profile: Literal["", "fapi2"] = ""
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    software_id: str | None = None
    software_version: str | None = None

    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    token_endpoint_auth_signing_alg: str | None = None

    require_pkce: bool = True  # RFC 9700 §2.1.1: off only for a confidential client whose library knows no PKCE

    # RFC 9101 §10.5, RFC 9126 §6, OpenID Connect Dynamic Client Registration §2
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    request_uris: tuple[str, ...] = ()
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    authorization_details_types: tuple[str, ...] = ()  # RFC 9396 §10

    dpop_bound_access_tokens: bool = False  # RFC 9449 §5.2
    resources: tuple[str, ...] = ()  # further audiences (RFC 8707) beside the client's own
    subject_type: Literal["public", "pairwise"] = "public"
    sector_identifier_uri: str | None = None
    userinfo_signed_response_alg: SigningAlg | None = None
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    backchannel_logout_session_required: bool = False

    @classmethod
    def read(cls, values: dict[str, Any]) -> Self:
        """Return `values` as metadata. Raises ClientMetadataInvalid naming the first value that is wrong."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _naming(error) from error

    @classmethod
    def read_json(cls, values: dict[str, Any], kept: dict[str, Any]) -> Self:
        """Return `values`, as a client sent them: JSON types count, "1" is no number. `kept` is what it cannot say.

        Raises ClientMetadataInvalid.
        """
        try:
            sent = cls.model_validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            raise _naming(error) from error
        return sent.model_copy(update=kept)


def _naming(error: ValidationError) -> ClientMetadataInvalid:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ClientMetadataInvalid(what=".".join(str(part) for part in first["loc"]))
