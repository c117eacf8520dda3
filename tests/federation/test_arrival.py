"""Coming back from an upstream: links, first logins, proof of control, what falls (F1, F2, P7, DESIGN 6)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from idp import clock
from idp.audit.model import AuditEntry
from idp.delegation.model import Binding
from idp.factors.model import UpstreamLink
from idp.federation import arrival, errors, links
from idp.federation.arrival import Step
from idp.gateways.province import Party
from idp.persons.errors import PersonDataRefused
from idp.persons.model import AccountKind, Person, PersonProofing
from idp.rules.documents import UnitDocument
from idp.rules.levels import Acr, TrustLevel
from idp.sessions import browser_sessions, passwords, sign_in
from idp.sessions.freshness import FRESH_FOR
from idp.sessions.levels import acr_of_session
from idp.sessions.sign_in import AccountLocked, WrongCredentials
from idp.store.db import db, transaction
from idp.units.model import Unit
from tests.federation import vouching
from tests.federation.vouching import BROWSER, entered
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock
from tests.support.parallel import all_at_once

__all__ = ["moved_clock"]

PASSWORD = fictional.password()


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str) -> Any:
    application = make_app(migrated_sqlite_url)
    with application.app_context():
        yield application


def read(person_id: str) -> Person:
    return db.session.get_one(Person, person_id, populate_existing=True)


def first_login(n: int = 0, **changes: Any) -> str:
    """Let person `n` come for the first time; return their id."""
    found = entered(arrival.first_login(vouching.person(n, **changes), f"from_there_{n}", BROWSER))
    return found.subject_id


def old_account(**changes: Any) -> str:
    return rows.person(password_hash=passwords.hash_password(PASSWORD), **changes)


def test_a_first_login_makes_a_real_named_account(app: Flask) -> None:
    """P7: with what is vouched for, without a password, real-named at once."""
    assert arrival.arrive(vouching.person(), BROWSER, None) is Step.FIRST_LOGIN
    found = entered(arrival.first_login(vouching.person(), "from_there", BROWSER))
    person = read(found.subject_id)
    assert (person.full_name, person.document_number) == (fictional.person_name(), fictional.resident_id())
    assert (person.phone, person.password_hash, person.real_name_level) == (fictional.mobile(), None, 3)
    assert (found.amr, acr_of_session(found)) == (("fed",), Acr.L2)


def test_the_next_login_enters_by_the_stable_id(app: Flask) -> None:
    person_id = first_login()
    assert entered(arrival.arrive(vouching.person(), BROWSER, None)).subject_id == person_id
    assert db.session.query(UpstreamLink).count() == 1
    assert "p-0000" not in str(db.session.execute(text("SELECT * FROM upstream_link")).all())


@pytest.mark.parametrize(
    ("level", "real_name_level", "acr"),
    [(TrustLevel.L0, 1, Acr.L0), (TrustLevel.L1, 2, Acr.L1), (TrustLevel.L2, 3, Acr.L2), (TrustLevel.L3, 3, Acr.L3)],
)
def test_levels_follow_the_newest_login(app: Flask, level: TrustLevel, real_name_level: int, acr: Acr) -> None:
    """F2: up and down, never mapped upwards."""
    person_id = first_login()
    found = entered(arrival.arrive(vouching.person(trust_level=level), BROWSER, None))
    assert (read(person_id).real_name_level, acr_of_session(found)) == (real_name_level, acr)


def test_what_was_proven_here_stands_when_the_upstream_says_less(app: Flask) -> None:
    person_id = old_account(real_name_level=2)
    with transaction() as session:
        session.add(PersonProofing(person_id=person_id, method="unionpay", level=2, proved_at=clock.now()))
    entered(arrival.prove(vouching.person(), PASSWORD, BROWSER))
    assert read(person_id).real_name_level == 3
    arrival.arrive(vouching.person(trust_level=TrustLevel.L0), BROWSER, None)
    assert read(person_id).real_name_level == 2


def test_a_password_session_gets_nothing_from_the_upstream(app: Flask) -> None:
    """DESIGN 5: the method of this session counts."""
    person_id = old_account(real_name_level=2)
    entered(arrival.prove(vouching.person(trust_level=TrustLevel.L3), PASSWORD, BROWSER))
    found = browser_sessions.find(rows.signed_in(person_id))
    assert found is not None
    assert acr_of_session(found) is Acr.L1


def test_an_equal_number_never_links_by_itself(app: Flask) -> None:
    """DESIGN 6."""
    old_account()
    assert arrival.arrive(vouching.person(), BROWSER, None) is Step.PROVE
    assert arrival.first_login(vouching.person(), "from_there", BROWSER) is Step.PROVE
    assert db.session.query(UpstreamLink).count() == 0


def test_the_password_of_the_account_links_it(app: Flask) -> None:
    person_id = old_account()
    found = entered(arrival.prove(vouching.person(), PASSWORD, BROWSER))
    assert found.subject_id == person_id
    assert set(found.amr) == {"pwd", "fed"}
    assert entered(arrival.arrive(vouching.person(), BROWSER, None)).subject_id == person_id


def test_wrong_passwords_are_counted_as_at_sign_in(app: Flask) -> None:
    """P9."""
    old_account()
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCredentials) as caught:
            arrival.prove(vouching.person(), "Wrong-Owl0000", BROWSER)
        assert caught.value.facts["left"] == left
    assert db.session.query(UpstreamLink).count() == 0


def test_a_fresh_session_of_the_account_links_it(app: Flask, moved_clock: MovedClock) -> None:
    """So does, with no password at all, who came by another upstream a moment ago."""
    person_id = first_login()
    card = vouching.person(upstream="social-card", stable_id="c-1")
    here = entered(arrival.arrive(vouching.person(), BROWSER, None))
    moved_clock.advance(FRESH_FOR + timedelta(seconds=1))
    assert arrival.arrive(card, BROWSER, here) is Step.PROVE
    here = entered(arrival.arrive(vouching.person(), BROWSER, None))
    assert entered(arrival.arrive(card, BROWSER, here)).subject_id == person_id


def test_the_session_of_somebody_else_links_nothing(app: Flask) -> None:
    old_account()
    other = browser_sessions.find(rows.signed_in(rows.person(1)))
    assert arrival.arrive(vouching.person(), BROWSER, other) is Step.PROVE


def test_what_somebody_else_registered_falls(app: Flask) -> None:
    """DESIGN 6: password, phone, sessions, bindings, and the id that portals know."""
    squatted = old_account(real_name_level=1)
    rows.client()
    binding = rows.binding(rows.unit(), squatted)
    held = rows.at_portal(squatted, None)
    assert arrival.may_supersede(vouching.person())
    found = entered(arrival.first_login(vouching.person(), "the_true_one", BROWSER, supersede=True))
    assert found.subject_id != squatted
    assert read(found.subject_id).phone_claim is not None
    assert (read(squatted).status, read(squatted).document_claim, read(squatted).phone_claim) == (
        "cancelled",
        None,
        None,
    )
    assert not rows.is_alive(held)
    ended = db.session.get_one(Binding, binding, populate_existing=True)
    assert (ended.status, ended.ended_by) == ("ended", "superseded"), "no administrator did it"
    with pytest.raises(WrongCredentials):
        sign_in.person("user_0000", PASSWORD, BROWSER)
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert "upstream.superseded" in actions


@pytest.mark.parametrize("changes", [{"real_name_level": 2}, {"status": "locked", "real_name_level": 1}])
def test_what_proved_itself_or_is_locked_does_not_fall(app: Flask, changes: dict[str, Any]) -> None:
    person_id = old_account(**changes)
    assert not arrival.may_supersede(vouching.person())
    with pytest.raises(errors.ProofNeeded):
        arrival.first_login(vouching.person(), "the_true_one", BROWSER, supersede=True)
    assert read(person_id).document_claim is not None


def test_a_phone_that_somebody_else_proved_is_not_taken_away(app: Flask) -> None:
    other = rows.person(1)
    person_id = first_login(0, phone=fictional.mobile(1))
    assert read(person_id).phone_claim is None
    assert read(other).phone_claim is not None


def test_a_name_that_was_never_checked_becomes_the_vouched_one(app: Flask) -> None:
    person_id = old_account(real_name_level=1, full_name="张错字")
    entered(arrival.prove(vouching.person(), PASSWORD, BROWSER))
    assert read(person_id).full_name == fictional.person_name()


def test_two_proven_names_are_no_one_person(app: Flask) -> None:
    old_account(real_name_level=2, full_name="张错字")
    with pytest.raises(errors.IdentityChanged):
        arrival.prove(vouching.person(), PASSWORD, BROWSER)


def test_l0_vouches_for_nobody(app: Flask) -> None:
    """Its number was never checked over there, so nobody learns from it whether it has an account here."""
    old_account()
    for n in (0, 1):
        with pytest.raises(errors.NotRealNamed):
            arrival.arrive(vouching.person(n, trust_level=TrustLevel.L0), BROWSER, None)


def test_another_number_under_the_same_stable_id(app: Flask) -> None:
    first_login()
    with pytest.raises(errors.IdentityChanged):
        arrival.arrive(vouching.person(document_number=fictional.resident_id(3)), BROWSER, None)


def test_an_account_that_is_locked_here(app: Flask) -> None:
    person_id = first_login()
    with transaction() as session:
        session.get_one(Person, person_id).status = "locked"
    with pytest.raises(AccountLocked):
        arrival.arrive(vouching.person(), BROWSER, None)


def test_the_link_of_a_cancelled_account_is_gone(app: Flask) -> None:
    old_account(real_name_level=1)
    entered(arrival.prove(vouching.person(), PASSWORD, BROWSER))
    person_id = entered(arrival.arrive(vouching.person(), BROWSER, None)).subject_id
    with transaction() as session:
        cancelled = session.get_one(Person, person_id)
        cancelled.status, cancelled.document_claim, cancelled.phone_claim = "cancelled", None, None
    assert arrival.arrive(vouching.person(), BROWSER, None) is Step.FIRST_LOGIN
    assert db.session.query(UpstreamLink).count() == 0


def test_two_accounts_of_one_person(app: Flask) -> None:
    """P13."""
    old_account()
    rows.person(0, login_name="twin_0001", document_claim=None, phone_claim=None)
    with pytest.raises(errors.SeveralAccounts):
        arrival.arrive(vouching.person(), BROWSER, None)


def test_a_login_name_that_is_taken(app: Flask) -> None:
    rows.person(1, login_name="from_there")
    with pytest.raises(PersonDataRefused):
        arrival.first_login(vouching.person(), "from_there", BROWSER)
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1


def test_a_person_without_a_phone(app: Flask) -> None:
    with pytest.raises(errors.PhoneMissing):
        arrival.arrive(vouching.person(phone=None), BROWSER, None)


def test_a_unit_login_sets_the_trust_level(app: Flask) -> None:
    """F2, F3: also down."""
    unit_id = rows.unit(password_hash=passwords.hash_password(PASSWORD), trust_level=1)
    assert arrival.arrive(vouching.unit(), BROWSER, None) is Step.PROVE
    found = entered(arrival.prove(vouching.unit(trust_level=TrustLevel.L3), PASSWORD, BROWSER))
    assert (found.kind, found.subject_id, found.trust_level) == (AccountKind.UNIT, unit_id, 3)
    entered(arrival.arrive(vouching.unit(trust_level=TrustLevel.L1), BROWSER, None))
    assert db.session.get_one(Unit, unit_id, populate_existing=True).trust_level == 1


def test_a_unit_login_renews_what_is_vouched_for(app: Flask) -> None:
    """F4: name and legal representative follow the province, audited without the values; at L0 nobody checked them."""
    unit_id = rows.unit(password_hash=passwords.hash_password(PASSWORD), full_name="江门市旧名称有限公司")

    def unit() -> tuple[str, str]:
        found = db.session.get_one(Unit, unit_id, populate_existing=True)
        return found.full_name, found.legal_representative

    def audited() -> list[str]:
        return list(db.session.scalars(select(AuditEntry.details).where(AuditEntry.action == "unit.refreshed")))

    entered(arrival.prove(vouching.unit(), PASSWORD, BROWSER))
    assert unit() == (fictional.unit_name(1), fictional.person_name(6))
    arrival.arrive(vouching.unit(), BROWSER, None)
    arrival.arrive(vouching.unit(legal_representative=None), BROWSER, None)
    [entry] = audited()
    assert "full_name" in str(entry)
    assert "旧名称" not in str(entry)
    newer = vouching.unit(name="江门市新名称有限公司", legal_representative=Party(fictional.person_name(3)))
    arrival.arrive(replace(newer, trust_level=TrustLevel.L0), BROWSER, None)
    assert unit() == (fictional.unit_name(1), fictional.person_name(6))
    arrival.arrive(newer, BROWSER, None)
    assert unit() == ("江门市新名称有限公司", fictional.person_name(3))
    assert len(audited()) == 2


def test_a_units_account_never_falls(app: Flask) -> None:
    rows.unit()
    assert not arrival.may_supersede(vouching.unit())


def test_an_organisation_code_is_not_registered_any_more(app: Flask) -> None:
    """U3."""
    old = vouching.unit(document_type=UnitDocument.ORG_CODE, document_number=fictional.uscc(1)[8:17])
    with pytest.raises(errors.OrgCodeNew):
        arrival.arrive(old, BROWSER, None)


def test_parallel_first_logins_make_one_account(postgres_app: Flask) -> None:
    """The same person in six browsers, each with a login name of its own, or all with the same."""
    for n, name in ((0, "from_there_{}"), (1, "the_same_name")):
        works = [
            lambda i=i, n=n, name=name: arrival.first_login(vouching.person(n), name.format(i), BROWSER)
            for i in range(6)
        ]
        results = all_at_once(postgres_app, works)
        subjects = {entered(result).subject_id for result in results if not isinstance(result, Exception)}
        assert len(subjects) == 1, results
        assert not any(isinstance(result, Exception) for result in results), results
        assert links.owner_of(db.session(), vouching.person(n)) is not None
    assert db.session.scalar(select(func.count()).select_from(Person)) == 2
