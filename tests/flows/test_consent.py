"""授权确认: who gets what, for whom; asked for what is new (OpenID Connect Core §3.1.2.4, DESIGN 4)."""

import pytest
from flask import Flask

from idp.clients import consents
from idp.persons.model import AccountKind
from idp.store.db import db, release
from tests.flows.authorizing import Acting
from tests.flows.inside import InsideVisitor
from tests.support import fictional, rows


@pytest.fixture
def acting(app: Flask) -> Acting:
    return Acting(app, client={"consent_required": True, "scopes": ["openid", "profile", "rec.position", "rec.fair"]})


def at_consent(acting: Acting) -> bool:
    return acting.visitor.url.startswith("http://localhost/consent?interaction=")


def agreed(acting: Acting, unit_id: str | None = None) -> set[str]:
    release()
    found = consents.given(db.session(), subject_id=acting.person_id, client_id="portal", unit_id=unit_id)
    return set(found)


def test_the_page_says_which_portal_for_whom_and_what_in_plain_words(acting: Acting) -> None:
    unit_id = acting.unit(1, "rec.position")
    acting.ask("openid profile rec.position rec.fair").submit("unit", unit=unit_id)
    assert at_consent(acting)
    text = acting.visitor.text
    for shown in ("公共招聘", fictional.unit_name(1), "9144 0101 **** ***156", "经办人员", "portal.example"):
        assert shown in text
    for shown in ("办理「招聘职位管理」", "发布和下架职位", "确认您的身份", "查看基本信息"):
        assert shown in text
    assert "招聘会报名" not in text, "what the unit has not granted is not asked for (C3)"
    assert fictional.person_name(0) not in text


def test_allowing_goes_on_and_is_remembered_for_this_unit(acting: Acting) -> None:
    unit_id, other = acting.unit(1, "rec.position"), acting.unit(2, "rec.position")
    acting.ask().submit("unit", unit=unit_id).submit("consent", consent="allow")
    assert acting.answer()["code"]
    assert acting.authorization().scope == "openid rec.position"
    assert agreed(acting, unit_id) == {"openid", "rec.position"}
    acting.ask().submit("unit", unit=unit_id)
    assert acting.answer()["code"], "not asked again"
    acting.ask().submit("unit", unit=other)
    assert at_consent(acting), "another unit is another consent"


def test_only_what_is_new_is_asked_for(acting: Acting) -> None:
    acting.ask("openid").submit("consent", consent="allow")
    acting.ask("openid profile")
    assert at_consent(acting)
    assert "查看基本信息" in acting.visitor.text
    assert "此前已同意：确认您的身份" in acting.visitor.text
    acting.visitor.submit("consent", consent="allow")
    assert agreed(acting) == {"openid", "profile"}


def test_denying_answers_the_portal(acting: Acting) -> None:
    acting.ask("openid").submit("consent", consent="deny")
    assert acting.answer()["error"] == "access_denied"
    assert agreed(acting) == set()


def test_prompt_consent_always_asks(acting: Acting) -> None:
    acting.ask("openid").submit("consent", consent="allow")
    acting.ask("openid", prompt="consent")
    assert at_consent(acting)
    assert "确认您的身份" in acting.visitor.text
    acting.visitor.submit("consent", consent="allow")
    assert acting.answer()["code"]


def test_a_portal_of_the_same_body_does_not_ask(app: Flask) -> None:
    acting = Acting(app, client={"consent_required": False})
    acting.ask("openid")
    assert acting.answer()["code"]
    acting.ask("openid", prompt="consent")
    assert at_consent(acting), "but prompt=consent does"


def test_what_the_page_did_not_show_is_not_agreed_to(acting: Acting) -> None:
    # C3: the unit grants more while the page is open
    unit_id = acting.unit(1, "rec.position")
    acting.ask("openid rec.position rec.fair").submit("unit", unit=unit_id)
    form = dict(acting.visitor.form("consent").values)
    binding_id = acting.visitor.get("/account/parent-accounts").text.split("/leave")[0].rsplit("/", 1)[1]
    rows.grant(binding_id, "rec.fair")
    acting.visitor.client.post(f"/consent?interaction={acting.interaction().id}", data=form | {"consent": "allow"})
    assert agreed(acting, unit_id) == {"openid", "rec.position"}
    acting.visitor.get(f"/interaction/{acting.interaction().id}")
    assert acting.authorization().businesses == "rec.position"


def test_what_was_not_granted_cannot_be_smuggled_in(acting: Acting) -> None:
    # C3
    unit_id = acting.unit(1, "rec.position")
    acting.ask("openid rec.position").submit("unit", unit=unit_id)
    acting.visitor.submit("consent", consent="allow", shown="openid rec.position rec.fair profile")
    assert agreed(acting, unit_id) == {"openid", "rec.position"}


