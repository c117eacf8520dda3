"""Tokens that others hand us: access tokens at our API (RFC 9068) and logout tokens (Back-Channel Logout 1.0)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypedDict

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from relying_parties.shared import clock
from relying_parties.shared.provider import LEEWAY, Provider
from relying_parties.shared.settings import Settings

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class InvalidToken(Exception):
    """The token does not hold; the text says why, in words fit for the sender (RFC 6750 §3)."""


@dataclass(frozen=True, slots=True)
class ActingToken:
    """What an access token says that acts for a unit (DESIGN 4): the person does something for the unit.

    `acr` and `auth_time` (seconds) say how and when they signed in (RFC 9068 §2.2.1), where the token says it.
    """

    unit: str
    person: str
    scope: frozenset[str]
    ends_at: int
    acr: str | None
    auth_time: int | None


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """What a logout token says. At least one of `sid` and `person` is there."""

    jti: str
    sid: str | None
    person: str | None
    issued_at: int


class NotForUnit(Exception):
    """The access token holds, but nobody acts for a unit with it."""


def acting_token(token: str, provider: Provider, settings: Settings) -> ActingToken:
    """Validate an access token that acts for a unit. Raises InvalidToken, NotForUnit, ProviderDown."""
    claims = access_token(token, provider, settings)
    actor = claims.get("act")
    if claims.get("sub_profile") != "organization" or not isinstance(actor, dict):
        raise NotForUnit(claims["sub"])
    return ActingToken(
        unit=claims["sub"],
        person=_text(actor, "sub"),
        scope=scope_of(claims),
        ends_at=claims["exp"],
        **how_signed_in(claims),
    )


def access_token(token: str, provider: Provider, settings: Settings) -> dict[str, Any]:
    """Validate an access token locally (RFC 9068 §4) and return its claims. Raises InvalidToken, ProviderDown."""
    claims = _verified(token, provider, {"at+jwt", "application/at+jwt"})
    _check(claims, issuer=settings.issuer, audience=settings.audience)
    for name in ("sub", "client_id", "jti"):
        _text(claims, name)
    return claims


def scope_of(claims: dict[str, Any]) -> frozenset[str]:
    """Return what the token was granted."""
    scope = claims.get("scope", "")
    return frozenset(scope.split() if isinstance(scope, str) else ())


class HowSignedIn(TypedDict):
    """The claims of a token on how and when its person signed in; None where it does not say."""

    acr: str | None
    auth_time: int | None


def how_signed_in(claims: dict[str, Any]) -> HowSignedIn:
    """Return `acr` and `auth_time` of an ID token or access token; what is malformed says nothing."""
    acr, auth_time = claims.get("acr"), claims.get("auth_time")
    return {
        "acr": acr if isinstance(acr, str) else None,
        "auth_time": auth_time if isinstance(auth_time, int) and not isinstance(auth_time, bool) else None,
    }


def logout_token(token: str, provider: Provider, settings: Settings) -> LogoutToken:
    """Validate a logout token (Back-Channel Logout 1.0 §2.6); `jti` is for the caller to compare.

    Raises InvalidToken, ProviderDown.
    """
    claims = _verified(token, provider, {"logout+jwt"})
    _check(claims, issuer=settings.issuer, audience=settings.client_id)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise InvalidToken("events lacks the back-channel logout event")
    if "nonce" in claims:
        raise InvalidToken("a logout token must not have a nonce")
    sid, person = _optional_text(claims, "sid"), _optional_text(claims, "sub")
    if sid is None and person is None:
        raise InvalidToken("neither sid nor sub")
    return LogoutToken(_text(claims, "jti"), sid, person, claims["iat"])


def _verified(token: str, provider: Provider, types: Collection[str]) -> dict[str, Any]:
    """Return the claims of a JWT that one of the provider's keys signed and whose `typ` is one of `types`."""
    try:
        try:
            decoded = jwt.decode(token, provider.keys(), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            decoded = jwt.decode(token, provider.keys(again=True), algorithms=ALGORITHMS)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        # The last two: joserfc takes members of the header for what they should be, before it checks the signature.
        raise InvalidToken("the signature does not hold") from error
    kind = decoded.header.get("typ")
    if not isinstance(kind, str) or kind.lower() not in types:
        raise InvalidToken("typ is another one")
    return decoded.claims


def _check(claims: dict[str, Any], *, issuer: str, audience: str) -> None:
    now = clock.now()
    if claims.get("iss") != issuer:
        raise InvalidToken("iss is not our provider")
    audiences = claims.get("aud")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise InvalidToken("aud is not this service")
    for name in ("exp", "iat"):
        if isinstance(claims.get(name), bool) or not isinstance(claims.get(name), int):
            msg = f"{name} is missing"
            raise InvalidToken(msg)
    if claims["exp"] <= now - LEEWAY:
        raise InvalidToken("the token has expired")
    if claims["iat"] > now + LEEWAY:
        raise InvalidToken("iat lies ahead")


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        msg = f"{name} is missing"
        raise InvalidToken(msg)
    return value


def _optional_text(claims: dict[str, Any], name: str) -> str | None:
    return _text(claims, name) if name in claims else None
