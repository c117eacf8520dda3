"""The catalogue of businesses, and the portals at which they are done."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.audit.log import Entry, record
from idp.clients import login_initiation
from idp.clients.model import ActsFor, Client
from idp.delegation.model import Business
from idp.store.db import transaction


@dataclass(frozen=True, slots=True)
class Portal:
    """Where a business is done. `url` opens it; it lets the portal begin the sign-in where the portal can."""

    name: str
    url: str


Portals = Mapping[str, Portal]
"""The portal of each business, by its code."""


def open_businesses(session: Session) -> list[Business]:
    """Return the businesses that may be granted, by name."""
    return list(session.scalars(select(Business).where(Business.retired_at.is_(None)).order_by(Business.name)))


def by_code(session: Session, codes: Iterable[str]) -> dict[str, Business]:
    """Return those of `codes` that are businesses, retired ones too."""
    wanted = list(codes)
    if not wanted:
        return {}
    return {each.code: each for each in session.scalars(select(Business).where(Business.code.in_(wanted)))}


def portals(session: Session, issuer: str) -> Portals:
    """Return for each business the portal that has it and can be opened by a link.

    A business that names its client is done there; else at the first living client, by id, that may ask for it.
    """
    clients = session.scalars(
        select(Client).where(Client.disabled_at.is_(None), Client.acts_for != ActsFor.NEVER).order_by(Client.client_id)
    ).all()
    named = {each.code: each.client_id for each in session.scalars(select(Business))}
    found: dict[str, Portal] = {}
    for client in clients:
        url = _address(client, issuer)
        if url is None:
            continue
        for code in client.scopes:
            if code in named and named[code] in {None, client.client_id}:
                found.setdefault(code, Portal(client.client_name, url))
    return found


def _address(client: Client, issuer: str) -> str | None:
    """Return where a user begins at the client (OpenID Connect Core §4: `iss` says who sends them)."""
    if client.initiate_login_uri is None:
        return client.client_uri
    return login_initiation.address(client.initiate_login_uri, issuer)


@dataclass(frozen=True, slots=True)
class NewBusiness:
    """What an administrator says of a business; see `Business` for the fields."""

    code: str
    name: str
    description: str = ""
    client_id: str | None = None
    min_person_level: int = 0
    min_unit_level: int = 0
    needs_verified_unit: bool = False
    open_to_unit_account: bool = False


def put(business: NewBusiness) -> None:
    """Enter a business into the catalogue, or change the one of its code; a retired one comes back."""
    with transaction() as session:
        session.merge(Business(**asdict(business), retired_at=None))
        record(session, Entry("business.put", subject_id=business.code, details=asdict(business)))
