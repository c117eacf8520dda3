"""The API of the hall: a unit's filings as JSON, for access tokens whose subject is the unit.

GET  /api/filings/<business>                {"filed": false} or {"filed": true, "number", "headcount", "capacity"}
POST /api/filings/<business> {"headcount"}  201, or 409 if handed in this year

A token must be for this API, hold the business, come from somebody who may do it, and state a level that is enough.
"""

from flask import Blueprint, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from relying_parties.service_hall import filings
from relying_parties.service_hall.businesses import BUSINESSES, Business, Lack, UnitToken, lack, unit_token
from relying_parties.service_hall.forms import MOST
from relying_parties.shared import bearer
from relying_parties.shared.provider import provider
from relying_parties.shared.settings import Settings
from relying_parties.shared.tokens import InvalidToken, NotForUnit

blueprint = Blueprint("api", __name__, url_prefix="/api")
bearer.install(blueprint, realm="service_hall")


@blueprint.get("/filings/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """Say what the unit handed in this year."""
    business = _business(slug)
    said = _allowed(business)
    found = filings.find(said.unit, business)
    if found is None:
        return jsonify(filed=False)
    return jsonify(filed=True, number=found.number, headcount=found.headcount, capacity=found.capacity)


@blueprint.post("/filings/<slug>")
def file(slug: str) -> ResponseReturnValue:
    """Hand in; the provider is asked whether the token holds now (U13)."""
    business = _business(slug)
    said = _allowed(business)
    if provider().introspect(bearer.token()).get("active") is not True:
        raise bearer.Unauthorized(401, "invalid_token", "the token was revoked")
    body = request.get_json()
    headcount = body.get("headcount") if isinstance(body, dict) else None
    if not isinstance(headcount, int) or isinstance(headcount, bool) or not 0 < headcount <= MOST:
        return jsonify(error="invalid_request", errors={"headcount": [f"1 … {MOST}"]}), 400
    if not filings.hand_in(said.unit, business, headcount, capacity=said.capacity, person=said.person):
        return jsonify(error="already_filed"), 409
    found = filings.find(said.unit, business)
    return jsonify(number=found.number if found else None), 201


def _business(slug: str) -> Business:
    return BUSINESSES.get(slug) or abort(404)


def _allowed(business: Business) -> UnitToken:
    """Return what the token of this request says. Raises Unauthorized."""
    settings: Settings = current_app.config["SETTINGS"]
    try:
        said = unit_token(bearer.token(), provider(), settings)
    except InvalidToken as wrong:
        raise bearer.Unauthorized(401, "invalid_token", str(wrong)) from wrong
    except NotForUnit as wrong:
        raise bearer.Unauthorized(403, "insufficient_scope", "the token is not for a unit") from wrong
    missing = lack(said, business)
    if missing is Lack.CAPACITY:
        raise bearer.Unauthorized(403, "insufficient_scope", "an agent must act for the unit", scope=business.scope)
    if missing is Lack.SCOPE:
        raise bearer.Unauthorized(403, "insufficient_scope", f"{business.scope} was not granted", scope=business.scope)
    if missing is Lack.LEVEL:
        raise bearer.Unauthorized(
            401,
            "insufficient_user_authentication",
            "A different authentication level is required",
            acr_values=business.lowest[said.capacity],
        )
    return said
