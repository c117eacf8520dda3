"""授权码实名 (U14): a code for one unit, once, in time; typed by who belongs to the unit; guesses are limited."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from idp import jobs
from idp.audit.model import AuditEntry
from idp.delegation import unit_verification
from idp.delegation.errors import AuthorisationCodeLocked, AuthorisationCodeWrong, BindingGone, NobodyToTell
from idp.notify.model import OutboxMessage
from idp.store.db import db, release, transaction
from idp.units import changes
from idp.units.authorisation_codes import LENGTH
from idp.units.changes import TypedData
from idp.units.errors import AuthorisationCodeMalformed, UnitUnknown, UnitVerified
from idp.units.model import Unit, UnitAuthorisationCode
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock
from tests.support.verifying import outcomes_in_a_process

__all__ = ["moved_clock"]

WRONG = "AAAA-BBBB-CCCC"
PROCESSES = 2
WRONG_OF_EACH, RIGHT_OF_EACH = 10, 2


class Ours:
    """An unverified unit with an agent."""

    def __init__(self) -> None:
        self.unit_id, self.person_id = rows.unit(), rows.person(0)
        self.binding_id = rows.binding(self.unit_id, self.person_id)

    def issue(self) -> str:
        return unit_verification.issue(fictional.uscc()).code

    def verify(self, typed: str) -> None:
        unit_verification.verify(self.person_id, self.unit_id, typed)

    def is_verified(self) -> bool:
        release()
        return read(self.unit_id).verified_at is not None


@pytest.fixture
def ours(app: Flask) -> Ours:
    return Ours()


def read(unit_id: str) -> Unit:
    return db.session.get_one(Unit, unit_id, populate_existing=True)


def told(template: str) -> list[tuple[str, dict[str, str]]]:
    release()
    payloads = [json.loads(each.payload) for each in db.session.scalars(select(OutboxMessage))]
    return [(each["phone"], each["params"]) for each in payloads if each["template"] == template]


def audited(action: str, outcome: str = "ok") -> list[AuditEntry]:
    release()
    wanted = select(AuditEntry).where(AuditEntry.action == action, AuditEntry.outcome == outcome)
    return list(db.session.scalars(wanted))


class SilentRegister:
    """A register that has no entry."""

    def look_up(self, uscc: str) -> None:
        del uscc


def test_a_code_verifies_its_unit_and_this_is_told_and_audited(ours: Ours) -> None:
    # U14
    ours.verify(ours.issue())
    unit = read(ours.unit_id)
    assert unit.verified_at is not None
    assert unit.verified_how == "authorisation_code"
    assert told("unit_verified") == [(fictional.mobile(), {"unit": fictional.unit_name(1)})]
    [issued], [verified] = audited("unit.authorisation_code_issued"), audited("unit.verified")
    assert (issued.actor_id, issued.unit_id) == (None, ours.unit_id)
    assert (verified.actor_id, verified.unit_id) == (ours.person_id, ours.unit_id)
    assert verified.details == {"how": "authorisation_code"}


def test_a_keyed_hash_of_it_is_kept(ours: Ours) -> None:
    # DESIGN 7: no secret in clear, in the table or in the audit
    code = ours.issue()
    stored = str(db.session.execute(text("SELECT * FROM unit_authorisation_code")).all())
    stored += str([each.details for each in audited("unit.authorisation_code_issued")])
    assert code not in stored
    assert code.replace("-", "") not in stored


@pytest.mark.parametrize(
    "spelling", [str.lower, lambda code: f" {code.replace('-', ' ')} ", lambda code: code + "\u3000"]
)
def test_case_blanks_and_hyphens_say_nothing(ours: Ours, spelling: object) -> None:
    assert callable(spelling)
    ours.verify(spelling(ours.issue()))
    assert ours.is_verified()


@pytest.mark.parametrize("who", ["unit", "common_contact"])
def test_the_unit_itself_and_its_common_contact_may_type_it(ours: Ours, who: str) -> None:
    # U14, U10; the common contact is who is told
    contact_id = rows.person(1)
    rows.binding(ours.unit_id, contact_id, kind="common_contact")
    unit_verification.verify({"unit": ours.unit_id, "common_contact": contact_id}[who], ours.unit_id, ours.issue())
    assert ours.is_verified()
    assert [phone for phone, _ in told("unit_verified")] == [fictional.mobile(1)]


@pytest.mark.parametrize("who", ["stranger", "pending", "ended", "another unit"])
def test_nobody_else_types_it_or_uses_up_the_tries(ours: Ours, who: str) -> None:
    # U14
    code, person_id = ours.issue(), rows.person(1)
    if who in {"pending", "ended"}:
        rows.binding(ours.unit_id, person_id, status=who)
    actor_id = rows.unit(2) if who == "another unit" else person_id
    for typed in [WRONG] * 6 + [code]:
        with pytest.raises(BindingGone):
            unit_verification.verify(actor_id, ours.unit_id, typed)
    ours.verify(code)
    assert ours.is_verified()


def test_a_unit_that_is_locked_is_not_verified(ours: Ours) -> None:
    code = ours.issue()
    with transaction() as session:
        session.execute(update(Unit).values(status="locked"))
    with pytest.raises(BindingGone):
        ours.verify(code)
    with pytest.raises(UnitUnknown):
        ours.issue()


def test_a_code_of_another_unit_is_a_wrong_one(ours: Ours) -> None:
    # U14: it says the same, and the other code is none the worse for it
    other_id = rows.unit(2)
    code = unit_verification.issue(fictional.uscc(2)).code
    ours.issue()
    with pytest.raises(AuthorisationCodeWrong) as other:
        ours.verify(code)
    with pytest.raises(AuthorisationCodeWrong) as wrong:
        ours.verify(WRONG)
    assert (other.value.facts, wrong.value.facts) == ({"left": 4}, {"left": 3})
    unit_verification.verify(other_id, other_id, code)
    assert read(other_id).verified_at is not None
    assert not ours.is_verified()


def test_a_new_code_supersedes_the_older(ours: Ours) -> None:
    # U14
    older, newer = ours.issue(), ours.issue()
    with pytest.raises(AuthorisationCodeWrong):
        ours.verify(older)
    ours.verify(newer)
    assert ours.is_verified()


def test_it_expires_as_the_setting_says_and_is_forgotten(
    make_app: MakeApp, migrated_sqlite_url: str, moved_clock: MovedClock
) -> None:
    # U14
    with make_app(migrated_sqlite_url, unit_authorisation_code_lifetime=3600).app_context():
        ours = Ours()
        code = ours.issue()
        moved_clock.advance(timedelta(hours=1, seconds=1))
        with pytest.raises(AuthorisationCodeWrong):
            ours.verify(code)
        jobs.forget_what_expired()
        assert db.session.scalars(select(func.count()).select_from(UnitAuthorisationCode)).one() == 0
        code = ours.issue()
        moved_clock.advance(timedelta(minutes=59))
        ours.verify(code)
        assert ours.is_verified()


def test_after_five_wrong_ones_nobody_types_one_for_an_hour(ours: Ours, moved_clock: MovedClock) -> None:
    # U14: whoever of the unit's people typed them
    code = ours.issue()
    lefts = []
    for actor_id in [ours.person_id, ours.unit_id] * 2:
        with pytest.raises(AuthorisationCodeWrong) as wrong:
            unit_verification.verify(actor_id, ours.unit_id, WRONG)
        lefts.append(wrong.value.facts["left"])
    assert lefts == [4, 3, 2, 1]
    for typed in (WRONG, code):
        with pytest.raises(AuthorisationCodeLocked):
            ours.verify(typed)
    assert [each.details["tries_left"] for each in audited("unit.verified", "failed")] == [4, 3, 2, 1, 0]
    moved_clock.advance(timedelta(hours=1, seconds=1))
    ours.verify(code)
    assert ours.is_verified()


def test_a_slip_is_no_guess(ours: Ours) -> None:
    for typed in ("", "123456", "AAAA-BBBB-CCC", "AAAA-BBBB-CCC0", "甲" * LENGTH):
        with pytest.raises(AuthorisationCodeMalformed):
            ours.verify(typed)
    with pytest.raises(AuthorisationCodeWrong) as wrong:
        ours.verify(WRONG)
    assert wrong.value.facts == {"left": 4}


def test_a_renamed_unit_needs_a_new_code(ours: Ours) -> None:
    # U14, U16: the officer saw another name
    code = ours.issue()
    changes.change(
        ours.unit_id, TypedData(fictional.unit_name(1), fictional.person_name(6), "441900"), SilentRegister()
    )
    changes.change(ours.unit_id, TypedData("南粤示例（广州）有限公司", "辛未", "441900"), SilentRegister())
    with pytest.raises(AuthorisationCodeWrong):
        ours.verify(code)
    assert not ours.is_verified()


def test_a_unit_that_only_moved_keeps_its_code(ours: Ours) -> None:
    code = ours.issue()
    changes.change(
        ours.unit_id, TypedData(fictional.unit_name(1), fictional.person_name(6), "441900"), SilentRegister()
    )
    ours.verify(code)
    assert ours.is_verified()


def test_a_verified_unit_gets_no_code_and_stays_as_it_is(ours: Ours) -> None:
    ours.verify(ours.issue())
    since = read(ours.unit_id).verified_at
    ours.verify(WRONG)
    assert read(ours.unit_id).verified_at == since
    with pytest.raises(UnitVerified):
        ours.issue()


def test_a_unit_is_found_by_either_kind_of_number(app: Flask) -> None:
    # U3, U14
    unit_id = rows.unit(3, document_type="org_code", document_number=fictional.org_code(3))
    assert unit_verification.issue(fictional.org_code(3)).unit_id == unit_id
    for number in (fictional.uscc(3), "91440101MA00000157", "", "9"):
        with pytest.raises(UnitUnknown):
            unit_verification.issue(number)


def test_a_code_goes_out_by_sms_if_there_is_somebody(ours: Ours) -> None:
    issued = unit_verification.issue(fictional.uscc(), by_sms=True)
    [(phone, params)] = told("unit_authorisation_code")
    assert (phone, params["code"]) == (fictional.mobile(), issued.code)
    rows.unit(2)
    with pytest.raises(NobodyToTell):
        unit_verification.issue(fictional.uscc(2), by_sms=True)
    assert db.session.scalars(select(func.count()).select_from(UnitAuthorisationCode)).one() == 1


def test_processes_at_once_verify_once_and_never_guess_beyond_the_limit(
    make_app: MakeApp, migrated_postgres_url: str, key_file: Path
) -> None:
    """U14, DESIGN 8: of twenty wrong codes five are looked at. A right one, typed by all: verified once."""
    with make_app(migrated_postgres_url).app_context():
        ours, other_id = Ours(), rows.unit(2)
        ours.issue()
        right = unit_verification.issue(fictional.uscc(2)).code
        guesses = [(ours.person_id, ours.unit_id, WRONG)] * WRONG_OF_EACH
        guesses += [(other_id, other_id, right)] * RIGHT_OF_EACH
        with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
            runs = [
                pool.submit(outcomes_in_a_process, migrated_postgres_url, str(key_file), guesses)
                for _ in range(PROCESSES)
            ]
            outcomes = [outcome for run in runs for outcome in run.result(timeout=60)]
        assert outcomes.count("AuthorisationCodeWrong") == 4
        assert outcomes.count("AuthorisationCodeLocked") == PROCESSES * WRONG_OF_EACH - 4
        assert len(audited("unit.verified", "failed")) == 5
        assert outcomes.count("ok") == PROCESSES * RIGHT_OF_EACH, "who comes later finds the unit verified"
        assert [each.unit_id for each in audited("unit.verified")] == [other_id]
        assert not ours.is_verified()
