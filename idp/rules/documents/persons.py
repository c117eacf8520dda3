"""Numbers of persons: six kinds of document, each with its own format (P5).

What carries a check digit and a date of birth:

| kind | form | check digit |
|---|---|---|
| resident_id | 6 digits of the district, date, 3 digits, check | GB 11643 |
| hmt_residence_permit | 810000, 820000 or 830000, date, 3 digits, check | GB 11643 |
| foreign_permanent_residence, since 2023 | 9, province, country as 3 digits, date, 3 digits, check | GB 11643 |
| foreign_permanent_residence, before | country as 3 letters, 4 digits, YYMMDD, 1 digit, check | ICAO 9303 |
| hk_macao_permit | H or M and 8 digits; HA or MA and 7 digits for foreign nationals | none |
| taiwan_permit | 8 digits | none |
| passport | 5 to 9 letters and digits | none in the number |

Permits are numbered once for life: whoever renews keeps the eight digits. Older cards printed behind them how often
the permit had been issued (2 digits) and, for Taiwan, by whom (one character in brackets). These tails are cut off,
so that the canonical form is one per person and P4 finds an old account by a new card.
"""

import re
from datetime import date

from idp.rules.documents import errors
from idp.rules.documents.check_digits import icao_9303, mod_11_2
from idp.rules.documents.kinds import PersonDocument
from idp.rules.typed import has_blank, has_full_width, trim

# The province is checked because its codes have hardly ever changed; the district below it is not, because people
# keep the code of a district that was renamed, merged or not yet founded at their birth.
_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])"
_BIRTH_AND_SERIAL = "[0-9]{11}[0-9X]"

_FORMS = {
    PersonDocument.RESIDENT_ID: re.compile(rf"{_PROVINCE}[0-9]{{4}}{_BIRTH_AND_SERIAL}"),
    PersonDocument.HMT_RESIDENCE_PERMIT: re.compile(rf"8[123]0000{_BIRTH_AND_SERIAL}"),
    PersonDocument.FOREIGN_PERMANENT_RESIDENCE: re.compile(
        rf"9{_PROVINCE}[0-9]{{3}}{_BIRTH_AND_SERIAL}|[A-Z]{{3}}[0-9]{{12}}"
    ),
    PersonDocument.HK_MACAO_PERMIT: re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?|[HM]A[0-9]{7}"),
    PersonDocument.TAIWAN_PERMIT: re.compile(r"[0-9]{8}(?:[0-9]{2}(?:[A-Z]|\([0-9A-Z]\))?)?"),
    PersonDocument.PASSPORT: re.compile(r"(?=.*[0-9])[0-9A-Z]{5,9}"),
}
_LIFELONG = {PersonDocument.HK_MACAO_PERMIT: 9, PersonDocument.TAIWAN_PERMIT: 8}  # characters that never change
_EIGHTEEN = 18  # characters of a number after GB 11643
_OLD_RESIDENCE_CARD = 15
_EARLIEST_BIRTH = date(1800, 1, 1)


def check_person_document(kind: PersonDocument, number: str, *, today: date) -> str:
    """Return the canonical form of a person's number: trimmed, upper case, without the count of a permit.

    `today` is the local day, the latest that a birth may have. Raises a `DocumentRefused`: `document_full_width`,
    `document_has_spaces`, `document_other_kind`, `document_format`, `document_check_digit`, `document_birth_date`.
    """
    text = trim(number)
    if has_blank(text):
        raise errors.DocumentHasSpaces
    if has_full_width(text):
        raise errors.DocumentFullWidth
    if not text.isascii():  # upper() would turn ı into I and ſ into S
        raise errors.DocumentFormat
    text = text.upper()
    if not _FORMS[kind].fullmatch(text):
        raise _wrong_form(kind, text)
    if kind in _LIFELONG:
        return text[: _LIFELONG[kind]]
    _check_digit(text)
    _check_birth(text, today)
    return text


def birth_date_of(kind: PersonDocument, number: str) -> date | None:
    """Return the date of birth that a canonical number states, or None if it states none.

    None for permits and passports, and for the old residence card of foreigners, which leaves the century open.
    """
    if kind in _LIFELONG or kind is PersonDocument.PASSPORT or len(number) != _EIGHTEEN:
        return None
    return _day(number[6:14])


def _wrong_form(kind: PersonDocument, text: str) -> errors.DocumentRefused:
    """Tell a number of eighteen characters that stands under the wrong kind from one that is none at all."""
    for other, form in _FORMS.items():
        if other is not kind and len(text) == _EIGHTEEN and form.fullmatch(text):
            return errors.DocumentOtherKind(kind=other)
    return errors.DocumentFormat()


def _check_digit(text: str) -> None:
    """Verify the last character where the number has a check digit; passports (5 to 9 characters) have none."""
    if len(text) == _EIGHTEEN and text[-1] != mod_11_2(text[:-1]):
        raise errors.DocumentCheckDigit
    if len(text) == _OLD_RESIDENCE_CARD and text[-1] != icao_9303(text[:-1]):
        raise errors.DocumentCheckDigit


def _check_birth(text: str, today: date) -> None:
    """Verify the date of birth; that of an old residence card must be possible in one of two centuries."""
    if len(text) == _EIGHTEEN:
        candidates = [text[6:14]]
    elif len(text) == _OLD_RESIDENCE_CARD:
        candidates = ["19" + text[7:13], "20" + text[7:13]]
    else:
        return
    born = [day for digits in candidates if (day := _day(digits))]
    if not any(_EARLIEST_BIRTH <= day <= today for day in born):
        raise errors.DocumentBirthDate


def _day(digits: str) -> date | None:
    """Return the day that eight digits YYYYMMDD name, or None if there is no such day."""
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
