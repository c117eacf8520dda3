"""数字证书登录 (P8, U6): by a client certificate that the proxy passes on, or by a challenge that was signed.

`/certificate/present` is called at the address of `certificate_tls_url` alone; from there the browser is led back to
`/certificate/return`, which ends what it was asked for: a sign-in, a step-up, an enrolment.
"""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from idp import limits, web
from idp.clients.model import ActsFor
from idp.errors import DomainError
from idp.factors.certificates import accounts, challenges, errors, proofs, reading
from idp.factors.certificates.challenges import NO_INTERACTION, Asked, Purpose
from idp.flows import certificate_doors as doors
from idp.flows import frame, journey, signing_in
from idp.flows.forms.certificates import CertificateSignIn
from idp.flows.journey import Journey
from idp.flows.local_path import local_path
from idp.messages import sentence
from idp.persons.model import AccountKind
from idp.sessions.interactions import InteractionGone
from idp.settings import settings
from idp.web import Access, access

blueprint = Blueprint("sign_in_certificate", __name__)

PERSON, UNIT = AccountKind.PERSON, AccountKind.UNIT
_PROBLEMS: dict[str, type[DomainError]] = {
    each.code: each
    for each in (errors.CertificateAbsent, errors.CertificateUnreadable, errors.CertificateWeak, errors.ChallengeGone)
}


@blueprint.route("/sign-in/certificate", methods=["GET", "POST"])
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Show both doors; lead to the one, or take what was signed and go on."""
    doors.demand_offered()
    belongs_to = journey.current()
    found = web.signed_in()
    if found is not None and request.method == "GET" and not signing_in.is_needed(belongs_to):
        return redirect(signing_in.onwards(found))
    form = CertificateSignIn()
    tab = _tab(belongs_to)
    if tab is UNIT or (belongs_to is not None and belongs_to.client.acts_for == ActsFor.NEVER):
        del form.as_unit
    signing_in.tick(form)
    asked = _asked(tab, belongs_to, form)
    if not form.is_submitted():
        return _page(form, asked, belongs_to)
    if not form.validate():
        return _page(form, asked, belongs_to), 400
    return _take(form, asked, belongs_to)


def _take(form: CertificateSignIn, asked: Asked, belongs_to: Journey | None) -> ResponseReturnValue:
    """Lead to where the certificate is presented, or sign in by what was signed."""
    try:
        limits.sign_in()
        if doors.wants_to_present():
            return doors.lead_out(asked)
        tab = AccountKind(asked.tab)
        token = accounts.sign_in_by(doors.signed(form, asked), tab, signing_in.browser(), web.signed_in())
    except DomainError as error:
        if not doors.is_at_the_form(error):
            return refused(error, asked)
        form.refuse(error)
        return _page(form, asked, belongs_to), error.status
    return signing_in.welcome(token, belongs_to, as_unit=asked.as_unit)


@blueprint.get("/certificate/present")
@access(Access.ANYONE)
def present() -> ResponseReturnValue:
    """Keep the certificate that the proxy passes on, and lead the browser back (RFC 9440). Raises PeerUntrusted."""
    doors.demand_offered()
    if not doors.came_through_the_proxy():
        raise errors.PeerUntrusted
    challenge = request.args.get("challenge", "")
    try:
        presented = reading.from_headers(
            request.headers.get("Client-Cert", ""), request.headers.get("Client-Cert-Chain", "")
        )
        return _lead_back(code=challenges.present(challenge, presented.to_pem()))
    except DomainError as error:
        problem = error.code if error.code in _PROBLEMS else errors.CertificateUnreadable.code
        return _lead_back(challenge=challenge, problem=problem)


@blueprint.get("/certificate/return")
@access(Access.ANYONE)
def come_back() -> ResponseReturnValue:
    """Take what this browser presented at the other address, and end what it was for."""
    doors.demand_offered()
    asked: Asked | None = None
    try:
        limits.sign_in()
        if "code" not in request.args:
            asked = challenges.begun_here(request.args.get("challenge", ""), web.browser_id())
            raise _PROBLEMS.get(request.args.get("problem", ""), errors.ChallengeGone)
        answered = challenges.claim_presented(request.args["code"], web.browser_id())
        asked = answered.asked
        return _end(asked, proofs.by_presenting(answered))
    except DomainError as error:
        return refused(error, asked or Asked(Purpose.SIGN_IN, web.browser_id()))


def refused(error: DomainError, asked: Asked) -> ResponseReturnValue:
    """Say why a certificate is not taken, with the ways on: again, register, another way to sign in."""
    query = _query(asked)
    again: dict[Purpose, str] = {
        Purpose.SIGN_IN: url_for("sign_in_certificate.page", **query),
        Purpose.STEP_UP: url_for("step_up.by_certificate", interaction=query["interaction"], next=query["next"]),
        Purpose.ENROL: url_for("certificates.add"),
    }
    register = None
    if isinstance(error, errors.HolderUnknown):
        register = url_for("register_unit.step1" if asked.tab == UNIT else "register_person.page")
    happened = render_template(
        "certificate/refused.html",
        happened=sentence(error),
        links={
            "again": again[asked.purpose],
            "register": register,
            "other": url_for("sign_in.page", **query) if asked.purpose is Purpose.SIGN_IN else None,
        },
    )
    return happened, error.status


def _end(asked: Asked, proven: proofs.Proven) -> ResponseReturnValue:
    belongs_to = _journey(asked)
    if asked.purpose is Purpose.SIGN_IN:
        token = accounts.sign_in_by(proven, AccountKind(asked.tab), signing_in.browser(), web.signed_in())
        return signing_in.welcome(token, belongs_to, as_unit=asked.as_unit, next_path=asked.next_path)
    who = web.signed_in()
    if who is None or who.subject_id != asked.owner_id:
        raise errors.ChallengeGone
    if asked.purpose is Purpose.ENROL:
        accounts.enrol(who, proven)
        frame.notify("success", _("数字证书已添加，下次可用它直接登录。"))
        return redirect(url_for("security.page"), 303)
    onwards = belongs_to.resume_url if belongs_to else local_path(asked.next_path) or url_for("security.page")
    response = redirect(onwards, 303)
    web.set_session_cookie(response, accounts.step_up(who, proven))
    return response


def _tab(belongs_to: Journey | None) -> AccountKind:
    """Return whose certificate is asked for; a portal that takes no unit accounts asks for a person's."""
    if belongs_to is not None and not belongs_to.client.allows_unit_accounts:
        return PERSON
    return UNIT if request.args.get("tab") == UNIT else PERSON


