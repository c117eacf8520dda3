"""The `claims` parameter (OpenID Connect Core §5.5), as far as it changes what this endpoint does.

It is stored whole, for the ID token and UserInfo to answer. Here count only `acr` (§5.5.1.1) and `sub` (§5.5.1) of
the ID token.
"""

from dataclasses import dataclass, field
from typing import Any

from idp.oidc.authorize import json_parameter
from idp.oidc.authorize.json_parameter import JsonRefused


@dataclass(frozen=True, slots=True)
class ClaimsAsked:
    """The parameter, and what of it matters here. `acr` are the values asked for, in order of preference."""

    whole: dict[str, Any] = field(default_factory=dict)
    acr: tuple[str, ...] = ()
    acr_is_essential: bool = False
    sub: str | None = None


def read(text: str | None) -> ClaimsAsked:
    """Return what `text` asks for; nothing when it is None. Raises JsonRefused."""
    if text is None:
        return ClaimsAsked()
    whole = json_parameter.read(text)
    if not isinstance(whole, dict):
        raise JsonRefused
    for member in ("id_token", "userinfo"):
        _check_member(whole.get(member))
    of_id_token = whole.get("id_token") or {}
    acr, sub = of_id_token.get("acr") or {}, of_id_token.get("sub") or {}
    if not isinstance(sub.get("value"), str | None):
        raise JsonRefused
    return ClaimsAsked(whole, _values(acr), acr.get("essential") is True, sub.get("value"))


def _check_member(member: Any) -> None:
    """A member is an object of claims, each of them null or an object (§5.5.1)."""
    if member is not None and not isinstance(member, dict):
        raise JsonRefused
    if any(not isinstance(asked, dict | None) for asked in (member or {}).values()):
        raise JsonRefused


def _values(asked: dict[str, Any]) -> tuple[str, ...]:
    values = asked.get("values", [asked["value"]] if "value" in asked else [])
    if not isinstance(values, list) or any(not isinstance(each, str) for each in values):
        raise JsonRefused
    return tuple(values)
