"""Numbers of persons: six kinds of document (P5)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric as oracle

from idp.errors import DomainError
from idp.rules.documents import PersonDocument, birth_date_of, check_person_document
from idp.rules.documents.check_digits import icao_9303, mod_11_2
from tests.support import fictional

TODAY = date(2026, 11, 20)
RESIDENT = PersonDocument.RESIDENT_ID
HK_MACAO = PersonDocument.HK_MACAO_PERMIT
TAIWAN = PersonDocument.TAIWAN_PERMIT
RESIDENCE = PersonDocument.HMT_RESIDENCE_PERMIT
FOREIGN = PersonDocument.FOREIGN_PERMANENT_RESIDENCE
PASSPORT = PersonDocument.PASSPORT
SERIALS = st.integers(0, 9_999_999)


def refusal(kind, number, today=TODAY):
    """The code with which a number is refused, or None if it is taken."""
    try:
        check_person_document(kind, number, today=today)
    except DomainError as refused:
        return refused.code
    return None


def with_check_digit(body):
    return body + mod_11_2(body)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (RESIDENT, "44010618800101001X"),
        (RESIDENCE, "810000188001010015"),
        (RESIDENCE, "830000188001010035"),
        (FOREIGN, "944840188001010012"),
    ],
)
def test_takes_the_fictional_vectors(kind, number):
    """DESIGN 7, P5: also 830000 and 9…, which the oracle refuses."""
    assert check_person_document(kind, number, today=TODAY) == number


def test_the_check_letter_may_be_typed_small_and_the_number_with_outer_spaces():
    assert check_person_document(RESIDENT, " 44010618800101001x\u3000", today=TODAY) == "44010618800101001X"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("440106188001010011", "document_check_digit"),
        ("440106 18800101001X", "document_has_spaces"),
        ("440106\u200b18800101001X", "document_has_spaces"),
        ("４4010618800101001X", "document_full_width"),
        ("44010618800101001Ｘ", "document_full_width"),
        ("", "document_format"),
        ("440106800101001", "document_format"),  # fifteen digits: void since 2013
        ("44010618800101001", "document_format"),
        ("44010618800101001XX", "document_format"),
        ("4401061880010100X1", "document_format"),
        ("44010618800101001\u0661", "document_format"),
        ("71010618800101001X", "document_format"),  # no such province
        ("00010618800101001X", "document_format"),
    ],
)
def test_refuses_resident_numbers_and_says_why(number, code):
    """P5."""
    assert refusal(RESIDENT, number) == code


@pytest.mark.parametrize(
    "birth",
    ["18810229", "19000229", "20230431", "19991301", "19990001", "19990100", "00000101", "17991231", "20261121"],
)
def test_the_date_of_birth_must_be_a_real_day_of_the_past(birth):
    """P5: a right check digit does not help an impossible day."""
    assert refusal(RESIDENT, with_check_digit(f"440106{birth}001")) == "document_birth_date"
    assert refusal(RESIDENCE, with_check_digit(f"820000{birth}001")) == "document_birth_date"
    assert refusal(FOREIGN, with_check_digit(f"944840{birth}001")) == "document_birth_date"


@pytest.mark.parametrize("birth", ["18000101", "18840229", "20000229", "20261120"])
def test_the_first_and_the_last_possible_day_of_birth_are_taken(birth):
    assert refusal(RESIDENT, with_check_digit(f"440106{birth}001")) is None


def test_today_is_the_argument_and_not_the_clock():
    number = with_check_digit("44010620200101001")
    assert refusal(RESIDENT, number, today=date(2019, 12, 31)) == "document_birth_date"
    assert refusal(RESIDENT, number, today=date(2020, 1, 1)) is None


def test_a_holder_may_be_older_than_the_district():
    """DESIGN 7: 440106 was founded in 1985; the oracle refuses what it does not find in its table of districts."""
    assert refusal(RESIDENT, with_check_digit("44999918800101001")) is None


def test_the_provinces_are_the_thirty_one_that_issue():
    """P5: of the districts nothing is asked, of the provinces that they exist (GB/T 2260)."""
    issuing = {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)}
    assert len(issuing) == 31
    for code in range(100):
        resident = with_check_digit(f"{code:02d}010618800101001")
        foreigner = with_check_digit(f"9{code:02d}84018800101001")
        assert (refusal(RESIDENT, resident) is None) == (code in issuing)
        assert (refusal(FOREIGN, foreigner) is None) == (code in issuing)


@pytest.mark.parametrize(
    ("chosen", "number", "kind"),
    [
        (RESIDENT, fictional.hmt_residence_permit(), RESIDENCE),
        (RESIDENT, fictional.foreign_permanent_residence(), FOREIGN),
        (RESIDENCE, fictional.resident_id(), RESIDENT),
        (PASSPORT, fictional.resident_id(), RESIDENT),
        (FOREIGN, fictional.hmt_residence_permit(), RESIDENCE),
    ],
)
def test_a_number_under_the_wrong_kind_is_told_which_kind_it_is(chosen, number, kind):
    with pytest.raises(DomainError) as refused:
        check_person_document(chosen, number, today=TODAY)
    assert (refused.value.code, refused.value.facts) == ("document_other_kind", {"kind": kind})


@pytest.mark.parametrize("number", ["840000188001010011", "810001188001010015", "81000018800101001"])
def test_residence_permits_exist_for_three_regions(number):
    """P5."""
    assert refusal(RESIDENCE, number) == "document_format"


@pytest.mark.parametrize(
    ("number", "canonical"),
    [
        ("H00000001", "H00000001"),
        ("m00000001", "M00000001"),
        ("H0000000102", "H00000001"),  # the booklet: issued for the second time
        ("HA0000001", "HA0000001"),  # foreign nationals, since 2024
        ("MA0000001", "MA0000001"),
    ],
)
def test_hong_kong_and_macao_permits(number, canonical):
    """P5: the number is one for life, so the count of issues is cut off and P4 finds the account again."""
    assert check_person_document(HK_MACAO, number, today=TODAY) == canonical


@pytest.mark.parametrize(
    "number",
    ["A00000001", "H0000001", "H000000010", "H00000001023", "HA00000010", "HB0000001", "H0000000A", "00000001"],
)
def test_other_hong_kong_and_macao_permits_are_refused(number):
    assert refusal(HK_MACAO, number) == "document_format"


@pytest.mark.parametrize("number", ["00000001", "0000000102", "0000000102B", "0000000102(b)", "0000000102(1)"])
def test_taiwan_permits(number):
    """P5: before 2008 the count of issues and the issuer stood behind the eight digits."""
    assert check_person_document(TAIWAN, number, today=TODAY) == "00000001"


@pytest.mark.parametrize(
    "number", ["0000001", "000000010", "0000000102()", "0000000102(BB)", "T00000001", "0000000102("]
)
def test_other_taiwan_permits_are_refused(number):
    assert refusal(TAIWAN, number) == "document_format"


@pytest.mark.parametrize("number", ["E00000001", "EA0000001", "g00000001", "L898902C3", "12345", "UT0000001"])
def test_passports(number):
    """P5."""
    assert check_person_document(PASSPORT, number, today=TODAY) == number.upper()


@pytest.mark.parametrize("number", ["1234", "E000000001", "ABCDEFGHI", "E0000-001", "E0000000ı", "护照00001"])
def test_other_passports_are_refused(number):
    assert refusal(PASSPORT, number) == "document_format"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("UTO44018001010", None),
        ("UTO44010002290", None),  # 1900 had no such day, 2000 had
        ("UTO44019902290", "document_birth_date"),
        ("UTO44012713011", "document_birth_date"),
        ("UTO44012612310", None),  # not yet in 2026, so 1926
    ],
)
def test_old_residence_cards_of_foreigners(body, code):
    """P5: three letters, twelve digits, a check digit after ICAO 9303; the century is open."""
    number = body + icao_9303(body)
    assert refusal(FOREIGN, number) == code
    assert refusal(FOREIGN, body + str((int(number[-1]) + 1) % 10)) == "document_check_digit"


@pytest.mark.parametrize("number", ["UTO4401800101", "UT04401800101001", "900840188001010012", "9448401880010100"])
def test_other_residence_cards_of_foreigners_are_refused(number):
    assert refusal(FOREIGN, number) == "document_format"


@given(SERIALS)
def test_generated_resident_numbers_are_taken_and_the_oracle_agrees_where_it_can(n):
    number = fictional.resident_id(n)
    assert check_person_document(RESIDENT, number, today=date(9999, 12, 31)) == number
    assert oracle.calc_check_digit(number) == number[-1]


@given(st.dates(date(1985, 6, 1), TODAY), st.integers(0, 999))
def test_the_oracle_agrees_on_holders_born_after_their_district(born, serial):
    number = with_check_digit(f"440106{born:%Y%m%d}{serial:03d}")
    assert check_person_document(RESIDENT, number, today=TODAY) == oracle.validate(number)


@given(st.integers(0, 50_000_000), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_wrong_character_is_found(n, place, char):
    """GB 11643: MOD 11-2 lets no single slip pass."""
    number = fictional.resident_id(n)
    slip = number[:place] + char + number[place + 1 :]
    assert (refusal(RESIDENT, slip) is None) == (slip == number)


@given(st.integers(0, 50_000_000), st.integers(0, 16))
def test_every_swap_of_neighbours_is_found(n, place):
    number = fictional.resident_id(n)
    slip = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (refusal(RESIDENT, slip) is None) == (slip == number)


@given(st.sampled_from(PersonDocument), st.text(max_size=24))
def test_any_text_is_answered_with_a_number_or_a_code(kind, text):
    code = refusal(kind, text)
    assert code is None or code.startswith("document_")


@given(st.sampled_from(PersonDocument), st.from_regex(r"[HM]?A?[0-9]{8,17}[0-9Xx]?", fullmatch=True))
def test_the_canonical_form_is_its_own_canonical_form(kind, text):
    if refusal(kind, text) is None:
        canonical = check_person_document(kind, text, today=TODAY)
        assert check_person_document(kind, canonical, today=TODAY) == canonical


@pytest.mark.parametrize(
    ("kind", "number", "born"),
    [
        (RESIDENT, fictional.resident_id(), date(1880, 1, 1)),
        (RESIDENCE, fictional.hmt_residence_permit(999), date(1880, 1, 2)),
        (FOREIGN, fictional.foreign_permanent_residence(), date(1880, 1, 1)),
        (FOREIGN, fictional.old_foreign_permanent_residence(), None),
        (HK_MACAO, fictional.hk_macao_permit(), None),
        (TAIWAN, fictional.taiwan_permit(), None),
        (PASSPORT, fictional.passport(), None),
    ],
)
def test_the_date_of_birth_is_read_where_the_number_states_it(kind, number, born):
    assert birth_date_of(kind, number) == born
