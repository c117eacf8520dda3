"""What every way to sign in has in common: where the browser comes from, its new session, and where it goes on to."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp import web
from idp.flows import journey
from idp.flows.forms.base import Form
from idp.flows.journey import Journey
from idp.flows.local_path import local_path
from idp.sessions import browser_sessions, interactions
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.interactions import InteractionGone
from idp.sessions.sign_in import Browser

AS_UNIT = "1"
"""What `?as_unit=` says of a box 「以单位身份登录」 (C1) that was ticked on the page before."""


def browser() -> Browser:
    """Return where this sign-in comes from."""
    found = web.signed_in()
    return Browser(
        address=request.remote_addr or "",
        user_agent=request.user_agent.string,
        replaces=found.session_id if found else None,
    )


def destination() -> dict[str, Any]:
    """Return the part of the address that says where the sign-in leads, for links to other ways to sign in.

    `again` asks for a sign-in although there is one, because that is too old for what comes next.
    """
    return {name: request.args.get(name) for name in ("interaction", "next", "again")}


def ticked_before() -> bool:
    """Whether 「以单位身份登录」 was ticked on the page that led here."""
    return request.args.get("as_unit") == AS_UNIT


def ticked(url: str) -> str:
    """Return the address of another way to sign in, with the box 「以单位身份登录」 ticked."""
    return f"{url}{'&' if '?' in url else '?'}as_unit={AS_UNIT}"


def tick(form: Form) -> None:
    """Tick 「以单位身份登录」 where the form has it, is new, and the box was ticked before."""
    if "as_unit" in form and not form.is_submitted():
        form["as_unit"].data = ticked_before()


def is_needed(belongs_to: Journey | None) -> bool:
    """Whether a form is shown although somebody may be signed in."""
    return belongs_to is not None or web.signed_in() is None or request.args.get("again") == "1"


def onwards(found: SignedIn, next_path: str | None = None) -> str:
    """Return the page that asked for the sign-in (`next_path`, else the address says which), else the account."""
    return local_path(next_path or request.args.get("next")) or url_for(
        "account.page" if found.is_person else "unit_account.page"
    )


def welcome(
    token: str, belongs_to: Journey | None, *, as_unit: bool, next_path: str | None = None
) -> ResponseReturnValue:
    """Hand the browser its new session and send it on (303: what was posted is not posted again)."""
    fresh = browser_sessions.find(token)
    if fresh is None:
        # Locked by an administrator between two statements: the next page asks to sign in again.
        return redirect(url_for("sign_in.page"), 303)
    as_unit = as_unit and fresh.is_person  # who comes from an upstream may turn out to be a unit
    if belongs_to is not None:
        interactions.signed_in(belongs_to.interaction_id, fresh.session_id, as_unit=as_unit)
        target = belongs_to.resume_url
    elif as_unit:
        target = url_for("parent_accounts.page")
    else:
        target = onwards(fresh, next_path)
    response = redirect(target, 303)
    web.set_session_cookie(response, token)
    return response


def welcome_back(
    token: str, interaction_id: str | None, *, as_unit: bool = False, next_path: str | None = None
) -> ResponseReturnValue:
    """Do as `welcome`, after a way that led elsewhere and took its time: the interaction may be over by now."""
    try:
        belongs_to = journey.find(interaction_id) if interaction_id else None
    except InteractionGone:
        belongs_to = None  # signed in all the same
    return welcome(token, belongs_to, as_unit=as_unit, next_path=next_path)
