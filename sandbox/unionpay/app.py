"""The check's interface, and the seeding of cards.

POST /unionpay/verify {name, document_type, document_number, card_number, phone} -> {result, reference}   X-API-Key
POST /unionpay/cards  the same fields, and "state": "normal" | "not_supported" | "blocked"
"""

import uuid

from flask import Flask, Response, jsonify
from flask.typing import ResponseReturnValue

from sandbox import web
from sandbox.faults import Faults
from sandbox.unionpay.cards import Cards, Holder


def create_app(api_key: str, seed: object = None) -> Flask:
    """Return the check with the cards in `seed`: None, or a list of objects like those of `POST /unionpay/cards`.

    Raises web.Invalid if the seed is something else.
    """
    cards = Cards()
    for card in web.as_list(seed or [], "unionpay-data"):
        cards.add(web.as_object(card, "unionpay-data"))
    faults = Faults(refusal="query_not_permitted")
    app = web.new_app("sandbox.unionpay", faults)

    @app.post("/unionpay/verify")
    @faults.strike
    @web.needs_key(api_key)
    def verify() -> Response:
        """Check a claimed holder; the reference names this check."""
        result = cards.verify(Holder.from_json(web.json_object()))
        return jsonify(result=result, reference=uuid.uuid4().hex)

    @app.post("/unionpay/cards")
    def add_card() -> ResponseReturnValue:
        """Make a card known."""
        return jsonify(cards=cards.add(web.json_object())), 201

    return app
