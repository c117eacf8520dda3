"""Taking away what an account was signed in by: a certificate, a link to an upstream. Persons and units have it alike.

Sessions that rest on it end, which may be the one in this browser.
"""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import web
from idp.flows import frame, unit_frame
from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.store.db import db


def ask(who: SignedIn, voucher: str, *, title: str, question: str, consequences: list[str]) -> str:
    """Return the page that asks again; `voucher` is how sessions name it (`browser_sessions.end_vouched_by`)."""
    ends = [_("用它登录的设备和应用立即退出。")]
    if browser_sessions.rests_on(db.session(), who.session_id, voucher):
        ends = [_("用它登录的设备和应用立即退出，包括当前设备；之后请用其他方式重新登录。")]
    return frame.confirmation(
        title=title,
        nav_id="security",
        question=question,
        consequences=[*consequences, *ends],
        back_url=_security(who),
        around=unit_frame.of_either(who),
    )


def done(who: SignedIn, said: str) -> ResponseReturnValue:
    """Go back to 登录安全 and say so: on the sign-in page, where this session has just ended."""
    frame.notify("success", said)
    if browser_sessions.lives(db.session(), who.session_id):
        return redirect(_security(who), 303)
    tab = None if who.is_person else "unit"
    response = redirect(url_for("sign_in.page", next=_security(who), tab=tab), 303)
    web.drop_session_cookie(response)
    return response


def _security(who: SignedIn) -> str:
    return url_for("security.page" if who.is_person else "unit_security.page")
