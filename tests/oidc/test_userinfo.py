"""UserInfo: OpenID Connect Core §5.3, RFC 6750, DESIGN 4."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import update

from idp import clock
from idp.clients.model import Client
from idp.delegation.model import BusinessGrant
from idp.oidc import id_token_hint
from idp.oidc.tokens import jws
from idp.persons.model import AccountKind, Person
from idp.sessions.model import Authorization
from idp.settings import settings
from idp.store import keyring
from idp.store.db import transaction
from tests.oidc.portal import Portal, assert_refused, body_of, claims_in
from tests.support import fictional, rows
from tests.support.clocks import MovedClock
from tests.support.signing import plant_keys

FORM = "application/x-www-form-urlencoded"


def _claims(portal: Portal, grant_id: str) -> dict[str, Any]:
    response = portal.userinfo(portal.tokens(grant_id)["access_token"])
    assert response.status_code == 200, response.text
    return body_of(response)


def test_openid_alone_gives_sub_alone(portal: Portal) -> None:
    person_id = rows.person()
    assert _claims(portal, portal.granted(person_id)) == {"sub": person_id}


def test_profile_and_phone(portal: Portal) -> None:
    """Core §5.4; real_name_level is ours (实名等级)."""
    person_id = rows.person(3, real_name_level=3)
    assert _claims(portal, portal.granted(person_id, scope="openid profile phone")) == {
        "sub": person_id,
        "name": fictional.person_name(3),
        "preferred_username": fictional.login_name(3),
        "real_name_level": 3,
        "phone_number": fictional.mobile(3),
        "phone_number_verified": True,
    }


def test_a_narrowed_token_tells_less(portal: Portal) -> None:
    person_id = rows.person()
    tokens = portal.tokens(portal.granted(person_id, scope="openid profile phone"))
    narrow = portal.refreshed(tokens["refresh_token"], scope="openid")
    assert body_of(portal.userinfo(narrow["access_token"])) == {"sub": person_id}


def test_what_changes_is_answered_anew(portal: Portal) -> None:
    person_id = rows.person()
    token = portal.tokens(portal.granted(person_id, scope="openid profile"))["access_token"]
    with transaction() as session:
        session.execute(update(Person).values(real_name_level=3))
    assert body_of(portal.userinfo(token))["real_name_level"] == 3


def test_acting_for_a_unit_it_is_still_about_the_person(portal: Portal) -> None:
    """Core §5.3.2: the same `sub` as in the ID token; `acting_for` as there."""
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    tokens = portal.tokens(portal.granted(person_id, unit_id, "rec.position", scope="openid profile"))
    answer = body_of(portal.userinfo(tokens["access_token"]))
    in_id_token = claims_in(tokens["id_token"])
    assert claims_in(tokens["access_token"])["sub"] == unit_id
    assert answer["sub"] == in_id_token["sub"] == person_id
    assert answer["acting_for"] == in_id_token["acting_for"]
    assert answer["name"] == fictional.person_name(0)


def test_each_token_answers_from_its_own_grant(portal: Portal) -> None:
    """DESIGN 4: unit A's tokens never change when unit B is chosen in another tab."""
    person_id = rows.person()
    units = [rows.unit(1), rows.unit(2)]
    for unit_id in units:
        rows.grant(rows.binding(unit_id, person_id), rows.business(f"rec.{unit_id}"[:60]))
    tokens = [
        portal.tokens(portal.granted(person_id, unit_id, f"rec.{unit_id}"[:60]))["access_token"] for unit_id in units
    ]
    oneself = portal.tokens(portal.granted(person_id))["access_token"]
    assert [body_of(portal.userinfo(token))["acting_for"]["sub"] for token in tokens] == units
    assert "acting_for" not in body_of(portal.userinfo(oneself))


def test_a_unit_account(portal: Portal) -> None:
    unit_id = rows.unit(2, verified_at=clock.now())
    assert _claims(portal, portal.granted(unit_id, kind=AccountKind.UNIT, scope="openid profile phone")) == {
        "sub": unit_id,
        "preferred_username": "unit_0002",
        "name": fictional.unit_name(2),
        "uscc": fictional.uscc(2),
        "verified": True,
    }


def test_without_openid_it_is_forbidden(portal: Portal) -> None:
    """RFC 6750 §3.1: a token for an API is good, but not for this."""
    response = portal.userinfo(portal.tokens(portal.granted(rows.person(), scope="profile"))["access_token"])
    assert_refused(response, "insufficient_scope", 403)
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert 'scope="openid"' in response.headers["WWW-Authenticate"]


# --- how the token is presented (RFC 6750 §2) ---------------------------------------------------------------------


@pytest.fixture
def token(sqlite_portal: Portal) -> str:
    """An access token of person 0."""
    token = sqlite_portal.tokens(sqlite_portal.granted(rows.person()))["access_token"]
    assert isinstance(token, str)
    return token


