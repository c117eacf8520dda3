"""Parameters are read as bytes: whatever comes, it is a set of single, well-formed values or says what is not."""

from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.oidc.authorize import parse
from idp.oidc.authorize.parse import LONG, MAX_LONG_VALUE, MAX_PARAMETERS, MAX_QUERY, MAX_VALUE, RequestUnreadable

plain = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40)


@given(st.dictionaries(plain, plain, max_size=20))
def test_what_is_encoded_comes_back(values: dict[str, str]) -> None:
    read = parse.parse(urlencode(values).encode())
    assert dict(read.values) == values
    assert not read.repeated
    assert not read.broken


@given(st.binary(max_size=300))
@example(b"state=%ff")
@example(b"state=\xff")
@example(b"state=%00")
@example(b"%00=a")
@example(b"%ff=a")
@example(b"=a&&&=")
@example(b"state=%ed%a0%80")  # half a surrogate pair
@example(b"state=%c0%80")  # NUL, spelt too long
@example(b"state=%zz")
def test_no_bytes_break_it(encoded: bytes) -> None:
    read = parse.parse(encoded)
    for name, value in read.values.items():
        assert value
        assert not any(ord(char) < 0x20 or ord(char) == 0x7F for char in name + value)
        (name + value).encode()  # no half surrogate pairs
        assert not read.spoilt(name)


@given(plain, plain, plain)
def test_a_repeated_parameter_has_no_value(name: str, first: str, second: str) -> None:
    """RFC 6749 §3.1; Authlib takes the first one."""
    read = parse.parse(urlencode([(name, first), (name, second)]).encode())
    assert read.get(name) is None
    assert read.spoilt(name)


def test_the_same_value_twice_is_repeated_too() -> None:
    assert parse.parse(b"scope=openid&scope=openid").repeated == {"scope"}
    assert parse.parse(b"scope=openid&scope=").repeated == {"scope"}


def test_without_a_value_means_omitted() -> None:
    """RFC 6749 §3.1."""
    read = parse.parse(b"state=&nonce&scope=openid")
    assert dict(read.values) == {"scope": "openid"}
    assert not read.spoilt("state", "nonce")


@pytest.mark.parametrize("encoded", [b"state=%00", b"state=a%0d%0ab", b"state=%7f", b"state=%ff", b"state=a%09b"])
def test_control_characters_and_other_encodings_are_broken(encoded: bytes) -> None:
    assert parse.parse(encoded).broken == {"state"}


def test_limits_of_values() -> None:
    for name, longest in (("state", MAX_VALUE), ("id_token_hint", MAX_LONG_VALUE)):
        assert len(parse.parse(f"{name}={'a' * longest}".encode()).get(name) or "") == longest
        assert parse.parse(f"{name}={'a' * (longest + 1)}".encode()).broken == {name}
    assert "id_token_hint" in LONG
    assert parse.parse(f"state={'%E5%8D%95' * MAX_VALUE}".encode()).get("state") == "单" * MAX_VALUE


def test_limits_of_the_whole() -> None:
    parse.parse(b"&".join(b"a%d=b" % number for number in range(MAX_PARAMETERS)))
    with pytest.raises(RequestUnreadable):
        parse.parse(b"&".join(b"a%d=b" % number for number in range(MAX_PARAMETERS + 1)))
    with pytest.raises(RequestUnreadable):
        parse.parse(b"a=" + b"b" * MAX_QUERY)


def test_a_plus_is_a_blank_and_a_semicolon_is_none() -> None:
    assert parse.parse(b"scope=openid+profile&state=a;b=c").values == {"scope": "openid profile", "state": "a;b=c"}
