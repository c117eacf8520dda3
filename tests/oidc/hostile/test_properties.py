"""Whatever a request holds: it is answered as described, and two ways to ask the same are told the same.

In this process, on SQLite: many examples. Over the wire: test_schemathesis.py, test_values.py.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, assume, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from idp.clients import registry
from idp.clients.model import ActsFor
from idp.clients.registry import RegisteredClient
from idp.features import GRANT_TYPES
from idp.oidc import authorization_details, strict_json
from idp.oidc.authorize import claims_parameter
from idp.oidc.authorize.claims_parameter import ClaimsAsked
from idp.oidc.errors import InvalidAuthorizationDetailsError
from idp.oidc.strict_json import JsonRefused
from idp.rules.claims import MEMBERS
from tests.oidc.authorize.browser import CALLBACK, Browser, request_parameters
from tests.oidc.hostile import description
from tests.oidc.hostile.consumers import House
from tests.oidc.hostile.description import FORM, Operation
from tests.oidc.portal import basic

some = hypothesis_settings(max_examples=40, suppress_health_check=list(HealthCheck))
many = hypothesis_settings(max_examples=200, suppress_health_check=list(HealthCheck))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
LIKELY = st.sampled_from(
    [
        *(
            "openid",
            "code",
            "none",
            "login",
            "consent none",
            "S256",
            "query",
            "form_post",
            "0",
            "-1",
            "a b",
            "[]",
            "{}",
        ),
        *("portal", "signer", "null", '[{"type":"unit_delegation"}]', '{"id_token":{"acr":{"value":"x"}}}'),
        *("https://api.example", CALLBACK, "urn:jingban:acr:L1", "openid rec.position", "x" * 43, "x" * 3000),
        *('{"userinfo":{"sub":{"value":"p_1"}},"id_token":{"sub":{"value":"p_2"}}}', "[" * 3000, "zh-Hans en"),
    ]
)
VALUES = LIKELY | st.text(max_size=20) | JSON.map(json.dumps)
FORMS = [each for each in description.operations() if each.media_type == FORM and each.path != "/oidc/token"]


def sent(house: House, operation: Operation, body: bytes) -> TestResponse:
    """Send a form as the portal, and assert that the answer is as described."""
    headers = {"Authorization": basic("portal", str(house.portal.secret))}
    if operation.path == "/oidc/userinfo":
        headers = {"Authorization": f"Bearer {house.tokens['access_token']}"}
    response = house.app.test_client().post(operation.path, data=body, content_type=FORM, headers=headers)
    operation.check(response.status_code, response.headers, response.data)
    return response


def encoded(form: dict[str, str]) -> bytes:
    """Return a form, half surrogate pairs and all."""
    return urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in form.items()}).encode()


@pytest.mark.parametrize("operation", FORMS, ids=str)
def test_whatever_the_parameters_say(house: House, operation: Operation) -> None:
    @some
    @given(st.dictionaries(st.sampled_from(sorted(operation.members())), VALUES, max_size=4))
    def attack(form: dict[str, str]) -> None:
        sent(house, operation, encoded(form))
        sent(house, operation, encoded(request_parameters(client_id="portal") | form))

    attack()


@pytest.mark.parametrize("grant_type", GRANT_TYPES)
def test_whatever_a_token_request_says(house: House, grant_type: str) -> None:
    """And no tokens but for a code, a token or an assertion that was really given; a client's own is the exception."""
    names = sorted(description.grant_types()[grant_type] - {"grant_type"})

    @some
    @given(st.dictionaries(st.sampled_from(names), VALUES, max_size=5))
    def attack(form: dict[str, str]) -> None:
        response = sent(house, Operation("POST", "/oidc/token"), encoded({"grant_type": grant_type} | form))
        assert response.status_code == 400 or grant_type == "client_credentials"

    attack()


@pytest.mark.parametrize("operation", [*FORMS, Operation("POST", "/oidc/token")], ids=str)
def test_whatever_bytes_come(house: House, operation: Operation) -> None:
    @some
    @given(st.binary(max_size=200), st.sampled_from([b"", b"grant_type=client_credentials&scope=openid&token=x&"]))
    def attack(noise: bytes, start: bytes) -> None:
        sent(house, operation, start + noise)

    attack()


# --- the same, asked in two ways ------------------------------------------------------------------------------------

ASKED = sorted(description.members("AuthorizationRequest") - {"request", "request_uri", "registration"})


def verdict(response: TestResponse) -> str | None:
    """Return what a request was told: an error, None if it goes on; an error page is `invalid_request` when pushed."""
    if response.mimetype == "application/json":
        return None if response.status_code == 201 else str(response.get_json()["error"])
    if response.status_code != 303:
        assert response.status_code == 400, response.text
        return "invalid_request"
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query)).get("error")


