"""Reading a unit's own record."""

from idp.errors import NotFound
from idp.store.db import db
from idp.units.model import Unit


def unit(unit_id: str) -> Unit:
    """Return the unit of this id. Raises NotFound."""
    found = db.session().get(Unit, unit_id)
    if found is None:
        raise NotFound
    return found
