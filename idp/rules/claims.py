"""Which claims a scope stands for, and which of those that a request names may be given.

A claim that is asked for by name (OpenID Connect Core §5.5) is consented to with the scope that it belongs to: people
agree to "basic data", not to a list of field names.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

SCOPE_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "profile": ("name", "preferred_username", "real_name_level", "uscc", "org_code", "verified"),
    "email": (),  # no account has one: the scope is known and gives nothing
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""OpenID Connect Core §5.4. A person has some of them, a unit account others; what is not known is never given."""

OF_SIGN_IN = ("auth_time", "acr", "amr")
"""Claims about the sign-in: they tell nothing about a person, and stand in every ID token."""

MEMBERS = ("userinfo", "id_token")


def of_scope(scope: Collection[str]) -> set[str]:
    """Return the names of the claims that the values of `scope` stand for."""
    return {claim for value, claims in SCOPE_CLAIMS.items() if value in scope for claim in claims}


def scopes_of(claims: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes that `claims` belong to. Names that we do not know belong to none."""
    named = set(claims)
    return tuple(scope for scope, known in SCOPE_CLAIMS.items() if named.intersection(known))


def named(parameter: Mapping[str, Any]) -> set[str]:
    """Return the names that a `claims` parameter asks for, in either member."""
    return {name for member in MEMBERS for name in parameter.get(member) or {}}


def allowed(parameter: Mapping[str, Any], scope: Collection[str]) -> dict[str, dict[str, None]]:
    """Return what is left of a `claims` parameter when the person agreed to `scope`: the names alone."""
    known = of_scope(scope).union(OF_SIGN_IN)
    left = {member: sorted(known.intersection(parameter.get(member) or {})) for member in MEMBERS}
    return {member: dict.fromkeys(names) for member, names in left.items() if names}
