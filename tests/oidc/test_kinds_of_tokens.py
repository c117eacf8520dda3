"""A token of one kind presented as another, at everything that takes tokens: each takes its own kind and no other.

Whatever is refused is refused with the error that belongs there. And what tokens say, exactly: RFC 9068 §2, RFC 9470
§6, RFC 7662 §2.2.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp import clock, ids
from idp.features import DEVICE_CODE, GRANT_TYPES, JWT_BEARER
from idp.oidc import backchannel_logout, userinfo
from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN
from idp.oidc.token_endpoint.token_exchange import GRANT_TYPE as EXCHANGE
from idp.oidc.tokens import jws
from idp.settings import settings
from tests.oidc import client_jwt
from tests.oidc.authorize.browser import CALLBACK, Browser, request_parameters
from tests.oidc.portal import API, VERIFIER, Portal, basic, body_of, claims_in, header_of, is_alive, stored
from tests.oidc.proofs import Key, ath
from tests.oidc.registration import registrar
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.signing import plant_keys

CODE, REFRESH, ID_TOKEN, JWT, OPAQUE = "code", "refresh token", "ID token", "access JWT", "opaque access token"
OWN_JWT, LOGOUT, ASSERTION, PROOF, SECRET = (
    *("client's own access JWT", "logout token", "client assertion", "DPoP proof", "client secret"),
)
USERINFO, INITIAL, REGISTRATION = "signed UserInfo", "initial access token", "registration access token"
REQUEST, STATEMENT, DEVICE, PUSHED = "request object", "software statement", "device code", "pushed request_uri"
TYPED, GRANT, BOUND, SESSION = "typed client assertion", "typed assertion as a grant", "bound access JWT", "session"

APPROVER = ECKey.generate_key("P-256", {"kid": "approver"})


class Issued:
    """One of each kind, from grants of one person and from the clients' own keys; and which grant each hangs on.

    Everything that a client signs is by one key of `signer`, DPoP proofs too: only what it says tells the kinds apart.
    """

    def __init__(self, app: Flask) -> None:
        person_id = rows.person()
        usual: dict[str, Any] = {
            "grant_types": list(GRANT_TYPES),
            "redirect_uris": [CALLBACK],
            "consent_required": False,
        }
        self.app = app
        self.portal = Portal.registered(app, "all", **usual)
        self.opaque = Portal.registered(app, "opaque", **usual, access_token_format="opaque")
        self.key = Key()
        signing = {"jwks": {"keys": [self.key.jwk]}}
        rows.client("signer", **usual, token_endpoint_auth_method="private_key_jwt", more=signing)
        self.grants = [self.portal.granted(person_id) for _ in range(3)]
        self.grants.append(self.opaque.granted(person_id))
        self.told = registrar.registered(app, registrar.initial_token())
        self.session = rows.signed_in(person_id)
        self.tokens = {**self._issued(), **self._signed_by_us(person_id), **self._signed_by_clients()}

    def _issued(self) -> dict[str, str]:
        answer, opaque = self._tokens(self.portal, 1), self._tokens(self.opaque, 3)
        device = self.portal.post("/oidc/device_authorization", {"scope": "openid"})
        return {
            CODE: self._code(self.portal, 0),
            REFRESH: answer["refresh_token"],
            ID_TOKEN: answer["id_token"],
            JWT: answer["access_token"],
            BOUND: self._tokens(self.portal, 2, DPoP=self.key.proof())["access_token"],
            OPAQUE: opaque["access_token"],
            OWN_JWT: body_of(self.portal.post("/oidc/token", {"grant_type": "client_credentials"}))["access_token"],
            SECRET: str(self.portal.secret),
            INITIAL: registrar.initial_token(),
            REGISTRATION: self.told["registration_access_token"],
            DEVICE: body_of(device)["device_code"],
            PUSHED: body_of(self.portal.post("/oidc/par", request_parameters(client_id="all")))["request_uri"],
            SESSION: self.session,
        }

    def _signed_by_us(self, person_id: str) -> dict[str, str]:
        now = clock.timestamp()
        about = {"iss": settings().issuer, "aud": "all", "iat": now, "exp": now + 60, "jti": ids.new_id("")}
        return {
            LOGOUT: jws.sign({**about, "sub": person_id, "events": {}}, alg="RS256", typ=backchannel_logout.TYP),
            USERINFO: jws.sign({**about, "sub": person_id}, alg="RS256", typ=userinfo.JWT_TYPE),
        }

    def _signed_by_clients(self) -> dict[str, str]:
        kid = {"kid": "approver"}
        about = {"iss": "https://approver.example", "sub": "signer", "aud": settings().issuer, "jti": ids.new_id("")}
        statement = about | {"exp": clock.timestamp() + 60, "iat": clock.timestamp()}
        return {
            ASSERTION: self.assertion("JWT"),
            TYPED: self.assertion("client-authentication+jwt"),
            GRANT: self.assertion("authorization-grant+jwt"),
            PROOF: self.key.proof(),
            REQUEST: self.signed("oauth-authz-req+jwt", iss="signer", **request_parameters(client_id="signer")),
            STATEMENT: client_jwt.signed(statement, key=APPROVER, header=kid),
        }

    def assertion(self, typ: str) -> str:
        """Return an assertion of `signer` about itself."""
        return self.signed(typ, iss="signer", sub="signer")

    def signed(self, typ: str, **claims: Any) -> str:
        """Return a JWT by the key of `signer`, for us."""
        header = {"typ": typ, "jwk": None}
        about = {"htm": None, "htu": None, "aud": settings().issuer, "exp": clock.timestamp() + 60}
        return self.key.proof(header=header, **about | claims)

    def _code(self, portal: Portal, number: int) -> str:
        return portal.code_for(self.grants[number], redirect_uri=CALLBACK)

    def _tokens(self, portal: Portal, number: int, **headers: str) -> dict[str, Any]:
        response = redeem(portal, self._code(portal, number), **headers)
        assert response.status_code == 200, response.text
        return body_of(response)

    def whose(self, kind: str) -> Portal:
        """Return the client that a token was issued to."""
        return self.opaque if kind == OPAQUE else self.portal

    def as_signer(self, path: str, **form: str) -> TestResponse:
        """Call an endpoint as the client `signer`."""
        credentials = {"client_assertion_type": client_jwt.TYPE, "client_assertion": self.assertion("JWT")}
        return self.app.test_client().post(path, data=credentials | form)


def redeem(portal: Portal, code: str, **headers: str) -> TestResponse:
    """Redeem a code at CALLBACK, with further headers."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    credentials = {"Authorization": basic(portal.client_id, str(portal.secret))}
    return portal.post("/oidc/token", form, headers=credentials | headers)


