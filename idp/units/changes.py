"""Changing a unit's data by the unit itself (U16)."""

from dataclasses import dataclass, field

from sqlalchemy import select, update

from idp.audit.log import Entry, record
from idp.gateways.company_register import CompanyRegister
from idp.rules.levels import TrustLevel
from idp.rules.names import check_person_name, check_unit_name
from idp.store.db import db, release, transaction
from idp.units import authorisation_codes, regions, register_check
from idp.units.errors import UnitNameFixed
from idp.units.model import Unit
from idp.units.register_check import RegisterAnswer


@dataclass(frozen=True, slots=True)
class TypedData:
    """What a unit may change by typing. Document type and number are no part of it: they never change."""

    full_name: str = field(repr=False)
    legal_representative: str = field(repr=False)
    region_code: str


def change(unit_id: str, typed: TypedData, register: CompanyRegister) -> None:
    """Store what was typed. A verified unit may only `move`: its name comes from the register alone (U16, U17).

    A new name or representative ends an authorisation code, which was issued to the unit as it was (U14).
    The trust level that rests on the register is found anew for the new data; a higher one, from the province, stays.
    Raises UnitNameRefused, PersonNameRefused (its field is `legal_representative`), RegionIncomplete, UnitNameFixed.
    """
    name, representative = check_unit_name(typed.full_name), check_person_name(typed.legal_representative)
    document = db.session.execute(select(Unit.document_type, Unit.document_number).where(Unit.id == unit_id)).one()
    release()
    answer = register_check.compare(
        register, document_type=document[0], number=document[1], name=name, legal_representative=representative
    )
    with transaction() as session:
        regions.check_leaf(session, typed.region_code)
        unit = session.scalars(select(Unit).where(Unit.id == unit_id).with_for_update()).one()
        renamed = (unit.full_name, unit.legal_representative) != (name, representative)
        moved = unit.region_code != typed.region_code
        if renamed and unit.verified_at is not None:
            raise UnitNameFixed
        if renamed:
            authorisation_codes.drop(session, unit_id)
        unit.full_name, unit.legal_representative, unit.region_code = name, representative, typed.region_code
        if renamed or answer is not RegisterAnswer.UNAVAILABLE:
            unit.register_level = int(answer.trust_level)
            if unit.trust_level <= TrustLevel.L1:
                unit.trust_level = unit.register_level
        details = {"renamed": renamed, "moved": moved, "register": answer}
        record(session, Entry("unit.changed", actor_id=unit_id, subject_id=unit_id, unit_id=unit_id, details=details))


def move(unit_id: str, region_code: str) -> None:
    """Change the seat alone, which a verified unit may do too. Raises RegionIncomplete."""
    with transaction() as session:
        regions.check_leaf(session, region_code)
        moved = session.execute(
            update(Unit)
            .where(Unit.id == unit_id, Unit.region_code != region_code)
            .values(region_code=region_code)
            .returning(Unit.id)
        ).one_or_none()
        details = {"renamed": False, "moved": moved is not None}
        record(session, Entry("unit.changed", actor_id=unit_id, subject_id=unit_id, unit_id=unit_id, details=details))
