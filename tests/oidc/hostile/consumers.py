"""Everything that takes a signed token: an honest one for it, how it is presented, and how a bad one is refused."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from flask import Flask
from joserfc.jwk import ECKey, Key
from joserfc.jws import JWSRegistry
from werkzeug.test import TestResponse

from idp import clock
from idp.features import GRANT_TYPES, JWT_BEARER, TOKEN_EXCHANGE
from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN
from idp.settings import settings
from idp.store import keyring
from tests.oidc import client_jwt, proofs
from tests.oidc.authorize.browser import CALLBACK, Browser, request_parameters
from tests.oidc.portal import VERIFIER, Portal, basic, body_of, claims_in, header_of
from tests.oidc.registration import registrar
from tests.support import rows

APPROVER = ECKey.generate_key("P-256", {"kid": "approver"})
SIGNER = client_jwt.KEYS["ES256"]
HOLDER = ECKey.generate_key("P-256", {"kid": "holder"})
Json = dict[str, Any]


@dataclass(frozen=True)
class House:
    """A provider on SQLite; a portal with a secret, the client `signer` that signs by SIGNER, a person at both."""

    app: Flask
    portal: Portal
    person_id: str
    grant_id: str
    bound_token: str
    """An access token that HOLDER proves."""

    initial_token: str
    tokens: Json
    """A token response for the person at the portal."""

    @classmethod
    def on(cls, app: Flask) -> "House":
        """Return the house on `app`, in its context and with signing keys."""
        usual: Json = {"grant_types": list(GRANT_TYPES), "redirect_uris": [CALLBACK], "consent_required": False}
        portal = Portal.registered(app, "portal", **usual)
        keys = {"jwks": client_jwt.key_set()}
        Portal.registered(
            app, "signer", **usual, secret_hash=None, token_endpoint_auth_method="private_key_jwt", more=keys
        )
        person_id = rows.person()
        grant_id = portal.granted(person_id)
        form = {
            "grant_type": "authorization_code",
            "code": portal.code_for(grant_id, redirect_uri=CALLBACK),
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        proof = compact(proof_header(), proof_claims("POST", "/oidc/token"), HOLDER)
        headers = {"Authorization": basic("portal", str(portal.secret)), "DPoP": proof}
        bound = str(body_of(portal.post("/oidc/token", form, headers=headers))["access_token"])
        code = portal.code_for(grant_id, redirect_uri=CALLBACK)
        tokens = body_of(portal.redeem(code, redirect_uri=CALLBACK))
        return cls(app, portal, person_id, grant_id, bound, registrar.initial_token(), tokens)

    def as_signer(self, path: str, **form: str) -> TestResponse:
        """Call an endpoint as the client `signer`."""
        return self.app.test_client().post(path, data=client_jwt.credentials("signer") | form)


@dataclass(frozen=True)
class Consumer:
    """One that takes signed tokens.

    `honest` gives header and claims of a token that it takes, signed by `key`; `send` presents one; `refusal` is what
    a token that is not good is answered: a status with an OAuth error, or what `said` makes of the answer.
    """

    name: str
    honest: Callable[[House], tuple[Json, Json]]
    send: Callable[[House, str], TestResponse]
    refusal: tuple[int, str | None]
    types: frozenset[str | None]
    """The values of `typ` that it takes; None where there may be none."""

    key: Callable[[], Key] = lambda: SIGNER
    alg: str = "ES256"
    accepted: frozenset[int] = frozenset({200, 201})

    @property
    def is_ours(self) -> bool:
        """Whether it takes what we sign ourselves."""
        return self.types in {ACCESS, ID}

    def said(self, response: TestResponse) -> tuple[int, str | None]:
        """Return status and error of an answer."""
        if response.mimetype == "application/json":
            body = response.get_json()
            return response.status_code, body.get("error", "inactive" if body.get("active") is False else None)
        query = dict(parse_qsl(urlsplit(response.headers.get("Location", "")).query))
        return response.status_code, query.get("error")

    def takes(self, response: TestResponse) -> bool:
        """Tell whether an answer means that the token was taken."""
        status, error = self.said(response)
        return error is None and status in self.accepted


def compact(header: Json, claims: Json | bytes, key: Key, alg: str = "ES256") -> str:
    """Return a JWS over exactly this header and these claims, signed by `alg` whatever the header says."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return signed(json.dumps(header).encode(), payload, key, alg)


def signed(header: bytes, payload: bytes, key: Key, alg: str = "ES256") -> str:
    """Return a compact JWS over these bytes."""
    content = b64(header) + b"." + b64(payload)
    return (content + b"." + b64(JWSRegistry.algorithms[alg].sign(content, key))).decode()


def b64(value: bytes) -> bytes:
    """Return base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=")


def proof_header() -> Json:
    """Return the header of HOLDER's proofs."""
    return {"typ": "dpop+jwt", "alg": "ES256", "jwk": HOLDER.as_dict(private=False)}


def proof_claims(method: str, path: str, **more: str) -> Json:
    """Return the claims of a proof for a request."""
    return {"jti": uuid4().hex, "htm": method, "htu": settings().issuer + path, "iat": clock.timestamp()} | more


def _assertion(_: House) -> tuple[Json, Json]:
    now = clock.timestamp()
    claims = {"iss": "signer", "sub": "signer", "aud": settings().issuer, "jti": uuid4().hex, "exp": now + 60}
    return {"alg": "ES256", "typ": "JWT", "kid": SIGNER.kid}, claims | {"iat": now}


