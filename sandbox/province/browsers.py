"""Who is signed in at the province itself in this browser: for the phone's page and the upgrade pages.

Signing in for a client sets this too, so that a level can be raised right after it, but does not read it.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from sandbox.pages import page
from sandbox.province.accounts import Account, Kind
from sandbox.province.province import province

WRONG_CREDENTIALS = "用户名或密码不正确"
DISABLED = "账号已停用，请联系服务窗口"


def chosen_kind() -> Kind:
    """Return whose tab is open: what `tab` says, or the first that the system has."""
    kinds = province().profile.kinds
    return next((kind for kind in kinds if kind == request.values.get("tab")), kinds[0])


def by_password(kind: Kind) -> Account | str:
    """Return the account whose login name and password were typed, or a sentence that says why there is none."""
    typed = request.form
    account = province().accounts.sign_in(kind, typed.get("username", "").strip(), typed.get("password", ""))
    if account is None:
        return WRONG_CREDENTIALS
    return DISABLED if account.disabled else account


def tabs(path: str, **query: str) -> dict[str, str]:
    """Return the address of the page at `path` with each tab open."""
    return {kind: f"{path}?{urlencode(query | {'tab': kind})}" for kind in province().profile.kinds}


def signed_in() -> Account | None:
    """Return who is signed in here, or None."""
    useridcode = province().browsers.look(request.cookies.get(_cookie(), ""))
    account = None if useridcode is None else province().accounts.get(useridcode)
    return None if account is None or account.disabled else account


def sign_in(account: Account, address: str) -> ResponseReturnValue:
    """Return the redirect to `address` that signs the account in."""
    response = redirect(address)
    secret = province().browsers.issue(account.useridcode)
    response.set_cookie(_cookie(), secret, httponly=True, samesite="Lax")
    return response


def sign_in_form(
    kind: Kind, action: str, heading: str, explanation: str, *, tabs: Mapping[str, str], error: str
) -> Response:
    """Return the page that asks for login name and password. `tabs` may be empty, `error` too."""
    return page(
        "own_sign_in.html",
        400 if error else 200,
        kind=kind,
        action=action,
        heading=heading,
        explanation=explanation,
        username=request.form.get("username", ""),
        tabs=tabs,
        error=error,
    )


def _cookie() -> str:
    # Ports do not part cookies, and all stand-ins of a demo live on one host.
    return f"sandbox-{province().profile.name}"