def said(response: TestResponse) -> tuple[int, str | None]:
    """Return status and error of an answer, in JSON or in an address; `inactive` is what introspection says."""
    if response.mimetype == "application/json" and response.data:
        body = body_of(response)
        return response.status_code, "inactive" if body.get("active") is False else body.get("error")
    return response.status_code, dict(parse_qsl(urlsplit(response.headers.get("Location", "")).query)).get("error")


def _exchange(issued: Issued, kind: str) -> TestResponse:
    form = {"grant_type": EXCHANGE, "subject_token": issued.tokens[kind], "subject_token_type": ACCESS_TOKEN}
    return issued.whose(kind).post("/oidc/token", form)


def _actor(issued: Issued, kind: str) -> TestResponse:
    form = {"grant_type": EXCHANGE, "subject_token": issued.tokens[JWT], "subject_token_type": ACCESS_TOKEN}
    form |= {"actor_token": issued.tokens[kind], "actor_token_type": ACCESS_TOKEN}
    return issued.portal.post("/oidc/token", form)


def _secret(issued: Issued, kind: str) -> TestResponse:
    headers = {"Authorization": basic("all", issued.tokens[kind])}
    return issued.portal.post("/oidc/token", {"grant_type": "client_credentials"}, headers=headers)


def _authenticate(issued: Issued, kind: str) -> TestResponse:
    form = {"client_assertion_type": client_jwt.TYPE, "client_assertion": issued.tokens[kind]}
    return issued.app.test_client().post("/oidc/token", data=form | {"grant_type": "client_credentials"})


