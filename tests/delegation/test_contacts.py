"""Who is told what happens to a unit's account, which has no phone of its own (U8, U10)."""

from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.delegation import closing, contacts
from idp.delegation.closing import Order
from idp.store.db import db, release
from tests.support import rows


@pytest.fixture
def unit_id(app: Flask) -> str:
    return rows.unit()


def told(unit_id: str) -> list[str]:
    release()
    return [each.id for each in contacts.to_tell(db.session(), unit_id)]


def test_the_common_contact_alone(unit_id: str) -> None:
    agent, contact = rows.person(0), rows.person(1)
    rows.binding(unit_id, agent)
    rows.binding(unit_id, contact, kind="common_contact")
    assert told(unit_id) == [contact]


def test_a_contact_who_is_locked_out_is_stood_in_for(unit_id: str) -> None:
    agent, contact = rows.person(0), rows.person(1)
    rows.binding(unit_id, agent)
    rows.binding(unit_id, contact, kind="common_contact")
    closing.lock_person(contact, Order("operator", "test"))
    assert told(unit_id) == [agent]


def test_without_one_the_agents_who_have_been_bound_longest(unit_id: str) -> None:
    """Nobody who was only asked, left, or stands for another unit; and not the whole staff of a large one."""
    asked, left, elsewhere = rows.person(10), rows.person(11), rows.person(12)
    rows.binding(unit_id, asked, status="pending")
    rows.binding(unit_id, left, status="ended")
    rows.binding(rows.unit(2), elsewhere)
    now = clock.now()
    agents = [rows.person(n) for n in range(contacts.MOST_TOLD + 1)]
    for days, agent in enumerate(agents):
        rows.binding(unit_id, agent, decided_at=now - timedelta(days=days))
    assert told(unit_id) == agents[:0:-1]


def test_nobody(unit_id: str) -> None:
    assert told(unit_id) == []
