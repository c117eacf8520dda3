"""OpenID Connect Front-Channel Logout 1.0: what the browser loads, under which policy, and what is registered."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp.clients import registration
from idp.clients.metadata import ClientMetadataInvalid, ProtocolMetadata
from idp.clients.registration import NewClient
from idp.settings import settings
from tests.oidc.authorize.browser import Browser, authorization_of
from tests.oidc.portal import Portal, body_of
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.signing import plant_keys

AFTER = "https://portal.example/signed-out"
ANSWER = "https://portal.example/callback"


@pytest.fixture
def browser(sqlite_app: Flask) -> Browser:
    plant_keys()
    return Browser(sqlite_app)


def add_client(client_id: str, uri: str | None, *, with_session: bool = False, **changes: Any) -> str:
    told = {"frontchannel_logout_uri": uri, "frontchannel_logout_session_required": with_session}
    usual = {"redirect_uris": [ANSWER], "consent_required": False, "post_logout_redirect_uris": [AFTER]}
    return rows.client(client_id, **usual | changes, more=told if uri else {})


def enter(browser: Browser, client_id: str, **changes: str) -> str:
    """Sign in at a client and return its `sid`."""
    return str(authorization_of(browser.authorize(client_id=client_id, **changes)).portal_session_id)


def press(browser: Browser, page: TestResponse) -> TestResponse:
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    return browser.http.post(page.request.full_path, data={"csrf_token": token, "logout": "yes"})


def sign_out(browser: Browser, **parameters: str) -> TestResponse:
    """Sign out from a client's request, over the question."""
    asked = browser.http.get("/oidc/end_session", query_string=parameters)
    return press(browser, browser.get(asked.headers["Location"]))


def frames(page: TestResponse) -> list[str]:
    return [unescape(each) for each in re.findall(r'<iframe[^>]* src="([^"]*)"', page.text)]


def frame_sources(page: TestResponse) -> list[str]:
    policy = dict(each.strip().partition(" ")[::2] for each in page.headers["Content-Security-Policy"].split(";"))
    return policy["frame-src"].split()


def test_every_portal_of_the_session_and_no_other(browser: Browser) -> None:
    add_client("one", "https://one.example/out")
    add_client("two", "https://two.example:8443/out?lang=zh")
    add_client("quiet", None)
    add_client("unvisited", "https://unvisited.example/out")
    browser.sign_in(rows.person())
    for client_id in ("one", "two", "quiet"):
        enter(browser, client_id)
    page = sign_out(browser)
    assert frames(page) == ["https://one.example/out", "https://two.example:8443/out?lang=zh"]
    assert frame_sources(page) == ["https://one.example", "https://two.example:8443"]
    assert "您已安全退出" in page.text
    assert "Refresh" not in page.headers  # there is nowhere to go on to


def test_issuer_and_session_where_the_portal_requires_them(browser: Browser) -> None:
    """§3: both; one address for each unit, because each has a `sid` of its own."""
    add_client("portal", "https://portal.example/out?a=b", with_session=True)
    person = rows.person()
    rows.binding(rows.unit(1), person)
    browser.sign_in(person)
    sids = {enter(browser, "portal"), enter(browser, "portal", org_hint=fictional.uscc(1))}
    page = sign_out(browser)
    queries = [dict(parse_qsl(urlsplit(each).query)) for each in frames(page)]
    assert {each["sid"] for each in queries} == sids
    assert all(each == {"a": "b", "iss": settings().issuer, "sid": each["sid"]} for each in queries)
    assert frame_sources(page) == ["https://portal.example"]


def test_one_frame_is_enough_for_a_portal_that_takes_no_session(browser: Browser) -> None:
    add_client("portal", "https://portal.example/out")
    person = rows.person()
    rows.binding(rows.unit(1), person)
    browser.sign_in(person)
    enter(browser, "portal")
    enter(browser, "portal", org_hint=fictional.uscc(1))
    assert frames(sign_out(browser)) == ["https://portal.example/out"]


