"""Rows put straight into the database, for tests that begin where people, units and portals exist already.

Everything is fictional and numbered: the same `n` gives the same person. Ids are returned, not rows.
"""

from datetime import datetime
from typing import Any

from idp import clock, ids
from idp.clients.model import Client
from idp.delegation.model import Binding, BindingStatus, Business, BusinessGrant
from idp.persons.model import AccountKind, LoginName, Person
from idp.rules.login_names import login_name_key
from idp.sessions import browser_sessions, portal_sessions
from idp.sessions.model import Authorization
from idp.store.base import vault
from idp.store.db import db, transaction
from idp.units.model import Unit
from tests.support import fictional

SEAT = "440703"  # 广东省江门市蓬江区
PASSWORD = fictional.password()


def person(n: int = 0, **changes: Any) -> str:
    """Add person `n`, at 二级实名 unless said otherwise; return the id."""
    number, phone, login_name = fictional.resident_id(n), fictional.mobile(n), fictional.login_name(n)
    document = vault().lookup("document", f"resident_id:{number}")
    values: dict[str, Any] = {
        "id": ids.new_id(ids.PERSON),
        "login_name": login_name,
        "full_name": fictional.person_name(n),
        "document_type": "resident_id",
        "document_number": number,
        "document_lookup": document,
        "document_claim": document,
        "phone": phone,
        "phone_lookup": vault().lookup("phone", phone),
        "phone_claim": vault().lookup("phone", phone),
        "real_name_level": 2,
        "created_at": clock.now(),
    } | changes
    with transaction() as session:
        session.add(Person(**values))
        key = login_name_key(values["login_name"])
        session.add(LoginName(key=key, kind=AccountKind.PERSON, owner_id=values["id"]))
    return str(values["id"])


def unit(n: int = 1, **changes: Any) -> str:
    """Add unit `n`, unverified unless said otherwise; return the id."""
    document = {"document_type": "uscc", "document_number": fictional.uscc(n)} | changes
    lookup = vault().lookup("unit_document", f"{document['document_type']}:{document['document_number']}")
    values: dict[str, Any] = {
        "id": ids.new_id(ids.UNIT),
        "login_name": f"unit_{n:04d}",
        "document_type": document["document_type"],
        "document_number": document["document_number"],
        "document_lookup": lookup,
        "document_claim": lookup,
        "full_name": fictional.unit_name(n),
        "legal_representative": fictional.person_name(n + 5),
        "region_code": SEAT,
        "created_at": clock.now(),
    } | changes
    with transaction() as session:
        session.add(Unit(**values))
        session.add(LoginName(key=login_name_key(values["login_name"]), kind=AccountKind.UNIT, owner_id=values["id"]))
    return str(values["id"])


def business(code: str = "rec.position", **changes: Any) -> str:
    """Add a business to the catalogue; return its code."""
    with transaction() as session:
        session.add(Business(**{"code": code, "name": f"业务{code}"} | changes))
    return code


def client(client_id: str = "portal", **changes: Any) -> str:
    """Add a portal that takes units; return its id."""
    values: dict[str, Any] = {
        "client_id": client_id,
        "client_name": f"门户{client_id}",
        "redirect_uris": [f"https://{client_id}.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile", "rec.position", "rec.fair"],
        "acts_for": "optional",
        "backchannel_logout_uri": f"https://{client_id}.example/logout",
        "created_at": clock.now(),
    } | changes
    with transaction() as session:
        session.add(Client(**values))
    return client_id


def binding(unit_id: str, person_id: str, **changes: Any) -> str:
    """Bind a person as an agent, actively unless said otherwise; return the id."""
    values: dict[str, Any] = {
        "id": ids.new_id(ids.BINDING),
        "unit_id": unit_id,
        "person_id": person_id,
        "kind": "agent",
        "status": BindingStatus.ACTIVE,
        "proven_by": "acceptance",
        "requested_at": clock.now(),
        "decided_at": None if changes.get("status") == BindingStatus.PENDING else clock.now(),
    } | changes
    with transaction() as session:
        session.add(Binding(**values))
    return str(values["id"])


def grant(binding_id: str, code: str, valid_to: datetime | None = None, **changes: Any) -> str:
    """Grant a business from now on; return the id."""
    values: dict[str, Any] = {
        "id": ids.new_id("g_"),
        "binding_id": binding_id,
        "business_code": code,
        "valid_from": clock.now(),
        "valid_to": valid_to,
        "granted_at": clock.now(),
    } | changes
    with transaction() as session:
        session.add(BusinessGrant(**values))
    return str(values["id"])


def signed_in(subject_id: str, kind: AccountKind = AccountKind.PERSON) -> str:
    """Start a session by password; return the secret for the cookie."""
    with transaction() as session:
        return browser_sessions.start(
            session,
            kind=kind,
            subject_id=subject_id,
            amr=("pwd",),
            address="192.0.2.1",
            user_agent="test",
            replaces=None,
        )


def at_portal(person_id: str, unit_id: str | None, *businesses: str, client_id: str = "portal") -> str:
    """Let the person be signed in at a portal, for the unit, with `businesses`; return the authorization's id."""
    token = signed_in(person_id)
    found = browser_sessions.find(token)
    assert found is not None
    with transaction() as session:
        sid = portal_sessions.open_or_join(
            session, session_id=found.session_id, client_id=client_id, subject_id=person_id, unit_id=unit_id
        )
        authorization = Authorization(
            id=ids.new_id("a_"),
            portal_session_id=sid,
            client_id=client_id,
            kind=AccountKind.PERSON,
            subject_id=person_id,
            unit_id=unit_id,
            scope=" ".join(("openid", *businesses)),
            businesses=" ".join(businesses),
            resource="https://api.example",
            auth_time=clock.now(),
            acr="urn:jingban:acr:L1",
            amr="pwd",
            created_at=clock.now(),
        )
        session.add(authorization)
    return authorization.id


def is_alive(authorization_id: str) -> bool:
    """Tell whether an authorization still stands."""
    return db.session.get_one(Authorization, authorization_id, populate_existing=True).ended_at is None
