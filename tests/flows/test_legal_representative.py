"""法人实人认证 (U18): register, face, token, without JavaScript; and every way in which it comes to nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask
from sqlalchemy import select, update

from idp import clock
from idp.audit.model import AuditEntry
from idp.delegation.model import Binding, BindingStatus, Business, RepresentativeCheck
from idp.persons.model import AccountKind
from idp.store.db import db, release, transaction
from idp.units.model import Unit
from tests.flows.authorizing import CALLBACK, parameters
from tests.flows.inside import InsideVisitor, forgetful
from tests.oidc.portal import VERIFIER, Portal, assert_refused, body_of, claims_in
from tests.support import fictional, rows
from tests.support.application import MakeApp
from tests.support.clocks import MovedClock, moved_clock
from tests.support.representing import BUSINESS_NAME, REPORT, STABILIZATION, Outside, catalogue, outside
from tests.support.signing import plant_keys

__all__ = ["moved_clock"]

SCOPE = f"openid profile offline_access {STABILIZATION} {REPORT}"


@pytest.fixture(scope="module")
def servers() -> Iterator[Outside]:
    with outside() as running:
        yield running


@dataclass
class Hall:
    """A visitor signed in as a unit without agents at L2, and the portal that it wants something of."""

    visitor: InsideVisitor
    portal: Portal
    unit_id: str
    outside: Outside

    def ask(self, scope: str = SCOPE, **more: str) -> InsideVisitor:
        """Come from the portal."""
        challenge = create_s256_code_challenge(VERIFIER)
        return self.visitor.get("/oidc/authorize", **parameters(scope, code_challenge=challenge, **more))

    def press(self, action: str) -> InsideVisitor:
        """Press the button whose form leads to this endpoint."""
        form = next(each for each in self.visitor.forms() if urlsplit(each.action).path == action)
        return self.visitor.post(form.action)

    def begin(self) -> InsideVisitor:
        return self.press("/legal-representative")

    def follow(self) -> InsideVisitor:
        return self.press("/legal-representative/follow")

    def answer(self) -> dict[str, str]:
        assert self.visitor.url.startswith(CALLBACK), f"{self.visitor.url}: {self.visitor.text}"
        return {name: values[0] for name, values in parse_qs(urlsplit(self.visitor.url).query).items()}

    def tokens(self) -> dict[str, Any]:
        response = self.portal.redeem(self.answer()["code"])
        assert response.status_code == 200, response.text
        return body_of(response)

    def passed(self) -> dict[str, Any]:
        """Go the whole way."""
        self.ask()
        self.begin()
        assert self.outside.on_the_phone(self.visitor.text) == 200
        self.follow()
        return self.tokens()


@pytest.fixture
def app(make_app: MakeApp, migrated_sqlite_url: str, servers: Outside) -> Iterator[Flask]:
    application = forgetful(make_app(migrated_sqlite_url, **servers.settings()))
    with application.app_context():
        yield application


@pytest.fixture
def hall(app: Flask, servers: Outside) -> Iterator[Hall]:
    plant_keys()
    catalogue()
    scopes = ["openid", "profile", "offline_access", STABILIZATION, REPORT]
    portal = Portal.registered(app, scopes=scopes, allows_unit_accounts=True, consent_required=False)
    servers.enter()
    unit_id = rows.unit(trust_level=2)
    visitor = InsideVisitor(app).sign_in(unit_id, AccountKind.UNIT)
    yield Hall(visitor, portal, unit_id, servers)
    servers.well()
    release()


def actions() -> list[tuple[str, str]]:
    release()
    wanted = AuditEntry.action.like("representative.%")
    return [
        (each.action, each.outcome)
        for each in db.session.scalars(select(AuditEntry).where(wanted).order_by(AuditEntry.id))
    ]


def test_the_whole_way(hall: Hall) -> None:
    """U18, DESIGN 4: `sub` is the unit, nobody acts, that business alone, capacity and face are stated."""
    hall.ask()
    assert "法人实人认证" in hall.visitor.text
    assert BUSINESS_NAME in hall.visitor.text
    assert fictional.person_name(6) not in hall.visitor.text  # masked
    hall.begin()
    assert hall.visitor.status == 200
    hall.follow()
    assert "尚未收到认证结果" in hall.visitor.text
    hall.outside.on_the_phone(hall.visitor.text)
    hall.follow()
    tokens = hall.tokens()
    said = claims_in(tokens["access_token"])
    assert (said["sub"], said["sub_profile"], said["capacity"]) == (
        hall.unit_id,
        "organization",
        "legal_representative",
    )
    assert "act" not in said
    assert said["scope"] == f"openid profile {STABILIZATION}"
    assert said["amr"] == ["face", "mfa", "pwd"]
    assert said["acr"] == "urn:jingban:acr:L2"
    in_id_token = claims_in(tokens["id_token"])
    assert (in_id_token["sub"], in_id_token["capacity"]) == (hall.unit_id, "legal_representative")
    assert "acting_for" not in in_id_token
    known = body_of(hall.portal.userinfo(tokens["access_token"]))
    assert (known["uscc"], known["capacity"]) == (fictional.uscc(), "legal_representative")
    assert actions() == [("representative.check_begun", "ok"), ("representative.check_decided", "ok")]


def test_what_a_face_opened_does_not_last(hall: Hall) -> None:
    """Short, and nothing refreshes it; the session itself was not raised."""
    tokens = hall.passed()
    assert "refresh_token" not in tokens
    assert tokens["expires_in"] == 600
    hall.ask()
    assert hall.visitor.url.startswith("http://localhost/legal-representative")
    hall.ask("openid profile")
    said = claims_in(hall.tokens()["access_token"])
    assert (said["amr"], said["acr"], "capacity" in said) == (["pwd"], "urn:jingban:acr:L1", False)


def test_the_unit_is_told(hall: Hall) -> None:
    hall.passed()
    hall.visitor.get("/unit")
    assert "法人实人认证记录" in hall.visitor.text
    assert BUSINESS_NAME in hall.visitor.text


def test_an_ordinary_business_is_not_for_a_unit_account(hall: Hall) -> None:
    """U7."""
    hall.ask(f"openid {REPORT}")
    assert claims_in(hall.tokens()["access_token"])["scope"] == "openid"


def test_an_agent_bound_since_ends_it(hall: Hall) -> None:
    """U13: it rests on nobody being bound."""
    tokens = hall.passed()
    assert hall.portal.introspect(tokens["access_token"])["capacity"] == "legal_representative"
    rows.binding(hall.unit_id, rows.person())
    assert hall.portal.introspect(tokens["access_token"]) == {"active": False}
    assert_refused(hall.portal.userinfo(tokens["access_token"]), "invalid_token", 401)


def test_a_unit_with_agents_is_led_to_them(hall: Hall) -> None:
    binding = rows.binding(hall.unit_id, rows.person())
    hall.ask()
    assert hall.visitor.status == 403
    assert "单位已绑定经办人员" in hall.visitor.text
    assert "tab=person" in hall.visitor.text
    # Once unbound (U12) it goes on where it was.
    with transaction() as session:
        session.execute(update(Binding).where(Binding.id == binding).values(status=BindingStatus.ENDED))
    hall.visitor.get(hall.visitor.url)
    assert hall.visitor.status == 200


def test_an_agent_bound_between_face_and_answer(hall: Hall) -> None:
    hall.ask()
    hall.begin()
    hall.outside.on_the_phone(hall.visitor.text)
    page = hall.visitor.url
    rows.binding(hall.unit_id, rows.person())
    hall.follow()
    assert hall.visitor.status == 403
    assert hall.visitor.url == page


def test_a_level_too_low_is_lifted_first(hall: Hall) -> None:
    """F3, word for word but for the level, which is the business's; the address leads to where it is lifted."""
    rows_of(hall.unit_id, trust_level=1)
    hall.ask()
    assert hall.visitor.url.startswith("http://localhost/raise-level")
    assert "可信等级不低于“L2”级，当前单位账号为“L1”级" in hall.visitor.text
    rows_of(hall.unit_id, trust_level=2)
    interaction = parse_qs(urlsplit(hall.visitor.url).query)["interaction"][0]
    hall.visitor.get(f"/interaction/{interaction}")
    assert hall.visitor.url.startswith("http://localhost/legal-representative")


