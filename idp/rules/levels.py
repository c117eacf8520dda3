"""Levels (DESIGN 5): what an account proved, what a session proved, and `acr`, the lower of the two.

Three scales that are never mixed: our 实名等级 of persons (一级 to 三级), the province's 可信等级 (L0 to L3, for
units also called 三级, 四级, 五级), and `acr`. Each is a type of its own; only the functions here lead across.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class RealNameLevel(IntEnum):
    """实名等级 of a person with us: 一级 registered, 二级 two elements checked (P6), 三级 face checked."""

    ONE = 1
    TWO = 2
    THREE = 3


class TrustLevel(IntEnum):
    """可信等级 of an account at the province (F2)."""

    L0 = 0
    L1 = 1
    L2 = 2
    L3 = 3


class UnitGrade(IntEnum):
    """The province's own word for the trust level of a unit: 三级 = L1, 四级 = L2, 五级 = L3 (F2)."""

    THREE = 3
    FOUR = 4
    FIVE = 5


class Acr(IntEnum):
    """Authentication context class, ordered. In tokens it stands as its `urn`."""

    L0 = 0
    L1 = 1
    L2 = 2
    L3 = 3

    @property
    def urn(self) -> str:
        """The value of the `acr` claim: `urn:jingban:acr:L0` … `L3`."""
        return f"urn:jingban:acr:{self.name}"


ACR_VALUES = tuple(acr.urn for acr in Acr)
"""For `acr_values_supported`, lowest first."""


class Amr(StrEnum):
    """How a session was authenticated: values of the `amr` claim (RFC 8176 §2), and what they mean here."""

    PWD = "pwd"  # noqa: S105 - password
    SMS = "sms"  # code by SMS
    OTP = "otp"  # code of an authenticator app (RFC 6238)
    MCA = "mca"  # QR code on the page, confirmed on the phone: another channel
    FACE = "face"  # face check against an authority
    SWK = "swk"  # passkey, user verified; it may be synchronised, so it counts as software
    HWK = "hwk"  # security key, its key bound to hardware
    SC = "sc"  # certificate on a smart card or USB key
    POP = "pop"  # certificate, wherever its key is kept
    USER = "user"  # the user was present at an authenticator (with swk, hwk)
    MFA = "mfa"  # two kinds of factor; see `amr_claim`
    FED = "fed"  # signed in at the province; not registered by RFC 8176, which leaves room for own values


class _Factor(StrEnum):
    """The kinds of factor: what someone knows, has, is (NIST SP 800-63B)."""

    KNOWS = "knows"
    HAS = "has"
    IS = "is"
    ELSEWHERE = "elsewhere"  # proven on the phone; which kind it was is not told here, see `_kinds`


_FACTORS: dict[Amr, frozenset[_Factor]] = {
    Amr.PWD: frozenset({_Factor.KNOWS}),
    Amr.SMS: frozenset({_Factor.HAS}),
    Amr.OTP: frozenset({_Factor.HAS}),
    Amr.MCA: frozenset({_Factor.ELSEWHERE}),
    Amr.FACE: frozenset({_Factor.IS}),
    # Unlocking a passkey takes a PIN or a finger besides the device: two kinds in one step.
    Amr.SWK: frozenset({_Factor.HAS, _Factor.KNOWS}),
    Amr.HWK: frozenset({_Factor.HAS}),
    Amr.SC: frozenset({_Factor.HAS}),
    Amr.POP: frozenset({_Factor.HAS}),
}
CERTIFICATES = frozenset({Amr.SC, Amr.POP})
"""What a digital certificate leaves in `amr`, wherever its key is kept."""

_HARDWARE_OR_CERTIFICATE = CERTIFICATES | {Amr.HWK}

_PROOFING = {RealNameLevel.ONE: Acr.L0, RealNameLevel.TWO: Acr.L1, RealNameLevel.THREE: Acr.L2}


