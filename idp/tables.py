"""All tables, for migrations: importing the models is what registers them."""

from sqlalchemy import MetaData

from idp.audit import model as _audit
from idp.clients import model as _clients
from idp.delegation import model as _delegation
from idp.factors import model as _factors
from idp.federation import model as _federation
from idp.notify import model as _notify
from idp.persons import model as _persons
from idp.sessions import model as _sessions
from idp.store import signing_keys as _signing_keys
from idp.store.base import Base
from idp.units import model as _units

MODELS = (_audit, _clients, _delegation, _factors, _federation, _notify, _persons, _sessions, _signing_keys, _units)


def metadata() -> MetaData:
    """Return the metadata of every table."""
    return Base.metadata
