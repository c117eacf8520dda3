"""Slips in typing (U3)."""

import pytest

from idp.rules.typed import has_blank, has_full_width, trim


@pytest.mark.parametrize("blank", [" ", "\t", "\r", "\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\ufeff"])
def test_blanks_of_every_kind(blank):
    """U3: also those that cannot be seen."""
    assert has_blank(f"a{blank}b")
    assert trim(f"{blank}a b{blank}{blank}") == "a b"
    assert trim(blank) == ""


@pytest.mark.parametrize("text", ["", "abc", "张三·李四", "a-b_c", "\x00"])
def test_no_blanks(text):
    assert not has_blank(text)
    assert trim(text) == text


@pytest.mark.parametrize("char", "０９ＡＺａｚ－（）！～")
def test_full_width(char):
    assert has_full_width(f"1{char}")


@pytest.mark.parametrize("text", ["", "0Az-()", "张三", "\u3000", "。"])
def test_not_full_width(text):
    assert not has_full_width(text)
