"""What a client's metadata must satisfy, each value for itself and all together: ONE list for every door.

The command line, the demo, dynamic registration and tests register through `check`. Nothing is fetched or looked up
here. An error names the metadata by the name that RFC 7591 or the specification behind it gives it.
"""

from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from idp import ids
from idp.clients import public_keys
from idp.clients.description import AUTH_METHODS, KEY_JWT, PUBLIC, SECRET_JWT, NewClient
from idp.clients.metadata import ClientMetadataInvalid
from idp.clients.model import ActsFor
from idp.features import DEVICE_CODE, GRANT_TYPES, JWT_BEARER, TOKEN_EXCHANGE
from idp.settings import LOOPBACK_HOSTS

LONGEST_ID, LONGEST_NAME = 64, 100
CONFIDENTIAL_ONLY = frozenset({"client_credentials", JWT_BEARER, TOKEN_EXCHANGE})
"""Grant types in which the client acts by itself, so it must be able to prove itself (RFC 6749 §4.4)."""

SECRET_ALGORITHMS = ("HS256",)
"""What a client may sign with its secret (`client_secret_jwt`)."""

UNIT_DELEGATION = "unit_delegation"
"""The one type of authorization details (RFC 9396, DESIGN 4)."""

Check = Callable[[NewClient], None]
_PORTS = {"https": 443, "http": 80}


def check(client: NewClient) -> None:
    """Run every check. Raises ClientMetadataInvalid."""
    for each in CHECKS:
        each(client)


def id_is_a_client_s(client: NewClient) -> None:
    """RFC 9700 §4.15: the `sub` of a client's own token must not be taken for a person's or a unit's."""
    client_id = client.client_id
    if not client_id or len(client_id) > LONGEST_ID or not client_id.isascii() or not client_id.isprintable():
        raise ClientMetadataInvalid(what="client_id")
    if client_id.startswith((ids.PERSON, ids.UNIT)):
        raise ClientMetadataInvalid(what="client_id")


def name_can_be_shown(client: NewClient) -> None:
    """The name stands on the consent page: short, and nothing in it that turns the writing around."""
    name = client.client_name
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ClientMetadataInvalid(what="client_name")


def auth_method_known(client: NewClient) -> None:
    """OpenID Connect Core §9."""
    if client.token_endpoint_auth_method not in AUTH_METHODS:
        raise ClientMetadataInvalid(what="token_endpoint_auth_method")


def grant_types_fit(client: NewClient) -> None:
    """RFC 7591 §2: known ones; a public client cannot act in its own name (RFC 6749 §4.4)."""
    is_public = client.token_endpoint_auth_method == PUBLIC
    if not client.grant_types or any(each not in GRANT_TYPES for each in client.grant_types):
        raise ClientMetadataInvalid(what="grant_types")
    if is_public and CONFIDENTIAL_ONLY.intersection(client.grant_types):
        raise ClientMetadataInvalid(what="grant_types")


def redirect_uris_present(client: NewClient) -> None:
    """RFC 7591 §2: clients of redirect-based flows MUST register their redirection URIs."""
    if not client.redirect_uris and "authorization_code" in client.grant_types:
        raise ClientMetadataInvalid(what="redirect_uris")


def redirect_uris_are_own(client: NewClient) -> None:
    """RFC 6749 §3.1.2, RFC 9700 §2.6; a native application may have a scheme of its own (RFC 8252 §7.1)."""
    is_native = client.protocol.application_type == "native"
    for name, uris in (
        ("redirect_uris", client.redirect_uris),
        ("post_logout_redirect_uris", client.post_logout_redirect_uris),
    ):
        for uri in uris:
            if not is_web_address(uri) and not (is_native and _is_of_an_application(uri)):
                raise ClientMetadataInvalid(what=name, value=uri)


def called_addresses_are_web_addresses(client: NewClient) -> None:
    """What we call, or lead people to: https, or http on this machine (a demo)."""
    for name, uri in (
        ("backchannel_logout_uri", client.backchannel_logout_uri),
        ("frontchannel_logout_uri", client.protocol.frontchannel_logout_uri),
        ("initiate_login_uri", client.initiate_login_uri),
        ("jwks_uri", client.protocol.jwks_uri),
    ):
        if uri is not None and not is_web_address(uri):
            raise ClientMetadataInvalid(what=name, value=uri)


