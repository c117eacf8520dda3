"""Levels and `acr` (DESIGN 5, F2, F3, P7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.levels import (
    ACR_VALUES,
    Acr,
    Amr,
    RealNameLevel,
    TrustLevel,
    UnitGrade,
    acr_of,
    after_scan,
    amr_claim,
    grade_of_trust_level,
    parse_acr,
    parse_trust_level,
    real_name_level_of,
    session_ceiling,
    trust_level_of_grade,
)

METHODS = st.sets(st.sampled_from(Amr))
REAL_NAMES = st.none() | st.sampled_from(RealNameLevel)
TRUSTS = st.none() | st.sampled_from(TrustLevel)


@pytest.mark.parametrize(
    ("methods", "ceiling"),
    [
        ([], Acr.L0),
        (["pwd"], Acr.L1),
        (["sms"], Acr.L1),
        (["otp"], Acr.L1),
        (["mca"], Acr.L1),
        (["face"], Acr.L1),
        (["sms", "otp"], Acr.L1),  # two things that someone has are one kind
        (["pwd", "sms"], Acr.L2),
        (["pwd", "otp"], Acr.L2),
        (["mca", "face"], Acr.L2),
        (["pwd", "mca"], Acr.L1),  # that password may be what was used on the phone
        (["sms", "mca"], Acr.L1),
        (["pwd", "sms", "mca"], Acr.L2),
        (["pwd", "face"], Acr.L2),
        (["swk", "user"], Acr.L2),
        (["hwk", "user"], Acr.L3),
        (["sc"], Acr.L3),
        (["pop"], Acr.L3),
        (["user"], Acr.L0),
        (["mfa"], Acr.L0),  # a word of the claim, not a method
        (["unheard-of"], Acr.L0),
    ],
)
def test_the_ceiling_of_a_session(methods, ceiling):
    """DESIGN 5: the right column of the table."""
    assert session_ceiling(methods) is ceiling


@pytest.mark.parametrize(
    ("level", "acr"),
    [(RealNameLevel.ONE, Acr.L0), (RealNameLevel.TWO, Acr.L1), (RealNameLevel.THREE, Acr.L2), (None, Acr.L0)],
)
def test_the_proofing_of_a_person(level, acr):
    """DESIGN 5: the middle column; the session (a certificate) would allow L3."""
    assert acr_of(level, None, ["sc"]) is acr


@pytest.mark.parametrize("trust", TrustLevel)
def test_the_proofing_by_the_province(trust):
    """F2: L0 to L3 reach portals as acr."""
    assert acr_of(None, trust, ["sc"]).name == trust.name
    assert acr_of(None, trust, ["fed"]).name == trust.name


@pytest.mark.parametrize(
    ("level", "trust", "methods", "acr"),
    [
        (RealNameLevel.THREE, None, ["pwd"], Acr.L1),
        (RealNameLevel.TWO, None, ["pwd", "sms"], Acr.L1),
        (RealNameLevel.ONE, TrustLevel.L2, ["pwd", "sms"], Acr.L2),  # of two proofings the better counts
        (RealNameLevel.THREE, TrustLevel.L1, ["fed"], Acr.L1),  # the province's session is worth what it says
        (RealNameLevel.THREE, None, ["fed"], Acr.L0),
        (RealNameLevel.THREE, TrustLevel.L0, ["fed", "pwd"], Acr.L1),
        (None, TrustLevel.L3, ["pwd"], Acr.L1),
        (None, None, ["pwd"], Acr.L0),
    ],
)
def test_acr_is_the_lower_of_account_and_session(level, trust, methods, acr):
    """DESIGN 5."""
    assert acr_of(level, trust, methods) is acr


@given(REAL_NAMES, TRUSTS, METHODS)
def test_acr_is_never_above_either_side(level, trust, methods):
    assert acr_of(level, trust, methods) <= session_ceiling(methods, trust)
    assert acr_of(level, trust, methods) <= acr_of(level, trust, {*methods, Amr.SC})
    assert acr_of(level, trust, methods) <= max((level or 1) - 1, trust or 0)


@given(REAL_NAMES, TRUSTS, METHODS, st.sampled_from(Amr))
def test_one_more_method_never_lowers_the_acr(level, trust, methods, more):
    """F6: a step-up only goes up."""
    assert acr_of(level, trust, methods | {more}) >= acr_of(level, trust, methods)


@pytest.mark.parametrize(
    ("on_the_phone", "here"),
    [
        (["pwd"], ["pwd", "mca"]),
        (["sms"], ["sms", "mca"]),
        (["pwd", "sms"], ["pwd", "mca"]),
        (["swk", "user"], ["mca"]),
        (["sc"], ["mca"]),
        (["mca"], ["mca"]),
        (["fed"], ["fed"]),  # an upstream that knows no more than a name
    ],
)
def test_what_a_scan_passes_on(on_the_phone, here):
    """P7, DESIGN 5: one way, and nothing as strong as it was."""
    assert list(after_scan(on_the_phone, TrustLevel.L0)) == here
    assert session_ceiling(here) <= Acr.L1


BUT_A_FACE = st.sampled_from([method for method in Amr if method is not Amr.FACE])  # scan + face is L2 (DESIGN 5)


@given(TRUSTS, st.sets(BUT_A_FACE), BUT_A_FACE)
def test_a_scan_makes_one_way_into_no_two(trust, methods, more):
    """P7: the scan, with or without a further way, is never worth more than the same on the phone."""
    after = after_scan(methods, trust)
    assert session_ceiling(after) <= min(Acr.L1, session_ceiling(methods, trust))
    assert session_ceiling({*after, more}) <= max(Acr.L1, session_ceiling({*methods, more}, trust))


@given(REAL_NAMES, METHODS)
def test_an_absent_trust_level_is_the_lowest(level, methods):
    """DESIGN 5: never mapped upwards."""
    assert acr_of(level, None, methods) is acr_of(level, TrustLevel.L0, methods)


@pytest.mark.parametrize("stated", [None, "", "l2", "L4", "L2 ", "2", 2, 3, "三级", "L1,L3", ["L3"], True])
def test_an_unknown_trust_level_is_the_lowest(stated):
    """F2, DESIGN 5."""
    assert parse_trust_level(stated) is TrustLevel.L0


@pytest.mark.parametrize("level", TrustLevel)
def test_a_trust_level_is_read_as_the_province_writes_it(level):
    """F2."""
    assert parse_trust_level(level.name) is level


def test_the_grades_of_units():
    """F2: 三级 = L1, 四级 = L2, 五级 = L3."""
    pairs = {UnitGrade(3): TrustLevel.L1, UnitGrade(4): TrustLevel.L2, UnitGrade(5): TrustLevel.L3}
    for grade, level in pairs.items():
        assert trust_level_of_grade(grade) is level
        assert grade_of_trust_level(level) is grade
    assert grade_of_trust_level(TrustLevel.L0) is None


@pytest.mark.parametrize(
    ("trust", "level"),
    [
        (TrustLevel.L0, RealNameLevel.ONE),
        (TrustLevel.L1, RealNameLevel.TWO),
        (TrustLevel.L2, RealNameLevel.THREE),
        (TrustLevel.L3, RealNameLevel.THREE),
    ],
)
def test_what_the_province_vouches_for_real_names_a_person(trust, level):
    """P7, DESIGN 5."""
    assert real_name_level_of(trust) is level


def test_acr_values_are_ordered_urns():
    """DESIGN 5: published in discovery."""
    assert [f"urn:jingban:acr:L{level}" for level in range(4)] == list(ACR_VALUES)
    assert [parse_acr(urn) for urn in ACR_VALUES] == sorted(Acr)


@pytest.mark.parametrize(
    "value", ["", "L2", "urn:jingban:acr:L4", "URN:JINGBAN:ACR:L1", "urn:jingban:acr:L1 ", "2", "0"]
)
def test_other_acr_values_are_not_ours(value):
    assert parse_acr(value) is None


@pytest.mark.parametrize(
    ("methods", "claim"),
    [
        (["pwd"], ["pwd"]),
        (["sms", "pwd"], ["mfa", "pwd", "sms"]),
        (["pwd", "pwd"], ["pwd"]),
        (["otp", "sms"], ["otp", "sms"]),
        (["user", "swk"], ["mfa", "swk", "user"]),
        (["face", "mca"], ["face", "mca", "mfa"]),
        (["fed"], ["fed"]),
        ([], []),
    ],
)
def test_the_amr_claim_says_mfa_where_two_kinds_of_factor_were_used(methods, claim):
    """RFC 8176 §2."""
    assert amr_claim(methods) == claim


def test_an_amr_column_of_100_characters_holds_every_method():
    """Sessions keep their methods as one text, parted by spaces."""
    assert len(" ".join(Amr)) <= 100
    assert " ".join(Amr).split(" ") == list(Amr)