def test_it_goes_on_to_the_portal_that_asked(browser: Browser) -> None:
    """With a link for everybody, a script for most, and the browser's own refresh without it."""
    add_client("portal", "https://portal.example/out")
    browser.sign_in(rows.person())
    enter(browser, "portal")
    page = sign_out(browser, client_id="portal", post_logout_redirect_uri=AFTER, state='"><b>单')
    assert page.status_code == 200
    (link,) = re.findall(r'href="([^"]*)" data-onwards', page.text)
    target = unescape(link)
    assert target.startswith(f"{AFTER}?")
    assert dict(parse_qsl(urlsplit(target).query)) == {"state": '"><b>单'}
    assert page.headers["Refresh"] == f"5; url={target}"
    assert "js/frontchannel-logout.js" in page.text


def test_without_frames_nobody_waits(browser: Browser) -> None:
    add_client("portal", None)
    browser.sign_in(rows.person())
    enter(browser, "portal")
    response = sign_out(browser, client_id="portal", post_logout_redirect_uri=AFTER)
    assert response.headers["Location"] == AFTER


def test_our_own_sign_out_tells_portals_too(browser: Browser) -> None:
    add_client("portal", "https://portal.example/out")
    browser.sign_in(rows.person())
    enter(browser, "portal")
    page = press(browser, browser.get("/sign-out"))
    assert frames(page) == ["https://portal.example/out"]
    assert frame_sources(page) == ["https://portal.example"]


def test_the_second_sign_out_tells_nobody_again(browser: Browser) -> None:
    add_client("portal", "https://portal.example/out")
    browser.sign_in(rows.person())
    enter(browser, "portal")
    sign_out(browser)
    asked = browser.http.get("/oidc/end_session")
    page = browser.get(asked.headers["Location"])
    assert "您已安全退出" in page.text
    assert frames(page) == []


def test_pages_have_no_frames_and_are_framed_by_nobody(browser: Browser) -> None:
    page = browser.get("/sign-in")
    assert frame_sources(page) == ["'none'"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_switched_off(make_app: MakeApp, migrated_sqlite_url: str) -> None:
    app = make_app(migrated_sqlite_url, features_off=["frontchannel_logout"])
    with app.app_context():
        plant_keys()
        add_client("portal", "https://portal.example/out")
        browser = Browser(app)
        browser.sign_in(rows.person())
        enter(browser, "portal")
        assert frames(sign_out(browser)) == []
        found = body_of(app.test_client().get("/.well-known/openid-configuration"))
        assert not [name for name in found if name.startswith("frontchannel")]


def test_discovery(sqlite_portal: Portal) -> None:
    found = body_of(sqlite_portal.app.test_client().get("/.well-known/openid-configuration"))
    assert found["frontchannel_logout_supported"] is True
    assert found["frontchannel_logout_session_supported"] is True


@pytest.mark.parametrize(
    ("uri", "taken"),
    [
        ("https://portal.example/out", True),
        ("https://PORTAL.example:443/out?x=y", True),
        ("https://portal.example:8443/out", False),
        ("http://portal.example/out", False),
        ("https://other.example/out", False),
        ("https://portal.example.evil.example/out", False),
        ("https://portal.example/out#part", False),
        ("javascript:alert(1)", False),
        ("/out", False),
    ],
)
def test_only_an_address_of_its_own_is_registered(sqlite_app: Flask, uri: str, *, taken: bool) -> None:
    """§2: "the domain, port, and scheme of this URL MUST be the same as that of a registered Redirection URI"."""
    new = NewClient("portal", "门户", (ANSWER,), protocol=ProtocolMetadata(frontchannel_logout_uri=uri))
    if taken:
        assert registration.add(new)
        return
    with pytest.raises(ClientMetadataInvalid):
        registration.add(new)
