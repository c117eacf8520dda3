"""Request objects by reference (RFC 9101 §5.2, OpenID Connect Core §6.2): only from addresses that are registered."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator

import pytest

from tests.oidc import client_jwt, servers
from tests.oidc.authorize.browser import CALLBACK, Browser, error_in, page_of, request_parameters
from tests.support import rows
from tests.support.application import MakeApp
from tests.support.signing import plant_keys


@pytest.fixture
def address(make_app: MakeApp, migrated_sqlite_url: str) -> Iterator[tuple[Browser, servers.Portal]]:
    """A browser before a provider that may call this machine, and the server where the client keeps its requests."""
    app = make_app(migrated_sqlite_url, fetch_allow_loopback=True)
    with app.app_context(), servers.portal() as portal:
        plant_keys()
        publish(portal, request_object())
        yield Browser(app), portal


def request_object(**changes: str) -> bytes:
    return client_jwt.request_object("signing", request_parameters(client_id="signing") | changes).encode()


def publish(portal: servers.Portal, content: bytes, status: int = 200) -> None:
    portal.answer = lambda _: (status, {"Content-Type": "application/oauth-authz-req+jwt"}, content)


def registered(portal: servers.Portal, fragment: str = "") -> str:
    uri = f"http://127.0.0.1:{portal.port}/request{fragment}"
    rows.client("signing", redirect_uris=[CALLBACK], more={"jwks": client_jwt.key_set(), "request_uris": [uri]})
    return uri


def test_a_registered_address_is_fetched(address: tuple[Browser, servers.Portal]) -> None:
    browser, portal = address
    answer = browser.authorize(client_id="signing", request_uri=registered(portal))
    assert page_of(answer)[0] == "/sign-in"
    [(method, path, _, _)] = portal.received
    assert (method, path) == ("GET", "/request")


def test_no_other_address_is_called(address: tuple[Browser, servers.Portal]) -> None:
    """Whoever writes the address of a request must not choose where we call."""
    browser, portal = address
    for other in (registered(portal) + "2", f"http://127.0.0.1:{portal.port}/", "file:///etc/passwd"):
        assert error_in(browser.authorize(client_id="signing", request_uri=other)) == "invalid_request_uri"
    assert portal.received == []


@pytest.mark.parametrize(("content", "error"), [(b"a.b.c", "invalid_request_object"), (b"", "invalid_request_object")])
def test_what_is_there_must_be_a_request_object(
    address: tuple[Browser, servers.Portal], content: bytes, error: str
) -> None:
    browser, portal = address
    publish(portal, content)
    assert error_in(browser.authorize(client_id="signing", request_uri=registered(portal))) == error


@pytest.mark.parametrize("status", [404, 302, 500])
def test_an_address_that_does_not_answer_well(address: tuple[Browser, servers.Portal], status: int) -> None:
    browser, portal = address
    publish(portal, request_object(), status)
    asked = browser.authorize(client_id="signing", request_uri=registered(portal))
    assert error_in(asked) == "invalid_request_uri"


@pytest.mark.parametrize("same", [True, False])
def test_a_fragment_holds_the_hash_of_the_content(address: tuple[Browser, servers.Portal], same: bool) -> None:
    """OpenID Connect Core §6.2: what was registered cannot be changed at the address."""
    browser, portal = address
    content = request_object()
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    publish(portal, content if same else request_object(scope="openid profile"))
    answer = browser.authorize(client_id="signing", request_uri=registered(portal, f"#{digest}"))
    if same:
        assert page_of(answer)[0] == "/sign-in"
    else:
        assert error_in(answer) == "invalid_request_uri"
