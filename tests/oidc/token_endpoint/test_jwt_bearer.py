"""The JWT bearer grant: RFC 7523 §2.1, §3, in our narrow reading; an assertion opens nothing new."""

from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import update
from werkzeug.test import TestResponse

from idp.features import JWT_BEARER
from idp.persons.model import Person
from idp.settings import settings
from idp.store.db import transaction
from tests.oidc import client_jwt
from tests.oidc.client_jwt import key_set
from tests.oidc.portal import API, Portal, assert_refused, audited, basic, body_of
from tests.oidc.proofs import Key
from tests.support import rows
from tests.support.clocks import MovedClock

SIGNER: dict[str, Any] = {
    "grant_types": ["authorization_code", "refresh_token", JWT_BEARER],
    "more": {"jwks": key_set()},
}


@pytest.fixture
def signer(sqlite_portal: Portal) -> Portal:
    """A confidential client with keys and the grant type."""
    return Portal.registered(sqlite_portal.app, "signer", **SIGNER)


def present(portal: Portal, assertion: str, **form: str) -> TestResponse:
    """Present an assertion as a grant."""
    return portal.post("/oidc/token", {"grant_type": JWT_BEARER, "assertion": assertion} | form)


def about(subject: str, **changes: Any) -> str:
    """Return an assertion of `signer` about a subject."""
    return client_jwt.assertion("signer", sub=subject, **changes)


def offline(signer: Portal, person_id: str, scope: str = "openid profile offline_access") -> dict[str, Any]:
    """Let the person grant the client offline access; return the token response."""
    return signer.tokens(signer.granted(person_id, scope=scope))


# --- about the client itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", client_jwt.ALL)
def test_in_its_own_name(signer: Portal, alg: str) -> None:
    """As client credentials are: nobody is acted for, no refresh token."""
    answer = body_of(present(signer, about("signer", alg=alg), scope="rec.fair"))
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    said = signer.introspect(answer["access_token"])
    assert (said["sub"], said["sub_profile"], said["aud"]) == ("signer", "service", API)
    (entry,) = audited("token.issued")
    assert entry.details == {"grant_type": JWT_BEARER, "scope": "rec.fair"}


def test_the_scopes_of_persons_are_refused(signer: Portal) -> None:
    assert_refused(present(signer, about("signer"), scope="openid"), "invalid_scope")


# --- about a person ------------------------------------------------------------------------------------------------


def test_a_person_who_let_it(portal: Portal) -> None:
    """An access token within the grant, and nothing beside; a refresh token it does not need."""
    signer = Portal.registered(portal.app, "signer", **SIGNER)
    person_id = rows.person()
    offline(signer, person_id)
    answer = body_of(present(signer, about(person_id)))
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer["scope"] == "openid profile"
    said = signer.introspect(answer["access_token"])
    assert (said["sub"], said["acr"]) == (person_id, "urn:jingban:acr:L1")
    assert "act" not in said
    assert body_of(signer.userinfo(answer["access_token"]))["sub"] == person_id
    assert body_of(present(signer, about(person_id), scope="profile"))["scope"] == "profile"
    assert_refused(present(signer, about(person_id), scope="openid phone"), "invalid_scope")
    assert_refused(present(signer, about(person_id), resource="https://other.example"), "invalid_target")


def test_one_who_did_not(signer: Portal, moved_clock: MovedClock) -> None:
    """No grant, none for oneself, none while away, an ended one, one that could not be refreshed any more."""
    person_id, other_id = rows.person(), rows.person(1)
    assert_refused(present(signer, about("p_unheard_of")), "invalid_grant")
    assert_refused(present(signer, about(person_id)), "invalid_grant")
    offline(signer, person_id, "openid profile")
    assert_refused(present(signer, about(person_id)), "invalid_grant")
    unit_id = rows.unit()
    rows.grant(rows.binding(unit_id, person_id), rows.business())
    signer.tokens(signer.granted(person_id, unit_id, "rec.position", scope="openid offline_access"))
    assert_refused(present(signer, about(person_id)), "invalid_grant")
    elsewhere = Portal.registered(signer.app, "elsewhere")
    elsewhere.tokens(elsewhere.granted(person_id, scope="openid offline_access"))
    assert_refused(present(signer, about(person_id)), "invalid_grant")
    signer.revoke(offline(signer, person_id)["refresh_token"])
    assert_refused(present(signer, about(person_id)), "invalid_grant")
    offline(signer, other_id)
    assert present(signer, about(other_id)).status_code == 200
    moved_clock.advance(timedelta(seconds=settings().refresh_token_lifetime))
    assert_refused(present(signer, about(other_id)), "invalid_grant")


