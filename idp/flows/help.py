"""Pages of text: help, terms, privacy, and how to recover an account or a password today."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from idp.web import Access, access

blueprint = Blueprint("help", __name__)


@blueprint.get("/help")
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Answer the common questions."""
    return render_template("help/index.html")


@blueprint.get("/recover")
@access(Access.ANYONE)
def recover() -> ResponseReturnValue:
    """Say how to find a login name or reset a password: at the window or by the hotline (P4)."""
    return render_template("help/recover.html")


@blueprint.get("/terms")
@access(Access.ANYONE)
def terms() -> ResponseReturnValue:
    """Show the terms of use."""
    return render_template("help/terms.html")


@blueprint.get("/privacy")
@access(Access.ANYONE)
def privacy() -> ResponseReturnValue:
    """Show what happens with personal data."""
    return render_template("help/privacy.html")