def acr_of(
    real_name_level: RealNameLevel | None, province_trust_level: TrustLevel | None, methods: Iterable[str]
) -> Acr:
    """Return the `acr` of a session: the lower of what the account and what the session allow (DESIGN 5).

    `real_name_level` is None for a unit account, `province_trust_level` for one that the province never vouched
    for; of two proofings the better counts. `methods` are the session's `Amr` values; strangers count nothing.
    """
    trust = Acr(province_trust_level or TrustLevel.L0)
    proofing = max(_PROOFING[real_name_level], trust) if real_name_level else trust
    return min(proofing, session_ceiling(methods, province_trust_level))


def session_ceiling(methods: Iterable[str], province_trust_level: TrustLevel | None = None) -> Acr:
    """Return the highest `acr` that the methods of a session allow, whoever the account is.

    One factor allows L1; two kinds of factor or a passkey L2; hardware or a certificate L3. A sign-in at the
    province allows what the province says of it, and not more.
    """
    used = set(methods)
    if used & _HARDWARE_OR_CERTIFICATE:
        return Acr.L3
    kinds = _kinds(used)
    own = Acr.L2 if kinds > 1 else Acr.L1 if kinds else Acr.L0
    vouched = Acr(province_trust_level or TrustLevel.L0) if Amr.FED in used else Acr.L0
    return max(own, vouched)


def after_scan(methods: Iterable[str], province_trust_level: TrustLevel | None) -> tuple[Amr, ...]:
    """Return the methods of a session that a phone confirmed (P7), from those of the phone's own session.

    It never reaches more than L1, nor more than the phone's session: a QR code can be relayed, so nothing stronger
    passes through one. One way that was used on the phone goes along, so that another one can still raise the session
    here, and the same one cannot.
    """
    used = set(methods)
    if session_ceiling(used, province_trust_level) is Acr.L0:
        return (Amr.FED,) if Amr.FED in used else ()
    passed_on = next((method for method in (Amr.PWD, Amr.SMS, Amr.OTP) if method in used), None)
    return (Amr.MCA,) if passed_on is None else (passed_on, Amr.MCA)


def amr_claim(methods: Iterable[str]) -> list[str]:
    """Return the sorted `amr` claim for a session's methods, with `mfa` where two kinds of factor were used."""
    used = set(methods)
    if _kinds(used) > 1:
        used.add(Amr.MFA)
    return sorted(used)


def _kinds(methods: set[str]) -> int:
    """Return how many kinds of factor were used for certain.

    What was proven on the phone may be the password or the device of this very list once more, so it counts as a kind
    of its own only where neither was used here. A face it is not: that is checked here.
    """
    factors = {factor for method, factors in _FACTORS.items() if method in methods for factor in factors}
    told = factors - {_Factor.ELSEWHERE}
    return len(factors) if told <= {_Factor.IS} else len(told)


def parse_acr(value: str) -> Acr | None:
    """Return the `Acr` that a requested value names, or None for a value that is not ours (to be passed over)."""
    return next((acr for acr in Acr if acr.urn == value), None)


def parse_trust_level(value: object) -> TrustLevel:
    """Return the trust level that the province states as `L0` … `L3`; anything else, also nothing, is L0 (F2)."""
    return next((level for level in TrustLevel if level.name == value), TrustLevel.L0)


def trust_level_of_grade(grade: UnitGrade) -> TrustLevel:
    """Return the trust level that a unit's grade at the province stands for (F2)."""
    return TrustLevel(grade - UnitGrade.THREE + TrustLevel.L1)


def grade_of_trust_level(level: TrustLevel) -> UnitGrade | None:
    """Return the province's grade of a unit for a trust level; L0 has none."""
    return UnitGrade(level - TrustLevel.L1 + UnitGrade.THREE) if level else None


def real_name_level_of(level: TrustLevel) -> RealNameLevel:
    """Return the real-name level that the province's word gives to a person (P7): as `acr` sees both, never more."""
    return max(own for own, acr in _PROOFING.items() if acr <= Acr(level))
