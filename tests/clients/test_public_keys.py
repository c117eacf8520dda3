"""Key sets of clients come from outside, by value or from an address: nothing in them makes the reader fail."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from idp.clients import public_keys
from tests.oidc.client_jwt import KEYS

GOOD = KEYS["ES256"].as_dict(private=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
MEMBERS = ("kty", "crv", "x", "y", "n", "e", "use", "key_ops", "alg", "kid")
VALUES = st.sampled_from(["RSA", "EC", "OKP", "P-256", "secp256k1", "Ed448", "sig", "AQAB", "AA", ""])


@hypothesis_settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(MEMBERS), VALUES | JSON))
@example({**GOOD, "use": ["sig"]})
@example({**GOOD, "key_ops": 7})
@example({**GOOD, "key_ops": None})
def test_no_key_makes_the_reader_fail_nor_hides_another(odd: dict[str, Any]) -> None:
    """And whatever of it is taken was understood whole."""
    found = public_keys.read({"keys": [odd, GOOD]})
    assert found[-1].kid == GOOD["kid"]
    assert all((key.kty, key.crv) in {("RSA", None), ("EC", "P-256"), ("OKP", "Ed25519")} for key in found)


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "crv": "secp256k1", "x": GOOD["x"], "y": GOOD["y"]},
        {"kty": "EC", "crv": "unheard-of", "x": GOOD["x"], "y": GOOD["y"]},
        {"kty": "OKP", "crv": "X25519", "x": KEYS["EdDSA"].as_dict(private=False)["x"]},
        {"kty": "OKP", "crv": "unheard-of", "x": "AA"},
    ],
)
def test_a_key_of_a_curve_that_we_cannot_use_is_passed_over(key: dict[str, str]) -> None:
    """RFC 7517 §5: ignore keys of types that are not understood."""
    assert public_keys.read({"keys": [key]}) == ()


@given(JSON)
def test_what_is_no_set_holds_no_keys(value: Any) -> None:
    assert public_keys.read(value) == ()
    assert public_keys.read({"keys": value}) == ()
