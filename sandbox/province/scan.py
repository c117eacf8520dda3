"""Sign in by QR code: the phone's pages, and what the page with the QR code asks.

GET /scan/<id>            on the phone: sign in there, then confirm or refuse
GET /scan/<id>/state      {"state": waiting | scanned | confirmed | refused | expired}
"""

import re

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.pages import page, problem
from sandbox.province.browsers import by_password, sign_in, sign_in_form, signed_in
from sandbox.province.province import province
from sandbox.province.scans import OPEN, Scan

blueprint = Blueprint("scan", __name__, url_prefix="/scan")

GONE = "二维码已失效，请在电脑上换一个二维码"
BROWSERS = ("Edg", "Firefox", "Chrome", "Safari")
MACHINES = ("iPhone", "Android", "Windows", "Mac OS", "Linux")


def browser_name() -> str:
    """Return browser and machine of this request as a person would name them."""
    agent = request.headers.get("User-Agent", "")
    found = [next((word for word in words if re.search(word, agent)), "") for words in (BROWSERS, MACHINES)]
    return "，".join(word for word in found if word).replace("Edg", "Edge") or "未知设备"


@blueprint.get("/<scan_id>")
def phone(scan_id: str) -> ResponseReturnValue:
    """Show on the phone what would be signed in, to who is signed in there."""
    scan = _open_scan(scan_id)
    if scan is None:
        return problem(GONE, 404)
    province().scans.see(scan_id)
    account = signed_in()
    if account is None or account.kind != scan.kind or "switch" in request.args:
        return _ask_who(scan)
    return page("phone_confirm.html", scan=scan, account=account)


@blueprint.post("/<scan_id>/sign-in")
def sign_in_on_phone(scan_id: str) -> ResponseReturnValue:
    """Sign in on the phone."""
    scan = _open_scan(scan_id)
    if scan is None:
        return problem(GONE, 404)
    account = by_password(scan.kind)
    if isinstance(account, str):
        return _ask_who(scan, error=account)
    return sign_in(account, url_for("scan.phone", scan_id=scan_id))


@blueprint.post("/<scan_id>")
def decide(scan_id: str) -> ResponseReturnValue:
    """Confirm or refuse."""
    scan, account = _open_scan(scan_id), signed_in()
    if scan is None:
        return problem(GONE, 404)
    if account is None or account.kind != scan.kind:
        return redirect(url_for("scan.phone", scan_id=scan_id), 303)
    confirmed = request.form.get("decision") == "confirm"
    if not province().scans.decide(scan_id, account.useridcode if confirmed else None):
        return problem(GONE, 404)
    if confirmed:
        return page("done.html", heading="已确认", sentence="登录已确认，请回到电脑继续。")
    return page("done.html", heading="已取消", sentence="没有登录。可以关闭本页。")


@blueprint.get("/<scan_id>/state")
def state(scan_id: str) -> Response:
    """Say how the scan stands; this alone lets nobody in."""
    scan = province().scans.look(scan_id)
    return jsonify(state="expired" if scan is None else scan.state)


def _open_scan(scan_id: str) -> Scan | None:
    scan = province().scans.look(scan_id)
    return scan if scan is not None and scan.state in OPEN else None


def _ask_who(scan: Scan, error: str = "") -> Response:
    return sign_in_form(
        scan.kind,
        url_for("scan.sign_in_on_phone", scan_id=scan.scan_id),
        f"{province().profile.phone_app}（演示）",
        "这是手机上的页面。请先登录" + ("个人账号" if scan.kind == "person" else "法人账号"),
        tabs={},
        error=error,
    )
