"""Drafts: bound to browser and form, encrypted, gone after a while."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from idp.sessions import drafts
from idp.sessions.drafts import DraftGone
from idp.settings import settings
from idp.store.db import db
from tests.support.clocks import MovedClock, moved_clock  # noqa: F401 - a fixture

CONTENT = {"full_name": "广州示例1号有限公司", "step": 2}


def test_what_was_typed_is_kept_and_replaced(app: Flask) -> None:
    draft_id = drafts.begin("register_unit", "browser", CONTENT)
    assert drafts.read("register_unit", "browser", draft_id) == CONTENT
    drafts.keep("register_unit", "browser", draft_id, {"step": 3})
    assert drafts.read("register_unit", "browser", draft_id) == {"step": 3}


@pytest.mark.parametrize(("form", "browser"), [("register_unit", "another"), ("recover", "browser")])
def test_a_draft_belongs_to_its_browser_and_form(app: Flask, form: str, browser: str) -> None:
    draft_id = drafts.begin("register_unit", "browser", CONTENT)
    with pytest.raises(DraftGone):
        drafts.read(form, browser, draft_id)
    with pytest.raises(DraftGone):
        drafts.keep(form, browser, draft_id, {})


def test_a_draft_ends_when_nobody_goes_on(app: Flask, moved_clock: MovedClock) -> None:  # noqa: F811
    draft_id = drafts.begin("register_unit", "browser", CONTENT)
    moved_clock.advance(timedelta(seconds=settings().interaction_lifetime - 5))
    drafts.keep("register_unit", "browser", draft_id, CONTENT)
    moved_clock.advance(timedelta(seconds=settings().interaction_lifetime - 5))
    drafts.read("register_unit", "browser", draft_id)
    moved_clock.advance(timedelta(seconds=6))
    with pytest.raises(DraftGone):
        drafts.read("register_unit", "browser", draft_id)


def test_a_dropped_draft_is_gone(app: Flask) -> None:
    draft_id = drafts.begin("register_unit", "browser", CONTENT)
    drafts.drop("another", draft_id)
    drafts.read("register_unit", "browser", draft_id)
    drafts.drop("browser", draft_id)
    with pytest.raises(DraftGone):
        drafts.read("register_unit", "browser", draft_id)


def test_a_draft_is_not_readable_in_the_database(app: Flask) -> None:
    drafts.begin("register_unit", "browser", CONTENT)
    stored = bytes(db.session.execute(text("SELECT content FROM draft")).scalar_one())
    assert "示例".encode() not in stored
