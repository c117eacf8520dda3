"""Redirect URIs are compared character by character; a native client's loopback port may differ (RFC 8252 §7.3)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.oidc.authorize.redirect_uris import is_registered
from idp.rules.origins import origin_of

REGISTERED = ("https://portal.example/callback", "http://127.0.0.1/cb", "http://[::1]:80/cb?a=b")
uris = st.one_of(
    st.sampled_from(REGISTERED),
    st.text(max_size=60),
    st.builds(
        "{}://{}{}/{}".format,
        st.sampled_from(["http", "https", "HTTP"]),
        st.sampled_from(["127.0.0.1", "[::1]", "localhost", "portal.example", "127.0.0.1.evil.example"]),
        st.sampled_from(["", ":1", ":80", ":65535", ":99999", ":080", ":", ":1@evil.example"]),
        st.sampled_from(["cb", "callback", "cb?a=b", "cb/", "cb#x", ""]),
    ),
)


@given(uris)
@example("https://portal.example/callback/")
@example("https://portal.example/callback?")
@example("https://portal.example/CALLBACK")
@example("https://portal.example:443/callback")
@example("https://portal.example/x/../callback")
@example("http://127.0.0.1:5000/cb")
def test_for_a_web_client_only_the_same_string_is_right(uri: str) -> None:
    assert is_registered(uri, REGISTERED, native=False) == (uri in REGISTERED)


@given(st.sampled_from(["http://127.0.0.1", "http://[::1]"]), st.integers(1, 65535), st.integers(0, 65535))
def test_a_native_client_may_listen_anywhere_on_loopback(host: str, port: int, registered: int) -> None:
    known = f"{host}:{registered}/cb?a=b" if registered else f"{host}/cb?a=b"
    assert is_registered(f"{host}:{port}/cb?a=b", [known], native=True)
    assert is_registered(f"{host}:{port}/cb?a=b", [known], native=False) == (port == registered)
    assert not is_registered(f"{host}:{port}/cb?a=c", [known], native=True)
    assert not is_registered(f"{host}:{port}/cb", [known], native=True)


@given(uris)
def test_nothing_but_the_port_differs(uri: str) -> None:
    if not is_registered(uri, REGISTERED, native=True) or uri in REGISTERED:
        return
    assert uri.startswith(("http://127.0.0.1:", "http://127.0.0.1/", "http://[::1]:", "http://[::1]/"))
    assert uri.endswith(("/cb", "/cb?a=b"))


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:5000@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:5000.evil.example/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:05000/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.1/cb",
        "http://localhost:5000/cb",
        "https://127.0.0.1:5000/cb",
        "http://[::2]:5000/cb",
        "http://[::ffff:127.0.0.1]:5000/cb",
        "http://127.0.0.1:5000/cb\n",
        "http://127.0.0.1:5000\\cb",
        "HTTP://127.0.0.1:5000/cb",
    ],
)
def test_what_only_looks_like_loopback(uri: str) -> None:
    assert not is_registered(uri, ["http://127.0.0.1/cb", "http://[::1]/cb"], native=True)


def test_no_port_rule_for_addresses_that_are_not_registered_as_loopback() -> None:
    assert not is_registered("http://127.0.0.1:5000/cb", ["https://portal.example/cb"], native=True)
    assert not is_registered("https://portal.example:5000/cb", ["https://portal.example/cb"], native=True)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://portal.example/callback?a=b", "https://portal.example"),
        ("https://portal.example:8443", "https://portal.example:8443"),
        ("http://[::1]:5000/cb", "http://[::1]:5000"),
        ("com.example.app:/cb", "com.example.app:"),
        ("https://portal.example; script-src *", "https://portal.example"),
    ],
)
def test_origins_for_the_policy(uri: str, origin: str) -> None:
    assert origin_of(uri) == origin
