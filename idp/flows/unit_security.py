"""登录安全 of a unit: by what its own account is signed in (U6), and who is told when that changes."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from idp import web
from idp.delegation import contacts
from idp.factors.certificates import trust
from idp.flows import certificate_doors, unit_frame, upstreams
from idp.rules.masking import mask_name
from idp.store.db import db
from idp.units import records
from idp.web import Access, access

blueprint = Blueprint("unit_security", __name__)


@blueprint.get("/unit/security")
@access(Access.UNIT)
def page() -> ResponseReturnValue:
    """Show what there is. The next sign-in by another certificate adds that; an upstream is linked at sign-in too."""
    unit = records.unit(web.current().subject_id)
    session = db.session()
    told = contacts.to_tell(session, unit.id)
    return render_template(
        "unit_account/security.html",
        login_name=unit.login_name,
        has_password=unit.password_hash is not None,
        certificates=certificate_doors.owned(unit.id),
        certificates_offered=trust.is_offered(),
        upstreams=upstreams.linked(unit.id),
        told=[mask_name(each.full_name) for each in told],
        has_contact=contacts.common_contact(session, unit.id) in told,
        links={"contact": url_for("sub_accounts.page")},
        **unit_frame.of_unit(unit),
    )
