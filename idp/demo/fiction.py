"""The people and units of the demo. Nobody here exists: births lie in 1880, names count the days of a calendar."""

from dataclasses import dataclass

from idp.rules.levels import TrustLevel

PASSWORD = "Jingban-2026"  # noqa: S105 - printed by the demo, known to everybody


@dataclass(frozen=True, slots=True)
class FictionalPerson:
    """Someone of the demo. `card` is the bank card by which UnionPay knows them."""

    login: str
    name: str
    document: str
    phone: str
    card: str
    level: int


@dataclass(frozen=True, slots=True)
class FictionalUnit:
    """A unit of the demo, which the company register knows."""

    login: str
    name: str
    uscc: str
    region: str
    legal_representative: str
    kind: str


AGENT = FictionalPerson("agent_jia", "甲子", "440106188001011020", "+8613800138101", "6200000000000013", 2)
CONTACT = FictionalPerson("contact_yi", "乙丑", "440106188001011039", "+8613800138102", "6200000000000021", 2)
NEWCOMER = FictionalPerson("person_bing", "丙寅", "440106188001011047", "+8613800138103", "6200000000000039", 1)
UNBOUND = FictionalPerson("person_ding", "丁卯", "440106188001011055", "+8613800138104", "6200000000000047", 2)
PERSONS = (AGENT, CONTACT, NEWCOMER, UNBOUND)

# Known to the bank and to the register only: with these a visitor can walk the whole path from registration on.
UNREGISTERED = FictionalPerson("", "戊辰", "440106188001011063", "+8613800138105", "6200000000000054", 0)
UNREGISTERED_UNIT = FictionalUnit("", "南粤示例物流有限公司", "91440101MA00001462", "440106", "戊辰", "enterprise")

TECHNOLOGY = FictionalUnit("unit_keji", "南粤示例科技有限公司", "91440101MA0000111F", "440106", "己巳", "enterprise")
STAFFING = FictionalUnit(
    "unit_renli", "南粤示例人力资源有限公司", "91440101MA000012X7", "440106", "庚午", "enterprise"
)
SCHOOL = FictionalUnit("unit_jixiao", "南粤示例技工学校", "124407000000000195", "440703", "辛未", "public_institution")
CATERING = FictionalUnit("unit_canyin", "南粤示例餐饮有限公司", "91440101MA00001387", "440106", "丙申", "enterprise")
UNITS = (TECHNOLOGY, STAFFING, SCHOOL, CATERING)
"""STAFFING is real-named. For CATERING, which is not, a code was issued that the demo prints (U14)."""


@dataclass(frozen=True, slots=True)
class UnitAlone:
    """A unit without agents, whose legal representative may act for it (U18).

    `level` is what the province said of it, `document` the legal representative's. With `in_register` the register
    names another one.
    """

    unit: FictionalUnit
    level: TrustLevel
    document: str
    in_register: str | None = None


CULTURE = FictionalUnit("unit_wenhua", "南粤示例文化有限公司", "91440101MA0000218T", "440106", "壬午", "enterprise")
FARM = FictionalUnit("unit_nongchan", "南粤示例农产有限公司", "91440101MA0000226M", "440106", "癸未", "enterprise")
PROPERTY = FictionalUnit("unit_wuye", "南粤示例物业有限公司", "91440101MA0000234G", "440106", "甲申", "enterprise")
UNITS_ALONE = (
    UnitAlone(CULTURE, TrustLevel.L2, "440106188001011178"),
    UnitAlone(FARM, TrustLevel.L1, "440106188001011186"),
    UnitAlone(PROPERTY, TrustLevel.L2, "440106188001011194", in_register="乙酉"),
)
