"""The accounts that sign in, of either kind: in which table one stands, and holding it."""

from sqlalchemy.orm import Session

from idp.persons.model import AccountKind, Person
from idp.units.model import Unit

Account = Person | Unit

MODELS: dict[AccountKind, type[Account]] = {AccountKind.PERSON: Person, AccountKind.UNIT: Unit}


def hold(session: Session, kind: AccountKind, account_id: str) -> Account:
    """Return an account as it is now; until the transaction ends nobody else changes it. It must be there."""
    if kind is AccountKind.PERSON:
        return session.get_one(Person, account_id, with_for_update=True, populate_existing=True)
    return session.get_one(Unit, account_id, with_for_update=True, populate_existing=True)