def rows_of(unit_id: str, **changes: Any) -> None:
    with transaction() as session:
        session.execute(update(Unit).where(Unit.id == unit_id).values(**changes))


def test_data_that_differs_is_completed_first_and_back(hall: Hall) -> None:
    """U18: the page names what differs; saving goes on with the same request."""
    hall.outside.enter(legal_representative=fictional.person_name(9))
    hall.ask()
    hall.begin()
    assert hall.visitor.status == 409
    assert "单位信息与市场监管登记不一致" in hall.visitor.text
    assert "法定代表人" in hall.visitor.text
    assert "单位名称" not in hall.visitor.text
    assert fictional.person_name(9) not in hall.visitor.text  # masked
    form_at = hall.visitor.text.partition('href="/unit/edit?')[2].partition('"')[0]
    hall.visitor.get("/unit/edit?" + form_at.replace("&amp;", "&"))
    hall.visitor.submit("legal_representative", legal_representative=fictional.person_name(9), action="save")
    assert hall.visitor.url.startswith("http://localhost/legal-representative")
    hall.begin()
    assert hall.outside.on_the_phone(hall.visitor.text) == 200
    hall.follow()
    assert "code" in hall.answer()
    assert actions()[0] == ("representative.compared", "refused")


def test_a_verified_unit_cannot_complete_it_itself(hall: Hall) -> None:
    """U16."""
    rows_of(hall.unit_id, verified_at=clock.now())
    hall.outside.enter(name=fictional.unit_name(8))
    hall.ask()
    hall.begin()
    assert "不能自行修改" in hall.visitor.text
    assert "/unit/edit" not in hall.visitor.text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"legal_representative_document": None}, "没有法定代表人的证件信息"),
        ({"status": "revoked"}, "已吊销或已注销"),
    ],
)
def test_what_the_register_cannot_vouch_for(hall: Hall, changes: dict[str, Any], text: str) -> None:
    hall.outside.enter(**changes)
    hall.ask()
    hall.begin()
    assert hall.visitor.status == 409
    assert text in hall.visitor.text
    assert "经办人员登录" in hall.visitor.text


