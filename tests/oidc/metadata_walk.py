"""What proves that the provider does what its metadata says: one row for each member, one for each switchable part.

Whoever adds a member to the metadata adds a row here; `tests/oidc/test_metadata_walk.py` fails until then. A probe
takes the walk, and every value that the member advertises; it must use the value as a client would.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask
from joserfc.jwk import OctKey
from werkzeug.test import TestResponse

from idp.clients.description import STANDARD_SCOPES
from idp.features import GRANT_TYPES, Feature
from idp.persons.model import AccountKind
from idp.settings import settings
from tests.oidc import client_jwt
from tests.oidc.authorize.browser import CALLBACK, Browser, answer_in, error_in, page_of, request_parameters
from tests.oidc.portal import VERIFIER, Portal, body_of, claims_in, header_of
from tests.oidc.proofs import Key
from tests.oidc.registration.registrar import initial_token, registered
from tests.support import rows

ISSUER = "http://localhost:8000"
UNKNOWN = "urn:example:unheard-of"


@dataclass
class Walk:
    """A provider, a browser with a person in it, and a portal at which that person is known."""

    app: Flask
    metadata: dict[str, Any]
    portal: Portal
    browser: Browser
    person_id: str
    token: str = field(default_factory=lambda: initial_token(grant_types=tuple(GRANT_TYPES)))

    @classmethod
    def on(cls, app: Flask) -> "Walk":
        """Return a walk on `app`, in its context and with signing keys."""
        scopes = [*STANDARD_SCOPES, "rec.position"]
        portal = Portal.registered(app, consent_required=False, scopes=scopes, allows_unit_accounts=True)
        browser, person_id = Browser(app), rows.person()
        browser.sign_in(person_id)
        found = body_of(app.test_client().get("/.well-known/openid-configuration"))
        return cls(app, found, portal, browser, person_id)

    def client(self, **asked: Any) -> Portal:
        """Return a client that registered itself for `asked`, which must be registered as it was asked."""
        told = registered(self.app, self.token, redirect_uris=[CALLBACK], **asked)
        assert {name: told.get(name) for name in asked} == asked
        return Portal(self.app, told["client_id"], told.get("client_secret"))

    def tokens(self, portal: Portal, **granted: Any) -> dict[str, Any]:
        """Return the tokens of the person at a client."""
        code = portal.code_for(portal.granted(self.person_id, **granted), redirect_uri=CALLBACK)
        response = portal.redeem(code, redirect_uri=CALLBACK)
        assert response.status_code == 200, response.text
        return body_of(response)

    def call(self, url: str) -> set[int]:
        """Return how an address answers GET and POST."""
        client, path = self.app.test_client(), url.removeprefix(ISSUER)
        return {client.get(path).status_code, client.post(path).status_code}


Probe = Callable[[Walk, Any], None]


def endpoint(walk: Walk, url: Any) -> None:
    assert url.startswith(f"{ISSUER}/")
    assert 404 not in walk.call(url)


def issuer(walk: Walk, value: Any) -> None:
    assert value == settings().issuer


def scopes(walk: Walk, values: Any) -> None:
    """Each alone, with `openid`, is granted; one that no client may have is refused or ignored (Core §3.1.2.1)."""
    for scope in values:
        code = answer_in(walk.browser.authorize(scope=f"openid {scope}"))["code"]
        assert scope in body_of(walk.portal.redeem(code))["scope"].split()


def response_types(walk: Walk, values: Any) -> None:
    for value in values:
        assert value in answer_in(walk.browser.authorize(response_type=value))
    assert error_in(walk.browser.authorize(response_type="code id_token")) == "unsupported_response_type"


def response_modes(walk: Walk, values: Any) -> None:
    pages = {value: walk.browser.authorize(response_mode=value) for value in values}
    assert {name: page.status_code for name, page in pages.items()} == {"query": 303, "form_post": 200}
    assert 'name="code"' in pages["form_post"].text
    assert error_in(walk.browser.authorize(response_mode="fragment")) == "invalid_request"


def code_challenge_methods(walk: Walk, values: Any) -> None:
    for value in values:
        assert "code" in answer_in(walk.browser.authorize(code_challenge_method=value))
    assert (
        error_in(walk.browser.authorize(code_challenge_method="plain", code_challenge=VERIFIER)) == "invalid_request"
    )


def iss_in_answers(walk: Walk, value: Any) -> None:
    assert value is True
    assert "&iss=" in walk.browser.authorize().headers["Location"]


def authorization_details_types(walk: Walk, values: Any) -> None:
    for value in values:
        asked = json.dumps([{"type": value, "actions": ["rec.position"]}])
        assert page_of(walk.browser.authorize(authorization_details=asked))[0] == "/choose-unit"
    refused = walk.browser.authorize(authorization_details=json.dumps([{"type": UNKNOWN}]))
    assert error_in(refused) == "invalid_authorization_details"


def prompts(walk: Walk, values: Any) -> None:
    pages = {
        "login": "/sign-in",
        "consent": "/consent",
        "create": "/register/person",
        "select_account": "/choose-unit",
    }
    assert set(values) == {"none", *pages}
    assert "code" in answer_in(walk.browser.authorize(prompt="none"))
    for prompt, page in pages.items():
        assert page_of(walk.browser.authorize(prompt=prompt, scope="openid rec.position"))[0] == page
    assert error_in(walk.browser.authorize(prompt="unheard_of")) == "invalid_request"


def acr_values(walk: Walk, values: Any) -> None:
    """An essential one is either reached or leads to raising the level; an unknown one is never met."""
    for value in values:
        response = walk.browser.authorize(claims=_essential_acr(value))
        if page := response.headers["Location"].startswith("/"):
            assert page_of(response)[0] == "/raise-level", value
        else:
            tokens = body_of(walk.portal.redeem(answer_in(response)["code"]))
            assert claims_in(tokens["id_token"])["acr"] == value
        assert page is (value.endswith(("L2", "L3")))
    assert error_in(walk.browser.authorize(claims=_essential_acr(UNKNOWN))) == "unmet_authentication_requirements"


def _essential_acr(value: str) -> str:
    return json.dumps({"id_token": {"acr": {"essential": True, "value": value}}})


def ui_locales(walk: Walk, values: Any) -> None:
    for value in values:
        page = Browser(walk.app).http.get(
            "/oidc/authorize", query_string=request_parameters(ui_locales=value), follow_redirects=True
        )
        assert f'<html lang="{value}"' in page.text, value


def page(walk: Walk, url: Any) -> None:
    """A page that anybody may read (Discovery §3)."""
    found = walk.app.test_client().get(url.removeprefix(ISSUER))
    assert found.status_code == 200
    assert found.mimetype == "text/html"


def claims_parameter(walk: Walk, value: Any) -> None:
    assert value is True
    code = answer_in(walk.browser.authorize(claims='{"id_token": {"name": null}}'))["code"]
    assert "name" in claims_in(body_of(walk.portal.redeem(code))["id_token"])


def request_objects(walk: Walk, value: Any) -> None:
    assert value is True
    request_object_algorithms(walk, ["ES256"])


def request_object_algorithms(walk: Walk, values: Any) -> None:
    for alg in values:
        asked = {"request_object_signing_alg": "none"} if alg == "none" else {"jwks": client_jwt.key_set()}
        client_id = walk.client(**asked).client_id
        text = client_jwt.request_object(client_id, request_parameters(client_id=client_id), alg=alg)
        answer = walk.browser.get(f"/oidc/authorize?client_id={client_id}&request={text}")
        assert page_of(answer)[0] == "/consent", alg


def request_uris(walk: Walk, value: Any) -> None:
    """Taken where registered; the fetch itself is tested beside the code."""
    assert value is True
    walk.client(request_uris=["https://portal.example/request"], jwks=client_jwt.key_set())
    assert error_in(walk.browser.authorize(request_uri="https://portal.example/another")) == "invalid_request_uri"


def nobody_must_push(walk: Walk, value: Any) -> None:
    """False: only clients that are registered so must (RFC 9126 §5, §6)."""
    assert value is False
    assert "code" in answer_in(walk.browser.authorize())
    walk.client(require_pushed_authorization_requests=True)


def grant_types(walk: Walk, values: Any) -> None:
    for value in values:
        assert body_of(walk.portal.post("/oidc/token", {"grant_type": value}))["error"] != "unsupported_grant_type"
        walk.client(grant_types=[value], jwks=client_jwt.key_set())
    assert body_of(walk.portal.post("/oidc/token", {"grant_type": "password"}))["error"] == "unsupported_grant_type"


def auth_methods(path: str) -> Probe:
    """Return the probe for an endpoint: each method by a client registered for it gets past authentication."""

    def probe(walk: Walk, values: Any) -> None:
        for value in values:
            keys = {"jwks": client_jwt.key_set()} if value == "private_key_jwt" else {}
            portal = walk.client(token_endpoint_auth_method=value, **keys)
            form, options = AUTHENTICATED[value](portal)
            response = walk.app.test_client().post(path, data={"token": "x", "grant_type": "x"} | form, **options)
            assert body_or_nothing(response).get("error") != "invalid_client", value
        refused = walk.app.test_client().post(path, data={"token": "x", "client_id": walk.portal.client_id})
        assert body_of(refused)["error"] in {"invalid_client", "invalid_request"}

    return probe


def _basic(portal: Portal) -> tuple[dict[str, str], dict[str, Any]]:
    credentials = b64encode(f"{portal.client_id}:{portal.secret}".encode()).decode()
    return {}, {"headers": {"Authorization": f"Basic {credentials}"}}


AUTHENTICATED: dict[str, Callable[[Portal], tuple[dict[str, str], dict[str, Any]]]] = {
    "client_secret_basic": _basic,
    "client_secret_post": lambda portal: (
        {"client_id": portal.client_id, "client_secret": portal.secret or ""},
        {},
    ),
    "client_secret_jwt": lambda portal: (
        client_jwt.credentials(portal.client_id, alg="HS256", key=OctKey.import_key(portal.secret or "")),
        {},
    ),
    "private_key_jwt": lambda portal: (client_jwt.credentials(portal.client_id), {}),
    "none": lambda portal: ({"client_id": portal.client_id}, {}),
}
"""How a client authenticates: what it puts into the form, and options of the request."""


def body_or_nothing(response: TestResponse) -> dict[str, Any]:
    """Return the JSON of an answer; revocation says nothing."""
    return body_of(response) if response.data else {}


def assertion_algorithms(path: str) -> Probe:
    """Return the probe for what client assertions may be signed with at an endpoint."""

    def probe(walk: Walk, values: Any) -> None:
        for alg in values:
            by_secret = alg == "HS256"
            portal = (
                walk.client(token_endpoint_auth_method="client_secret_jwt")
                if by_secret
                else walk.client(token_endpoint_auth_method="private_key_jwt", jwks=client_jwt.key_set())
            )
            key = OctKey.import_key(portal.secret or "") if by_secret else None
            form = client_jwt.credentials(portal.client_id, alg=alg, key=key)
            response = walk.app.test_client().post(path, data={"token": "x", "grant_type": "x"} | form)
            assert body_or_nothing(response).get("error") != "invalid_client", alg

    return probe


def dpop_algorithms(walk: Walk, values: Any) -> None:
    keys: dict[str, Callable[[], Any]] = {
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
        "PS256": lambda: rsa.generate_private_key(65537, 2048),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
    }
    for alg in values:
        code = walk.portal.code_for(walk.portal.granted(walk.person_id))
        credentials = _basic(walk.portal)[1]["headers"]
        proof = {"DPoP": Key(alg, keys[alg]()).proof()}
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
        response = walk.app.test_client().post("/oidc/token", data=form, headers=credentials | proof)
        assert body_of(response)["token_type"] == "DPoP", alg


def subject_types(walk: Walk, values: Any) -> None:
    subs = {value: claims_in(walk.tokens(walk.client(subject_type=value))["id_token"])["sub"] for value in values}
    assert subs.pop("public") == walk.person_id
    assert walk.person_id not in subs.values()


def id_token_algorithms(walk: Walk, values: Any) -> None:
    for alg in values:
        portal = walk.client(id_token_signed_response_alg=alg)
        assert header_of(walk.tokens(portal)["id_token"])["alg"] == alg


def userinfo_algorithms(walk: Walk, values: Any) -> None:
    for alg in values:
        portal = walk.client(userinfo_signed_response_alg=alg)
        answer = portal.userinfo(walk.tokens(portal)["access_token"])
        assert header_of(answer.text)["alg"] == alg


def claim_types(walk: Walk, values: Any) -> None:
    assert values == ["normal"]


def claims(walk: Walk, values: Any) -> None:
    """Each is given of somebody: a person, an agent, units with either code, and one whose head was checked."""
    scope = " ".join(STANDARD_SCOPES)
    unit, old = rows.unit(1), rows.unit(2, document_type="org_code")
    rows.grant(rows.binding(unit, walk.person_id), rows.business())
    granted = [
        walk.portal.granted(walk.person_id, unit, "rec.position", scope=scope),
        *(walk.portal.granted(each, kind=AccountKind.UNIT, scope=scope) for each in (unit, old)),
        walk.portal.granted(
            rows.unit(3), None, rows.business("open", open_to_unit_account=True), kind=AccountKind.UNIT, amr="face pwd"
        ),
    ]
    found: set[str] = set()
    for grant in granted:
        tokens = walk.portal.tokens(grant)
        found |= {*claims_in(tokens["id_token"]), *body_of(walk.portal.userinfo(tokens["access_token"]))}
    assert set(values) == found


def registrable(**asked: Any) -> Probe:
    """Return the probe for a member that says that clients may register `asked`."""

    def probe(walk: Walk, value: Any) -> None:
        assert value is True
        walk.client(**asked)

    return probe


LOGOUT = "https://portal.example/logout"
MEMBERS: dict[str, Probe] = {
    "issuer": issuer,
    "authorization_endpoint": endpoint,
    "token_endpoint": endpoint,
    "userinfo_endpoint": endpoint,
    "jwks_uri": endpoint,
    "introspection_endpoint": endpoint,
    "revocation_endpoint": endpoint,
    "end_session_endpoint": endpoint,
    "op_policy_uri": page,
    "op_tos_uri": page,
    "registration_endpoint": endpoint,
    "device_authorization_endpoint": endpoint,
    "check_session_iframe": endpoint,
    "scopes_supported": scopes,
    "response_types_supported": response_types,
    "response_modes_supported": response_modes,
    "code_challenge_methods_supported": code_challenge_methods,
    "authorization_response_iss_parameter_supported": iss_in_answers,
    "authorization_details_types_supported": authorization_details_types,
    "prompt_values_supported": prompts,
    "acr_values_supported": acr_values,
    "ui_locales_supported": ui_locales,
    "claims_parameter_supported": claims_parameter,
    "request_parameter_supported": request_objects,
    "request_object_signing_alg_values_supported": request_object_algorithms,
    "request_uri_parameter_supported": request_uris,
    "require_request_uri_registration": request_uris,
    "pushed_authorization_request_endpoint": endpoint,
    "require_pushed_authorization_requests": nobody_must_push,
    "grant_types_supported": grant_types,
    "token_endpoint_auth_methods_supported": auth_methods("/oidc/token"),
    "introspection_endpoint_auth_methods_supported": auth_methods("/oidc/introspect"),
    "revocation_endpoint_auth_methods_supported": auth_methods("/oidc/revoke"),
    "token_endpoint_auth_signing_alg_values_supported": assertion_algorithms("/oidc/token"),
    "introspection_endpoint_auth_signing_alg_values_supported": assertion_algorithms("/oidc/introspect"),
    "revocation_endpoint_auth_signing_alg_values_supported": assertion_algorithms("/oidc/revoke"),
    "dpop_signing_alg_values_supported": dpop_algorithms,
    "subject_types_supported": subject_types,
    "id_token_signing_alg_values_supported": id_token_algorithms,
    "userinfo_signing_alg_values_supported": userinfo_algorithms,
    "claim_types_supported": claim_types,
    "claims_supported": claims,
    "frontchannel_logout_supported": registrable(frontchannel_logout_uri=LOGOUT),
    "frontchannel_logout_session_supported": registrable(
        frontchannel_logout_uri=LOGOUT, frontchannel_logout_session_required=True
    ),
    "backchannel_logout_supported": registrable(backchannel_logout_uri=LOGOUT),
    "backchannel_logout_session_supported": registrable(
        backchannel_logout_uri=LOGOUT, backchannel_logout_session_required=True
    ),
}


@dataclass(frozen=True)
class Switch:
    """What goes with a part when it is switched off: members of the metadata, addresses, a grant type."""

    members: frozenset[str] = frozenset()
    addresses: tuple[str, ...] = ()
    grant_type: str | None = None


SWITCHES: dict[Feature, Switch] = {
    # request_parameter_supported and request_uri_parameter_supported stay, and say no
    Feature.REQUEST_OBJECT: Switch(
        frozenset({"request_object_signing_alg_values_supported", "require_request_uri_registration"})
    ),
    Feature.PAR: Switch(
        frozenset({"pushed_authorization_request_endpoint", "require_pushed_authorization_requests"}), ("/oidc/par",)
    ),
    Feature.DPOP: Switch(frozenset({"dpop_signing_alg_values_supported"})),
    Feature.DEVICE: Switch(
        frozenset({"device_authorization_endpoint"}),
        ("/oidc/device_authorization",),
        "urn:ietf:params:oauth:grant-type:device_code",
    ),
    Feature.CLIENT_CREDENTIALS: Switch(grant_type="client_credentials"),
    Feature.JWT_BEARER: Switch(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer"),
    Feature.TOKEN_EXCHANGE: Switch(grant_type="urn:ietf:params:oauth:grant-type:token-exchange"),
    Feature.REGISTRATION: Switch(frozenset({"registration_endpoint"}), ("/oidc/register",)),
    Feature.FRONTCHANNEL_LOGOUT: Switch(
        frozenset({"frontchannel_logout_supported", "frontchannel_logout_session_supported"})
    ),
    Feature.SESSION_MANAGEMENT: Switch(frozenset({"check_session_iframe"}), ("/oidc/check_session",)),
}
