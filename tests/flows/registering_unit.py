"""A visitor at the steps of the registration of a unit (U1), and the company register beside it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from idp.gateways.company_register import Company, CompanyStatus
from idp.store.db import db, release
from idp.units.model import Unit
from tests.flows.inside import InsideVisitor
from tests.support import codes, fictional

AGENT = {"agent_username": fictional.login_name(0), "agent_document_number": fictional.resident_id(0)}
UNIT = {
    "document_number": fictional.uscc(1),
    "name": fictional.unit_name(1),
    "province": "440000",
    "city": "440700",
    "district": "440703",
    "legal_representative": fictional.person_name(7),
    "username": "our_unit",
    "password": fictional.password(),
    "password_again": fictional.password(),
}


class Register:
    """The register as a test wants it to answer."""

    def __init__(self, answer: Callable[[str], Company | None]) -> None:
        self.look_up = answer


def answering(app: Flask, answer: Callable[[str], Company | None]) -> None:
    """Let the company register of `app` answer so."""
    gateways = app.extensions["jingban.gateways"]
    app.extensions["jingban.gateways"] = replace(gateways, company_register=Register(answer))


def agreeing(uscc: str) -> Company:
    return Company(
        uscc, UNIT["name"], UNIT["legal_representative"], None, CompanyStatus.ACTIVE, "enterprise", "440703"
    )


@pytest.fixture
def visitor(app: Flask) -> InsideVisitor:
    return InsideVisitor(app)


def at_step2(visitor: InsideVisitor) -> InsideVisitor:
    return visitor.get("/register/unit").submit("agent_username", **AGENT, action="next")


def filled(visitor: InsideVisitor, **changes: str) -> InsideVisitor:
    """Fill in the second step as a visitor without scripts does: list after list."""
    values = UNIT | changes
    visitor.submit("document_number", province=values["province"], action="load_region")
    visitor.submit("document_number", city=values["city"], action="load_region")
    return visitor.submit("document_number", **values, action="next")


def at_step3(visitor: InsideVisitor, **changes: str) -> InsideVisitor:
    filled(at_step2(visitor), **changes)
    assert visitor.url.startswith("http://localhost/register/unit/3"), visitor.text
    return visitor


def finish(visitor: InsideVisitor) -> InsideVisitor:
    visitor.submit("code", action="send_code")
    return visitor.submit("code", code=codes.sent_to(fictional.mobile(0))[-1], action="register")


def only_unit() -> Unit:
    release()
    return db.session.scalars(select(Unit).execution_options(populate_existing=True)).one()


def units() -> list[Unit]:
    release()
    return list(db.session.scalars(select(Unit)))
