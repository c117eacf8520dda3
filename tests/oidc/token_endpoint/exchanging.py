"""A portal that exchanges tokens, and a person who acts for units there."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp import clock
from idp.delegation.model import Binding
from idp.oidc.token_endpoint.token_exchange import ACCESS_TOKEN, GRANT_TYPE
from idp.store.db import db
from tests.oidc.portal import (
    Portal,
    body_of,
)
from tests.support import rows

OTHER_API = "https://other-api.example"
SWITCHER: dict[str, Any] = {
    "grant_types": ["authorization_code", "refresh_token", GRANT_TYPE],
    "consent_required": False,
    "more": {"resources": [OTHER_API]},
}


def delegation(unit_id: str | None = None, *actions: str, **members: Any) -> str:
    """Return `authorization_details` for a unit."""
    named = {} if unit_id is None else {"identifier": unit_id}
    return json.dumps([{"type": "unit_delegation", "actions": list(actions), **named, **members}])


def exchange(portal: Portal, token: str, **form: str) -> TestResponse:
    """Present `token` as the subject token."""
    usual = {"grant_type": GRANT_TYPE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
    return portal.post("/oidc/token", usual | form)


def exchanged(portal: Portal, token: str, **form: str) -> dict[str, Any]:
    """Return the answer to an exchange."""
    response = exchange(portal, token, **form)
    assert response.status_code == 200, response.text
    return body_of(response)


def binding_of(unit_id: str) -> str:
    found = db.session.scalars(select(Binding.id).where(Binding.unit_id == unit_id)).one()
    db.session.rollback()
    return found


def bound_unit(person_id: str, n: int, *businesses: str) -> str:
    """Bind the person to unit `n` and grant them businesses."""
    unit_id = rows.unit(n, verified_at=clock.now())
    binding = rows.binding(unit_id, person_id)
    for business in businesses:
        rows.grant(binding, business)
    return unit_id


@pytest.fixture
def switcher(sqlite_portal: Portal) -> Portal:
    """A portal that is registered for token exchange."""
    for business in ("rec.position", "rec.fair"):
        rows.business(business)
    return Portal.registered(sqlite_portal.app, "switcher", **SWITCHER)


@pytest.fixture
def person(switcher: Portal) -> str:
    """Person 0."""
    del switcher
    return rows.person()


@pytest.fixture
def unit(person: str) -> str:
    """A unit that lets the person do both businesses."""
    return bound_unit(person, 1, "rec.position", "rec.fair")


@pytest.fixture
def own(switcher: Portal, person: str) -> str:
    """The person's own access token at the portal."""
    return str(switcher.tokens(switcher.granted(person, scope="openid profile offline_access"))["access_token"])
