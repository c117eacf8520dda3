"""What is said of a client when it is registered, whoever says it: an administrator, the client itself, a test."""

from dataclasses import dataclass, field

from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor

PUBLIC = "none"
SECRET_JWT, KEY_JWT = "client_secret_jwt", "private_key_jwt"
AUTH_METHODS = ("client_secret_basic", "client_secret_post", SECRET_JWT, KEY_JWT, PUBLIC)
STANDARD_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")


@dataclass(frozen=True, slots=True)
class NewClient:
    """What an administrator says of a client; names as in RFC 7591 and `Client`."""

    client_id: str
    client_name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...] = STANDARD_SCOPES
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - the name of a method
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    acts_for: ActsFor = ActsFor.NEVER
    resource: str | None = None
    client_uri: str | None = None
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    post_logout_redirect_uris: tuple[str, ...] = ()
    allows_unit_accounts: bool = False
    uscc_only: bool = False
    min_person_level: int = 0
    min_unit_level: int = 0
    consent_required: bool = True
    access_token_format: str = "jwt"  # noqa: S105 - the name of a format
    access_token_alg: str = "ES256"  # noqa: S105 - the name of an algorithm
    id_token_alg: str = "RS256"  # noqa: S105 - the name of an algorithm
    protocol: ProtocolMetadata = field(default_factory=ProtocolMetadata)
