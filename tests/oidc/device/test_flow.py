"""From the code on the device to its tokens (RFC 8628 §3.3–3.5): what a person decides, what the device gets."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.delegation import bindings
from idp.sessions import passwords
from idp.sessions.model import Authorization, DeviceCode
from idp.settings import settings
from idp.store.db import db, release
from tests.flows.inside import InsideVisitor
from tests.oidc.device.scene import Scene
from tests.oidc.portal import Portal, assert_dead, assert_refused, audited, claims_in
from tests.support import fictional, rows
from tests.support.clocks import MovedClock


def test_the_whole_way(either: Scene) -> None:
    """§3: the device waits, the person agrees, the device has what a code would have brought."""
    either.ask()
    assert either.error() == "authorization_pending"
    page = either.enter()
    assert "招聘大屏" in page.text
    assert either.asked["user_code"] in page.text
    assert "127.0.0.1" in page.text
    assert "请确认设备就在您身边" in page.text
    page.submit("consent", consent="allow")
    assert page.url.endswith("/device/done")
    assert "设备已登录" in page.text
    tokens = either.tokens()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    claims = claims_in(tokens["id_token"])
    assert (claims["sub"], claims["aud"]) == (either.person, "portal")
    assert "nonce" not in claims
    assert either.portal.introspect(tokens["access_token"])["sub"] == either.person
    assert either.portal.refreshed(tokens["refresh_token"])["access_token"]
    assert audited("token.issued")[0].details["grant_type"].endswith("device_code")


def test_acting_for_a_unit(either: Scene) -> None:
    """DESIGN 4, U13: the chooser comes in between, and what a unit takes back is gone on the device at once."""
    unit = rows.unit(1)
    binding = rows.binding(unit, either.person)
    rows.grant(binding, "rec.position")
    either.ask(scope="openid rec.position")
    chooser = either.enter()
    assert "/choose-unit" in chooser.url
    page = chooser.submit("unit", unit=unit)
    assert fictional.unit_name(1) in page.text
    assert "/consent" in page.url
    page.submit("consent", consent="allow")
    tokens = either.tokens()
    assert claims_in(tokens["id_token"])["acting_for"]["sub"] == unit
    access = claims_in(tokens["access_token"])
    assert (access["sub"], access["act"]["sub"]) == (unit, either.person)
    release()
    bindings.unbind(unit, binding)
    assert_dead(either.portal, tokens)


def test_what_is_lost_before_the_device_asks(scene: Scene) -> None:
    """U13: between the yes and the next poll."""
    unit = rows.unit(1)
    binding = rows.binding(unit, scene.person)
    rows.grant(binding, "rec.position")
    scene.ask(authorization_details=json.dumps([{"type": "unit_delegation", "actions": ["rec.position"]}]))
    scene.enter().submit("unit", unit=unit).submit("consent", consent="allow")
    release()
    bindings.unbind(unit, binding)
    assert scene.error() == "invalid_grant"


def test_sign_in_on_the_way(scene: Scene) -> None:
    person = rows.person(5, password_hash=passwords.hash_password(fictional.password()))
    scene.ask()
    page = InsideVisitor(scene.app).get("/device").submit("user_code", user_code=scene.asked["user_code"])
    assert "/sign-in" in page.url
    assert "招聘大屏" in page.text
    page.submit("username", username=fictional.login_name(5), password=fictional.password())
    assert "/consent" in page.url
    page.submit("consent", consent="allow")
    assert claims_in(scene.tokens()["id_token"])["sub"] == person


def test_no(either: Scene) -> None:
    """§3.5 access_denied; the person sees that nothing was given."""
    either.ask()
    page = either.enter().submit("consent", consent="deny")
    assert page.url.endswith("/device/refused")
    assert "设备未登录" in page.text
    assert either.error() == "access_denied"
    assert either.error() == "access_denied"
    assert db.session.scalars(select(Authorization)).all() == []
    (entry,) = audited("authorization.refused")
    assert entry.details["error"] == "access_denied"


def test_it_is_asked_every_time(scene: Scene) -> None:
    """§5.4: also where the client is trusted, and where the same was agreed to before."""
    for _ in range(2):
        scene.ask()
        page = scene.enter()
        assert "/consent" in page.url
        page.submit("consent", consent="allow")
        assert scene.tokens()["access_token"]


def test_also_where_the_client_needs_no_consent(sqlite_app: Flask) -> None:
    """§5.4: who needs no consent needs this page all the same, or a link would sign a stranger's device in."""
    scene = Scene.set(sqlite_app, consent_required=False)
    scene.ask()
    assert "请确认设备就在您身边" in scene.enter().text


@pytest.mark.parametrize("typed", ["{0}", "{1}", " {2} ", "{3}"])
def test_how_the_code_may_be_typed(scene: Scene, typed: str) -> None:
    """§6.1: case and punctuation say nothing."""
    code = scene.ask()["user_code"]
    full_width = "".join(chr(ord(each) + 0xFEE0) for each in code)
    page = scene.enter(typed.format(code.lower(), code.replace("-", ""), code.replace("-", " "), full_width))
    assert "/consent" in page.url


