"""父账号信息 (P14, U10, U12)."""

from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.delegation.model import Binding
from idp.sessions import interactions
from idp.sessions.authorization_request import AuthorizationRequest
from idp.store.db import db
from tests.flows.inside import BROWSER, InsideVisitor
from tests.support import fictional, rows

PAGE = "/account/parent-accounts"


class OurPerson:
    """A person who is signed in."""

    def __init__(self, app: Flask) -> None:
        self.id = rows.person()
        self.visitor = InsideVisitor(app).sign_in(self.id)

    def bind(self, n: int = 1, **changes: str) -> str:
        return rows.binding(rows.unit(n), self.id, **changes)


@pytest.fixture
def person(app: Flask) -> OurPerson:
    return OurPerson(app)


def read(binding_id: str) -> Binding:
    return db.session.get_one(Binding, binding_id, populate_existing=True)


def test_nobody_bound_is_told_how_to_get_bound(person: OurPerson) -> None:
    # C5
    person.visitor.get(PAGE)
    assert "您还没有绑定任何单位" in person.visitor.text
    assert "/help" in person.visitor.text


@pytest.mark.parametrize(("answer", "status"), [("accept", "active"), ("refuse", "refused")])
def test_a_request_is_answered(person: OurPerson, answer: str, status: str) -> None:
    # U10, P14
    binding_id = person.bind(status="pending")
    person.visitor.get(PAGE)
    assert "待您确认" in person.visitor.text
    assert fictional.unit_name(1) in person.visitor.text
    assert fictional.uscc(1) not in person.visitor.text, "masked"
    person.visitor.submit("answer", answer=answer)
    assert person.visitor.url == "http://localhost" + PAGE
    assert read(binding_id).status == status


def test_a_request_that_is_gone_says_so(person: OurPerson) -> None:
    binding_id = person.bind(status="pending")
    person.visitor.get(PAGE)
    rows_form = person.visitor.form("answer")
    person.visitor.post(rows_form.action, answer="refuse")
    person.visitor.get("/account/devices")
    person.visitor.post(f"{PAGE}/{binding_id}/answer", answer="accept")
    assert "该绑定已被处理或已解除" in person.visitor.text
    assert read(binding_id).status == "refused"


@pytest.mark.parametrize("answer", ["", "maybe"])
def test_an_answer_that_is_none_changes_nothing(person: OurPerson, answer: str) -> None:
    binding_id = person.bind(status="pending")
    person.visitor.get(PAGE)
    person.visitor.post(f"{PAGE}/{binding_id}/answer", answer=answer)
    assert person.visitor.status == 400
    assert read(binding_id).status == "pending"


def test_nobody_answers_or_leaves_for_another(app: Flask, person: OurPerson) -> None:
    # P14
    pending, active = person.bind(1, status="pending"), person.bind(2)
    other_id = rows.person(1)
    rows.binding(rows.unit(3), other_id, status="pending")
    other = InsideVisitor(app).sign_in(other_id).get(PAGE)
    other.post(f"{PAGE}/{pending}/answer", answer="accept")
    other.post(f"{PAGE}/{active}/leave", confirm="yes")
    assert other.get(f"{PAGE}/{active}/leave").status == 409
    assert [read(each).status for each in (pending, active)] == ["pending", "active"]


def test_a_person_leaves_after_asking_again_and_at_once(person: OurPerson) -> None:
    # P14, U13
    rows.client()
    binding_id = person.bind()
    held = rows.at_portal(person.id, read(binding_id).unit_id, "rec.position")
    person.visitor.get(f"{PAGE}/{binding_id}/leave")
    assert read(binding_id).status == "active"
    person.visitor.submit("confirm", confirm="yes")
    assert "您已退出该单位" in person.visitor.text
    assert (read(binding_id).status, read(binding_id).ended_by) == ("ended", "person")
    assert not rows.is_alive(held)


def test_a_common_contact_does_not_leave(person: OurPerson) -> None:
    # U12
    binding_id = person.bind(kind="common_contact")
    person.visitor.get(f"{PAGE}/{binding_id}/leave").submit("confirm", confirm="yes")
    assert "须由单位先设置新的常用联系人，方可退出" in person.visitor.text
    assert read(binding_id).status == "active"


def test_grants_are_shown_with_their_end_and_the_portal_that_has_them(person: OurPerson) -> None:
    # U11, C1
    rows.client(client_name="公共招聘", initiate_login_uri="https://portal.example/login")
    binding_id = person.bind()
    last = clock.today() + timedelta(days=30)
    rows.grant(binding_id, rows.business("rec.position", name="职位管理"), clock.start_of(last + timedelta(days=1)))
    rows.grant(binding_id, rows.business("rec.fair", name="招聘会", needs_verified_unit=True))
    person.visitor.get(PAGE)
    assert f"至 {last.isoformat()}" in person.visitor.text
    assert "去「公共招聘」办理" in person.visitor.text
    assert 'href="https://portal.example/login?iss=http%3A%2F%2Flocalhost%3A8000"' in person.visitor.text
    assert "单位实名认证后方可办理" in person.visitor.text


def test_a_sign_in_that_waits_is_gone_on_with(person: OurPerson) -> None:
    # C5: never a dead end
    rows.client()
    request = AuthorizationRequest("portal", "https://portal.example/callback", "code", "query", ("openid",))
    interaction_id = interactions.begin(request, BROWSER)
    binding_id = person.bind(status="pending")
    person.visitor.get(PAGE, interaction=interaction_id)
    assert f"/interaction/{interaction_id}" in person.visitor.text
    person.visitor.submit("answer", answer="accept")
    assert read(binding_id).status == "active"
    assert f"/interaction/{interaction_id}" in person.visitor.text


def test_a_sign_in_that_is_over_does_not_hide_the_page(person: OurPerson) -> None:
    assert person.visitor.get(PAGE, interaction="gone").status == 200
