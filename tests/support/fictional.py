"""Numbers and names of nobody: valid in form and check digit, the same for the same `n`, different for another.

Persons were born from 1880 on, so no living person bears the number; units have an organisation code from the first
few of a series; cards have a prefix that UnionPay keeps for tests. No range of mobile numbers is kept for fiction:
the numbers here reach nobody because tests and demo send SMS to the sandbox only.
"""

from datetime import date, timedelta

from idp.rules.bank_cards import luhn
from idp.rules.documents.check_digits import gb_11714, gb_32100, icao_9303, mod_11_2

_FIRST_BIRTH = date(1880, 1, 1)
_SERIALS_A_DAY = 999
_SURNAMES = "甲乙丙丁戊己庚辛壬癸"
_GIVEN = "子丑寅卯辰巳午未申酉戌亥"


def _number_of_18(prefix: str, n: int) -> str:
    """Six digits, a birth from 1880 on, a serial number from 001 on, and the check digit of GB 11643."""
    days, serial = divmod(n, _SERIALS_A_DAY)
    body = f"{prefix}{_FIRST_BIRTH + timedelta(days=days):%Y%m%d}{serial + 1:03d}"
    return body + mod_11_2(body)


def resident_id(n: int = 0) -> str:
    """居民身份证; number 0 is 44010618800101001X."""
    return _number_of_18("440106", n)


def hmt_residence_permit(n: int = 0, region: str = "810000") -> str:
    """港澳台居民居住证 of Hong Kong (810000), Macao (820000) or Taiwan (830000)."""
    return _number_of_18(region, n)


def foreign_permanent_residence(n: int = 0) -> str:
    """外国人永久居留身份证 of the form since 2023."""
    return _number_of_18("944840", n)


def old_foreign_permanent_residence(n: int = 0) -> str:
    """外国人永久居留证 of the form before: UTO is the country that ICAO 9303 uses for specimens. n < 10,000."""
    births, serial = divmod(n, 10)
    body = f"UTO4401{date(1950, 1, 1) + timedelta(days=births):%y%m%d}{serial}"
    return body + icao_9303(body)


def hk_macao_permit(n: int = 0) -> str:
    """港澳居民来往内地通行证, even numbers of Hong Kong, odd ones of Macao. n < 10⁸."""
    return f"{'HM'[n % 2]}{n:08d}"


def taiwan_permit(n: int = 0) -> str:
    """台湾居民来往大陆通行证. n < 10⁸."""
    return f"{n:08d}"


def passport(n: int = 0) -> str:
    """护照. n < 10⁷."""
    return f"UT{n:07d}"


def org_code(n: int = 0) -> str:
    """组织机构代码 without hyphen. n < 10⁶."""
    body = f"MA{n:06d}"
    return body + gb_11714(body)


def uscc(n: int = 1) -> str:
    """统一社会信用代码 of an enterprise; number 1 is 91440101MA00000156. n < 10⁶."""
    body = f"91440101{org_code(n)}"
    return body + gb_32100(body)


def mobile(n: int = 0) -> str:
    """A mainland mobile number in E.164 form; number 0 is +8613800138000. n < 800,000."""
    return f"+8613800{138000 + n:06d}"


def bank_card(n: int = 0) -> str:
    """A card of 16 digits with UnionPay's prefix for tests. n < 10⁷."""
    body = f"62000000{n:07d}"
    return body + luhn(body)


def login_name(n: int = 0) -> str:
    """A login name (P2)."""
    return f"user_{n:04d}"


def password(n: int = 0) -> str:
    """A password that P3 takes beside every other value here. n < 10⁴."""
    return f"Wise-Owl{n:04d}"


def person_name(n: int = 0) -> str:
    """A name of two or three characters, from the calendar's stems and branches. n < 1,560 for different ones."""
    rest, surname = divmod(n, len(_SURNAMES))
    more, given = divmod(rest, len(_GIVEN))
    return _SURNAMES[surname] + _GIVEN[given] + (_GIVEN[(more - 1) % len(_GIVEN)] if more else "")


def unit_name(n: int = 0) -> str:
    """The name of a unit, as a licence has it."""
    return f"广州示例{n}号有限公司"
