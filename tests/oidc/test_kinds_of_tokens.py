"""A token of one kind presented as another, at everything that takes tokens: each takes its own kind and no other.

And what tokens say, exactly: RFC 9068 §2, RFC 9470 §6, RFC 7662 §2.2.
"""

from collections.abc import Callable
from typing import Any

import pytest

from idp import clock, ids
from idp.oidc import backchannel_logout, userinfo
from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN
from idp.oidc.token_endpoint.token_exchange import GRANT_TYPE as EXCHANGE
from idp.oidc.tokens import jws
from idp.settings import settings
from tests.oidc.portal import API, Portal, basic, claims_in, header_of, is_alive, stored
from tests.oidc.proofs import Key
from tests.oidc.registration import registrar
from tests.support import rows

CODE, REFRESH, ID_TOKEN, JWT, OPAQUE = "code", "refresh token", "ID token", "access JWT", "opaque access token"
OWN_JWT, LOGOUT, ASSERTION, PROOF, SECRET = (
    *("client's own access JWT", "logout token", "client assertion", "DPoP proof", "client secret"),
)
USERINFO, INITIAL, REGISTRATION = "signed UserInfo", "initial access token", "registration access token"


class Issued:
    """One of each kind, all from grants of one person at one portal; and which grant each hangs on."""

    def __init__(self, portal: Portal) -> None:
        person_id = rows.person()
        usual: dict[str, Any] = {
            "grant_types": ["authorization_code", "refresh_token", "client_credentials", EXCHANGE],
            "consent_required": False,
        }
        self.portal = Portal.registered(portal.app, "all", **usual)
        self.opaque = Portal.registered(portal.app, "opaque", **usual, access_token_format="opaque")
        self.grants = [self.portal.granted(person_id), self.portal.granted(person_id), self.opaque.granted(person_id)]
        answer, opaque = self.portal.tokens(self.grants[1]), self.opaque.tokens(self.grants[2])
        own = self.portal.post("/oidc/token", {"grant_type": "client_credentials"}).get_json()
        self.told = registrar.registered(portal.app, registrar.initial_token())
        now = clock.timestamp()
        about = {"iss": settings().issuer, "aud": "all", "iat": now, "exp": now + 60, "jti": ids.new_id("")}
        self.tokens = {
            CODE: self.portal.code_for(self.grants[0]),
            REFRESH: answer["refresh_token"],
            ID_TOKEN: answer["id_token"],
            JWT: answer["access_token"],
            OPAQUE: opaque["access_token"],
            OWN_JWT: own["access_token"],
            LOGOUT: jws.sign({**about, "sub": person_id, "events": {}}, alg="RS256", typ=backchannel_logout.TYP),
            ASSERTION: Key().proof(header={"typ": "JWT"}, iss="all", sub="all", aud=settings().issuer),
            PROOF: Key().proof(),
            SECRET: str(self.portal.secret),
            USERINFO: jws.sign({**about, "sub": person_id}, alg="RS256", typ=userinfo.JWT_TYPE),
            INITIAL: registrar.initial_token(),
            REGISTRATION: self.told["registration_access_token"],
        }

    def whose(self, kind: str) -> Portal:
        """Return the client that a token was issued to."""
        return self.opaque if kind == OPAQUE else self.portal


def _userinfo(issued: Issued, kind: str) -> bool:
    return issued.portal.userinfo(issued.tokens[kind]).status_code == 200


def _introspection(issued: Issued, kind: str) -> bool:
    return bool(issued.whose(kind).introspect(issued.tokens[kind])["active"])


def _exchange(issued: Issued, kind: str) -> bool:
    form = {"grant_type": EXCHANGE, "subject_token": issued.tokens[kind], "subject_token_type": ACCESS_TOKEN}
    return issued.whose(kind).post("/oidc/token", form).status_code == 200


def _id_token_hint(issued: Issued, kind: str) -> bool:
    query = {"id_token_hint": issued.tokens[kind]}
    return issued.portal.app.test_client().get("/oidc/end_session", query_string=query).status_code == 303


def _redeem(issued: Issued, kind: str) -> bool:
    return issued.portal.redeem(issued.tokens[kind]).status_code == 200


def _refresh(issued: Issued, kind: str) -> bool:
    return issued.whose(kind).refresh(issued.tokens[kind]).status_code == 200


def _client_secret(issued: Issued, kind: str) -> bool:
    headers = {"Authorization": basic("all", issued.tokens[kind])}
    return issued.portal.post("/oidc/token", {"grant_type": "client_credentials"}, headers=headers).status_code == 200


