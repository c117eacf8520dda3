"""A provider with both doors of digital certificates, and a visitor who goes through them."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import release
from tests.flows.inside import ADDRESS, InsideVisitor, forgetful
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority
from tests.support.certificates import Token

DOOR = "certificate.localhost"
L3 = "urn:jingban:acr:L3"
PROXY = {"REMOTE_ADDR": "192.0.2.10"}


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str, ca: RunningAuthority) -> Iterator[Flask]:
    """A provider with both doors. Requests know nothing of each other (see conftest.py)."""
    application = forgetful(
        make_app(
            migrated_sqlite_url,
            **ca.settings,
            issuer=ADDRESS,
            certificate_tls_url=f"https://{DOOR}",
            certificate_tls_proxies=("192.0.2.10/32",),
            trusted_proxies=1,
        )
    )
    with application.app_context():
        yield application


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app, "/account", "/unit", "/certificate/present")


def line_on(visitor: InsideVisitor) -> str:
    found = re.search(r'id="certificate-line">([^<]+)<', visitor.text)
    assert found, visitor.text
    return found[1]


def sign(visitor: InsideVisitor, token: Token, **values: str) -> InsideVisitor:
    """Sign what the page shows, as a token's middleware does, and send it."""
    answer = {"certificate": token.pem, "signature": token.sign(line_on(visitor)), "action": "sign"}
    return visitor.submit("certificate", **(answer | values))


def here(visitor: InsideVisitor) -> SignedIn:
    cookie = visitor.client.get_cookie("jingban_session")
    assert cookie is not None
    release()
    found = browser_sessions.find(cookie.value)
    assert found is not None
    return found


def at_the_door(visitor: InsideVisitor, header: str | None, **environ: Any) -> TestResponse:
    """Arrive where the visitor was sent, as the proxy passes it on."""
    assert visitor.url.startswith(f"https://{DOOR}/certificate/present?challenge="), visitor.url
    parts = urlsplit(visitor.url)
    headers = {"Client-Cert": header} if header is not None else {}
    release()
    client = visitor.client.application.test_client()  # the other host has none of our cookies
    return client.get(
        f"{parts.path}?{parts.query}",
        base_url=f"https://{DOOR}",
        headers=headers,
        environ_overrides=PROXY | environ,
    )


def present(visitor: InsideVisitor, token: Token) -> InsideVisitor:
    """Press the button, present the certificate over there, and come back."""
    visitor.submit("certificate", action="present")
    back = at_the_door(visitor, token.header)
    assert back.status_code == 303
    return visitor.get(back.headers["Location"])
