"""What is stored for a code: all of it in one transaction, secrets as SHA-256 (DESIGN 3, traps 1, 3, 8)."""

import json
import re
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select, text

from idp import clock, ids
from idp.audit.log import Entry
from idp.audit.model import AuditEntry
from idp.oidc.authorize import issue
from idp.sessions import interactions
from idp.sessions.model import Authorization, AuthorizationCode, Interaction, PortalSession
from idp.settings import settings
from idp.store.db import db
from tests.oidc.authorize.browser import Browser, answer_in, authorization_of, interaction_row, request_parameters
from tests.oidc.counting import statements
from tests.support import fictional, rows
from tests.support.clocks import MovedClock


@pytest.fixture
def browser(app: Flask) -> Browser:
    rows.client(consent_required=False, scopes=["openid", "profile", "rec.position"])
    return Browser(app)


def test_the_code_and_what_stands_behind_it(browser: Browser, moved_clock: MovedClock) -> None:
    person = rows.person()
    session_id = browser.sign_in(person)
    moved_clock.advance(timedelta(minutes=5))
    claims = {"userinfo": {"name": None}}
    code = answer_in(browser.authorize(scope="openid profile", nonce="n-1", claims=json.dumps(claims)))["code"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", code)  # 256 bits
    db.session.rollback()
    stored = db.session.get_one(AuthorizationCode, ids.fingerprint(code))
    left = stored.expires_at - clock.now()
    assert timedelta(seconds=settings().code_lifetime - 5) < left <= timedelta(seconds=settings().code_lifetime)
    assert (stored.client_id, stored.redirect_uri) == ("portal", "https://portal.example/callback")
    assert stored.code_challenge is not None
    assert stored.used_at is None
    behind = db.session.get_one(Authorization, stored.authorization_id)
    # Trap 3: the sign-in's own time, not the code's, and it says nothing about how long the code lives.
    assert timedelta(minutes=4) < behind.created_at - behind.auth_time < timedelta(minutes=6)
    assert (behind.nonce, behind.claims, behind.amr) == ("n-1", claims, "pwd")
    assert (behind.scope, behind.businesses, behind.resource) == ("openid profile", "", settings().issuer)
    sid = db.session.get_one(PortalSession, behind.portal_session_id)
    assert (sid.session_id, sid.client_id, sid.subject_id, sid.unit_id) == (session_id, "portal", person, None)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "authorization.granted")).one()
    assert (entry.actor_id, entry.client_id, entry.unit_id, entry.outcome) == (person, "portal", None, "ok")
    assert entry.details == {"authorization": behind.id, "scope": ["openid", "profile"], "sid": sid.id}


def test_the_code_itself_is_nowhere(browser: Browser) -> None:
    """Trap 8: a stolen database redeems nothing."""
    browser.sign_in(rows.person())
    code = answer_in(browser.authorize())["code"]
    db.session.rollback()
    for table in ("authorization_code", '"authorization"', "portal_session", "audit_entry", "interaction"):
        for row in db.session.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - names of this test
            assert code not in str(tuple(row))


def test_one_portal_session_for_a_client_and_unit(browser: Browser) -> None:
    """`sid` stays while the sign-in at this portal lasts; another unit is another one (U13)."""
    person, first, second = rows.person(), rows.unit(1), rows.unit(2)
    for unit in (first, second):
        rows.binding(unit, person)
    browser.sign_in(person)
    sids = {
        unit: {authorization_of(browser.authorize(org_hint=unit)).portal_session_id for _ in range(2)}
        for unit in (fictional.uscc(1), fictional.uscc(2), None)
    }
    assert [len(each) for each in sids.values()] == [1, 1, 1]
    assert len(set.union(*sids.values())) == 3


def test_the_resource_of_the_client_is_the_audience(browser: Browser) -> None:
    """RFC 8707 §2, RFC 9068 §3: what the token is for, asked or by default."""
    rows.client(
        "api", redirect_uris=["https://portal.example/callback"], resource="https://a.example", consent_required=False
    )
    browser.sign_in(rows.person())
    assert authorization_of(browser.authorize(client_id="api")).resource == "https://a.example"
    asked = browser.authorize(client_id="api", resource="https://a.example")
    assert authorization_of(asked).resource == "https://a.example"


def test_several_resources_and_the_key_are_kept(browser: Browser) -> None:
    """RFC 8707 §2: what was asked for of what is registered. RFC 9449 §10: the code is bound to the key."""
    apis = ["https://a.example", "https://b.example", "https://c.example"]
    rows.client(
        "api",
        redirect_uris=["https://portal.example/callback"],
        resource=apis[0],
        more={"resources": apis[1:]},
        consent_required=False,
    )
    browser.sign_in(rows.person())
    jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    pairs = [*request_parameters(client_id="api", dpop_jkt=jkt).items(), ("resource", apis[2]), ("resource", apis[0])]
    stored = authorization_of(browser.get(f"/oidc/authorize?{urlencode(pairs)}"))
    assert stored.resource == f"{apis[2]} {apis[0]}"
    db.session.rollback()
    bound = select(AuthorizationCode.dpop_jkt).where(AuthorizationCode.authorization_id == stored.id)
    assert db.session.scalars(bound).one() == jkt


def test_ending_an_interaction_costs_so_many_statements(browser: Browser) -> None:
    """DESIGN 9: the interaction, who is signed in, whether they are at the portal, and all that is stored with one;
    on SQLite that is three that hold and four that write."""
    interaction = browser.journey()
    interactions.signed_in(interaction, browser.sign_in(rows.person()), as_unit=False)
    with statements() as run:
        answer_in(browser.resume(interaction))
    assert len(run) == (10 if db.engine.dialect.name == "sqlite" else 4), run


@pytest.mark.parametrize("at_once", [True, False])
def test_all_or_nothing(browser: Browser, monkeypatch: pytest.MonkeyPatch, at_once: bool) -> None:
    """Claim, portal session, authorization, code and audit stand or fall together, as one statement or as several."""
    interaction = browser.journey()
    browser.sign_in(rows.person())

    def without_action(_action: str, **others: Any) -> Entry:
        return Entry(cast("str", None), **others)  # which the database refuses

    monkeypatch.setattr(issue, "Entry", without_action)
    if not at_once:
        monkeypatch.setattr(issue, "_code_at_once", lambda *_: False)
    browser.http.application.testing = False
    assert browser.resume(interaction).status_code == 500
    db.session.rollback()
    for table in (Authorization, AuthorizationCode, PortalSession):
        assert db.session.scalars(select(table)).all() == []
    assert interaction_row(interaction).finished_at is None
    monkeypatch.undo()
    assert "code" in answer_in(browser.resume(interaction))
    assert db.session.scalars(select(Interaction)).one().id == interaction