def _prove(issued: Issued, kind: str) -> TestResponse:
    headers = {"Authorization": basic("all", str(issued.portal.secret)), "DPoP": issued.tokens[kind]}
    return issued.portal.post("/oidc/token", {"grant_type": "client_credentials"}, headers=headers)


def _with_proof(issued: Issued, kind: str) -> TestResponse:
    proof = issued.key.proof("/oidc/userinfo", htm="GET", ath=ath(issued.tokens[kind]))
    headers = {"Authorization": f"DPoP {issued.tokens[kind]}", "DPoP": proof}
    return issued.app.test_client().get("/oidc/userinfo", headers=headers)


def _pushed(issued: Issued, kind: str) -> TestResponse:
    query = {"client_id": "all", "redirect_uri": CALLBACK, "request_uri": issued.tokens[kind]}
    return Browser(issued.app).http.get("/oidc/authorize", query_string=query)


def _logout(issued: Issued, kind: str) -> TestResponse:
    query = {"id_token_hint": issued.tokens[kind]}
    return issued.app.test_client().get("/oidc/end_session", query_string=query)


def _session(issued: Issued, kind: str) -> TestResponse:
    browser = Browser(issued.app)
    browser.http.set_cookie("jingban_session", issued.tokens[kind])
    return browser.authorize(client_id="all", prompt="none")


def _register(issued: Issued, kind: str) -> TestResponse:
    return registrar.post(issued.app, {"redirect_uris": [registrar.CALLBACK]}, issued.tokens[kind])


def _state(issued: Issued, kind: str) -> TestResponse:
    body = {"redirect_uris": [registrar.CALLBACK], "software_statement": issued.tokens[kind]}
    return registrar.post(issued.app, body, registrar.initial_token())


def _granted(issued: Issued, kind: str, grant_type: str, name: str) -> TestResponse:
    return issued.whose(kind).post("/oidc/token", {"grant_type": grant_type, name: issued.tokens[kind]})


Said = tuple[int, str | None]


@dataclass(frozen=True)
class Consumer:
    """What takes tokens: how one is presented, which kinds it takes, and what it says of the others.

    `taken` is its answer to what it takes; `but` are kinds of which it says something else.
    """

    name: str
    present: Callable[[Issued, str], TestResponse]
    takes: frozenset[str]
    refusal: Said
    taken: Said = (200, None)
    but: dict[str, Said] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def answer(self, kind: str) -> Said:
        """Return what it says of a kind."""
        return self.taken if kind in self.takes else self.but.get(kind, self.refusal)


