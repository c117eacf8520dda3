"""`next` leads to pages of ours only (no open redirect)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.flows.local_path import local_path


@pytest.mark.parametrize(
    "good",
    ["/", "/account", "/unit/sub-accounts?page=2", "/account/devices?next=//evil.example", "/x?a=%2F%2Fevil"],
)
def test_paths_of_ours(good: str) -> None:
    assert local_path(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        "account",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2Fevil.example",
        "/%2fevil.example",
        "/%5Cevil.example",
        "/%252Fevil.example",
        "/%25252Fevil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/account\r\nSet-Cookie: a=b",
        "/account%0d%0aSet-Cookie:%20a=b",
        "/account\0",
        "/" + "a" * 3000,
    ],
)
def test_everything_else_is_refused(bad: str | None) -> None:
    assert local_path(bad) is None


@given(st.text(alphabet="/\\%25FfCc.:@?#ab \t\r\n", max_size=20))
def test_whatever_is_accepted_stays_here(text: str) -> None:
    if local_path(text) is not None:
        assert text.startswith("/")
        assert text[1:2] not in {"/", "\\"}
        assert not set(text.partition("?")[0]) & set("\\\t\r\n ")
