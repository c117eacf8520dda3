"""Check digits against the standards' own examples, and against python-stdnum as a second opinion (DESIGN 7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from idp.rules.documents.check_digits import USCC_ALPHABET, gb_11714, gb_32100, icao_9303, mod_11_2


@given(st.text("0123456789", min_size=17, max_size=17))
def test_mod_11_2_agrees_with_the_oracle(body):
    assert mod_11_2(body) == ric.calc_check_digit(body + "0")


@given(st.text(USCC_ALPHABET, min_size=17, max_size=17))
def test_gb_32100_agrees_with_the_oracle(body):
    assert gb_32100(body) == uscc.calc_check_digit(body)


@pytest.mark.parametrize(
    ("body", "check"),
    [
        ("D2143569", "X"),  # the example of GB 11714
        ("MA000001", "5"),
        ("00000001", "9"),
        ("00000000", "0"),
    ],
)
def test_gb_11714_by_hand(body, check):
    assert gb_11714(body) == check


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8))
def test_gb_11714_makes_the_weighted_sum_divisible_by_11(body):
    weights = [3, 7, 9, 10, 5, 8, 4, 2, 1]
    values = [ord(char) - 48 if char.isdigit() else ord(char) - 55 for char in body]
    check = gb_11714(body)
    values.append(10 if check == "X" else int(check))
    assert sum(value * weight for value, weight in zip(values, weights, strict=True)) % 11 == 0


@pytest.mark.parametrize(
    ("body", "check"),
    [("L898902C3", "6"), ("740812", "2"), ("120415", "9"), ("520727", "3")],  # the examples of ICAO 9303
)
def test_icao_9303_by_its_examples(body, check):
    assert icao_9303(body) == check
