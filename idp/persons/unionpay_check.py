"""The real-name check by bank card (银联实名认证, P6): lifts a person to 二级实名.

The card number goes to the gateway and nowhere else: it is not stored, not logged, and not part of any error.
"""

from dataclasses import dataclass, field

from sqlalchemy import select, update

from idp import clock
from idp.audit.log import Entry, record
from idp.errors import DomainError
from idp.gateways.errors import GatewayUnavailable
from idp.gateways.unionpay import UnionPay, UnionPayOutcome, UnionPayResult
from idp.notify import quota, sms_codes
from idp.notify.sms_codes import Proof
from idp.persons import errors
from idp.persons.model import Person, PersonProofing
from idp.rules.bank_cards import check_bank_card
from idp.rules.levels import RealNameLevel
from idp.rules.phones import check_phone
from idp.store import hot
from idp.store.db import db, release, transaction

SMS_PURPOSE = "unionpay_check"
PROVEN_BY = "unionpay"
DAILY_TRIES = 5

_REFUSALS: dict[UnionPayOutcome, type[errors.UnionPayRefused]] = {
    UnionPayOutcome.MISMATCH: errors.UnionPayMismatch,
    UnionPayOutcome.CARD_NOT_SUPPORTED: errors.UnionPayCardNotSupported,
    UnionPayOutcome.CARD_BLOCKED: errors.UnionPayCardBlocked,
}


@dataclass(frozen=True, slots=True)
class Card:
    """A card's number and the phone that its bank knows (E.164). Neither is printed."""

    number: str = field(repr=False)
    phone: str = field(repr=False)


def check_card(number: str, phone: str) -> Card:
    """Return what was typed in canonical form. Raises PersonDataRefused with all that is wrong."""
    refused: list[DomainError] = []
    checked: list[str] = []
    for rule, typed in ((check_bank_card, number), (check_phone, phone)):
        try:
            checked.append(rule(typed))
        except DomainError as error:
            refused.append(error)
    if refused:
        raise errors.PersonDataRefused(tuple(refused))
    return Card(*checked)


def verify(person_id: str, card: Card, proof: Proof, unionpay: UnionPay) -> None:
    """Let UnionPay compare the person's name and document with the card, and lift the person to 二级实名.

    `proof` is for the card's phone. Raises a UnionPayRefused, both gateway errors, SmsCodeInvalid. A call that never
    took place costs no try. Whoever is at 二级 already stays as they are.
    """
    person = db.session().scalars(select(Person).where(Person.id == person_id)).one()
    if person.real_name_level >= RealNameLevel.TWO:
        return
    result = _ask(person, card, unionpay)
    if result.outcome is not UnionPayOutcome.MATCH:
        _note_refusal(person_id, result)
        raise _REFUSALS[result.outcome]
    _lift(person_id, result, proof)


def _ask(person: Person, card: Card, unionpay: UnionPay) -> UnionPayResult:
    tries = f"unionpay:{person.id}"
    # Read before the connection is given back: a row read anew during the call would hold it all the while.
    name, kind, number = person.full_name, person.document_type, person.document_number
    with transaction() as session:
        if not quota.claim(hot.within(session), tries, allowed=DAILY_TRIES, window=quota.DAY):
            raise errors.UnionPayQuota
    release()
    try:
        return unionpay.verify(
            name=name,
            document_type=kind,
            document_number=number,
            card_number=card.number,
            phone=card.phone,
        )
    except GatewayUnavailable:
        with transaction() as session:
            quota.give_back(hot.within(session), tries)
        raise


def _note_refusal(person_id: str, result: UnionPayResult) -> None:
    details = {"method": PROVEN_BY, "outcome": result.outcome, "reference": result.reference}
    with transaction() as session:
        entry = Entry("person.proofing", actor_id=person_id, subject_id=person_id, outcome="failed", details=details)
        record(session, entry)


def _lift(person_id: str, result: UnionPayResult, proof: Proof) -> None:
    with transaction() as session:
        sms_codes.use(session, proof)
        session.execute(
            update(Person)
            .where(Person.id == person_id, Person.real_name_level < RealNameLevel.TWO)
            .values(real_name_level=int(RealNameLevel.TWO))
        )
        session.add(
            PersonProofing(
                person_id=person_id,
                method=PROVEN_BY,
                level=RealNameLevel.TWO,
                reference=result.reference,
                proved_at=clock.now(),
            )
        )
        details = {"method": PROVEN_BY, "level": int(RealNameLevel.TWO), "reference": result.reference}
        record(session, Entry("person.proofing", actor_id=person_id, subject_id=person_id, details=details))
