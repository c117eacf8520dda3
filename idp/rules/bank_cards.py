"""Numbers of bank cards for the UnionPay check (P6). They are passed on and never stored."""

import re

from idp.errors import DomainError

_SEPARATORS = re.compile(r"[ \u00a0-]")  # cards print their number in groups of four
# No issuer's range begins with 0 (ISO/IEC 7812-1), which keeps out a row of zeros: its Luhn sum is right.
_CARD = re.compile(r"[1-9][0-9]{12,18}")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class BankCardRefused(DomainError):
    """Base of all refusals of a card number; its field is `bank_card`."""

    code = "bank_card_refused"

    def __init__(self) -> None:
        super().__init__("bank_card")


class BankCardFormat(BankCardRefused):
    """Not 13–19 digits."""

    code = "bank_card_format"


class BankCardCheckDigit(BankCardRefused):
    """The last digit does not match: a slip in typing."""

    code = "bank_card_check_digit"


def check_bank_card(number: str) -> str:
    """Return the digits of a card number, without spaces and hyphens (P6); raise a `BankCardRefused`."""
    digits = _SEPARATORS.sub("", number.strip())
    if not _CARD.fullmatch(digits):
        raise BankCardFormat
    if digits[-1] != luhn(digits[:-1]):
        raise BankCardCheckDigit
    return digits


def luhn(body: str) -> str:
    """Return the check digit that belongs behind `body` (Luhn, ISO/IEC 7812-1 annex B)."""
    total = sum(_DOUBLED[int(digit)] for digit in body[::-2]) + sum(int(digit) for digit in body[-2::-2])
    return str(-total % 10)
