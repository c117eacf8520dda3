"""The page on which someone signs in, for both protocols. It is asked for at every trip: nobody stays signed in."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import redirect, request
from flask.typing import ResponseReturnValue

from sandbox.province.accounts import Account, Kind
from sandbox.province.clients import Client
from sandbox.province.pages import page
from sandbox.province.province import Grant, province

WRONG_CREDENTIALS = "用户名或密码不正确"
DISABLED = "账号已停用，请联系服务窗口"


@dataclass(frozen=True)
class Wanted:
    """A checked request for a sign-in. `extra` goes back beside the code."""

    protocol: str
    client: Client
    redirect_uri: str
    nonce: str | None = None
    challenge: str | None = None
    extra: tuple[tuple[str, str], ...] = ()


def sign_in_page(wanted: Wanted) -> ResponseReturnValue:
    """Show the page (GET), or take what was entered on it (POST) and send the person back with a code."""
    kind = chosen_kind()
    if request.method == "GET":
        return _show(wanted, kind)
    account = by_password(kind)
    if isinstance(account, str):
        return _show(wanted, kind, error=account)
    return send_back(wanted, account)


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


def send_back(wanted: Wanted, account: Account) -> ResponseReturnValue:
    """Return the redirect to the client with a new code. The redirect URI's own query stays."""
    grant = Grant(
        protocol=wanted.protocol,
        client_id=wanted.client.client_id,
        redirect_uri=wanted.redirect_uri,
        useridcode=account.useridcode,
        nonce=wanted.nonce,
        challenge=wanted.challenge,
    )
    return redirect(with_query(wanted.redirect_uri, [("code", province().codes.issue(grant)), *wanted.extra]))


def with_query(address: str, more: list[tuple[str, str]]) -> str:
    """Return `address` with more parameters at the end of its query."""
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return urlunsplit(parts._replace(query=query))


def _show(wanted: Wanted, kind: Kind, error: str = "") -> ResponseReturnValue:
    # The address is the request: tabs and forms lead back to it.
    own = {name: value for name, value in request.args.items() if name not in {"tab", "way"}}
    tabs = {each: f"{request.path}?{urlencode(own | {'tab': each})}" for each in province().profile.kinds}
    return page(
        "sign_in.html",
        400 if error else 200,
        client=wanted.client,
        kind=kind,
        tabs=tabs,
        username=request.form.get("username", ""),
        error=error,
    )