def _register(issued: Issued, kind: str) -> bool:
    body = {"redirect_uris": [registrar.CALLBACK]}
    return registrar.post(issued.portal.app, body, issued.tokens[kind]).status_code == 201


def _manage(issued: Issued, kind: str) -> bool:
    return registrar.manage(issued.portal.app, issued.told, "GET", token=issued.tokens[kind]).status_code == 200


@pytest.mark.parametrize(
    ("consumer", "takes"),
    [
        (_userinfo, {JWT, OPAQUE}),
        (_introspection, {JWT, OPAQUE, OWN_JWT, REFRESH}),
        (_exchange, {JWT, OPAQUE}),
        (_id_token_hint, {ID_TOKEN}),
        (_redeem, {CODE}),
        (_refresh, {REFRESH}),
        (_client_secret, {SECRET}),
        (_register, {INITIAL}),
        (_manage, {REGISTRATION}),
    ],
)
def test_each_takes_its_own_kind(
    sqlite_portal: Portal, consumer: Callable[[Issued, str], bool], takes: set[str]
) -> None:
    """Refusals come first: what was refused anywhere was not used up by it."""
    issued = Issued(sqlite_portal)
    in_order = sorted(issued.tokens, key=lambda kind: kind in takes)
    assert {kind for kind in in_order if consumer(issued, kind)} == takes
    assert all(is_alive(grant_id) for grant_id in issued.grants)


def test_revocation_revokes_its_own_kinds(sqlite_portal: Portal) -> None:
    """RFC 7009 §2.2: always 200; but what is neither access nor refresh token ends nothing."""
    issued = Issued(sqlite_portal)
    for kind in (CODE, ID_TOKEN, LOGOUT, ASSERTION, PROOF, SECRET, USERINFO, INITIAL, REGISTRATION):
        assert issued.portal.revoke(issued.tokens[kind]).status_code == 200
    assert all(is_alive(grant_id) for grant_id in issued.grants)
    assert all(_introspection(issued, kind) for kind in (JWT, OPAQUE, OWN_JWT, REFRESH))
    for kind in (JWT, OPAQUE, OWN_JWT, REFRESH):
        answer = issued.whose(kind).revoke(issued.tokens[kind])
        assert (answer.status_code, answer.data) == (200, b"")
        assert not _introspection(issued, kind)


# --- what tokens say ------------------------------------------------------------------------------------------------


def test_an_access_token_is_one_of_rfc_9068(sqlite_portal: Portal) -> None:
    """RFC 9068 §2.1, §2.2: nothing left out, everything of the right type."""
    grant_id = sqlite_portal.granted(rows.person(), scope="openid profile")
    answer = sqlite_portal.tokens(grant_id)
    header, claims = header_of(answer["access_token"]), claims_in(answer["access_token"])
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
    assert set(claims) == {
        *("iss", "exp", "aud", "sub", "client_id", "iat", "jti"),  # §2.2, all required
        *("auth_time", "acr", "amr", "scope"),  # §2.2.1, §2.2.3
        *("sub_profile", "sid"),  # ours
    }
    assert (claims["iss"], claims["aud"], claims["client_id"]) == (settings().issuer, API, "portal")
    assert all(type(claims[name]) is int for name in ("exp", "iat", "auth_time"))
    assert isinstance(claims["amr"], list)
    assert claims["scope"] == answer["scope"]


def test_an_api_can_tell_how_and_when_the_person_signed_in(sqlite_portal: Portal) -> None:
    """RFC 9470 §6.1, §6.2: `acr` and `auth_time`, in JWT and introspection; a refresh does not renew them."""
    grant_id = sqlite_portal.granted(rows.person())
    first = sqlite_portal.tokens(grant_id)
    again = sqlite_portal.refreshed(first["refresh_token"])
    signed_in = (stored(grant_id).acr, int(stored(grant_id).auth_time.timestamp()))
    for token in (first["access_token"], again["access_token"]):
        for said in (claims_in(token), sqlite_portal.introspect(token)):
            assert (said["acr"], said["auth_time"]) == signed_in


def test_introspection_answers_in_the_words_of_the_rfc(sqlite_portal: Portal) -> None:
    """RFC 7662 §2.2; RFC 9449 §6.2 `token_type`; the types are those of the RFC."""
    answer = sqlite_portal.introspect(sqlite_portal.tokens(sqlite_portal.granted(rows.person()))["access_token"])
    assert answer["active"] is True
    assert all(isinstance(answer[name], str) for name in ("scope", "client_id", "token_type", "sub", "iss", "jti"))
    assert all(type(answer[name]) is int for name in ("exp", "iat"))
