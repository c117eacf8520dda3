"""A client certificate in a real TLS handshake, and a proxy that passes it on as RFC 9440 says (P8)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Page, expect

from idp.factors.certificates import revocation
from sandbox.serving import Server
from tests.oidc.servers import tls_for
from tests.support import rows
from tests.support.accessibility import axe_check
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority, running_authority
from tests.support.browser import PHONE
from tests.support.certificates import Token
from tests.support.ports import free_port
from tests.support.tls_proxy import passing_certificates_on
from tests.support.visitor import Visitor


@dataclass
class Site:
    """The provider, the address at which certificates are presented, and who issues them."""

    url: str
    door: str
    server_ca: Path
    ca: RunningAuthority
    folder: Path

    def present(self, visitor: Visitor, token: Token | None, **headers: str) -> requests.Response:
        """Go where the button leads, in a handshake with this token."""
        assert visitor.url.startswith(self.door), visitor.url
        files = self.files(token) if token else None
        with requests.Session() as browser:
            browser.trust_env = False
            return browser.get(
                visitor.url, cert=files, verify=self.server_ca, headers=headers, allow_redirects=False, timeout=10
            )

    def files(self, token: Token) -> tuple[str, str]:
        """Return files of certificate and key."""
        certificate, key = self.folder / "client.pem", self.folder / "client.key"
        certificate.write_text(token.pem)
        key.write_bytes(token.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(certificate), str(key)


@pytest.fixture
def site(make_app: MakeApp, migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    revocation.forget()
    authority, server = tmp_path / "authority", tmp_path / "server"
    authority.mkdir()
    server.mkdir()
    context, server_ca = tls_for("localhost", server)
    port, door = free_port(), free_port()
    with running_authority(authority) as ca:
        app = make_app(
            migrated_sqlite_url,
            **ca.settings,
            issuer=f"http://localhost:{port}",
            certificate_tls_url=f"https://localhost:{door}",
            certificate_tls_proxies=("127.0.0.1/32",),
            trusted_proxies=1,
        )
        with app.app_context():
            rows.person()
        url = f"http://localhost:{port}"
        with Server(app, port), passing_certificates_on(f"http://127.0.0.1:{port}", door, context, ca.file):
            yield Site(url, f"https://localhost:{door}", server_ca, ca, tmp_path)


def to_the_door(site: Site) -> Visitor:
    visitor = Visitor(site.door)
    visitor.get(site.url + "/sign-in/certificate")
    return visitor.submit("certificate", action="present")


def test_a_handshake_signs_in(site: Site) -> None:
    """P8; what the client says of itself in headers does not get through the proxy."""
    token = site.ca.person()
    visitor = to_the_door(site)
    answer = site.present(visitor, token, **{"Client-Cert": site.ca.person(name="别人").header})
    assert answer.status_code == 303
    assert not answer.cookies, "the address for certificates sets none"
    visitor.get(answer.headers["Location"])
    assert (visitor.url, visitor.status) == (f"{site.url}/account", 200)
    token_again = to_the_door(site)
    back = site.present(token_again, None, **{"Client-Cert": token.header})
    assert "浏览器没有出示证书" in token_again.get(back.headers["Location"]).text


def test_the_provider_looks_again(site: Site) -> None:
    """The handshake took it, for it knows no list; the provider does."""
    token = site.ca.person()
    site.ca.authority.revoke(token.certificate.serial_number)
    visitor = to_the_door(site)
    visitor.get(site.present(visitor, token).headers["Location"])
    assert (visitor.status, "已被颁发机构吊销" in visitor.text) == (403, True)


def test_in_a_browser_by_keyboard(site: Site, new_page: Callable[..., Page]) -> None:
    """P8: the button, the other address, and back, under our CSP; the pages are accessible."""
    certificate, key = site.files(site.ca.person())
    page = new_page(
        color_scheme="dark",
        viewport=PHONE,
        reduced_motion="reduce",
        ignore_https_errors=True,  # the authority of the server's certificate is the test's own
        client_certificates=[{"origin": site.door, "certPath": certificate, "keyPath": key}],
    )
    page.goto(f"{site.url}/sign-in")
    page.get_by_role("link", name="数字证书").press("Enter")
    axe_check(page)
    page.get_by_role("button", name="选择证书").press("Enter")
    expect(page).to_have_url(f"{site.url}/account")
    page.goto(f"{site.url}/account/security")
    expect(page.get_by_role("heading", name="演示电子认证机构")).to_be_visible()
    axe_check(page)
    page.get_by_role("link", name="移除", exact=False).press("Enter")
    axe_check(page)
    page.get_by_role("button", name="移除数字证书").press("Enter")
    expect(page.get_by_text("数字证书已移除。")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{site.url}/sign-in/certificate")
    page.get_by_role("button", name="选择证书").press("Enter")
    expect(page.get_by_text("该证书已从账号中移除。")).to_be_visible()
    axe_check(page)
