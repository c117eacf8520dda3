"""The gateway's interface for senders, and the inbox for people and tests.

POST /sms/send {message_id, phone, template, params?, text?}   X-API-Key; a repeated message_id is taken once
GET /sms/messages?phone=…   list, newest first             DELETE /sms/messages   forget them
GET /?phone=…               the inbox page
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from flask import Flask, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from sandbox import web
from sandbox.faults import Faults
from sandbox.sms_gateway.inbox import Inbox, Message, MessageIdReused

SHOWN_ON_PAGE = 100
BEIJING = timezone(timedelta(hours=8))
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(api_key: str, seed: object = None) -> Flask:
    """Return the gateway with an empty inbox. An inbox starts empty: ValueError if there is a `seed`."""
    if seed is not None:
        raise ValueError("the SMS gateway takes no data")
    inbox = Inbox()
    faults = Faults(refusal="number_blocked")
    app = web.new_app("sandbox.sms_gateway", faults)
    app.add_template_filter(_clock_time, "clock_time")

    @app.post("/sms/send")
    @faults.strike
    @web.needs_key(api_key)
    def send() -> ResponseReturnValue:
        """Take a message; 200 also for one that came before, 409 if its id stands for another one."""
        try:
            message = inbox.receive(_message(web.json_object()))
        except MessageIdReused:
            return jsonify(error="refused", reason="message_id_reused"), 409
        return jsonify(message_id=message.message_id, status="accepted", deliveries=message.deliveries)

    @app.get("/sms/messages")
    def list_messages() -> Response:
        """List the messages, of one phone if asked."""
        return jsonify([message.as_json() for message in inbox.messages(request.args.get("phone", ""))])

    @app.delete("/sms/messages")
    def clear_messages() -> ResponseReturnValue:
        """Forget every message."""
        inbox.clear()
        return "", 204

    @app.get("/")
    def show_inbox() -> Response:
        """Show the newest messages to a person."""
        phone = request.args.get("phone", "").strip()
        messages = inbox.messages(phone)
        page = render_template("inbox.html", phone=phone, messages=messages[:SHOWN_ON_PAGE], total=len(messages))
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Referrer-Policy": "no-referrer"}
        return Response(page, headers=headers)

    return app


def _message(body: Mapping[str, object]) -> Message:
    """Read a message. Without a `text` of the sender's the parameters are shown as they came. Raises Invalid."""
    params = web.as_object(body.get("params", {}), "params")
    if not all(isinstance(value, str) for value in params.values()):
        raise web.Invalid("params")
    template = web.text_field(body, "template", r"[a-z][a-z0-9_]{0,59}")
    text = web.optional_text_field(body, "text", r"[^\x00]{1,1000}")
    if text is None:
        text = f"{template}: " + ", ".join(f"{name}={value}" for name, value in params.items())
    return Message(
        message_id=web.text_field(body, "message_id", r"[A-Za-z0-9_.:-]{1,100}"),
        phone=web.phone_field(body),
        template=template,
        text=text,
        code=web.optional_text_field(params, "code", r"[^\x00]{1,40}"),
    )


def _clock_time(at: datetime) -> str:
    """Return `at` as a clock on a wall in China shows it."""
    return at.astimezone(BEIJING).strftime("%m-%d %H:%M:%S")
