"""Not collected by itself: tests/tools/test_support.py runs it and counts what fails."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

PAGES = {
    "/": (200, "<link rel=icon href=data:,>"),
    "/refused": (400, "<link rel=icon href=data:,>"),
    "/csp": (
        200,
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\"><script>1</script>",
    ),
    "/lacking": (200, "<link rel=icon href=data:,><img src=/nothing.png>"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = PAGES.get(self.path, (404, ""))
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_console_error(page: Page) -> None:
    page.evaluate("console.error('written by a script')")


def test_thrown_error(page: Page, site: str) -> None:
    page.goto(site + "/")
    page.evaluate("setTimeout(() => { throw new Error('thrown') })")
    page.wait_for_timeout(200)


def test_policy_violation(page: Page, site: str) -> None:
    page.goto(site + "/csp")


def test_lacking_picture(page: Page, site: str) -> None:
    page.goto(site + "/lacking")


@pytest.mark.browser_errors("written by")
def test_expected_error(page: Page) -> None:
    page.evaluate("console.error('written by a test that says so')")


def test_refused_form(page: Page, site: str) -> None:
    page.goto(site + "/refused")
