"""Access tokens: exactly what DESIGN 4 says, RFC 9068."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from idp import clock, ids
from idp.persons.model import AccountKind
from idp.rules.levels import Acr
from idp.sessions.model import OpaqueToken
from idp.settings import settings
from idp.store import keyring
from idp.store.db import db
from tests.oidc.portal import API, Portal, body_of, claims_in, header_of, stored
from tests.support import rows


def _access(portal: Portal, grant_id: str) -> dict[str, Any]:
    return claims_in(portal.tokens(grant_id)["access_token"])


def test_for_oneself(portal: Portal) -> None:
    """RFC 9068 §2.2: one audience, client_id, jti; `sub` is the person; nothing about anybody else."""
    person_id = rows.person()
    grant_id = portal.granted(person_id, scope="openid profile", amr="otp pwd")
    before = clock.timestamp()
    claims = _access(portal, grant_id)
    jti, iat = claims.pop("jti"), claims.pop("iat")
    assert jti.startswith(f"{grant_id}.")
    assert before <= iat <= clock.timestamp()
    assert claims == {
        "iss": "http://localhost:8000",
        "aud": API,
        "client_id": "portal",
        "exp": iat + 300,
        "sub": person_id,
        "sub_profile": "user",
        "scope": "openid profile",
        "acr": Acr.L1.urn,
        "amr": ["mfa", "otp", "pwd"],
        "auth_time": int(stored(grant_id).auth_time.timestamp()),
        "sid": stored(grant_id).portal_session_id,
    }


def test_acting_for_a_unit(portal: Portal) -> None:
    """DESIGN 4: `sub` is the unit, `act.sub` the person; it says what may be done, and until when. C2."""
    person_id, unit_id = rows.person(), rows.unit()
    binding_id = rows.binding(unit_id, person_id)
    ends = datetime(2090, 1, 2, 3, 4, 5, tzinfo=UTC)
    rows.grant(binding_id, rows.business("rec.position"), ends + timedelta(days=1))
    rows.grant(binding_id, rows.business("rec.fair"), ends)
    claims = _access(portal, portal.granted(person_id, unit_id, "rec.position", "rec.fair"))
    assert claims["sub"] == unit_id
    assert claims["sub_profile"] == "organization"
    assert claims["act"] == {"sub": person_id, "sub_profile": "user"}
    assert claims["scope"] == "openid rec.position rec.fair"
    assert claims["authorization_details"] == [
        {
            "type": "unit_delegation",
            "identifier": unit_id,
            "actions": ["rec.position", "rec.fair"],
            "valid_to": "2090-01-02T03:04:05Z",
        }
    ]


def test_without_an_end_none_is_stated(portal: Portal) -> None:
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    (details,) = _access(portal, portal.granted(person_id, unit_id, "rec.position"))["authorization_details"]
    assert "valid_to" not in details


def test_a_unit_accounts_own_sign_in(portal: Portal) -> None:
    """DESIGN 4: `sub` is the unit, nobody acts. U7."""
    unit_id = rows.unit()
    grant_id = portal.granted(unit_id, kind=AccountKind.UNIT)
    claims = _access(portal, grant_id)
    assert (claims["sub"], claims["sub_profile"]) == (unit_id, "organization")
    assert "act" not in claims
    assert "authorization_details" not in claims


def test_a_unit_account_gets_no_business(portal: Portal) -> None:
    """U7: whatever a row may say. U18: the legal representative's face opens what is marked."""
    grant_id = portal.granted(rows.unit(), kind=AccountKind.UNIT, businesses="rec.position")
    assert portal.redeem(portal.code_for(grant_id)).status_code == 400
    rows.business("rec.position", open_to_unit_account=True)
    rows.business("rec.fair")
    for business, status in (("rec.position", 200), ("rec.fair", 400)):
        faced = portal.granted(rows.unit(len(business)), kind=AccountKind.UNIT, businesses=business, amr="face pwd")
        assert portal.redeem(portal.code_for(faced)).status_code == status


def test_the_header_says_at_jwt_and_the_clients_algorithm(portal: Portal) -> None:
    """RFC 9068 §2.1. DESIGN 9: ES256, twelve times cheaper to sign than RS256."""
    token = portal.tokens(portal.granted(rows.person()))["access_token"]
    assert header_of(token) == {"typ": "at+jwt", "alg": "ES256", "kid": keyring.signer("ES256").kid}


def test_no_two_tokens_have_one_jti(portal: Portal) -> None:
    grant_id = portal.granted(rows.person())
    first = portal.tokens(grant_id)
    second = portal.refreshed(first["refresh_token"])
    assert claims_in(first["access_token"])["jti"] != claims_in(second["access_token"])["jti"]


def test_a_jwt_is_stored_nowhere(portal: Portal) -> None:
    """DESIGN 9."""
    portal.tokens(portal.granted(rows.person()))
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(*) FROM opaque_token")) == 0


@pytest.fixture
def opaque(app: Flask, portal: Portal) -> Portal:
    """A portal that wants opaque access tokens."""
    return Portal.registered(app, "opaque", access_token_format="opaque")


def test_an_opaque_token_is_kept_as_a_hash_with_its_claims(opaque: Portal) -> None:
    """DESIGN 3, trap 8."""
    person_id = rows.person()
    body = body_of(opaque.redeem(opaque.code_for(opaque.granted(person_id))))
    token = body["access_token"]
    assert "." not in token
    assert len(token) >= 43
    assert body["expires_in"] == settings().access_token_lifetime
    db.session.rollback()
    row = db.session.scalars(select(OpaqueToken)).one()
    assert row.token_hash == ids.fingerprint(token)
    assert row.claims["sub"] == person_id
    assert row.claims["aud"] == API


def test_an_opaque_token_works_like_a_jwt(opaque: Portal) -> None:
    person_id = rows.person()
    token = opaque.tokens(opaque.granted(person_id))["access_token"]
    assert opaque.introspect(token)["sub"] == person_id
    assert body_of(opaque.userinfo(token))["sub"] == person_id


def test_every_claim_of_a_jwt_is_in_the_answer_of_introspection(portal: Portal, opaque: Portal) -> None:
    """RFC 7662 §2.2: the same claims, however the token looks."""
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    for each in (portal, opaque):
        token = each.tokens(each.granted(person_id, unit_id, "rec.position"))["access_token"]
        answer = each.introspect(token)
        assert {"act", "authorization_details", "sub_profile", "acr", "amr", "auth_time", "sid"} <= set(answer)
        if "." in token:
            assert answer == {"active": True, "token_type": "Bearer", **claims_in(token)}