def test_another_choice_in_another_tab_shows_the_page_anew(acting: Acting) -> None:
    # C4: one never agrees for a unit that the page did not name
    first, second = acting.unit(1, "rec.position"), acting.unit(2, "rec.position")
    acting.ask().submit("unit", unit=first)
    old = dict(acting.visitor.form("consent").values)
    interaction = acting.interaction().id
    acting.visitor.get("/choose-unit", interaction=interaction).submit("unit", unit=second)
    answer = acting.visitor.client.post(f"/consent?interaction={interaction}", data=old | {"consent": "allow"})
    assert answer.status_code == 200
    assert fictional.unit_name(2) in answer.get_data(as_text=True)
    assert agreed(acting, first) == agreed(acting, second) == set()


def test_a_grant_that_was_withdrawn_meanwhile_leads_back_to_the_chooser(acting: Acting) -> None:
    # U13
    from idp.delegation import bindings  # noqa: PLC0415 - only this test unbinds
    from idp.delegation.model import Binding  # noqa: PLC0415

    unit_id = acting.unit(1, "rec.position")
    acting.ask().submit("unit", unit=unit_id)
    assert at_consent(acting)
    bindings.unbind(unit_id, db.session.query(Binding.id).filter_by(unit_id=unit_id).scalar())
    acting.visitor.submit("consent", consent="allow")
    assert acting.visitor.url.startswith("http://localhost/choose-unit?interaction=")
    assert "您与该单位的绑定已解除" in acting.visitor.text
    assert agreed(acting, unit_id) == set()


def test_the_way_to_another_choice_is_there(acting: Acting) -> None:
    # C4
    acting.unit(1, "rec.position")
    acting.ask().submit("unit", unit="self")
    assert "/choose-unit?interaction=" in acting.visitor.text


@pytest.mark.parametrize("answer", ["", "maybe"])
def test_an_answer_that_is_none_is_refused(acting: Acting, answer: str) -> None:
    acting.ask("openid").submit("consent", consent=answer)
    assert acting.visitor.status == 400
    assert agreed(acting) == set()


def test_a_units_own_account_is_asked_too(app: Flask) -> None:
    # U7: standard scopes only
    acting = Acting(app, client={"consent_required": True, "allows_unit_accounts": True})
    unit_id = rows.unit()
    acting.visitor = InsideVisitor(app).sign_in(unit_id, AccountKind.UNIT)
    acting.ask("openid rec.position")
    assert at_consent(acting)
    assert fictional.unit_name(1) in acting.visitor.text
    assert "为本单位办理" in acting.visitor.text
    assert "为本人办理" not in acting.visitor.text
    assert "招聘职位管理" not in acting.visitor.text
    acting.visitor.submit("consent", consent="allow")
    assert acting.answer()["code"]
    assert acting.authorization().scope == "openid"


def test_the_form_may_lead_to_the_portal(acting: Acting) -> None:
    # Content-Security-Policy: form-action follows redirects
    acting.ask("openid")
    release()
    page = acting.visitor.client.get(acting.visitor.url)
    assert "form-action 'self' https://portal.example;" in page.headers["Content-Security-Policy"]


def test_agreements_are_listed_and_taken_back(acting: Acting) -> None:
    unit_id = acting.unit(1, "rec.position")
    acting.ask().submit("unit", unit=unit_id).submit("consent", consent="allow")
    held = acting.authorization().id
    acting.visitor.get("/account/agreements")
    assert "公共招聘" in acting.visitor.text
    assert f"为{fictional.unit_name(1)}办理" in acting.visitor.text
    form = next(form for form in acting.visitor.forms() if form.action.endswith("/withdraw"))
    acting.visitor.post(form.action)
    assert "授权已撤回" in acting.visitor.text
    assert not rows.is_alive(held)
    acting.ask().submit("unit", unit=unit_id)
    assert at_consent(acting)


def test_the_portal_s_own_pages(app: Flask) -> None:
    """RFC 7591 §2: linked by https only; a logo is not loaded, for that would tell its host who looks at this page."""
    more = {name: f"https://portal.example/{name}" for name in ("policy_uri", "tos_uri", "logo_uri")}
    acting = Acting(app, client={"consent_required": True, "more": more, "client_uri": "http://127.0.0.1:1/"})
    acting.ask("openid")
    assert at_consent(acting)
    for shown in ("policy_uri", "tos_uri"):
        assert f'href="https://portal.example/{shown}"' in acting.visitor.text
    assert "logo_uri" not in acting.visitor.text
    assert "127.0.0.1" not in acting.visitor.text
