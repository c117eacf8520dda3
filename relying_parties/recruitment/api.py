"""The API of the portal: a unit's jobs as JSON, for whoever has an access token that acts for the unit.

GET   /api/positions?state=&page=  {"positions": […], "total": 3, "page": 1, "pages": 1}
POST  /api/positions               {…fields, "publish"?: true} → 201 {…}, Location once published
GET   /api/company                 {…fields}
PATCH /api/company                 {…fields to change} → 200 {…}; another contact needs a strong sign-in (RFC 9470)
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from relying_parties.recruitment import companies, positions, step_up
from relying_parties.recruitment.forms import CompanyForm, PositionForm
from relying_parties.recruitment.positions import Position, PositionData, State
from relying_parties.shared import bearer
from relying_parties.shared.provider import provider
from relying_parties.shared.settings import Settings
from relying_parties.shared.tokens import ActingToken, InvalidToken, NotForUnit, acting_token

PAGE_SIZE = 50

blueprint = Blueprint("api", __name__, url_prefix="/api")
bearer.install(blueprint, realm="recruitment")

View = Callable[[ActingToken], ResponseReturnValue]


def for_token(business: str) -> Callable[[View], Callable[[], ResponseReturnValue]]:
    """Let only access tokens in that act for a unit and hold `business`; the view gets what the token says.

    A change also asks the provider whether the token holds now, so that a withdrawn grant shuts at once (U13).
    """

    def decorate(view: View) -> Callable[[], ResponseReturnValue]:
        @wraps(view)
        def guarded() -> ResponseReturnValue:
            token = bearer.token()
            said = _acting(token)
            if business not in said.scope:
                raise bearer.Unauthorized(403, "insufficient_scope", f"{business} was not granted", scope=business)
            if request.method != "GET" and provider().introspect(token).get("active") is not True:
                raise bearer.Unauthorized(401, "invalid_token", "the token was revoked")
            return view(said)

        return guarded

    return decorate


def _acting(token: str) -> ActingToken:
    """Return what the access token says. Raises Unauthorized."""
    settings: Settings = current_app.config["SETTINGS"]
    try:
        return acting_token(token, provider(), settings)
    except InvalidToken as wrong:
        raise bearer.Unauthorized(401, "invalid_token", str(wrong)) from wrong
    except NotForUnit as wrong:
        raise bearer.Unauthorized(403, "insufficient_scope", "the token does not act for a unit") from wrong


@blueprint.get("/positions")
@for_token("rec.position")
def list_positions(token: ActingToken) -> ResponseReturnValue:
    """List the unit's jobs, those in `state` if given, otherwise the published ones."""
    asked = request.args.get("state", State.PUBLISHED)
    if asked not in list(State):
        return _invalid({"state": ["draft, published or taken_down"]})
    state = State(asked)
    text = request.args.get("page", "1")
    page = int(text[:6]) if text.isascii() and text.isdigit() and int(text[:6]) else 1
    total = positions.counts(token.unit)[state]
    found = positions.of_unit(token.unit, state, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
    return jsonify(
        positions=[_as_json(position) for position in found],
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE_SIZE)),
    )


@blueprint.post("/positions")
@for_token("rec.position")
def create_position(token: ActingToken) -> ResponseReturnValue:
    """Create a job, published at once with `"publish": true`. 409 until the unit completed 基本信息 (R2)."""
    body = request.get_json()
    if not isinstance(body, dict):
        return _invalid({"": ["a JSON object is needed"]})
    if not companies.is_complete(token.unit):
        return _incomplete()
    form = PositionForm(formdata=_as_form(body), meta={"csrf": False})
    if not form.validate():
        return _invalid({name or "": errors for name, errors in form.errors.items()})
    made = positions.create(token.unit, form.position_data(), token.person, publish=body.get("publish") is True)
    position = positions.find(token.unit, made)
    response = jsonify(_as_json(position) if position else {"id": made})
    if position and position.state is State.PUBLISHED:
        response.headers["Location"] = url_for("public.job", position_id=made)
    return response, 201


@blueprint.get("/company")
@for_token("rec.company")
def show_company(token: ActingToken) -> ResponseReturnValue:
    """Return the unit's 基本信息. 409 until it was completed."""
    known = companies.find(token.unit)
    return _incomplete() if known is None else jsonify(asdict(known.data))


@blueprint.patch("/company")
@for_token("rec.company")
def change_company(token: ActingToken) -> ResponseReturnValue:
    """Change 基本信息; fields that are left out stay. Another contact needs a strong and recent sign-in."""
    body, known = request.get_json(), companies.find(token.unit)
    if not isinstance(body, dict):
        return _invalid({"": ["a JSON object is needed"]})
    if known is None:
        return _incomplete()
    form = CompanyForm(formdata=_as_form(asdict(known.data) | body), meta={"csrf": False})
    if not form.validate():
        return _invalid({name or "": errors for name, errors in form.errors.items()})
    data = form.company_data()
    if data.contact != known.data.contact:
        _demand_strong_sign_in(token)
    companies.change(token.unit, data, token.person)
    return jsonify(asdict(data))


def _demand_strong_sign_in(token: ActingToken) -> None:
    """RFC 9470 §3: say what is missing, so that the client can fetch a token that has it. Raises Unauthorized."""
    challenge = step_up.lacking(token.acr, token.auth_time)
    if challenge is not None:
        error = "insufficient_user_authentication"
        raise bearer.Unauthorized(401, error, challenge.description, **challenge.parameters())


def _as_form(body: dict[str, Any]) -> MultiDict[str, str]:
    """Return the JSON object as the form would send it: `null` and false are fields left out."""
    given = MultiDict[str, str]()
    for name, value in body.items():
        if value is True:
            given[name] = "y"
        elif isinstance(value, str | int) and value is not False:
            given[name] = str(value)
    return given


def _as_json(position: Position) -> dict[str, object]:
    fields = {name: getattr(position.data, name) for name in PositionData.__dataclass_fields__}
    return fields | {
        "id": position.id,
        "state": position.state,
        "valid_until": position.data.valid_until.isoformat(),
        "published_at": position.published_at,
        "updated_at": position.updated_at,
    }


def _incomplete() -> tuple[Response, int]:
    return jsonify(error="company_incomplete", error_description="complete the unit's data first"), 409


def _invalid(errors: dict[str, list[str]]) -> tuple[Response, int]:
    return jsonify(error="invalid_request", errors=errors), 400
