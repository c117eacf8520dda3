"""The generators that every other test draws from give valid values, and different ones."""

from datetime import date

import pytest

from idp.rules.bank_cards import check_bank_card
from idp.rules.documents import PersonDocument, UnitDocument, check_person_document, check_unit_document
from idp.rules.login_names import check_login_name
from tests.support import fictional

TODAY = date(2026, 11, 20)
SAMPLE = [*range(1_200), 9_999]


@pytest.mark.parametrize(
    ("generator", "kind"),
    [
        (fictional.resident_id, PersonDocument.RESIDENT_ID),
        (fictional.hk_macao_permit, PersonDocument.HK_MACAO_PERMIT),
        (fictional.taiwan_permit, PersonDocument.TAIWAN_PERMIT),
        (fictional.hmt_residence_permit, PersonDocument.HMT_RESIDENCE_PERMIT),
        (fictional.foreign_permanent_residence, PersonDocument.FOREIGN_PERMANENT_RESIDENCE),
        (fictional.old_foreign_permanent_residence, PersonDocument.FOREIGN_PERMANENT_RESIDENCE),
        (fictional.passport, PersonDocument.PASSPORT),
    ],
)
def test_documents_of_persons(generator, kind):
    """P5."""
    numbers = [generator(n) for n in SAMPLE]
    assert [check_person_document(kind, number, today=TODAY) for number in numbers] == numbers
    assert len(set(numbers)) == len(SAMPLE)


@pytest.mark.parametrize(
    ("generator", "kind"), [(fictional.uscc, UnitDocument.USCC), (fictional.org_code, UnitDocument.ORG_CODE)]
)
def test_documents_of_units(generator, kind):
    """U3."""
    numbers = [generator(n) for n in SAMPLE]
    assert [check_unit_document(kind, number) for number in numbers] == numbers
    assert len(set(numbers)) == len(SAMPLE)


@pytest.mark.parametrize(
    ("generator", "check"), [(fictional.bank_card, check_bank_card), (fictional.login_name, check_login_name)]
)
def test_the_rest(generator, check):
    values = [generator(n) for n in SAMPLE]
    assert [check(value) for value in values] == values
    assert len(set(values)) == len(SAMPLE)


def test_names_phones_and_passwords_differ():
    for generator in (fictional.person_name, fictional.unit_name, fictional.mobile, fictional.password):
        assert len({generator(n) for n in range(1_200)}) == 1_200


def test_the_vectors_that_the_design_names():
    """DESIGN 7."""
    assert fictional.resident_id() == "44010618800101001X"
    assert fictional.hmt_residence_permit() == "810000188001010015"
    assert fictional.hmt_residence_permit(2, "830000") == "830000188001010035"
    assert fictional.foreign_permanent_residence() == "944840188001010012"
    assert fictional.uscc() == "91440101MA00000156"
