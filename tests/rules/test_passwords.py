"""Passwords (P3)."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.passwords import PasswordPoint, PasswordPolicy, PasswordRefused, check_password, prepare_password
from tests.support import fictional

RELAXED = PasswordPolicy(any_three_kinds=True)
KEYBOARD = [
    "`1234567890-=",
    "~!@#$%^&*()_+",
    "qwertyuiop[]\\",
    "QWERTYUIOP{}|",
    "asdfghjkl;'",
    "zxcvbnm,./",
    'ASDFGHJKL:"',
]
ORDERED = [string.ascii_lowercase, string.ascii_uppercase, string.digits]


def points(password, **context):
    """The points that a password breaks, as codes."""
    try:
        check_password(password, **context)
    except PasswordRefused as refused:
        return [str(point) for point in refused.points]
    return []


@pytest.mark.parametrize("password", ["Abcd1234", "Aa1Aa1Aa", "Xk7-mongoose", "密码Wort1234", "Aa1" * 10, "My dog 7x"])
def test_takes_upper_lower_and_digit(password):
    """P3: symbols, spaces and Chinese are welcome."""
    assert check_password(password) == password


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Aa1Aa1A", ["password_too_short"]),
        ("Aa1" * 10 + "A", ["password_too_long"]),
        ("aa1aa1aa", ["password_no_upper"]),
        ("AA1AA1AA", ["password_no_lower"]),
        ("AaBaAaBa", ["password_no_digit"]),
        ("Aa-Aa-Aa", ["password_no_digit"]),  # a symbol is no stand-in
        ("", ["password_too_short", "password_no_upper", "password_no_lower", "password_no_digit"]),
        ("aaa", ["password_too_short", "password_no_upper", "password_no_digit"]),
        ("Aa1Aa1\x07A", ["password_control_characters"]),
        ("Aa1Aa1A\n", ["password_control_characters"]),
        ("Aa1Aa1A\u200b", ["password_control_characters"]),
        ("Aa1Aa1A\ud800", ["password_control_characters"]),  # a lone surrogate cannot be encoded
        ("Aa1asdfg", ["password_run"]),
        ("À٣a bbbbb", ["password_no_upper", "password_no_digit"]),  # kinds are those of a keyboard
    ],
)
def test_all_broken_points_are_told(password, broken):
    """P3."""
    assert points(password) == broken


def test_the_error_carries_field_and_figures():
    with pytest.raises(PasswordRefused) as refused:
        check_password("x")
    assert (refused.value.code, refused.value.field) == ("password_refused", "password")
    assert refused.value.facts["points"] == refused.value.points
    assert {name: refused.value.facts[name] for name in ("min_length", "max_length", "longest_run")} == {
        "min_length": 8,
        "max_length": 30,
        "longest_run": 4,
    }
    assert refused.value.points[0] is PasswordPoint.TOO_SHORT


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Aa-Aa-Aa", []),
        ("a1-a1-a1", []),
        ("A1-A1-A1", []),
        ("Aa1Aa1Aa", []),
        ("a1码a1码a1", []),
        ("aaaaaaa1", ["password_too_few_kinds"]),
        ("--------", ["password_too_few_kinds"]),
        ("Aa-A", ["password_too_short"]),
    ],
)
def test_the_setting_relaxes_to_three_kinds_of_four(password, broken):
    """P3."""
    assert points(password, policy=RELAXED) == broken


@pytest.mark.parametrize(
    "run", ["asdfg", "12345", "edcba", "gfdsa", "54321", "67890", "09876", "vwxyz", "!@#$%", "!2#4%"]
)
def test_a_run_of_five_is_refused(run):
    """P3: in either direction and case, shifted or not."""
    for typed in (run, run.upper(), run.title()):
        assert "password_run" in points(f"Q7{typed}zA")


@pytest.mark.parametrize("line", KEYBOARD + ORDERED)
def test_every_run_of_five_on_every_line_is_refused_and_of_four_taken(line):
    """P3."""
    for way in (line, line[::-1]):
        for start in range(len(line) - 4):
            assert "password_run" in points(f"7 {way[start : start + 5]} 7")
            assert "password_run" not in points(f"7 {way[start : start + 4]} 7")


@pytest.mark.parametrize(
    "password", ["Asdf1234", "1qaz2WSX", "Aaaaaaa1", "Abcdabcd1", "Abcdcba1", "Poiu0987", "Ab1Bc2Cd3"]
)
def test_what_is_no_run_of_five_on_one_line_is_taken(password):
    """P3: columns, repetitions and runs that turn round are not what the rule forbids."""
    assert points(password) == []


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Zhang_san1", ["password_has_login_name"]),
        ("xZHANG_SANx1a", ["password_has_login_name"]),
        ("Aa13800138000", ["password_has_phone"]),
        ("Aa+8613800138000", ["password_has_phone"]),
        ("Aa44010618800101001x", ["password_has_document_number"]),
        ("Zhang_san13800138000", ["password_has_login_name", "password_has_phone"]),
        ("Zhang-san138", []),
    ],
)
def test_own_data_may_not_stand_in_it(password, broken):
    """P3: not the login name, phone or document number, whatever the case."""
    context = {"login_name": "Zhang_San", "phone": "+8613800138000", "document_number": "44010618800101001X"}
    assert points(password, **context) == broken


def test_equal_text_in_two_encodings_is_one_password():
    """RFC 8265 §4.2: composed and decomposed, wide and plain space."""
    assert check_password("Cafe\u0301 noir7") == check_password("Caf\u00e9\u3000noir7") == "Caf\u00e9 noir7"
    assert points("Cafe\u0301Aa12") == []  # eight characters once composed
    assert points("Cafe\u0301Aa1") == ["password_too_short"]


@given(st.text(string.printable, max_size=40))
def test_ascii_is_not_changed_by_preparing(password):
    assert prepare_password(password) == password


@given(st.text(max_size=40))
def test_any_text_is_answered(password):
    broken = points(password)
    assert ("password_too_short" in broken) == (len(prepare_password(password)) < 8)
    assert ("password_too_long" in broken) == (len(prepare_password(password)) > 30)


@given(st.integers(0, 9_999))
def test_the_passwords_of_the_fictional_people_pass(n):
    context = {"login_name": fictional.login_name(n), "phone": fictional.mobile(n)}
    assert points(fictional.password(n), document_number=fictional.resident_id(n), **context) == []
