"""Bank cards (P6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn as oracle

from idp.rules.bank_cards import BankCardRefused, check_bank_card, luhn
from tests.support import fictional


@pytest.mark.parametrize("typed", ["6200000000000005", "6200 0000 0000 0005", " 6200-0000-0000-0005 "])
def test_takes_a_number_with_or_without_its_groups(typed):
    """P6."""
    assert check_bank_card(typed) == "6200000000000005"


@pytest.mark.parametrize("length", range(13, 20))
def test_takes_13_to_19_digits(length):
    """P6."""
    body = "62" + "0" * (length - 3)
    assert check_bank_card(body + luhn(body)) == body + luhn(body)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("6200000000000006", "bank_card_check_digit"),
        ("620000000004", "bank_card_format"),  # 12 digits
        ("62000000000000000009", "bank_card_format"),  # 20 digits
        ("0000000000000000", "bank_card_format"),
        ("62000000000000O5", "bank_card_format"),
        ("６200000000000005", "bank_card_format"),
        ("620000000000000\u0665", "bank_card_format"),
        ("", "bank_card_format"),
    ],
)
def test_refuses_and_says_why(typed, code):
    """P6."""
    with pytest.raises(BankCardRefused) as refused:
        check_bank_card(typed)
    assert (refused.value.code, refused.value.field) == (code, "bank_card")


@given(st.text("0123456789", min_size=1, max_size=18))
def test_luhn_agrees_with_the_oracle(body):
    assert luhn(body) == oracle.calc_check_digit(body)


@given(st.integers(0, 9_999_999), st.integers(0, 15), st.sampled_from("0123456789"))
def test_every_wrong_digit_is_found(n, place, digit):
    number = fictional.bank_card(n)
    slip = number[:place] + digit + number[place + 1 :]
    if slip == number:
        assert check_bank_card(slip) == number
    else:
        with pytest.raises(BankCardRefused):
            check_bank_card(slip)