def _asked(tab: AccountKind, belongs_to: Journey | None, form: CertificateSignIn) -> Asked:
    return Asked(
        Purpose.SIGN_IN,
        web.browser_id(),
        tab=tab.value,
        as_unit="as_unit" in form and bool(form.as_unit.data),
        interaction_id=belongs_to.interaction_id if belongs_to else NO_INTERACTION,
        next_path=local_path(request.args.get("next")),
    )


def _page(form: CertificateSignIn, asked: Asked, belongs_to: Journey | None) -> str:
    return render_template(
        "sign_in/certificate.html",
        form=form,
        tab=asked.tab,
        portal=belongs_to.client.client_name if belongs_to else None,
        back_url=url_for("sign_in.page", **_query(asked)),
        **doors.shown(form, asked),
    )


def _query(asked: Asked) -> dict[str, Any]:
    query = {"tab": asked.tab, "interaction": asked.interaction_id or None, "next": asked.next_path}
    return query | {"again": request.args.get("again")}


def _journey(asked: Asked) -> Journey | None:
    try:
        return journey.find(asked.interaction_id) if asked.interaction_id else None
    except InteractionGone:
        return None  # it took too long: signed in all the same


def _lead_back(**query: Any) -> Response:
    """Return the redirect to our own address; the other host has no cookies and shows no pages."""
    return redirect(settings().issuer + url_for("sign_in_certificate.come_back", **query), 303)
