"""Names of persons (P1) and units (U1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.errors import DomainError
from idp.rules.names import check_person_name, check_unit_name
from tests.support import fictional


def refusal(check, name):
    try:
        check(name)
    except DomainError as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "欧阳明日",
        "买买提·吐尔逊",
        "〇一",
        "㐀䶿",  # extension A
        "𠮷田",  # extension B
        "王\U000323b0",  # extension J, younger than Python's tables
        "张" * 50,
        "John Smith",
        "SMITH, JOHN",
        "Anne-Marie d'Arc",
        "J. R. Müller",
        "Nguyễn Văn",
    ],
)
def test_takes_chinese_and_latin_names(name):
    """P1."""
    assert check_person_name(name) == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" 张三\u3000", "张三"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("买买提・吐尔逊", "买买提·吐尔逊"),
        ("⽂三", "文三"),  # a Kangxi radical, as copied from a PDF
        ("John \t Smith", "John Smith"),
        ("Ｊｏｈｎ Smith", "John Smith"),
        ("Conan O’Brien", "Conan O'Brien"),
        ("Mu\u0308ller Jo", "Müller Jo"),
    ],
)
def test_one_name_has_one_spelling(typed, stored):
    assert check_person_name(typed) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "person_name_length"),
        (" \u3000", "person_name_length"),
        ("张", "person_name_length"),
        ("张" * 51, "person_name_length"),
        ("张 三", "person_name_has_spaces"),
        ("张\u3000三", "person_name_has_spaces"),
        ("张\u200b三", "person_name_has_spaces"),
        ("张三1", "person_name_characters"),
        ("张三A", "person_name_characters"),
        ("张三·", "person_name_characters"),
        ("·张三", "person_name_characters"),
        ("买买提··吐尔逊", "person_name_characters"),
        ("张三（女）", "person_name_characters"),
        ("John2", "person_name_characters"),
        ("John\x00Smith", "person_name_characters"),
        ("John\u202eSmith", "person_name_characters"),
        ("-John", "person_name_characters"),
        ("<b>John</b>", "person_name_characters"),
        ("Иван", "person_name_characters"),
        ("张\ue000三", "person_name_characters"),  # private use: nobody else knows the character
    ],
)
def test_refuses_other_persons_names_and_says_why(typed, code):
    """P1."""
    assert refusal(check_person_name, typed) == code


@pytest.mark.parametrize(
    "name",
    [
        "江门市人才服务中心",
        "广州示例（集团）有限公司",
        "广州7天酒店管理有限公司",
        "广东省“12345”热线管理中心",
        "广州A·B咨询中心（普通合伙）",
        "Example Trading Co., Ltd.",
        "示例&伙伴律师事务所",
        "企" * 100,
    ],
)
def test_takes_the_name_as_the_licence_has_it(name):
    """U1."""
    assert check_unit_name(name) == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("广州示例(集团)有限公司", "广州示例（集团）有限公司"),
        (" 江门市人才服务中心\n", "江门市人才服务中心"),
        ("广州７天酒店", "广州7天酒店"),
        ("Example   Trading", "Example Trading"),
    ],
)
def test_one_unit_has_one_spelling(typed, stored):
    """U1, U17: so that the name compares with the register's."""
    assert check_unit_name(typed) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "unit_name_length"),
        ("企", "unit_name_length"),
        ("企" * 101, "unit_name_length"),
        ("江门市 人才服务中心", "unit_name_has_spaces"),
        ("江门市人才 ABC", "unit_name_has_spaces"),
        ("ABC\u3000江门市", "unit_name_has_spaces"),
        ("12345", "unit_name_characters"),
        ("（）", "unit_name_characters"),
        ("江门市<人才>", "unit_name_characters"),
        ("江门市\u200b人才", "unit_name_characters"),
        ("江门市人才\x00", "unit_name_characters"),
        ("江门市★人才", "unit_name_characters"),
    ],
)
def test_refuses_other_unit_names_and_says_why(typed, code):
    """U1."""
    assert refusal(check_unit_name, typed) == code


def test_refusals_name_their_field():
    for check, field in ((check_person_name, "full_name"), (check_unit_name, "unit_name")):
        with pytest.raises(DomainError) as refused:
            check("")
        assert refused.value.field == field


@given(st.text(max_size=60), st.sampled_from([check_person_name, check_unit_name]))
def test_the_stored_spelling_is_stable(text, check):
    if refusal(check, text) is None:
        assert check(check(text)) == check(text)


@given(st.integers(0, 1_559))
def test_fictional_names_pass(n):
    assert check_person_name(fictional.person_name(n)) == fictional.person_name(n)
    assert check_unit_name(fictional.unit_name(n)) == fictional.unit_name(n)
