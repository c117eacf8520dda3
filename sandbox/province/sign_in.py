"""The page on which someone signs in, for both protocols. Every trip asks for it, whoever is signed in."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import request, url_for
from flask.typing import ResponseReturnValue

from sandbox.pages import page, qr_code
from sandbox.province.accounts import Account, Kind
from sandbox.province.browsers import by_password, chosen_kind, sign_in, tabs
from sandbox.province.clients import Client
from sandbox.province.province import Grant, province
from sandbox.province.scan import browser_name
from sandbox.province.scans import Scan

NOT_YET = "手机上还没有确认，请确认后再点一次"
REFUSED = "手机上取消了登录，请重新扫码"
EXPIRED = "二维码已失效，请重新扫码"


@dataclass(frozen=True)
class Wanted:
    """A checked request for a sign-in. `extra` goes back beside the code."""

    protocol: str
    client: Client
    redirect_uri: str
    nonce: str | None = None
    challenge: str | None = None
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def purpose(self) -> tuple[str, str, str]:
        """What a QR code is for: it completes no other client's sign-in."""
        return self.protocol, self.client.client_id, self.redirect_uri


def sign_in_page(wanted: Wanted) -> ResponseReturnValue:
    """Show the page (GET), or take what was entered on it (POST) and send the person back with a code."""
    kind = chosen_kind()
    if request.method == "GET":
        return _show(wanted, kind, scan=_new_scan(wanted, kind) if request.args.get("way") == "scan" else None)
    if "scan" in request.form:
        return _by_scan(wanted, kind)
    account = by_password(kind)
    if isinstance(account, str):
        return _show(wanted, kind, error=account)
    return _send_back(wanted, account)


def with_query(address: str, more: list[tuple[str, str]]) -> str:
    """Return `address` with more parameters at the end of its query."""
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(more)) if part)
    return urlunsplit(parts._replace(query=query))


def _new_scan(wanted: Wanted, kind: Kind) -> Scan:
    return province().scans.begin(kind, wanted.purpose, wanted.client.name, browser_name())


def _by_scan(wanted: Wanted, kind: Kind) -> ResponseReturnValue:
    """Go on if the phone has confirmed; else show the same QR code again while it may still be, or a new one."""
    here, sent = province(), request.form
    scan = here.scans.own(sent.get("scan", ""), sent.get("secret", ""), wanted.purpose)
    if scan is None:
        return _show(wanted, kind, error=EXPIRED, scan=_new_scan(wanted, kind))
    if scan.state == "refused":
        return _show(wanted, kind, error=REFUSED, scan=_new_scan(wanted, kind))
    account = here.accounts.get(here.scans.complete(scan) or "")
    if account is None:
        return _show(wanted, kind, error=NOT_YET, scan=scan)
    return _send_back(wanted, account)


def _send_back(wanted: Wanted, account: Account) -> ResponseReturnValue:
    """Return the redirect to the client with a new code. The redirect URI's own query stays."""
    grant = Grant(
        protocol=wanted.protocol,
        client_id=wanted.client.client_id,
        redirect_uri=wanted.redirect_uri,
        useridcode=account.useridcode,
        nonce=wanted.nonce,
        challenge=wanted.challenge,
    )
    return sign_in(account, with_query(wanted.redirect_uri, [("code", province().codes.issue(grant)), *wanted.extra]))


def _show(wanted: Wanted, kind: Kind, *, error: str = "", scan: Scan | None = None) -> ResponseReturnValue:
    # The address is the request: tabs and forms lead back to it.
    own = {name: value for name, value in request.args.items() if name not in {"tab", "way"}}
    addresses = tabs(request.path, **own)
    scan_address = addresses[kind] + "&way=scan"
    # A page in the phone's own browser stands in for an app; it is reached where this page was.
    phone_page = scan and url_for("scan.phone", scan_id=scan.scan_id, _external=True)
    return page(
        "sign_in.html",
        400 if error else 200,
        leads_out=True,
        client=wanted.client,
        kind=kind,
        tabs=addresses,
        here=scan_address if scan else addresses[kind],
        scan_address=scan_address,
        scan=scan,
        phone_page=phone_page,
        qr_code=phone_page and qr_code(phone_page),
        phone_app=province().profile.phone_app,
        username=request.form.get("username", ""),
        error=error,
    )