def shown_addresses_are_https(client: NewClient) -> None:
    """Links on the consent page, which people follow and we never fetch: never a script, never clear text."""
    protocol = client.protocol
    for name, uri in (
        ("client_uri", client.client_uri),
        ("logo_uri", protocol.logo_uri),
        ("policy_uri", protocol.policy_uri),
        ("tos_uri", protocol.tos_uri),
    ):
        if uri is not None and not is_web_address(uri):
            raise ClientMetadataInvalid(what=name, value=uri)


def pkce_may_be_off(client: NewClient) -> None:
    """RFC 9700 §2.1.1: only for a confidential client, and no profile of ours goes without."""
    if not client.protocol.require_pkce and (client.token_endpoint_auth_method == PUBLIC or client.protocol.profile):
        raise ClientMetadataInvalid(what="require_pkce")


def frontchannel_is_own(client: NewClient) -> None:
    """OpenID Connect Front-Channel Logout 1.0 §2: scheme, host and port of a redirect URI."""
    uri = client.protocol.frontchannel_logout_uri
    if uri is not None and _place(uri) not in {_place(each) for each in client.redirect_uris}:
        raise ClientMetadataInvalid(what="frontchannel_logout_uri", value=uri)


def keys_in_one_way(client: NewClient) -> None:
    """RFC 7591 §2: `jwks` and `jwks_uri` MUST NOT both be present."""
    if client.protocol.jwks is not None and client.protocol.jwks_uri is not None:
        raise ClientMetadataInvalid(what="jwks")


def assertions_have_keys(client: NewClient) -> None:
    """RFC 7523 §2.1: a client whose assertions bring tokens has registered keys to sign them with."""
    if JWT_BEARER in client.grant_types and client.protocol.jwks is None and client.protocol.jwks_uri is None:
        raise ClientMetadataInvalid(what="jwks")


def keys_can_verify(client: NewClient) -> None:
    """RFC 7523 §3: who signs has registered public keys; a private one that we know of is worthless."""
    jwks, uri = client.protocol.jwks, client.protocol.jwks_uri
    if jwks is not None and (public_keys.holds_secrets(jwks) or not public_keys.read(jwks)):
        raise ClientMetadataInvalid(what="jwks")
    if client.token_endpoint_auth_method == KEY_JWT and jwks is None and uri is None:
        raise ClientMetadataInvalid(what="jwks")


def assertion_alg_fits(client: NewClient) -> None:
    """OpenID Connect Dynamic Client Registration §2: an algorithm that the method can use.

    It says nothing about a method that signs nothing; libraries send it all the same.
    """
    alg = client.protocol.token_endpoint_auth_signing_alg
    signing = {KEY_JWT: public_keys.ALGORITHMS, SECRET_JWT: SECRET_ALGORITHMS}
    allowed = signing.get(client.token_endpoint_auth_method, (*public_keys.ALGORITHMS, *SECRET_ALGORITHMS))
    if alg is not None and alg not in allowed:
        raise ClientMetadataInvalid(what="token_endpoint_auth_signing_alg")


def request_objects_fit(client: NewClient) -> None:
    """RFC 9101 §10.5: unsigned ones only where signed ones are not demanded; addresses as they will be sent."""
    protocol = client.protocol
    alg = protocol.request_object_signing_alg
    is_unsigned = alg == "none"
    if not (alg is None or is_unsigned or alg in public_keys.ALGORITHMS):
        raise ClientMetadataInvalid(what="request_object_signing_alg")
    if is_unsigned and protocol.require_signed_request_object:
        raise ClientMetadataInvalid(what="request_object_signing_alg")
    for uri in protocol.request_uris:
        if not is_web_address(uri.partition("#")[0]):  # OpenID Connect Core §6.2: a fragment may hold its hash
            raise ClientMetadataInvalid(what="request_uris", value=uri)


