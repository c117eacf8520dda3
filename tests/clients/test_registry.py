"""Looking clients up: right within two seconds everywhere, and cheap in between (DESIGN 9)."""

from dataclasses import FrozenInstanceError, fields
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from idp.clients import registry
from idp.clients.metadata import ProtocolMetadata
from idp.clients.model import ActsFor, Client
from idp.clients.registry import RegisteredClient
from idp.sessions import client_removal
from idp.store.db import db, transaction
from tests.support import rows
from tests.support.clocks import MovedClock, moved_clock

__all__ = ["moved_clock"]

LATER = timedelta(milliseconds=registry.TRUST_MS + 1)


def rename(client_id: str, name: str) -> None:
    with transaction() as session:
        session.get_one(Client, client_id).client_name = name


def test_a_client_is_found_with_all_that_it_registered(app: Flask) -> None:
    rows.client("portal", more={"application_type": "native"}, min_person_level=2, uscc_only=True)
    found = registry.find("portal")
    assert found is not None
    row = db.session.get_one(Client, "portal")
    for field in fields(RegisteredClient):
        if field.name == "protocol":
            assert found.protocol == ProtocolMetadata(application_type="native")
            continue
        stored = getattr(row, field.name)
        assert getattr(found, field.name) == (tuple(stored) if isinstance(stored, list) else stored), field.name
    assert found.acts_for is ActsFor.OPTIONAL


def test_unknown_clients_are_none_and_are_not_remembered(app: Flask) -> None:
    assert registry.find("portal") is None
    rows.client("portal")
    assert registry.find("portal") is not None, "an unknown id costs a look-up each time, so it fills no memory"


def test_a_copy_is_trusted_for_two_seconds_and_not_longer(app: Flask, moved_clock: MovedClock) -> None:
    rows.client("portal", client_name="旧名")
    first = registry.find("portal")
    rename("portal", "新名")
    assert registry.find("portal") is first
    moved_clock.advance(LATER)
    found = registry.find("portal")
    assert found is not None
    assert found.client_name == "新名"


def test_a_copy_that_is_still_right_is_not_read_again(app: Flask, moved_clock: MovedClock) -> None:
    rows.client("portal")
    first = registry.find("portal")
    moved_clock.advance(LATER)
    read: list[str] = []

    def note(*arguments: object) -> None:
        read.append(str(arguments[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    assert registry.find("portal") is first
    event.remove(db.engine, "before_cursor_execute", note)
    assert read == []


def test_a_disabled_client_is_unknown_within_two_seconds(app: Flask, moved_clock: MovedClock) -> None:
    # A2
    rows.client("portal")
    assert registry.find("portal") is not None
    client_removal.disable("portal")
    moved_clock.advance(LATER)
    assert registry.find("portal") is None


def test_a_clock_set_back_does_not_keep_a_copy_for_ever(app: Flask, moved_clock: MovedClock) -> None:
    rows.client("portal", client_name="旧名")
    registry.find("portal")
    rename("portal", "新名")
    moved_clock.advance(timedelta(hours=-1))
    found = registry.find("portal")
    assert found is not None
    assert found.client_name == "新名"


def test_nobody_can_change_a_copy(app: Flask) -> None:
    rows.client("portal")
    found = registry.find("portal")
    assert found is not None
    with pytest.raises(FrozenInstanceError):
        found.client_name = "别的"  # type: ignore[misc]
