"""Numbers of units (U3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as oracle

from idp.errors import DomainError
from idp.rules.documents import UnitDocument, check_unit_document
from idp.rules.documents.check_digits import USCC_ALPHABET, gb_11714, gb_32100
from tests.support import fictional

USCC, ORG_CODE = UnitDocument.USCC, UnitDocument.ORG_CODE
SERIALS = st.integers(0, 999_999)
BASE_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def refusal(kind, number):
    """The code with which a number is refused, or None if it is taken."""
    try:
        check_unit_document(kind, number)
    except DomainError as refused:
        return refused.code
    return None


@pytest.mark.parametrize("number", ["91440101MA00000156", "124407000000000195", "N2440705MA0000015E"])
def test_takes_the_fictional_vectors(number):
    """DESIGN 7."""
    assert check_unit_document(USCC, number) == number


def test_small_letters_become_capitals():
    assert check_unit_document(USCC, "91440101ma00000156") == "91440101MA00000156"
    assert check_unit_document(ORG_CODE, "d2143569x") == "D2143569X"


@pytest.mark.parametrize("first", "123456789ANY")
def test_takes_every_registering_authority(first):
    """DESIGN 7: A, N and Y stand in front too; the oracle refuses them."""
    body = f"{first}1440101{fictional.org_code(1)}"
    assert refusal(USCC, body + gb_32100(body)) is None


@pytest.mark.parametrize("first", "0BCDEFGHJKLMPQRTUWX")
def test_refuses_other_authorities(first):
    body = f"{first}1440101{fictional.org_code(1)}"
    assert refusal(USCC, body + gb_32100(body)) == "uscc_characters"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("914400000000000000", "uscc_check_digit"),  # the number printed in the guide (DESIGN 7)
        ("000000000000000000", "uscc_characters"),
        ("91440101MA00000157", "uscc_check_digit"),
        ("", "uscc_length"),
        ("91440101MA0000015", "uscc_length"),
        ("91440101MA000001560", "uscc_length"),
        ("91440101-MA0000015", "uscc_characters"),
        ("9144010IMA00000156", "uscc_characters"),
        ("91440101MA0000015O", "uscc_characters"),
        ("91440101MA0000015\u0661", "uscc_characters"),  # an Arabic digit
        ("91440101MA000001ß6", "uscc_characters"),
        ("9144A101MA00000156", "uscc_characters"),  # a letter in the district
        ("９1440101MA00000156", "uscc_full_width"),
        ("91440101ＭA00000156", "uscc_full_width"),
    ],
)
def test_refuses_and_says_why(number, code):
    """U3."""
    assert refusal(USCC, number) == code


@pytest.mark.parametrize("blank", [" ", "\t", "\n", "\u00a0", "\u3000", "\u200b", "\ufeff"])
@pytest.mark.parametrize("place", [0, 4, 18])
def test_blanks_are_refused_wherever_they_stand(blank, place):
    """U3: inner and outer spaces are refused with a message that says so."""
    number = "91440101MA00000156"
    assert refusal(USCC, number[:place] + blank + number[place:]) == "uscc_has_spaces"


@pytest.mark.parametrize("blank", [" ", "\u3000", "\u200b"])
@pytest.mark.parametrize("place", [0, 4, 9])
def test_blanks_are_refused_in_organisation_codes(blank, place):
    """U3."""
    assert refusal(ORG_CODE, "D2143569X"[:place] + blank + "D2143569X"[place:]) == "org_code_has_spaces"


def test_the_length_is_told():
    with pytest.raises(DomainError) as refused:
        check_unit_document(USCC, "9144")
    assert (refused.value.field, refused.value.facts) == ("document_number", {"length": 4})


def test_the_embedded_organisation_code_is_verified():
    """U3: characters 9–17 carry a check character of their own (GB 11714)."""
    body = "91440101MA0000014"  # 5 would be right
    assert oracle.is_valid(body + gb_32100(body))
    assert refusal(USCC, body + gb_32100(body)) == "uscc_check_digit"


@given(SERIALS)
def test_generated_codes_are_taken_and_the_oracle_agrees(n):
    number = fictional.uscc(n)
    assert check_unit_document(USCC, number) == number == oracle.validate(number)


@given(SERIALS, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_every_wrong_character_is_found(n, place, char):
    """U3: 31 is prime and no weight is a multiple of it, so no single slip passes."""
    number = fictional.uscc(n)
    slip = number[:place] + char + number[place + 1 :]
    assert (refusal(USCC, slip) is None) == (slip == number)


@given(SERIALS, st.integers(0, 16))
def test_every_swap_of_neighbours_is_found(n, place):
    number = fictional.uscc(n)
    slip = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (refusal(USCC, slip) is None) == (slip == number)


@given(st.text(max_size=24))
def test_any_text_is_answered_with_a_number_or_a_code(text):
    assert refusal(USCC, text)
    assert refusal(ORG_CODE, text) is None or refusal(ORG_CODE, text).startswith("org_code_")


@pytest.mark.parametrize("number", ["D2143569X", "D2143569-X", "d2143569-x"])
def test_the_hyphen_of_an_organisation_code_may_be_typed(number):
    """组织机构代码第九位“-”请省略: whoever does not leave it out is understood all the same."""
    assert check_unit_document(ORG_CODE, number) == "D2143569X"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("D2143569", "org_code_length"),
        ("D2143569-", "org_code_length"),
        ("D2143569XX", "org_code_length"),
        ("D214356-9X", "org_code_length"),
        ("D21435690", "org_code_check_digit"),
        ("D2143569A", "org_code_characters"),
        ("D214356－X", "org_code_full_width"),
        ("ſ2143569X", "org_code_characters"),  # the long s, whose capital is S
        ("D21435_9X", "org_code_characters"),
    ],
)
def test_refuses_organisation_codes_and_says_why(number, code):
    assert refusal(ORG_CODE, number) == code


@given(st.text(BASE_36, min_size=8, max_size=8), st.integers(0, 7), st.sampled_from(BASE_36))
def test_a_wrong_character_in_an_organisation_code_is_found_as_far_as_mod_11_goes(body, place, char):
    """GB 11714 counts letters up to 35 modulo 11, so it cannot tell 0 from B; every other slip is found."""
    slip = body[:place] + char + body[place + 1 :]
    alike = (int(char, 36) - int(body[place], 36)) % 11 == 0
    assert (refusal(ORG_CODE, slip + gb_11714(body)) is None) == alike
