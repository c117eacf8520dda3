"""The API: tokens as RFC 9068 has them, refusals as RFC 6750 has them, and each unit's jobs for itself alone."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
import requests
from joserfc.jwk import ECKey

from tests.recruitment.conftest import Portal
from tests.recruitment.issuer import UNIT_A, UNIT_B, Issuer
from tests.recruitment.values import job
from tests.support.visitor import Visitor


def call(portal: Portal, method: str, token: str | None, **options: Any) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{portal.url}/api/positions", headers=headers, timeout=10, **options)


def body(**changes: Any) -> dict[str, Any]:
    """Return a job as the API takes it: numbers are numbers."""
    numbers = {name: int(value) for name, value in job().items() if name in {"headcount", "salary_min", "salary_max"}}
    return job() | numbers | changes


@pytest.fixture
def token(issuer: Issuer, sign_in: Callable[..., Visitor]) -> str:
    """An access token of unit A, whose 基本信息 is complete."""
    sign_in(UNIT_A)
    return issuer.sign(issuer.access_claims(UNIT_A))


def test_jobs_are_created_and_listed(portal: Portal, issuer: Issuer, token: str) -> None:
    """R4 by JSON: a draft unless it is told to publish."""
    made = call(portal, "POST", token, json=body())
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "draft"
    published = call(portal, "POST", token, json=body(title="另一个职位", publish=True))
    assert published.json()["state"] == "published"
    assert requests.get(portal.url + published.headers["Location"], timeout=10).status_code == 200
    listed = call(portal, "GET", token).json()
    assert [each["title"] for each in listed["positions"]] == ["另一个职位"]
    assert (listed["total"], listed["page"], listed["pages"]) == (1, 1, 1)
    drafts = call(portal, "GET", token, params={"state": "draft"}).json()
    assert [each["id"] for each in drafts["positions"]] == [made.json()["id"]]
    assert {name: drafts["positions"][0][name] for name in job()} == body()
    assert call(portal, "GET", token, params={"state": "x"}).status_code == 400


def test_each_unit_has_its_own(portal: Portal, issuer: Issuer, token: str, sign_in: Callable[..., Visitor]) -> None:
    """DESIGN 4: `sub` is the unit, so the unit's records are found and nobody else's."""
    call(portal, "POST", token, json=body(publish=True))
    sign_in(UNIT_B)
    other = issuer.sign(issuer.access_claims(UNIT_B))
    assert call(portal, "GET", other).json()["positions"] == []


def test_withdrawn_grant_shuts_at_once(portal: Portal, issuer: Issuer, token: str) -> None:
    """U13, R7: a change asks the provider; reading lasts until the token ends, minutes later."""
    before = issuer.introspections
    assert call(portal, "GET", token).status_code == 200
    assert issuer.introspections == before
    issuer.withdraw(issuer.sid_of(UNIT_A))
    answer = call(portal, "POST", token, json=body())
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert call(portal, "GET", token, params={"state": "draft"}).json()["positions"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "https://another.example/api"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": None},
        {"iat": 4_000_000_000, "exp": 4_000_000_300},
        {"sub": None},
        {"client_id": None},
        {"jti": None},
        {"act": {"sub": None}},
    ],
    ids=str,
)
def test_token_that_does_not_hold_is_refused(
    portal: Portal, issuer: Issuer, token: str, changes: dict[str, Any]
) -> None:
    """RFC 9068 §4, check by check; RFC 6750 §3."""
    for method in ("GET", "POST"):
        answer = call(portal, method, issuer.sign(issuer.access_claims(UNIT_A, **changes)), json=body())
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="recruitment", error="invalid_token"')
        assert answer.json()["error"] == "invalid_token"


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", None])
def test_other_kinds_of_jwt_are_no_access_tokens(portal: Portal, issuer: Issuer, typ: str | None) -> None:
    """RFC 9068 §4: an ID token or a logout token must not open the API."""
    assert call(portal, "GET", issuer.sign(issuer.access_claims(UNIT_A), typ=typ)).status_code == 401


def test_foreign_signatures_are_refused(portal: Portal, issuer: Issuer) -> None:
    for kid in ("ec", "unknown"):
        foreign = ECKey.generate_key("P-256", {"kid": kid})
        assert call(portal, "GET", issuer.sign(issuer.access_claims(UNIT_A), foreign)).status_code == 401
    head, claims, _ = issuer.sign(issuer.access_claims(UNIT_A)).split(".")
    assert call(portal, "GET", f"{head}.{claims}.").status_code == 401


ODD_HEADERS: list[Any] = [
    *({"crit": crit} for crit in (None, [None], [[]], 7, "exp", {}, ["exp"], [])),
    *({"kid": kid} for kid in (None, 7, [], {}, "\ud800", "x" * 5000)),
    *({"alg": alg} for alg in (None, 7, [], {}, "none", "HS256", "\ud800")),
    *(
        {name: value}
        for name in ("b64", "zip", "jwk", "jku", "x5c", "typ", "nonce")
        for value in (None, 7, [None], {})
    ),
]


def test_no_header_of_a_token_is_an_error_of_ours(portal: Portal, issuer: Issuer) -> None:
    """RFC 8725 §2.6, §3.10: a header is what anybody may write; the same for logout tokens."""
    for odd in (*ODD_HEADERS, [], None, 7, "alg"):
        assert call(portal, "GET", _unsigned("at+jwt", odd, issuer.access_claims(UNIT_A))).status_code == 401, odd
        logout = {"logout_token": _unsigned("logout+jwt", odd, {})}
        answer = requests.post(f"{portal.url}/backchannel-logout", data=logout, timeout=10)
        assert answer.status_code == 400, odd


def _unsigned(typ: str, odd: Any, claims: dict[str, Any]) -> str:
    header = {"alg": "ES256", "kid": "ec", "typ": typ} | odd if isinstance(odd, dict) else odd
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join((*parts, "AAAA"))


def test_missing_token(portal: Portal, issuer: Issuer, token: str) -> None:
    """RFC 6750 §3.1: no error code when nothing was presented; and a token counts only in the header (§2)."""
    for answer in (
        call(portal, "GET", None),
        call(portal, "GET", None, params={"access_token": token}),
        call(portal, "POST", None, data={"access_token": token}),
        requests.get(f"{portal.url}/api/positions", headers={"Authorization": f"Basic {token}"}, timeout=10),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="recruitment"'


@pytest.mark.parametrize(
    "changes",
    [{"scope": "openid rec.company"}, {"scope": None}, {"scope": ["rec.position"]}, {"scope": "rec.positions"}],
    ids=str,
)
def test_business_that_was_not_granted(portal: Portal, issuer: Issuer, changes: dict[str, Any]) -> None:
    """R7."""
    answer = call(portal, "GET", issuer.sign(issuer.access_claims(UNIT_A, **changes)))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert 'scope="rec.position"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("changes", [{"sub_profile": "user"}, {"sub_profile": None}, {"act": None}], ids=str)
def test_token_that_acts_for_no_unit(portal: Portal, issuer: Issuer, changes: dict[str, Any]) -> None:
    """DESIGN 4: a person's own token, and one whose `sub` is a unit without anybody who acts."""
    answer = call(portal, "GET", issuer.sign(issuer.access_claims(UNIT_A, **changes)))
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"title": ["a", "b"]}, "title"),
        ({"headcount": -3}, "headcount"),
        ({"headcount": "many"}, "headcount"),
        ({"salary_min": None}, "salary_min"),
        ({"category": "unheard-of"}, "category"),
        ({"valid_until": "2020-01-01"}, "valid_until"),
        ({"valid_until": "soon"}, "valid_until"),
    ],
    ids=str,
)
def test_invalid_jobs_are_refused_field_by_field(
    portal: Portal, token: str, changes: dict[str, Any], field: str
) -> None:
    answer = call(portal, "POST", token, json=body(**changes))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_bodies_that_are_no_json_object(portal: Portal, token: str) -> None:
    assert call(portal, "POST", token, json=[1]).status_code == 400
    assert (
        call(
            portal,
            "POST",
            token,
            data="x",
        ).status_code
        == 415
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = requests.post(f"{portal.url}/api/positions", headers=headers, data="{", timeout=10)
    assert (answer.status_code, answer.json()) == (400, {"error": "bad_request"})
    large = requests.post(f"{portal.url}/api/positions", headers=headers, data="x" * 200_000, timeout=10)
    assert large.status_code == 413


def test_company_must_be_complete(portal: Portal, issuer: Issuer, sign_in: Callable[..., Visitor]) -> None:
    """R2 counts here too."""
    sign_in(UNIT_A, complete=False)
    answer = call(portal, "POST", issuer.sign(issuer.access_claims(UNIT_A)), json=body())
    assert (answer.status_code, answer.json()["error"]) == (409, "company_incomplete")


def test_provider_down(portal: Portal, issuer: Issuer, token: str) -> None:
    """Fails closed, and says when to come back."""
    with issuer.broken():
        answer = call(portal, "POST", token, json=body())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert call(portal, "GET", token, params={"state": "draft"}).json()["total"] == 0


def test_cookie_opens_nothing(portal: Portal, sign_in: Callable[..., Visitor]) -> None:
    """The API is exempt from the CSRF token because no cookie counts there."""
    visitor = sign_in(UNIT_A)
    assert visitor.http.post(f"{portal.url}/api/positions", json=body(), timeout=10).status_code == 401
