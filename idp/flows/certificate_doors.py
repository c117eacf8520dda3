"""The two doors of digital certificates, as every page with them has them: sign in, 验证身份, 登录安全."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, format_datetime

from idp import limits, web
from idp.errors import DomainError
from idp.factors.certificates import accounts, challenges, errors, proofs, trust
from idp.factors.certificates.accounts import Owned
from idp.factors.certificates.challenges import Asked, Door
from idp.factors.certificates.proofs import Proven
from idp.factors.errors import FactorGone
from idp.flows.forms.certificates import CertificateAnswer
from idp.settings import Network, settings

PRESENT = "present"
_AT_THE_FORM = (
    errors.CertificateUnreadable,
    errors.PrivateKeySent,
    errors.SignatureUnreadable,
    errors.SignatureWrong,
    errors.ChallengeGone,
)


def demand_offered() -> None:
    """Raise FactorGone (404) where no authority is trusted."""
    if not trust.is_offered():
        raise FactorGone


def can_present() -> bool:
    """Whether there is an address at which the browser presents its certificate."""
    return bool(settings().certificate_tls_url)


def wants_to_present() -> bool:
    """Whether the button was pressed that leads there."""
    return can_present() and request.form.get("action") == PRESENT


def shown(form: CertificateAnswer, asked: Asked) -> dict[str, Any]:
    """Return `doors` for the templates, with a new challenge; what was signed with an old one is of no use any more.

    Raises limits.TooOften: each page that is shown stores a row.
    """
    limits.authorize()
    if can_present():
        web.allow_form_target(settings().certificate_tls_url)
    challenge = challenges.begin(asked, Door.SIGN)
    form.challenge.data = challenge
    form.signature.data = ""
    line = challenges.to_sign(asked.purpose, challenge)
    return {
        "doors": {
            "can_present": can_present(),
            "line": line,
            "file": "data:text/plain;charset=utf-8," + quote(line),
            "minutes": int(challenges.LIFETIME.total_seconds() // 60),
        }
    }


def lead_out(asked: Asked) -> ResponseReturnValue:
    """Send the browser to where the proxy asks for its certificate."""
    challenge = challenges.begin(asked, Door.PRESENT)
    path = url_for("sign_in_certificate.present", challenge=challenge)
    return redirect(settings().certificate_tls_url + path, 303)


def signed(form: CertificateAnswer, asked: Asked) -> Proven:
    """Take what was signed. Raises what the form and `proofs.by_signature` do."""
    presented, signature = form.presented(), form.signed()
    return proofs.by_signature(asked, form.challenge.data or "", presented, signature)


def is_at_the_form(error: DomainError) -> bool:
    """Whether what is wrong can be mended in the form; all else gets a page of its own."""
    return isinstance(error, _AT_THE_FORM)


def came_through_the_proxy() -> bool:
    """Whether this request was made to the address for certificates, and its peer is a proxy that settings name.

    The peer is whoever opened the connection to us: `X-Forwarded-For` says who was before it, and anybody may say so.
    """
    expected = urlsplit(settings().certificate_tls_url).netloc
    if not expected or request.host != expected:
        return False
    original: dict[str, Any] = request.environ.get("werkzeug.proxy_fix.orig", {})
    peer = original.get("REMOTE_ADDR", request.environ.get("REMOTE_ADDR"))
    return _is_in(peer, settings().certificate_tls_proxies)


def _is_in(address: object, networks: Iterable[Network]) -> bool:
    """Whether `address` lies in one of the networks; a peer without an address (a socket file) lies in none."""
    try:
        found = ip_address(str(address))
    except ValueError:
        return False
    return any(found in network for network in networks)


def owned(owner_id: str) -> list[dict[str, Any]]:
    """Return an account's certificates as pages list them."""
    return [_shown(each) for each in accounts.of_account(owner_id)]


def _shown(each: Owned) -> dict[str, Any]:
    return {
        "id": each.id,
        "issuer": each.issuer,
        "serial": each.serial,
        "in_hardware": each.in_hardware,
        "expires": format_date(each.expires_at, "yyyy-MM-dd"),
        "added": format_date(each.created_at, "yyyy-MM-dd"),
        "used": format_datetime(each.used_at, "yyyy-MM-dd HH:mm") if each.used_at else "",
        "remove_url": url_for("certificates.remove", certificate_id=each.id),
    }
