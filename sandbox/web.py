"""What every stand-in shares: a Flask app that speaks JSON, checked fields, and the API key of its clients.

Every error is `{"error": code}`, with `"reason"` where the code alone does not tell what is wrong.
"""

import functools
import hmac
import json
import re
from collections.abc import Callable, Mapping

from flask import Flask, Response, jsonify, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from sandbox.faults import Faults, View

API_KEY_HEADER = "X-API-Key"
MAX_BODY_BYTES = 65536


class Invalid(Exception):
    """A request lacks a field, or holds a value in it that cannot be. `reason` is the field's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _ReadableJson(DefaultJSONProvider):
    """Leaves Chinese as it is and fields in their order, for people who look with curl."""

    ensure_ascii = False
    sort_keys = False


def new_app(import_name: str, faults: Faults) -> Flask:
    """Return a Flask app with `/health`, `/faults`, JSON errors and the headers that every answer carries."""
    app = Flask(import_name)
    app.json = _ReadableJson(app)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Invalid, _invalid)
    app.after_request(_headers)
    app.add_url_rule("/health", view_func=_health)
    app.add_url_rule("/faults", "get_faults", lambda: jsonify(faults.current.as_json()))
    app.add_url_rule("/faults", "set_faults", lambda: _set_fault(faults), methods=["POST"])
    return app


def needs_key(api_key: str) -> Callable[[View], View]:
    """Return a decorator that answers 401 to a request whose `X-API-Key` is not `api_key`."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(**path: str) -> ResponseReturnValue:
            if not hmac.compare_digest(request.headers.get(API_KEY_HEADER, "").encode(), api_key.encode()):
                return jsonify(error="unauthorized"), 401
            return view(**path)

        return guarded

    return decorate


def json_object() -> dict[str, object]:
    """Return the JSON object in the request's body. Raise `Invalid` if it is something else, or not Unicode."""
    body = as_object(request.get_json(), "body")
    try:
        # JSON can spell half a surrogate pair, which no page and no answer could carry.
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Invalid("body") from error
    return body


def as_object(value: object, name: str) -> dict[str, object]:
    """Return `value` if it is a JSON object. Raise `Invalid(name)` otherwise."""
    if not isinstance(value, dict):
        raise Invalid(name)
    return value


def as_list(value: object, name: str) -> list[object]:
    """Return `value` if it is a JSON array. Raise `Invalid(name)` otherwise."""
    if not isinstance(value, list):
        raise Invalid(name)
    return value


def text_field(body: Mapping[str, object], name: str, pattern: str = r"[^\x00]{1,200}") -> str:
    """Return the string `body[name]`, stripped. Raise `Invalid(name)` unless `pattern` matches all of it."""
    value = body.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value.strip(), re.DOTALL):
        raise Invalid(name)
    return value.strip()


def optional_text_field(body: Mapping[str, object], name: str, pattern: str = r"[^\x00]{1,200}") -> str | None:
    """Return like `text_field`, but None for a field that is absent or null."""
    if body.get(name) is None:
        return None
    return text_field(body, name, pattern)


def phone_field(body: Mapping[str, object], name: str = "phone") -> str:
    """Return the phone number `body[name]`: digits, perhaps after a plus. Raise `Invalid(name)` for others."""
    return text_field(body, name, r"\+?[0-9]{5,15}")


def phone_digits(phone: str) -> str:
    """Return the digits by which two spellings of one phone are equal: +8613800138000 is 13800138000."""
    digits = re.sub(r"[^0-9]", "", phone)
    return digits.removeprefix("86") if len(digits) == len("8613800138000") else digits


def _set_fault(faults: Faults) -> Response:
    body = json_object()
    try:
        fault = faults.change(body.get("mode"), body.get("seconds"))
    except ValueError as error:
        raise Invalid(str(error)) from error
    return jsonify(fault.as_json())


def _health() -> Response:
    # Health is the process's own: a stand-in that plays dead is still there to be revived.
    return jsonify(status="ok")


def _http_error(error: HTTPException) -> ResponseReturnValue:
    code = error.name.lower().replace(" ", "_")
    return jsonify(error=code), error.code or 500


def _invalid(error: Invalid) -> ResponseReturnValue:
    return jsonify(error="invalid_request", reason=error.reason), 400


def _headers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
