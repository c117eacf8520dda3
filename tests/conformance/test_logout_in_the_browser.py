"""Plans "Front-Channel Logout OP" and "Session Management OP", without the browser that runs the portals' scripts.

What those scripts see in a real one is tested in tests/oidc/logout/.
"""

import hashlib
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from idp.clients.metadata import ProtocolMetadata
from tests.conformance.conftest import register
from tests.conformance.suite import HOME, TIMEOUT, Registration, Suite
from tests.support.stack import Stack

STATE = "logout-state"
OUT = f"{HOME}conformance-frontchannel/frontchannel_logout"


@pytest.fixture(scope="session")
def told(stack: Stack) -> Registration:
    """A client with a front-channel logout address."""
    protocol = ProtocolMetadata(
        require_pkce=False, frontchannel_logout_uri=OUT, frontchannel_logout_session_required=True
    )
    return register(stack, "conformance-frontchannel", protocol=protocol)


def test_oidcc_frontchannel_rp_initiated_logout(suite: Suite, told: Registration) -> None:
    """The page loads the portal's address with `iss` and `sid`, and leads on to where the portal asked."""
    assert suite.metadata["frontchannel_logout_supported"] is True
    assert suite.metadata["frontchannel_logout_session_supported"] is True
    suite = suite.with_client(told)
    tokens = suite.sign_in()
    suite.log_out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=told.signed_out_uri, state=STATE)
    [frame] = [urlsplit(unescape(each)) for each in re.findall(r'<iframe[^>]* src="([^"]*)"', suite.browser.text)]
    assert frame._replace(query="").geturl() == OUT
    assert parse_qs(frame.query) == {"iss": [suite.metadata["issuer"]], "sid": [tokens["claims"]["sid"]]}
    [onwards] = re.findall(r'href="([^"]*)" data-onwards', suite.browser.text)
    assert unescape(onwards) == f"{told.signed_out_uri}?state={STATE}"
    assert suite.authorize(prompt="none").error == "login_required"


def test_oidcc_session_management_discovery_endpoint_verification(suite: Suite) -> None:
    page = requests.get(suite.metadata["check_session_iframe"], timeout=TIMEOUT)
    assert page.status_code == 200
    assert "frame-ancestors *" in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.headers


def test_oidcc_session_management_rp_initiated_logout(suite: Suite) -> None:
    """`session_state` is the hash of what the frame finds, before the logout; not after it."""
    answer = suite.authorize()
    tokens = suite.tokens(answer)
    found, _, salt = answer.parameters["session_state"].partition(".")

    def what_the_frame_finds() -> str:
        state = suite.browser.http.cookies.get("jingban_op_state", default="")
        text = f"{suite.client.client_id} {HOME.rstrip('/')} {state} {salt}"
        return hashlib.sha256(text.encode()).hexdigest()

    assert what_the_frame_finds() == found
    suite.log_out(id_token_hint=tokens["id_token"], post_logout_redirect_uri=suite.client.signed_out_uri, state=STATE)
    assert what_the_frame_finds() != found