def test_it_ends_with_the_grant(signer: Portal) -> None:
    """U13: the token hangs on the grant; a locked account has none."""
    person_id = rows.person()
    tokens = offline(signer, person_id)
    answer = body_of(present(signer, about(person_id)))
    signer.revoke(tokens["refresh_token"])
    assert signer.introspect(answer["access_token"]) == {"active": False}
    offline(signer, person_id)
    with transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="locked"))
    assert_refused(present(signer, about(person_id)), "invalid_grant")


def test_units_and_pairwise_names(signer: Portal) -> None:
    """Only persons, by the id that is theirs everywhere."""
    assert_refused(present(signer, about(rows.unit())), "invalid_grant")
    person_id = rows.person()
    more = {"jwks": key_set(), "subject_type": "pairwise"}
    pairwise = Portal.registered(signer.app, "pairwise", **SIGNER | {"more": more})
    sub = pairwise.introspect(offline(pairwise, person_id)["access_token"])["sub"]
    assert sub != person_id
    for each in (sub, person_id):
        assert_refused(present(pairwise, client_jwt.assertion("pairwise", sub=each)), "invalid_grant")


# --- what an assertion must be (RFC 7523 §3) ------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "portal"},
        {"iss": None},
        {"sub": None},
        {"sub": 1},
        {"sub": "portal"},
        {"sub": "p_\u0000"},
        {"aud": None},
        {"aud": "https://other.example"},
        {"aud": "http://localhost:8000/oidc/introspect"},
        {"exp": None},
        {"exp": 1},
        {"exp": 10**11},
        {"nbf": 10**11},
        {"jti": None},
        {"key": ECKey.generate_key("P-256", {"kid": "ec"})},
    ],
    ids=", ".join,
)
def test_refused(signer: Portal, changes: dict[str, Any]) -> None:
    """RFC 7523 §3.1."""
    assert_refused(present(signer, client_jwt.assertion("signer", **changes)), "invalid_grant")


def test_it_serves_once_and_as_one_thing(signer: Portal) -> None:
    """A `jti` is used up; and what proved the client is not a grant as well."""
    once = about("signer")
    assert present(signer, once).status_code == 200
    assert_refused(present(signer, once), "invalid_grant")
    keyed = Portal.registered(
        signer.app, "keyed", **SIGNER, secret_hash=None, token_endpoint_auth_method="private_key_jwt"
    )
    proof = client_jwt.credentials("keyed")
    form = {"grant_type": JWT_BEARER, "assertion": proof["client_assertion"]}
    assert_refused(keyed.post("/oidc/token", form | proof, headers={}), "invalid_grant")
    form["assertion"] = client_jwt.assertion("keyed")
    assert keyed.post("/oidc/token", form | client_jwt.credentials("keyed"), headers={}).status_code == 200


def test_the_client_proves_itself_all_the_same(signer: Portal) -> None:
    """An assertion that leaked is nothing without the client; nor in another client's hands."""
    wrong = {"Authorization": basic("signer", "wrong")}
    form = {"grant_type": JWT_BEARER, "assertion": about("signer")}
    assert_refused(signer.post("/oidc/token", form, headers=wrong), "invalid_client", 401)
    other = Portal.registered(signer.app, "other", **SIGNER)
    assert_refused(present(other, about("signer")), "invalid_grant")
    assert_refused(present(Portal.registered(signer.app, "unregistered"), about("signer")), "unauthorized_client")


def test_bound_to_a_key(signer: Portal) -> None:
    """RFC 9449 §5: of whatever grant type."""
    key = Key()
    headers = {"Authorization": basic("signer", signer.secret or ""), "DPoP": key.proof()}
    form = {"grant_type": JWT_BEARER, "assertion": about("signer")}
    answer = body_of(signer.post("/oidc/token", form, headers=headers))
    assert answer["token_type"] == "DPoP"
