"""The lists of the region picker, for the script that fills them as they are chosen (region-picker.js)."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from idp.store.db import db
from idp.units import regions
from idp.web import Access, access

blueprint = Blueprint("regions", __name__)


@blueprint.get("/regions")
@access(Access.ANYONE)
def page() -> ResponseReturnValue:
    """Return the regions below `?parent=<code>`: {"level": "city" | "district" | null, "regions": [{code, name}]}."""
    level, places = regions.below(db.session(), request.args.get("parent", "")[:6] or None)
    found = [{"code": place.code, "name": place.name} for place in places]
    return jsonify(level=level.name.lower() if level else None, regions=found)
