"""A small real OpenID provider for the portal's tests: HTTP, discovery, code flow with PKCE, logout tokens.

It says whatever a test wants it to say, also what a sound provider never would. It has no pages: whoever comes to its
authorization endpoint is `visit.person` and chose `visit.unit`.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

from relying_parties.shared import clock

CLIENT_ID, CLIENT_SECRET = "recruitment", "secret-of-the-portal"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
BUSINESSES = "rec.company rec.position"

PERSON = {"sub": "p_zhang", "name": "*三"}
UNIT_A = {"sub": "u_river", "uscc": "91440101MA00000156", "name": "示例江河科技有限公司", "verified": True}
UNIT_B = {"sub": "u_hill", "uscc": "91440101MA0000023X", "name": "示例青山餐饮有限公司", "verified": False}


@dataclass
class Visit:
    """Who comes to the authorization endpoint next, and what the answer is like."""

    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    unit: dict[str, Any] | None = None
    businesses: str = BUSINESSES
    error: str | None = None
    expires_at: int | None = None
    acr: str | None = "urn:jingban:acr:L1"
    signed_in_ago: int = 0
    """Seconds since the person last proved who they are."""
    answer: dict[str, str | None] = field(default_factory=dict)
    """Parameters of the answer that are replaced, or left out (None)."""


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base's signature
        pass


class Issuer:
    """The provider. `requests` are the authorization requests so far; `life` the seconds an access token lives."""

    def __init__(self) -> None:
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"})
        self.ec = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"})
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True, request_handler=Quiet)
        self.url = f"http://localhost:{self._server.server_port}"
        self.api = ""
        self.redirect_uri = ""
        self.reset()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def reset(self) -> None:
        """Forget everything that tests said."""
        self.visit = Visit()
        self.life = 300
        self.fault: int | None = None
        self.delay = 0.0
        self.requests: list[dict[str, str]] = []
        self.codes: dict[str, dict[str, Any]] = {}
        self.refresh_tokens: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, str] = {}
        self.ended: set[str] = set()
        self.refreshes = 0
        self.introspections = 0
        self.id_token: dict[str, Any] = {}
        self.access_token: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def broken(self, status: int = 500) -> Iterator[None]:
        """Answer everything with `status` while the block runs."""
        self.fault = status
        try:
            yield
        finally:
            self.fault = None

    def sid_of(self, unit: dict[str, Any] | None) -> str:
        """Return the `sid` of the session for `unit`; as with the real provider there is one for each unit."""
        key = unit["sub"] if unit else ""
        if self.sessions.get(key) in {None, *self.ended}:
            self.sessions[key] = f"ps_{secrets.token_hex(8)}"
        return self.sessions[key]

    def withdraw(self, sid: str) -> None:
        """Let every token of a session die, without telling the portal."""
        self.ended.add(sid)

    def logout_token(self, key: RSAKey | ECKey | None = None, typ: str | None = "logout+jwt", **changes: Any) -> str:
        """Sign a logout token; None as a change leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "events": {LOGOUT_EVENT: {}},
            "sub": PERSON["sub"],
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.sign(claims, key or self.rsa, typ)

    def sign(self, claims: dict[str, Any], key: RSAKey | ECKey | None = None, typ: str | None = "at+jwt") -> str:
        """Sign any claims; with the ES256 key unless another one is given."""
        key = key or self.ec
        header: dict[str, Any] = {"alg": "RS256" if isinstance(key, RSAKey) else "ES256", "kid": key.kid}
        if typ is not None:
            header["typ"] = typ
        return jwt.encode(header, claims, key, algorithms=["RS256", "ES256"])

    def access_claims(self, unit: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """Return the claims of an access token as DESIGN 4 has them, for a test to spoil."""
        now = clock.now()  # the portal's, which tests may set ahead
        person = self.visit.person
        subject: dict[str, Any] = {"sub": person["sub"], "sub_profile": "user"}
        if unit is not None:
            actor = {"sub": person["sub"], "sub_profile": "user"}
            subject = {"sub": unit["sub"], "sub_profile": "organization", "act": actor}
        claims = {
            "iss": self.url,
            "aud": self.api,
            "client_id": CLIENT_ID,
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + self.life,
            "scope": f"openid profile {BUSINESSES}",
            "sid": self.sid_of(unit),
            "acr": self.visit.acr,
            "auth_time": now - self.visit.signed_in_ago,
            **subject,
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def _app(self) -> Flask:
        app = Flask(__name__)

        @app.before_request
        def fail() -> ResponseReturnValue | None:
            if self.delay:
                time.sleep(self.delay)
            return ("broken", self.fault) if self.fault else None

        app.add_url_rule("/.well-known/openid-configuration", "discovery", self._discovery)
        app.add_url_rule("/jwks", "jwks", self._jwks)
        app.add_url_rule("/authorize", "authorize", self._authorize)
        app.add_url_rule("/token", "token", self._token, methods=["POST"])
        app.add_url_rule("/userinfo", "userinfo", self._userinfo)
        app.add_url_rule("/introspect", "introspect", self._introspect, methods=["POST"])
        app.add_url_rule("/end_session", "end_session", self._end_session)
        return app

    def _discovery(self) -> ResponseReturnValue:
        names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo", "introspection": "introspect"}
        found = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in names.items()}
        return jsonify(
            issuer=self.url,
            jwks_uri=f"{self.url}/jwks",
            end_session_endpoint=f"{self.url}/end_session",
            id_token_signing_alg_values_supported=["RS256"],
            authorization_response_iss_parameter_supported=True,
            **found,
        )

    def _jwks(self) -> ResponseReturnValue:
        return jsonify(KeySet([self.rsa, self.ec]).as_dict())

    def _authorize(self) -> ResponseReturnValue:
        asked = request.args.to_dict()
        self.requests.append(asked)
        assert asked["redirect_uri"] == self.redirect_uri
        assert asked["code_challenge_method"] == "S256"
        answer: dict[str, str | None] = {"state": asked["state"], "iss": self.url}
        if self.visit.error:
            answer["error"] = self.visit.error
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = {"asked": asked, "visit": self.visit, "sid": self.sid_of(self.visit.unit)}
            answer["code"] = code
        said = {name: value for name, value in (answer | self.visit.answer).items() if value is not None}
        return redirect(f"{self.redirect_uri}?{urlencode(said)}")

    def _token(self) -> ResponseReturnValue:
        assert request.authorization is not None
        assert (request.authorization.username, request.authorization.password) == (CLIENT_ID, CLIENT_SECRET)
        if request.form["grant_type"] == "refresh_token":
            self.refreshes += 1
            grant = self.refresh_tokens.pop(request.form["refresh_token"], None)
            nonce = None
        else:
            grant = self.codes.pop(request.form["code"], None)
            nonce = grant["asked"]["nonce"] if grant else None
            digest = hashlib.sha256(request.form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            assert grant is None or grant["asked"]["code_challenge"] == challenge
        if grant is None or grant["sid"] in self.ended:
            return jsonify(error="invalid_grant"), 400
        return jsonify(self._issue(grant, nonce))

    def _issue(self, grant: dict[str, Any], nonce: str | None) -> dict[str, Any]:
        visit: Visit = grant["visit"]
        asked = grant["asked"]["scope"].split()
        kept = {"openid", "profile", "offline_access"}
        if visit.unit:
            kept |= set(visit.businesses.split())
        scope = " ".join(name for name in asked if name in kept)
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": visit.person["sub"],
            "iat": now,
            "exp": now + 300,
            "sid": grant["sid"],
            "acr": visit.acr,
            "auth_time": now - visit.signed_in_ago,
        }
        if nonce:
            claims["nonce"] = nonce
        if visit.unit:
            more = {"sub_profile": "organization", "capacity": "agent", "binding": "b_1"}
            claims["acting_for"] = visit.unit | more | {"expires_at": visit.expires_at}
        claims = {name: value for name, value in (claims | self.id_token).items() if value is not None}
        access = self.access_claims(visit.unit, scope=scope, sid=grant["sid"]) | self.access_token
        issued = {
            "token_type": "Bearer",
            "expires_in": self.life,
            "scope": scope,
            "id_token": self.sign(claims, self.rsa, "JWT"),
            "access_token": self.sign(access),
        }
        if "offline_access" in asked:
            issued["refresh_token"] = secrets.token_urlsafe(16)
            self.refresh_tokens[issued["refresh_token"]] = grant
        return {name: value for name, value in (issued | self.tokens).items() if value is not None}

    def _userinfo(self) -> ResponseReturnValue:
        assert request.authorization is not None
        claims = jwt.decode(request.authorization.token, self.ec).claims
        return jsonify(sub=claims.get("act", claims)["sub"], name=self.visit.person["name"])

    def _introspect(self) -> ResponseReturnValue:
        assert request.authorization is not None
        assert (request.authorization.username, request.authorization.password) == (CLIENT_ID, CLIENT_SECRET)
        self.introspections += 1
        claims = jwt.decode(request.form["token"], self.ec).claims
        if claims["sid"] in self.ended:
            return jsonify(active=False)
        return jsonify(claims | {"active": True})

    def _end_session(self) -> ResponseReturnValue:
        self.requests.append(request.args.to_dict())
        return redirect(request.args["post_logout_redirect_uri"] + "?" + urlencode({"state": request.args["state"]}))


def tell(portal: str, token: str) -> requests.Response:
    """Send a logout token to the portal, as the provider does."""
    return requests.post(f"{portal}/backchannel-logout", data={"logout_token": token}, timeout=10)
