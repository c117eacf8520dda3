"""A relying party that looks at everything, as the OpenID Foundation's conformance suite does.

It knows the provider by discovery alone, speaks HTTP with it, and has one user who fills in the pages. The tests
beside it are named after the suite's modules; what the suite calls a failure or a warning fails here.
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit
from uuid import uuid4

import requests
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.oidc import client_jwt
from tests.support.visitor import Visitor

HOME = "https://conformance.example/"
"""Where the suite's clients live. Nobody is there: the browser stops before it."""

TIMEOUT = 20
CLOCK_SKEW = 300
STANDARD_CLAIMS = {
    "profile": {
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture"),
        *("website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    },
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number", "phone_number_verified"},
}
"""OpenID Connect Core §5.4."""
ADDRESS_MEMBERS = {"formatted", "street_address", "locality", "region", "postal_code", "country"}
STRINGS = {"name", "preferred_username", "email", "phone_number", "zoneinfo", "locale", "gender", "birthdate"}


@dataclass(frozen=True)
class Registration:
    """A client as its registration response (or the administrator) describes it."""

    client_id: str
    client_secret: str
    redirect_uri: str
    auth_method: str = "client_secret_basic"
    id_token_alg: str = "RS256"
    key: RSAKey | None = None
    """With `private_key_jwt`: what it signs with."""

    @property
    def signed_out_uri(self) -> str:
        """Where the user comes back to after a logout."""
        return self.redirect_uri.replace("/callback", "/signed-out")


@dataclass
class Answer:
    """What came back to the redirect URI, and how it was asked for."""

    parameters: dict[str, str]
    state: str
    nonce: str | None
    verifier: str | None

    @property
    def code(self) -> str:
        assert "error" not in self.parameters, self.parameters
        return self.parameters["code"]

    @property
    def error(self) -> str:
        assert "code" not in self.parameters, self.parameters
        return self.parameters["error"]


@dataclass
class Suite:
    """The relying party with its user's browser."""

    issuer: str
    client: Registration
    username: str
    password: str
    response_mode: str | None = None
    browser: Visitor = field(init=False)
    pages: list[str] = field(default_factory=list)
    """Which forms the user was shown during the last request: `username`, `consent`, …"""
    consent_page: str = ""
    """The page of the last `consent`."""

    def __post_init__(self) -> None:
        self.metadata: dict[str, Any] = requests.get(
            f"{self.issuer}/.well-known/openid-configuration", timeout=TIMEOUT
        ).json()
        self.new_browser()

    def new_browser(self) -> None:
        """Forget all cookies."""
        self.browser = Visitor(HOME)

    def with_client(self, client: Registration) -> "Suite":
        """Return a suite with another client and the same browser: the user stays signed in."""
        other = replace(self, client=client)
        other.browser = self.browser
        return other

    # --- authorization endpoint ------------------------------------------------------------------------------------

    def authorize(self, *, method: str = "GET", pkce: bool = False, **changes: str | None) -> Answer:
        """Send an authorization request, let the user do what the pages ask, and return the checked answer."""
        asked, verifier = self.parameters(pkce=pkce, **changes)
        self.pages = []
        if method == "POST":
            answer = self.browser.http.post(
                self.metadata["authorization_endpoint"], data=asked, allow_redirects=False, timeout=TIMEOUT
            )
            self.browser.follow(answer)
        else:
            self.browser.get(self.metadata["authorization_endpoint"], **asked)
        self.do_what_the_pages_ask()
        return self.checked(Answer(self.returned(), asked.get("state", ""), asked.get("nonce"), verifier))

    def parameters(self, *, pkce: bool = False, **changes: str | None) -> tuple[dict[str, str], str | None]:
        """Return the parameters of a request, and the PKCE verifier if there is one; None leaves one out."""
        verifier = secrets.token_urlsafe(48) if pkce else None
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": "openid",
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "response_mode": self.response_mode,
        }
        if verifier is not None:
            digest = hashlib.sha256(verifier.encode()).digest()
            asked["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            asked["code_challenge_method"] = "S256"
        return {name: value for name, value in (asked | changes).items() if value is not None}, verifier

    def do_what_the_pages_ask(self) -> None:
        """Sign in and agree, as often as the provider asks; stop at the portal or at a page that is neither."""
        for _ in range(5):
            if self.browser.url.startswith(self.client.redirect_uri) or self._posted_form() is not None:
                return
            names = {name for form in self.browser.forms() for name in form.names() | {n for n, _ in form.buttons}}
            if "password" in names and "username" in names:
                self.pages.append("username")
                self.browser.submit("password", username=self.username, password=self.password)
            elif "consent" in names:
                self.pages.append("consent")
                self.consent_page = self.browser.text
                self.browser.submit("consent", consent="allow")
            else:
                return

    def returned(self) -> dict[str, str]:
        """Return the parameters that reach the redirect URI, in the response mode that was asked for."""
        posted = self._posted_form()
        if self.response_mode == "form_post":
            assert posted is not None, (self.browser.url, self.browser.text[:500])
            return posted
        assert self.browser.url.startswith(self.client.redirect_uri), (self.browser.url, self.browser.text[:1500])
        query = parse_qs(urlsplit(self.browser.url).query, strict_parsing=True)
        assert all(len(values) == 1 for values in query.values()), query
        return {name: values[0] for name, values in query.items()}

    def _posted_form(self) -> dict[str, str] | None:
        for form in self.browser.forms():
            if urljoin(self.browser.url, form.action) == self.client.redirect_uri:
                assert form.method == "post"
                return dict(form.values)
        return None

    def checked(self, answer: Answer) -> Answer:
        """Check what every answer has: the state, and the issuer (RFC 9207)."""
        assert answer.parameters.get("state", "") == answer.state, answer.parameters
        assert answer.parameters["iss"] == self.metadata["issuer"]
        assert "error_description" not in answer.parameters or answer.parameters["error_description"].isascii()
        return answer

    def log_out(self, *, method: str = "GET", **parameters: str) -> None:
        """Send a logout request, and let the user agree if asked."""
        self.pages = []
        endpoint = self.metadata["end_session_endpoint"]
        if method == "POST":
            self.browser.follow(
                self.browser.http.post(endpoint, data=parameters, allow_redirects=False, timeout=TIMEOUT)
            )
        else:
            self.browser.get(endpoint, **parameters)
        if any(("logout", "yes") in form.buttons for form in self.browser.forms()):
            self.pages.append("logout")
            self.browser.submit("logout", logout="yes")

    # --- token endpoint, UserInfo ----------------------------------------------------------------------------------

    def post(self, endpoint: str, **form: str) -> requests.Response:
        """Call an endpoint with the client's credentials, in the way that it registered for."""
        client = self.client
        if client.key is not None:
            return requests.post(self.metadata[endpoint], data=form | self.assertion(), timeout=TIMEOUT)
        if client.auth_method == "client_secret_post":
            form = {**form, "client_id": client.client_id, "client_secret": client.client_secret}
            return requests.post(self.metadata[endpoint], data=form, timeout=TIMEOUT)
        return requests.post(
            self.metadata[endpoint], data=form, auth=(client.client_id, client.client_secret), timeout=TIMEOUT
        )

    def assertion(self, **changes: Any) -> dict[str, str]:
        """Return the parameters of `private_key_jwt` (Core §9), to the token endpoint unless `aud` says otherwise."""
        assert self.client.key is not None
        claims = {
            "iss": self.client.client_id,
            "sub": self.client.client_id,
            "aud": self.metadata["token_endpoint"],
            "jti": uuid4().hex,
            "exp": int(time.time()) + 60,
        } | changes
        signed = client_jwt.signed(claims, alg="RS256", key=self.client.key)
        return {"client_assertion_type": client_jwt.TYPE, "client_assertion": signed}

    def redeem(self, answer: Answer) -> requests.Response:
        """Redeem a code."""
        form = {"grant_type": "authorization_code", "code": answer.code, "redirect_uri": self.client.redirect_uri}
        if answer.verifier is not None:
            form["code_verifier"] = answer.verifier
        return self.post("token_endpoint", **form)

    def tokens(self, answer: Answer) -> dict[str, Any]:
        """Redeem a code and check the answer and its ID token."""
        response = self.redeem(answer)
        assert response.status_code == 200, response.text
        assert "no-store" in response.headers["Cache-Control"]
        assert response.headers["Content-Type"].partition(";")[0] == "application/json"
        body: dict[str, Any] = response.json()
        assert body["token_type"].lower() == "bearer"
        assert body["expires_in"] > 0
        body["claims"] = self.id_token_claims(body["id_token"], nonce=answer.nonce)
        expected = self._left_half(body["access_token"])
        assert body["claims"].get("at_hash", expected) == expected
        return body

    def sign_in(self, **changes: Any) -> dict[str, Any]:
        """Go the whole way and return the token response, with the ID token's claims as `claims`."""
        return self.tokens(self.authorize(**changes))

    def id_token_claims(self, token: str, *, nonce: str | None) -> dict[str, Any]:
        """Check an ID token (OpenID Connect Core §2, §3.1.3.7) and return its claims."""
        keys = requests.get(self.metadata["jwks_uri"], timeout=TIMEOUT).json()
        decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=[self.client.id_token_alg])
        assert decoded.header["kid"], "a provider with several keys names the one that it used"
        claims = decoded.claims
        now = time.time()
        assert claims["iss"] == self.metadata["issuer"]
        assert claims["aud"] in (self.client.client_id, [self.client.client_id])
        assert claims.get("azp", self.client.client_id) == self.client.client_id
        assert claims["exp"] > now
        assert now - CLOCK_SKEW < claims["iat"] <= now + 5
        assert isinstance(claims["sub"], str)
        assert 0 < len(claims["sub"]) <= 255
        assert claims["sub"].isascii()
        assert claims.get("nonce") == nonce
        return dict(claims)

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """Ask UserInfo and check the types of what it says (Core §5.1)."""
        headers = {"Authorization": f"Bearer {access_token}"}
        response = requests.get(self.metadata["userinfo_endpoint"], headers=headers, timeout=TIMEOUT)
        assert response.status_code == 200, response.text
        return check_claims(response.json())

    @staticmethod
    def _left_half(access_token: str) -> str:
        digest = hashlib.sha256(access_token.encode()).digest()
        return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def check_claims(claims: dict[str, Any]) -> dict[str, Any]:
    """Check the types of standard claims; a claim without a value is left out (Core §5.3.2)."""
    for name, value in claims.items():
        assert value not in (None, ""), name
        if name in STRINGS:
            assert isinstance(value, str), name
        elif name.endswith("_verified"):
            assert isinstance(value, bool), name
        elif name == "updated_at":
            assert isinstance(value, int)
        elif name == "address":
            assert isinstance(value, dict)
            assert set(value) <= ADDRESS_MEMBERS
    return claims