@many
@given(st.dictionaries(st.sampled_from(ASKED), VALUES, min_size=1, max_size=3))
@example({"login_hint": "\u3000", "state": "\x80\u200b"})
def test_a_pushed_request_is_judged_like_one_in_the_address(house: House, changes: dict[str, str]) -> None:
    """RFC 9126 §2.1: whatever the authorization endpoint would refuse is refused at once, with the same error."""
    form = request_parameters(client_id="portal") | changes
    assume("form_post" not in form.values())  # that answer is a page, with the error in its form
    assume(form.get("resource", "").isprintable())  # unreadable to one, and no target of ours to the other
    in_address = Browser(house.app).http.get(f"/oidc/authorize?{encoded(form).decode()}")
    assert verdict(in_address) == verdict(sent(house, Operation("POST", "/oidc/par"), encoded(form)))


REGISTERED = st.sampled_from([CALLBACK, CALLBACK[:-1], f"{CALLBACK}/", CALLBACK.upper(), "https://portal.example"])
TAILS = st.sampled_from(
    ["", "?", "#", "?a=b", "#x", "/..", "%2e%2e", "\\", "@evil.example", ":443", " ", "\t", "\x00"]
)


@many
@given(REGISTERED | st.text(max_size=30), TAILS | st.text(max_size=10))
@example(CALLBACK, "")
def test_nobody_is_sent_to_an_address_that_is_not_registered(house: House, uri: str, tail: str) -> None:
    """RFC 6749 §3.1.2.3, RFC 9700 §2.1: byte by byte, whatever else the request says; with errors too."""
    for more in ({}, {"response_type": "nonsense"}):
        form = request_parameters(client_id="portal", redirect_uri=uri + tail, **more)
        response = Browser(house.app).http.get(f"/oidc/authorize?{encoded(form).decode()}")
        pushed = sent(house, Operation("POST", "/oidc/par"), encoded(form))
        if uri + tail == CALLBACK:
            assert response.status_code == 303
            continue
        assert response.status_code == 400
        assert "Location" not in response.headers
        assert pushed.status_code == 400


# --- JSON in parameters ---------------------------------------------------------------------------------------------


def client_of(house: House) -> RegisteredClient:
    found = registry.find("portal")
    assert found is not None
    assert found.acts_for is not ActsFor.NEVER
    return found


DETAIL = st.dictionaries(
    st.sampled_from(["type", "actions", "identifier", "representation_required", "locations"]),
    JSON | st.sampled_from(["unit_delegation", "u_1", ["rec.position"], ["rec.position", "admin"], True]),
)


@many
@given(st.lists(DETAIL.map(lambda detail: {"type": "unit_delegation"} | detail), min_size=1, max_size=2) | JSON)
@example([{"type": "unit_delegation", "actions": ["rec.position"], "identifier": "u_1"}])
def test_authorization_details_are_understood_whole_or_refused(house: House, details: Any) -> None:
    """RFC 9396 §5: and never more than the client may ask for."""
    client = client_of(house)
    try:
        read = authorization_details.read(json.dumps(details), client)
    except InvalidAuthorizationDetailsError:
        return
    [detail] = details
    assert set(detail) <= authorization_details.MEMBERS
    assert list(read.actions) == list(dict.fromkeys(detail.get("actions", [])))
    assert set(read.actions) <= set(client.scopes)
    assert read.identifier == detail.get("identifier")


ASKED_OF = st.dictionaries(
    st.sampled_from(["acr", "sub", "name", "auth_time"]),
    st.none() | JSON | st.dictionaries(st.sampled_from(["essential", "value", "values"]), JSON, max_size=2),
    max_size=3,
)


@many
@given(st.dictionaries(st.sampled_from([*MEMBERS, "other"]), ASKED_OF | JSON, max_size=3) | JSON)
@example({"id_token": {"acr": {"essential": True, "values": ["urn:jingban:acr:L1"]}}})
def test_claims_are_understood_or_refused(value: Any) -> None:
    """OpenID Connect Core §5.5: what comes of it has the types that are used further on."""
    read = _claims(json.dumps(value))
    if read is not None:
        assert read.whole == value
        assert all(isinstance(each, str) for each in read.acr)
        assert isinstance(read.sub, str | None)
        assert all(isinstance(asked, dict | None) for name in MEMBERS for asked in (value.get(name) or {}).values())


def _claims(text: str) -> ClaimsAsked | None:
    try:
        return claims_parameter.read(text)
    except JsonRefused:
        return None


@given(st.text(max_size=60) | JSON.map(json.dumps))
@example("[" * 100_000)
@example('{"a":' * 5000)
@example("9" * 5000)
@example("1e999")
@example("-Infinity")
def test_json_is_read_as_it_is_or_refused(text: str) -> None:
    """And what was read can be written again."""
    reader: Callable[[str], Any] = strict_json.read
    try:
        value = reader(text)
    except JsonRefused:
        return
    assert value == json.loads(text)
    assert json.dumps(value).encode()


@given(st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=3), st.integers(0, 2))
def test_a_member_that_stands_twice_is_refused_however_deep(members: dict[str, Any], depth: int) -> None:
    """RFC 8259 §4: some readers take the first and some the last."""
    text = json.dumps(members)
    twice = f"{text[:-1]}, {text[1:]}"
    for _ in range(depth):
        twice = f'{{"x": [{twice}]}}'
    with pytest.raises(JsonRefused):
        strict_json.read(twice)