def profile_is_whole(client: NewClient) -> None:
    """FAPI 2.0 Security Profile §5.3.2, §5.4.1: what the profile forbids cannot be registered with it."""
    if not client.protocol.profile:
        return
    if client.token_endpoint_auth_method != KEY_JWT:
        raise ClientMetadataInvalid(what="token_endpoint_auth_method")
    if DEVICE_CODE in client.grant_types:  # whoever shows a code cannot be told from whoever relays one
        raise ClientMetadataInvalid(what="grant_types")
    if any(not uri.startswith("https://") for uri in client.redirect_uris):
        raise ClientMetadataInvalid(what="redirect_uris")
    algorithms = {
        "id_token_signed_response_alg": client.id_token_alg,
        "access_token_alg": client.access_token_alg,
        "userinfo_signed_response_alg": client.protocol.userinfo_signed_response_alg,
        "token_endpoint_auth_signing_alg": client.protocol.token_endpoint_auth_signing_alg,
        "request_object_signing_alg": client.protocol.request_object_signing_alg,
    }
    for name, alg in algorithms.items():
        if alg in {"RS256", "none"}:
            raise ClientMetadataInvalid(what=name)


def sector_is_one(client: NewClient) -> None:
    """OpenID Connect Core §8.1: pairwise subjects need one host, or a `sector_identifier_uri` by https.

    That its document lists every redirect URI is checked by whoever may fetch it, before this.
    """
    uri = client.protocol.sector_identifier_uri
    if uri is not None and not is_web_address(uri):
        raise ClientMetadataInvalid(what="sector_identifier_uri", value=uri)
    if client.protocol.subject_type != "pairwise" or uri is not None:
        return
    # What runs on people's own machines has no host of its own: all such applications would be one sector.
    hosts = {urlsplit(each).hostname for each in client.redirect_uris}
    if len(hosts) != 1 or None in hosts or client.protocol.application_type == "native":
        raise ClientMetadataInvalid(what="sector_identifier_uri")


def default_max_age_is_a_time(client: NewClient) -> None:
    """OpenID Connect Dynamic Client Registration §2: seconds."""
    if client.protocol.default_max_age is not None and client.protocol.default_max_age < 0:
        raise ClientMetadataInvalid(what="default_max_age")


def resources_are_absolute(client: NewClient) -> None:
    """RFC 8707 §2: absolute URIs without a fragment. None holds a space: grants keep several in one text."""
    for name, uris in (("resource", (client.resource,)), ("resources", client.protocol.resources)):
        for uri in uris:
            parts = None if uri is None else _split(uri)
            if uri is not None and (parts is None or not parts.scheme or "#" in uri):
                raise ClientMetadataInvalid(what=name, value=uri)


def authorization_details_fit(client: NewClient) -> None:
    """RFC 9396 §10: a known type, and only where users act for units (DESIGN 4 `acts_for`)."""
    types = client.protocol.authorization_details_types
    if any(each != UNIT_DELEGATION for each in types) or (types and client.acts_for is ActsFor.NEVER):
        raise ClientMetadataInvalid(what="authorization_details_types")


def is_web_address(uri: str) -> bool:
    """Whether a portal may be reached there: https, or http on this machine; no fragment (RFC 6749 §3.1.2)."""
    parts = _split(uri)
    if parts is None or "#" in uri or "@" in parts.netloc or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)


def _is_of_an_application(uri: str) -> bool:
    """RFC 8252 §7.1: a scheme after a domain name in reverse, so it has a dot, and a path."""
    parts = _split(uri)
    return parts is not None and "." in parts.scheme and "#" not in uri and not parts.netloc and bool(parts.path)


def _split(uri: str) -> SplitResult | None:
    """Take an address apart; None for what two readers could read in two ways."""
    if not uri.isascii() or not uri.isprintable() or " " in uri or "\\" in uri:
        return None
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return None
    return parts


def _place(uri: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


CHECKS: tuple[Check, ...] = (
    id_is_a_client_s,
    name_can_be_shown,
    auth_method_known,
    grant_types_fit,
    redirect_uris_present,
    redirect_uris_are_own,
    called_addresses_are_web_addresses,
    shown_addresses_are_https,
    pkce_may_be_off,
    frontchannel_is_own,
    keys_in_one_way,
    assertions_have_keys,
    keys_can_verify,
    assertion_alg_fits,
    request_objects_fit,
    profile_is_whole,
    sector_is_one,
    default_max_age_is_a_time,
    resources_are_absolute,
    authorization_details_fit,
)