def _authenticate(house: House, text: str) -> TestResponse:
    form = {"client_assertion_type": client_jwt.TYPE, "client_assertion": text, "grant_type": "client_credentials"}
    return house.app.test_client().post("/oidc/token", data=form)


def _request_object(_: House) -> tuple[Json, Json]:
    now = clock.timestamp()
    about = {"iss": "signer", "aud": settings().issuer, "iat": now, "exp": now + 60}
    header = {"alg": "ES256", "typ": "oauth-authz-req+jwt", "kid": SIGNER.kid}
    return header, about | request_parameters(client_id="signer")


def _authorize(house: House, text: str) -> TestResponse:
    return house.app.test_client().get(
        "/oidc/authorize", query_string={"client_id": "signer", "redirect_uri": CALLBACK, "request": text}
    )


def _own(name: str) -> Callable[[House], tuple[Json, Json]]:
    def honest(house: House) -> tuple[Json, Json]:
        token = house.tokens[name]
        return header_of(token), claims_in(token)

    return honest


def _hint(house: House, text: str) -> TestResponse:
    return Browser(house.app).authorize(id_token_hint=text)


def _prove(house: House, text: str) -> TestResponse:
    headers = {"Authorization": basic("portal", str(house.portal.secret)), "DPoP": text}
    return house.portal.post("/oidc/token", {"grant_type": "client_credentials"}, headers=headers)


def _prove_at_userinfo(house: House, text: str) -> TestResponse:
    headers = {"Authorization": f"DPoP {house.bound_token}", "DPoP": text}
    return house.app.test_client().get("/oidc/userinfo", headers=headers)


def _statement(house: House, text: str) -> TestResponse:
    return registrar.post(
        house.app, {"redirect_uris": [registrar.CALLBACK], "software_statement": text}, house.initial_token
    )


def _exchange(house: House, text: str) -> TestResponse:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": text, "subject_token_type": ACCESS_TOKEN}
    return house.portal.post("/oidc/token", form)


def _our(alg: str) -> Callable[[], Key]:
    return lambda: keyring.signer(alg).key


ANY_JWT = frozenset({None, "JWT", "jwt", "application/jwt"})
PROOF, ACCESS, ID = frozenset({"dpop+jwt"}), frozenset({"at+jwt"}), frozenset({"JWT"})
CONSUMERS = [
    Consumer(
        "client assertion",
        _assertion,
        _authenticate,
        (401, "invalid_client"),
        ANY_JWT | {"client-authentication+jwt"},
    ),
    Consumer(
        "assertion as a grant",
        _assertion,
        lambda house, text: house.as_signer("/oidc/token", grant_type=JWT_BEARER, assertion=text),
        (400, "invalid_grant"),
        ANY_JWT | {"authorization-grant+jwt"},
    ),
    Consumer(
        "pushed request object",
        _request_object,
        lambda house, text: house.as_signer("/oidc/par", request=text),
        (400, "invalid_request_object"),
        ANY_JWT | {"oauth-authz-req+jwt"},
    ),
    Consumer(
        "request object",
        _request_object,
        _authorize,
        (303, "invalid_request_object"),
        ANY_JWT | {"oauth-authz-req+jwt"},
        accepted=frozenset({303}),
    ),
    Consumer(
        "DPoP proof",
        lambda _: (proof_header(), proof_claims("POST", "/oidc/token")),
        _prove,
        (400, "invalid_dpop_proof"),
        PROOF,
        key=lambda: HOLDER,
    ),
    Consumer(
        "DPoP proof at UserInfo",
        lambda house: (
            proof_header(),
            proof_claims("GET", "/oidc/userinfo", ath=proofs.ath(house.bound_token)),
        ),
        _prove_at_userinfo,
        (401, "invalid_dpop_proof"),
        PROOF,
        key=lambda: HOLDER,
    ),
    Consumer(
        "software statement",
        lambda _: ({"alg": "ES256", "kid": "approver"}, {"iss": "https://approver.example", "iat": 1}),
        _statement,
        (400, "invalid_software_statement"),
        ANY_JWT,
        key=lambda: APPROVER,
    ),
    Consumer(
        "access token at UserInfo",
        _own("access_token"),
        lambda house, text: house.portal.userinfo(text),
        (401, "invalid_token"),
        ACCESS,
        key=_our("ES256"),
    ),
    Consumer(
        "access token at introspection",
        _own("access_token"),
        lambda house, text: house.portal.post("/oidc/introspect", {"token": text}),
        (200, "inactive"),
        ACCESS,
        key=_our("ES256"),
    ),
    Consumer(
        "subject token",
        _own("access_token"),
        _exchange,
        (400, "invalid_request"),
        ACCESS,
        key=_our("ES256"),
    ),
    Consumer(
        "ID token as a hint",
        _own("id_token"),
        _hint,
        (303, "invalid_request"),
        ID,
        key=_our("RS256"),
        alg="RS256",
        accepted=frozenset({303}),
    ),
    Consumer(
        "ID token as a hint for logout",
        _own("id_token"),
        lambda house, text: house.app.test_client().get("/oidc/end_session", query_string={"id_token_hint": text}),
        (400, None),
        ID,
        key=_our("RS256"),
        alg="RS256",
        accepted=frozenset({303}),
    ),
]
