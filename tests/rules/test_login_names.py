"""Login names (P2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.login_names import LoginNameFormat, check_login_name, login_name_key


@pytest.mark.parametrize("name", ["Abc12", "a1234", "z____", "Abc123", "a" * 20, "B_2_c_4"])
def test_takes_letters_digits_and_underscores_after_a_letter(name):
    """P2: and gives it back as typed."""
    assert check_login_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "abcd",
        "a" * 21,
        "1abcd",
        "_abcd",
        "ab-cd",
        "ab cd",
        "abcde ",
        " abcde",
        "abcde\n",
        "张三张三张",
        "àbcde",
        "ａbcde",
    ],
)
def test_refuses_everything_else(name):
    """P2."""
    with pytest.raises(LoginNameFormat) as refused:
        check_login_name(name)
    assert (refused.value.code, refused.value.field) == ("login_name_format", "login_name")


def test_the_key_knows_no_case():
    """P2: unique without regard to case."""
    assert login_name_key("Zhang_San") == login_name_key("zHANG_sAN") == "zhang_san"


@pytest.mark.parametrize("name", ["\u212aevin", "\u017ftone", "WE\u0130RD"])
def test_letters_from_elsewhere_do_not_fold_into_a_login_name(name):
    """P2: the Kelvin sign, the long s and the dotted I have ASCII letters as their other case."""
    assert login_name_key(name) == name


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{4,19}", fullmatch=True))
def test_the_key_of_a_login_name_is_a_login_name(name):
    assert check_login_name(login_name_key(name)) == login_name_key(login_name_key(name))
