"""Whether this process serves, for proxies and supervisors."""

from flask import Blueprint, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from idp.store.db import db
from idp.web import Access, access

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@access(Access.ANYONE)
def page() -> Response:
    """Answer 200 when the database answers, else 503."""
    try:
        db.session().execute(text("SELECT 1"))
    except SQLAlchemyError:
        return _answer("database", 503)
    return _answer("ok", 200)


def _answer(status: str, code: int) -> Response:
    response = jsonify(status=status)
    response.status_code = code
    return response
