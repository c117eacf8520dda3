"""From the provider's tokens to our words: whom they name, for which unit, and whether they fit together."""

from typing import Any

from flask import current_app

from relying_parties.shared import clock
from relying_parties.shared.identities import SignIn, Tokens, Unit
from relying_parties.shared.provider import Provider, ProviderDown, ProviderRefused
from relying_parties.shared.settings import Settings
from relying_parties.shared.tokens import InvalidToken, NotForUnit, acting_token, how_signed_in

CAPACITIES = {"agent": "经办人员", "common_contact": "常用联系人", "legal_representative": "法定代表人"}
DEFAULT_LIFETIME = 60  # seconds, of an access token that does not say


def read(tokens: dict[str, Any], asked_scope: str, provider: Provider) -> SignIn:
    """Return what a token response says, its ID token verified before ("userinfo" holds the claims).

    Raises ProviderRefused if the tokens do not fit together, ProviderDown.
    """
    claims = tokens["userinfo"]
    sid, unit = claims.get("sid"), unit_of(claims)
    if not isinstance(sid, str) or not sid:
        raise ProviderRefused("no_sid")
    if unit is not None:
        _check_access_token(tokens["access_token"], claims["sub"], unit, provider)
    return SignIn(
        sid=sid,
        person=claims["sub"],
        person_name=_name(claims, tokens, provider),
        issued_at=int(claims["iat"]),
        unit=unit,
        tokens=tokens_of(tokens, frozenset(asked_scope.split()), tokens["id_token"], None),
        **how_signed_in(claims),
    )


def unit_of(claims: dict[str, Any]) -> Unit | None:
    """Return the unit that `acting_for` names, None for somebody who acts for themselves. Raises ProviderRefused."""
    said = claims.get("acting_for")
    if said is None:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("sub"), str) or not isinstance(said.get("name"), str):
        raise ProviderRefused("invalid_id_token")
    ends_at = said.get("expires_at")
    return Unit(
        id=said["sub"],
        uscc=str(said.get("uscc") or ""),
        name=said["name"],
        verified=said.get("verified") is True,
        capacity=CAPACITIES.get(str(said.get("capacity")), CAPACITIES["agent"]),
        ends_at=int(ends_at) if isinstance(ends_at, int | float) else None,
    )


def tokens_of(answer: dict[str, Any], scope: frozenset[str], id_token: str, refresh_token: str | None) -> Tokens:
    """Return the tokens of a token response; what it leaves out stays as it was (RFC 6749 §5.1, §6)."""
    lifetime = answer.get("expires_in")
    return Tokens(
        id_token=answer.get("id_token", id_token),
        access_token=answer["access_token"],
        access_ends_at=clock.now() + (lifetime if isinstance(lifetime, int) else DEFAULT_LIFETIME),
        refresh_token=answer.get("refresh_token", refresh_token),
        scope=frozenset(answer["scope"].split()) if isinstance(answer.get("scope"), str) else scope,
    )


def _check_access_token(token: str, person: str, unit: Unit, provider: Provider) -> None:
    """The access token must act for the unit that the ID token names, by the same person (DESIGN 4)."""
    settings: Settings = current_app.config["SETTINGS"]
    try:
        access = acting_token(token, provider, settings)
    except (InvalidToken, NotForUnit) as error:
        raise ProviderRefused("invalid_access_token") from error
    if (access.unit, access.person) != (unit.id, person):
        raise ProviderRefused("invalid_access_token")


def _name(claims: dict[str, Any], tokens: dict[str, Any], provider: Provider) -> str:
    """Return the person's name, from the ID token or else from UserInfo; a sign-in does not fail for want of it."""
    if isinstance(claims.get("name"), str):
        return str(claims["name"])
    try:
        said = provider.userinfo(tokens)
    except (ProviderDown, ProviderRefused):
        return "已登录用户"
    if said.get("sub") != claims["sub"] or not isinstance(said.get("name"), str):
        return "已登录用户"
    return str(said["name"])
