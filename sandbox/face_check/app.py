"""The check's interface, and the page on which a phone's camera would look at a face.

POST /face/sessions {name, document_number, purpose} -> 201 {id, url}                     X-API-Key
GET  /face/sessions/{id} -> {state: pending | passed | failed | expired, reference}       X-API-Key
GET  /check/{…}   the url above: a page with 通过 and 不通过; whoever opens it decides

A check waits for five minutes. `reference` names a decision that was made, and is null until then.
"""

from flask import Flask, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from sandbox import pages, web
from sandbox.face_check.sessions import Sessions
from sandbox.faults import Faults

GONE = "认证已完成或已失效，请回到电脑重新发起"
DOCUMENT_NUMBER = r"[A-Za-z0-9]{5,30}"


def create_app(api_key: str, seed: object = None) -> Flask:
    """Return the check, with no check under way. ValueError if there is a `seed`: nobody's face is known here."""
    if seed is not None:
        raise ValueError("the face check takes no data")
    sessions = Sessions()
    faults = Faults(refusal="query_not_permitted")
    app = web.new_app("sandbox.face_check", faults)
    pages.install(app, "face-check", "粤信签实人认证")
    app.add_template_filter(_masked_name, "masked_name")
    app.add_template_filter(_masked_number, "masked_number")

    @app.post("/face/sessions")
    @faults.strike
    @web.needs_key(api_key)
    def begin() -> ResponseReturnValue:
        """Begin a check of the person named."""
        body = web.json_object()
        session = sessions.begin(
            web.text_field(body, "name"),
            web.text_field(body, "document_number", DOCUMENT_NUMBER),
            web.text_field(body, "purpose", r"[^\x00]{1,60}"),
        )
        address = url_for("show", page_id=session.page_id, _external=True)
        return jsonify(id=session.session_id, url=address), 201

    @app.get("/face/sessions/<session_id>")
    @faults.strike
    @web.needs_key(api_key)
    def state(session_id: str) -> ResponseReturnValue:
        """Say how the check stands, or 404."""
        session = sessions.get(session_id)
        if session is None:
            return jsonify(error="not_found"), 404
        return jsonify(state=session.state, reference=session.reference)

    @app.get("/check/<page_id>")
    @faults.strike
    def show(page_id: str) -> Response:
        """Show who is to be checked, and what for."""
        session = sessions.of_page(page_id)
        if session is None or session.state != "pending":
            return pages.problem(GONE, 404)
        return pages.page("check.html", session=session)

    @app.post("/check/<page_id>")
    @faults.strike
    def decide(page_id: str) -> Response:
        """Take the decision."""
        session = sessions.decide(page_id, passed=request.form.get("result") == "passed")
        if session is None:
            return pages.problem(GONE, 404)
        sentence = "认证通过，请回到电脑继续。" if session.state == "passed" else "认证未通过，请回到电脑查看。"
        return pages.page("done.html", heading="认证结束", sentence=sentence)

    return app


def _masked_name(name: str) -> str:
    """Return a name as a page may show it: 张三 → *三."""
    return "*" + name[1:]


def _masked_number(number: str) -> str:
    """Return a document number as a page may show it: three characters, stars, four characters."""
    hidden = len(number) - len(number[:3] + number[-4:])
    return number[:3] + "*" * hidden + number[-4:] if hidden > 0 else "*" * len(number)
