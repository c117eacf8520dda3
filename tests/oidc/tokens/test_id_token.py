"""ID tokens: OpenID Connect Core §2, DESIGN 4."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet

from idp import clock
from idp.oidc.tokens.id_token import half_hash
from idp.persons.model import AccountKind
from idp.rules.levels import Acr
from idp.store import keyring
from tests.oidc.portal import NONCE, Portal, claims_in, header_of, stored
from tests.support import fictional, rows


def _id_token(portal: Portal, grant_id: str) -> dict[str, Any]:
    return claims_in(portal.tokens(grant_id)["id_token"])


def test_for_oneself(portal: Portal) -> None:
    person_id = rows.person()
    grant_id = portal.granted(person_id, scope="openid profile phone")
    tokens = portal.tokens(grant_id)
    claims = claims_in(tokens["id_token"])
    iat = claims.pop("iat")
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()
    assert claims == {
        "iss": "http://localhost:8000",
        "sub": person_id,
        "aud": "portal",
        "exp": iat + 3600,
        "auth_time": int(stored(grant_id).auth_time.timestamp()),
        "nonce": NONCE,
        "acr": Acr.L1.urn,
        "amr": ["pwd"],
        "sid": stored(grant_id).portal_session_id,
        "at_hash": urlsafe_b64encode(digest[:16]).rstrip(b"=").decode(),
    }


def test_sub_is_the_person_also_when_acting_for_a_unit(portal: Portal) -> None:
    """DESIGN 4: a portal's accounts survive a switch of unit."""
    person_id, unit_id = rows.person(), rows.unit(verified_at=clock.now())
    binding_id = rows.binding(unit_id, person_id, kind="common_contact")
    rows.grant(binding_id, rows.business())
    claims = _id_token(portal, portal.granted(person_id, unit_id, "rec.position"))
    assert claims["sub"] == person_id
    assert claims["acting_for"] == {
        "sub": unit_id,
        "sub_profile": "organization",
        "uscc": fictional.uscc(1),
        "name": fictional.unit_name(1),
        "verified": True,
        "capacity": "common_contact",
        "binding": binding_id,
    }


def test_a_unit_with_an_old_number_says_so(portal: Portal) -> None:
    """U3: organisation codes exist on old accounts."""
    person_id = rows.person()
    unit_id = rows.unit(document_type="org_code", document_number=fictional.org_code(4))
    rows.binding(unit_id, person_id)
    acting_for = _id_token(portal, portal.granted(person_id, unit_id))["acting_for"]
    assert acting_for["org_code"] == fictional.org_code(4)
    assert "uscc" not in acting_for
    assert acting_for["verified"] is False


def test_a_unit_account_signs_in_as_itself(portal: Portal) -> None:
    unit_id = rows.unit()
    claims = _id_token(portal, portal.granted(unit_id, kind=AccountKind.UNIT))
    assert claims["sub"] == unit_id
    assert "acting_for" not in claims


def test_without_a_nonce_there_is_none(portal: Portal) -> None:
    assert "nonce" not in _id_token(portal, portal.granted(rows.person(), nonce=None))


def test_claims_by_name_stand_in_it(portal: Portal) -> None:
    """Core §5.5; tests/oidc/authorize/test_claims.py shows what is stored as asked for: what the person agreed to."""
    asked = {"id_token": {"name": None, "unheard_of": None}, "userinfo": {"phone_number": None}}
    claims = _id_token(portal, portal.granted(rows.person(), scope="openid profile", claims=asked))
    assert claims["name"] == fictional.person_name(0)
    assert not {"phone_number", "unheard_of"} & set(claims)


def test_a_claims_parameter_cannot_overwrite_what_we_state(portal: Portal) -> None:
    person_id = rows.person()
    asked = {"id_token": {"sub": {"value": "somebody"}, "acr": {"value": Acr.L3.urn}, "auth_time": None}}
    claims = _id_token(portal, portal.granted(person_id, claims=asked))
    assert (claims["sub"], claims["acr"]) == (person_id, Acr.L1.urn)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", keyring.ALGORITHMS)
def test_per_client_algorithm(sqlite_app: Flask, sqlite_portal: Portal, alg: str) -> None:
    """Any client library can verify it by the published keys."""
    other = Portal.registered(sqlite_app, "other", id_token_alg=alg)
    token = other.tokens(other.granted(rows.person()))["id_token"]
    assert header_of(token) == {"alg": alg, "typ": "JWT", "kid": keyring.signer(alg).kid}
    published = KeySet.import_key_set(sqlite_app.test_client().get("/oidc/jwks").get_json())
    assert jwt.decode(token, published, algorithms=[alg]).claims["aud"] == "other"


def test_half_hash_of_the_specification() -> None:
    """Core, appendix A.3: the access token of the example and its at_hash; EdDSA hashes with SHA-512."""
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert half_hash(token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert len(half_hash(token, "EdDSA")) == 43
