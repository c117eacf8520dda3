"""Drafts: what was typed into the steps of a form so far, encrypted, bound to the browser and to the form.

A draft lives as long as an interaction. No password is ever put into one; its hash may be.
"""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from idp import clock, ids
from idp.errors import DomainError
from idp.sessions.model import Draft
from idp.settings import settings
from idp.store.db import db, transaction


class DraftGone(DomainError):
    """The draft has expired, was finished, or belongs to another browser: begin anew."""

    code = "draft_gone"
    status = 400


def begin(form: str, browser_id: str, content: dict[str, Any]) -> str:
    """Keep `content` (plain JSON) for this browser and return the draft's id, which may stand in an address."""
    draft_id = ids.new_secret()
    with transaction() as session:
        session.add(
            Draft(
                id=draft_id,
                browser_id=browser_id,
                form=form,
                content=json.dumps(content, ensure_ascii=False),
                expires_at=clock.now() + timedelta(seconds=settings().interaction_lifetime),
            )
        )
    return draft_id


def read(form: str, browser_id: str, draft_id: str) -> dict[str, Any]:
    """Return what was kept. Raises DraftGone."""
    content: dict[str, Any] = json.loads(_living(form, browser_id, draft_id).content)
    return content


def keep(form: str, browser_id: str, draft_id: str, content: dict[str, Any]) -> None:
    """Put `content` in place of what was kept, and let the draft live on. Raises DraftGone."""
    with transaction():
        draft = _living(form, browser_id, draft_id)
        draft.content = json.dumps(content, ensure_ascii=False)
        draft.expires_at = clock.now() + timedelta(seconds=settings().interaction_lifetime)


def drop(browser_id: str, draft_id: str) -> None:
    """Forget a draft: its form is done."""
    with transaction() as session:
        session.execute(delete(Draft).where(Draft.id == draft_id, Draft.browser_id == browser_id))


def _living(form: str, browser_id: str, draft_id: str) -> Draft:
    found = db.session().scalars(
        select(Draft).where(
            Draft.id == draft_id,
            Draft.form == form,
            Draft.browser_id == browser_id,
            Draft.expires_at > clock.now(),
        )
    )
    draft = found.one_or_none()
    if draft is None:
        raise DraftGone
    return draft
