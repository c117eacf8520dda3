"""The intersection of scopes (C3) where no unit is acted for, and levels as requests state them (DESIGN 5)."""

from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.clients import registry
from idp.clients.model import ActsFor
from idp.clients.registration import STANDARD_SCOPES
from idp.clients.registry import RegisteredClient
from idp.delegation import context_class, granting
from idp.rules.levels import Acr
from idp.sessions.authorization_request import AuthorizationRequest, UnitDelegation
from tests.support import rows

SCOPES = (*STANDARD_SCOPES, "rec.position", "rec.fair", "unknown")
some = st.lists(st.sampled_from(SCOPES), unique=True).map(tuple)
acrs = st.lists(st.sampled_from([acr.urn for acr in Acr] + ["urn:other"]), unique=True).map(tuple)


@pytest.fixture
def registered(make_app, migrated_sqlite_url: str):
    app: Flask = make_app(migrated_sqlite_url)
    with app.app_context():
        yield registry.find(rows.client(token_endpoint_auth_method="none"))


def request(**fields: object) -> AuthorizationRequest:
    fixed = {"client_id": "portal", "redirect_uri": "x", "response_type": "code", "response_mode": "query"}
    return AuthorizationRequest(**(fixed | {"scope": ("openid",)} | fields))  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=some, actions=some, allowed=some, consent=st.booleans(), refreshes=st.booleans(), public=st.booleans())
def test_oneself_gets_standard_scopes_that_were_asked_for_and_allowed(
    registered: RegisteredClient, asked, actions, allowed, consent, refreshes, public
) -> None:
    """C3, U7: no business without a unit. OpenID Connect Core §11: offline access only where its rules allow it."""
    client = replace(
        registered,
        scopes=allowed,
        grant_types=("authorization_code", "refresh_token") if refreshes else ("authorization_code",),
        token_endpoint_auth_method="none" if public else "client_secret_basic",
    )
    wanted = request(scope=asked, unit_delegation=UnitDelegation(actions), prompt=("consent",) if consent else ())
    granted = granting.for_oneself(client, wanted)
    assert granted.businesses == ()
    assert granted.acting is None
    assert set(granted.scope) <= {*asked, *actions} & set(allowed) & set(STANDARD_SCOPES)
    rest = {*asked, *actions} & set(allowed) & set(STANDARD_SCOPES) - {"offline_access"}
    assert set(granted.scope) - {"offline_access"} == rest
    if "offline_access" in granted.scope:
        assert refreshes
        assert consent or not public


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=some, allowed=some, acts_for=st.sampled_from(ActsFor))
def test_businesses_are_what_the_portal_may_ask_for(registered: RegisteredClient, asked, allowed, acts_for) -> None:
    client = replace(registered, scopes=allowed, acts_for=acts_for)
    businesses = granting.businesses_asked(client, request(scope=asked))
    expected = set() if acts_for is ActsFor.NEVER else set(asked) & set(allowed) - set(STANDARD_SCOPES)
    assert set(businesses) == expected


@given(essential=acrs, voluntary=acrs, level=st.sampled_from(Acr))
def test_levels_of_a_request(essential, voluntary, level) -> None:
    """OpenID Connect Core §5.5.1.1: what is stated is reached, and one of the essential values if any is reached."""
    wanted = request(essential_acr=essential, acr_values=voluntary)
    stated = context_class.stated(wanted, level)
    assert stated <= level
    reached = [acr for acr in Acr if acr.urn in essential and acr <= level]
    assert stated == (max(reached) if reached else level)
    known = [acr for acr in Acr if acr.urn in essential]
    assert (level >= context_class.essential(wanted)) == (not known or bool(reached))
    assert context_class.voluntary(wanted) in {Acr.L0, *(acr for acr in Acr if acr.urn in voluntary)}


def test_a_request_survives_storage() -> None:
    wanted = request(
        scope=("openid", "rec.position"),
        unit_delegation=UnitDelegation(("rec.fair",), "u_x", representation_required=True),
        claims={"id_token": {"acr": {"values": ["a", "b"]}}},
        essential_acr=("a", "b"),
        max_age=0,
    )
    assert AuthorizationRequest.from_json(wanted.to_json()) == wanted
    assert wanted.asked == ("openid", "rec.position", "rec.fair")