def test_the_address_brings_the_code_and_sends_nothing(scene: Scene) -> None:
    """§3.3.1: the person sends it."""
    code = scene.ask()["user_code"]
    page = scene.visitor.get(scene.asked["verification_uri_complete"].removeprefix(settings().issuer))
    assert page.url.endswith(f"/device?user_code={code}")
    assert page.value("user_code") == code
    assert "/consent" in page.submit("user_code").url


@pytest.mark.parametrize("code", ["BBBB-BBBB", "B", "AAAA-AAAA", "BBBB-BBBB-BBBB", "<script>", "单" * 8])
def test_codes_of_no_device(scene: Scene, code: str) -> None:
    page = scene.enter(code)
    assert page.status == 400
    assert "代码不正确或已失效" in page.text


def test_a_code_that_was_seen_to_is_no_code(scene: Scene) -> None:
    scene.ask()
    code = scene.asked["user_code"]
    scene.allow()
    assert scene.enter(code).status == 400


def test_guesses_are_counted_before_they_are_checked(either: Scene) -> None:
    """§5.1: five wrong in a row, and the right one does not help either; a right one begins anew."""
    code = either.ask()["user_code"]
    for _ in range(4):
        assert either.enter("BBBB-BBBB").status == 400
    assert "/consent" in either.enter(code).url
    for _ in range(5):
        assert either.enter("BBBB-BBBB").status == 400
    page = either.enter(code)
    assert page.status == 429
    assert "请于 60 分钟后再试" in page.text


def test_slips_are_no_guesses(scene: Scene) -> None:
    code = scene.ask()["user_code"]
    for _ in range(8):
        scene.enter("BBB")
    assert "/consent" in scene.enter(code).url


def test_polling_too_fast(either: Scene, moved_clock: MovedClock) -> None:
    """§3.5 slow_down: five seconds more for this and all later polls."""
    either.ask()
    assert either.error() == "authorization_pending"
    assert either.error() == "slow_down"
    moved_clock.advance(timedelta(seconds=6))
    assert either.error() == "slow_down"  # ten now, and the last poll counts
    moved_clock.advance(timedelta(seconds=15))
    assert either.error() == "authorization_pending"
    moved_clock.advance(timedelta(seconds=15))
    assert either.error() == "authorization_pending"
    db.session.rollback()
    assert db.session.scalars(select(DeviceCode.poll_every)).one() == 15


def test_a_device_that_waits_as_told_is_never_too_fast(scene: Scene, moved_clock: MovedClock) -> None:
    scene.ask()
    for _ in range(3):
        assert scene.error() == "authorization_pending"
        moved_clock.advance(timedelta(seconds=4.8))


def test_expired(either: Scene, moved_clock: MovedClock) -> None:
    """§3.5 expired_token; the code is none any more, nor is a yes that comes too late."""
    either.ask()
    page = either.enter()
    moved_clock.advance(timedelta(seconds=601))
    late = page.submit("consent", consent="allow")
    assert late.status == 400
    assert "设备上的代码已失效" in late.text
    assert either.error() == "expired_token"
    assert either.enter().status == 400
    db.session.rollback()
    assert db.session.scalars(select(Authorization)).all() == []


def test_a_yes_that_nobody_fetched_expires(scene: Scene, moved_clock: MovedClock) -> None:
    scene.ask()
    scene.allow()
    moved_clock.advance(timedelta(seconds=601))
    assert scene.error() == "expired_token"


def test_a_device_code_pays_out_once(either: Scene) -> None:
    """A second presentation ends what the first brought, as with authorization codes."""
    either.ask()
    either.allow()
    tokens = either.tokens()
    assert either.error() == "invalid_grant"
    assert_dead(either.portal, tokens)


def test_codes_are_their_clients_own(scene: Scene) -> None:
    other = Portal.registered(scene.app, "other", grant_types=["urn:ietf:params:oauth:grant-type:device_code"])
    scene.ask()
    scene.allow()
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": scene.asked["device_code"]}
    assert_refused(other.post("/oidc/token", form), "invalid_grant")
    assert_refused(scene.portal.post("/oidc/token", form | {"device_code": "nonsense"}), "invalid_grant")
    assert_refused(scene.portal.post("/oidc/token", {"grant_type": form["grant_type"]}), "invalid_request")
    assert scene.tokens()["access_token"]


def test_two_browsers_with_one_code(scene: Scene) -> None:
    """The first answer counts."""
    second = InsideVisitor(scene.app).sign_in(rows.person(2))
    scene.ask()
    mine = scene.enter()
    theirs = second.get("/device").submit("user_code", user_code=scene.asked["user_code"])
    mine.submit("consent", consent="allow")
    theirs.submit("consent", consent="allow")
    assert theirs.status == 400
    assert claims_in(scene.tokens()["id_token"])["sub"] == scene.person


def test_sign_out_ends_it(scene: Scene) -> None:
    """The device's tokens hang on the sign-in that let it in."""
    scene.ask()
    scene.allow()
    tokens = scene.tokens()
    scene.visitor.get("/sign-out").submit("logout", logout="yes")
    assert_dead(scene.portal, tokens)
