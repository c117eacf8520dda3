"""What surrounds the pages of a unit's own account (layouts/account.html)."""

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from idp.delegation import grant_requests
from idp.flows import frame
from idp.persons import records as persons
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import db
from idp.units import records as units
from idp.units.model import Unit


def of_either(who: SignedIn) -> dict[str, Any]:
    """Return the same for whoever is signed in, for a page that persons and units have alike."""
    if who.is_person:
        return frame.of_person(persons.person(who.subject_id))
    return of_unit(units.unit(who.subject_id))


def of_unit(unit: Unit) -> dict[str, Any]:
    """Return `who`, `nav` and `notice` for the pages of a unit."""
    entries = [
        ("overview", _("单位资料"), "building-2", "unit_account.page"),
        ("sub_accounts", _("子账号信息"), "users", "sub_accounts.page"),
        ("security", _("登录安全"), "lock-keyhole", "unit_security.page"),
        ("agreements", _("应用授权"), "shield-check", "agreements.page"),
    ]
    waiting = {"sub_accounts": grant_requests.count_waiting(db.session(), unit.id)}
    return {
        "who": {"name": unit.full_name, "detail": unit.login_name},
        "nav": [
            {"id": id_, "label": label, "icon": icon, "url": url_for(at), "count": waiting.get(id_, 0)}
            for id_, label, icon, at in entries
        ],
        "notice": frame.notice(),
    }
