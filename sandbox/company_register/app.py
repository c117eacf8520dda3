"""The register's interface, and the seeding of entries.

GET /companies/{uscc} -> {uscc, name, legal_representative, legal_representative_document?, status, kind, district}
PUT /companies/{uscc}   the same object, `uscc` may be left out
"""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from sandbox import web
from sandbox.company_register.companies import Company, Register
from sandbox.faults import Faults


def create_app(api_key: str, seed: object = None) -> Flask:
    """Return the register with the entries in `seed`: None, or a list of objects with all fields.

    Raises web.Invalid if the seed is something else.
    """
    register = Register()
    for company in web.as_list(seed or [], "company-register-data"):
        register.put(Company.from_json(web.as_object(company, "company-register-data")))
    faults = Faults(refusal="query_not_permitted")
    app = web.new_app("sandbox.company_register", faults)

    @app.get("/companies/<uscc>")
    @faults.strike
    @web.needs_key(api_key)
    def get_company(uscc: str) -> ResponseReturnValue:
        """Answer with the entry, or 404."""
        company = register.get(uscc)
        if company is None:
            return jsonify(error="not_found"), 404
        return jsonify(company.as_json())

    @app.put("/companies/<uscc>")
    def put_company(uscc: str) -> ResponseReturnValue:
        """Enter a company, or change its entry; the address says which."""
        body = web.json_object()
        if body.setdefault("uscc", uscc) != uscc:
            raise web.Invalid("uscc")
        company = Company.from_json(body)
        return jsonify(company.as_json()), 201 if register.put(company) else 200

    return app
