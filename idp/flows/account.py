"""The account centre of a person: what is on record, masked."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from idp import web
from idp.delegation import listing
from idp.flows import frame
from idp.messages import PERSON_DOCUMENTS
from idp.persons import records
from idp.persons.model import Person
from idp.rules.documents import PersonDocument
from idp.rules.masking import mask_document, mask_name, mask_phone
from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
@access(Access.PERSON)
def page() -> ResponseReturnValue:
    """Show the person's data."""
    person = records.person(web.current().subject_id)
    return render_template(
        "account/overview.html",
        person=_shown(person),
        parents_waiting=listing.count_requests(db.session(), person.id),
        links={
            "raise_level": url_for("raise_level.page"),
            "parents": url_for("parent_accounts.page"),
            "set_password": url_for("security.set_password"),
        },
        **frame.of_person(person),
    )


def _shown(person: Person) -> dict[str, object]:
    return {
        "name": mask_name(person.full_name),
        "document_type": _(PERSON_DOCUMENTS[PersonDocument(person.document_type)]),
        "document_number": mask_document(person.document_number),
        "phone": mask_phone(person.phone),
        "username": person.login_name,
        "has_password": person.password_hash is not None,
        "level": person.real_name_level,
        "level_name": frame.level_name(person.real_name_level),
        "registered_on": format_date(person.created_at, "yyyy-MM-dd"),
    }
