"""OAuth error types, on Authlib's error classes; those that Authlib lacks, or words unsafely, are ours.

A description is printable ASCII without quote and backslash (RFC 6749 §4.1.2.1 and §5.2) and never repeats what the
client sent: Authlib puts the received `response_type` and `grant_type` into it unchecked, so these two are ours.
"""

from http import HTTPStatus

from authlib.oauth2.base import OAuth2Error, invalid_error_characters
from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oidc.core.errors import (
    AccountSelectionRequiredError,
    ConsentRequiredError,
    InteractionRequiredError,
    LoginRequiredError,
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

__all__ = [
    "AccessDeniedError",
    "AccountSelectionRequiredError",
    "ConsentRequiredError",
    "InteractionRequiredError",
    "InvalidAuthorizationDetailsError",
    "InvalidClientError",
    "InvalidClientMetadataError",
    "InvalidDpopProofError",
    "InvalidGrantError",
    "InvalidRedirectUriError",
    "InvalidRequestError",
    "InvalidRequestObjectError",
    "InvalidRequestUriError",
    "InvalidScopeError",
    "InvalidSoftwareStatementError",
    "InvalidTargetError",
    "LoginRequiredError",
    "OAuth2Error",
    "RegistrationNotSupportedError",
    "RequestNotSupportedError",
    "RequestURINotSupportedError",
    "TemporarilyUnavailableError",
    "UnapprovedSoftwareStatementError",
    "UnauthorizedClientError",
    "UnmetAuthenticationRequirementsError",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
    "UseDpopNonceError",
    "body_of",
    "of_refusal",
]


class InvalidClientError(OAuth2Error):
    """RFC 6749 §5.2: client authentication failed, for whatever reason."""

    error = "invalid_client"
    description = "Client authentication failed"
    status_code = HTTPStatus.UNAUTHORIZED

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the challenge; a realm is REQUIRED of the scheme Basic (RFC 7617 §2)."""
        challenge = f'Basic realm="jingban", error="{self.error}", error_description="{self.get_error_description()}"'
        return [*super().get_headers(), ("WWW-Authenticate", challenge)]


class UnsupportedResponseTypeError(OAuth2Error):
    """RFC 6749 §4.1.2.1: the server does not answer with this response type."""

    error = "unsupported_response_type"
    description = "Only response_type=code is supported"


class UnsupportedGrantTypeError(OAuth2Error):
    """RFC 6749 §5.2: the server does not know this grant type."""

    error = "unsupported_grant_type"
    description = "This grant_type is not supported"


class InvalidRequestObjectError(OAuth2Error):
    """RFC 9101 §7: the request object is malformed, wrongly signed, or for somebody else."""

    error = "invalid_request_object"


class InvalidRequestUriError(OAuth2Error):
    """RFC 9101 §7: the `request_uri` cannot be used, or nothing usable is there."""

    error = "invalid_request_uri"


class InvalidTargetError(OAuth2Error):
    """RFC 8707 §2: the resource is unknown, malformed, or not this client's."""

    error = "invalid_target"


class InvalidAuthorizationDetailsError(OAuth2Error):
    """RFC 9396 §5: an authorization details object is of unknown type, malformed, or not allowed to the client."""

    error = "invalid_authorization_details"


class InvalidDpopProofError(OAuth2Error):
    """RFC 9449 §5: the DPoP proof is malformed, for another request, too old, or was used before."""

    error = "invalid_dpop_proof"


class UseDpopNonceError(OAuth2Error):
    """RFC 9449 §8: the proof must repeat `nonce`, which goes with this answer."""

    error = "use_dpop_nonce"
    description = "The DPoP proof must hold the nonce of this answer"

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self.nonce = nonce

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the nonce for the next proof."""
        return [("DPoP-Nonce", self.nonce)]


class UnmetAuthenticationRequirementsError(OAuth2Error):
    """OpenID Connect Unmet Authentication Requirements 1.0 §2: the essential `acr` cannot be reached."""

    error = "unmet_authentication_requirements"


class InvalidRedirectUriError(OAuth2Error):
    """RFC 7591 §3.2.2: a redirection URI is missing or not one that may be registered."""

    error = "invalid_redirect_uri"


class InvalidClientMetadataError(OAuth2Error):
    """RFC 7591 §3.2.2: another value of the metadata is missing, malformed, unsupported or not allowed."""

    error = "invalid_client_metadata"


class InvalidSoftwareStatementError(OAuth2Error):
    """RFC 7591 §3.2.2: the software statement is not one that can be verified."""

    error = "invalid_software_statement"


class UnapprovedSoftwareStatementError(OAuth2Error):
    """RFC 7591 §3.2.2: whoever made the software statement is not trusted here."""

    error = "unapproved_software_statement"


class TemporarilyUnavailableError(OAuth2Error):
    """RFC 6749 §4.1.2.1: overload or maintenance; the client may try again."""

    error = "temporarily_unavailable"


_REFUSALS: dict[str, type[OAuth2Error]] = {
    kind.error: kind
    for kind in (
        AccessDeniedError,
        InteractionRequiredError,
        LoginRequiredError,
        TemporarilyUnavailableError,
        UnmetAuthenticationRequirementsError,
    )
}


def of_refusal(code: str) -> OAuth2Error:
    """Return the error for the code that a journey left on its interaction; an unknown code is `access_denied`."""
    return _REFUSALS.get(code, AccessDeniedError)()


def body_of(error: OAuth2Error) -> list[tuple[str, str]]:
    """Return `error` and, if there is one, `error_description` with nothing in it that RFC 6749 forbids."""
    description = error.get_error_description()
    if not description:
        return [("error", str(error.error))]
    forbidden = set(invalid_error_characters(description))
    clean = "".join("?" if char in forbidden else char for char in description)
    return [("error", str(error.error)), ("error_description", clean)]