NOBODY, INVALID = (403, "insufficient_scope"), (400, "invalid_grant")
CONSUMERS = (
    Consumer(
        "UserInfo",
        lambda issued, kind: issued.portal.userinfo(issued.tokens[kind]),
        frozenset({JWT, OPAQUE}),
        (401, "invalid_token"),
        but={OWN_JWT: NOBODY},
    ),
    Consumer("UserInfo, with a proof", _with_proof, frozenset({BOUND}), (401, "invalid_token")),
    Consumer(
        "introspection",
        lambda issued, kind: issued.whose(kind).post("/oidc/introspect", {"token": issued.tokens[kind]}),
        frozenset({JWT, BOUND, OPAQUE, OWN_JWT, REFRESH}),
        (200, "inactive"),
    ),
    Consumer("subject token", _exchange, frozenset({JWT, OPAQUE}), (400, "invalid_request")),
    Consumer("actor token", _actor, frozenset(), (400, "invalid_request")),
    Consumer("hint for logout", _logout, frozenset({ID_TOKEN}), (400, None), taken=(303, None)),
    Consumer(
        "hint for sign-in",
        lambda issued, kind: Browser(issued.app).authorize(client_id="all", id_token_hint=issued.tokens[kind]),
        frozenset({ID_TOKEN}),
        (303, "invalid_request"),
        taken=(303, None),
    ),
    Consumer("code", lambda issued, kind: redeem(issued.portal, issued.tokens[kind]), frozenset({CODE}), INVALID),
    Consumer(
        "refresh token",
        lambda issued, kind: _granted(issued, kind, "refresh_token", "refresh_token"),
        frozenset({REFRESH}),
        INVALID,
    ),
    Consumer(
        "device code",
        lambda issued, kind: _granted(issued, kind, DEVICE_CODE, "device_code"),
        frozenset({DEVICE}),
        INVALID,
        taken=(400, "authorization_pending"),
    ),
    Consumer("client secret", _secret, frozenset({SECRET}), (401, "invalid_client")),
    Consumer("client assertion", _authenticate, frozenset({ASSERTION, TYPED}), (401, "invalid_client")),
    Consumer(
        "assertion as a grant",
        lambda issued, kind: issued.as_signer("/oidc/token", grant_type=JWT_BEARER, assertion=issued.tokens[kind]),
        frozenset({ASSERTION, GRANT}),  # RFC 7523: without a type of its own an assertion is one of the two, once
        INVALID,
    ),
    Consumer(
        "request object",
        lambda issued, kind: issued.as_signer("/oidc/par", request=issued.tokens[kind]),
        frozenset({REQUEST}),
        (400, "invalid_request_object"),
        taken=(201, None),
    ),
    Consumer("DPoP proof", _prove, frozenset({PROOF}), (400, "invalid_dpop_proof")),
    Consumer("request_uri", _pushed, frozenset({PUSHED}), (303, "invalid_request_uri"), taken=(303, None)),
    Consumer(
        "software statement", _state, frozenset({STATEMENT}), (400, "invalid_software_statement"), taken=(201, None)
    ),
    Consumer("initial access token", _register, frozenset({INITIAL}), (401, "invalid_token"), taken=(201, None)),
    Consumer(
        "registration access token",
        lambda issued, kind: registrar.manage(issued.app, issued.told, "GET", token=issued.tokens[kind]),
        frozenset({REGISTRATION}),
        (401, "invalid_token"),
    ),
    Consumer("session cookie", _session, frozenset({SESSION}), (303, "login_required"), taken=(303, None)),
)


@pytest.fixture
def issued(make_app: MakeApp, migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Issued]:
    """One of each kind, at a provider that trusts APPROVER."""
    file = tmp_path / "approvers.json"
    file.write_text(json.dumps({"keys": [APPROVER.as_dict(private=False)]}))
    app = make_app(migrated_sqlite_url, software_statement_jwks=file)
    with app.app_context():
        plant_keys()
        yield Issued(app)


@pytest.mark.parametrize("consumer", CONSUMERS, ids=str)
def test_each_takes_its_own_kind(issued: Issued, consumer: Consumer) -> None:
    """Refusals come first: what was refused anywhere was not used up by it."""
    in_order = sorted(issued.tokens, key=lambda kind: kind in consumer.takes)
    answers = {kind: said(consumer.present(issued, kind)) for kind in in_order}
    assert answers == {kind: consumer.answer(kind) for kind in in_order}
    assert all(is_alive(grant_id) for grant_id in issued.grants)


def test_every_kind_is_taken_somewhere(issued: Issued) -> None:
    """Else a kind that is no good for anything would prove nothing."""
    taken = frozenset().union(*(consumer.takes for consumer in CONSUMERS))
    assert set(issued.tokens) - taken == {LOGOUT, USERINFO}, "which portals take, not we"


def test_revocation_revokes_its_own_kinds(issued: Issued) -> None:
    """RFC 7009 §2.2: always 200; but what is neither access nor refresh token ends nothing."""
    revocable = (JWT, BOUND, OPAQUE, OWN_JWT, REFRESH)
    for kind in set(issued.tokens) - set(revocable):
        assert issued.portal.revoke(issued.tokens[kind]).status_code == 200
    assert all(is_alive(grant_id) for grant_id in issued.grants)
    assert all(issued.whose(kind).introspect(issued.tokens[kind])["active"] for kind in revocable)
    for kind in revocable:
        answer = issued.whose(kind).revoke(issued.tokens[kind])
        assert (answer.status_code, answer.data) == (200, b"")
        assert not issued.whose(kind).introspect(issued.tokens[kind])["active"]


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
