"""登录设备: where the account is signed in, and ending it there."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _

from idp import web
from idp.flows import frame
from idp.persons import records
from idp.sessions import devices
from idp.sessions.devices import Device
from idp.web import Access, access

blueprint = Blueprint("devices", __name__)

# The first that is found in the User-Agent counts: every browser also names the ones it descends from.
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@blueprint.get("/account/devices")
@access(Access.PERSON)
def page() -> ResponseReturnValue:
    """List the living sessions, this one marked."""
    here = web.current()
    return render_template(
        "account/devices.html",
        devices=[_shown(device, here.session_id) for device in devices.devices(here.subject_id)],
        end_others_url=url_for("devices.end_others"),
        **frame.of_person(records.person(here.subject_id)),
    )


@blueprint.post("/account/devices/end")
@access(Access.PERSON)
def end() -> ResponseReturnValue:
    """End one session, this one too: then the browser is signed out."""
    here = web.current()
    session_id = request.form.get("session", "")
    devices.end(here.subject_id, session_id)
    if session_id == here.session_id:
        response = redirect(url_for("sign_in.page"), 303)
        web.drop_session_cookie(response)
        return response
    frame.notify("success", _("已退出该设备上的登录，相关应用同时退出。"))
    return redirect(url_for("devices.page"), 303)


@blueprint.post("/account/devices/end-others")
@access(Access.PERSON)
def end_others() -> ResponseReturnValue:
    """End every session but this one."""
    here = web.current()
    devices.end_others(here.subject_id, here.session_id)
    frame.notify("success", _("已退出其他所有设备上的登录。"))
    return redirect(url_for("devices.page"), 303)


def _shown(device: Device, here: str) -> dict[str, object]:
    return {
        "id": device.session_id,
        "name": name_of(device.user_agent),
        "address": device.address,
        "signed_in_at": format_datetime(device.signed_in_at, "yyyy-MM-dd HH:mm"),
        "seen_at": format_datetime(device.seen_at, "yyyy-MM-dd HH:mm"),
        "current": device.session_id == here,
        "end_url": url_for("devices.end"),
    }


def name_of(user_agent: str) -> str:
    """Return what a person calls the device: Chrome · Windows."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return " · ".join(filter(None, (browser, system))) or _("未知设备")