def test_post_with_the_header_or_the_form(sqlite_app: Flask, token: str) -> None:
    """Core §5.3.1."""
    client = sqlite_app.test_client()
    assert client.post("/oidc/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert client.post("/oidc/userinfo", headers={"Authorization": f"bearer  {token}"}).status_code == 200
    assert client.post("/oidc/userinfo", data={"access_token": token}).status_code == 200


def test_two_ways_at_once_are_refused(sqlite_app: Flask, token: str) -> None:
    response = sqlite_app.test_client().post(
        "/oidc/userinfo", data={"access_token": token}, headers={"Authorization": f"Bearer {token}"}
    )
    assert_refused(response, "invalid_request")


def test_never_in_the_address(sqlite_app: Flask, token: str) -> None:
    """RFC 9700 §4.3.2: it would stand in logs."""
    assert_refused(sqlite_app.test_client().get(f"/oidc/userinfo?access_token={token}"), "invalid_request")


@pytest.mark.parametrize("header", [None, "Basic YTpi", "Bearer", "Bearer ", "token"])
def test_no_token_at_all(sqlite_app: Flask, header: str | None) -> None:
    """RFC 6750 §3.1: then the challenge holds no error; RFC 9449 §7.1: it names what DPoP proofs may be signed by."""
    headers = {} if header is None else {"Authorization": header}
    response = sqlite_app.test_client().get("/oidc/userinfo", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer, DPoP algs="ES256 EdDSA Ed25519 PS256 RS256"'


def test_the_answer_is_not_stored(sqlite_portal: Portal, token: str) -> None:
    """DESIGN 3: token and person responses are no-store."""
    assert sqlite_portal.userinfo(token).headers["Cache-Control"] == "no-store"


# --- tokens that are no good ----------------------------------------------------------------------------------------


def _assert_invalid(portal: Portal, token: str) -> None:
    response = portal.userinfo(token)
    assert_refused(response, "invalid_token", 401)
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


@pytest.mark.parametrize("token", ["x", "x.y.z", "a" * 43, "\xe9", "a b"])
def test_nonsense(sqlite_portal: Portal, token: str) -> None:
    _assert_invalid(sqlite_portal, token)


def test_other_tokens_of_ours_are_no_access_tokens(portal: Portal) -> None:
    """RFC 9068 §4: `typ` tells them apart."""
    tokens = portal.tokens(portal.granted(rows.person()))
    _assert_invalid(portal, tokens["id_token"])
    _assert_invalid(portal, tokens["refresh_token"])
    _assert_invalid(portal, jws.sign(claims_in(tokens["access_token"]), alg="RS256", typ="logout+jwt"))


def test_an_expired_one(portal: Portal, moved_clock: MovedClock) -> None:
    token = portal.tokens(portal.granted(rows.person()))["access_token"]
    moved_clock.advance(timedelta(seconds=settings().access_token_lifetime))
    _assert_invalid(portal, token)


def test_one_that_names_no_grant(portal: Portal) -> None:
    claims = claims_in(portal.tokens(portal.granted(rows.person()))["access_token"])
    _assert_invalid(portal, jws.sign(claims | {"jti": "a_unknown.x"}, alg="ES256", typ="at+jwt"))


def test_one_whose_grant_ended(portal: Portal) -> None:
    token = portal.tokens(portal.granted(rows.person()))["access_token"]
    with transaction() as session:
        session.execute(update(Authorization).values(ended_at=clock.now(), ended_why="signed_out"))
    _assert_invalid(portal, token)


def test_one_whose_delegation_was_withdrawn(portal: Portal) -> None:
    """U13: at once everywhere."""
    person_id, unit_id = rows.person(), rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    token = portal.tokens(portal.granted(person_id, unit_id, "rec.position"))["access_token"]
    with transaction() as session:
        session.execute(update(BusinessGrant).values(ended_at=clock.now(), ended_why="withdrawn"))
    _assert_invalid(portal, token)


def test_one_whose_client_was_disabled(portal: Portal, moved_clock: MovedClock) -> None:
    token = portal.tokens(portal.granted(rows.person()))["access_token"]
    with transaction() as session:
        session.execute(update(Client).values(disabled_at=clock.now()))
    moved_clock.advance(timedelta(seconds=3))
    _assert_invalid(portal, token)


# --- signed (Core §5.3.2) --------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", keyring.ALGORITHMS)
def test_signed_as_registered(sqlite_app: Flask, alg: str) -> None:
    """`iss` and `aud` are there, and the same claims as in JSON; any library can verify it by the published keys."""
    plant_keys()
    portal = Portal.registered(sqlite_app, more={"userinfo_signed_response_alg": alg})
    person_id = rows.person()
    token = portal.tokens(portal.granted(person_id, scope="openid profile"))["access_token"]
    answer = portal.userinfo(token)
    assert answer.headers["Content-Type"] == "application/jwt"
    assert answer.headers["Cache-Control"] == "no-store"
    published = KeySet.import_key_set(sqlite_app.test_client().get("/oidc/jwks").get_json())
    signed = jwt.decode(answer.text, published, algorithms=[alg])
    assert signed.header["alg"] == alg
    assert {name: signed.claims[name] for name in ("iss", "aud", "sub", "name")} == {
        "iss": settings().issuer,
        "aud": "portal",
        "sub": person_id,
        "name": fictional.person_name(0),
    }
    assert_refused(portal.userinfo("x"), "invalid_token", 401)


def test_a_signed_answer_is_no_other_token(sqlite_app: Flask) -> None:
    """RFC 8725 §3.11: it has issuer, subject and audience, and must not pass for an ID token or an access token."""
    plant_keys()
    portal = Portal.registered(sqlite_app, more={"userinfo_signed_response_alg": "ES256"})
    answer = portal.userinfo(portal.tokens(portal.granted(rows.person()))["access_token"]).text
    assert id_token_hint.read(answer) is None
    _assert_invalid(portal, answer)