def test_an_organisation_code_is_not_in_the_register(hall: Hall) -> None:
    rows_of(hall.unit_id, document_type="org_code", document_number=fictional.org_code(1))
    hall.ask()
    assert hall.visitor.status == 403
    assert "请使用统一社会信用代码注册的账号登录办理业务" in hall.visitor.text


def test_a_face_that_is_another_can_be_tried_again(hall: Hall) -> None:
    hall.ask()
    hall.begin()
    hall.outside.on_the_phone(hall.visitor.text, "failed")
    hall.follow()
    assert "人脸核验未通过" in hall.visitor.text
    assert actions()[-1] == ("representative.check_decided", "failed")
    hall.begin()
    hall.outside.on_the_phone(hall.visitor.text)
    hall.follow()
    assert "code" in hall.answer()


def test_a_code_that_waited_too_long(hall: Hall, moved_clock: MovedClock) -> None:
    hall.ask()
    hall.begin()
    moved_clock.advance(timedelta(minutes=11))
    hall.visitor.get(hall.visitor.url)
    assert "二维码已失效" in hall.visitor.text
    hall.begin()
    hall.outside.on_the_phone(hall.visitor.text)
    hall.follow()
    assert "code" in hall.answer()


def test_what_was_passed_serves_soon(hall: Hall, moved_clock: MovedClock) -> None:
    hall.ask()
    hall.begin()
    hall.outside.on_the_phone(hall.visitor.text)
    state = hall.visitor.url.replace("/legal-representative", "/legal-representative/state")
    assert hall.visitor.client.get(state).get_json() == {"state": "confirmed"}
    moved_clock.advance(timedelta(minutes=6))
    hall.visitor.get(hall.visitor.url)
    assert "二维码已失效" in hall.visitor.text


@pytest.mark.parametrize("system", ["register", "face"])
def test_a_gateway_that_is_down_loses_nothing(hall: Hall, system: str) -> None:
    hall.ask()
    getattr(hall.outside, system).fault("down")
    hall.begin()
    assert hall.visitor.status == 503
    assert "暂时不可用" in hall.visitor.text
    hall.outside.well()
    hall.begin()
    hall.outside.face.fault("down")
    hall.follow()
    assert hall.visitor.status == 503
    assert "/check/" in hall.visitor.text  # the code is still there
    hall.outside.well()
    hall.outside.on_the_phone(hall.visitor.text)
    hall.follow()
    assert "code" in hall.answer()


def test_ten_checks_a_day(hall: Hall) -> None:
    hall.ask()
    for _ in range(10):
        hall.begin()
        assert hall.visitor.status == 200
    hall.begin()
    assert hall.visitor.status == 429
    assert "次数已达上限" in hall.visitor.text


def test_giving_up_goes_back_to_the_portal(hall: Hall) -> None:
    hall.ask()
    hall.press("/legal-representative/give-up")
    assert hall.answer()["error"] == "access_denied"


def test_silence_shows_no_page(hall: Hall) -> None:
    hall.ask(prompt="none")
    assert hall.answer()["error"] == "interaction_required"


def test_a_face_does_not_serve_another_unit_or_request(hall: Hall) -> None:
    """Bound to the request, the unit and the business."""
    hall.ask()
    hall.begin()
    hall.outside.on_the_phone(hall.visitor.text)
    first = hall.visitor.url
    state = first.replace("/legal-representative", "/legal-representative/state")
    assert hall.visitor.client.get(state).get_json() == {"state": "confirmed"}
    hall.ask()  # another request of the same unit
    assert "请法定代表人用手机扫码" not in hall.visitor.text
    hall.visitor.sign_in(rows.unit(2, trust_level=2), AccountKind.UNIT)
    hall.visitor.get(first)  # the same request, another unit
    assert "请法定代表人用手机扫码" not in hall.visitor.text
    assert hall.visitor.url == first


def test_the_catalogue_decides(hall: Hall) -> None:
    """What is no longer marked opens nothing, also where a face was checked already."""
    hall.ask()
    hall.begin()
    hall.outside.on_the_phone(hall.visitor.text)
    with transaction() as session:
        session.execute(update(Business).where(Business.code == STABILIZATION).values(open_to_unit_account=False))
    hall.follow()
    said = claims_in(hall.tokens()["access_token"])
    assert (said["scope"], said["amr"]) == ("openid profile offline_access", ["pwd"])
    release()
    assert db.session.scalars(select(RepresentativeCheck.used_at)).one() is None
