"""A legal representative's face check serves once, for what it was made for, and only while it is allowed (U18)."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import clock, ids
from idp.delegation import representing
from idp.delegation.acting import Minimum
from idp.delegation.model import RepresentativeCheck
from idp.delegation.representing import Obstacle, Passed
from idp.store import hot
from idp.store.db import db, transaction
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.representing import REPORT, STABILIZATION, catalogue, claims_in_a_process

PROCESSES, CHECKS = 4, 40


def add_check(unit_id: str, **changes: Any) -> Passed:
    """Store a check that was passed."""
    values: dict[str, Any] = {
        "id": ids.new_id("f_"),
        "interaction_id": ids.new_secret(),
        "unit_id": unit_id,
        "business_code": STABILIZATION,
        "gateway_id": "0123456789",
        "url": "https://face.example/check",
        "state": "passed",
        "created_at": clock.now(),
        "expires_at": clock.now() + timedelta(minutes=5),
    }
    with transaction() as session:
        session.add(RepresentativeCheck(**values | changes))
    values |= changes
    return Passed(values["id"], values["interaction_id"], values["business_code"])


def claim(check: Passed, unit_id: str) -> bool:
    with hot.transaction() as on:
        return representing.claim(on, check, unit_id)


def test_processes_at_once_use_each_check_once(make_app: MakeApp, migrated_postgres_url: str, key_file: Path) -> None:
    """Four processes fight for forty checks: each is got by exactly one of them."""
    with make_app(migrated_postgres_url).app_context():
        catalogue()
        unit_id = rows.unit()
        made = [add_check(unit_id) for _ in range(CHECKS)]
        pairs = [(each.check_id, each.interaction_id) for each in made]
        with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
            runs = [
                pool.submit(claims_in_a_process, migrated_postgres_url, str(key_file), unit_id, pairs)
                for _ in range(PROCESSES)
            ]
            got = [run.result(timeout=60) for run in runs]
        assert [sum(wins) for wins in zip(*got, strict=True)] == [1] * CHECKS
        used = select(func.count()).where(RepresentativeCheck.used_at.is_not(None))
        assert db.session.scalars(used).one() == CHECKS


@pytest.mark.parametrize(
    "changes", [{"state": "pending"}, {"state": "failed"}, {"expires_at": clock.now() - timedelta(seconds=1)}]
)
def test_what_was_not_passed_in_time_is_not_used(app: Flask, changes: dict[str, Any]) -> None:
    catalogue()
    unit_id = rows.unit()
    check = add_check(unit_id, **changes)
    assert representing.passed(hot.reader(), check.interaction_id, unit_id) is None
    assert not claim(check, unit_id)


def test_it_is_bound_to_request_unit_and_business(app: Flask) -> None:
    catalogue()
    unit_id, other = rows.unit(), rows.unit(2)
    check = add_check(unit_id)
    assert not claim(check, other)
    assert not claim(Passed(check.check_id, "another-request", check.business), unit_id)
    assert not claim(Passed(check.check_id, check.interaction_id, REPORT), unit_id)
    assert representing.passed(hot.reader(), "another-request", unit_id) is None
    assert representing.passed(hot.reader(), check.interaction_id, other) is None
    assert representing.passed(hot.reader(), check.interaction_id, unit_id) == check
    assert claim(check, unit_id)
    assert not claim(check, unit_id)
    assert [each.business for each in representing.uses(db.session(), unit_id, limit=5)] == ["失业保险稳岗返还"]


def test_what_stands_against_it(app: Flask) -> None:
    """F3, U7, U13, U18."""
    catalogue()
    on, none = hot.reader(), Minimum()

    def against(unit_id: str, business: str = STABILIZATION, minimum: Minimum = none) -> Obstacle | None:
        return representing.obstacle(on, unit_id, business, minimum)

    good = rows.unit(trust_level=2)
    assert against(good) is None
    assert against(good, REPORT) is Obstacle.CLOSED
    assert against(good, "nothing") is Obstacle.CLOSED
    assert against(good, minimum=Minimum(unit=3)) is Obstacle.UNIT_LEVEL
    assert against(rows.unit(2, trust_level=1)) is Obstacle.UNIT_LEVEL
    assert against(rows.unit(3, trust_level=2, status="locked")) is Obstacle.UNIT_INACTIVE
    old = rows.unit(4, trust_level=2, document_type="org_code", document_number=fictional.org_code(4))
    assert against(old) is Obstacle.NEEDS_USCC
    binding = rows.binding(good, rows.person(), status="pending")
    assert against(good) is None
    with transaction() as session:
        session.get_one(rows.Binding, binding).status = "active"
    assert against(good) is Obstacle.HAS_AGENTS
