"""Reading a person's own record."""

from idp.errors import NotFound
from idp.persons.model import Person
from idp.store.db import db


def person(person_id: str) -> Person:
    """Return the person of this id. Raises NotFound."""
    found = db.session().get(Person, person_id)
    if found is None:
        raise NotFound
    return found
