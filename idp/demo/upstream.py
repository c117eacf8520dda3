"""The accounts of the demo at the province and at the social-security card, as the sandbox reads them.

Some are of people and units that the demo's provider knows already, some of such as it has never seen, so that every
way in can be walked: a first login, a link, a level that is too low, an organisation code, a disabled account.
"""

from dataclasses import dataclass, replace

from idp.demo import fiction
from idp.demo.fiction import FictionalPerson, FictionalUnit
from idp.rules.documents import PersonDocument, UnitDocument

LEVEL_AT = "2026-03-02T09:30:00+08:00"
_WAYS_OF_PERSONS = {"L1": "register_check", "L2": "face_check", "L3": "counter"}
_WAYS_OF_UNITS = {"L1": "register_check", "L2": "electronic_licence", "L3": "certificate"}
_ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class PersonAccount:
    """A person's account. `useridcode` is the id that stays."""

    useridcode: str
    login: str
    name: str
    document: str
    phone: str
    level: str


@dataclass(frozen=True, slots=True)
class UnitAccount:
    """A legal entity's account. The legal representative is who the province says, whatever the register says."""

    useridcode: str
    login: str
    name: str
    document_type: UnitDocument
    document: str
    level: str
    representative: tuple[str, str]
    contact: FictionalPerson = fiction.AGENT
    disabled: bool = False


def _of(person: FictionalPerson, useridcode: str, login: str, level: str) -> PersonAccount:
    return PersonAccount(useridcode, login, person.name, person.document, person.phone, level)


def _at(useridcode: str, login: str, unit: FictionalUnit, level: str, document: str) -> UnitAccount:
    representative = (unit.legal_representative, document)
    return UnitAccount(useridcode, login, unit.name, UnitDocument.USCC, unit.uscc, level, representative)


# The province knows the agent, who is proven here, and the newcomer, whose document is here but proven by nobody.
PERSONS = (
    PersonAccount("gd-p-000001", "person_l0", "壬申", "440106188001011071", "+8613800138106", "L0"),
    _of(fiction.NEWCOMER, "gd-p-000002", "person_l1", "L1"),
    _of(fiction.AGENT, "gd-p-000003", "person_l2", "L2"),
    PersonAccount("gd-p-000004", "person_l3", "癸酉", "44010618800101108X", "+8613800138107", "L3"),
)

TRANSPORT = FictionalUnit("", "南粤示例运输有限公司", "91440101MA0000154W", "440106", "甲戌", _ENTERPRISE)
EDUCATION = FictionalUnit("", "南粤示例教育有限公司", "91440101MA0000162P", "440106", "乙亥", _ENTERPRISE)
CONSTRUCTION = FictionalUnit("", "南粤示例建设有限公司", "91440101MA0000170J", "440106", "丙子", _ENTERPRISE)
FORMER = FictionalUnit("", "南粤示例旧业有限公司", "91440101MA0000189F", "440106", "丁丑", _ENTERPRISE)
CHANGED = FictionalUnit("", "南粤示例餐饮有限公司", "91440101MA0000197A", "440106", "戊寅", _ENTERPRISE)
UNITS = (TRANSPORT, EDUCATION, CONSTRUCTION, FORMER, CHANGED)
"""What the company register knows beside the demo's registered units."""

_SOCIETY_HEAD = ("己卯", "440106188001011135")
LEGAL_ENTITIES = (
    _at("gd-u-000001", "unit_l1", TRANSPORT, "L1", "440106188001011098"),
    _at("gd-u-000002", "unit_l2", EDUCATION, "L2", "440106188001011100"),
    _at("gd-u-000003", "unit_l3", CONSTRUCTION, "L3", "440106188001011119"),
    _at("gd-u-000004", "unit_keji", fiction.TECHNOLOGY, "L3", "440106188001011127"),
    UnitAccount(
        "gd-u-000005", "unit_org_code", "南粤示例学会", UnitDocument.ORG_CODE, "MA000020X", "L3", _SOCIETY_HEAD
    ),
    replace(_at("gd-u-000006", "unit_disabled", FORMER, "L3", "440106188001011143"), disabled=True),
    # The register still names 戊寅.
    replace(_at("gd-u-000007", "unit_changed", CHANGED, "L3", ""), representative=("庚辰", "440106188001011151")),
)

# Units that are registered here and have no agents: what the province says of them is what they come in with.
ALONE = tuple(
    _at(f"gd-u-{number:06d}", alone.unit.login, alone.unit, alone.level.name, alone.document)
    for number, alone in enumerate(fiction.UNITS_ALONE, start=8)
)

CARD_HOLDERS = (
    _of(fiction.CONTACT, "sbk-000001", "card_yi", "L2"),
    PersonAccount("sbk-000002", "card_new", "辛巳", "44010618800101116X", "+8613800138108", "L2"),
)


def province() -> dict[str, list[dict[str, object]]]:
    """Return what `python -m sandbox --province-data` reads."""
    return {
        "persons": [_person(person) for person in PERSONS],
        "legal_entities": [_legal_entity(unit) for unit in (*LEGAL_ENTITIES, *ALONE)],
    }


def social_card() -> dict[str, list[dict[str, object]]]:
    """Return what `python -m sandbox --social-card-data` reads."""
    return {"persons": [_person(person) for person in CARD_HOLDERS]}


def _person(person: PersonAccount) -> dict[str, object]:
    return {
        "useridcode": person.useridcode,
        "login": person.login,
        "password": fiction.PASSWORD,
        "name": person.name,
        "document_type": PersonDocument.RESIDENT_ID,
        "document_number": person.document,
        "phone": person.phone,
        "level": person.level,
        "level_way": _WAYS_OF_PERSONS.get(person.level),
        "level_at": LEVEL_AT,
    }


def _legal_entity(unit: UnitAccount) -> dict[str, object]:
    name, document = unit.representative
    contact = unit.contact
    return {
        "useridcode": unit.useridcode,
        "login": unit.login,
        "password": fiction.PASSWORD,
        "name": unit.name,
        unit.document_type: unit.document,
        "phone": contact.phone,
        "level": unit.level,
        "level_way": _WAYS_OF_UNITS.get(unit.level),
        "level_at": LEVEL_AT,
        "legal_representative": {"name": name, "document_number": document},
        "contact": {"name": contact.name, "document_number": contact.document, "phone": contact.phone},
        "disabled": unit.disabled,
    }
