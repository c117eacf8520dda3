"""The `claims` parameter (OpenID Connect Core §5.5), as far as it changes what this endpoint does.

It is kept whole; when the code is issued, what the person agreed to is left of it for the ID token and UserInfo to
answer. Here count only `acr` of the ID token (§5.5.1.1) and `sub` (§5.5.1), which is the same in both members. Claims
that we do not know are ignored, those with a language tag too (§5.2): we have no name in two scripts.
"""

from dataclasses import dataclass, field
from typing import Any

from idp.oidc import strict_json
from idp.oidc.strict_json import JsonRefused
from idp.rules.claims import MEMBERS


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
    whole = strict_json.read(text)
    if not isinstance(whole, dict):
        raise JsonRefused
    for member in MEMBERS:
        _check_member(whole.get(member))
    of_id_token = whole.get("id_token") or {}
    acr = of_id_token.get("acr") or {}
    subs = {sub for member in MEMBERS for sub in _values((whole.get(member) or {}).get("sub") or {})}
    if len(subs) > 1:
        raise JsonRefused  # one person signs in
    return ClaimsAsked(whole, _values(acr), acr.get("essential") is True, next(iter(subs), None))


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
