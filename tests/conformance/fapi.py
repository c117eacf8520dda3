"""The FAPI 2.0 side of the suite: client assertions, DPoP proofs, pushed requests."""

import base64
import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from joserfc.jwk import ECKey, RSAKey

from tests.conformance.suite import TIMEOUT, Answer, Suite
from tests.oidc import client_jwt

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def proof_claims(method: str, url: str, **changes: Any) -> dict[str, Any]:
    """Return the claims of a DPoP proof (RFC 9449 §4.2); None leaves one out."""
    claims = {"jti": uuid4().hex, "htm": method, "htu": url, "iat": int(time.time())} | changes
    return {name: value for name, value in claims.items() if value is not None}


@dataclass
class Fapi:
    """A FAPI client: its keys, and what it sends."""

    suite: Suite
    signing_key: ECKey | RSAKey
    dpop_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    nonce: str | None = None

    # --- what it signs ---------------------------------------------------------------------------------------------

    def assertion(self, *, alg: str | None = None, **changes: Any) -> str:
        """Return a client assertion (RFC 7523 §3, FAPI 2.0 §5.3.2.1: the issuer alone is its audience)."""
        now = int(time.time())
        claims = {
            "iss": self.suite.client.client_id,
            "sub": self.suite.client.client_id,
            "aud": self.suite.metadata["issuer"],
            "jti": uuid4().hex,
            "iat": now,
            "exp": now + 60,
        } | changes
        usual = "PS256" if isinstance(self.signing_key, RSAKey) else "ES256"
        return client_jwt.signed(claims, alg=alg or usual, key=self.signing_key)

    def proof(self, method: str, url: str, *, key: ECKey | None = None, header: Any = None, **changes: Any) -> str:
        """Return a DPoP proof with the server's last nonce."""
        key = key or self.dpop_key
        protected = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)} | (header or {})
        claims = proof_claims(method, url, **({"nonce": self.nonce} | changes))
        return client_jwt.signed(claims, key=key, header=protected | {"kid": None})

    def thumbprint(self) -> str:
        """Return the thumbprint of the DPoP key (RFC 7638)."""
        return self.dpop_key.thumbprint()

    # --- what it sends ---------------------------------------------------------------------------------------------

    def post(self, endpoint: str, *, dpop: bool | str = True, **form: str | None) -> requests.Response:
        """Call an endpoint with a fresh assertion and a fresh proof, once more if a nonce is asked for."""
        url = self.suite.metadata[endpoint]
        credentials = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        body = {name: value for name, value in (credentials | form).items() if value is not None}
        headers = {} if dpop is False else {"DPoP": dpop if isinstance(dpop, str) else self.proof("POST", url)}
        response = requests.post(url, data=body, headers=headers, timeout=TIMEOUT)
        self.nonce = response.headers.get("DPoP-Nonce", self.nonce)
        if dpop is True and response.status_code == 400 and response.json().get("error") == "use_dpop_nonce":
            assertion = form.get("client_assertion", self.assertion())
            return self.post(endpoint, dpop=self.proof("POST", url), **(form | {"client_assertion": assertion}))
        return response

    def push(self, **changes: Any) -> tuple[requests.Response, Answer]:
        """Push a request; return the response and what is needed to go on with it."""
        asked, verifier = self.suite.parameters(pkce=True, **changes.pop("parameters", {}))
        answer = Answer({}, asked.get("state", ""), asked.get("nonce"), verifier)
        return self.post("pushed_authorization_request_endpoint", **(asked | changes)), answer

    def pushed(self, **changes: Any) -> tuple[str, Answer]:
        """Push a request that must be taken; return its `request_uri`."""
        response, answer = self.push(**changes)
        assert response.status_code == 201, response.text
        assert response.json()["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        assert 0 < response.json()["expires_in"] <= 600
        return response.json()["request_uri"], answer

    def authorize(self, request_uri: str, client_id: str | None = None) -> None:
        """Open the authorization endpoint with a pushed request, and do what the pages ask."""
        self.suite.pages = []
        query = {"client_id": client_id or self.suite.client.client_id, "request_uri": request_uri}
        self.suite.browser.get(self.suite.metadata["authorization_endpoint"], **query)
        self.suite.do_what_the_pages_ask()

    def signed_in(self, **changes: Any) -> Answer:
        """Push, authorize, and return the checked answer."""
        request_uri, answer = self.pushed(**changes)
        self.authorize(request_uri)
        answer.parameters = self.suite.returned()
        return self.suite.checked(answer)

    def redeem(self, answer: Answer, *, dpop: bool | str = True, **changes: str | None) -> requests.Response:
        """Redeem a code."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": self.suite.client.redirect_uri,
            "code_verifier": answer.verifier,
        }
        return self.post("token_endpoint", dpop=dpop, **(form | changes))

    def tokens(self, answer: Answer) -> dict[str, Any]:
        """Redeem a code that must be taken."""
        response = self.redeem(answer)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        assert body["token_type"] == "DPoP"
        body["claims"] = self.suite.id_token_claims(body["id_token"], nonce=answer.nonce)
        return body

    def userinfo(self, token: str, *, scheme: str = "DPoP", **changes: Any) -> requests.Response:
        """Ask UserInfo with a bound token, once more if a nonce is asked for."""
        url = self.suite.metadata["userinfo_endpoint"]
        ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        proof = self.proof("GET", url, **({"ath": ath} | changes))
        headers = {"Authorization": f"{scheme} {token}", "DPoP": proof}
        response = requests.get(url, headers=headers, timeout=TIMEOUT)
        asked_for = response.headers.get("DPoP-Nonce")
        if response.status_code == 401 and asked_for and asked_for != self.nonce:
            self.nonce = asked_for
            return self.userinfo(token, scheme=scheme, **changes)
        return response
