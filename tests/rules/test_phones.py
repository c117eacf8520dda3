"""Mobile numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.phones import PhoneRefused, check_phone, national_digits
from tests.support import fictional


@pytest.mark.parametrize(
    "typed",
    ["13800138000", "138 0013 8000", "138-0013-8000", " 13800138000 ", "+8613800138000", "+86 138\u00a00013 8000"],
)
def test_a_mainland_mobile_becomes_e164(typed):
    """P1: spaces and hyphens are how people write numbers down."""
    assert check_phone(typed) == "+8613800138000"


@pytest.mark.parametrize(
    "prefix", ["130", "145", "150", "162", "166", "170", "176", "180", "191", "192", "197", "199"]
)
def test_ranges_of_all_operators_are_mobile(prefix):
    assert check_phone(prefix + "00000000") == f"+86{prefix}00000000"


@pytest.mark.parametrize(
    ("typed", "number"),
    [("+852 5123 4567", "+85251234567"), ("+853-6612-3456", "+85366123456"), ("+886 912345678", "+886912345678")],
)
def test_hong_kong_macao_and_taiwan_with_their_country_code(typed, number):
    """U5: their residents register too."""
    assert check_phone(typed) == number


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("１3800138000", "phone_full_width"),
        ("＋8613800138000", "phone_full_width"),
        ("02087654321", "phone_not_mobile"),
        ("+862087654321", "phone_not_mobile"),
        ("4001234567", "phone_not_mobile"),
        ("12345678901", "phone_not_mobile"),
        ("1380013800", "phone_not_mobile"),
        ("138001380000", "phone_not_mobile"),
        ("+85221234567", "phone_not_mobile"),
        ("+85328123456", "phone_not_mobile"),
        ("51234567", "phone_not_mobile"),  # Hong Kong without its code
        ("", "phone_format"),
        ("13800", "phone_format"),
        ("1380013800a", "phone_format"),
        ("(138)00138000", "phone_format"),
        ("13800138000#12", "phone_format"),
        ("138\t00138000", "phone_format"),
        ("\u0661\u0663800138000", "phone_format"),  # Arabic digits
        ("+86+13800138000", "phone_format"),
        ("+8860912345678", "phone_format"),  # the trunk zero is not for abroad
        ("+86013800138000", "phone_format"),
        ("013800138000", "phone_format"),
        ("+14155550100", "phone_region"),
        ("+4915112345678", "phone_region"),
    ],
)
def test_refuses_and_says_why(typed, code):
    with pytest.raises(PhoneRefused) as refused:
        check_phone(typed)
    assert (refused.value.code, refused.value.field) == (code, "phone")


@given(st.integers(0, 799_999))
def test_fictional_mobiles_pass_and_are_canonical(n):
    assert check_phone(fictional.mobile(n)) == fictional.mobile(n)
    assert check_phone(national_digits(fictional.mobile(n))) == fictional.mobile(n)


@given(st.text(max_size=20))
def test_any_text_is_answered(text):
    try:
        number = check_phone(text)
    except PhoneRefused:
        return
    assert check_phone(number) == number


@pytest.mark.parametrize(
    ("number", "digits"),
    [("+8613800138000", "13800138000"), ("+85251234567", "51234567"), ("+886912345678", "912345678"), ("110", "110")],
)
def test_national_digits(number, digits):
    assert national_digits(number) == digits
