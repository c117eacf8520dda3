"""Masking (DESIGN 8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.masking import mask_document, mask_name, mask_phone, mask_uscc
from tests.support import fictional


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "*三"),
        ("欧阳明日", "***日"),
        ("𠮷田", "*田"),
        ("买买提·吐尔逊", "***·**逊"),
        ("三", "*"),
        ("", ""),
        ("John Smith", "J*** S****"),
        ("Anne-Marie d'Arc", "A***-M**** d'A**"),
        ("Müller Jo", "M***** J*"),
    ],
)
def test_names(name, shown):
    """DESIGN 8: 张三 → *三."""
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("440106188001010014", "440***********0014"),
        (fictional.resident_id(), "440***********001X"),
        ("UTO440150010174", "UTO********0174"),
        ("H00000078", "H******78"),
        ("00000078", "0*****78"),
        ("D2143569X", "D******9X"),
        ("12345", "1**45"),
        ("123", "***"),
        ("", ""),
    ],
)
def test_document_numbers(number, shown):
    """DESIGN 8: 440***********0014."""
    assert mask_document(number) == shown


def test_social_credit_codes_are_shown_in_groups():
    """The chooser (C1): the district and the last three stay readable, the eighteen characters stay eighteen."""
    shown = mask_uscc("91440101MA00000156")
    assert shown == "9144 0101 **** ***156"
    assert len(shown.replace(" ", "")) == 18


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+8613800138000", "138****8000"),
        ("+85251234567", "+852 51****67"),
        ("+85366123456", "+853 66****56"),
        ("+886912345678", "+886 91*****78"),
    ],
)
def test_phones(phone, shown):
    """DESIGN 8: 138****8000."""
    assert mask_phone(phone) == shown


@given(st.integers(0, 799_999))
def test_most_of_a_number_is_hidden(n):
    assert mask_document(fictional.resident_id(n)).count("*") == 11
    assert mask_document(fictional.hk_macao_permit(n)).count("*") == 6
    assert mask_document(fictional.passport(n)).count("*") == 6
    assert mask_phone(fictional.mobile(n)).count("*") == 4


@given(st.text(max_size=30))
def test_nothing_is_shown_whole(text):
    for mask in (mask_document, mask_phone):
        assert not text.strip("*") or mask(text) != text
