"""What surrounds a page: who is signed in (header), and the account centre's navigation at the side."""

from typing import Any

from flask import Flask, flash, get_flashed_messages, render_template, session, url_for
from flask_babel import gettext as _

from idp import web
from idp.delegation import listing
from idp.flows.forms.base import Confirmation
from idp.messages import N_
from idp.persons.model import Person
from idp.rules.masking import mask_name
from idp.store.db import db

LEVEL_NAMES = {1: N_("一级实名"), 2: N_("二级实名"), 3: N_("三级实名")}


def init_app(app: Flask) -> None:
    """Tell every template who is signed in."""
    app.context_processor(_signed_in)


def _signed_in() -> dict[str, Any]:
    found = web.signed_in()
    if found is None:
        return {"signed_in": None}
    return {
        "signed_in": {
            "name": found.login_name,
            "account_url": url_for("home.page"),
            "sign_out_url": url_for("sign_out.page"),
        }
    }


def level_name(level: int) -> str:
    """Return what a real-name level is called: 一级实名 … 三级实名."""
    return str(_(LEVEL_NAMES[level]))


def notify(kind: str, text: str) -> None:
    """Show `text` on the next page of the account centre; kind: success, info, warning, error."""
    flash(text, kind)


def notice() -> dict[str, str] | None:
    """Return the latest notice that has not been shown yet: {kind, text}."""
    waiting: list[Any] = get_flashed_messages(with_categories=True)
    return {"kind": waiting[-1][0], "text": waiting[-1][1]} if waiting else None


def confirmation(
    *,
    title: str,
    question: str,
    consequences: list[str],
    nav_id: str,
    back_url: str,
    around: dict[str, Any],
    button: str | None = None,
) -> str:
    """Return the page that asks again before something is done; `around` is what surrounds it, of person or unit."""
    return render_template(
        "account/confirm.html",
        form=Confirmation(),
        title_text=title,
        nav_id=nav_id,
        question=question,
        consequences=consequences,
        button=button or title,
        back_url=back_url,
        **around,
    )


def is_notice_waiting() -> bool:
    """Whether `notice` has one to show."""
    return "_flashes" in session  # where Flask keeps what `flash` was given


def of_person(person: Person) -> dict[str, Any]:
    """Return `who`, `nav` and `notice` for the pages of a person (layouts/account.html)."""
    entries = (
        ("overview", _("个人资料"), "id-card", "account.page"),
        ("level", _("实名等级"), "badge-check", "raise_level.page"),
        ("security", _("登录安全"), "lock-keyhole", "security.page"),
        ("parents", _("父账号信息"), "building-2", "parent_accounts.page"),
        ("agreements", _("应用授权"), "shield-check", "agreements.page"),
        ("devices", _("登录设备"), "monitor-smartphone", "devices.page"),
    )
    waiting = {"parents": listing.count_requests(db.session(), person.id)}
    return {
        "who": {"name": mask_name(person.full_name), "detail": level_name(person.real_name_level)},
        "nav": [
            {"id": id_, "label": label, "icon": icon, "url": url_for(at), "count": waiting.get(id_, 0)}
            for id_, label, icon, at in entries
        ],
        "notice": notice(),
    }
